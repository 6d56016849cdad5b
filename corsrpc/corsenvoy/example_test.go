package corsenvoy_test

import (
	"log"
	"net"

	"google.golang.org/grpc"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsenvoy"
)

// This program is the external processor for one policy.
func Example() {
	layer, err := corsrpc.Load("cors.yaml")
	if err != nil {
		log.Fatal(err)
	}
	processor, err := corsenvoy.New(layer)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("unix", "extproc.sock")
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	processor.Register(server)
	log.Fatal(server.Serve(listener))
}
