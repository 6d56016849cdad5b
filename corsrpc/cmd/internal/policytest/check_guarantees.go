package policytest

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
	"github.com/corsrpc/corsrpc-go/internal/route"
)

// checkGuarantee checks a guarantee.
func (c *checker) checkGuarantee(field string, g *corsrpcv1.Guarantee, k known) {
	c.checkProfile(field, g.GetProfile(), k)
	switch never, always := g.GetNever(), g.GetAlways(); {
	case never != nil && always != nil:
		c.fail(field, CodeContradiction, "", "has both never and always: make two guarantees of it", "")
	case never != nil:
		c.checkCallSet(field+".never", never, k)
	case always != nil:
		c.checkCallSet(field+".always", always, k)
	default:
		c.fail(field, CodeFieldMissing, "", "has neither never nor always", "never: {calls: [...]} or always: {calls: [...]}")
	}
}

// checkCallSet checks the set of calls of a guarantee.
func (c *checker) checkCallSet(field string, set *corsrpcv1.CallSet, k known) {
	for i, call := range set.GetCalls() {
		c.checkSelector(fmt.Sprintf("%s.calls[%d]", field, i), call, k)
	}
	if len(set.GetOrigins()) > 0 && len(set.GetOriginsOutside()) > 0 {
		c.fail(field+".origins_outside", CodeContradiction, "", "is set beside origins: keep one of the two", "")
	}
	c.checkPatterns(field+".origins", set.GetOrigins())
	c.checkPatterns(field+".origins_outside", set.GetOriginsOutside())
	for i, o := range set.GetOrigins() {
		if c.suite.isServer(o) {
			fix := ""
			if c.suite.test.GetServer() == "" {
				fix = "server: with the URL of the server, unless it is " + DefaultServer
			}
			c.fail(fmt.Sprintf("%s.origins[%d]", field, i), CodeContradiction, o, "is the server's own origin, whose pages may always call, so that the guarantee is about nothing", fix)
		}
	}
	for i, o := range set.GetOriginsOutside() {
		if o == "*" {
			c.fail(fmt.Sprintf("%s.origins_outside[%d]", field, i), CodeContradiction, o, "leaves no origin, so that the guarantee is about nothing", "")
		}
	}
	for i, name := range set.GetExceptSources() {
		c.checkExcept(fmt.Sprintf("%s.except_sources[%d]", field, i), name, k)
	}
	for i, name := range set.GetRequestHeaders() {
		at := fmt.Sprintf("%s.request_headers[%d]", field, i)
		switch lower := fetch.Lower(name); {
		case !fetch.IsToken(name):
			c.fail(at, CodeHeader, name, "is not a valid name of a header", "")
		case fetch.ForbiddenRequestHeader(lower):
			c.fail(at, CodeHeader, name, "is a header that no script can set, so that the guarantee is about nothing", "")
		}
	}
	for i, name := range set.GetResponseHeaders() {
		at := fmt.Sprintf("%s.response_headers[%d]", field, i)
		switch lower := fetch.Lower(name); {
		case !fetch.IsToken(name):
			c.fail(at, CodeHeader, name, "is not a valid name of a header", "")
		case fetch.ForbiddenResponseHeader(lower):
			c.fail(at, CodeHeader, name, "is a header that no script can read, so that the guarantee is about nothing", "")
		case fetch.SafelistedResponseHeader(lower):
			c.fail(at, CodeHeader, name, "is a header that every script can read whose call is granted: leave it out", "")
		}
	}
	for i, method := range set.GetHttpMethods() {
		at := fmt.Sprintf("%s.http_methods[%d]", field, i)
		if upper := strings.ToUpper(method); upper != method && fetch.IsToken(method) && !fetch.ForbiddenMethod(method) {
			c.fail(at, CodeMethod, method, "is not in upper case, and methods are case-sensitive", upper)
			continue
		}
		c.checkMethod(at, method)
	}
}

// isServer reports whether an origin is that of the server.
func (s *Suite) isServer(o string) bool {
	page, isOrigin := origin.Parse(o)
	u, err := url.Parse(cmp.Or(s.test.GetServer(), DefaultServer))
	if !isOrigin || err != nil {
		return false
	}
	port := map[string]string{"https": "443", "http": "80"}[u.Scheme]
	server, ok := origin.Parse(strings.ToLower(u.Scheme + "://" + strings.TrimSuffix(u.Host, ":"+port)))
	return ok && page == server
}

// checkSelector checks an item of calls. With a schema, a selector has to cover a procedure.
func (c *checker) checkSelector(field, call string, k known) {
	if strings.HasPrefix(call, "/") {
		if _, problem := route.ParsePattern(call); problem != nil {
			c.fail(field, CodeSelector, call, problem.Reason, problem.Fix)
		}
		return
	}
	if reason, fix := route.CheckSelector(call); reason != "" {
		c.fail(field, CodeSelector, call, reason, strings.TrimPrefix(fix, "path: "))
		return
	}
	if call == "*" || !k.schema || slices.ContainsFunc(k.names, func(name string) bool { return covers(call, name) }) {
		return
	}
	nearest, _ := policyfile.Nearest(call, k.selectable())
	c.fail(field, CodeProcedureUnknown, call, "selects no procedure of the schema, so that the guarantee is about nothing", nearest)
}

// covers reports whether a selector covers a procedure.
func covers(selector, procedure string) bool {
	if pkg, ok := strings.CutSuffix(selector, "*"); ok {
		return strings.HasPrefix(procedure, pkg)
	}
	return selector == procedure || selector == route.ParentName(procedure)
}

// selectable returns what a selector can be: procedures, services, and packages.
func (k known) selectable() (all []string) {
	seen := map[string]bool{}
	add := func(s string) {
		if !seen[s] {
			seen[s] = true
			all = append(all, s)
		}
	}
	for _, name := range k.names {
		service := route.ParentName(name)
		add(name)
		add(service)
		for pkg := route.ParentName(service); pkg != ""; pkg = route.ParentName(pkg) {
			add(pkg + ".*")
		}
	}
	return all
}

// checkPatterns checks the origins of a set of calls.
func (c *checker) checkPatterns(field string, origins []string) {
	for i, o := range origins {
		if pattern, problems := origin.ParsePattern(o); pattern == (origin.Pattern{}) && len(problems) > 0 {
			c.fail(fmt.Sprintf("%s[%d]", field, i), CodeOrigin, o, problems[0].Reason, problems[0].Fix)
		}
	}
}

// checkExcept checks the name of a source, or of a variable.
func (c *checker) checkExcept(field, name string, k known) {
	if !k.policy {
		return
	}
	if variable, ok := variableOf(name); ok {
		if !slices.Contains(k.variables, variable) {
			nearest, ok := policyfile.Nearest(variable, k.variables)
			if ok {
				nearest = "${" + nearest + "}"
			}
			c.fail(field, CodeVariableUnknown, name, "is not an environment variable that the policy uses"+listed(k.variables), nearest)
		}
		return
	}
	switch {
	case slices.Contains(k.sources, name):
	case slices.Contains(k.variables, name):
		c.fail(field, CodeSourceUnknown, name, "is an environment variable, not an origin source", `"${`+name+`}"`)
	default:
		nearest, _ := policyfile.Nearest(name, k.sources)
		c.fail(field, CodeSourceUnknown, name, "is not an origin source that the policy names"+listed(k.sources), nearest)
	}
}
