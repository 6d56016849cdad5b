// Package grpcweb stands in for what makes the conformance suite's grpc-go
// server speak gRPC-Web: it has the names that the server uses, and is
// corsgrpc behind a corsrpc layer.
package grpcweb

import (
	"net/http"

	"github.com/rs/cors"
	"google.golang.org/grpc"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsgrpc"
)

// Option is what the server asks for. The layer needs none of it.
type Option struct{}

// WithOriginFunc returns an option without effect.
func WithOriginFunc(func(string) bool) Option { return Option{} }

// WrapServer makes the server speak gRPC-Web.
func WrapServer(server *grpc.Server, _ ...Option) http.Handler {
	return cors.New(cors.Options{}).Handler(corsgrpc.Handler(server))
}
