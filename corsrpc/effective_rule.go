package corsrpc

import (
	"math"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// EffectiveRule is what holds for one procedure or one path: the levels of the
// policy and of the schema put together. It is comparable, immutable and safe for
// concurrent use. Rules of a plan that are equal but for Name have the same values, from
// the same places. The zero EffectiveRule has no values.
type EffectiveRule struct {
	// Name is the procedure's full name, such as acme.v1.CatalogService.Get, the path
	// rule's pattern, or a selector.
	Name string

	rule *rules.Effective
}

// Values returns what the rule says, in the order of the fields of corsrpc.v1.Rule.
// Of header lists it has what counts in the end.
func (r EffectiveRule) Values() []EffectiveValue {
	values, _ := r.FirstValues(math.MaxInt)
	return values
}

// FirstValues is Values with the first maxOrigins origins of allow_origins only, of which
// a rule may have millions, and the number of origins that it leaves out.
func (r EffectiveRule) FirstValues(maxOrigins int) (values []EffectiveValue, originsLeft int) {
	if r.rule == nil {
		return nil, 0
	}
	from, originsLeft := r.rule.Values(maxOrigins)
	values = make([]EffectiveValue, len(from))
	for i, v := range from {
		values[i] = EffectiveValue{v.Field, v.Value, provenanceOf(v.From)}
	}
	return values, originsLeft
}

// EffectiveValue is one value of an effective rule: an item of a list, or a
// field. It is comparable.
type EffectiveValue struct {
	// Field is the name of the field in corsrpc.v1.Rule.
	Field string
	// Value is the value as a policy would write it.
	Value string
	// From is where it comes from.
	From Provenance
}

// Procedures returns the effective rule of each procedure that the schema has,
// sorted by name, with where each of its values comes from. See Unknown for all others.
func (p *Plan) Procedures() []EffectiveRule {
	var all []EffectiveRule
	for _, m := range p.rules.Procedures {
		all = append(all, EffectiveRule{m.Name, m.Rule})
	}
	return all
}

// Unknown returns what procedures get that the schema does not have, as behind a proxy
// or in a newer server: the effective rule of each selector, sorted, of which the
// narrowest that covers the procedure's name counts. The last one, "*", is for names
// that no other covers. Operational services, such as grpc.reflection, are not among
// those: nobody may call them unless a selector names them.
func (p *Plan) Unknown() []EffectiveRule {
	known := map[string]bool{}
	for _, m := range p.rules.Procedures {
		known[m.Name] = true
	}
	var all []EffectiveRule
	for _, s := range p.rules.Selectors {
		if !known[s.Name] {
			all = append(all, EffectiveRule{s.Name, s.Rule})
		}
	}
	return append(all, EffectiveRule{"*", p.rules.Uncovered})
}

// Paths returns the effective rule of each path that the policy names, sorted by
// its pattern, with where each of its values comes from.
func (p *Plan) Paths() []EffectiveRule {
	var all []EffectiveRule
	for _, path := range p.rules.Paths {
		all = append(all, EffectiveRule{path.Pattern.String(), path.Rule})
	}
	slices.SortFunc(all, func(a, b EffectiveRule) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Rule returns the effective rule that governs a request: of the procedure or the path
// rule that its path resolves to. It is false where none does, or where servers may read
// the path in ways that lead to different rules. The name of a procedure that neither the
// schema nor the policy has is input from the network. It depends on the same as Decide,
// and is safe for concurrent use.
func (p *Plan) Rule(r Request) (EffectiveRule, bool) {
	t := p.find(&r)
	if t.kind != targetProcedure && t.kind != targetPath {
		return EffectiveRule{}, false
	}
	return EffectiveRule{t.name, t.rule}, true
}
