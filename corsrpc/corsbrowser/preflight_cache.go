package corsbrowser

import (
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// preflightCache is the CORS-preflight cache
// (https://fetch.spec.whatwg.org/#concept-cache). Its keys hold neither the network
// partition key nor the origin, since a Browser has only one page.
type preflightCache struct {
	mu      sync.Mutex
	entries map[cacheEntry]time.Time // the time at which each expires
}

// cacheEntry is a cache entry (https://fetch.spec.whatwg.org/#cache-entry) without
// its max-age. It is for a method, or for a header name in lower case.
type cacheEntry struct {
	url          string
	credentialed bool
	isHeader     bool
	name         string
}

// matches reports whether the cache has a live entry for the wanted method or
// header, or for "*". It implements
// https://fetch.spec.whatwg.org/#concept-cache-match-method and
// https://fetch.spec.whatwg.org/#concept-cache-match-header.
func (c *preflightCache) matches(e Engine, r *request, wanted cacheEntry, now time.Time) bool {
	include := r.credentials == Include
	for _, credentialed := range []bool{false, true} {
		if credentialed != include && !(credentialed && e.sharesGrantsAcrossCredentials) {
			continue
		}
		wanted.credentialed = credentialed
		wildcard := wanted
		wildcard.name = "*"
		if c.isLive(wanted, now) || e.reusesWildcard && !include && (!credentialed || e.wildcardOutlivesCredentials) &&
			(!wanted.isHeader || wanted.name != "authorization" || e.wildcardGrantsAuthorization) && c.isLive(wildcard, now) {
			return true
		}
	}
	return false
}

// isLive reports whether the cache has the entry and the entry has not expired.
func (c *preflightCache) isLive(g cacheEntry, now time.Time) bool {
	expires, ok := c.entries[g]
	return ok && now.Before(expires)
}

// covers reports whether the cache covers the method and all unsafe headers of the
// request, which then needs no preflight
// (https://fetch.spec.whatwg.org/#concept-http-fetch).
func (c *preflightCache) covers(e Engine, r *request, unsafe []string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	url := r.currentURL().String()
	safe := fetch.SafelistedMethod(r.method) && !r.useCORSPreflight && (r.method != http.MethodHead || e.headNeedsNoGrant)
	covered := safe || c.matches(e, r, cacheEntry{url: url, name: r.method}, now)
	for _, name := range unsafe {
		covered = covered && c.matches(e, r, cacheEntry{url: url, isHeader: true, name: name}, now)
	}
	if !covered && e.dropsGrantOnMiss {
		c.clearLocked(r)
	}
	return covered
}

// store implements steps 7.10 to 7.15 of https://fetch.spec.whatwg.org/#cors-preflight-fetch.
func (c *preflightCache) store(e Engine, r *request, granted grant, maxAge time.Duration, now time.Time) {
	entry := cacheEntry{url: r.currentURL().String(), credentialed: r.credentials == Include}
	if e.maxCachedURL > 0 && len(entry.url) > e.maxCachedURL || maxAge <= 0 {
		return
	}
	maxAge = e.capped(maxAge)
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.replacesCachedGrant {
		c.clearLocked(r)
	}
	if c.entries == nil {
		c.entries = map[cacheEntry]time.Time{}
	}
	expires := now.Add(maxAge)
	for _, entry.name = range granted.methods {
		c.entries[entry] = expires
	}
	entry.isHeader = true
	for _, entry.name = range granted.headers {
		c.entries[entry] = expires
	}
}

// clear implements https://fetch.spec.whatwg.org/#concept-cache-clear.
func (c *preflightCache) clear(r *request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clearLocked(r)
}

// clearLocked is clear for a caller that holds mu.
func (c *preflightCache) clearLocked(r *request) {
	url := r.currentURL().String()
	maps.DeleteFunc(c.entries, func(g cacheEntry, _ time.Time) bool { return g.url == url })
}
