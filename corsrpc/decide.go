package corsrpc

import (
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// Decide says what becomes of a request. It depends on the plan and the
// request only (and on the time, for a source with a SourceMaxAge), changes
// nothing but the plan's caches, and is safe for concurrent use.
//
// The rows are those of the table in the documentation, top down; the first
// that fits decides.
func (p *Plan) Decide(r Request) Decision {
	var d Decision
	p.decide(&d, &r, r.Header["Origin"])
	return d
}

// decide fills in *d, which must be zero, to avoid copying a Decision. The Origin header is
// given apart, since Wrap has looked it up.
func (p *Plan) decide(d *Decision, r *Request, origins []string) {
	t := p.find(r)
	if t.kind == targetNone {
		d.target, d.outcome, d.reason = t, OutcomeUntouched, reasonNotGoverned
		return
	}
	p.decideOn(d, t, r, origins, isUpgrade(r))
	d.observed = p.observes && d.refused()
}

// decideOn decides on a request for a target, as for a policy that is enforced.
func (p *Plan) decideOn(d *Decision, t *target, r *Request, origins []string, upgrade bool) {
	d.target, d.method, d.upgrade = t, r.Method, upgrade
	d.safe = r.Method == http.MethodGet || r.Method == http.MethodHead
	// A path rule may leave the method out, and one that needs no grant comes anyway.
	d.serves = d.safe && (t.kind != targetPath || slices.Contains(t.grant.methods, r.Method))
	var requested string
	if len(origins) > 0 {
		requested, d.preflight = preflightMethod(r)
	}

	// An Origin that no browser sends is nobody's: whoever reads it next, a
	// proxy or the handler, might read it otherwise. One that the rule names is
	// well-formed.
	var from requestOrigin
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

	// Same origin, or no browser. Sec-Fetch-Site comes from the browser itself
	// (no script can set it), so it counts for more than a comparison with a
	// Host that a proxy may have changed.
	switch site := r.Header["Sec-Fetch-Site"]; {
	case len(site) == 1 && (site[0] == "same-origin" || site[0] == "none"):
		d.pass(reasonSameOrigin)
		return
	case len(site) > 0:
	case len(origins) == 0:
		d.pass(reasonNoOrigin) // another server, a command line
		return
	case from.matchesHost(r):
		d.pass(reasonSameOrigin)
		return
	}
	switch {
	case len(origins) == 0:
		d.withoutOrigin(p, r)
	case t.kind == targetAmbiguous:
		d.refuse(r, reasonPathNotCanonical)
	default:
		d.crossOrigin(p, r, &from, requested)
	}
}

// withoutOrigin decides on what a browser sends from elsewhere without naming
// its origin: images, links, frames, no-cors GETs. CORS does not guard these.
func (d *Decision) withoutOrigin(p *Plan, r *Request) {
	g := d.target.grant
	switch {
	case d.target.ambiguity != nil && p.passesInEachReading(r, d):
		d.pass(reasonOpenToAll)
	case d.target.kind == targetAmbiguous:
		d.refuse(r, reasonPathNotCanonical)
	case g.disabled:
		d.refuse(r, reasonDisabled)
	case !d.safe, d.upgrade: // and a browser's handshake names its origin
		d.refuse(r, reasonOriginMissing)
	case d.target.kind == targetProcedure && !g.anyOrigin:
		d.refuse(r, reasonOriginMissing)
	case d.target.kind == targetPath && g.credentials && !hasOnly(r.Header["Sec-Fetch-Mode"], "navigate"):
		d.refuse(r, reasonOriginMissing)
	default:
		d.pass(reasonOpenToAll)
	}
}

// crossOrigin decides on preflights and calls that name another origin.
func (d *Decision) crossOrigin(p *Plan, r *Request, from *requestOrigin, requested string) {
	g := d.target.grant
	switch {
	case g.disabled:
		d.refuse(r, reasonDisabled)
	case g.unnamed:
		d.refuse(r, reasonOperationalNotNamed)
	case !d.matchOrigin(p, from):
		d.refuse(r, reasonOriginNotAllowed)
	case d.preflight:
		d.answerPreflight(r, requested)
	case d.upgrade && !g.credentials:
		// A handshake carries cookies whoever starts it, and no CORS check
		// follows: only an origin that may use them gets through.
		d.refuse(r, reasonCredentialsNotAllowed)
	case d.upgrade:
		d.pass(reasonOriginAllowed)
	case d.target.kind == targetProcedure:
		d.callProcedure(r)
	case !slices.Contains(g.methods, r.Method):
		d.outcome, d.reason = OutcomeMethodNotAllowed, reasonMethodNotAllowed
	case d.isWriteOpenToAll() && d.hasAmbientCredentials(r):
		d.refuse(r, reasonCredentialsNotAllowed)
	default:
		d.outcome, d.reason = OutcomeGrant, reasonOriginAllowed
	}
}

// hasAmbientCredentials reports whether the request carries credentials that the browser,
// or a proxy, may have added by itself: cookies, or an Authorization that no script was
// granted to send, or that came in another mode than a script's.
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
	d.unnamedAuthorization = !d.target.grant.grants("authorization")
	return d.unnamedAuthorization
}

// isWriteOpenToAll reports whether the request may change something and its origin is one
// that every site can have. A form of any site sends the visitor's cookies, and the
// password that the browser keeps for the server, along with it and without a preflight;
// what is granted is a request without.
func (d *Decision) isWriteOpenToAll() bool {
	return !d.safe && (d.target.grant.anyOrigin || d.origin == "null")
}

// callProcedure grants a call that is made in mode cors, with cookies only where
// they are allowed; another one was made around the preflight.
func (d *Decision) callProcedure(r *Request) {
	if mode := r.Header["Sec-Fetch-Mode"]; len(mode) > 0 && !hasOnly(mode, "cors") {
		d.refuse(r, reasonModeNotCORS)
		return
	}
	if !d.target.grant.credentials && len(r.Header["Cookie"]) > 0 || d.isWriteOpenToAll() && d.hasAmbientCredentials(r) {
		d.refuse(r, reasonCredentialsNotAllowed)
		return
	}
	d.outcome, d.reason = OutcomeGrant, reasonOriginAllowed
}

// matchOrigin finds the pattern, or else the source, that allows the origin.
func (d *Decision) matchOrigin(p *Plan, from *requestOrigin) bool {
	g := d.target.grant
	if d.matched = from.named; d.matched != 0 {
		return true
	}
	if ref, ok := g.origins.MatchParsed(from.raw, from.parsed); ok {
		d.matched = ref
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

// answerPreflight grants all that the procedure grants, whatever was asked
// for, so that one preflight serves every later call; the browser holds the
// call against it. What it will miss is recorded.
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

// requested holds the header names that a preflight asks for against the grant: those that it
// grants beyond its fixed list, each behind ", ", and those that it does not grant, separated by
// ", ". It is not ok where the list is malformed or too long; nothing more is granted then.
func (g *grant) requested(lines []string) (more, missing string, ok bool) {
	var asked [16]string
	names, ok := fetch.AppendRequested(asked[:0], lines)
	if !ok {
		return "", "", false
	}
	var lacking []string
	for i, name := range names {
		switch {
		case g.headers[name]:
		case slices.Contains(names[:i], name):
		case g.grants(name):
			more += ", " + name
		default:
			lacking = append(lacking, name)
		}
	}
	return more, strings.Join(lacking, ", "), true
}

// isCachedPreflight reports whether all that is asked for is known to be granted as it is.
func (g *grant) isCachedPreflight(lines []string) bool {
	if len(lines) != 1 {
		return false
	}
	for known := range g.preflights.All {
		if known.Value == lines[0] {
			known.Use()
			return true
		}
	}
	return false
}

// pass lets a request reach the handler that CORS does not apply to.
func (d *Decision) pass(reason reasonID) { d.outcome, d.reason = OutcomePass, reason }

// refuse keeps a request from the handler.
func (d *Decision) refuse(r *Request, reason reasonID) {
	d.outcome, d.reason = OutcomeRefuse, reason
	if d.target.kind == targetProcedure && !d.preflight {
		d.contentType = strings.Join(r.Header["Content-Type"], ",")
		d.format = rpc.FormatOf(r.Method, d.contentType)
	}
}

// passesInEachReading reports whether a GET or HEAD that names no origin would pass,
// whichever way its path is read.
func (p *Plan) passesInEachReading(r *Request, d *Decision) bool {
	return route.Clear == p.routes.Each(r.Path, r.EscapedPath, canBeCall(r), func(m route.Match[*target]) bool {
		if m.Kind == route.None {
			return true
		}
		if m.Split {
			return false
		}
		read := Decision{effect: effect{target: m.Value, safe: d.safe, upgrade: d.upgrade}}
		read.withoutOrigin(p, r)
		return read.outcome == OutcomePass
	})
}
