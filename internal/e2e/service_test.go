package e2e

import (
	"net/http"

	"github.com/corsrpc/corsrpc-go/examples/showcase/service"
)

// implementation is a server library that the showcase service runs on.
type implementation struct {
	name    string
	version int // of connect-go
	handler func() http.Handler
}

var implementations = []implementation{
	{"connect v1", 1, showcaseV1},
	{"connect v2", 2, service.NewConnectV2},
}

func showcaseV1() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(service.NewConnectV1())
	return mux
}
