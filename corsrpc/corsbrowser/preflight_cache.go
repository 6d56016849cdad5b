package corsbrowser

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// grants is the CORS-preflight cache
// (https://fetch.spec.whatwg.org/#concept-cache). The browser has one page, so
// that the network partition key and the origin are always the same.
type grants struct {
	mu      sync.Mutex
	entries []grant
}

// grant is https://fetch.spec.whatwg.org/#cache-entry: for a method or for a
// header name.
type grant struct {
	url          string
	credentialed bool
	expires      time.Time
	method       string
	header       string
}

// matches is https://fetch.spec.whatwg.org/#concept-cache-match.
func (g grant) matches(e Engine, r *request, now time.Time) bool {
	if g.url != r.currentURL().String() || !now.Before(g.expires) {
		return false
	}
	include := r.credentials == Include
	return g.credentialed == include || g.credentialed && e.sharesGrantsAcrossCredentials
}

// wildcardCovers reports whether the entry's "*" is one for the request.
func (g grant) wildcardCovers(e Engine, r *request) bool {
	return e.reusesWildcard && r.credentials != Include && (!g.credentialed || e.wildcardOutlivesCredentials)
}

// methodMatches is https://fetch.spec.whatwg.org/#concept-cache-match-method.
func (c *grants) methodMatches(e Engine, method string, r *request, now time.Time) bool {
	return slices.ContainsFunc(c.entries, func(g grant) bool {
		return g.method != "" && (g.method == method || g.method == "*" && g.wildcardCovers(e, r)) && g.matches(e, r, now)
	})
}

// headerNameMatches is https://fetch.spec.whatwg.org/#concept-cache-match-header.
func (c *grants) headerNameMatches(e Engine, name string, r *request, now time.Time) bool {
	return slices.ContainsFunc(c.entries, func(g grant) bool {
		star := g.header == "*" && g.wildcardCovers(e, r) && (name != "authorization" || e.wildcardGrantsAuthorization)
		return g.header != "" && (g.header == name || star) && g.matches(e, r, now)
	})
}

// cover reports whether no preflight is needed for the request.
func (c *grants) cover(e Engine, r *request, unsafe []string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	safe := fetch.SafelistedMethod(r.method) && !r.useCORSPreflight && (r.method != http.MethodHead || e.headNeedsNoGrant)
	covered := safe || c.methodMatches(e, r.method, r, now)
	for _, name := range unsafe {
		covered = covered && c.headerNameMatches(e, name, r, now)
	}
	if !covered && e.dropsGrantOnMiss {
		c.clearLocked(r)
	}
	return covered
}

// store is steps 7 to 10 of https://fetch.spec.whatwg.org/#cors-preflight-fetch.
func (c *grants) store(e Engine, r *request, methods, headers []string, maxAge time.Duration, now time.Time) {
	url := r.currentURL().String()
	if e.maxCachedURL > 0 && len(url) > e.maxCachedURL || maxAge <= 0 {
		return
	}
	if e.maxMaxAge > 0 {
		maxAge = min(maxAge, e.maxMaxAge)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.replacesCachedGrant {
		c.clearLocked(r)
	}
	entry := grant{url: url, credentialed: r.credentials == Include, expires: now.Add(maxAge)}
	put := func(g grant) {
		c.entries = slices.DeleteFunc(c.entries, func(old grant) bool {
			return old.url == g.url && old.credentialed == g.credentialed && old.method == g.method && old.header == g.header
		})
		c.entries = append(c.entries, g)
	}
	for _, method := range methods {
		g := entry
		g.method = method
		put(g)
	}
	for _, header := range headers {
		g := entry
		g.header = header
		put(g)
	}
}

// clear is https://fetch.spec.whatwg.org/#concept-cache-clear.
func (c *grants) clear(r *request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clearLocked(r)
}

func (c *grants) clearLocked(r *request) {
	url := r.currentURL().String()
	c.entries = slices.DeleteFunc(c.entries, func(g grant) bool { return g.url == url })
}
