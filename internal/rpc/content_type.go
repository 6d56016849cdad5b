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
	essence := essenceOf(contentType)
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

// essenceOf returns a media type without its parameters, in lower case.
func essenceOf(contentType string) string {
	essence, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(essence))
}

// IsForm reports whether the lines of Content-Type are those of a form that navigates: one
// line, of one of the two types that identity providers post. No RPC protocol has them.
//
// See https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#attr-fs-enctype.
func IsForm(contentType []string) bool {
	if len(contentType) != 1 || len(contentType[0]) > 256 {
		return false
	}
	essence := essenceOf(contentType[0])
	return essence == "application/x-www-form-urlencoded" || essence == "multipart/form-data"
}
