package corsrpc

import (
	"iter"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// readableRefusals makes refusals readable for scripts (WithExplain). A browser does not send a
// call whose preflight fails, and its script learns nothing. So a preflight that the policy refuses
// is opened: its answer grants all that it asks for, once. The call then reaches the layer, which
// refuses it in a response that the script can read. The handler gets no request that it would not
// get without WithExplain.
//
// Only pages of explainable origins get such answers (Plan.explainable). It is safe for concurrent
// use.
type readableRefusals struct {
	mu     sync.Mutex                  // held to add a name
	opened atomic.Pointer[openedNames] // replaced as a whole; nil if no name was opened

	pages  map[string]openedPage // by origin; guarded by mu, as all below
	rules  *rules.Rules          // the policy of the latest request that used pages
	policy int                   // the number of changes of rules
}

// openedPage is the latest preflight that was opened for an origin.
type openedPage struct {
	policy int // readableRefusals.policy at that time; 0 if several policies have opened preflights
	at     time.Time
}

// Bounds on readableRefusals.pages.
const (
	maxOpenedPages = 64
	openedTime     = 10 * time.Second // from the preflight to the call
)

// openedNames holds the names of request headers that preflights were opened for, in lower case, by
// their canonical form. A call that has one of them needs its rule to grant it.
type openedNames map[string]string

// Bounds on openedNames.
const (
	maxOpenedNames = 64
	maxOpenedBytes = 64 // of a name
)

// readableAnswer is the answer to a request of an explainable origin that the policy refuses.
type readableAnswer struct {
	allowMethods, allowHeaders string // of the answer to a preflight
	stream                     bool   // the call is a stream of Connect, whose errors are in the body
}

// apply makes a decision readable if it refuses the request. It also refuses a call that a browser
// sends only because its preflight was opened. inner reports whether an outer layer has granted the
// call: that layer has then answered the preflight too.
func (o *readableRefusals) apply(p *Plan, d *Decision, r *Request, inner bool) {
	switch {
	case p.observes, d.origin == "", d.upgrade, d.outcome == OutcomeUntouched, d.outcome == OutcomePass:
	case d.preflight:
		if d.refused() && p.explainable(d.origin) {
			o.openPreflight(p, d, r)
		}
	case !isCORS(r):
		// The script cannot read any response to such a request.
	case d.refused():
		if p.explainable(d.origin) {
			o.blameHeader(d, r)
			d.makeReadable(r)
		}
	case inner:
	default:
		reason, missing := o.missing(d.target.grant, r)
		before := o.openedBefore(p, d.origin)
		if reason == reasonNone && before && !d.target.grant.credentials && len(r.Header["Cookie"]) > 0 {
			reason = reasonCredentialsNotAllowed // the preflight allowed cookies
		}
		if explained := p.explainable(d.origin); reason != reasonNone && (explained || before) {
			d.missing = missing
			d.refuse(r, reason)
			if explained {
				d.makeReadable(r)
			}
		}
	}
}

// openedBefore reports whether a preflight of an origin was opened under another policy than that of
// the plan, so recently that its call may still come.
func (o *readableRefusals) openedBefore(p *Plan, from string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.use(p)
	page, ok := o.pages[from]
	return ok && page.policy != o.policy && time.Since(page.at) < openedTime
}

// openPage notes that a preflight of an origin is opened. It is false if there are too many origins.
func (o *readableRefusals) openPage(p *Plan, from string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.use(p)
	maps.DeleteFunc(o.pages, func(_ string, page openedPage) bool { return time.Since(page.at) >= openedTime })
	page, ok := o.pages[from]
	switch {
	case !ok && len(o.pages) >= maxOpenedPages:
		return false
	case !ok:
		page.policy = o.policy
	case page.policy != o.policy:
		page.policy = 0
	}
	page.at = time.Now()
	if o.pages == nil {
		o.pages = map[string]openedPage{}
	}
	o.pages[strings.Clone(from)] = page
	return true
}

// use counts a change of the policy. The caller holds mu.
func (o *readableRefusals) use(p *Plan) {
	if o.rules != p.rules {
		o.rules = p.rules
		o.policy++
	}
}

// blameHeader replaces the reason of a refusal for an Authorization header that the script set and
// the rule does not grant. The policy cannot tell that header from one of a proxy, but the preflight
// of the script asked for it.
func (o *readableRefusals) blameHeader(d *Decision, r *Request) {
	if !d.unnamedAuthorization {
		return
	}
	if reason, missing := o.missing(d.target.grant, r); reason == reasonHeadersNotGranted {
		d.missing = missing
		d.refuse(r, reason)
	}
}

// isCORS reports whether the request mode is cors, or not known: browsers do not send the mode to
// servers that are not potentially trustworthy, and a proxy may repeat it.
func isCORS(r *Request) bool {
	mode := r.Header["Sec-Fetch-Mode"]
	return len(mode) != 1 || mode[0] == "cors"
}

// openPreflight turns the refusal of a preflight into an answer that lets the browser send the call.
// It keeps the refusal if a name is requested that the layer could not hold the call against, or if
// there are too many pages.
func (o *readableRefusals) openPreflight(p *Plan, d *Decision, r *Request) {
	g := d.target.grant
	more, ok := o.open(g, r.Header)
	if !ok || !o.openPage(p, d.origin) {
		return
	}
	answer := &readableAnswer{allowMethods: g.allowMethods, allowHeaders: strings.TrimPrefix(g.allowHeaders+more, ", ")}
	if requested, _ := preflightMethod(r); !slices.Contains(g.methods, requested) {
		answer.allowMethods = strings.TrimPrefix(g.allowMethods+", "+requested, ", ")
	}
	d.outcome, d.readable = OutcomePreflight, answer
}

// open adds the requested names that the rule does not grant to o.opened. It returns the requested
// names beyond the fixed list, each preceded by ", ". ok is false, and nothing is added, if one of
// them cannot be opened or there are too many.
func (o *readableRefusals) open(g *grant, header http.Header) (more string, ok bool) {
	lines := header["Access-Control-Request-Headers"]
	names, wellFormed := fetch.AppendRequested(nil, lines)
	if !wellFormed {
		if names, ok = fetch.AppendOverlong(nil, lines); !ok {
			return "", false
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if !wellFormed && !isOverlong(slices.Values(names)) {
		return "", false // the list repeats names, so the call does not show that it is too long
	}
	var missing []string
	for _, name := range names {
		if g.headers[name] {
			continue
		}
		more += ", " + name
		switch {
		case wellFormed && g.grants(name):
		case name == "content-type": // the call is held against its value
		case !canBeOpened(name), len(header[http.CanonicalHeaderKey(name)]) > 0: // a proxy adds it to all requests, this preflight included
			return "", false
		default:
			missing = append(missing, name)
		}
	}
	if !wellFormed {
		// The call has all names of the list, so one of them identifies it.
		missing = missing[:min(len(missing), 1)]
		if len(missing) == 0 {
			return "", false
		}
	}
	return more, o.add(missing)
}

// canBeOpened reports whether a call that was sent with a header of this lower-case name can be
// told from one without. Browsers and proxies add some headers themselves, and proxies drop others or
// act on them.
func canBeOpened(name string) bool {
	return len(name) <= maxOpenedBytes && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && // nginx drops other names
		!fetch.ForbiddenRequestHeader(name) && !fetch.ConnectionHeader(name) && !fetch.AddedInTransit(name) && !fetch.RewritesRequest(name)
}

// add adds names to o.opened, all or none. It reports whether o.opened has all of them.
func (o *readableRefusals) add(names []string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	opened := openedNames{}
	if known := o.opened.Load(); known != nil {
		opened = maps.Clone(*known)
	}
	for _, name := range names {
		opened[http.CanonicalHeaderKey(name)] = name
	}
	if len(opened) > maxOpenedNames {
		return false
	}
	if len(names) > 0 {
		o.opened.Store(&opened)
	}
	return true
}

// missing returns the reason why the browser would not send this call without WithExplain, since
// its preflight would be refused, and the method or the header names that the rule does not grant.
// The reason is reasonNone if it would send the call.
func (o *readableRefusals) missing(g *grant, r *Request) (reason reasonID, missing string) {
	if !fetch.SafelistedMethod(r.Method) && !slices.Contains(g.methods, r.Method) {
		return reasonMethodNotGranted, r.Method
	}
	var names []string
	large := isLarge(r.Header)
	if !g.grants("content-type") && needsPreflight("content-type", r.Header["Content-Type"], large) {
		names = append(names, "content-type")
	}
	if opened := o.opened.Load(); opened != nil {
		has := false
		for canonical, name := range *opened {
			lines := r.Header[canonical]
			if !needsPreflight(name, lines, large) {
				continue
			}
			has = true
			if !g.grants(name) {
				names = append(names, name)
			}
		}
		if has && isOverlong(maps.Keys(r.Header)) {
			return reasonRequestedHeadersMalformed, ""
		}
	}
	if len(names) == 0 {
		return reasonNone, ""
	}
	slices.Sort(names)
	return reasonHeadersNotGranted, strings.Join(names, ", ")
}

// needsPreflight reports whether a line of a header is not CORS-safelisted. It is false for a header
// without lines. large is the result of isLarge for the request.
func needsPreflight(name string, lines []string, large bool) bool {
	return large && len(lines) > 0 || slices.ContainsFunc(lines, func(value string) bool { return !fetch.SafelistedRequestHeader(name, value) })
}

// maxSafelistedBytes is the maximum size of the values of all CORS-safelisted request-headers that
// need no preflight.
//
// See https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names.
const maxSafelistedBytes = 1024

// isLarge reports whether the values of the headers that can be CORS-safelisted exceed
// maxSafelistedBytes, so that each of these headers needs a preflight.
func isLarge(header http.Header) bool {
	size := 0
	for _, name := range []string{"Accept", "Accept-Language", "Content-Language", "Content-Type", "Range"} {
		for _, value := range header[name] {
			size += len(value)
		}
	}
	return size > maxSafelistedBytes
}

// isOverlong reports whether the names of the headers that a script may have set exceed the bounds
// on Access-Control-Request-Headers. The names may be in any letter case.
func isOverlong(names iter.Seq[string]) bool {
	count, size := 0, 0
	for name := range names {
		name = fetch.Lower(name)
		if fetch.ForbiddenRequestHeader(name) || fetch.AddedInTransit(name) {
			continue
		}
		count++
		size += len(name) + len(",")
	}
	return count > fetch.MaxRequestedNames || size-1 > fetch.MaxRequestedBytes
}

// makeReadable makes the refusal of a call readable for the script, in the error format of its
// protocol.
func (d *Decision) makeReadable(r *Request) {
	d.readable = &readableAnswer{}
	if d.outcome == OutcomeMethodNotAllowed || d.target.kind == targetPath {
		return
	}
	d.contentType = strings.Join(r.Header["Content-Type"], ",")
	d.format = rpc.FormatOf(r.Method, d.contentType)
	if d.target.kind == targetAmbiguous && r.Method == http.MethodGet && !rpc.IsGetCall(r.Query) {
		d.format = rpc.FormatText
	}
	d.readable.stream = d.format == rpc.FormatConnect && rpc.IsConnectStream(d.contentType)
}

// readableReply returns the status and the body of a refusal that the script can read. RPC clients
// read the error of a stream, and that of gRPC-Web, from a response with status 200 only.
//
// See https://connectrpc.com/docs/protocol#error-end-stream.
func (d *Decision) readableReply() (status int, body string) {
	switch texts := d.texts(); {
	case d.format == rpc.FormatGRPC:
		return http.StatusOK, ""
	case d.readable.stream:
		return http.StatusOK, rpc.ConnectEndStream(`{"error":` + texts.connect + `}`)
	case d.format == rpc.FormatConnect:
		return http.StatusForbidden, texts.connect
	default:
		return http.StatusForbidden, texts.plain
	}
}

// applyOpened writes the fields of the answer to an opened preflight. It is for one call: engines
// reuse every other Access-Control-Max-Age than 0.
func (d *Decision) applyOpened(f *headerWriter) {
	f.set("Access-Control-Allow-Methods", d.readable.allowMethods)
	if d.readable.allowHeaders != "" {
		f.set("Access-Control-Allow-Headers", d.readable.allowHeaders)
	}
	f.set("Access-Control-Max-Age", "0")
	d.applyReader(f)
}

// applyReadable writes the fields that let the script read a refusal: its body, its status for
// gRPC-Web, and the reason.
func (d *Decision) applyReadable(f *headerWriter) {
	value := string(d.Reason())
	if remedy := d.explanation(); remedy != "" {
		value += "; " + remedy
	}
	f.set(reasonHeader, value)
	exposed := strings.ToLower(reasonHeader)
	if d.format == rpc.FormatGRPC {
		exposed += ", grpc-message, grpc-status"
	}
	f.set("Access-Control-Expose-Headers", exposed)
	d.applyReader(f)
}

// reasonHeader is the header field that carries the reason and the remedy of a readable refusal.
const reasonHeader = "Corsrpc-Reason"

// applyReader writes the fields that let the request's origin read a response of the layer, with
// and without credentials. The response holds no data of the handler.
func (d *Decision) applyReader(f *headerWriter) {
	f.set("Access-Control-Allow-Origin", d.origin)
	f.set("Access-Control-Allow-Credentials", "true")
}

// explainable reports whether pages of an origin belong to the developers of the service, so that
// they may learn why they are refused. These are loopback pages, and pages whose origin a rule of
// the policy names or matches by a pattern that pages of unrelated owners do not have. An origin
// source does not make its origins explainable.
func (p *Plan) explainable(raw string) bool {
	parsed, ok := origin.Parse(raw)
	return ok && (parsed.IsLoopback() || p.namedPattern(raw, parsed) != "")
}

// ownerOf returns what makes an origin explainable: the origin itself if a rule names it, or else a
// pattern that matches it, or else loopbackOwner. It is empty if the origin is not explainable.
// Clients can invent any number of origins, but not of owners.
func (p *Plan) ownerOf(raw string) string {
	parsed, ok := origin.Parse(raw)
	if !ok {
		return ""
	}
	if pattern := p.namedPattern(raw, parsed); pattern != "" || !parsed.IsLoopback() {
		return pattern
	}
	return loopbackOwner
}

// loopbackOwner is the owner of loopback origins that no rule names or matches. It is not a pattern.
const loopbackOwner = "loopback"

// namedPattern returns the pattern that makes an origin explainable; the origin itself if a rule
// names it. It is empty if there is none.
func (p *Plan) namedPattern(raw string, parsed origin.Parsed) (pattern string) {
	for _, set := range p.namedOrigins() {
		if found, ok := set.Owner(raw, parsed); ok && (pattern == "" || found == raw) {
			pattern = found
		}
	}
	return pattern
}

// Bounds of mergedSets.
const (
	maxMerged   = 1000 // the number of patterns from which on a set is large
	maxUnmerged = 8    // the number of large sets that are not merged
)

// mergedSets returns sets that match together what the given sets match. It leaves a few large sets
// as they are and merges the others, so that a policy with thousands of rules takes few lookups.
func mergedSets(sets []*origin.Set) (merged []*origin.Set) {
	var patterns []origin.Pattern
	seen := map[string]bool{} // a profile adds the same origins to many rules
	for _, set := range sets {
		if set.Len() > maxMerged && len(merged) < maxUnmerged {
			merged = append(merged, set)
			continue
		}
		for _, text := range set.Patterns().All {
			if seen[text] {
				continue
			}
			seen[text] = true
			pattern, _ := origin.ParsePattern(text)
			patterns = append(patterns, pattern)
		}
	}
	return append(merged, origin.NewSet(patterns))
}
