// Package corsgrpc makes gRPC servers callable from browsers.
//
// Browsers cannot speak gRPC: no script can send "TE: trailers" or read HTTP
// trailers. They speak gRPC-Web, which carries the trailers in the body.
// [Handler] puts gRPC-Web in front of any gRPC handler; a *grpc.Server is
// one. [Text] puts the base64 mode of gRPC-Web, which the official client
// uses by default, in front of any gRPC-Web handler. Neither decides who may
// call: that is the layer's, around both.
//
//	layer.Wrap(corsgrpc.Text(corsgrpc.Handler(grpcServer)))
//
// The package does not depend on google.golang.org/grpc.
//
// See https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md and
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
package corsgrpc
