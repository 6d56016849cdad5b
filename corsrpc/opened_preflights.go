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
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// openedPreflights holds what the layer has to remember of the preflights that it opened, so that
// their calls do not reach the handler. It is safe for concurrent use.
type openedPreflights struct {
	mu    sync.Mutex                  // held to add a name
	names atomic.Pointer[openedNames] // replaced as a whole; nil if no name was opened

	pages  map[string]openedPage // by origin; guarded by mu, as all below
	rules  *rules.Rules          // the policy of the latest request that used pages
	policy int                   // the number of changes of rules
}

// openedPage is the latest preflight that was opened for an origin.
type openedPage struct {
	policy int // openedPreflights.policy at that time; 0 if several policies have opened preflights
	at     time.Time
}

// Bounds on openedPreflights.pages.
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

// before reports whether a preflight of an origin was opened under another policy than that of
// the plan, so recently that its call may still come.
func (o *openedPreflights) before(p *Plan, from string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.use(p)
	page, ok := o.pages[from]
	return ok && page.policy != o.policy && time.Since(page.at) < openedTime
}

// openPage notes that a preflight of an origin is opened. It is false if there are too many origins.
func (o *openedPreflights) openPage(p *Plan, from string) bool {
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
func (o *openedPreflights) use(p *Plan) {
	if o.rules != p.rules {
		o.rules = p.rules
		o.policy++
	}
}

// open adds the requested names that the rule does not grant to o.names. It returns the requested
// names beyond the fixed list, each preceded by ", ". ok is false, and nothing is added, if one of
// them cannot be opened or there are too many.
func (o *openedPreflights) open(g *grant, header http.Header) (more string, ok bool) {
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
		if g.granted.InFixedList(name) {
			continue
		}
		more += ", " + name
		switch {
		case wellFormed && g.granted.Grants(name):
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

// add adds names to o.names, all or none. It reports whether o.names has all of them.
func (o *openedPreflights) add(names []string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	opened := openedNames{}
	if known := o.names.Load(); known != nil {
		opened = maps.Clone(*known)
	}
	for _, name := range names {
		opened[http.CanonicalHeaderKey(name)] = name
	}
	if len(opened) > maxOpenedNames {
		return false
	}
	if len(names) > 0 {
		o.names.Store(&opened)
	}
	return true
}

// missing returns the reason why the browser would not send this call without WithExplain, since
// its preflight would be refused, and the method or the header names that the rule does not grant.
// The reason is reasonNone if it would send the call.
func (o *openedPreflights) missing(g *grant, r *Request) (reason reasonID, missing string) {
	if !fetch.SafelistedMethod(r.Method) && !slices.Contains(g.methods, r.Method) {
		return reasonMethodNotGranted, r.Method
	}
	var names []string
	large := isLarge(r.Header)
	if !g.granted.Grants("content-type") && needsPreflight("content-type", r.Header["Content-Type"], large) {
		names = append(names, "content-type")
	}
	if opened := o.names.Load(); opened != nil {
		has := false
		for canonical, name := range *opened {
			lines := r.Header[canonical]
			if !needsPreflight(name, lines, large) {
				continue
			}
			has = true
			if !g.granted.Grants(name) {
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
