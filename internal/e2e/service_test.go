package e2e

import (
	"net/http"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsgrpc"
	"github.com/corsrpc/corsrpc-go/examples/showcase/service"
)

// implementation is the showcase service on one server library.
type implementation struct {
	name    string
	version int // the version of connect-go; 0 for grpc-go
	handler func() http.Handler
	// translated is true if the server gets gRPC for gRPC-Web: connect-go v1 then sends the metadata of an error as trailers.
	translated bool
	// escaped is true if the server writes spaces of an error's message as %20. gRPC allows that, and protobuf-ts does not decode it.
	escaped bool
	// bridged is true if the server gets gRPC for Connect, from Envoy's connect_grpc_bridge.
	bridged bool
	// differences are what a script reads otherwise than behind the layer, because of a proxy's own nature.
	differences []difference
}

// A difference of cells has a reason outside of the layer.
type difference struct {
	reason string
	of     func(cell) bool
	change func(c cell, want *seen)
}

// differing returns what the script is expected to read of a cell. A difference that changes nothing fails the test.
func (i implementation) differing(t *testing.T, c cell, want seen) seen {
	t.Helper()
	for _, d := range i.differences {
		if !d.of(c) {
			continue
		}
		before := want
		if d.change(c, &want); want == before {
			t.Errorf("the listed difference is none: %s", d.reason)
		}
	}
	return want
}

// speaks reports whether the server supports a transport, in its default format or in the other one.
func (i implementation) speaks(transport string, otherFormat bool) bool {
	switch transport {
	case overConnect:
		return i.version != 0
	case overGRPCWeb:
		return i.version != 0 && !i.bridged || !otherFormat // grpc-go does not support JSON
	case withNiceGRPCWeb:
		return !otherFormat
	}
	return true
}

// connectImplementations are the implementations with Connect and gRPC-Web.
var connectImplementations = []implementation{
	{name: "connect v1", version: 1, handler: showcaseV1},
	{name: "connect v2", version: 2, handler: service.NewConnectV2},
}

// implementations are all implementations. corsgrpc adds gRPC-Web to grpc-go, and the text mode to connect-go.
var implementations = []implementation{
	{name: "connect v1", version: 1, handler: func() http.Handler { return corsgrpc.Text(showcaseV1()) }},
	{name: "connect v2", version: 2, handler: func() http.Handler { return corsgrpc.Text(service.NewConnectV2()) }},
	{name: "grpc-go", handler: showcaseGRPC},
}

func showcaseV1() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(service.NewConnectV1())
	return mux
}

func showcaseGRPC() http.Handler {
	return corsgrpc.Text(corsgrpc.Handler(service.NewGRPC()))
}
