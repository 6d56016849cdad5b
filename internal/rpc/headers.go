// Package rpc describes the RPC protocols of browser clients: their headers, in one table from
// which all lists are derived, their content types, Connect's calls by GET, the headers of
// tracing clients, and the operational services of servers. Everything in it is read-only and safe for concurrent
// use.
package rpc

import "strings"

// Protocols is a set of protocols.
type Protocols uint8

// The protocols of browser clients.
const (
	Connect Protocols = 1 << iota // https://connectrpc.com/docs/protocol
	GRPCWeb                       // https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
)

// Direction is whether a header is part of a request or of a response.
type Direction uint8

// The two directions.
const (
	Request Direction = iota
	Response
)

// Header is one row of the table: one field name, or a family of names with a common prefix.
type Header struct {
	// Name is in lower case. If Prefix is true, it is the common prefix of the family.
	Name      string
	Prefix    bool
	Protocols Protocols
	Direction Direction
	// SentBy describes the senders of the header, and when they send it.
	SentBy string
	// Spec is the URL of the header's specification.
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

// Table holds the headers of the protocols, in the order of the lists that are derived from it. It does
// not contain headers that a script cannot set, such as Accept-Encoding and TE.
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

// TrailerPrefix is the prefix of the response headers that carry the trailers of a Connect
// unary call.
const TrailerPrefix = "trailer-"

// Names returns the names of the single headers that the protocols use in a direction, in the
// order of the table.
func Names(p Protocols, d Direction) []string {
	var names []string
	for _, h := range Table {
		if !h.Prefix && h.Direction == d && h.Protocols&p != 0 {
			names = append(names, h.Name)
		}
	}
	return names
}

// InFamily reports whether a request header with this lower-case name belongs to the family of
// one of the protocols, so that a client newer than this table may send it. It returns false
// for names in a family that carry the application's metadata, or that a proxy converts into
// metadata.
func InFamily(p Protocols, lower string) bool {
	for _, h := range Table {
		if h.Prefix && h.Direction == Request && h.Protocols&p != 0 && strings.HasPrefix(lower, h.Name) {
			return !carriesMetadata(lower)
		}
	}
	return false
}

// GatewayPrefix is the prefix of request headers that grpc-gateway converts into metadata of
// any name, including authorization.
const GatewayPrefix = "grpc-metadata-"

// carriesMetadata reports whether a header of gRPC's family carries metadata of the application.
func carriesMetadata(lower string) bool {
	switch lower {
	case "grpc-trace-bin", "grpc-tags-bin":
		return true
	}
	return strings.HasPrefix(lower, GatewayPrefix)
}
