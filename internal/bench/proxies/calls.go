package proxies

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	unaryPath  = "/acme.v1.CatalogService/Get"
	streamPath = "/acme.v1.CatalogService/List"

	// Page is the origin of the page that calls.
	Page = "https://app.example.com"
	// MessageBytes is the size of each message's text.
	MessageBytes = 1024
	// Streamed is the number of messages of a stream.
	Streamed = 100
)

type message = wrapperspb.StringValue

// Server is the server behind the proxies: connect-go, which serves Connect, gRPC-Web and gRPC, over
// HTTP/1.1 and HTTP/2 without TLS.
type Server struct {
	// Address is host:port.
	Address string

	server *http.Server
}

// StartServer starts the server at a free port of loopback.
func StartServer() (*Server, error) {
	mux := http.NewServeMux()
	mux.Handle(unaryPath, connect.NewUnaryHandler(unaryPath, func(_ context.Context, r *connect.Request[message]) (*connect.Response[message], error) {
		answer := connect.NewResponse(r.Msg)
		answer.Header().Set("X-Request-Id", "1")
		return answer, nil
	}))
	mux.Handle(streamPath, connect.NewServerStreamHandler(streamPath, func(_ context.Context, r *connect.Request[message], stream *connect.ServerStream[message]) error {
		for range Streamed {
			if err := stream.Send(r.Msg); err != nil {
				return err
			}
		}
		return nil
	}))
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	s := &Server{l.Addr().String(), &http.Server{Handler: mux, Protocols: protocols, ReadHeaderTimeout: time.Minute}}
	go func() { _ = s.server.Serve(l) }() // until Close
	return s, nil
}

// Close ends the server and its connections.
func (s *Server) Close() { _ = s.server.Close() }

// Way is how a client calls a proxy.
type Way struct {
	// Name is the name in the report.
	Name string
	// Unary and Stream are the media types of the requests.
	Unary, Stream string
	// HTTP2 is true if the client uses HTTP/2 without TLS. Otherwise it uses HTTP/1.1.
	HTTP2 bool
	// Framed is true if a unary message has a frame.
	Framed bool
}

// The ways of the protocols.
var (
	Connect = Way{"Connect, HTTP/1.1", "application/proto", "application/connect+proto", false, false}
	GRPCWeb = Way{"gRPC-Web, HTTP/1.1", "application/grpc-web+proto", "application/grpc-web+proto", false, true}
	GRPC    = Way{"gRPC, HTTP/2", "application/grpc+proto", "application/grpc+proto", true, true}
)

// Named returns the way with another name.
func (w Way) Named(name string) Way {
	w.Name = name
	return w
}

// Kind is a kind of call.
type Kind struct {
	// Name is the name in the report.
	Name string
	// Fewer says how many times fewer calls there are in a round than of unary ones.
	Fewer int
	// Stream is true for the procedure that streams.
	Stream bool
}

// The kinds of calls.
var (
	Unary  = Kind{"unary", 1, false}
	Stream = Kind{fmt.Sprintf("stream of %d", Streamed), 25, true}
)

// Client calls a proxy.
type Client struct {
	Way  Way
	Kind Kind
	// Page adds what a browser adds to a call of a page of the origin Page.
	Page bool
	// AllowOrigin is the value that each response has to have in Access-Control-Allow-Origin.
	AllowOrigin string
}

// transport returns a transport for so many calls at the same time.
func (c Client) transport(clients int) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!c.Way.HTTP2)
	protocols.SetUnencryptedHTTP2(c.Way.HTTP2)
	return &http.Transport{Protocols: protocols, MaxIdleConnsPerHost: clients, DisableCompression: true}
}

// Call makes one call through a proxy.
func (c Client) Call(ctx context.Context, p *Proxy) error {
	transport := c.transport(1)
	defer transport.CloseIdleConnections()
	_, err := c.caller(transport, "http://"+p.Address)(ctx)
	return err
}

// measure makes n calls, so many at the same time as there are clients, and returns what they cost.
func (c Client) measure(ctx context.Context, p *Proxy, n, clients int) (Sample, error) {
	transport := c.transport(clients)
	defer transport.CloseIdleConnections()
	do := c.caller(transport, "http://"+p.Address)
	for range clients { // opens the connections
		if _, err := do(ctx); err != nil {
			return Sample{}, err
		}
	}
	before, err := p.cpu()
	if err != nil {
		return Sample{}, err
	}
	var next atomic.Int64
	var mu sync.Mutex
	var failed error
	all := make([]time.Duration, 0, n)
	start := time.Now()
	var running sync.WaitGroup
	for range clients {
		running.Go(func() {
			var own []time.Duration
			for next.Add(1) <= int64(n) {
				took, err := do(ctx)
				if err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
					return
				}
				own = append(own, took)
			}
			mu.Lock()
			all = append(all, own...)
			mu.Unlock()
		})
	}
	running.Wait()
	elapsed := time.Since(start)
	if failed != nil {
		return Sample{}, failed
	}
	after, err := p.cpu()
	if err != nil {
		return Sample{}, err
	}
	slices.Sort(all)
	sample := Sample{P50: all[len(all)/2], P99: all[len(all)*99/100], Rate: float64(n) / elapsed.Seconds()}
	for i := range after {
		sample.CPU = append(sample.CPU, (after[i]-before[i])/time.Duration(n))
	}
	return sample, nil
}

// caller returns a function that makes one call, reads all of its response, and checks it.
func (c Client) caller(transport http.RoundTripper, server string) func(context.Context) (time.Duration, error) {
	payload, _ := proto.Marshal(wrapperspb.String(strings.Repeat("m", MessageBytes)))
	path, contentType, messages := unaryPath, c.Way.Unary, 1
	if c.Kind.Stream {
		path, contentType, messages = streamPath, c.Way.Stream, Streamed
	}
	body := payload
	if c.Way.Framed || c.Kind.Stream {
		body = append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(payload))), payload...)
	}
	return func(ctx context.Context) (time.Duration, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, server+path, bytes.NewReader(body))
		if err != nil {
			return 0, err
		}
		r.Header = http.Header{
			"Content-Type": {contentType}, "Accept": {"*/*"}, "Accept-Encoding": {"identity"}, "Connect-Protocol-Version": {"1"},
			"User-Agent": {"Mozilla/5.0"}, "Te": {"trailers"},
		}
		if c.Page {
			r.Header.Set("Origin", Page)
			r.Header.Set("Sec-Fetch-Mode", "cors")
			r.Header.Set("Sec-Fetch-Site", "same-site")
			r.Header.Del("Te")
		}
		start := time.Now()
		response, err := transport.RoundTrip(r) //nolint:bodyclose // discard closes it
		if err != nil {
			return 0, err
		}
		size, err := discard(response.Body)
		if err != nil {
			return 0, err
		}
		if response.StatusCode != http.StatusOK || size < int64(messages*len(payload)) {
			return 0, fmt.Errorf("status %d with %d bytes", response.StatusCode, size)
		}
		took := time.Since(start)
		if allowed := response.Header.Get("Access-Control-Allow-Origin"); allowed != c.AllowOrigin {
			return 0, fmt.Errorf("Access-Control-Allow-Origin is %q, and not %q", allowed, c.AllowOrigin)
		}
		return took, nil
	}
}

// discard reads a body to its end and returns its size.
func discard(body io.ReadCloser) (int64, error) {
	n, err := io.Copy(io.Discard, body)
	if closeErr := body.Close(); err == nil {
		err = closeErr
	}
	return n, err
}
