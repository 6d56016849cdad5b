package corsinspect

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// refusal returns the status and the text for a request that the inspector refuses, and
// status 0 for every other request.
func (i *Inspector) refusal(r *http.Request) (status int, text string) {
	switch {
	case !i.answersUnder(r.Host):
		return http.StatusForbidden, "corsinspect: unknown host: as a protection against DNS rebinding, the inspector answers only under localhost, IP addresses and the names given to corsinspect.WithHosts"
	case !fromItself(r):
		return http.StatusForbidden, "corsinspect: the inspector refuses requests from pages of other origins: open it from the address bar"
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return http.StatusMethodNotAllowed, "corsinspect: the inspector is read-only: use GET or HEAD"
	}
	return 0, ""
}

// answersUnder reports whether the inspector answers under a Host. Other names could be
// those of an attacker's site, which resolves them to this server (DNS rebinding).
func (i *Inspector) answersUnder(hostport string) bool {
	host := plainHost(hostport)
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") ||
		slices.Contains(i.hosts, host)
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

// fromItself reports whether the request comes from the inspector's own page, or from no
// page at all. It relies on Sec-Fetch-Site and Origin, and on Referer if Sec-Fetch-Site is
// missing; a request without any of them passes.
func fromItself(r *http.Request) bool {
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
