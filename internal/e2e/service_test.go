package e2e

import (
	"net/http"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsgrpc"
	"github.com/corsrpc/corsrpc-go/examples/showcase/service"
)

// implementation is a server library that the showcase service runs on.
type implementation struct {
	name    string
	version int // of connect-go
	handler func() http.Handler
}

// speaks tells whether the server understands a transport in its usual format or in the other one.
func (i implementation) speaks(transport string, otherFormat bool) bool {
	switch transport {
	case overConnect:
		return i.version != 0
	case overGRPCWeb:
		return i.version != 0 || !otherFormat // grpc-go has no JSON
	case withNiceGRPCWeb:
		return !otherFormat
	}
	return true
}

// connectImplementations speak Connect and gRPC-Web.
var connectImplementations = []implementation{
	{"connect v1", 1, showcaseV1},
	{"connect v2", 2, service.NewConnectV2},
}

// implementations are those, and what corsgrpc makes of grpc-go. In front of
// connect-go it adds the text mode.
var implementations = []implementation{
	{"connect v1", 1, func() http.Handler { return corsgrpc.Text(showcaseV1()) }},
	{"connect v2", 2, func() http.Handler { return corsgrpc.Text(service.NewConnectV2()) }},
	{"grpc-go", 0, showcaseGRPC},
}

func showcaseV1() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(service.NewConnectV1())
	return mux
}

func showcaseGRPC() http.Handler {
	return corsgrpc.Text(corsgrpc.Handler(service.NewGRPC()))
}
