package rpc

import (
	"encoding/base64"
	"strings"
)

// CallHeader returns the header that web clients of a protocol send with each unary call by POST,
// with metadata or without: names and values, alternately. It is empty for any other value than one
// protocol.
func CallHeader(p Protocols) []string {
	switch p {
	case Connect:
		return []string{"Content-Type", "application/json", "Connect-Protocol-Version", "1"}
	case GRPCWeb:
		return []string{"Content-Type", "application/grpc-web+proto", "X-Grpc-Web", "1"}
	case MCP:
		return []string{"Content-Type", "application/json", "Accept", "application/json, text/event-stream", "Mcp-Protocol-Version", "2025-11-25"}
	}
	return nil
}

// PingOfMCP is the body of the smallest call of MCP: a request of JSON-RPC without arguments. See
// https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/ping.
const PingOfMCP = `{"jsonrpc":"2.0","id":1,"method":"ping"}`

// GetCallQuery is the query of a unary Connect call by GET with an empty message. See
// https://connectrpc.com/docs/protocol#unary-get-request.
const GetCallQuery = "connect=v1&encoding=json&message=%7B%7D"

// EmptyMessage returns the body of a call with an empty message, for the Content-Type of the call.
func EmptyMessage(contentType string) string {
	essence := essenceOf(contentType)
	message := ""
	if strings.HasSuffix(essence, "json") {
		message = "{}"
	}
	switch {
	case strings.HasPrefix(essence, "application/grpc-web-text"):
		return base64.StdEncoding.EncodeToString([]byte(envelope(0, message)))
	case strings.HasPrefix(essence, "application/grpc"), IsConnectStream(contentType):
		return envelope(0, message)
	}
	return message
}
