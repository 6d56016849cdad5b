//go:build fleet

package e2e

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsgrpc"
	showcasev1 "github.com/corsrpc/corsrpc-go/examples/showcase/gen/showcase/v1"
	"github.com/corsrpc/corsrpc-go/examples/showcase/service"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
	"github.com/corsrpc/corsrpc-go/internal/fleet/envoy"
)

// An envoyServer is the showcase service as an upstream of Envoy.
type envoyServer struct {
	implementation
	upstream func(t *testing.T) string // starts the server over HTTP/2, and returns its address
}

// envoyServers are the upstreams of Envoy. In front of the one that speaks gRPC only, it has grpc_web and connect_grpc_bridge.
var envoyServers = []envoyServer{
	{upstream: func(t *testing.T) string { return serveHTTP2(t, corsgrpc.Text(showcaseV1())) },
		implementation: implementation{name: "connect v1", version: 1}},
	{upstream: func(t *testing.T) string { return serveHTTP2(t, corsgrpc.Text(service.NewConnectV2())) },
		implementation: implementation{name: "connect v2", version: 2}},
	{upstream: serveGRPC,
		implementation: implementation{name: "grpc-go", version: 2, translated: true, bridged: true, differences: bridgeDifferences}},
}

// bridgeDifferences are those of Connect by connect_grpc_bridge in front of grpc-go.
var bridgeDifferences = []difference{
	{
		reason: "the bridge declares JSON as Protobuf to the server, which cannot decode it",
		of:     func(c cell) bool { return c.transport == overConnect && !c.otherFormat && !c.neverSent },
		change: func(_ cell, want *seen) {
			err := proto.Unmarshal([]byte("{}"), new(showcasev1.SilenceRequest))
			// Protobuf's errors have a blank or a no-break space, by the build. The bridge leaves grpc-message escaped.
			message := strings.ReplaceAll(fmt.Sprintf("grpc: failed to unmarshal the received message: %v", err), "\u00a0", "%C2%A0")
			*want = seen{code: "Internal", message: message}
		},
	},
	{
		reason: "the bridge makes a POST of a GET",
		of:     func(c cell) bool { return c.get && c.otherFormat && c.err == nil },
		change: func(_ cell, want *seen) { want.messages = strings.ReplaceAll(want.messages, `"GET"`, `"POST"`) },
	},
	{
		reason: "the bridge does not pass on the details of an error",
		of: func(c cell) bool {
			return c.transport == overConnect && c.otherFormat && c.err != nil && !c.neverSent
		},
		change: func(_ cell, want *seen) { want.details = "" },
	},
}

// TestEnvoyMatrix makes every call of the table through a real Envoy whose external processor is `corsrpc extproc`, to each server:
// the same is asserted as behind the layer, except for the listed differences of Envoy's filters.
func TestEnvoyMatrix(t *testing.T) {
	tested := 0
	inGatewayEngines(t, func(t *testing.T, page *browser.Page) {
		setCookie(t, page)
		for _, server := range envoyServers {
			for _, credentials := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, credentials %t", server.name, credentials), func(t *testing.T) {
					tested += testCells(t, "TestEnvoyMatrix", page, server.implementation, credentials, server.behindEnvoy)
				})
			}
		}
	})
	t.Logf("result: %d cells through Envoy", tested)
}

// behindEnvoy reaches the server through Envoy.
func (s envoyServer) behindEnvoy(t *testing.T, origin, policy string) *api {
	t.Helper()
	return relayTo(t, startEnvoy(t, origin, policy, s.config(t)).Addr(envoy.Listener))
}

// config starts the server, and returns the configuration of Envoy in front of it.
func (s envoyServer) config(t *testing.T) envoy.Config {
	t.Helper()
	return envoy.Config{Upstream: s.upstream(t), GRPCWeb: s.bridged, ConnectBridge: s.bridged}
}

// startEnvoy starts Envoy with a processor that enforces a policy.
func startEnvoy(t *testing.T, origin, policy string, config envoy.Config) *envoy.Envoy {
	t.Helper()
	const socket = "envoy.sock"
	dir := policyFolder(t, origin, policy)
	startProgram(t, dir, "extproc", "--listen", "unix:"+socket, "--descriptors", "image.binpb")
	config.Processor = &envoy.Processor{Socket: filepath.Join(dir, socket), AllowOverride: true}
	return envoy.Start(t, config.YAML(t))
}

// serveGRPC serves the showcase with grpc-go, and returns its address.
func serveGRPC(t *testing.T) string {
	t.Helper()
	return serveWith(t, service.NewGRPC())
}

// serveWith serves with grpc-go's own HTTP/2 until the test ends, and returns the address.
func serveWith(t *testing.T, server *grpc.Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() {
		server.Stop()
		<-ended
	})
	return l.Addr().String()
}
