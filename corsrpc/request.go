package corsrpc

import (
	"net/http"
	"net/url"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// Request holds the parts of an http.Request that a decision depends on. Fields may be added: use
// field names in literals.
type Request struct {
	// Method is the HTTP method.
	Method string
	// Host is the Host header or :authority, with the port if any.
	Host string
	// Path is the decoded path, as in URL.Path.
	Path string
	// EscapedPath is the path as it was sent, as in URL.RawPath: empty if it is the default
	// encoding of Path.
	EscapedPath string
	// Query is the query as it was sent, as in URL.RawQuery, without the question mark.
	Query string
	// TLS is whether the request came over TLS, as far as the server knows.
	TLS bool
	// Header holds the request's header fields under their canonical names. It is not
	// modified and not retained.
	Header http.Header
}

// RequestOf returns the parts of an http.Request that a decision depends on. It shares the
// request's header.
func RequestOf(r *http.Request) Request {
	return Request{
		Method: r.Method, Host: r.Host, Path: pathOf(r.URL), EscapedPath: r.URL.RawPath, Query: r.URL.RawQuery,
		TLS: r.TLS != nil, Header: r.Header,
	}
}

// pathOf returns the decoded path of a request. If the URL is opaque, httputil.ReverseProxy sends that as the request
// target.
func pathOf(u *url.URL) string {
	if u.Opaque != "" {
		return u.Opaque
	}
	return u.Path
}

// canBeCall reports whether the request can be an RPC call, or the preflight of one. A path that
// has the shape of a procedure's, and is not known, is governed for such requests only: not for a
// link to a page, an image, or a form that an identity provider posts.
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

// preflightMethod returns the method that a preflight asks for. It is false if the request is not
// a preflight; other OPTIONS requests with an Origin header are calls.
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

// isUpgrade reports whether the request asks for another protocol, as a WebSocket handshake does
// (RFC 9110, section 7.8; RFC 8441).
func isUpgrade(r *Request) bool {
	return r.Method == http.MethodConnect || r.Method == http.MethodGet && len(r.Header["Upgrade"]) > 0
}

// hasOnly reports whether a header field has exactly one line, with this value.
func hasOnly(lines []string, value string) bool { return len(lines) == 1 && lines[0] == value }

// requestOrigin is the Origin header of a request. It is parsed only if no rule lists it exactly.
type requestOrigin struct {
	raw    string           // empty before parse
	named  origin.PatternID // the exact pattern that equals the origin; 0 if there is none
	parsed origin.Parsed    // the zero value if named is not 0, or if the origin is not well-formed
	notIn  *origin.Set      // a set that is known not to match the origin; nil if none is known
}

// parse parses the value and reports whether it is well-formed. It does not parse a value again: the set must then be
// the same.
func (s *requestOrigin) parse(raw string, named *origin.Set) (ok bool) {
	if s.raw != "" && s.raw == raw {
		return s.named != 0 || !s.parsed.IsZero()
	}
	s.raw = raw
	if s.named, ok = named.Exact(raw); ok {
		return true
	}
	s.parsed, ok = origin.Parse(raw)
	return ok
}

// match returns the pattern of a set that matches the origin, which was parsed for the set; 0 if there is none.
func (s *requestOrigin) match(set *origin.Set) origin.PatternID {
	switch {
	case s.named != 0:
		return s.named
	case set.IsExact():
		s.notIn = set
	case s.notIn != set:
		if id, ok := set.MatchParsed(s.raw, &s.parsed); ok {
			return id
		}
		s.notIn = set
	}
	return 0
}

// parts returns the parts of the origin; the zero value if it is not well-formed. They must not be modified.
func (s *requestOrigin) parts() *origin.Parsed {
	if s.parsed.IsZero() {
		s.parsed, _ = origin.Parse(s.raw)
	}
	return &s.parsed
}

// matchesHost reports whether the origin's host and port are those of the Host header.
func (s *requestOrigin) matchesHost(r *Request) bool { return s.parts().SameHost(r.Host, r.TLS) }
