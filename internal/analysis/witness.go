package analysis

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// usualOrigin is the origin of a witness for which any origin will do.
const usualOrigin = "https://corsrpc-witness.example"

// newCall returns a call for the path of a sample, with the origins that atoms need to have for it.
func newCall(s sample, requests requestKind, origin, method string, atoms []string) Call {
	c := Call{Origin: origin, Procedure: s.procedure(), Path: s.path, Escaped: s.escaped, Method: method}
	if method == http.MethodGet && requests != noCalls && s.service != "" || method == http.MethodGet && requests == calls {
		c.Query = rpc.GetCallQuery
	}
	for _, atom := range atoms {
		if isVariable(atom) {
			if c.Env == nil {
				c.Env = map[string]string{}
			}
			c.Env[atom[2:len(atom)-1]] = origin
			continue
		}
		if c.Sources == nil {
			c.Sources = map[string][]string{}
		}
		c.Sources[atom] = []string{origin}
	}
	return c
}

// possible returns the methods of requests of a kind, those with a simple meaning first.
func possible(methods []string, requests requestKind) (all []string) {
	for _, m := range methods {
		switch {
		case requests == calls && m != http.MethodPost && m != http.MethodGet:
		case requests == noCalls && m == http.MethodPost:
		default:
			all = append(all, m)
		}
	}
	slices.SortStableFunc(all, func(a, b string) int { return rank(a) - rank(b) })
	return all
}

// rank is smaller for methods that show more plainly what a page may do.
func rank(method string) int {
	if i := slices.Index(simpleMethods, method); i >= 0 {
		return i
	}
	return len(simpleMethods)
}

// refusedCall returns a call that the rule refuses, and that reaches the handler if no rule governs it.
func refusedCall(g *governed, s sample, requests requestKind) Call {
	if g.origins.Any() == 0 {
		method := http.MethodPost
		if requests == noCalls {
			method = http.MethodGet
		}
		return newCall(s, requests, foreignOrigin(g.origins), method, nil)
	}
	// If everyone may call, the path of a rule takes a GET with cookies, but no write with them.
	method := http.MethodPost
	switch {
	case requests == noCalls && g.path:
		method = http.MethodPut
	case requests == noCalls:
		method = http.MethodGet
	}
	c := newCall(s, requests, usualOrigin, method, nil)
	c.Credentials = !g.path || slices.Contains(g.methods, method)
	return c
}

// RequestTarget returns the path of the call as it is sent, with its query.
func (c Call) RequestTarget() string {
	return (&url.URL{Path: c.Path, RawPath: c.Escaped, RawQuery: c.Query}).RequestURI()
}

// Header returns the header fields that the script of the call sets. Their values are such that the
// browser asks for each name in a preflight.
//
// See https://fetch.spec.whatwg.org/#cors-safelisted-request-header.
func (c Call) Header() http.Header {
	header := http.Header{}
	for _, name := range c.RequestHeaders {
		value := `"corsrpc-witness"` // quotes are not safe without a preflight
		if name == "content-type" {
			value = "application/corsrpc-witness"
		}
		header.Set(name, value)
	}
	return header
}
