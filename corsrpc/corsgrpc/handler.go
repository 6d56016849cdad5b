package corsgrpc

import (
	"net/http"
	"net/url"
	"strings"
)

// Handler returns a handler that answers gRPC-Web (application/grpc-web and
// application/grpc-web+proto) with what h answers to gRPC over HTTP/2. A
// *grpc.Server is such an h, and so is an httputil.ReverseProxy to a gRPC
// server, whatever it is written in.
//
// Unary calls and server streams work from browsers, with metadata, error
// details, deadlines, cancellation, compression of messages and h's own
// limits. Over HTTP/1.1 and HTTP/2 alike, no byte of a message is held back.
// What h sends as trailers becomes the trailer frame, with names in lower
// case; a status that h sends in the headers stays there. An answer of h that
// is not gRPC (a 404, a proxy's 502) stays as it is.
//
// gRPC itself (application/grpc) reaches h untouched, so one port can serve
// both. Any other Content-Type is answered with 415, another method than POST
// with 405: a form, and metadata in a query parameter, which grpc-web's
// suppressCorsPreflight makes of a call, would carry the page's metadata
// without a preflight.
//
// Over HTTP/1.1 a request that h has seen enough of, such as one with too
// large a message, is read on to at most 32 MiB and for as long as the client
// goes on sending (http.Server's ReadTimeout bounds that), since no browser
// reads the answer before.
//
// The number of messages that a client sends has no bound but what h sets;
// grpc-go reads them into memory ahead of its handler. Where clients are not
// trusted, http.MaxBytesHandler around this handler bounds the whole request,
// and its error becomes RESOURCE_EXHAUSTED.
//
// A request or an answer that is no sequence of gRPC messages ends with the
// status INTERNAL; where not even a status can be sent, with a broken
// connection. A call never looks complete if it is not.
//
// Around Handler, no writer may hide http.Flusher: gRPC servers need it.
// The handler is safe for concurrent use if h is.
//
// See https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md.
func Handler(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, native := subtype(r.Header, typeGRPC); native {
			h.ServeHTTP(w, r)
			return
		}
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "gRPC-Web calls are made by POST", http.StatusMethodNotAllowed)
			return
		}
		format, ok := subtype(r.Header, typeWeb)
		if !ok {
			w.Header().Set("Accept-Post", acceptPost)
			http.Error(w, unsupported, http.StatusUnsupportedMediaType)
			return
		}
		body := newRequestBody(r)
		defer body.Close()
		answer := &webWriter{ResponseWriter: w, request: body}
		if r.ProtoMajor < 2 {
			// Unless told so, net/http waits for the end of the request before it
			// sends the answer. A writer that cannot be told only delays the answer
			// to a request that never ends.
			answer.early = http.NewResponseController(w).EnableFullDuplex() == nil
		}
		h.ServeHTTP(answer.offer(), grpcRequest(r, format, body))
		answer.finish() // not after a panic: the answer must not look complete
		if body.stillComes() {
			_ = answer.flush()
			_ = body.Close()
			body.drain()
		}
	})
}

const (
	acceptPost  = typeGRPC + ", " + typeGRPC + "+proto, " + typeWeb + ", " + typeWeb + "+proto"
	unsupported = "this server speaks gRPC and gRPC-Web: the Content-Type has to be " + typeWeb +
		" or " + typeWeb + "+proto (grpc-web clients: without suppressCorsPreflight; for the text format, the server needs corsgrpc.Text)"
)

// grpcRequest is the gRPC-Web request as gRPC over HTTP/2 would have made it.
func grpcRequest(r *http.Request, format string, body *requestBody) *http.Request {
	call := withoutQuery(r)
	call.Proto, call.ProtoMajor, call.ProtoMinor = "HTTP/2.0", 2, 0
	call.Body = body
	call.TransferEncoding = nil
	call.Trailer = nil // gRPC has none in requests, and net/http would fill the map while h reads it
	call.Header = r.Header.Clone()
	// HTTP/2 has none of these (RFC 9113, section 8.2.2).
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

// withoutQuery returns a copy of the request without its query: gRPC has
// none, and grpc-web may have put metadata there that no preflight has seen.
func withoutQuery(r *http.Request) *http.Request {
	call := new(http.Request)
	*call = *r
	call.URL = new(url.URL)
	*call.URL = *r.URL
	call.URL.RawQuery, call.URL.ForceQuery = "", false
	return call
}
