package gatewayfile

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
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
				c.fail(at, CodeDuplicate, host, "is in "+before+" too", "it once")
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
	if len(routes) == 0 {
		c.missing(host+".routes", "a list such as [{upstream: api}]")
	}
	var names []string
	for _, u := range c.gateway.GetUpstreams() {
		names = append(names, u.GetName())
	}
	seen := map[[3]string]string{}
	for i, r := range routes {
		field := fmt.Sprintf("%s.routes[%d]", host, i)
		if r.GetStripPrefix() != "" {
			c.checkPrefix(field+".strip_prefix", r.GetStripPrefix())
		}
		switch {
		case r.GetService() != "" && r.GetPath() != "":
			c.fail(field, CodeFieldMisplaced, "", "has a service and a path", "two routes")
		case r.GetService() != "":
			c.checkSelector(field+".service", r.GetService())
		case r.GetPath() != "":
			c.checkPath(field+".path", r.GetPath(), r.GetStripPrefix())
		}
		key := [3]string{r.GetService(), r.GetPath(), r.GetStripPrefix()}
		if before, twice := seen[key]; twice {
			c.fail(field, CodeDuplicate, "", "fits the same requests as "+before, "one of them")
		}
		seen[key] = field
		switch up := r.GetUpstream(); {
		case up == "":
			c.missing(field+".upstream", "the name of an upstream: "+strings.Join(names, ", "))
		case !slices.Contains(names, up):
			fix, ok := policyfile.Nearest(up, names)
			if !ok {
				fix = "one of " + strings.Join(names, ", ")
			}
			c.fail(field+".upstream", CodeUpstreamUnknown, up, "is not the name of an upstream", fix)
		}
		c.checkDuration(field+".response_timeout", r.GetResponseTimeout(), 0)
	}
}

// checkSelector checks the selector of a route: a method, a service, a package.*, or *.
func (c *checker) checkSelector(field, selector string) {
	name := strings.TrimSuffix(selector, ".*")
	if selector == "*" || protoreflect.FullName(name).IsValid() {
		return
	}
	fix := "a full name, such as acme.v1.CatalogService or acme.v1.*"
	if clean := strings.Trim(strings.ReplaceAll(selector, "/", "."), "."); protoreflect.FullName(strings.TrimSuffix(clean, ".*")).IsValid() {
		fix = clean
	}
	c.fail(field, CodeSelector, selector, "is neither the name of a method or a service, nor a package and .*", fix)
}

// checkPath checks the path of a route.
func (c *checker) checkPath(field, path, prefix string) {
	switch problem := pathProblem(path); {
	case problem != "":
		c.fail(field, CodePath, path, problem, "a path such as /static/ for all below it, or /healthz")
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
	clean := "/" + strings.Trim(prefix, "/")
	switch problem := pathProblem(prefix); {
	case problem != "" && pathProblem(clean) == "" && clean != "/":
		c.fail(field, CodePath, prefix, problem, clean)
	case problem != "":
		c.fail(field, CodePath, prefix, problem, "a prefix such as /api")
	case clean == "/":
		c.fail(field, CodePath, prefix, "is not a prefix", "a prefix such as /api, or leave it out")
	case clean != prefix:
		c.fail(field, CodePath, prefix, "ends with a slash", clean)
	}
}
