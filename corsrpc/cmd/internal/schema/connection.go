package schema

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/connectivity"
)

// Connection is a connection to a server that is made again after it has broken, for a program that
// follows the schema of a server. Its methods are safe for concurrent use, apart from Close.
type Connection struct {
	server Server
	client *grpc.ClientConn
	made   chan struct{}
	stop   context.CancelFunc
	kept   chan struct{} // closed when keep has returned
}

// The pauses between attempts to connect.
var reconnect = backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second}

// Connect begins to connect to a server, and does not wait for it. It fails if the URL is not valid or a file
// of the server cannot be read. A connection attempt takes no longer than timeout. The files with
// certificates are read again for each connection. Proxies of the environment are not used.
func (s Server) Connect(timeout time.Duration) (*Connection, error) {
	c := &Connection{server: s, made: make(chan struct{}, 1), kept: make(chan struct{})}
	client, err := s.newClient(usualBounds, grpc.WithNoProxy(), grpc.WithIdleTimeout(0),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: reconnect, MinConnectTimeout: timeout}))
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	c.client, c.stop = client, stop
	go c.keep(ctx)
	return c, nil
}

// keep connects whenever there is no connection, and tells of each connection.
func (c *Connection) keep(ctx context.Context) {
	defer close(c.kept)
	for {
		state := c.client.GetState()
		switch state {
		case connectivity.Idle:
			c.client.Connect()
		case connectivity.Ready:
			select {
			case c.made <- struct{}{}:
			default:
			}
		}
		if !c.client.WaitForStateChange(ctx, state) {
			return
		}
	}
}

// Ready reports whether there is a connection.
func (c *Connection) Ready() bool { return c.client.GetState() == connectivity.Ready }

// Made receives a value after a connection was made. One value stands for any number of connections.
func (c *Connection) Made() <-chan struct{} { return c.made }

// Read asks the server for its services. Without a connection it fails as soon as an attempt to connect
// has failed. A context without a deadline gets one of 10 s.
func (c *Connection) Read(ctx context.Context) (*Part, error) {
	return c.server.readFrom(ctx, c.client, usualBounds)
}

// Close closes the connection.
func (c *Connection) Close() error {
	c.stop()
	<-c.kept
	return c.client.Close()
}
