package gatewayfile

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
	"github.com/corsrpc/corsrpc-go/internal/route"
)

// checkVirtualHosts checks the virtual hosts with their routes.
func (c *checker) checkVirtualHosts() {
	all := c.gateway.GetVirtualHosts()
	if len(all) == 0 {
		c.missing("virtual_hosts", "a list such as [{policy: cors.yaml, routes: [{upstream: api}]}]")
	}
	names, hosts, fallback := map[string]string{}, map[string]string{}, ""
	for i, h := range all {
		field := fmt.Sprintf("virtual_hosts[%d]", i)
		if h.GetName() != "" || len(all) > 1 {
			c.checkName(field+".name", h.GetName(), names)
		}
		if len(h.GetHosts()) == 0 {
			if fallback != "" {
				c.fail(field+".hosts", CodeDuplicate, "", "is left out in "+fallback+" too, and only one virtual host can have all other hosts", "the hosts of one of them")
			}
			fallback = field
		}
		for j, host := range h.GetHosts() {
			at := fmt.Sprintf("%s.hosts[%d]", field, j)
			c.checkHost(at, host, true)
			if before, twice := hosts[host]; twice {
				c.fail(at, CodeDuplicate, host, "is in "+before+" too", "each host once")
				continue
			}
			hosts[host] = at
		}
		if h.GetPolicy() == "" {
			c.missing(field+".policy", "the name of a policy file, such as cors.yaml")
		} else {
			c.checkFile(field+".policy", h.GetPolicy())
		}
		for j, prefix := range h.GetPathPrefixes() {
			c.checkPrefix(fmt.Sprintf("%s.path_prefixes[%d]", field, j), prefix)
		}
		c.checkRoutes(field, h.GetRoutes())
	}
}

// checkRoutes checks the routes of a virtual host.
func (c *checker) checkRoutes(host string, routes []*corsrpcv1.Route) {
	if len(routes) == 0 && c.program == Gateway {
		c.missing(host+".routes", "a list such as [{upstream: api}]")
	}
	var names []string
	known := map[string]bool{}
	for _, u := range c.gateway.GetUpstreams() {
		if isName(u.GetName()) && !known[u.GetName()] {
			names, known[u.GetName()] = append(names, u.GetName()), true
		}
	}
	seen := map[[3]string]string{}
	for i, r := range routes {
		field := fmt.Sprintf("%s.routes[%d]", host, i)
		if r.GetStripPrefix() != "" {
			c.checkPrefix(field+".strip_prefix", r.GetStripPrefix())
		}
		switch {
		case r.GetService() != "" && r.GetPath() != "":
			c.fail(field, CodeFieldMisplaced, "", "has a service and a path, but a route has at most one of them", "two routes")
		case r.GetService() != "":
			c.checkSelector(field+".service", r.GetService())
		case r.GetPath() != "":
			c.checkPath(field+".path", r.GetPath(), r.GetStripPrefix())
		}
		key := [3]string{r.GetService(), r.GetPath(), r.GetStripPrefix()}
		if before, twice := seen[key]; twice {
			c.fail(field, CodeDuplicate, "", "fits the same requests as "+before, "each route once")
		} else {
			seen[key] = field
		}
		switch up := r.GetUpstream(); {
		case up == "":
			c.missing(field+".upstream", oneOf(names))
		case !known[up] && len(names) > 0 && !c.unreadable("upstreams"):
			c.fail(field+".upstream", CodeUpstreamUnknown, up, "is not the name of an upstream", c.nearestUpstream(up, names))
		}
		c.checkDuration(field+".response_timeout", r.GetResponseTimeout(), 0)
	}
}

// nearestUpstream returns the name of the upstream that a text means, or says which there are.
func (c *checker) nearestUpstream(text string, names []string) string {
	if len(c.problems) == maxProblems {
		return "" // the problem is not reported
	}
	if nearest, ok := policyfile.Nearest(text, names); ok {
		return nearest
	}
	return oneOf(names)
}

// oneOf says which upstreams there are.
func oneOf(names []string) string {
	const most = 8
	switch {
	case len(names) == 0:
		return "the name of an upstream"
	case len(names) == 1:
		return names[0]
	case len(names) > most:
		return "the name of an upstream, such as " + names[0]
	}
	return "one of " + strings.Join(names, ", ")
}

// checkSelector checks the selector of a route: a method, a service, a package.*, or *.
func (c *checker) checkSelector(field, selector string) {
	reason, fix := route.CheckSelector(selector)
	if reason == "" {
		return
	}
	if path, ok := strings.CutPrefix(fix, "path: "); ok {
		if path, err := strconv.Unquote(path); err == nil && pathProblem(path) == "" {
			fix = "path: " + strconv.Quote(path) + " in place of service"
		} else {
			fix = ""
		}
	} else if name, err := strconv.Unquote(fix); err == nil {
		fix = name
	}
	if fix == "" {
		fix = "a full name, such as acme.v1.CatalogService or acme.v1.*"
	}
	c.fail(field, CodeSelector, selector, reason, fix)
}

// checkPath checks the path of a route.
func (c *checker) checkPath(field, path, prefix string) {
	switch problem := pathProblem(path); {
	case problem != "":
		fix := "a path such as /static/ for all below it, or /healthz"
		if meant := "/" + strings.TrimLeft(strings.TrimRight(path, "*"), "/"); pathProblem(meant) == "" {
			fix = meant
		}
		c.fail(field, CodePath, path, problem, fix)
	case prefix != "" && pathProblem(prefix) == "" && !strings.HasPrefix(path, prefix+"/"):
		c.fail(field, CodePath, path, "is not below strip_prefix, so that the route fits no request", prefix+path)
	}
}

// pathProblem returns what is wrong with a path; empty if nothing is.
func pathProblem(path string) string {
	switch {
	case !strings.HasPrefix(path, "/"):
		return "does not begin with /"
	case strings.ContainsAny(path, "{}*?#%\\;") || strings.IndexFunc(path, func(r rune) bool { return r <= ' ' || r >= 0x7f }) >= 0:
		return "has a character that a path of a route cannot have: it is a plain path, without wildcards, escapes and a query"
	case strings.Contains(path, "//"):
		return "has an empty segment"
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return "has a segment " + segment + ", which browsers resolve before they send a request"
		}
	}
	return ""
}

// checkPrefix checks a path prefix.
func (c *checker) checkPrefix(field, prefix string) {
	if route.IsPrefix(prefix) && pathProblem(prefix) == "" {
		return
	}
	fix := "a prefix such as /api"
	meant := "/" + strings.Trim(strings.TrimRight(prefix, "*"), "/")
	if route.IsPrefix(meant) && pathProblem(meant) == "" {
		fix = meant
	}
	switch problem := pathProblem(prefix); {
	case problem != "":
		c.fail(field, CodePath, prefix, problem, fix)
	case meant == "/":
		c.fail(field, CodePath, prefix, "is not a prefix, since every path has it", fix+", or leave it out")
	case strings.HasSuffix(prefix, "/"):
		c.fail(field, CodePath, prefix, "ends with a slash", fix)
	default:
		c.fail(field, CodePath, prefix, "has a character that is escaped in a path", fix)
	}
}
