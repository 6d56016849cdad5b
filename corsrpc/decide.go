package corsrpc

import (
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// Request is what a decision depends on: the parts of an http.Request that a
// browser's or a proxy's CORS behaviour shows in.
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
	// TLS says that the request is known to have come over TLS.
	TLS bool
	// Header holds the request's header fields under canonical names. It is
	// only read, and not kept.
	Header http.Header
}

// RequestOf returns what a decision needs of an http.Request. It shares the
// request's header.
func RequestOf(r *http.Request) Request {
	return Request{
		Method: r.Method, Host: r.Host, Path: r.URL.Path, EscapedPath: r.URL.RawPath,
		TLS: r.TLS != nil, Header: r.Header,
	}
}

// Decide says what becomes of a request. It depends on the plan and the
// request only (and on the time, for a source with a SourceMaxAge), changes
// nothing, and is safe for concurrent use.
//
// The rows are those of the table in the documentation, top down; the first
// that fits decides.
func (p *Plan) Decide(r Request) Decision {
	d := p.decide(r)
	d.observed = p.observes && d.Refused()
	return d
}

// decide is Decide for a policy that is enforced.
func (p *Plan) decide(r Request) Decision {
	t := p.find(&r)
	if t.kind == targetNone {
		return Decision{outcome: OutcomeUntouched, reason: ReasonNotGoverned}
	}
	return p.decideOn(t, &r, isUpgrade(&r))
}

// decideOn decides on a request for a target.
func (p *Plan) decideOn(t target, r *Request, upgrade bool) Decision {
	d := Decision{target: t, method: r.Method, upgrade: upgrade}
	if t.grant == nil { // unclear
		d.target.grant = p.nothing
	}

	// An Origin that no browser sends is nobody's: whoever reads it next, a
	// proxy or the handler, might read it otherwise.
	origins := r.Header["Origin"]
	var from origin.Parsed
	if len(origins) > 0 {
		if len(origins) > 1 {
			return d.refuse(r, ReasonOriginRepeated)
		}
		var ok bool
		if from, ok = origin.Parse(origins[0]); !ok {
			return d.refuse(r, ReasonOriginMalformed)
		}
		d.origin = origins[0]
	}

	// Same origin, or no browser. Sec-Fetch-Site comes from the browser itself
	// (no script can set it), so it counts for more than a comparison with a
	// Host that a proxy may have changed.
	switch site := r.Header["Sec-Fetch-Site"]; {
	case len(site) == 1 && (site[0] == "same-origin" || site[0] == "none"):
		return d.pass(ReasonSameOrigin)
	case len(site) > 0:
	case len(origins) == 0:
		return d.pass(ReasonNoOrigin) // another server, a command line
	case from.SameHost(r.Host, r.TLS):
		return d.pass(ReasonSameOrigin)
	}
	if len(origins) == 0 {
		return d.withoutOrigin(r)
	}
	if t.kind == targetUnclear {
		return d.refuse(r, ReasonPathNotCanonical)
	}
	return d.crossOrigin(p, r)
}

// withoutOrigin decides on what a browser sends from elsewhere without naming
// its origin: images, links, frames, no-cors GETs. CORS does not guard these.
func (d Decision) withoutOrigin(r *Request) Decision {
	g := d.target.grant
	safe := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case d.target.kind == targetUnclear:
		return d.refuse(r, ReasonPathNotCanonical)
	case g.disabled:
		return d.refuse(r, ReasonDisabled)
	case !safe, d.upgrade: // and a browser's handshake names its origin
		return d.refuse(r, ReasonOriginMissing)
	case d.target.kind == targetProcedure && !g.anyOrigin:
		return d.refuse(r, ReasonOriginMissing)
	case d.target.kind == targetPath && g.credentials && !isOne(r.Header["Sec-Fetch-Mode"], "navigate"):
		return d.refuse(r, ReasonOriginMissing)
	}
	return d.pass(ReasonOpenToAll)
}

// crossOrigin decides on preflights and calls that name another origin.
func (d Decision) crossOrigin(p *Plan, r *Request) Decision {
	g := d.target.grant
	if requested, ok := preflightMethod(r); ok {
		d.preflight = true
		if g.disabled {
			return d.refuse(r, ReasonDisabled)
		}
		if !d.matchOrigin(p) {
			return d.refuse(r, ReasonOriginNotAllowed)
		}
		return d.answerPreflight(r, requested)
	}
	if g.disabled {
		return d.refuse(r, ReasonDisabled)
	}
	if !d.matchOrigin(p) {
		return d.refuse(r, ReasonOriginNotAllowed)
	}
	if d.upgrade {
		// A handshake carries cookies whoever starts it, and no CORS check
		// follows: only an origin that may use them gets through.
		if !g.credentials {
			return d.refuse(r, ReasonCredentialsNotAllowed)
		}
		return d.pass(ReasonOriginAllowed)
	}
	if d.target.kind == targetProcedure {
		// A granted call is made in mode cors, with cookies only where they are
		// allowed; another one was made around the preflight.
		if mode := r.Header["Sec-Fetch-Mode"]; len(mode) > 0 && !isOne(mode, "cors") {
			return d.refuse(r, ReasonModeNotCORS)
		}
		if len(r.Header["Cookie"]) > 0 && !g.credentials {
			return d.refuse(r, ReasonCredentialsNotAllowed)
		}
	} else if !slices.Contains(g.methods, r.Method) {
		d.outcome, d.reason = OutcomeMethodNotAllowed, ReasonMethodNotAllowed
		return d
	}
	d.outcome, d.reason = OutcomeGrant, ReasonOriginAllowed
	return d
}

// matchOrigin finds the pattern, or else the source, that allows the origin.
func (d *Decision) matchOrigin(p *Plan) bool {
	g := d.target.grant
	if i, ok := g.origins.Match(d.origin); ok {
		d.matched = i + 1
		return true
	}
	for _, name := range g.sources {
		if p.sets[name].allows(d.origin) {
			d.source = name
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
func (d Decision) answerPreflight(r *Request, requested string) Decision {
	g := d.target.grant
	d.outcome, d.reason, d.allowHeaders = OutcomePreflight, ReasonOriginAllowed, g.allowHeaders
	var asked [16]string
	names, ok := fetch.AppendRequested(asked[:0], r.Header["Access-Control-Request-Headers"])
	if !ok {
		d.reason = ReasonRequestedHeadersMalformed
		names = nil
	}
	var missing []string
	var extra strings.Builder
	for i, name := range names {
		switch {
		case g.headers[name]:
		case slices.Contains(names[:i], name):
		case g.grants(name):
			extra.WriteString(", " + name)
		default:
			missing = append(missing, name)
		}
	}
	if extra.Len() > 0 {
		d.allowHeaders = strings.TrimPrefix(d.allowHeaders+extra.String(), ", ")
	}
	switch {
	case !slices.Contains(g.methods, requested) && !safelistedMethod(requested):
		d.reason, d.missing = ReasonMethodNotGranted, requested
	case len(missing) > 0:
		d.reason, d.missing = ReasonHeadersNotGranted, strings.Join(missing, ", ")
	}
	return d
}

// safelistedMethod reports whether browsers send the method without a grant
// (https://fetch.spec.whatwg.org/#cors-safelisted-method).
func safelistedMethod(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodPost
}

// pass lets a request reach the handler that CORS does not apply to.
func (d Decision) pass(reason Reason) Decision {
	d.outcome, d.reason = OutcomePass, reason
	return d
}

// refuse keeps a request from the handler.
func (d Decision) refuse(r *Request, reason Reason) Decision {
	if _, ok := preflightMethod(r); ok {
		d.preflight = true
	}
	d.outcome, d.reason = OutcomeRefuse, reason
	if contentType := r.Header["Content-Type"]; d.target.kind == targetProcedure && !d.preflight {
		d.contentType = strings.Join(contentType, ",")
		d.format = rpc.FormatOf(r.Method, d.contentType)
	}
	return d
}

// preflightMethod returns the method that a preflight asks for; any other
// OPTIONS request is a call.
//
// See https://fetch.spec.whatwg.org/#cors-preflight-request.
func preflightMethod(r *Request) (string, bool) {
	if r.Method != http.MethodOptions || len(r.Header["Origin"]) == 0 {
		return "", false
	}
	method := r.Header["Access-Control-Request-Method"]
	if len(method) != 1 || !fetch.IsToken(method[0]) {
		return "", false
	}
	return method[0], true
}

// isUpgrade reports whether the request asks to leave HTTP semantics
// (RFC 9110, section 7.8; RFC 8441), as WebSocket handshakes do.
func isUpgrade(r *Request) bool {
	return r.Method == http.MethodConnect || r.Method == http.MethodGet && len(r.Header["Upgrade"]) > 0
}

// isOne reports whether a header has one line, and it is the value.
func isOne(lines []string, value string) bool { return len(lines) == 1 && lines[0] == value }
