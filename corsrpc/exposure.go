package corsrpc

import (
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// matches reports whether a header has just the names.
func (e *exposure) matches(header http.Header) bool {
	if len(header) != len(e.names) {
		return false
	}
	for _, name := range e.names {
		if len(header[name]) == 0 {
			return false
		}
	}
	return true
}

// rememberExposure keeps what was worked out for a header, unless that depends on
// more than its names, or is long.
func (t *target) rememberExposure(header http.Header, value string) {
	if len(header) > maxCachedNames || len(value) > maxCachedBytes {
		return
	}
	names, size := make([]string, 0, len(header)), 0
	for name, values := range header {
		if len(values) == 0 || name == "Connection" || fetch.IsAccessControl(name) {
			return
		}
		names, size = append(names, name), size+len(name)
	}
	if size <= maxCachedBytes {
		t.exposures.Add(exposure{names, value})
	}
}

// exposed returns the value of Access-Control-Expose-Headers for a response, and
// removes the fields of others.
func (t *target) exposed(header http.Header) (value string, replaced bool) {
	for known := range t.exposures.All {
		if known.Value.matches(header) {
			known.Use()
			return known.Value.value, false // it has none of others
		}
	}
	replaced = dropAccessControl(header)
	if value = t.grant.exposeHeaders; t.grant.present {
		value = t.grant.exposedNames(header)
	}
	t.rememberExposure(header, value)
	return value, replaced
}

// exposedNames returns one list of tokens, since a single item that is none makes
// browsers expose nothing. It is sorted, so that equal responses carry equal lists.
//
// See https://fetch.spec.whatwg.org/#http-access-control-expose-headers.
func (g *grant) exposedNames(header http.Header) string {
	var buffer [16]string
	names := buffer[:0]
	for key, values := range header {
		if len(values) == 0 || !fetch.IsToken(key) {
			continue // nothing is sent, or an HTTP trailer of net/http's
		}
		if name := fetch.Lower(key); g.exposesPresent(name, header) {
			names = append(names, name)
		}
	}
	return joinNames(names, g.exposeNames)
}

// joinNames joins two lists of names, the second sorted already, into one
// sorted list without repetitions.
func joinNames(names, more []string) string {
	if len(names) == 0 {
		return strings.Join(more, ", ")
	}
	names = append(names, more...)
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

// exposesPresent decides on one field that a response carries.
func (g *grant) exposesPresent(name string, header http.Header) bool {
	switch {
	case fetch.SafelistedResponseHeader(name), fetch.ForbiddenResponseHeader(name):
		return false
	case isStatusHeader(name):
		return g.protocols&rpc.GRPCWeb != 0
	}
	if yes, mentioned := g.response.Lookup(name); mentioned {
		return yes
	}
	if plain, ok := strings.CutPrefix(name, rpc.TrailerPrefix); ok {
		if yes, mentioned := g.response.Lookup(plain); mentioned {
			return yes
		}
	}
	return !fetch.ConnectionHeader(name) && !isOperationalHeader(name) && !lists(header["Connection"], name)
}

// isStatusHeader reports whether a gRPC-Web client cannot do without it.
func isStatusHeader(name string) bool {
	return name == "grpc-status" || name == "grpc-message" || name == "grpc-status-details-bin"
}

// isOperationalHeader reports whether a field speaks of the server's operation, not
// to the application.
func isOperationalHeader(name string) bool {
	switch name {
	case "trailer", "vary", "date", "server", "via", "alt-svc", "server-timing", "x-powered-by",
		"strict-transport-security", "report-to", "nel", "reporting-endpoints",
		"x-csrf-token", "x-xsrf-token", "csrf-token", "xsrf-token",
		"accept-encoding", "content-encoding":
		return true
	}
	return strings.HasPrefix(name, "x-envoy-") || strings.HasPrefix(name, "content-security-policy") ||
		strings.HasSuffix(name, "-accept-encoding")
}
