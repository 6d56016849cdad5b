//go:build fleet

package fleet_test

import (
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/grpc"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsenvoy"
	"github.com/corsrpc/corsrpc-go/internal/fleet/envoy"
)

// serveLayer serves the layer of a policy as an external processor, and returns its socket.
func serveLayer(t *testing.T, policy string) string {
	t.Helper()
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := corsrpc.New(plan, corsrpc.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	p, err := corsenvoy.New(layer)
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(shortDir(t), "socket")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	p.Register(server)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener) // ends by Stop
	}()
	t.Cleanup(func() {
		server.Stop()
		<-ended
	})
	return socket
}

// The layer, as a processor of the real Envoy.
func TestLayer(t *testing.T) {
	const policy = `
defaults:
  allow_origins: [https://a.test]
  allow_credentials: true
  allow_headers: [authorization, x-a]
rules:
  - path: /page
`
	grpcWeb := []string{"POST /test.Service/Fail HTTP/1.1", fromA, "Content-Type: application/grpc-web+proto", "Content-Length: 5"}
	connect := []string{"POST /test.Service/OK HTTP/1.1", fromA, "Content-Type: application/proto", "Connect-Protocol-Version: 1", "Content-Length: 0"}
	five := string(make([]byte, 5))
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc // nil is grpc-go
		lines   []string
		body    string
		status  int
		hits    int // of the handler
		header  map[string][]string
	}{
		{"a preflight has the whole grant", permissive,
			[]string{"OPTIONS /test.Service/OK HTTP/1.1", fromA, asksForPOST, "Access-Control-Request-Headers: authorization"}, "", 204, 0,
			map[string][]string{
				"Access-Control-Allow-Origin":      {"https://a.test"},
				"Access-Control-Allow-Credentials": {"true"},
				"Access-Control-Allow-Methods":     {"POST"},
			}},
		{"a refused call does not reach the upstream", permissive,
			[]string{"POST /test.Service/OK HTTP/1.1", fromEvil, "Content-Type: text/plain", "Content-Length: 0"}, "", 403, 0,
			map[string][]string{"Access-Control-Allow-Origin": nil, "Cache-Control": {"no-store"}}},
		{"a refused call in gRPC-Web has a grpc-status", permissive,
			[]string{"POST /test.Service/OK HTTP/1.1", fromEvil, "Content-Type: application/grpc-web", "Content-Length: 0"}, "", 403, 0,
			map[string][]string{"Grpc-Status": {"7"}}},
		{"a write of another site without Origin does not either", permissive,
			[]string{"POST /test.Service/OK HTTP/1.1", "Sec-Fetch-Site: cross-site", "Content-Length: 0"}, "", 403, 0, nil},
		{"two Origin lines are refused", permissive,
			[]string{"POST /test.Service/OK HTTP/1.1", fromA, fromA, "Content-Length: 0"}, "", 403, 0, nil},
		{"the upstream's own fields are overwritten, its Vary stays", permissive,
			[]string{"GET /page HTTP/1.1", fromA}, "", 200, 1,
			map[string][]string{
				"Access-Control-Allow-Origin": {"https://a.test"},
				"Vary":                        {"Accept,Accept-Encoding,Origin, Sec-Fetch-Site, Sec-Fetch-Mode"},
			}},
		{"answers to others have both values of Vary", permissive,
			[]string{"GET /page HTTP/1.1"}, "", 200, 1,
			map[string][]string{"Vary": {"Accept,Accept-Encoding,Origin, Sec-Fetch-Site, Sec-Fetch-Mode"}}},
		{"gRPC-Web, trailers only", nil, grpcWeb, five, 200, 0,
			map[string][]string{"Access-Control-Expose-Headers": {"grpc-message, grpc-status, grpc-status-details-bin, x-cost"}}},
		{"Connect by the bridge", nil, connect, "", 200, 0,
			map[string][]string{"Access-Control-Expose-Headers": {"trailer-x-cost, x-id"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			u := serveGRPC
			if test.handler != nil {
				u = func(t *testing.T) *upstream { return serveUpstream(t, test.handler) }
			}
			server := u(t)
			e := envoy.Start(t, envoy.Config{
				Upstream:      server.addr,
				Processor:     &envoy.Processor{Socket: serveLayer(t, policy), AllowOverride: true},
				GRPCWeb:       true,
				ConnectBridge: true,
			}.YAML(t))
			resp := sendBody(t, e.Addr(envoy.Listener), test.body, test.lines...)
			if resp.status != test.status || server.hits() != test.hits {
				t.Errorf("status %d with %d hits, want %d with %d: %v", resp.status, server.hits(), test.status, test.hits, resp.header)
			}
			for name, values := range test.header {
				if got := resp.header.Values(name); !slices.Equal(got, values) {
					t.Errorf("%s is %q, want %q", name, got, values)
				}
			}
		})
	}
}
