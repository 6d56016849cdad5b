package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// endCall makes a call end when its response ends, and a gRPC response end with a status.
func (p *forwarder) endCall(response *http.Response) error {
	if body, ok := response.Request.Context().Value(requestBodyKey{}).(*requestBody); ok && response.StatusCode != http.StatusSwitchingProtocols {
		response.Body = &lastBody{response.Body, body.end}
	}
	return p.endWithStatus(response)
}

// lastBody is the body of a response. Its end ends the call, though the client may still be sending: net/http's
// Close waits for the client otherwise, and httputil.ReverseProxy sends the trailers only after it.
type lastBody struct {
	io.ReadCloser
	end context.CancelCauseFunc
}

func (b *lastBody) Close() error {
	b.end(nil)
	return b.ReadCloser.Close()
}

// endWithStatus makes a response to a gRPC call or a Connect stream whose connection breaks end with a status, so
// that clients, those of gRPC-Web in a page too, report an error of the call instead of a network error. A message
// that is cut stays cut, which clients notice.
func (p *forwarder) endWithStatus(response *http.Response) error {
	contentType := response.Header.Get("Content-Type")
	switch {
	case response.StatusCode != http.StatusOK:
	case rpc.IsConnectStream(contentType) && response.ContentLength < 0 && response.Header.Get("Content-Encoding") == "":
		response.Body = &connectStream{ReadCloser: response.Body, response: response, upstream: p.upstream}
	case rpc.FormatOf(http.MethodPost, contentType) == rpc.FormatGRPC && !rpc.IsGRPCWeb(contentType):
		response.Body = &statusBody{response.Body, response, p.upstream}
	}
	return nil
}

// broken logs that the connection of a response broke, and returns the code and the message for the client; false if
// the client is gone.
func (u *Upstream) broken(r *http.Request, err error) (c code, message string, ok bool) {
	status, message := statusOf(r.Context(), err)
	if status == 0 {
		return code{}, "", false
	}
	if status == http.StatusBadGateway {
		message = "broke the connection before the response was complete"
	}
	u.log.LogAttrs(r.Context(), levelOf(status), "a response broke", u.attributes(r, status, err)...)
	return codeOf(status), u.sentence(message), true
}

// statusBody is the body of a gRPC response. A read that fails ends the body, and adds a status to the
// trailers.
type statusBody struct {
	io.ReadCloser
	response *http.Response
	upstream *Upstream
}

func (b *statusBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	c, message, ok := b.upstream.broken(b.response.Request, err)
	if !ok {
		return n, err
	}
	b.response.Trailer = http.Header{"Grpc-Status": {c.number}, "Grpc-Message": {percentEncoded(message)}}
	return n, io.EOF
}

// sentence says of the upstream what a message says, for clients. It names the upstream and not its address.
func (u *Upstream) sentence(message string) string { return "the upstream " + u.name + " " + message }
