package gatewayfile

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// isHostName reports whether a text is the name of a host, or an IPv4 address, as browsers write it.
func isHostName(text string) bool {
	return !strings.ContainsAny(text, "[]:") && !strings.HasSuffix(text, ".") && origin.WebHost(webPattern(text)) == text
}

// webPattern returns the pattern of the https origins of a host; empty if there is none.
func webPattern(host string) string {
	pattern, problems := origin.ParsePattern("https://" + host)
	if pattern == (origin.Pattern{}) && len(problems) > 0 {
		return problems[0].Fix
	}
	return "https://" + host
}

// checkHost checks a host as a browser calls it: a name or an address, or `*.` and a name.
func (c *checker) checkHost(field, host string, wildcard bool) {
	if host == "*" || host == "" {
		fix := "a name such as api.example.com"
		if wildcard {
			fix = `a name such as "*.example.com", or leave hosts out: one virtual host without hosts has all others`
		}
		c.fail(field, CodeHost, host, "is not a host", fix)
		return
	}
	plain, ok := canonicalHost(host, wildcard)
	switch {
	case ok && plain == host:
	case ok:
		c.fail(field, CodeHost, host, "is not the plain host as browsers send it: in lower case and ASCII, without scheme, port, path, brackets and a dot at its end", strconv.Quote(plain))
	case strings.Contains(host, "*") && wildcard:
		c.fail(field, CodeHost, host, "has a star that is not the first label of a name", `a name such as "*.example.com", for all names below example.com`)
	case strings.Contains(host, "*"):
		c.fail(field, CodeHost, host, "has a star, but names are compared as a whole here", "a name such as cors.internal.example")
	default:
		c.fail(field, CodeHost, host, "is neither the name of a host nor an IP address as browsers write it", "a name such as api.example.com")
	}
}

// canonicalHost returns the host that a text means. It is false if it means none.
func canonicalHost(text string, wildcard bool) (host string, ok bool) {
	if _, rest, found := strings.Cut(text, "://"); found {
		text = rest
	}
	text, _, _ = strings.Cut(text, "/")
	if !isAddress(text) {
		if name, _, err := net.SplitHostPort(text); err == nil {
			text = name
		}
	}
	if a, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return a.String(), a.Zone() == ""
	}
	text = strings.TrimSuffix(text, ".")
	name, star := text, false
	if wildcard {
		name, star = strings.CutPrefix(text, "*.")
	}
	if !isHostName(name) {
		name = origin.WebHost(webPattern(strings.ToLower(name)))
	}
	if !isHostName(name) || star && isAddress(name) {
		return "", false
	}
	if star {
		name = "*." + name
	}
	return name, true
}
