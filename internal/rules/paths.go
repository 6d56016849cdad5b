package rules

import (
	"errors"
	"fmt"
	"slices"

	"github.com/corsrpc/corsrpc-go/internal/route"
)

// addPaths adds to r each path pattern with its effective rule.
func (c *compiler) addPaths(r *Rules, v view) {
	profilePatterns := c.checkPaths(v)
	for _, pattern := range slices.Concat(v.base.usable, profilePatterns) {
		e := r.intern(c.effective(v, v.pathChain(pattern.String()), Kind{Path: true}))
		r.Paths = append(r.Paths, Path{pattern, e})
	}
}

// checkPaths checks the path patterns of a view. It returns the valid ones that only the view's
// profile has. It checks the patterns of the policy itself once, not once for each profile.
func (c *compiler) checkPaths(v view) (usable []route.Pattern) {
	if v.base.conflicts == nil {
		v.base.conflicts, v.base.unusable = &route.Patterns{}, map[string]bool{}
		for _, text := range v.base.patterns {
			if pattern, ok := c.checkPath(text, v.base.paths[text], v.base.conflicts); ok {
				v.base.usable = append(v.base.usable, pattern)
			} else {
				v.base.unusable[text] = true
			}
		}
	}
	conflicts := v.base.conflicts.Overlay()
	for _, text := range v.profile.patterns {
		if v.base.paths[text] != nil {
			continue
		}
		if pattern, ok := c.checkPath(text, v.profile.paths[text], conflicts); ok {
			usable = append(usable, pattern)
		}
	}
	return usable
}

// checkPath checks one pattern and its conflicts with others. It adds a valid pattern to them.
func (c *compiler) checkPath(text string, l *level, others *route.Patterns) (route.Pattern, bool) {
	at := l.field + ".path"
	pattern, problem := route.ParsePattern(text)
	if problem != nil {
		fix := ""
		if problem.Fix != "" {
			fix = fmt.Sprintf("%q", problem.Fix)
		}
		c.fail(CodePathSyntax, at, text, problem.Reason, fix)
		return pattern, false
	}
	if selector, ok := c.procedurePaths().Covers(pattern); ok {
		c.fail(CodePathIsProcedure, at, text, "matches the paths of procedures, which need a rule with a selector", "selector: "+selector)
		return pattern, false
	}
	if err := others.Add(pattern); err != nil {
		c.fail(CodePathConflict, at, text, describeConflict(err), "")
		return pattern, false
	}
	return pattern, true
}

// procedurePaths returns a table of the paths of the schema's procedures.
func (c *compiler) procedurePaths() *route.Table[struct{}] {
	if c.procedures == nil {
		c.procedures = route.New(route.Config[struct{}]{Prefixes: c.config.Prefixes, Same: func(_, _ struct{}) bool { return true }})
		for service := range c.schema.services {
			c.procedures.AddService(service)
		}
		for _, m := range c.schema.methods {
			c.procedures.AddMethod(m.service, m.method, struct{}{})
		}
	}
	return c.procedures
}

// describeConflict describes a *route.ConflictError.
func describeConflict(err error) string {
	var conflict *route.ConflictError
	errors.As(err, &conflict)
	if conflict.LetterCase {
		return fmt.Sprintf("overlaps with %q on servers that ignore letter case, so that a request could match either: change one of them", conflict.Other)
	}
	return fmt.Sprintf("overlaps with %q, and neither is more specific, so that a request could match either: change one of them", conflict.Other)
}
