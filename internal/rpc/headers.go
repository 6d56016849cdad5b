// Package rpc says which headers the RPC protocols of browsers use: one
// table, from which every list is computed. Everything in it is read-only and
// safe for concurrent use.
package rpc

import "strings"

// Protocols is a set of protocols.
type Protocols uint8

// The protocols that browser clients speak.
const (
	Connect Protocols = 1 << iota // https://connectrpc.com/docs/protocol
	GRPCWeb                       // https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
)

// Direction is the way a header goes.
type Direction uint8

// The two directions.
const (
	Request Direction = iota
	Response
)

// Header is one row: a header, or a family of headers, of some protocols.
type Header struct {
	// Name is in lower case; where Prefix is set, what the names begin with.
	Name      string
	Prefix    bool
	Protocols Protocols
	Direction Direction
	// SentBy says who sends it, and when.
	SentBy string
	// Spec says where it is specified.
	Spec string
}

const (
	connectUnary  = "https://connectrpc.com/docs/protocol#unary-request"
	connectStream = "https://connectrpc.com/docs/protocol#streaming-request"
	connectAnswer = "https://connectrpc.com/docs/protocol#unary-response"
	grpcRequest   = "https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests"
	grpcResponse  = "https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses"
	grpcWeb       = "https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md"
)

// Table is every row, in the order in which lists name the headers. Headers
// that a script cannot set (Accept-Encoding, TE) have none.
var Table = []Header{
	{"content-type", false, Connect | GRPCWeb, Request, "every client, on every POST", connectUnary},
	{"connect-protocol-version", false, Connect, Request, "connect-web, on every POST", connectUnary},
	{"connect-timeout-ms", false, Connect, Request, "connect-web, where a timeout is set", connectUnary},
	{"connect-content-encoding", false, Connect, Request, "clients that compress streams", connectStream},
	{"connect-accept-encoding", false, Connect, Request, "clients that accept compressed streams", connectStream},
	{"content-encoding", false, Connect, Request, "clients that compress unary requests", connectUnary},
	{"x-grpc-web", false, GRPCWeb, Request, "every gRPC-Web client", grpcWeb},
	{"x-user-agent", false, GRPCWeb, Request, "connect-web, grpc-web", grpcWeb},
	{"grpc-timeout", false, GRPCWeb, Request, "connect-web, grpc-web, protobuf-ts, where a timeout is set", grpcRequest},
	{"grpc-encoding", false, GRPCWeb, Request, "clients that compress", grpcRequest},
	{"grpc-accept-encoding", false, GRPCWeb, Request, "clients that accept compression", grpcRequest},
	{"grpc-message-type", false, GRPCWeb, Request, "clients that name the message", grpcRequest},
	{"user-agent", false, Connect | GRPCWeb, Request, "connect-web before 1.1.4; Firefox and WebKit then ask for it", connectUnary},
	{"connect-", true, Connect, Request, "clients newer than this table", connectUnary},
	{"grpc-", true, GRPCWeb, Request, "clients newer than this table", grpcRequest},

	{"grpc-status", false, GRPCWeb, Response, "servers, in answers without a body", grpcResponse},
	{"grpc-message", false, GRPCWeb, Response, "servers, in errors without a body", grpcResponse},
	{"grpc-status-details-bin", false, GRPCWeb, Response, "servers, in errors with details without a body", grpcResponse},
	{TrailerPrefix, true, Connect, Response, "servers, for the trailers of a unary call", connectAnswer},
}

// TrailerPrefix begins the response headers that carry the trailers of a
// Connect unary call.
const TrailerPrefix = "trailer-"

// Names returns the exact names that the protocols use in the direction, in
// the table's order.
func Names(p Protocols, d Direction) []string {
	var names []string
	for _, h := range Table {
		if !h.Prefix && h.Direction == d && h.Protocols&p != 0 {
			names = append(names, h.Name)
		}
	}
	return names
}

// InFamily reports whether a request header of this lower-case name belongs
// to one of the protocols' own families, so that a client newer than this
// table may send it. Names inside a family that carry the application's
// metadata, or that a proxy turns into metadata, are no part of it.
func InFamily(p Protocols, lower string) bool {
	for _, h := range Table {
		if h.Prefix && h.Direction == Request && h.Protocols&p != 0 && strings.HasPrefix(lower, h.Name) {
			return !carriesMetadata(lower)
		}
	}
	return false
}

// GatewayPrefix begins headers that grpc-gateway turns into any metadata,
// authorization too.
const GatewayPrefix = "grpc-metadata-"

func carriesMetadata(lower string) bool {
	switch lower {
	case "grpc-trace-bin", "grpc-tags-bin":
		return true
	}
	return strings.HasPrefix(lower, GatewayPrefix)
}
