package rules

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/route"
)

// checkProfiles checks a policy together with each of its profiles except the chosen one. It
// checks only the rules that a profile changes: the others are checked without a profile.
func (c *compiler) checkProfiles(b *base, profiles map[string]*profile, chosen string) {
	valid := map[string]bool{} // by checkKey: whether a profile with this key has no violation
	for _, name := range slices.Sorted(maps.Keys(profiles)) {
		if name == chosen {
			continue
		}
		p := profiles[name]
		v, before := view{b, p}, len(c.violations)
		paths := c.checkPaths(v)
		if name == "" {
			c.checkEverything(v, paths)
			continue
		}
		key := p.checkKey()
		if valid[key] {
			continue
		}
		if p.affectsEverything() {
			c.checkEverything(v, paths)
		} else {
			c.checkBelow(v, paths)
		}
		valid[key] = len(c.violations) == before
	}
}

// affectsChecks reports whether a level can cause a violation together with wider or narrower
// levels. Its header lists, for one, cannot.
func (l *level) affectsChecks() bool {
	return l != nil && (l.isRule || l.setsOrigins() || l.credentials != nil || l.disabled != nil || l.protocols != 0)
}

// affectsEverything reports whether the profile has defaults or a rule for * that affect
// checks.
func (p *profile) affectsEverything() bool {
	return p.defaults.affectsChecks() || p.wildcard.affectsChecks()
}

// checkKey returns a text of all the values of the profile that checks across levels depend on.
// Two profiles with the same key have the same violations.
func (p *profile) checkKey() string {
	var b strings.Builder
	write := func(l *level) {
		if !l.affectsChecks() {
			return
		}
		fmt.Fprintf(&b, "%q %t %d %d %t ", l.selector, l.isRule, l.protocols, len(l.sharedOrigins()), l.origins.Any() != 0)
		for _, value := range []*bool{l.credentials, l.disabled} {
			if value != nil {
				fmt.Fprint(&b, *value)
			}
			b.WriteByte(' ')
		}
		fmt.Fprintln(&b, l.setsOrigins())
	}
	write(p.defaults)
	write(p.wildcard)
	for _, levels := range []map[string]*level{p.packages, p.names, p.paths} {
		for _, key := range slices.Sorted(maps.Keys(levels)) {
			write(levels[key])
		}
	}
	return b.String()
}

// checkEverything checks every rule of a view. The paths are those that only the view's profile
// has.
func (c *compiler) checkEverything(v view, paths []route.Pattern) {
	for range c.mergedRules(v, paths) { // merge reports the violations
	}
}

// mergedRules merges the levels of every rule of a view, those of the schema's procedures
// included. The paths are those that only the view's profile has.
func (c *compiler) mergedRules(v view, paths []route.Pattern) iter.Seq[merged] {
	return func(yield func(merged) bool) {
		if !yield(c.merge(c.chainOf(v, "", "", false), Kind{})) {
			return
		}
		for _, selector := range slices.Concat(v.sorted, v.profile.selectors()) {
			for m := range c.selectorRules(v, selector) {
				if !yield(m) {
					return
				}
			}
		}
		for _, method := range v.withOptions {
			if !yield(c.mergeOptionsOf(v, method)) {
				return
			}
		}
		for _, pattern := range slices.Concat(v.base.usable, paths) {
			if !yield(c.merge(v.pathChain(pattern.String()), Kind{Path: true})) {
				return
			}
		}
	}
}

// checkBelow checks the rules of the profile, and those that they contain. The paths are those
// that only the view's profile has.
func (c *compiler) checkBelow(v view, paths []route.Pattern) {
	for _, selector := range v.profile.selectors() {
		name := strings.TrimSuffix(selector, "*") // a package and its dot, a service, or a method
		for _, inside := range append(below(v.sorted, name), selector) {
			for range c.selectorRules(v, inside) { // merge reports the violations
			}
		}
		for _, m := range belowMethods(v.withOptions, name) {
			c.mergeOptionsOf(v, m)
		}
	}
	for _, text := range v.profile.patterns {
		if v.base.paths[text] != nil && !v.base.unusable[text] {
			c.merge(v.pathChain(text), Kind{Path: true})
		}
	}
	for _, pattern := range paths {
		c.merge(v.pathChain(pattern.String()), Kind{Path: true})
	}
}

// below returns the names that begin with name, from a sorted list.
func below(sorted []string, name string) []string {
	first, _ := slices.BinarySearch(sorted, name)
	end := first
	for end < len(sorted) && strings.HasPrefix(sorted[end], name) {
		end++
	}
	return sorted[first:end:end]
}

// belowMethods is below for methods that are sorted by name.
func belowMethods(sorted []schemaMethod, name string) []schemaMethod {
	first, _ := slices.BinarySearchFunc(sorted, name, func(m schemaMethod, name string) int { return strings.Compare(m.name, name) })
	end := first
	for end < len(sorted) && strings.HasPrefix(sorted[end].name, name) {
		end++
	}
	return sorted[first:end]
}

// selectorRules merges the levels of a selector's rules. They apply to each procedure that the
// selector covers and that has no options and no narrower selector.
func (c *compiler) selectorRules(v view, selector string) iter.Seq[merged] {
	return func(yield func(merged) bool) {
		if yield(c.merge(c.selectorChain(v, selector, route.IsOperational(selector)), Kind{})) && coversOperational(selector) {
			yield(c.merge(c.selectorChain(v, selector, true), Kind{}))
		}
	}
}

// mergeOptionsOf merges the levels of a method that has options, its own or those of its service.
func (c *compiler) mergeOptionsOf(v view, m schemaMethod) merged {
	key := procedureKey{narrowest: c.narrowest(v, m.name), operational: route.IsOperational(m.name), element: v.elementOf(m.name)}
	return c.merge(c.procedureChain(v, key), Kind{})
}
