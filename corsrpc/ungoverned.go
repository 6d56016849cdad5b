package corsrpc

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rules"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// ungovernedRequests reports preflights and cross-origin calls that no rule governs and that come
// back without an answer for the browser. Those of explainable origins are reported with the rule to
// write; all others are counted. It is safe for concurrent use, and its memory is bounded.
type ungovernedRequests struct {
	others  atomic.Int64 // all requests that were counted
	counted atomic.Int64 // those since the last log line about them

	mu    sync.Mutex
	rules *rules.Rules              // the policy that the remedies are about
	paths map[ungovernedPath]string // the remedy for each path that was reported
}

// ungovernedPath identifies requests with the same remedy: the origin, the method that a preflight
// asks for or that a call has, and the path; or else a path prefix that the layer does not have.
type ungovernedPath struct{ origin, method, path string }

const (
	maxUngovernedPaths = 100
	// ungovernedPeriod is the time after which the paths are reported again if there are too many, so
	// that invented paths do not hide others permanently.
	ungovernedPeriod = time.Hour
)

// newUngoverned returns an empty ungovernedRequests if the log or an observer of the layer wants it,
// and nil otherwise.
func newUngoverned(l *Layer) *ungovernedRequests {
	if l.log == nil && !l.observers.want(EventUngoverned) {
		return nil
	}
	return &ungovernedRequests{paths: map[ungovernedPath]string{}}
}

// UngovernedOthers returns the number of preflights and cross-origin calls that no rule governed and
// that came back without CORS fields, apart from those that an EventUngoverned reported. They are
// requests of origins that no rule names, and requests beyond the number of paths that are reported. It
// is 0 if the layer has neither a logger nor an observer of EventUngoverned.
func (l *Layer) UngovernedOthers() int64 {
	if l.ungoverned == nil {
		return 0
	}
	return l.ungoverned.others.Load()
}

// passUngoverned passes a request that no rule governs to the handler, and reports it if its page gets
// no answer. The layer does not wrap the writer of such a request, so it does not know the status of
// the response.
func (l *Layer) passUngoverned(w http.ResponseWriter, r *http.Request, request *Request, plan *Plan, next http.Handler) {
	if l.ungoverned == nil || !isCrossOriginFetch(request) || isWrapped(w) {
		next.ServeHTTP(w, r)
		return
	}
	q := ungovernedRequest{plan: plan, from: request.Header["Origin"][0], method: request.Method}
	if asked, ok := preflightMethod(request); ok {
		q.method, q.preflight = asked, true
	}
	cookies := len(request.Header["Cookie"]) > 0
	next.ServeHTTP(w, r)
	q.answered = allowsOrigin(w.Header(), q.from, cookies)
	if q.answered && !plan.observes || l.plan.Load().rules != plan.rules {
		return // after a reload, another rule may apply
	}
	l.ungoverned.report(r.Context(), l, request, q)
}

// ungovernedRequest describes a preflight or a cross-origin call that no rule governs. It does not hold
// the Request, which would then be allocated.
type ungovernedRequest struct {
	plan      *Plan
	from      string // the request's Origin header
	method    string // of the call; the one that a preflight asks for
	preflight bool
	answered  bool // the handler or another middleware allows the page to read the response
}

// isCrossOriginFetch reports whether a request that no rule governs is a preflight or a call in mode
// cors of a page on another origin, by the same evidence as decideOn.
func isCrossOriginFetch(r *Request) bool {
	origins, site := r.Header["Origin"], r.Header["Sec-Fetch-Site"]
	if len(origins) != 1 || isUpgrade(r) || !isCORS(r) {
		return false
	}
	if len(site) > 0 {
		return !hasOnly(site, "same-origin") && !hasOnly(site, "none")
	}
	from, ok := origin.Parse(origins[0])
	return ok && !from.SameHost(r.Host, r.TLS)
}

// allowsOrigin reports whether the header of a response allows a page to read it. A call with cookies
// has credentials, for which a response to everyone does not do.
//
// See https://fetch.spec.whatwg.org/#concept-cors-check.
func allowsOrigin(header http.Header, from string, credentials bool) bool {
	lines := fieldOf(header, "Access-Control-Allow-Origin")
	if !credentials {
		return hasOnly(lines, "*") || hasOnly(lines, from)
	}
	return hasOnly(lines, from) && hasOnly(fieldOf(header, "Access-Control-Allow-Credentials"), "true")
}

// fieldOf returns the lines of a field of a response. The name that the handler has written may be in
// any letter case.
func fieldOf(header http.Header, name string) []string {
	if lines, ok := header[name]; ok {
		return lines
	}
	for key, lines := range header {
		if len(key) == len(name) && strings.EqualFold(key, name) {
			return lines
		}
	}
	return nil
}

// report reports a request, or counts it.
func (u *ungovernedRequests) report(ctx context.Context, l *Layer, r *Request, q ungovernedRequest) {
	remedy, first, ok := "", false, false
	if q.plan.explainable(q.from) {
		remedy, first, ok = u.remedyOf(r, q)
	}
	if !ok {
		if !q.answered {
			u.count(l)
		}
		return
	}
	if first && l.log != nil {
		l.log.ungoverned(ctx, r.Path, q, remedy)
	}
	if l.observers.want(EventUngoverned) {
		d := Decision{effect: effect{target: ungoverned}, reason: reasonNotGoverned}
		l.observers.observe(ctx, Event{Kind: EventUngoverned, Decision: d, Request: *r, Remedy: remedy, Answered: q.answered})
	}
}

// remedyOf returns the remedy of a request, and whether its path is reported for the first time. It is
// false if there are too many paths.
func (u *ungovernedRequests) remedyOf(r *Request, q ungovernedRequest) (remedy string, first, ok bool) {
	key := ungovernedPath{q.from, q.method, r.Path}
	prefix, below := "", false
	if canBeCall(r) {
		if prefix, below = q.plan.missingPrefix(r.Path); below {
			key = ungovernedPath{path: prefix}
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.rules != q.plan.rules {
		u.rules = q.plan.rules
		clear(u.paths)
	}
	if remedy, ok = u.paths[key]; ok {
		return remedy, false, true
	}
	if len(u.paths) >= maxUngovernedPaths || len(q.from)+len(q.method)+len(r.Path) > route.MaxPath {
		return "", false, false
	}
	if below {
		prefix = strconv.Quote(safetext.Sample(prefix))
		remedy = "give the layer WithPathPrefix(" + prefix + "), or put it inside of http.StripPrefix; for corsrpc gateway and corsrpc extproc, write --path-prefix " + prefix +
			", or path_prefixes into the virtual host"
	} else {
		remedy = q.plan.remedyOfUngoverned(r, q)
	}
	u.paths[ungovernedPath{strings.Clone(key.origin), strings.Clone(key.method), strings.Clone(key.path)}] = remedy
	if len(u.paths) == maxUngovernedPaths {
		time.AfterFunc(ungovernedPeriod, u.forget)
	}
	return remedy, true, true
}

// forget forgets the paths that were reported.
func (u *ungovernedRequests) forget() {
	u.mu.Lock()
	defer u.mu.Unlock()
	clear(u.paths)
}

// count counts a request. A minute after the first one, the number is logged.
func (u *ungovernedRequests) count(l *Layer) {
	u.others.Add(1)
	if l.log != nil && u.counted.Add(1) == 1 {
		time.AfterFunc(time.Minute, func() {
			l.log.Write(context.Background(), slog.LevelInfo, "corsrpc: cross-origin requests that no rule governs, and that are not logged one by one, came back without CORS headers in the last minute",
				slog.Int64("count", u.counted.Swap(0)))
		})
	}
}

// ungoverned logs a request that no rule governs.
func (l *eventLog) ungoverned(ctx context.Context, path string, q ungovernedRequest, remedy string) {
	message := "corsrpc: no rule governs a cross-origin call, so its page cannot read the response; logged once for each path"
	switch {
	case q.answered:
		message = "corsrpc: no rule governs a cross-origin request, which the handler or another CORS middleware answers; logged once for each path"
	case q.preflight:
		message = "corsrpc: no rule governs a preflight, so the browser will not send the call; logged once for each path"
	}
	l.Write(ctx, slog.LevelWarn, message, slog.String("origin", safetext.Sample(q.from)), slog.String("method", safetext.Sample(q.method)),
		slog.String("path", safetext.Sample(path)), slog.String("remedy", remedy))
}
