// Package privatepage refuses the requests that pages of other origins make to a page for operators, such as
// the inspector. Its functions are safe for concurrent use.
package privatepage

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// Cause is why a request is refused.
type Cause int

// The causes.
const (
	None        Cause = iota // the request is not refused
	UnknownHost              // the page does not answer under the request's host
	OtherOrigin              // a page of another origin has made the request
	NotReadOnly              // the method is neither GET nor HEAD
)

// Refused returns why a request is refused, and the HTTP status of the refusal. The page answers under
// localhost, IP addresses, and hosts, which PlainHost has returned.
func Refused(r *http.Request, hosts []string) (why Cause, status int) {
	switch {
	case !answersUnder(r.Host, hosts):
		return UnknownHost, http.StatusForbidden
	case !fromItself(r):
		return OtherOrigin, http.StatusForbidden
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return NotReadOnly, http.StatusMethodNotAllowed
	}
	return None, http.StatusOK
}

// answersUnder reports whether the page answers under a Host. Other names could be
// those of an attacker's site, which resolves them to this server (DNS rebinding).
func answersUnder(hostport string, hosts []string) bool {
	host := PlainHost(hostport)
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") ||
		slices.Contains(hosts, host)
}

// PlainHost returns a Host in its form for comparison: in lower case, without the port and
// without a trailing dot.
func PlainHost(hostport string) string {
	return strings.TrimSuffix(fetch.Lower(WithoutPort(hostport)), ".")
}

// WithoutPort returns a Host without its port.
func WithoutPort(hostport string) string {
	if colon := strings.LastIndexByte(hostport, ':'); colon > strings.LastIndexByte(hostport, ']') {
		return hostport[:colon]
	}
	return hostport
}

// fromItself reports whether the request comes from the page itself, or from no page
// at all. It relies on Sec-Fetch-Site and Origin, and on Referer if Sec-Fetch-Site is
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
