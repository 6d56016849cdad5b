// Package pageguard protects the pages of an internal port from other sites: from pages of other
// origins that call it in a user's browser, and from DNS rebinding. Its functions are pure and safe
// for concurrent use.
package pageguard

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// HostName returns the host name of a host, of host:port or of a URL, as AnswersUnder takes it: in
// lower case, without a trailing dot. It returns false if the text has no valid host name.
func HostName(host string) (name string, ok bool) {
	if _, rest, isURL := strings.Cut(host, "://"); isURL {
		end := strings.IndexAny(rest+"/", "/?#")
		host = rest[:end]
	}
	name = plainHost(host)
	_, ok = origin.Parse("https://" + name)
	port := strings.TrimPrefix(host[len(withoutPort(host)):], ":")
	return name, ok && !strings.HasSuffix(name, ".") && strings.Trim(port, "0123456789") == ""
}

// AnswersUnder reports whether pages answer under a Host: under localhost, its subdomains, IP
// addresses, and hosts, which are as HostName returns them. Other names could be those of an
// attacker's site, which resolves them to this server (DNS rebinding).
func AnswersUnder(hosts []string, hostport string) bool {
	host := plainHost(hostport)
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") ||
		slices.Contains(hosts, host)
}

// plainHost returns a Host in its form for comparison: in lower case, without the port and
// without a trailing dot.
func plainHost(hostport string) string {
	return strings.TrimSuffix(fetch.Lower(withoutPort(hostport)), ".")
}

// withoutPort returns a Host without its port.
func withoutPort(hostport string) string {
	if colon := strings.LastIndexByte(hostport, ':'); colon > strings.LastIndexByte(hostport, ']') {
		return hostport[:colon]
	}
	return hostport
}

// FromItself reports whether a request comes from a page of the server itself, or from no page at
// all. It relies on Sec-Fetch-Site and Origin, and on Referer if Sec-Fetch-Site is missing; a
// request without any of them passes.
func FromItself(r *http.Request) bool {
	site := r.Header["Sec-Fetch-Site"]
	if len(site) > 0 && !isOne(site, "same-origin") && !isOne(site, "none") {
		return false
	}
	if origins := r.Header["Origin"]; len(origins) > 0 {
		return len(origins) == 1 && isItself(origins[0], r)
	}
	if len(site) > 0 {
		return true
	}
	for _, from := range r.Header["Referer"] {
		if from != "" && !isItself(originOf(from), r) {
			return false
		}
	}
	return true
}

// isOne reports whether a field has exactly one line, and the line is value.
func isOne(lines []string, value string) bool { return len(lines) == 1 && lines[0] == value }

// isItself reports whether raw is an origin whose host is that of r's Host field.
func isItself(raw string, r *http.Request) bool {
	from, ok := origin.Parse(raw)
	return ok && from.SameHost(r.Host, r.TLS != nil)
}

// originOf returns the scheme and host of a URL, or "" if the URL is not valid.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
