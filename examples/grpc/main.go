// Grpc is a grpc-go server for programs and for browsers: one port serves gRPC,
// gRPC-Web and the text mode of gRPC-Web.
package main

import (
	"context"
	"flag"
	"log"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsgrpc"
	clockv1 "github.com/corsrpc/corsrpc-go/examples/grpc/gen/clock/v1"
)

// clock implements the service.
type clock struct {
	clockv1.UnimplementedClockServiceServer
}

func (clock) Now(context.Context, *clockv1.NowRequest) (*clockv1.NowResponse, error) {
	return &clockv1.NowResponse{Time: timestamppb.Now()}, nil
}

func (clock) Tick(_ *clockv1.TickRequest, stream grpc.ServerStreamingServer[clockv1.TickResponse]) error {
	for {
		if err := stream.Send(&clockv1.TickResponse{Time: timestamppb.Now()}); err != nil {
			return err
		}
		select {
		case <-time.After(time.Second):
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}

// newServer returns a server of the service, with gRPC-Web and with the CORS layer
// around both.
func newServer(addr, policy string) (*http.Server, error) {
	layer, err := corsrpc.Load(policy)
	if err != nil {
		return nil, err
	}
	server := grpc.NewServer()
	clockv1.RegisterClockServiceServer(server, clock{})
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true) // gRPC without TLS
	return &http.Server{
		Addr:              addr,
		Handler:           layer.Wrap(corsgrpc.Text(corsgrpc.Handler(server))),
		ReadHeaderTimeout: 10 * time.Second,
		Protocols:         protocols,
	}, nil
}

func main() {
	addr := flag.String("addr", "localhost:8080", "the address to listen on")
	policy := flag.String("policy", "grpc/cors.yaml", "the policy file")
	flag.Parse()
	server, err := newServer(*addr, *policy)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on http://%s", *addr)
	log.Fatal(server.ListenAndServe())
}
