package rpc

import (
	"encoding/binary"
	"strings"
)

// Format is the format in which a client can read an error.
type Format uint8

// The formats.
const (
	FormatText    Format = iota // for clients of no RPC protocol
	FormatConnect               // a JSON error object
	FormatGRPC                  // Grpc-Status and Grpc-Message in the header
)

// FormatOf returns the format of an error for a request to a procedure, by the request's method
// and Content-Type. A GET is a call by Connect.
//
// See https://connectrpc.com/docs/protocol#error-end-stream and
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md.
func FormatOf(method, contentType string) Format {
	if method == "GET" {
		return FormatConnect
	}
	switch {
	case contentType == "application/proto", contentType == "application/json":
		return FormatConnect // the most frequent values
	case len(contentType) > 128:
		return FormatText
	}
	essence := essenceOf(contentType)
	sub, ok := strings.CutPrefix(essence, "application/")
	switch {
	case !ok:
		return FormatText
	case sub == "grpc", strings.HasPrefix(sub, "grpc+"), isGRPCWebSubtype(sub):
		return FormatGRPC
	case sub == "json", sub == "proto", strings.HasPrefix(sub, "connect+"):
		return FormatConnect
	}
	return FormatText
}

// IsGRPCWeb reports whether a Content-Type is that of gRPC-Web, binary or text, with any message
// format. It allocates nothing unless the value has upper case.
//
// See https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md.
func IsGRPCWeb(contentType string) bool {
	switch {
	case contentType == "application/json", contentType == "application/proto":
		return false // the most frequent values
	case len(contentType) > 128:
		return false
	}
	sub, ok := strings.CutPrefix(essenceOf(contentType), "application/")
	return ok && isGRPCWebSubtype(sub)
}

// IsConnectStream reports whether a Content-Type is that of a Connect stream.
//
// See https://connectrpc.com/docs/protocol#streaming-request.
func IsConnectStream(contentType string) bool {
	return len(contentType) <= 128 && strings.HasPrefix(essenceOf(contentType), "application/connect+")
}

// EndStream is the flag of the envelope that ends a Connect stream.
//
// See https://connectrpc.com/docs/protocol#streaming-response.
const EndStream = 2

// ConnectEndStream returns the body of a response to a Connect stream that consists of its last
// message only: an uncompressed envelope with the JSON text of an EndStreamResponse.
//
// See https://connectrpc.com/docs/protocol#error-end-stream.
func ConnectEndStream(text string) string {
	return envelope(EndStream, text)
}

// envelope returns a message of a stream after its flags and its length.
func envelope(flags byte, message string) string {
	return string(binary.BigEndian.AppendUint32([]byte{flags}, uint32(len(message)))) + message
}

// MayStream reports whether a call with this Content-Type may be a stream. The Content-Type of a
// Connect call says whether it is one; that of a gRPC-Web or gRPC call does not.
func MayStream(contentType string) bool {
	return IsConnectStream(contentType) || FormatOf("POST", contentType) == FormatGRPC
}

// isGRPCWebSubtype reports whether a lower-case subtype of application is grpc-web or
// grpc-web-text, with or without a message format such as +proto.
func isGRPCWebSubtype(sub string) bool {
	format, ok := strings.CutPrefix(sub, "grpc-web")
	format = strings.TrimPrefix(format, "-text")
	return ok && (format == "" || format[0] == '+')
}

// essenceOf returns a media type in lower case, without its parameters.
func essenceOf(contentType string) string {
	essence, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(essence))
}

// IsForm reports whether a request with this Content-Type is the submission of an HTML form:
// the header has one line, with one of the two types that identity providers use for form
// posts. No RPC protocol uses these types.
//
// See https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#attr-fs-enctype.
func IsForm(contentType []string) bool {
	if len(contentType) != 1 || len(contentType[0]) > 256 {
		return false
	}
	essence := essenceOf(contentType[0])
	return essence == "application/x-www-form-urlencoded" || essence == "multipart/form-data"
}
