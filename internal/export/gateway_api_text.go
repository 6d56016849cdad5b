package export

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// gatewayRule is a rule of an HTTPRoute: paths that get the same filter.
type gatewayRule struct {
	filter *gatewayFilter
	paths  []string
}

// matches returns the number of matches of the rule.
func (r *gatewayRule) matches() int { return len(r.paths) * r.filter.matchesPerPath() }

// gatewayRoute is an HTTPRoute.
type gatewayRoute struct {
	name    string
	comment string
	rules   []*gatewayRule
}

// matches returns the number of matches of the route.
func (r *gatewayRoute) matches() (n int) {
	for _, rule := range r.rules {
		n += rule.matches()
	}
	return n
}

// gatewayRoutes returns the routes of some paths: those of a service each, and those of the path rules.
func gatewayRoutes(grants []gatewayGrant) (routes []*gatewayRoute) {
	var groups []string
	paths := map[string][]gatewayGrant{}
	for _, g := range grants {
		group := ""
		if !g.filter.answer.ToPath {
			group = g.route.Name[:strings.LastIndexByte(g.route.Name, '.')]
		}
		if paths[group] == nil {
			groups = append(groups, group)
		}
		paths[group] = append(paths[group], g)
	}
	names := gatewayNames(groups)
	for _, group := range groups {
		first := &gatewayRoute{name: names[group], comment: "Procedures of " + group}
		if group == "" {
			first.comment = "Path rules"
		}
		parts := []*gatewayRoute{first}
		for _, rule := range gatewayRulesOf(paths[group]) {
			last := parts[len(parts)-1]
			if len(last.rules) == gatewayRules || last.matches()+rule.matches() > gatewayRouteMatches {
				last = &gatewayRoute{name: fmt.Sprintf("%s.%d", first.name, len(parts)+1), comment: first.comment + fmt.Sprintf(", part %d", len(parts)+1)}
				parts = append(parts, last)
			}
			last.rules = append(last.rules, rule)
		}
		routes = append(routes, parts...)
	}
	return routes
}

// gatewayRulesOf returns rules for paths, with as many paths in each as a rule takes.
func gatewayRulesOf(grants []gatewayGrant) (rules []*gatewayRule) {
	last := map[*gatewayFilter]*gatewayRule{}
	for _, g := range grants {
		rule := last[g.filter]
		if rule == nil || rule.matches()+g.filter.matchesPerPath() > gatewayMatches {
			rule = &gatewayRule{filter: g.filter}
			last[g.filter] = rule
			rules = append(rules, rule)
		}
		rule.paths = append(rule.paths, g.route.Path)
	}
	return rules
}

// The names of routes that are not those of a service.
const (
	gatewayPathsName = "corsrpc-path-rules"
	gatewayRestName  = "corsrpc-other-requests"
)

// gatewayNameLength is how long the name of a route may be before the number of its part.
const gatewayNameLength = 240

// gatewayNames returns the names of the routes of some services. A name has a hash if that of another service is the same without
// it, or if it is too long.
func gatewayNames(services []string) map[string]string {
	used := map[string]int{gatewayPathsName: 1, gatewayRestName: 1}
	for _, s := range services {
		used[gatewayName(s)]++
	}
	names := map[string]string{}
	for _, s := range services {
		name := gatewayName(s)
		switch {
		case s == "":
			name = gatewayPathsName
		case used[name] > 1 || len(name) > gatewayNameLength:
			hash := sha256.Sum256([]byte(s))
			name = fmt.Sprintf("%.*s.%x", gatewayNameLength-9, name, hash[:4])
			name = strings.ReplaceAll(name, "-.", ".")
		}
		names[s] = name
	}
	return names
}

// gatewayName returns the name of a service in small letters, with hyphens between its words.
func gatewayName(service string) string {
	var b strings.Builder
	b.WriteString("corsrpc-")
	hyphen, small := true, false
	for _, c := range service {
		switch {
		case c == '.' || c == '_':
			if !hyphen {
				b.WriteByte('-')
			}
			hyphen, small = true, false
			continue
		case unicode.IsUpper(c) && small && !hyphen:
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(c))
		hyphen, small = false, !unicode.IsUpper(c)
	}
	return strings.TrimRight(b.String(), "-")
}

// line adds a line, indented by a number of spaces.
func (t *gatewayText) line(indent int, format string, args ...any) {
	t.WriteString(strings.Repeat(" ", indent))
	fmt.Fprintf(t, format, args...)
	t.WriteByte('\n')
}

// list adds a field with the items of a list, unless there are none.
func (t *gatewayText) list(indent int, field string, items []string) {
	if len(items) == 0 {
		return
	}
	t.line(indent, "%s:", field)
	for _, item := range items {
		t.line(indent, "- %q", item)
	}
}

// introduction adds the comment at the top.
func (t *gatewayText) introduction() {
	t.line(0, "# Change the name of the Gateway in parentRefs, and add a namespace if the routes belong to another one. The Gateway has to")
	t.line(0, "# support the filters CORS and ResponseHeaderModifier of HTTPRoute, and compare and forward paths as they are sent.")
	t.line(0, "# Give these hostnames no other routes. A GRPCRoute has no filter CORS: calls of native gRPC take these HTTPRoutes too, by")
	t.line(0, "# HTTP/2, and the Gateway must not translate gRPC-Web or Connect before the filter.")
	writeLosses(&t.Builder, t.losses)
}

// begin adds the beginning of a route.
func (t *gatewayText) begin(name, about string) {
	if t.Len() > 0 {
		t.line(0, "---")
	}
	t.line(0, "# %s", comment(about))
	t.line(0, "apiVersion: gateway.networking.k8s.io/v1")
	t.line(0, "kind: HTTPRoute")
	t.line(0, "metadata:")
	t.line(2, "name: %s", name)
	t.line(0, "spec:")
	t.line(2, "parentRefs:")
	t.line(2, "- name: gateway")
	t.list(2, "hostnames", t.hostnames)
	t.line(2, "rules:")
}

// route adds a route whose rules have the filter CORS.
func (t *gatewayText) route(r *gatewayRoute) {
	t.begin(r.name, r.comment)
	for _, rule := range r.rules {
		f := rule.filter
		t.line(2, "# %s", shown(f.places))
		if len(f.missingOrigins) > 0 {
			t.line(2, "# These origins cannot be written: %s", comment(strings.Join(f.missingOrigins, ", ")))
		}
		t.line(2, "- matches:")
		for _, path := range rule.paths {
			if !f.answer.ToPath {
				t.line(4, "- path: {type: Exact, value: %q}", path)
				continue
			}
			for _, method := range f.matchedMethods() {
				t.line(4, "- {method: %s, path: {type: Exact, value: %q}}", method, path)
			}
		}
		t.line(4, "filters:")
		f.write(t)
		t.modifier(f.unusedFields())
		t.backend()
	}
}

// rest adds the route of all other requests.
func (t *gatewayText) rest() {
	t.begin(gatewayRestName, "All other requests pass without a grant")
	t.line(2, "- matches:")
	t.line(4, `- path: {type: PathPrefix, value: "/"}`)
	t.line(4, "filters:")
	t.modifier(serverFields)
	t.backend()
}

// modifier adds the filter that removes fields of the server's responses, and adds Vary.
func (t *gatewayText) modifier(removed []string) {
	t.line(4, "- type: ResponseHeaderModifier")
	t.line(6, "responseHeaderModifier:")
	t.line(8, "add:")
	t.line(8, "- {name: vary, value: Origin}")
	t.list(8, "remove", removed)
}

// backend adds the server.
func (t *gatewayText) backend() {
	t.line(4, "backendRefs:")
	t.line(4, "- {name: %q, port: %s}", t.name, t.port)
}

// matchedMethods returns the methods that the matches of a path have, with that of preflights: the specification
// allows GET, HEAD and POST whether allowMethods has them or not.
func (f *gatewayFilter) matchedMethods() []string {
	if slices.Contains(f.methods, "OPTIONS") {
		return f.methods
	}
	return append(slices.Clip(f.methods), "OPTIONS")
}

// matchesPerPath returns the number of matches that a path needs.
func (f *gatewayFilter) matchesPerPath() int {
	if f.answer.ToPath {
		return len(f.matchedMethods())
	}
	return 1
}

// write adds the filter CORS.
func (f *gatewayFilter) write(t *gatewayText) {
	t.line(4, "- type: CORS")
	t.line(6, "cors:")
	t.list(8, "allowOrigins", f.origins)
	if f.answer.Credentials {
		t.line(8, "allowCredentials: true")
	}
	t.list(8, "allowMethods", f.methods)
	t.list(8, "allowHeaders", f.answer.RequestHeaders)
	t.list(8, "exposeHeaders", f.answer.ResponseHeaders)
	t.line(8, "maxAge: %d", f.maxAge)
}

// unusedFields returns the fields that this filter CORS never writes.
func (f *gatewayFilter) unusedFields() []string {
	return slices.DeleteFunc(slices.Clone(serverFields), func(name string) bool {
		switch name {
		case "access-control-allow-origin", "access-control-allow-methods", "access-control-max-age":
			return true
		case "access-control-allow-credentials":
			return f.answer.Credentials
		case "access-control-allow-headers":
			return len(f.answer.RequestHeaders) > 0
		case "access-control-expose-headers":
			return len(f.answer.ResponseHeaders) > 0
		}
		return false
	})
}
