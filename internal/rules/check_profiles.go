package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/route"
)

// checkProfiles checks what each profile but the chosen one makes of a policy, and no more
// than the profile changes: the rest is the same as without it.
func (c *compiler) checkProfiles(b *base, profiles map[string]*profile, chosen string) {
	sound := map[string]bool{} // what profiles say with which nothing was wrong
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
		outline := p.outline()
		if sound[outline] {
			continue
		}
		if p.isWide() {
			c.checkEverything(v, paths)
		} else {
			c.checkBelow(v, paths)
		}
		sound[outline] = len(c.violations) == before
	}
}

// matters reports whether a level can make the levels around it wrong, or be wrong because of
// them. Which headers a level names, for one, is a matter of its own.
func (l *level) matters() bool {
	return l != nil && (l.isRule || l.items+len(l.sources) > 0 || l.credentials != nil || l.disabled != nil || l.protocols != 0)
}

// isWide reports whether the profile has a level that reaches everything.
func (p *profile) isWide() bool { return p.defaults.matters() || p.every.matters() }

// outline says in a text all of the profile on which depends whether it fits a policy.
// Profiles with the same outline are right or wrong together.
func (p *profile) outline() string {
	var b strings.Builder
	write := func(l *level) {
		if !l.matters() {
			return
		}
		fmt.Fprintf(&b, "%q %t %d %d ", l.selector, l.isRule, l.protocols, len(l.anybodys()))
		for _, yes := range []*bool{l.credentials, l.disabled} {
			if yes != nil {
				fmt.Fprint(&b, *yes)
			}
			b.WriteByte(' ')
		}
		fmt.Fprintln(&b, l.items+len(l.sources) > 0)
	}
	write(p.defaults)
	write(p.every)
	for _, levels := range []map[string]*level{p.packages, p.names, p.paths} {
		for _, key := range slices.Sorted(maps.Keys(levels)) {
			write(levels[key])
		}
	}
	return b.String()
}

// checkEverything checks every rule of a view. The paths are those that only its profile has.
func (c *compiler) checkEverything(v view, paths []route.Pattern) {
	c.merge(c.chainOf(v, "", "", false), Kind{})
	for _, selector := range slices.Concat(v.sorted, v.profile.selectors()) {
		c.checkSelectorRule(v, selector)
	}
	for _, m := range v.optioned {
		c.checkOptionsOf(v, m)
	}
	for _, pattern := range slices.Concat(v.base.usable, paths) {
		c.merge(v.pathChain(pattern.String()), Kind{Path: true})
	}
}

// checkBelow checks what the profile has a rule for, and what is inside it.
func (c *compiler) checkBelow(v view, paths []route.Pattern) {
	for _, selector := range v.profile.selectors() {
		c.checkSelectorRule(v, selector)
		name := strings.TrimSuffix(selector, "*") // a package with its dot, a service, or a method
		for _, inside := range below(v.sorted, name) {
			c.checkSelectorRule(v, inside)
		}
		for _, m := range belowMethods(v.optioned, name) {
			c.checkOptionsOf(v, m)
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

// below returns those of sorted names that begin so.
func below(sorted []string, name string) []string {
	first, _ := slices.BinarySearch(sorted, name)
	end := first
	for end < len(sorted) && strings.HasPrefix(sorted[end], name) {
		end++
	}
	return sorted[first:end]
}

// belowMethods is below, of methods sorted by name.
func belowMethods(sorted []schemaMethod, name string) []schemaMethod {
	first, _ := slices.BinarySearchFunc(sorted, name, func(m schemaMethod, name string) int { return strings.Compare(m.name, name) })
	end := first
	for end < len(sorted) && strings.HasPrefix(sorted[end].name, name) {
		end++
	}
	return sorted[first:end]
}

// checkSelectorRule checks the rules of a selector. They are those of every procedure below
// it that has no options and no narrower selector.
func (c *compiler) checkSelectorRule(v view, selector string) {
	c.merge(c.selectorChain(v, selector, route.IsOperational(selector)), Kind{})
	if coversOperational(selector) {
		c.merge(c.selectorChain(v, selector, true), Kind{})
	}
}

// checkOptionsOf checks the rule of a method that has options, its own or its service's.
func (c *compiler) checkOptionsOf(v view, m schemaMethod) {
	key := procedureKey{narrowest: c.narrowest(v, m.name), operational: route.IsOperational(m.name), element: v.elementOf(m.name)}
	c.merge(c.procedureChain(v, key), Kind{})
}
