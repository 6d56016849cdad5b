package corsrpc

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// addPaths registers the path rules with a ServeMux, which finds conflicts and
// matches paths as the user's own mux does.
func (c *compiler) addPaths(p *Plan) {
	if len(c.paths) == 0 {
		return
	}
	p.mux, p.paths = http.NewServeMux(), map[string]*target{}
	p.plainPaths, p.wildcardStarts = map[string]*target{}, map[string]bool{}
	for _, pattern := range c.patterns {
		rules := c.paths[pattern]
		at := rules[0].field + ".path"
		g := p.intern(c.grant(slices.Concat(c.defaults, rules), grantKind{path: true}))
		if !strings.HasPrefix(pattern, "/") {
			c.fail(CheckPathSyntax, at, pattern, "is no path: it begins with a slash, without method and host", "")
			continue
		}
		if selector, ok := c.procedurePattern(p, pattern); ok {
			c.fail(CheckPathIsProcedure, at, pattern, "is the path of procedures", "selector: "+selector)
			continue
		}
		if err := register(p.mux, pattern); err != nil {
			check, reason := describePatternError(err.Error())
			c.fail(check, at, pattern, reason, "")
			continue
		}
		t := knownTarget(targetPath, pattern, g)
		p.paths[pattern] = t
		start, _, wildcard := strings.Cut(pattern, "{")
		if wildcard {
			p.wildcardStarts[start] = true
		} else {
			p.plainPaths[pattern] = t
		}
		p.longestPath = max(p.longestPath, len(start))
	}
}

// procedurePattern reports whether a path pattern is about a known service's
// procedures, where it would have no effect, and the selector for them.
func (c *compiler) procedurePattern(p *Plan, pattern string) (string, bool) {
	if t, ok := p.procedures[pattern]; ok {
		return t.name, true
	}
	for _, prefix := range p.prefixes {
		if rest, ok := strings.CutPrefix(pattern, prefix+"/"); ok {
			if service, _, _ := strings.Cut(rest, "/"); c.schema.services[service] {
				return service, true
			}
		}
	}
	return "", false
}

// register adds a pattern, turning ServeMux's panic into an error.
func register(mux *http.ServeMux, pattern string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	mux.Handle(pattern, http.NotFoundHandler())
	return nil
}

// describePatternError rewords what ServeMux says of a pattern.
func describePatternError(text string) (Check, string) {
	if _, conflict, ok := strings.Cut(text, "conflicts with pattern"); ok {
		other, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(conflict), `"`), `"`)
		return CheckPathConflict, fmt.Sprintf("overlaps with %q, and neither is more specific: a request could be either's", other)
	}
	_, detail, ok := strings.Cut(text, "at offset ")
	if _, d, found := strings.Cut(detail, ": "); ok && found {
		return CheckPathSyntax, "is no pattern of net/http.ServeMux: " + d
	}
	return CheckPathSyntax, "is no pattern of net/http.ServeMux: " + text
}
