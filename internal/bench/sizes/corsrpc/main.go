// Corsrpc is a server with corsrpc.
package main

import (
	"log"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/bench/sizes"
)

func main() {
	layer, err := corsrpc.Load("cors.yaml")
	if err != nil {
		log.Fatal(err)
	}
	sizes.Serve(layer.Wrap(sizes.Handler()))
}
