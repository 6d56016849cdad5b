package corsgrpc

import (
	"net/http"
	"net/url"
	"strings"
)

// Handler returns a handler that translates gRPC-Web requests
// (application/grpc-web, also with "+" and a message format) to gRPC requests over
// HTTP/2 for h, and h's gRPC responses to gRPC-Web. h can be a *grpc.Server, or an
// httputil.ReverseProxy to a gRPC server in any language.
//
// Unary calls and server streams work from browsers, with metadata, error details,
// deadlines, cancellation, compressed messages and h's own limits. Responses
// stream over HTTP/1.1 and HTTP/2: the handler does not buffer messages. The
// trailers of h become the trailer frame, with names in lower case; a status that
// h sends in the headers stays there. A response of h that is not gRPC, such as a
// 404 or a proxy's 502, is not changed.
//
// gRPC requests (application/grpc) are passed to h unchanged, so that one port can
// serve both protocols. Of the other requests, those with a method other than POST
// get the status 405, and those with another Content-Type the status 415. A page
// can send them without a preflight, for instance with a form, or with
// suppressCorsPreflight of grpc-web, which puts the metadata into a query
// parameter.
//
// A browser does not read the response over HTTP/1.1 before it has sent its whole
// request. If h returns before that, for instance because a message is too large,
// the handler reads and discards up to 32 MiB of the rest, as long as the client
// keeps sending. ReadTimeout of http.Server bounds the time.
//
// Only h bounds the number of messages in a request, and grpc-go reads messages
// into memory ahead of its handler. If clients are not trusted, bound the size of
// the whole request with http.MaxBytesHandler around this handler: a larger request
// fails with RESOURCE_EXHAUSTED.
//
// A request or a response that is not a sequence of gRPC messages fails with the
// status INTERNAL. If no status can be sent any more, the handler breaks the
// connection, so that a client cannot mistake a cut response for a complete one.
//
// gRPC servers need http.Flusher: a middleware around this handler must not hide
// it, as http.TimeoutHandler does. grpc-go then answers every call with status 500.
// The handler is safe for concurrent use if h is.
//
// See https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md.
func Handler(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, native := suffix(r.Header, typeGRPC); native {
			h.ServeHTTP(w, r)
			return
		}
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "gRPC-Web requires the method POST", http.StatusMethodNotAllowed)
			return
		}
		format, ok := suffix(r.Header, typeWeb)
		if !ok {
			w.Header().Set("Accept-Post", acceptPost)
			http.Error(w, unsupported, http.StatusUnsupportedMediaType)
			return
		}
		body := newRequestBody(r)
		defer body.Close()
		answer := &webWriter{ResponseWriter: w, request: body}
		if r.ProtoMajor < 2 {
			// By default, net/http reads the whole request before it sends the
			// response. A writer without EnableFullDuplex only delays the response to a
			// request that is still being sent.
			answer.early = http.NewResponseController(w).EnableFullDuplex() == nil
		}
		h.ServeHTTP(answer.forHandler(), grpcRequest(r, format, body))
		answer.finish() // not deferred: after a panic the response must not look complete
		if body.incomplete() {
			_ = answer.flush()
			_ = body.Close()
			body.drain()
		}
	})
}

const (
	acceptPost  = typeGRPC + ", " + typeGRPC + "+proto, " + typeWeb + ", " + typeWeb + "+proto"
	unsupported = "gRPC-Web requires the Content-Type " + typeWeb + " or " + typeWeb +
		"+proto (with grpc-web clients, do not set suppressCorsPreflight; for the text format, wrap the handler in corsgrpc.Text)"
)

// grpcRequest returns the gRPC-Web request translated to gRPC over HTTP/2.
func grpcRequest(r *http.Request, format string, body *requestBody) *http.Request {
	call := withoutQuery(r)
	call.Proto, call.ProtoMajor, call.ProtoMinor = "HTTP/2.0", 2, 0
	call.Body = body
	call.TransferEncoding = nil
	call.Trailer = nil // gRPC requests have no trailers, and net/http would fill the map while h reads it
	call.Header = r.Header.Clone()
	// Connection-specific fields are not allowed in HTTP/2 (RFC 9113, section 8.2.2).
	for _, line := range call.Header["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			call.Header.Del(strings.Trim(name, " \t"))
		}
	}
	for _, name := range []string{"Connection", "Proxy-Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade"} {
		call.Header.Del(name)
	}
	call.Header.Set("Content-Type", typeGRPC+format)
	call.Header.Set("Te", "trailers")
	return call
}

// withoutQuery returns a copy of the request without its query. gRPC does not use a
// query, and grpc-web may put metadata there to avoid a preflight.
func withoutQuery(r *http.Request) *http.Request {
	call := new(http.Request)
	*call = *r
	call.URL = new(url.URL)
	*call.URL = *r.URL
	call.URL.RawQuery, call.URL.ForceQuery = "", false
	return call
}
