package corsrpc

import (
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/route"
)

// distrustsHost reports whether a request that is same-origin by its Host header or by Sec-Fetch-Site
// has to prove it, because some reading of its path resolves to MCP. An attacker can make a host name
// resolve to this server after a page of that name was loaded (DNS rebinding). The requests of that page
// are same-origin to the browser, and their Host header is the attacker's. Servers of MCP often listen
// on a visitor's own machine, so its specification demands a check of the Origin header.
//
// See https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#security-warning.
func (p *Plan) distrustsHost(t *target, r *Request) bool {
	if t.kind != targetAmbiguous {
		return t.servesMCP()
	}
	return p.servesMCP && route.Clear != p.routes.Each(r.Path, r.EscapedPath, canBeCall(r), func(m route.Match[*target]) bool {
		return m.Kind == route.None || !m.Ambiguous && !m.Value.servesMCP()
	})
}

// isOwnOrigin reports whether a request whose host is not trusted comes from the server's own origin: of
// a loopback host, which no attacker can rebind, or of one that the rule allows. For another host it sets
// the decision's origin, which a request without an Origin header does not have.
func (d *Decision) isOwnOrigin(p *Plan, r *Request, from *requestOrigin) bool {
	own := *from
	if d.origin == "" {
		if hasOnly(r.Header["Sec-Fetch-Site"], "none") {
			return true // the user started the request, and no page did
		}
		text := ownOrigin(r)
		if text == "" || !own.parse(text, d.target.grant.origins) {
			return false
		}
	}
	if own.matchesHost(r) && own.parts().IsLoopback() {
		return true
	}
	d.origin = own.raw
	return !d.target.grant.disabled && d.matchOrigin(p, &own)
}

// ownOrigin returns the origin of the page that sends a same-origin GET or HEAD, which has no Origin
// header; empty if the Host header is not one that browsers send. Browsers send Sec-Fetch-Site only to
// https origins and to loopback hosts, whose scheme does not matter here.
func ownOrigin(r *Request) string {
	o, ok := origin.Parse("https://" + strings.TrimSuffix(r.Host, ":443"))
	if !ok {
		return ""
	}
	return o.String()
}

// servesMCP reports whether the target is a path whose rule has protocols: [MCP].
func (t *target) servesMCP() bool { return t.kind == targetPath && t.grant.mcp }

// isRPC reports whether requests for the target are calls of RPC clients, which pages make in mode cors
// only.
func (t *target) isRPC() bool { return t.kind == targetProcedure || t.servesMCP() }
