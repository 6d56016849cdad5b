// Inspector is a server with corsrpc and its inspector.
package main

import (
	"log"
	"net/http"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
	"github.com/corsrpc/corsrpc-go/internal/bench/sizes"
)

func main() {
	inspector, err := corsinspect.New()
	if err != nil {
		log.Fatal(err)
	}
	layer, err := corsrpc.Load("cors.yaml", corsrpc.WithObserver(inspector))
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.ListenAndServe("localhost:8081", inspector)) }()
	sizes.Serve(layer.Wrap(sizes.Handler()))
}
