package rules

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/route"
)

// Rules are the effective rules of a policy with one profile applied. They are immutable and
// safe for concurrent use.
type Rules struct {
	// Profile is the name of the profile; empty if there is none.
	Profile string
	// Observes is true if the policy only reports what it would refuse (enforcement: OBSERVE).
	Observes bool
	// Services are the full names of the schema's services.
	Services []string
	// Procedures are the schema's methods, sorted by name.
	Procedures []Procedure
	// Selectors are the selectors other than *, sorted. They apply to procedures that the
	// schema does not have.
	Selectors []Selector
	// Paths are the path rules, in the order of the policy.
	Paths []Path
	// Uncovered applies to procedures that no selector other than * covers, Unnamed to the
	// methods of operational services among them, and Ungoverned to all other requests without
	// a rule.
	Uncovered, Unnamed, Ungoverned *Effective
	// NewPath would apply to a path if the policy had a rule for it that sets nothing.
	NewPath *Effective
	// Sources are the names of the origin sources in all rules, sorted.
	Sources []string
	// Prefixes are the path prefixes below which procedures are served, besides the root.
	Prefixes []string
	// Shadow holds the rules of the shadow policy; nil if there is none.
	Shadow *Rules

	policy   *corsrpcv1.Policy
	lists    originLists
	added    *level // the profile's add_origins; nil if there are none
	interned map[string]*Effective
}

// Procedure is a method of the schema.
type Procedure struct {
	// Name is the full name of the method, Service that of its service, and Method its last
	// part.
	Name, Service, Method string
	// Rule applies to the method.
	Rule *Effective
}

// Selector is a selector other than *, with its rules.
type Selector struct {
	// Name is the selector as written.
	Name string
	// Rule applies to the procedures that no narrower selector covers, Operational to those of
	// operational services. The two differ for the selector of a package only.
	Rule, Operational *Effective
}

// Path is a path rule.
type Path struct {
	Pattern route.Pattern
	Rule    *Effective
}

// Policy returns a copy of the policy that was compiled.
func (r *Rules) Policy() *corsrpcv1.Policy { return r.lists.restore(r.policy) }

// PolicySize returns approximately how many bytes the policy takes in protobuf's binary format,
// without making a copy of it.
func (r *Rules) PolicySize() int { return proto.Size(r.policy) + r.lists.size(r.policy) }

// rules returns the effective rules of a policy with a profile: one for each selector, shared
// by the procedures that no narrower selector covers, and one for each path.
func (c *compiler) rules(b *base, p *profile, name string) *Rules {
	v := view{b, p}
	r := &Rules{
		policy: b.policy, lists: c.lists, added: p.added, Profile: name, Prefixes: c.config.Prefixes, interned: map[string]*Effective{},
		Observes: b.policy.GetEnforcement() == corsrpcv1.Enforcement_ENFORCEMENT_OBSERVE,
		Services: slices.Sorted(maps.Keys(c.schema.services)),
	}
	r.Uncovered = r.intern(c.effective(v, c.chainOf(v, "", "", false), Kind{}))
	r.Ungoverned = r.intern(c.effective(v, nil, Kind{}))
	r.NewPath = c.newPath(v)
	r.Unnamed = r.intern(c.effective(v, nil, Kind{Unnamed: true}))
	c.addSelectors(r, v)
	c.addProcedures(r, v)
	c.addPaths(r, v)
	names := map[string]bool{}
	for _, e := range r.interned {
		for _, name := range e.Sources() {
			names[name] = true
		}
	}
	r.Sources = slices.Sorted(maps.Keys(names))
	return r
}

// newPath returns the rule that would apply to a path if the policy had a rule for it that sets
// nothing. Its problems are not those of the policy, since no path has the rule.
func (c *compiler) newPath(v view) *Effective {
	silent := *c
	silent.violations, silent.reported = nil, map[string]bool{}
	return silent.effective(v, v.pathChain(""), Kind{Path: true})
}

// intern returns the shared copy of an effective rule: rules of the same levels are equal.
func (r *Rules) intern(e *Effective) *Effective {
	key := e.key()
	if have, ok := r.interned[key]; ok {
		return have
	}
	r.interned[key] = e
	return e
}

// SourcePlaces returns the places that name an origin source, in file order.
func (r *Rules) SourcePlaces(name string) (places []Place) {
	for _, e := range r.interned {
		for i, source := range e.Sources() {
			if source == name {
				places = append(places, e.Place(e.SourceField(i)))
			}
		}
	}
	slices.SortFunc(places, func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Field, b.Field))
	})
	return slices.Compact(places)
}

// UnsetVariables returns the names of the environment variables in all rules that are not set, sorted. There are none
// unless Config.UnsetVariables is true.
func (r *Rules) UnsetVariables() (names []string) {
	for _, e := range r.Effective() {
		for _, v := range e.Unset() {
			names = append(names, v.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// grantsSomething reports whether any origin may call anything.
func (r *Rules) grantsSomething() bool {
	for _, e := range r.interned {
		if e.SetsOrigins() && !e.Disabled() {
			return true
		}
	}
	return false
}

// addSelectors adds to r the effective rule of each selector, for procedures that the schema does
// not have.
func (c *compiler) addSelectors(r *Rules, v view) {
	selectors := slices.Concat(v.sorted, v.profile.selectors())
	slices.Sort(selectors)
	for _, selector := range slices.Compact(selectors) {
		s := Selector{Name: selector}
		s.Rule = r.intern(c.effective(v, c.selectorChain(v, selector, route.IsOperational(selector)), Kind{}))
		s.Operational = s.Rule
		if coversOperational(selector) {
			s.Operational = r.intern(c.effective(v, c.selectorChain(v, selector, true), Kind{}))
		}
		r.Selectors = append(r.Selectors, s)
	}
}

// coversOperational reports whether a selector is that of a package with operational services.
func coversOperational(selector string) bool {
	pkg, ok := strings.CutSuffix(selector, ".*")
	return ok && route.CoversOperational(pkg)
}

// selectorChain returns the levels of a selector, for procedures that the schema does not have.
// The next call overwrites the result.
func (c *compiler) selectorChain(v view, selector string, operational bool) []*level {
	element := selector
	if strings.HasSuffix(selector, ".*") {
		element = ""
	}
	return c.chainOf(v, selector, element, operational)
}

// addProcedures adds to r the effective rule of each procedure in the schema.
func (c *compiler) addProcedures(r *Rules, v view) {
	effective := map[procedureKey]*Effective{}
	for _, m := range c.schema.methods {
		key := procedureKey{c.narrowest(v, m.name), m.noSideEffects, route.IsOperational(m.name), v.elementOf(m.name)}
		if effective[key] == nil {
			effective[key] = r.intern(c.effective(v, c.procedureChain(v, key), Kind{Get: key.get, Unnamed: key.operational && key.narrowest == ""}))
		}
		r.Procedures = append(r.Procedures, Procedure{m.name, m.service, m.method, effective[key]})
	}
}

// procedureKey is equal for procedures that have the same effective rule.
type procedureKey struct {
	narrowest   string // the narrowest selector that covers them; empty if there is none
	get         bool
	operational bool
	element     string // the service or method whose options apply
}

// procedureChain returns the levels of a procedure. The next call overwrites the result.
func (c *compiler) procedureChain(v view, key procedureKey) []*level {
	if key.narrowest == "" && key.operational && key.element == "" {
		return nil
	}
	return c.chainOf(v, key.narrowest, key.element, key.operational)
}
