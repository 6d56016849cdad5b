package corsbrowser

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// preflightCache is the CORS-preflight cache
// (https://fetch.spec.whatwg.org/#concept-cache). The browser has one page, so
// that the network partition key and the origin are always the same.
type preflightCache struct {
	mu      sync.Mutex
	entries []cacheEntry
}

// cacheEntry is https://fetch.spec.whatwg.org/#cache-entry. Either its method or
// its header, a lower-case name, is empty.
type cacheEntry struct {
	url          string
	credentialed bool
	expires      time.Time
	method       string
	header       string
}

// matches is https://fetch.spec.whatwg.org/#concept-cache-match.
func (g cacheEntry) matches(e Engine, r *request, now time.Time) bool {
	if g.url != r.currentURL().String() || !now.Before(g.expires) {
		return false
	}
	include := r.credentials == Include
	return g.credentialed == include || g.credentialed && e.sharesGrantsAcrossCredentials
}

// wildcardCovers reports whether a "*" of the entry covers all names for the
// request, rather than being a name itself.
func (g cacheEntry) wildcardCovers(e Engine, r *request) bool {
	return e.reusesWildcard && r.credentials != Include && (!g.credentialed || e.wildcardOutlivesCredentials)
}

// methodMatches is https://fetch.spec.whatwg.org/#concept-cache-match-method.
func (c *preflightCache) methodMatches(e Engine, method string, r *request, now time.Time) bool {
	return slices.ContainsFunc(c.entries, func(g cacheEntry) bool {
		return g.method != "" && (g.method == method || g.method == "*" && g.wildcardCovers(e, r)) && g.matches(e, r, now)
	})
}

// headerNameMatches is https://fetch.spec.whatwg.org/#concept-cache-match-header.
func (c *preflightCache) headerNameMatches(e Engine, name string, r *request, now time.Time) bool {
	return slices.ContainsFunc(c.entries, func(g cacheEntry) bool {
		star := g.header == "*" && g.wildcardCovers(e, r) && (name != "authorization" || e.wildcardGrantsAuthorization)
		return g.header != "" && (g.header == name || star) && g.matches(e, r, now)
	})
}

// covers reports whether the cache grants the request, so that it needs no
// preflight (https://fetch.spec.whatwg.org/#concept-http-fetch).
func (c *preflightCache) covers(e Engine, r *request, unsafe []string, now time.Time) bool {
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

// store is steps 7.10 to 7.15 of https://fetch.spec.whatwg.org/#cors-preflight-fetch.
func (c *preflightCache) store(e Engine, r *request, granted grant, maxAge time.Duration, now time.Time) {
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
	entry := cacheEntry{url: url, credentialed: r.credentials == Include, expires: now.Add(maxAge)}
	put := func(g cacheEntry) {
		c.entries = slices.DeleteFunc(c.entries, func(old cacheEntry) bool {
			return old.url == g.url && old.credentialed == g.credentialed && old.method == g.method && old.header == g.header
		})
		c.entries = append(c.entries, g)
	}
	for _, method := range granted.methods {
		g := entry
		g.method = method
		put(g)
	}
	for _, header := range granted.headers {
		g := entry
		g.header = header
		put(g)
	}
}

// clear is https://fetch.spec.whatwg.org/#concept-cache-clear.
func (c *preflightCache) clear(r *request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clearLocked(r)
}

func (c *preflightCache) clearLocked(r *request) {
	url := r.currentURL().String()
	c.entries = slices.DeleteFunc(c.entries, func(g cacheEntry) bool { return g.url == url })
}
