package corsrpc

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// Answer returns the answer that the layer gives itself, and false where the
// handler answers. Its header is what Apply makes of an empty one.
func (d Decision) Answer() (status int, body string, ok bool) {
	if d.observed {
		return 0, "", false
	}
	switch d.outcome {
	case OutcomePreflight:
		return http.StatusNoContent, "", true
	case OutcomeMethodNotAllowed:
		return http.StatusMethodNotAllowed, d.message() + "\n", true
	case OutcomeRefuse:
		switch d.format {
		case rpc.FormatConnect:
			return http.StatusForbidden, `{"code":"permission_denied","message":` + strconv.Quote(d.message()) + `}`, true
		case rpc.FormatGRPC:
			return http.StatusForbidden, "", true
		}
		return http.StatusForbidden, d.message() + "\n", true
	}
	return 0, "", false
}

// message is what the person sees who opens the answer in the browser's
// Network panel. Unless it is explained, it holds nothing from the request, and
// neither quotes nor percent signs.
func (d Decision) message() string {
	m := "corsrpc refused this cross-origin request (" + string(d.reason) + "): " + d.reason.Text()
	remedy := d.reason.Remedy()
	if d.explained {
		remedy = d.explanation()
	}
	if remedy != "" {
		m += " [" + remedy + "]"
	}
	return m
}

// explanation is the remedy in one line of ASCII, whatever the policy's file is
// called.
func (d Decision) explanation() string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, d.Remedy())
}

// reasonHeader is the header of answers that are explained.
const reasonHeader = "Corsrpc-Reason"

// explain writes it.
func (d Decision) explain(header http.Header) {
	if !d.explained || !d.Refused() {
		return
	}
	value := string(d.reason)
	if remedy := d.explanation(); remedy != "" {
		value += "; " + remedy
	}
	header[reasonHeader] = []string{value}
}

// Apply writes the decision's header fields into the header of a response
// with this status, at the moment when the response commits: what the
// response carries by then is what is exposed. Access-Control fields of
// others are replaced, in any letter case, where the decision has a say in
// them. Informational responses are left alone.
//
// See https://fetch.spec.whatwg.org/#http-cors-protocol.
func (d Decision) Apply(status int, header http.Header) {
	d.apply(status, header, new([4]string))
}

// apply is Apply with room for the values, so that a response writer needs no
// further allocation. No slice of the plan's own is ever reachable from the
// header: whoever handles it next may change it. It reports whether it
// replaced fields of others.
func (d Decision) apply(status int, header http.Header, room *[4]string) (replaced bool) {
	if d.observed || d.outcome == OutcomeUntouched || d.outcome == OutcomePass && d.upgrade {
		return false // whoever leaves HTTP writes its own answer
	}
	if status < 200 && status != http.StatusSwitchingProtocols {
		return false
	}
	if d.method == http.MethodGet || d.method == http.MethodHead {
		addVary(header, d.vary())
	}
	if d.outcome == OutcomePass && !d.open() {
		return false
	}
	replaced = dropAccessControl(header)
	d.explain(header)
	g := d.target.grant
	if d.outcome == OutcomeMethodNotAllowed {
		header["Allow"] = []string{g.allowMethods}
		header["Content-Type"] = []string{"text/plain; charset=utf-8"}
		header["Cache-Control"] = []string{"no-store"} // the handler might have answered another caller
	}
	// A 304 that exposes replaces the list of the stored response.
	exposed := ""
	if d.outcome != OutcomePreflight && d.outcome != OutcomeRefuse && status != http.StatusNotModified {
		exposed = g.exposed(header)
	}
	switch d.outcome {
	case OutcomeRefuse:
		d.applyRefusal(header)
		return replaced
	case OutcomePreflight:
		header["Access-Control-Allow-Methods"] = []string{g.allowMethods}
		if d.allowHeaders != "" {
			header["Access-Control-Allow-Headers"] = []string{d.allowHeaders}
		}
		header["Access-Control-Max-Age"] = []string{g.maxAge}
	}
	room[0] = d.origin
	if g.anyOrigin {
		room[0] = "*"
	}
	header["Access-Control-Allow-Origin"] = room[0:1:1]
	if g.credentials {
		room[1] = "true"
		header["Access-Control-Allow-Credentials"] = room[1:2:2]
	}
	if exposed != "" {
		room[2] = exposed
		header["Access-Control-Expose-Headers"] = room[2:3:3]
	}
	return replaced
}

// open reports whether the answer is one of those that carry the same
// Access-Control fields whoever asks.
func (d Decision) open() bool {
	return d.target.grant.constant() && (d.method == http.MethodGet || d.method == http.MethodHead) && d.reachesHandler()
}

// reachesHandler reports whether a granted GET or HEAD does, and not only one
// that needs no grant: a path rule may leave the method out.
func (d Decision) reachesHandler() bool {
	return d.target.kind != targetPath || slices.Contains(d.target.grant.methods, d.method)
}

// vary returns what the answer to a GET or HEAD depends on.
func (d Decision) vary() string {
	switch g := d.target.grant; {
	case d.target.kind == targetUnclear:
		return varyBySite
	case g.vary == "" && !d.reachesHandler():
		return "Origin"
	default:
		return g.vary
	}
}

// applyRefusal writes the fields of a refusal: the caller may not read it, and
// no cache may keep it.
func (d Decision) applyRefusal(header http.Header) {
	contentType := "text/plain; charset=utf-8"
	switch d.format {
	case rpc.FormatConnect:
		contentType = "application/json"
	case rpc.FormatGRPC:
		contentType = d.contentType
		header["Grpc-Status"] = []string{"7"}                                          // PERMISSION_DENIED
		header["Grpc-Message"] = []string{strings.ReplaceAll(d.message(), "%", "%25")} // of ASCII, nothing else is escaped
	}
	header["Content-Type"] = []string{contentType}
	header["Cache-Control"] = []string{"no-store"}
	header["X-Content-Type-Options"] = []string{"nosniff"}
}

// dropAccessControl removes every field of the CORS protocol's family.
func dropAccessControl(header http.Header) (any bool) {
	for key := range header {
		if isAccessControl(key) {
			delete(header, key)
			any = true
		}
	}
	return any
}

func isAccessControl(key string) bool {
	return len(key) >= len(accessControl) && strings.EqualFold(key[:len(accessControl)], accessControl)
}

// addVary appends to Vary what it does not say yet (RFC 9110, section
// 12.5.5). The field may be there in another letter case than canonical.
func addVary(header http.Header, vary string) {
	if vary == "" {
		return
	}
	if lines, ok := header["Vary"]; ok && len(lines) > 0 {
		missing := ""
		for name := range strings.SplitSeq(vary, ", ") {
			if !lists(lines, name) {
				missing += ", " + name
			}
		}
		if missing == "" {
			return
		}
		vary = missing[2:]
		header["Vary"] = append(lines[:len(lines):len(lines)], vary)
		return
	}
	header["Vary"] = []string{vary}
}

// lists reports whether lines of a comma-separated field hold the item or a *.
func lists(lines []string, item string) bool {
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			if part = strings.Trim(part, " \t"); part == "*" || strings.EqualFold(part, item) {
				return true
			}
		}
	}
	return false
}

// exposed returns the value of Access-Control-Expose-Headers for a response:
// one list of tokens, since a single item that is none makes browsers expose
// nothing. It is sorted, so that equal responses carry equal lists.
//
// See https://fetch.spec.whatwg.org/#http-access-control-expose-headers.
func (g *grant) exposed(header http.Header) string {
	if !g.present {
		return g.exposeHeaders
	}
	var room [16]string
	names := room[:0]
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
	if yes, mentioned := g.response.verdict(name); mentioned {
		return yes
	}
	if plain, ok := strings.CutPrefix(name, rpc.TrailerPrefix); ok {
		if yes, mentioned := g.response.verdict(plain); mentioned {
			return yes
		}
	}
	return !fetch.ConnectionHeader(name) && !isServersOwn(name) && !lists(header["Connection"], name)
}

// isStatusHeader reports whether a gRPC-Web client cannot do without it.
func isStatusHeader(name string) bool {
	return name == "grpc-status" || name == "grpc-message" || name == "grpc-status-details-bin"
}

// isServersOwn reports whether a field speaks of the server's operation, not
// to the application.
func isServersOwn(name string) bool {
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
