// Corsrpc is a server with corsrpc.
package main

import (
	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/bench/sizes"
)

func main() {
	layer := sizes.Must(corsrpc.Load("cors.yaml"))
	sizes.Serve("8080", layer.Wrap(sizes.Handler()))
}
