package corsrpc

import (
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/clockcache"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// Decide returns the decision on a request: whether the layer answers it, and which header
// fields its response gets. The decision depends on the plan and on the request only, and on the
// time if an origin source has a SourceMaxAge. Decide changes only the plan's caches, and
// is safe for concurrent use.
//
// Plan.Explain returns the checks that Decide makes, in its order.
func (p *Plan) Decide(r Request) Decision {
	var d Decision
	var from requestOrigin
	p.decide(&d, p.find(&r), &r, r.Header["Origin"], &from)
	return d
}

// decide is Decide for the target of the request's path. It fills in *d and *from, to avoid copying a Decision. *d must
// be zero, and *from must be zero or what grantsCommonCall has made of it. Wrap has looked up the Origin header already,
// so it is an argument.
func (p *Plan) decide(d *Decision, t *target, r *Request, origins []string, from *requestOrigin) {
	if t.kind == targetNone {
		d.target, d.outcome, d.reason = t, OutcomeUntouched, reasonNotGoverned
		return
	}
	p.decideOn(d, t, r, origins, from, isUpgrade(r))
	d.observed = p.observes && d.refused()
}

// decideOn decides on a request for a given target, as if the policy were enforced.
func (p *Plan) decideOn(d *Decision, t *target, r *Request, origins []string, from *requestOrigin, upgrade bool) {
	d.target, d.method, d.upgrade = t, r.Method, upgrade
	d.safe = r.Method == http.MethodGet || r.Method == http.MethodHead
	// allow_methods of a path rule may leave out GET. A GET that needs no grant passes anyway.
	d.serves = d.safe && (t.kind != targetPath || slices.Contains(t.grant.methods, r.Method))
	var requested string
	if len(origins) > 0 {
		requested, d.preflight = preflightMethod(r)
	}

	// An Origin that no browser sends is refused under every policy: a proxy or the handler
	// may interpret it differently. An origin that the rule lists is well-formed.
	if len(origins) > 0 {
		if len(origins) > 1 {
			d.refuse(r, reasonOriginRepeated)
			return
		}
		if !from.parse(origins[0], t.grant.origins) {
			d.refuse(r, reasonOriginMalformed)
			return
		}
		d.origin = origins[0]
	}

	// Same origin, or not a browser. Sec-Fetch-Site is set by the browser and not by scripts,
	// so it takes precedence over a comparison with Host, which a proxy may have changed.
	sameOrigin := false
	switch site := r.Header["Sec-Fetch-Site"]; {
	case len(site) == 1 && (site[0] == "same-origin" || site[0] == "none"):
		sameOrigin = true
	case len(site) > 0:
	case len(origins) == 0:
		d.pass(reasonNoOrigin) // another server, or a command-line client
		return
	default:
		sameOrigin = from.matchesHost(r)
	}
	if sameOrigin {
		if !p.distrustsHost(t, r) || d.isOwnOrigin(p, r, from) {
			d.pass(reasonSameOrigin)
			return
		}
		d.claimsOwn = true
	}
	switch {
	case len(origins) == 0:
		d.withoutOrigin(p, r)
	case t.kind == targetAmbiguous:
		d.refuse(r, reasonPathNotCanonical)
	default:
		d.crossOrigin(p, r, from, requested)
	}
}

// withoutOrigin decides on a cross-origin request of a browser that has no Origin header: an
// image, a link, a frame, a no-cors GET. The CORS protocol does not cover these.
func (d *Decision) withoutOrigin(p *Plan, r *Request) {
	g := d.target.grant
	switch {
	case d.target.ambiguity != nil && p.passesInEachReading(r, d):
		d.pass(reasonOpenToAll)
	case d.target.kind == targetAmbiguous:
		d.refuse(r, reasonPathNotCanonical)
	case g.disabled:
		d.refuse(r, reasonDisabled)
	case d.claimsOwn:
		d.refuse(r, reasonOwnOriginNotAllowed)
	case !d.safe, d.upgrade: // a browser's handshake has an Origin header
		d.refuse(r, reasonOriginMissing)
	case d.target.isRPC() && !g.anyOrigin:
		d.refuse(r, reasonOriginMissing)
	case d.target.kind == targetPath && g.credentials && !hasOnly(r.Header["Sec-Fetch-Mode"], "navigate"):
		d.refuse(r, reasonOriginMissing)
	default:
		d.pass(reasonOpenToAll)
	}
}

// crossOrigin decides on preflights and calls whose Origin is not the server's.
func (d *Decision) crossOrigin(p *Plan, r *Request, from *requestOrigin, requested string) {
	g := d.target.grant
	switch {
	case g.disabled:
		d.refuse(r, reasonDisabled)
	case g.unnamed:
		d.refuse(r, reasonOperationalNotNamed)
	case d.claimsOwn:
		d.refuse(r, reasonOwnOriginNotAllowed)
	case !d.matchOrigin(p, from):
		d.refuse(r, reasonOriginNotAllowed)
	case d.preflight:
		d.answerPreflight(r, requested)
	case d.upgrade && !g.credentials:
		// Browsers send cookies with every handshake and make no CORS check of the
		// response, so only an origin that is granted credentials may connect.
		d.refuse(r, reasonCredentialsNotAllowed)
	case d.upgrade:
		d.pass(reasonOriginAllowed)
	case d.target.isRPC():
		d.callRPC(r)
	case !slices.Contains(g.methods, r.Method):
		d.outcome, d.reason = OutcomeMethodNotAllowed, reasonMethodNotAllowed
	case d.isWriteOpenToAll() && d.hasAmbientCredentials(r):
		d.refuse(r, reasonCredentialsNotAllowed)
	default:
		d.outcome, d.reason = OutcomeGrant, reasonOriginAllowed
	}
}

// hasAmbientCredentials reports whether the request carries credentials that the browser or a
// proxy may have added without the script. These are cookies, and an Authorization header that the
// rule does not grant to scripts or that came in a request mode other than cors.
func (d *Decision) hasAmbientCredentials(r *Request) bool {
	if len(r.Header["Cookie"]) > 0 {
		return true
	}
	if len(r.Header["Authorization"]) == 0 {
		return false
	}
	if mode := r.Header["Sec-Fetch-Mode"]; len(mode) > 0 && !hasOnly(mode, "cors") {
		return true
	}
	d.unnamedAuthorization = !d.target.grant.granted.Grants("authorization")
	return d.unnamedAuthorization
}

// isWriteOpenToAll reports whether the request may change state and its origin gives no
// protection, because the rule allows every origin or the pages of unrelated owners have this one
// (null, file://, any extension). A form on such a page can send the request without a preflight,
// with the visitor's cookies and HTTP authentication; the rule grants requests without credentials
// only.
func (d *Decision) isWriteOpenToAll() bool {
	return !d.safe && (d.target.grant.anyOrigin || d.target.grant.origins.IsShared(d.matched))
}

// callRPC decides on a call of a procedure, or of a path that serves MCP, from an allowed origin. It
// grants calls in mode cors, with cookies only if the rule allows credentials. RPC clients make no
// other calls, and other modes have no preflight.
func (d *Decision) callRPC(r *Request) {
	if mode := r.Header["Sec-Fetch-Mode"]; len(mode) > 0 && !hasOnly(mode, "cors") {
		d.refuse(r, reasonModeNotCORS)
		return
	}
	if d.target.kind == targetPath && !slices.Contains(d.target.grant.methods, r.Method) {
		d.outcome, d.reason = OutcomeMethodNotAllowed, reasonMethodNotAllowed
		return
	}
	if !d.target.grant.credentials && len(r.Header["Cookie"]) > 0 || d.isWriteOpenToAll() && d.hasAmbientCredentials(r) {
		d.refuse(r, reasonCredentialsNotAllowed)
		return
	}
	d.outcome, d.reason = OutcomeGrant, reasonOriginAllowed
}

// matchOrigin finds the pattern, or else the origin source, that allows the request's origin,
// and reports whether there is one.
func (d *Decision) matchOrigin(p *Plan, from *requestOrigin) bool {
	g := d.target.grant
	if d.matched = from.match(g.origins); d.matched != 0 {
		return true
	}
	for i, name := range g.sources {
		if p.sets[name].allows(d.origin) {
			d.sourceItem = int32(i) + 1
			return true
		}
	}
	return false
}

// answerPreflight grants everything that the target's rule grants, whatever the preflight asks
// for, so that one preflight serves all later calls: the browser checks each call against the
// grant. It records the requested names that are not granted.
//
// See https://fetch.spec.whatwg.org/#cors-preflight-fetch.
func (d *Decision) answerPreflight(r *Request, requested string) {
	g := d.target.grant
	d.outcome, d.reason = OutcomePreflight, reasonOriginAllowed
	lines, methodGranted := r.Header["Access-Control-Request-Headers"], fetch.SafelistedMethod(requested) || slices.Contains(g.methods, requested)
	if methodGranted && g.isCachedPreflight(lines) {
		return
	}
	more, missing, ok := g.requested(lines)
	if !ok {
		d.reason = reasonRequestedHeadersMalformed
	}
	d.moreHeaders = more
	switch {
	case !methodGranted:
		d.reason, d.missing = reasonMethodNotGranted, requested
	case missing != "":
		d.reason, d.missing = reasonHeadersNotGranted, missing
	case d.reason == reasonOriginAllowed && d.moreHeaders == "" && len(lines) == 1 && len(lines[0]) <= maxCachedBytes:
		g.preflights.Add(strings.Clone(lines[0]))
	}
}

// requested compares the header names that a preflight asks for with the grant. It returns the
// names that are granted beyond the fixed list (each preceded by ", ") and those that are not
// granted (separated by ", "). ok is false if the list is malformed or too long: then nothing
// beyond the fixed list is granted.
func (g *grant) requested(lines []string) (more, missing string, ok bool) {
	var asked [16]string
	names, ok := fetch.AppendRequested(asked[:0], lines)
	if !ok {
		return "", "", false
	}
	var lacking []string
	for i, name := range names {
		switch {
		case g.granted.InFixedList(name):
		case slices.Contains(names[:i], name):
		case g.granted.Grants(name):
			more += ", " + name
		default:
			lacking = append(lacking, name)
		}
	}
	return more, strings.Join(lacking, ", "), true
}

// isCachedPreflight reports whether the preflight's header list is in the cache of lists that
// the fixed grant covers.
func (g *grant) isCachedPreflight(lines []string) bool {
	if len(lines) != 1 {
		return false
	}
	for i := range clockcache.Size {
		known := g.preflights.At(i)
		if known == nil {
			break
		}
		if known.Value == lines[0] {
			known.Use()
			return true
		}
	}
	return false
}

// pass passes a request to the handler that CORS does not apply to.
func (d *Decision) pass(reason reasonID) { d.outcome, d.reason = OutcomePass, reason }

// refuse refuses a request, in the error format of its protocol.
func (d *Decision) refuse(r *Request, reason reasonID) {
	d.outcome, d.reason = OutcomeRefuse, reason
	if d.target.kind == targetProcedure && !d.preflight {
		d.contentType = strings.Join(r.Header["Content-Type"], ",")
		d.format = rpc.FormatOf(r.Method, d.contentType)
	}
}

// passesInEachReading reports whether a GET or HEAD without an Origin header would pass in every
// reading of its path.
func (p *Plan) passesInEachReading(r *Request, d *Decision) bool {
	return route.Clear == p.routes.Each(r.Path, r.EscapedPath, canBeCall(r), func(m route.Match[*target]) bool {
		if m.Kind == route.None {
			return true
		}
		if m.Ambiguous {
			return false
		}
		read := Decision{effect: effect{target: m.Value, safe: d.safe, upgrade: d.upgrade}}
		read.withoutOrigin(p, r)
		return read.outcome == OutcomePass
	})
}
