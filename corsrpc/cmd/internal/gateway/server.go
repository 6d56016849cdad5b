package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// The pings of idle HTTP/2 connections, which notice a client that went away without closing.
const (
	pingAfter   = 30 * time.Second
	pingTimeout = 15 * time.Second
)

// keepAlive notices a client of HTTP/1.1 that went away, within 75 seconds.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 15 * time.Second, Count: 3}

// port is a listener with its HTTP server.
type port struct {
	listener net.Listener
	server   *http.Server
	failed   chan error // of Serve
}

func (p *port) address() string                    { return p.listener.Addr().String() }
func (p *port) ended() <-chan error                { return p.failed }
func (p *port) shutdown(ctx context.Context) error { return p.server.Shutdown(ctx) }
func (p *port) close() error                       { return p.server.Close() }

// listen opens a port. The context does not end it.
func listen(ctx context.Context, network, address string) (net.Listener, error) {
	config := net.ListenConfig{KeepAliveConfig: keepAlive}
	l, err := config.Listen(ctx, network, address)
	if err != nil {
		var operation *net.OpError
		if errors.As(err, &operation) {
			err = operation.Err
		}
		return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	return l, nil
}

// newPublic opens the public port.
func newPublic(ctx context.Context, listener *corsrpcv1.Listener, limits *corsrpcv1.Limits, certificates *tls.Config, h http.Handler, log *slog.Logger) (*port, error) {
	l, err := listen(ctx, "tcp", listener.GetAddress())
	if err != nil {
		return nil, err
	}
	if n := limits.GetMaxConnections(); n > 0 {
		l = netutil.LimitListener(l, int(n))
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	if certificates != nil {
		protocols.SetHTTP2(true)
		l = tls.NewListener(l, certificates)
	} else {
		protocols.SetUnencryptedHTTP2(true)
	}
	return &port{listener: l, failed: make(chan error, 1), server: &http.Server{
		Handler:           h,
		Protocols:         protocols,
		ReadHeaderTimeout: limits.GetHeaderTimeout().AsDuration(),
		IdleTimeout:       limits.GetIdleTimeout().AsDuration(),
		MaxHeaderBytes:    int(limits.GetMaxHeaderBytes()),
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: int(limits.GetMaxStreams()), SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // every client can cause these lines: handshakes that fail, malformed requests
	}}, nil
}

// newInternal opens the internal port.
func newInternal(ctx context.Context, address string, h http.Handler, log *slog.Logger) (*port, error) {
	l, err := listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &port{listener: l, failed: make(chan error, 1), server: &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}, nil
}

// serve serves in a goroutine until the server is shut down. Any other end is sent to ended.
func (p *port) serve() {
	go func() {
		if err := p.server.Serve(p.listener); !errors.Is(err, http.ErrServerClosed) {
			p.failed <- err
		}
	}()
}
