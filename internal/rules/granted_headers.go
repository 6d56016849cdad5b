package rules

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// GrantedHeaders are the request headers that an effective rule grants. They are immutable.
type GrantedHeaders struct {
	names     []string
	fixed     map[string]bool
	open      bool
	protocols rpc.Protocols
	rules     HeaderRules
}

// GrantedHeaders returns the request headers that the rule grants.
func (e *Effective) GrantedHeaders() GrantedHeaders {
	h := GrantedHeaders{fixed: map[string]bool{}, open: e.request.Open(), protocols: e.protocols, rules: e.request}
	fixed := rpc.Names(e.protocols, rpc.Request)
	if e.GrantsContentType() {
		fixed = append(fixed, "content-type")
	}
	for _, name := range append(fixed, e.request.Granted()...) {
		if !h.fixed[name] {
			h.fixed[name] = true
			h.names = append(h.names, name)
		}
	}
	return h
}

// Names returns the names that the answer to every preflight lists, in lower case: the fixed list. The
// caller must not change the slice.
func (h *GrantedHeaders) Names() []string { return h.names }

// InFixedList reports whether Names has the lower-case name.
func (h *GrantedHeaders) InFixedList(name string) bool { return h.fixed[name] }

// Open reports whether a name that is not in the fixed list may be granted by a prefix or by "*".
func (h *GrantedHeaders) Open() bool { return h.open }

// Grants reports whether the rule grants the lower-case name.
func (h *GrantedHeaders) Grants(name string) bool {
	if h.fixed[name] || rpc.InFamily(h.protocols, name) {
		return true
	}
	if !h.open {
		return false
	}
	yes, _ := h.rules.Lookup(name)
	return yes
}

// ExposedHeaders are the response headers that an effective rule exposes to scripts. They are immutable.
type ExposedHeaders struct {
	present   bool
	names     []string
	protocols rpc.Protocols
	rules     HeaderRules
}

// ExposedHeaders returns the response headers that the rule exposes.
func (e *Effective) ExposedHeaders() ExposedHeaders {
	h := ExposedHeaders{present: e.Present(), protocols: e.protocols, rules: e.response}
	if h.present {
		h.names = slices.Sorted(slices.Values(h.named()))
	} else {
		h.names = h.Declared()
	}
	return h
}

// named returns the names that the header rules grant and that browsers do not let scripts read anyway.
func (h *ExposedHeaders) named() []string {
	return slices.DeleteFunc(h.rules.Granted(), fetch.SafelistedResponseHeader)
}

// Declared returns the names that EXPOSURE_DECLARED exposes, in lower case, sorted: those of the protocols, and those that the
// header rules name. EXPOSURE_PRESENT exposes each of them too, if a response carries it.
func (h *ExposedHeaders) Declared() []string {
	named := h.named()
	exposed := append(rpc.Names(h.protocols, rpc.Response), named...)
	if h.protocols&rpc.Connect != 0 {
		for _, name := range named {
			if yes, mentioned := h.rules.Lookup(rpc.TrailerPrefix + name); yes || !mentioned {
				exposed = append(exposed, rpc.TrailerPrefix+name)
			}
		}
	}
	slices.Sort(exposed)
	return slices.Compact(exposed)
}

// Names returns the names that are exposed whether the response carries them or not, in lower case,
// sorted. There are no others unless DependOnResponse is true. The caller must not change the slice.
func (h *ExposedHeaders) Names() []string { return h.names }

// DependOnResponse reports whether ExposesPresent may be true for a name that is not among Names.
func (h *ExposedHeaders) DependOnResponse() bool {
	return h.present || rpc.HasResponseFamily(h.protocols)
}

// ExposesPresent reports whether a field is exposed because a response with this header carries it: by
// EXPOSURE_PRESENT, or as one of the protocol's family. The name is in lower case.
func (h *ExposedHeaders) ExposesPresent(name string, header http.Header) bool {
	switch {
	case h.protocols&rpc.MCP != 0 && rpc.Needs(rpc.MCP, rpc.Response, name):
		return true
	case !h.present:
		return false
	case fetch.SafelistedResponseHeader(name), fetch.ForbiddenResponseHeader(name):
		return false
	case isStatusHeader(name):
		return h.protocols&rpc.GRPCWeb != 0
	}
	if yes, mentioned := h.rules.Lookup(name); mentioned {
		return yes
	}
	if plain, ok := strings.CutPrefix(name, rpc.TrailerPrefix); ok {
		if yes, mentioned := h.rules.Lookup(plain); mentioned {
			return yes
		}
	}
	return !fetch.ConnectionHeader(name) && !isOperationalHeader(name) && !fetch.Lists(header["Connection"], name)
}

// isStatusHeader reports whether a field carries the gRPC status, which gRPC-Web clients read.
func isStatusHeader(name string) bool {
	return name == "grpc-status" || name == "grpc-message" || name == "grpc-status-details-bin"
}

// OperationalHeaders returns names of response headers, in lower case, that tell all names for which
// isOperationalHeader is true apart from each other: those that it lists, and one below each prefix.
func OperationalHeaders() []string {
	return append(slices.Collect(maps.Keys(operationalHeaders)), "x-envoy-witness", "content-security-policy", "content-security-policy-report-only")
}

// isOperationalHeader reports whether a response field is for the transport or the operation of
// the server, not for the application.
func isOperationalHeader(name string) bool {
	return operationalHeaders[name] || strings.HasPrefix(name, "x-envoy-") || strings.HasPrefix(name, "content-security-policy") ||
		strings.HasSuffix(name, "-accept-encoding")
}

var operationalHeaders = map[string]bool{
	"trailer": true, "vary": true, "date": true, "server": true, "via": true, "alt-svc": true, "server-timing": true,
	"timing-allow-origin": true, "x-powered-by": true, "strict-transport-security": true,
	"report-to": true, "nel": true, "reporting-endpoints": true,
	"x-csrf-token": true, "x-xsrf-token": true, "csrf-token": true, "xsrf-token": true,
	"accept-encoding": true, "content-encoding": true,
}
