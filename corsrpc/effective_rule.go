package corsrpc

import (
	"math"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// EffectiveRule is the rule that governs one procedure or one path: the levels of the policy and
// of the schema, merged. It is comparable, immutable and safe for concurrent use. Two effective
// rules of a plan that differ in Name only have the same values, from the same places. The zero
// EffectiveRule has no values.
type EffectiveRule struct {
	// Name is the procedure's full name, such as acme.v1.CatalogService.Get, the path
	// rule's pattern, or a selector.
	Name string

	rule *rules.Effective
}

// Values returns the values of the rule, in the order of the fields of corsrpc.v1.Rule. Lists of
// headers are merged: they hold the names that are granted or withheld in the end.
func (r EffectiveRule) Values() []EffectiveValue {
	values, _ := r.FirstValues(math.MaxInt)
	return values
}

// FirstValues returns the same as Values, but at most maxOrigins items of allow_origins, since a
// rule may have millions of them. originsLeft is the number of those that it leaves out.
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

// EffectiveValue is one value of an effective rule: a field, or an item of a list. It is
// comparable.
type EffectiveValue struct {
	// Field is the name of the field in corsrpc.v1.Rule.
	Field string
	// Value is the value in the syntax of a YAML policy.
	Value string
	// From is the place that the value comes from.
	From Provenance
}

// Procedures returns the effective rule of each procedure in the schema, sorted by name. Unknown
// returns the rules of procedures that the schema does not have.
func (p *Plan) Procedures() []EffectiveRule {
	var all []EffectiveRule
	for _, m := range p.rules.Procedures {
		all = append(all, EffectiveRule{m.Name, m.Rule})
	}
	return all
}

// Unknown returns the effective rules of procedures that the schema does not have, such as those
// of a newer server behind a proxy: one rule for each selector, sorted by selector. The narrowest
// selector that covers a procedure's name governs it. The last rule, "*", governs all names that
// no other selector covers, except those of operational services, such as grpc.reflection: these
// grant nothing unless a selector names them.
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

// Paths returns the effective rule of each path rule, sorted by pattern.
func (p *Plan) Paths() []EffectiveRule {
	var all []EffectiveRule
	for _, path := range p.rules.Paths {
		all = append(all, EffectiveRule{path.Pattern.String(), path.Rule})
	}
	slices.SortFunc(all, func(a, b EffectiveRule) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Rule returns the effective rule that governs a request: that of the procedure or the path rule
// that its path resolves to. It is false if the path resolves to neither, or if servers may
// interpret the path in several ways for which the policy grants different access. The name of a
// procedure that neither the schema nor the policy has is input from the network. Rule is safe
// for concurrent use.
func (p *Plan) Rule(r Request) (EffectiveRule, bool) {
	t := p.find(&r)
	if t.kind != targetProcedure && t.kind != targetPath {
		return EffectiveRule{}, false
	}
	return EffectiveRule{t.name, t.rule}, true
}
