package proxy

import (
	"net/http"
	"net/url"
	"strings"
)

// Route says which handler gets some requests.
type Route struct {
	// Service is a selector: a method, a service, or a package.*; Path a path, or one with a slash at its
	// end for all below it. A route has one of them, or neither.
	Service, Path string
	// StripPrefix is the prefix that requests have to be below; empty if there is none.
	StripPrefix string
	// Handler gets the requests.
	Handler http.Handler
}

// Router passes a request to the narrowest route that fits: a method, a service, packages, the longest path,
// and then the route without either. It matches the path as it was sent, decoded once, and neither cleans
// nor redirects it. It is immutable, and safe for concurrent use.
type Router struct {
	groups   []routeGroup
	prefixes []string
}

// routeGroup holds the routes with one prefix.
type routeGroup struct {
	prefix   string
	services map[string]http.Handler // by selector
	paths    map[string]http.Handler
	rest     http.Handler // nil if there is none
}

// NewRouter returns a router for checked routes. Procedures are found below the prefixes too.
func NewRouter(routes []Route, prefixes ...string) *Router {
	router := &Router{prefixes: prefixes}
	for _, r := range routes {
		g := router.group(r.StripPrefix)
		switch {
		case r.Service != "":
			g.services[r.Service] = r.Handler
		case r.Path != "":
			g.paths[r.Path] = r.Handler
		default:
			g.rest = r.Handler
		}
	}
	return router
}

// group returns the group of a prefix. Longer prefixes come first.
func (router *Router) group(prefix string) *routeGroup {
	at := 0
	for i := range router.groups {
		g := &router.groups[i]
		if g.prefix == prefix {
			return g
		}
		if len(g.prefix) >= len(prefix) {
			at = i + 1
		}
	}
	router.groups = append(router.groups, routeGroup{})
	copy(router.groups[at+1:], router.groups[at:])
	router.groups[at] = routeGroup{prefix: prefix, services: map[string]http.Handler{}, paths: map[string]http.Handler{}}
	return &router.groups[at]
}

// ServeHTTP passes the request to its route, or answers 404.
func (router *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := router.find(r.URL)
	if h == nil {
		WriteError(w, r, http.StatusNotFound, "the gateway has no route for this path")
		return
	}
	h.ServeHTTP(w, r)
}

// find returns the handler for a URL; nil if there is none.
func (router *Router) find(u *url.URL) http.Handler {
	var best http.Handler
	rank := -1 // of best: what fits narrower has a greater one
	offer := func(h http.Handler, r int) {
		if h != nil && r > rank {
			best, rank = h, r
		}
	}
	const byService, byPath = 1 << 20, 1
	for i := range router.groups {
		g := &router.groups[i]
		if !isBelow(u.Path, g.prefix) || !isBelow(u.EscapedPath(), g.prefix) {
			continue
		}
		if service, method, ok := procedureBelow(u.Path[len(g.prefix):], router.prefixes); ok && len(g.services) > 0 {
			offer(g.services[service+"."+method], byService+len(service)+len(method)+2)
			offer(g.services[service], byService+len(service)+1)
			for name := service; ; {
				dot := strings.LastIndexByte(name, '.')
				if dot < 0 {
					break
				}
				name = name[:dot]
				offer(g.services[name+".*"], byService+len(name))
			}
			offer(g.services["*"], byService)
		}
		offer(g.paths[u.Path], byPath+len(u.Path)+1)
		for path := u.Path; ; {
			slash := strings.LastIndexByte(path, '/')
			if slash < 0 {
				break
			}
			offer(g.paths[path[:slash+1]], byPath+slash+1)
			path = path[:slash]
		}
		offer(g.rest, len(g.prefix)+min(len(g.prefix), 1)) // as a path with the slash
	}
	return best
}

// procedureBelow splits the path of a procedure, with or without one of the prefixes.
func procedureBelow(path string, prefixes []string) (service, method string, ok bool) {
	if service, method, ok = procedureOf(path); ok {
		return service, method, true
	}
	for _, prefix := range prefixes {
		if isBelow(path, prefix) {
			if service, method, ok = procedureOf(path[len(prefix):]); ok {
				return service, method, true
			}
		}
	}
	return "", "", false
}

// isBelow reports whether a path is below a prefix. Every path is below the empty one.
func isBelow(path, prefix string) bool {
	return prefix == "" || len(path) > len(prefix) && strings.HasPrefix(path, prefix) && path[len(prefix)] == '/'
}

// procedureOf splits the path of a procedure.
func procedureOf(path string) (service, method string, ok bool) {
	rest, found := strings.CutPrefix(path, "/")
	if !found {
		return "", "", false
	}
	service, method, found = strings.Cut(rest, "/")
	return service, method, found && service != "" && method != "" && !strings.Contains(method, "/")
}

// strip removes a prefix from the path of a URL that is below it.
func strip(u *url.URL, prefix string) {
	u.Path = strings.TrimPrefix(u.Path, prefix)
	u.RawPath = strings.TrimPrefix(u.RawPath, prefix)
}
