package bench

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const streamed = 1_000 // messages

type message = wrapperspb.StringValue

// catalog returns handlers like generated ones: a unary method and a server stream.
func catalog() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(procedure, connect.NewUnaryHandler(procedure, func(_ context.Context, r *connect.Request[message]) (*connect.Response[message], error) {
		answer := connect.NewResponse(r.Msg)
		answer.Header().Set("X-Request-Id", "1")
		return answer, nil
	}))
	mux.Handle(streamProcedure, connect.NewServerStreamHandler(streamProcedure, func(_ context.Context, r *connect.Request[message], stream *connect.ServerStream[message]) error {
		stream.ResponseHeader().Set("X-Request-Id", "1")
		for range streamed {
			if err := stream.Send(r.Msg); err != nil {
				return err
			}
		}
		return nil
	}))
	return mux
}

const streamProcedure = "/acme.v1.CatalogService/M1"

var loopbackSetting = setting{exact: []string{page}, expose: []string{"X-Request-Id"}, procedures: 2}

// versions lists the versions of HTTP: that of a page without TLS, and that of a proxy.
var versions = []struct {
	name string
	set  func(*http.Protocols, bool)
}{
	{"1.1", (*http.Protocols).SetHTTP1},
	{"2 without TLS", (*http.Protocols).SetUnencryptedHTTP2},
}

// serveLoopback serves a handler until the test ends, and returns its URL and a new client.
func serveLoopback(t testing.TB, h http.Handler, set func(*http.Protocols, bool)) (string, *http.Client) {
	t.Helper()
	protocols := new(http.Protocols)
	set(protocols, true)
	server := httptest.NewUnstartedServer(h)
	server.Config.Protocols = protocols
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients close connections at the end of the benchmark
	server.Start()
	transport := &http.Transport{Protocols: protocols, MaxIdleConnsPerHost: 16}
	t.Cleanup(func() { transport.CloseIdleConnections(); server.Close() })
	return server.URL, &http.Client{Transport: transport}
}

// loopbackContest compares whole calls over a socket, with a Go client that sends the
// headers of a page: with the layer, without CORS, and with rs/cors.
func loopbackContest() contest {
	all := contest{name: "Loopback"}
	for _, version := range versions {
		for _, call := range []string{"unary", "stream of 1,000"} {
			for _, i := range append([]implementation{withoutCORS}, implementations[1:3]...) {
				all.contestants = append(all.contestants, contestant{"http=" + version.name + "/call=" + call + "/by=" + i.name, func(t testing.TB) func(int) {
					url, client := serveLoopback(t, i.wrap(t, loopbackSetting, catalog()), version.set)
					unary := connect.NewClient[message, message](client, url+procedure)
					stream := connect.NewClient[message, message](client, url+streamProcedure)
					return func(n int) {
						for range n {
							if call == "unary" {
								callUnary(t, unary)
							} else {
								readStream(t, stream)
							}
						}
					}
				}})
			}
		}
	}
	return all
}

// fromPage adds the header fields of a browser.
func fromPage[T any](r *connect.Request[T]) *connect.Request[T] {
	for name, values := range callFrom(page)().Header {
		switch name {
		case "Content-Type", "Content-Length", "Accept-Encoding", "Connect-Protocol-Version":
		default:
			r.Header()[name] = values
		}
	}
	return r
}

func callUnary(t testing.TB, c *connect.Client[message, message]) {
	answer, err := c.CallUnary(context.Background(), fromPage(connect.NewRequest(wrapperspb.String("hello"))))
	if err != nil {
		t.Fatal(err)
	}
	if answer.Msg.GetValue() != "hello" {
		t.Fatalf("%v", answer.Msg)
	}
}

func readStream(t testing.TB, c *connect.Client[message, message]) {
	stream, err := c.CallServerStream(context.Background(), fromPage(connect.NewRequest(wrapperspb.String("hello"))))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	n := 0
	for stream.Receive() {
		n++
	}
	if stream.Err() != nil || n != streamed {
		t.Fatalf("%d messages: %v", n, stream.Err())
	}
}

// TestLoopback: the measured calls expose the response headers.
func TestLoopback(t *testing.T) {
	for _, version := range versions {
		url, client := serveLoopback(t, wrapLayer(t, loopbackSetting, catalog()), version.set)
		answer, err := connect.NewClient[message, message](client, url+procedure).
			CallUnary(t.Context(), fromPage(connect.NewRequest(wrapperspb.String("hello"))))
		if err != nil {
			t.Fatal(err)
		}
		if got := answer.Header().Get("Access-Control-Expose-Headers"); got != "x-request-id" {
			t.Errorf("%s: exposed: %q", version.name, got)
		}
	}
}
