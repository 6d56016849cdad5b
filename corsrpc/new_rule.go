package corsrpc

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// newRule is a rule for a request that no rule governs, as a flow mapping of YAML.
type newRule struct {
	values []string // the fields and their values
	advice []string // changes of the page
}

// String returns the text of the advice to write the rule.
func (n *newRule) String() string {
	return strings.Join(append([]string{"write the rule {" + strings.Join(n.values, ", ") + "}"}, n.advice...), "; ")
}

// add adds a field and its value.
func (n *newRule) add(field, value string) { n.values = append(n.values, field+": "+value) }

// addList adds a field whose value is a list.
func (n *newRule) addList(field string, items []string) { n.add(field, "["+yamlList(items)+"]") }

// remedyOfUngoverned returns the rule to write for a request that no rule governs: the policy loads
// with it, and grants the request.
func (p *Plan) remedyOfUngoverned(r *Request, q ungovernedRequest) string {
	if fetch.ForbiddenMethod(q.method) {
		return "no policy can grant the method, since browsers do not let scripts use it"
	}
	var n newRule
	if service, ok := serviceOf(r.Path); ok && r.EscapedPath == "" && fetch.SafelistedMethod(q.method) {
		n.add("selector", yamlList([]string{service}))
		t := p.newProcedure
		if route.IsOperational(service) {
			t = p.newOperational
		}
		n.grant(r, q, t, "UNKNOWN_SELECTORS")
		return n.String()
	}
	path := r.EscapedPath
	if path == "" {
		path = escapedForPattern.Replace(r.Path)
	}
	path = withoutWildcards.Replace(path)
	if strings.HasSuffix(path, "/") {
		path += "{$}" // without it, the rule would apply to every path below too
	}
	if len(path) > maxListBytes || !p.routes.Added(path, p.newPath, r.Path, r.EscapedPath, canBeCall(r)) {
		return "no rule can name this path alone: write a rule with a wildcard that matches it, or request another path"
	}
	n.add("path", strconv.QuoteToASCII(path))
	n.grant(r, q, p.newPath)
	return n.String()
}

// escapedForPattern escapes the characters of a path that a pattern cannot have as they are.
var escapedForPattern = strings.NewReplacer("%", "%25", " ", "%20", "?", "%3F", "#", "%23")

// withoutWildcards escapes braces, which would be wildcards of a pattern.
var withoutWildcards = strings.NewReplacer("{", "%7B", "}", "%7D")

// serviceOf returns the service of a path with the shape of a procedure's, whose service has a
// package.
func serviceOf(path string) (service string, ok bool) {
	service, method, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	problem, _ := route.CheckSelector(service)
	return service, ok && strings.HasPrefix(path, "/") && strings.Contains(service, ".") && !strings.Contains(service, "*") && problem == "" && route.IsIdentifier(method)
}

// grant adds the values that the rule needs to grant a request. t is the target of a rule that sets
// nothing, and risks are those that the rule has to accept anyway.
func (n *newRule) grant(r *Request, q ungovernedRequest, t *target, risks ...string) {
	g := t.grant
	d := Decision{effect: effect{target: t, safe: q.method == http.MethodGet || q.method == http.MethodHead}, origin: q.from, preflight: q.preflight}
	if g.disabled {
		n.add("disabled", "false")
	}
	cookies := !q.preflight && len(r.Header["Cookie"]) > 0 && !g.credentials
	var parsed requestOrigin
	switch matches := parsed.parse(q.from, g.origins) && d.matchOrigin(q.plan, &parsed); {
	case !matches, cookies && g.origins.HasShared(), !q.preflight && d.isWriteOpenToAll() && d.hasAmbientCredentials(r):
		n.addList("allow_origins", []string{q.from})
		if risk, _ := d.riskOfOrigin(); risk != "" {
			risks = append(risks, risk)
		}
	}
	if cookies {
		n.add("allow_credentials", "true")
	}
	methods, mcp := g.methods, t.kind == targetPath && asksForMCP(r, q)
	if mcp {
		n.add("protocols", "[MCP]")
		methods = rules.MethodsOfMCP()
	}
	if t.kind == targetPath && !slices.Contains(methods, q.method) && !(q.preflight && fetch.SafelistedMethod(q.method)) {
		upper := strings.ToUpper(q.method)
		n.addList("allow_methods", append(slices.Clone(methods), upper))
		if upper != q.method {
			n.advice = append(n.advice, "make the page write the method as "+upper)
		}
	}
	if q.preflight {
		n.grantHeaders(g, r, mcp)
	}
	if len(risks) > 0 {
		n.addList("accept_risks", risks)
	}
}

// asksForMCP reports whether a preflight asks for a header that only clients of MCP send, or a call has one.
func asksForMCP(r *Request, q ungovernedRequest) bool {
	if q.preflight {
		names, ok := fetch.AppendRequested(nil, r.Header["Access-Control-Request-Headers"])
		return ok && slices.ContainsFunc(names, isOfMCP)
	}
	for name := range r.Header {
		if isOfMCP(fetch.Lower(name)) {
			return true
		}
	}
	return false
}

// grantHeaders adds the headers that a preflight asks for and that the rule would not grant. mcp is true if
// the rule serves MCP.
func (n *newRule) grantHeaders(g *grant, r *Request, mcp bool) {
	_, missing, _ := g.requested(r.Header["Access-Control-Request-Headers"])
	if missing == "" {
		return
	}
	var names, impossible []string
	for name := range strings.SplitSeq(missing, ", ") {
		switch {
		case mcp && rpc.Needs(rpc.MCP, rpc.Request, name):
		case rules.CanAllowHeader(name):
			names = append(names, name)
		default:
			impossible = append(impossible, name)
		}
	}
	if len(names) > 0 {
		n.addList("allow_headers", names)
	}
	if len(impossible) > 0 {
		n.advice = append(n.advice, "leave "+yamlList(impossible)+" out of the page's request, which no rule can name")
	}
}
