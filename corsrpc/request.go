package corsrpc

import (
	"net/http"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// Request is what a decision depends on: the parts of an http.Request that a
// browser's or a proxy's CORS behaviour shows in. Fields may be added: use field names in literals.
type Request struct {
	// Method is the HTTP method.
	Method string
	// Host is the Host header or :authority, with the port if any.
	Host string
	// Path is the decoded path, as URL.Path.
	Path string
	// EscapedPath is the path as it was sent, as URL.RawPath: empty where it is
	// Path in its default encoding.
	EscapedPath string
	// Query is the query as it was sent, as URL.RawQuery: without the question mark.
	Query string
	// TLS says that the request is known to have come over TLS.
	TLS bool
	// Header holds the request's header fields under canonical names. It is
	// only read, and not kept.
	Header http.Header
}

// RequestOf returns what a decision needs of an http.Request. It shares the
// request's header.
func RequestOf(r *http.Request) Request {
	path := r.URL.Path
	if r.URL.Opaque != "" {
		path = r.URL.Opaque // which httputil.ReverseProxy passes on as the target
	}
	return Request{
		Method: r.Method, Host: r.Host, Path: path, EscapedPath: r.URL.RawPath, Query: r.URL.RawQuery,
		TLS: r.TLS != nil, Header: r.Header,
	}
}

// canBeCall reports whether the request can be an RPC call, or the preflight of one. A path
// that only has a procedure's shape is governed for such requests alone: a link to a page, an
// image and a form that an identity provider posts are none.
func canBeCall(r *Request) bool {
	switch {
	case isUpgrade(r):
		return true
	case r.Method == http.MethodPost:
		return !(hasOnly(r.Header["Sec-Fetch-Mode"], "navigate") && rpc.IsForm(r.Header["Content-Type"]))
	case r.Method == http.MethodGet:
		return rpc.IsGetCall(r.Query)
	case len(r.Header["Origin"]) == 0:
		return false
	}
	method, preflight := preflightMethod(r)
	return preflight && (method == http.MethodPost || method == http.MethodGet && rpc.IsGetCall(r.Query))
}

// preflightMethod returns the method that a preflight asks for; any other OPTIONS
// request with an Origin is a call.
//
// See https://fetch.spec.whatwg.org/#cors-preflight-request.
func preflightMethod(r *Request) (string, bool) {
	if r.Method != http.MethodOptions {
		return "", false
	}
	method := r.Header["Access-Control-Request-Method"]
	if len(method) != 1 || len(method[0]) > fetch.MaxRequestedBytes || !fetch.IsToken(method[0]) {
		return "", false
	}
	return method[0], true
}

// isUpgrade reports whether the request asks to leave HTTP semantics
// (RFC 9110, section 7.8; RFC 8441), as WebSocket handshakes do.
func isUpgrade(r *Request) bool {
	return r.Method == http.MethodConnect || r.Method == http.MethodGet && len(r.Header["Upgrade"]) > 0
}

// hasOnly reports whether a header has one line, and it is the value.
func hasOnly(lines []string, value string) bool { return len(lines) == 1 && lines[0] == value }

// requestOrigin is a well-formed Origin: one that a rule names as it is, or else what it
// was parsed into.
type requestOrigin struct {
	raw    string
	named  origin.Ref // the pattern that is the origin; 0 for none
	parsed origin.Parsed
}

// read reports whether the value is well-formed.
func (s *requestOrigin) parse(raw string, named *origin.Set) (ok bool) {
	s.raw = raw
	if s.named, ok = named.Exact(raw); ok {
		return true
	}
	s.parsed, ok = origin.Parse(raw)
	return ok
}

// matchesHost reports whether the origin is that of the server's Host.
func (s *requestOrigin) matchesHost(r *Request) bool {
	if s.named != 0 {
		s.parsed, _ = origin.Parse(s.raw)
	}
	return s.parsed.SameHost(r.Host, r.TLS)
}
