package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
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
	page       = "https://app.example.com"

	messageBytes = 1024 // of each message
	streamed     = 100  // messages of a stream
)

type message = wrapperspb.StringValue

// server is the server behind the proxies: connect-go, which serves Connect, gRPC-Web and gRPC, over
// HTTP/1.1 and HTTP/2 without TLS.
type server struct {
	address string
	server  *http.Server
}

func startServer() *server {
	mux := http.NewServeMux()
	mux.Handle(unaryPath, connect.NewUnaryHandler(unaryPath, func(_ context.Context, r *connect.Request[message]) (*connect.Response[message], error) {
		answer := connect.NewResponse(r.Msg)
		answer.Header().Set("X-Request-Id", "1")
		return answer, nil
	}))
	mux.Handle(streamPath, connect.NewServerStreamHandler(streamPath, func(_ context.Context, r *connect.Request[message], stream *connect.ServerStream[message]) error {
		for range streamed {
			if err := stream.Send(r.Msg); err != nil {
				return err
			}
		}
		return nil
	}))
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		panic(err) // loopback has a free port
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	s := &server{l.Addr().String(), &http.Server{Handler: mux, Protocols: protocols, ReadHeaderTimeout: time.Minute}}
	go func() { _ = s.server.Serve(l) }() // until close
	return s
}

func (s *server) close() { _ = s.server.Close() }

// way is how a client calls a proxy, and how the proxy calls the server.
type way struct {
	name string
	// unary and stream are the media types of the requests.
	unary, stream string
	// client is true if the client uses HTTP/2 without TLS, and server the same for the proxy.
	client, server bool
	// framed is true if a unary message has a frame.
	framed bool
	// upstream is the scheme of the gateway's upstream. others is true if the other proxies can serve
	// the way too.
	upstream string
	others   bool
}

var ways = []way{
	{"Connect, HTTP/1.1", "application/proto", "application/connect+proto", false, false, false, "http", true},
	{"gRPC-Web, HTTP/1.1, to a server that speaks it", "application/grpc-web+proto", "application/grpc-web+proto", false, false, true, "http", true},
	{"gRPC, HTTP/2", "application/grpc+proto", "application/grpc+proto", true, true, true, "grpc", true},
	{"gRPC-Web, HTTP/1.1, translated to gRPC", "application/grpc-web+proto", "application/grpc-web+proto", false, true, true, "grpc", false},
}

// kind is a kind of call.
type kind struct {
	name  string
	fewer int // there are so many times fewer calls than of the others
}

var kinds = []kind{{"unary", 1}, {fmt.Sprintf("stream of %d", streamed), 25}}

// sample is the result of one round of a proxy.
type sample struct {
	cpu      time.Duration // of the proxy, for each call
	p50, p99 time.Duration
	rate     float64 // calls per second
}

// measure makes n calls and returns what they cost.
func (p *proxied) measure(ctx context.Context, way way, kind kind, n, clients int) (sample, error) {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!way.client)
	protocols.SetUnencryptedHTTP2(way.client)
	transport := &http.Transport{Protocols: protocols, MaxIdleConnsPerHost: clients, DisableCompression: true}
	defer transport.CloseIdleConnections()
	do := caller(transport, "http://"+p.address, way, kind)
	for range clients { // opens the connections
		if _, err := do(ctx); err != nil {
			return sample{}, err
		}
	}
	before, err := p.cpu()
	if err != nil {
		return sample{}, err
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
		return sample{}, failed
	}
	after, err := p.cpu()
	if err != nil {
		return sample{}, err
	}
	slices.Sort(all)
	return sample{(after - before) / time.Duration(n), all[len(all)/2], all[len(all)*99/100], float64(n) / elapsed.Seconds()}, nil
}

// caller returns a function that makes one call of a page, reads all of its response, and checks it.
func caller(transport http.RoundTripper, server string, way way, kind kind) func(context.Context) (time.Duration, error) {
	payload, _ := proto.Marshal(wrapperspb.String(strings.Repeat("m", messageBytes)))
	path, contentType, messages := unaryPath, way.unary, 1
	if kind.name != "unary" {
		path, contentType, messages = streamPath, way.stream, streamed
	}
	body := payload
	if way.framed || kind.name != "unary" {
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
		if !way.client { // a page
			r.Header.Set("Origin", page)
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
		return time.Since(start), nil
	}
}
