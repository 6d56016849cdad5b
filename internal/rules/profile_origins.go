package rules

import (
	"fmt"
	"maps"
	"slices"

	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/route"
)

// defaultsDisabled reports whether the defaults of a view are disabled. A policy says by this that
// no page on another origin may call, apart from what a rule enables.
func (c *compiler) defaultsDisabled(v view) bool {
	m := c.merge(appendLevels(nil, v.base.defaults, v.profile.defaults), Kind{})
	return m.Disabled()
}

// checkProfileOrigins reports the origins of a profile that no rule takes: add_origins, and
// allow_origins of its defaults. Their author believes that these origins may call. The bases are the
// policy and its shadow policy, which a profile applies to as well: one of them has to take the origins.
// The policy must be valid otherwise.
func (c *compiler) checkProfileOrigins(bases []*base, profiles map[string]*profile) {
	added := map[string]takers{} // by checkKey
	for _, name := range slices.Sorted(maps.Keys(profiles)) {
		p := profiles[name]
		if p.added == nil && !p.defaults.setsOrigins() {
			continue
		}
		key := fmt.Sprint(p.added.neverWithCredentials(), p.checkKey())
		t, ok := added[key]
		if !ok {
			for _, b := range bases {
				t = t.or(c.takersOf(view{b, p}))
			}
			added[key] = t
		}
		if p.added != nil && !t.added {
			reason, fix := "join no rule, since no rule has origins that are enabled", "defaults: {disabled: false, allow_origins: [...]} in the profile"
			switch {
			case t.withCredentials:
				reason, fix = "join no rule, since each rule that has origins allows credentials, and these origins never go with credentials", "rules for these origins in the profile, each with allow_credentials: false"
			case t.everyone:
				reason, fix = "join no rule, since each rule that has origins allows everyone: leave them out", ""
			}
			c.fail(CodeNoOrigins, p.added.field, "", reason, fix)
		}
		if p.defaults.setsOrigins() && !t.defaults && p.defaults.disabled == nil && c.defaultsDisabled(view{bases[0], p}) {
			at := p.defaults.field + ".allow_origins"
			if p.defaults.items == 0 {
				at += "_from"
			}
			c.fail(CodeRuleIneffective, at, "", "has no effect, because the defaults are disabled", "disabled: false beside it", bases[0].defaults.field+".disabled")
		}
	}
}

// takers holds which origins of a profile a rule takes, and why no rule takes add_origins.
type takers struct {
	added, defaults           bool // whether a rule takes add_origins; those of the profile's defaults
	everyone, withCredentials bool // whether a rule does not take add_origins for this reason
}

// or returns the takers of two views with the same profile.
func (t takers) or(other takers) takers {
	return takers{t.added || other.added, t.defaults || other.defaults, t.everyone || other.everyone, t.withCredentials || other.withCredentials}
}

// takersOf returns the takers of a view's profile.
func (c *compiler) takersOf(v view) (t takers) {
	var paths []route.Pattern
	for text := range v.profile.paths {
		if v.base.paths[text] == nil {
			pattern, _ := route.ParsePattern(text) // checkPaths has checked it
			paths = append(paths, pattern)
		}
	}
	never := v.added.neverWithCredentials()
	for m := range c.mergedRules(v, paths) {
		if m.originsFrom == nil || m.Disabled() {
			continue
		}
		t.defaults = t.defaults || m.originsFrom == v.profile.defaults
		switch {
		case m.originsFrom.origins.Any() != 0:
			t.everyone = true
		case m.Credentials() && never:
			t.withCredentials = true
		default:
			t.added = true
		}
		if t.added && (t.defaults || !v.profile.defaults.setsOrigins()) {
			break
		}
	}
	return t
}

// setsOrigins reports whether the level, which may be nil, has allow_origins or allow_origins_from.
func (l *level) setsOrigins() bool { return l != nil && l.items+len(l.sources) > 0 }

// neverWithCredentials reports whether the level, which may be nil, has origins, and
// origin.NeverWithCredentials is true for each.
func (l *level) neverWithCredentials() bool {
	if l == nil || l.origins.Len() == 0 {
		return false
	}
	for _, text := range l.origins.Patterns().All {
		if !origin.NeverWithCredentials(text) {
			return false
		}
	}
	return true
}
