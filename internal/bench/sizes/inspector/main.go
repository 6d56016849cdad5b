// Inspector is a server with corsrpc and its inspector.
package main

import (
	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
	"github.com/corsrpc/corsrpc-go/internal/bench/sizes"
)

func main() {
	inspector := sizes.Must(corsinspect.New())
	layer := sizes.Must(corsrpc.Load("cors.yaml", corsrpc.WithObserver(inspector)))
	go sizes.Serve("8081", inspector)
	sizes.Serve("8080", layer.Wrap(sizes.Handler()))
}
