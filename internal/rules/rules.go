package rules

import (
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/route"
)

// Rules are what a policy says, with one profile laid over it. They are immutable and safe
// for concurrent use.
type Rules struct {
	// Profile is the profile's name; empty for none.
	Profile string
	// Observes says that nothing is refused, only reported.
	Observes bool
	// Services are the full names of the services that the schema has.
	Services []string
	// Procedures are those that the schema has, sorted by name.
	Procedures []Procedure
	// Selectors are those other than *, sorted. They count for procedures that the schema
	// does not have.
	Selectors []Selector
	// Paths are the path rules, in the order of the policy.
	Paths []Path
	// Uncovered holds for names that no selector other than * covers, Unnamed for operational
	// services among them, and Nobody for what no rule is about.
	Uncovered, Unnamed, Nobody *Effective
	// Sources are the names of the origin sources that the rules name, sorted.
	Sources []string
	// Shadow is the candidate policy; nil for none.
	Shadow *Rules

	policy   *corsrpcv1.Policy
	lists    originLists
	interned map[string]*Effective
}

// Procedure is a method of the schema.
type Procedure struct {
	// Name is the full name, Service that of its service, and Method the last part.
	Name, Service, Method string
	// Rule holds for it.
	Rule *Effective
}

// Selector is a selector that is not *.
type Selector struct {
	// Name is the selector as it is written.
	Name string
	// Rule holds for what no narrower selector covers; Operational for the operational
	// services among it, which differ only below a package.
	Rule, Operational *Effective
}

// Path is a path rule.
type Path struct {
	Pattern route.Pattern
	Rule    *Effective
}

// Policy returns a copy of the policy that was compiled.
func (r *Rules) Policy() *corsrpcv1.Policy { return r.lists.restore(r.policy) }

// PolicySize returns about how many bytes the policy has in protobuf's binary format,
// without a copy of it.
func (r *Rules) PolicySize() int { return proto.Size(r.policy) + r.lists.size(r.policy) }

// rules makes the effective rules: one for each selector, which serves every procedure
// that no narrower selector covers, and one for each path.
func (c *compiler) rules(b *base, p *profile, name string) *Rules {
	v := view{b, p}
	r := &Rules{
		policy: b.policy, lists: c.lists, Profile: name, interned: map[string]*Effective{},
		Observes: b.policy.GetEnforcement() == corsrpcv1.Enforcement_ENFORCEMENT_OBSERVE,
		Services: slices.Sorted(maps.Keys(c.schema.services)),
	}
	r.Uncovered = r.intern(c.effective(v, c.chainOf(v, "", "", false), Kind{}))
	r.Nobody = r.intern(c.effective(v, nil, Kind{}))
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

// intern returns the rules' own copy of an effective rule: the same levels say the same.
func (r *Rules) intern(e *Effective) *Effective {
	key := e.key()
	if have, ok := r.interned[key]; ok {
		return have
	}
	r.interned[key] = e
	return e
}

// grantsSomething reports whether somebody may call something.
func (r *Rules) grantsSomething() bool {
	for _, e := range r.interned {
		if e.SaysOrigins() && !e.Disabled() {
			return true
		}
	}
	return false
}

// addSelectors makes the rules for procedures that the schema does not have.
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

// coversOperational reports whether a selector is a package's that has operational services.
func coversOperational(selector string) bool {
	pkg, ok := strings.CutSuffix(selector, ".*")
	return ok && route.CoversOperational(pkg)
}

// selectorChain returns the levels of a selector for procedures that the schema does not
// have. The next call overwrites the result.
func (c *compiler) selectorChain(v view, selector string, operational bool) []*level {
	element := selector
	if strings.HasSuffix(selector, ".*") {
		element = ""
	}
	return c.chainOf(v, selector, element, operational)
}

// addProcedures makes the rules for the schema's procedures.
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

// procedureKey is what procedures with the same levels have in common.
type procedureKey struct {
	narrowest   string // the narrowest selector that covers them; empty for none
	get         bool
	operational bool
	element     string // the service or the method whose options count
}

// procedureChain returns the levels of a procedure. The next call overwrites the result.
func (c *compiler) procedureChain(v view, key procedureKey) []*level {
	if key.narrowest == "" && key.operational && key.element == "" {
		return nil
	}
	return c.chainOf(v, key.narrowest, key.element, key.operational)
}
