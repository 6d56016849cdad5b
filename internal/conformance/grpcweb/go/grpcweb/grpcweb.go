// Package grpcweb replaces the gRPC-Web middleware of the conformance suite's grpc-go server.
// It has the names that the server uses, and is implemented by corsgrpc and a corsrpc layer.
package grpcweb

import (
	"net/http"

	"github.com/rs/cors"
	"google.golang.org/grpc"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsgrpc"
)

// Option is an option that the server sets. It has no effect.
type Option struct{}

// WithOriginFunc returns an option without effect.
func WithOriginFunc(func(string) bool) Option { return Option{} }

// WrapServer returns a handler that adds gRPC-Web to the server.
func WrapServer(server *grpc.Server, _ ...Option) http.Handler {
	return cors.New(cors.Options{}).Handler(corsgrpc.Handler(server))
}
