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

// refusal says why a request is not answered: status 0 for those that are.
func (i *Inspector) refusal(r *http.Request) (status int, why string) {
	switch {
	case !i.answersUnder(r.Host):
		return http.StatusForbidden, "corsrpc: the inspector answers under localhost, IP addresses and the names that corsinspect.WithHosts gives, so that no site can read it by a name that it points here"
	case !fromItself(r):
		return http.StatusForbidden, "corsrpc: the inspector answers no other site: open it from the address bar"
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return http.StatusMethodNotAllowed, "corsrpc: the inspector shows, and changes nothing: GET and HEAD only"
	}
	return 0, ""
}

// answersUnder reports whether no stranger can have the host's name point here.
func (i *Inspector) answersUnder(hostport string) bool {
	host := plainHost(hostport)
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") ||
		slices.Contains(i.hosts, host)
}

// plainHost is the host as two spellings of it compare: in lower case, without the port
// and without the dot that may end it.
func plainHost(hostport string) string {
	return strings.TrimSuffix(fetch.Lower(withoutPort(hostport)), ".")
}

// withoutPort drops a Host's port.
func withoutPort(hostport string) string {
	if colon := strings.LastIndexByte(hostport, ':'); colon > strings.LastIndexByte(hostport, ']') {
		return hostport[:colon]
	}
	return hostport
}

// fromItself reports whether no other site's page makes the request, as far as the browser
// says whose it is.
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

// isOne reports whether a header has one line, and it is the value.
func isOne(lines []string, value string) bool { return len(lines) == 1 && lines[0] == value }

// isItself reports whether an origin is that of the Host that a request names.
func isItself(raw string, r *http.Request) bool {
	from, ok := origin.Parse(raw)
	return ok && from.SameHost(r.Host, r.TLS != nil)
}

// originOf is the origin of a URL; empty for what has none.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
