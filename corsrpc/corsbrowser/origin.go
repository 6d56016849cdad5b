package corsbrowser

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// origin is https://html.spec.whatwg.org/multipage/browsers.html#concept-origin: a
// tuple, or opaque.
type origin struct {
	scheme, host, port string // the port is "" for the scheme's own
}

// opaque is an opaque origin, which is not the same as any other. Its serialization
// is "null".
var opaque = origin{}

func parseOrigin(s string) (origin, error) {
	if s == "null" {
		return opaque, nil
	}
	u, err := url.Parse(s)
	if err != nil {
		return opaque, err
	}
	if u.Scheme == "" || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return opaque, fmt.Errorf("%q is not an origin: write scheme://host or scheme://host:port, or null", s)
	}
	o := originOf(u)
	if o.String() != s {
		return opaque, fmt.Errorf("%q is not written as browsers write an origin: write %q", s, o)
	}
	return o, nil
}

// originOf is https://url.spec.whatwg.org/#concept-url-origin.
func originOf(u *url.URL) origin {
	o := origin{scheme: strings.ToLower(u.Scheme), host: strings.ToLower(u.Hostname()), port: u.Port()}
	if o.scheme == "http" && o.port == "80" || o.scheme == "https" && o.port == "443" {
		o.port = ""
	}
	return o
}

// String is https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin.
func (o origin) String() string {
	if o == opaque {
		return "null"
	}
	host := o.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if o.port != "" {
		host += ":" + o.port
	}
	return o.scheme + "://" + host
}

// sameOrigin is https://html.spec.whatwg.org/multipage/browsers.html#same-origin.
func (o origin) sameOrigin(other origin) bool { return o != opaque && o == other }

// schemelessSite is the registrable domain, or the host of an origin without one
// (https://html.spec.whatwg.org/multipage/browsers.html#obtain-a-site).
func (o origin) schemelessSite() string {
	if net.ParseIP(o.host) != nil {
		return o.host
	}
	if site, err := publicsuffix.EffectiveTLDPlusOne(o.host); err == nil {
		return site
	}
	return o.host
}

// sameSite is https://html.spec.whatwg.org/multipage/browsers.html#same-site.
func (o origin) sameSite(other origin) bool {
	return o != opaque && other != opaque && o.scheme == other.scheme && o.schemelessSite() == other.schemelessSite()
}

// isTrustworthy is https://www.w3.org/TR/secure-contexts/#potentially-trustworthy-origin.
func (o origin) isTrustworthy() bool {
	if o.scheme == "https" || o.scheme == "wss" {
		return true
	}
	ip := net.ParseIP(o.host)
	return ip != nil && ip.IsLoopback() || o.host == "localhost" || strings.HasSuffix(o.host, ".localhost")
}

// isMixedContent is https://w3c.github.io/webappsec-mixed-content/#should-block-fetch.
func (r *request) isMixedContent() bool {
	page := r.origin
	if page == opaque {
		page = r.embedder
	}
	return page.scheme == "https" && !originOf(r.currentURL()).isTrustworthy()
}
