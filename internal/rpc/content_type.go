package rpc

import "strings"

// Format is how an error is written so that the client that called can read
// it.
type Format uint8

// The formats.
const (
	FormatText    Format = iota // none of the protocols
	FormatConnect               // a JSON error object
	FormatGRPC                  // Grpc-Status and Grpc-Message in the headers
)

// FormatOf returns the format of an error that answers a request to a
// procedure with this method and Content-Type. A GET is Connect's.
//
// See https://connectrpc.com/docs/protocol#error-end-stream and
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md.
func FormatOf(method, contentType string) Format {
	if method == "GET" {
		return FormatConnect
	}
	switch {
	case contentType == "application/proto", contentType == "application/json":
		return FormatConnect // as most say it
	case len(contentType) > 128:
		return FormatText
	}
	essence, _, _ := strings.Cut(contentType, ";")
	essence = strings.ToLower(strings.TrimSpace(essence))
	sub, ok := strings.CutPrefix(essence, "application/")
	switch {
	case !ok:
		return FormatText
	case sub == "grpc", strings.HasPrefix(sub, "grpc+"), strings.HasPrefix(sub, "grpc-web"):
		return FormatGRPC
	case sub == "json", sub == "proto", strings.HasPrefix(sub, "connect+"):
		return FormatConnect
	}
	return FormatText
}
