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
	MCP                           // https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
)

// OfProcedures are the protocols in which procedures are called. MCP is served on paths.
const OfProcedures = Connect | GRPCWeb

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
	mcp           = "https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http"
	mcpSessions   = "https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management"
	mcpResumption = "https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery"
	mcpRouting    = "https://modelcontextprotocol.io/seps/2243-http-standardization"
	mcpDiscovery  = "https://www.rfc-editor.org/rfc/rfc9728#section-5.1"
)

// Table holds the headers of the protocols, in the order of the lists that are derived from it. It does
// not contain headers that a script cannot set, such as Accept-Encoding and TE.
var Table = []Header{
	{"content-type", false, Connect | GRPCWeb | MCP, Request, "every client, on every POST", connectUnary},
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
	{"accept", false, MCP, Request, "every client; browsers ask for a long value", mcp},
	{"mcp-protocol-version", false, MCP, Request, "every client, on requests for discovery documents too", mcp},
	{"mcp-session-id", false, MCP, Request, "clients up to revision 2025-11-25, in a session", mcpSessions},
	{"last-event-id", false, MCP, Request, "clients up to revision 2025-11-25, after a cut stream", mcpResumption},
	{"mcp-method", false, MCP, Request, "clients from revision 2026-07-28 on", mcpRouting},
	{"mcp-name", false, MCP, Request, "clients from revision 2026-07-28 on, where a request names a tool, a resource or a prompt", mcpRouting},
	{"mcp-", true, MCP, Request, "clients from revision 2026-07-28 on (Mcp-Param-NAME, for arguments of tools), and newer ones", mcpRouting},

	{"grpc-status", false, GRPCWeb, Response, "servers, in answers without a body", grpcResponse},
	{"grpc-message", false, GRPCWeb, Response, "servers, in errors without a body", grpcResponse},
	{"grpc-status-details-bin", false, GRPCWeb, Response, "servers, in errors with details without a body", grpcResponse},
	{TrailerPrefix, true, Connect, Response, "servers, for the trailers of a unary call", connectAnswer},
	{"mcp-session-id", false, MCP, Response, "servers up to revision 2025-11-25, when a session begins", mcpSessions},
	{"mcp-protocol-version", false, MCP, Response, "servers that name the revision", mcp},
	{"www-authenticate", false, MCP, Response, "servers that need a token, with the place of the discovery document", mcpDiscovery},
	{"mcp-", true, MCP, Response, "servers newer than this table", mcp},
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

// InResponseFamily reports whether a response header with this lower-case name belongs to the family
// of one of the protocols, so that a server newer than this table may send it. The trailers of Connect
// are not such a family: they carry the application's metadata.
func InResponseFamily(p Protocols, lower string) bool {
	for _, h := range Table {
		if h.Prefix && h.Direction == Response && h.Protocols&p != 0 && h.Name != TrailerPrefix && strings.HasPrefix(lower, h.Name) {
			return true
		}
	}
	return false
}

// HasResponseFamily reports whether InResponseFamily is true for some names.
func HasResponseFamily(p Protocols) bool { return p&MCP != 0 }

// Needs reports whether a header with this lower-case name is one that the protocols use in a
// direction, by its name or by its family.
func Needs(p Protocols, d Direction, lower string) bool {
	if d == Request && InFamily(p, lower) || d == Response && InResponseFamily(p, lower) {
		return true
	}
	for _, h := range Table {
		if !h.Prefix && h.Direction == d && h.Protocols&p != 0 && h.Name == lower {
			return true
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
