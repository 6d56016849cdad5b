package rules

import (
	"fmt"

	"github.com/corsrpc/corsrpc-go/internal/route"
)

// Target is what rules are for: the procedures that a selector covers, a procedure of the schema, or
// a path. It is the argument of the function that gives Routes its values.
type Target struct {
	// Kind is route.Procedure or route.Path.
	Kind route.Kind
	// Name is the full name of a procedure of the schema or the pattern of a path; empty for the
	// procedures that a selector covers.
	Name string
	// Rule applies to the target.
	Rule *Effective
}

// Routes returns the table that resolves a request's path to the value of a target. It calls value
// once for each target.
func Routes[V any](r *Rules, same func(a, b V) bool, value func(Target) V) *route.Table[V] {
	covered := func(e *Effective) V { return value(Target{Kind: route.Procedure, Rule: e}) }
	table := route.New(route.Config[V]{Prefixes: r.Prefixes, Same: same, Uncovered: covered(r.Uncovered), Unnamed: covered(r.Unnamed)})
	for _, service := range r.Services {
		table.AddService(service)
	}
	for _, s := range r.Selectors {
		v := covered(s.Rule)
		operational := v
		if s.Operational != s.Rule {
			operational = covered(s.Operational)
		}
		table.AddSelector(s.Name, v, operational)
	}
	for _, m := range r.Procedures {
		table.AddMethod(m.Service, m.Method, value(Target{route.Procedure, m.Name, m.Rule}))
	}
	for _, path := range r.Paths {
		text := path.Pattern.String()
		if err := table.AddPattern(path.Pattern, value(Target{route.Path, text, path.Rule})); err != nil {
			panic(fmt.Sprintf("corsrpc: bug: the path pattern %q was accepted by rules.Compile and then refused: %v", text, err)) // both use the same checks
		}
	}
	return table
}
