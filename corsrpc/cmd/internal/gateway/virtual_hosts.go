package gateway

import (
	"net/http"
	"net/netip"
	"strings"
)

// virtualHosts finds the virtual host of a request. It is immutable, and safe for concurrent use.
type virtualHosts struct {
	exact    map[string]http.Handler
	below    map[string]http.Handler // by the name behind `*.`
	fallback http.Handler            // nil if there is none
}

// add adds the handler of a virtual host. Without hosts it is the fallback.
func (v *virtualHosts) add(hosts []string, h http.Handler) {
	if v.exact == nil {
		v.exact, v.below = map[string]http.Handler{}, map[string]http.Handler{}
	}
	if len(hosts) == 0 {
		v.fallback = h
	}
	for _, host := range hosts {
		if parent, ok := strings.CutPrefix(host, "*."); ok {
			v.below[parent] = h
		} else {
			v.exact[host] = h
		}
	}
}

// find returns the handler for a Host; nil if there is none. An exact name wins over a parent, and a
// longer parent over a shorter one.
func (v *virtualHosts) find(host string) http.Handler {
	if len(v.exact)+len(v.below) == 0 {
		return v.fallback
	}
	name := hostName(host)
	if h, ok := v.exact[name]; ok {
		return h
	}
	if len(v.below) > 0 {
		for parent := name; ; {
			_, rest, more := strings.Cut(parent, ".")
			if !more {
				break
			}
			if h, ok := v.below[rest]; ok {
				return h
			}
			parent = rest
		}
	}
	return v.fallback
}

// ServeHTTP passes the request to its virtual host. It answers 421 if there is none: the page may have got
// here over a connection that it opened for another host (RFC 9110, section 15.5.20).
func (v *virtualHosts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := v.find(r.Host)
	if h == nil {
		http.Error(w, "the gateway serves other hosts", http.StatusMisdirectedRequest)
		return
	}
	h.ServeHTTP(w, r)
}

// hostName returns the name or address of a Host in its form for comparison: without the port and a
// trailing dot, in lower case; an IPv6 address without brackets.
func hostName(host string) string {
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		host = host[:colon]
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		host = strings.TrimSuffix(inner, "]")
		if a, err := netip.ParseAddr(host); err == nil {
			return a.String()
		}
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
