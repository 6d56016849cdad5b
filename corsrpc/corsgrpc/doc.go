// Package corsgrpc makes gRPC servers callable from browsers.
//
// A script in a browser cannot make gRPC calls, since it can neither send
// "TE: trailers" nor read HTTP trailers. Browser clients use gRPC-Web, which
// carries the trailers in the body. [Handler] adds gRPC-Web to any gRPC handler,
// such as a *grpc.Server. [Text] adds the base64 mode of gRPC-Web, which the
// official client uses by default, to any gRPC-Web handler. Neither decides
// which pages may call: wrap both in a corsrpc.Layer for that.
//
//	layer.Wrap(corsgrpc.Text(corsgrpc.Handler(grpcServer)))
//
// The package does not depend on google.golang.org/grpc.
//
// See https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md and
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
package corsgrpc
