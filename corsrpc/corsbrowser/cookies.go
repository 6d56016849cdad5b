package corsbrowser

import (
	"net/http"
	"strings"
	"sync"
)

// cookies holds the browser's cookies: a jar, and their SameSite attributes, since
// an http.CookieJar does not return attributes.
type cookies struct {
	jar http.CookieJar

	mu       sync.Mutex
	sameSite map[string]http.SameSite // by domain and name; the last one set, if cookies differ only by path
}

// store adds the cookies of a response to the jar. It implements the part of
// https://httpwg.org/http-extensions/draft-ietf-httpbis-rfc6265bis.html#name-storage-model
// that depends on the request; the jar implements the rest.
func (c *cookies) store(e Engine, r *request, response *http.Response) {
	u := r.currentURL()
	var taken []*http.Cookie
	for _, cookie := range response.Cookies() {
		switch {
		case cookie.Secure && u.Scheme != "https" && !(e.secureCookiesOnLoopback && originOf(u).isTrustworthy()),
			cookie.SameSite == http.SameSiteNoneMode && !cookie.Secure && e.sameSiteNoneNeedsSecure,
			!c.visible(e, r, cookie.SameSite):
			continue
		}
		taken = append(taken, cookie)
		c.mu.Lock()
		if c.sameSite == nil {
			c.sameSite = map[string]http.SameSite{}
		}
		domain := strings.TrimPrefix(strings.ToLower(cookie.Domain), ".")
		if domain == "" {
			domain = strings.ToLower(u.Hostname())
		}
		c.sameSite[domain+" "+cookie.Name] = cookie.SameSite
		c.mu.Unlock()
	}
	c.jar.SetCookies(withoutFragment(u), taken)
}

// send adds the Cookie header to a request. It implements
// https://httpwg.org/http-extensions/draft-ietf-httpbis-rfc6265bis.html#name-retrieval-algorithm.
func (c *cookies) send(e Engine, r *request, to *http.Request) {
	for _, cookie := range c.jar.Cookies(to.URL) {
		if c.visible(e, r, c.sameSiteOf(strings.ToLower(to.URL.Hostname()), cookie.Name)) {
			to.AddCookie(cookie)
		}
	}
}

// sameSiteOf returns the SameSite attribute of a cookie of the domain or the
// closest parent domain that has one of this name. It returns 0 if there is none.
func (c *cookies) sameSiteOf(domain, name string) http.SameSite {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if sameSite, ok := c.sameSite[domain+" "+name]; ok {
			return sameSite
		}
		_, above, ok := strings.Cut(domain, ".")
		if !ok {
			return 0
		}
		domain = above
	}
}

// visible reports whether the request carries cookies with this SameSite attribute,
// and whether its response may set them.
func (c *cookies) visible(e Engine, r *request, sameSite http.SameSite) bool {
	from := r.origin
	if e.embedderCountsForCookies && r.origin == opaque {
		from = r.embedder
	}
	if r.sameSiteAs(from) {
		return true
	}
	if e.blocksThirdPartyCookies || r.origin == opaque && e.opaqueOriginIsThirdParty {
		return false
	}
	return sameSite != http.SameSiteLaxMode && sameSite != http.SameSiteStrictMode
}

// sameSiteAs reports whether every URL of the request is same-site with the origin.
func (r *request) sameSiteAs(o origin) bool {
	for _, u := range r.urlList {
		if !originOf(u).sameSite(o) {
			return false
		}
	}
	return true
}
