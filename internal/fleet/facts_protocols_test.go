//go:build fleet

package fleet_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/corsrpc/corsrpc-go/internal/fleet/envoy"
)

// serveGRPC serves all methods by grpc-go: /test.Service/OK answers with a message, any other one with
// an error and no message. All have the header x-id and the trailer x-cost.
func serveGRPC(t *testing.T) *upstream {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(stream)
		stream.SetTrailer(metadata.Pairs("x-cost", "7"))
		if method != "/test.Service/OK" {
			return status.Error(codes.NotFound, "nothing here")
		}
		if err := stream.RecvMsg(new(emptypb.Empty)); err != nil {
			return err
		}
		if err := stream.SetHeader(metadata.Pairs("x-id", "1")); err != nil {
			return err
		}
		return stream.SendMsg(new(emptypb.Empty))
	}))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener) // ends by Stop
	}()
	t.Cleanup(func() {
		server.Stop()
		<-ended
	})
	return &upstream{addr: listener.Addr().String()}
}

// The parts of the answers of grpc-go that the processor sees.
func TestAnswersOfGRPC(t *testing.T) {
	message := make([]byte, 5) // an empty one in gRPC's frame
	webCall := []string{"Content-Type: application/grpc-web+proto", "X-Grpc-Web: 1", "Content-Length: 5"}
	connectCall := []string{"Content-Type: application/proto", "Connect-Protocol-Version: 1", "Content-Length: 0"}
	web := func(_ *testing.T, c *envoy.Config) { c.GRPCWeb = true }
	connect := func(_ *testing.T, c *envoy.Config) { c.ConnectBridge = true }
	both := func(_ *testing.T, c *envoy.Config) { c.GRPCWeb, c.ConnectBridge = true, true }
	const ok, failing = "POST /test.Service/OK HTTP/1.1", "POST /test.Service/Fail HTTP/1.1"
	for _, test := range []struct {
		name        string
		change      func(*testing.T, *envoy.Config)
		first       string
		lines       []string
		body        string
		status      int
		has         []string // fields that the processor sees
		hasNot      []string // names that it does not see
		endOfStream bool
		bodyHas     string
	}{
		{"gRPC-Web, a message", both, ok, webCall, string(message), 200,
			[]string{":status: 200", "content-type: application/grpc-web+proto", "x-id: 1"}, []string{"x-cost", "grpc-status"}, false, "x-cost:7\r\n"},
		{"gRPC-Web, trailers only", both, failing, webCall, string(message), 200,
			[]string{":status: 200", "content-type: application/grpc-web+proto", "grpc-status: 5", "grpc-message: nothing here", "x-cost: 7"}, nil, true, ""},
		{"gRPC-Web, the upstream is away", func(t *testing.T, c *envoy.Config) { web(t, c); c.Upstream = closedAddr(t) }, ok, webCall, string(message), 503,
			[]string{":status: 503", "grpc-status: 14", "content-type: application/grpc-web+proto"}, nil, false, ""},
		{"gRPC-Web, jwt_authn", func(t *testing.T, c *envoy.Config) { web(t, c); c.JWKS = testJWKS }, ok, webCall, string(message), 401,
			[]string{":status: 401", "grpc-status: 16", "content-type: application/grpc-web+proto"}, nil, false, ""},
		{"gRPC, a message", nil, ok, []string{"Content-Type: application/grpc", "TE: trailers", "Content-Length: 5"}, string(message), 200,
			[]string{":status: 200", "content-type: application/grpc", "x-id: 1"}, []string{"x-cost", "grpc-status"}, false, ""},
		{"Connect, a message", both, ok, connectCall, "", 200,
			[]string{":status: 200", "content-type: application/proto", "x-id: 1", "trailer-x-cost: 7"}, []string{"grpc-status"}, false, ""},
		{"Connect, an error", both, failing, connectCall, "", 404,
			[]string{":status: 404", "content-type: application/json", "x-cost: 7"}, []string{"grpc-status", "trailer-x-cost"}, false, `"code":"not_found"`},
		{"Connect, jwt_authn", func(t *testing.T, c *envoy.Config) { connect(t, c); c.JWKS = testJWKS }, ok, connectCall, "", 401,
			[]string{":status: 401", "content-type: text/plain"}, []string{"grpc-status"}, false, "Jwt is missing"},
		{"Connect, POST without its version", connect, ok, connectCall[:1], "", 415,
			[]string{":status: 415"}, nil, true, ""},
		{"Connect, GET", both, "GET /test.Service/OK?connect=v1&encoding=proto&message= HTTP/1.1", nil, "", 200,
			[]string{":status: 200", "content-type: application/proto", "trailer-x-cost: 7"}, []string{"grpc-status"}, false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := serveProcessor(t, proceed(overwrite("access-control-expose-headers", "*")))
			addr, _ := start(t, serveGRPC(t), p, func(c *envoy.Config) {
				if test.change != nil {
					test.change(t, c)
				}
			})
			resp := sendBody(t, addr, test.body, append([]string{test.first}, test.lines...)...)
			if resp.status != test.status {
				t.Errorf("status %d, want %d: %v %q", resp.status, test.status, resp.header, resp.body)
			}
			seen := p.response(t)
			for _, field := range test.has {
				if !slices.Contains(seen.list, field) {
					t.Errorf("the processor does not see %q in %q", field, seen.list)
				}
			}
			for _, name := range test.hasNot {
				if len(seen.get(name)) > 0 {
					t.Errorf("the processor sees %q: %q", name, seen.list)
				}
			}
			if seen.endOfStream != test.endOfStream {
				t.Errorf("end_of_stream is %t, want %t", seen.endOfStream, test.endOfStream)
			}
			if !strings.Contains(resp.body, test.bodyHas) {
				t.Errorf("the body is %q, want %q in it", resp.body, test.bodyHas)
			}
			if resp.header.Get("Access-Control-Expose-Headers") != "*" {
				t.Errorf("the answer lacks the processor's header: %v", resp.header)
			}
		})
	}
}

// An upstream that answers gRPC-Web with another content type: grpc_web turns the answer into fields of
// gRPC before the processor sees it.
func TestGRPCWebOfAnswersThatAreNotGRPC(t *testing.T) {
	u := serveUpstream(t, badGateway)
	p := serveProcessor(t, proceed())
	addr, _ := start(t, u, p, func(c *envoy.Config) { c.GRPCWeb = true })
	resp := sendBody(t, addr, string(make([]byte, 5)), "POST /test.Service/OK HTTP/1.1", "Content-Type: application/grpc-web", "Content-Length: 5")
	seen := p.response(t)
	for _, field := range []string{"grpc-status: 14", "grpc-message: bad gateway"} {
		if !slices.Contains(seen.list, field) {
			t.Errorf("the processor does not see %q in %q", field, seen.list)
		}
	}
	if resp.status != 502 || resp.body != "" {
		t.Errorf("status %d, body %q, want 502 without a body", resp.status, resp.body)
	}
}

// Bodies pass untouched and at once: the client sends its second part after the answer to the first.
func TestStreamsPass(t *testing.T) {
	u := serveUpstream(t, echo)
	addr, _ := start(t, u, serveProcessor(t, proceed()), func(c *envoy.Config) { c.UpstreamHTTP1 = true })
	conn := dial(t, addr)
	defer conn.Close()
	write := func(text string) {
		t.Helper()
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
	}
	write("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := make([]byte, len("one"))
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "one" {
		t.Fatalf("the upstream answers %q, error %v", first, err)
	}
	write("3\r\ntwo\r\n0\r\n\r\n")
	rest, err := io.ReadAll(resp.Body)
	if err != nil || string(rest) != "two" {
		t.Errorf("the upstream answers %q, error %v", rest, err)
	}
}
