package gateway

import (
	"net/http"
	"net/netip"
	"strings"
)

// hostTable finds what belongs to the host of a request. It is safe for concurrent use when it is complete.
type hostTable[T any] struct {
	exact    map[string]T
	below    map[string]T // by the name behind `*.`
	fallback *T           // nil if there is none
}

// add adds what belongs to hosts. Without hosts it is the fallback.
func (v *hostTable[T]) add(hosts []string, of T) {
	if v.exact == nil {
		v.exact, v.below = map[string]T{}, map[string]T{}
	}
	if len(hosts) == 0 {
		v.fallback = &of
	}
	for _, host := range hosts {
		if parent, ok := strings.CutPrefix(host, "*."); ok {
			v.below[parent] = of
		} else {
			v.exact[host] = of
		}
	}
}

// find returns what belongs to a Host; false if nothing does. An exact name wins over a parent, and a longer
// parent over a shorter one.
func (v *hostTable[T]) find(host string) (of T, ok bool) {
	if len(v.exact)+len(v.below) > 0 {
		name := hostName(host)
		if of, ok = v.exact[name]; ok {
			return of, true
		}
		for _, parent, more := strings.Cut(name, "."); more && len(v.below) > 0; _, parent, more = strings.Cut(parent, ".") {
			if of, ok = v.below[parent]; ok {
				return of, true
			}
		}
	}
	if v.fallback == nil {
		return of, false
	}
	return *v.fallback, true
}

// virtualHosts passes requests to their virtual hosts.
type virtualHosts struct{ hostTable[http.Handler] }

// ServeHTTP passes the request to its virtual host. It answers 421 if there is none: the page may have got
// here over a connection that it opened for another host (RFC 9110, section 15.5.20).
func (v *virtualHosts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h, ok := v.find(r.Host)
	if !ok {
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
