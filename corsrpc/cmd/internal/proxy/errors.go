package proxy

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// WriteError answers a request with an error of the gateway, in the protocol of the call, so that the
// clients of a page show it. The forms are Connect's JSON, a stream of Connect that ends with the error, the
// status of gRPC and gRPC-Web, and plain text.
//
// See https://connectrpc.com/docs/protocol#error-codes.
func WriteError(w http.ResponseWriter, r *http.Request, status int, message string) {
	code := codeOf(status)
	contentType := strings.Join(r.Header["Content-Type"], ",")
	h := w.Header()
	h.Del("Content-Length")
	h.Set("Cache-Control", "no-store")
	format := rpc.FormatOf(r.Method, contentType)
	if r.Method == http.MethodGet && !rpc.IsGetCall(r.URL.RawQuery) {
		format = rpc.FormatText
	}
	switch {
	case format == rpc.FormatGRPC && status == http.StatusBadRequest:
		// In trailers, which corsgrpc replaces by its own reason for a malformed request.
		h.Set("Content-Type", contentType)
		h.Set(http.TrailerPrefix+"Grpc-Status", code.number)
		h.Set(http.TrailerPrefix+"Grpc-Message", percentEncoded(message))
		w.WriteHeader(http.StatusOK)
	case format == rpc.FormatGRPC:
		h.Set("Content-Type", contentType)
		h.Set("Grpc-Status", code.number)
		h.Set("Grpc-Message", percentEncoded(message))
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush() // the header is the whole response
	case format == rpc.FormatConnect && rpc.IsConnectStream(contentType):
		h.Set("Content-Type", contentType)
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write([]byte(code.connectEnd(message)))
	case format == rpc.FormatConnect:
		h.Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(code.json(message))
	default:
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("X-Content-Type-Options", "nosniff")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(message + "\n"))
	}
}

// code is a status code of gRPC and Connect.
type code struct{ name, number string }

// json returns the error with a message as Connect has it.
func (c code) json(message string) []byte {
	text, _ := json.Marshal(map[string]string{"code": c.name, "message": message}) // strings only: no error
	return text
}

// connectEnd returns the last message of a Connect stream that ends with an error.
func (c code) connectEnd(message string) string {
	return rpc.ConnectEndStream(`{"error":` + string(c.json(message)) + `}`)
}

// codeOf returns the code of an HTTP status of the gateway.
func codeOf(status int) code {
	switch status {
	case http.StatusNotFound, http.StatusUnsupportedMediaType:
		return code{"unimplemented", "12"}
	case http.StatusRequestEntityTooLarge:
		return code{"resource_exhausted", "8"}
	case http.StatusGatewayTimeout:
		return code{"deadline_exceeded", "4"}
	case http.StatusBadRequest:
		return code{"internal", "13"}
	}
	return code{"unavailable", "14"}
}

// percentEncoded returns a message as a value of grpc-message.
//
// See https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses.
func percentEncoded(message string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(message) {
		if c := message[i]; c >= ' ' && c <= '~' && c != '%' {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}
