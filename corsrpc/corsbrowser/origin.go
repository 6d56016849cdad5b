package corsbrowser

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// origin is an origin (https://html.spec.whatwg.org/multipage/browsers.html#concept-origin):
// a tuple origin, or the opaque origin.
type origin struct {
	scheme, host, port string // the port is "" for the scheme's default port
}

// opaque is an opaque origin. It is not same-origin with any origin, and its
// serialization is "null".
var opaque = origin{}

// localFile is the origin of local files in browsers and web views whose local files do not have
// an opaque origin.
var localFile = origin{scheme: "file"}

// parseOrigin parses a serialized origin.
func parseOrigin(s string) (origin, error) {
	switch s {
	case "null":
		return opaque, nil
	case localFile.String():
		return localFile, nil
	}
	u, err := url.Parse(s)
	if err != nil {
		return opaque, err
	}
	if u.Scheme == "" || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return opaque, fmt.Errorf("%q is not an origin: write scheme://host or scheme://host:port, file://, or null", s)
	}
	o := originOf(u)
	if o.String() != s {
		return opaque, fmt.Errorf("%q is not a serialized origin: write %q, as browsers do", s, o)
	}
	return o, nil
}

// originOf implements https://url.spec.whatwg.org/#concept-url-origin.
func originOf(u *url.URL) origin {
	o := origin{scheme: strings.ToLower(u.Scheme), host: strings.ToLower(u.Hostname()), port: u.Port()}
	if o.scheme == "http" && o.port == "80" || o.scheme == "https" && o.port == "443" {
		o.port = ""
	}
	return o
}

// String implements https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin.
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

// sameOrigin implements https://html.spec.whatwg.org/multipage/browsers.html#same-origin.
func (o origin) sameOrigin(other origin) bool { return o != opaque && o == other }

// schemelessSite returns the registrable domain of the host, or the host itself if
// it has none (https://html.spec.whatwg.org/multipage/browsers.html#obtain-a-site).
func (o origin) schemelessSite() string {
	if net.ParseIP(o.host) != nil {
		return o.host
	}
	if site, err := publicsuffix.EffectiveTLDPlusOne(o.host); err == nil {
		return site
	}
	return o.host
}

// sameSite implements https://html.spec.whatwg.org/multipage/browsers.html#same-site.
func (o origin) sameSite(other origin) bool {
	return o != opaque && other != opaque && o.scheme == other.scheme && o.schemelessSite() == other.schemelessSite()
}

// isTrustworthy implements https://www.w3.org/TR/secure-contexts/#potentially-trustworthy-origin.
func (o origin) isTrustworthy() bool {
	if o.scheme == "https" || o.scheme == "wss" {
		return true
	}
	ip := net.ParseIP(o.host)
	return ip != nil && ip.IsLoopback() || o.host == "localhost" || strings.HasSuffix(o.host, ".localhost")
}

// isMixedContent implements https://w3c.github.io/webappsec-mixed-content/#should-block-fetch.
func (r *request) isMixedContent() bool {
	page := r.origin
	if page == opaque {
		page = r.embedder
	}
	return page.scheme == "https" && !originOf(r.currentURL()).isTrustworthy()
}
