package cli

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// sourceSets returns the origins of sources, given as NAME=ORIGIN.
func sourceSets(plan *corsrpc.Plan, pairs []string) (map[string][]string, error) {
	sets := map[string][]string{}
	for _, pair := range pairs {
		name, row, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, usagef("--source %q is not of the form NAME=ORIGIN", pair)
		}
		if known := plan.Sources(); !slices.Contains(known, name) {
			if nearest, ok := policyfile.Nearest(name, known); ok {
				return nil, usagef("%q is not a source of the policy: write %s", name, nearest)
			}
			return nil, usagef("%q is not a source of the policy", name)
		}
		if !origin.IsTenant(row) {
			return nil, usagef("--source %s: %q is not an exact https origin, such as https://tenant1.example.com; a server skips it", name, row)
		}
		sets[name] = append(sets[name], row)
	}
	return sets, nil
}

// dependence is a set of origins that is not known, and what happens if it has the page's origin.
type dependence struct {
	Source   string         `json:"source,omitempty"`
	Variable string         `json:"variable,omitempty"`
	Outcomes []shownOutcome `json:"outcomes"` // if the set has the origin
}

func (d dependence) String() string {
	if d.Source != "" {
		return "the source " + d.Source
	}
	return "the environment variable " + d.Variable
}

// flag returns the flag that adds an origin to the set.
func (d dependence) flag(origin string) string {
	if d.Source != "" {
		return fmt.Sprintf("--source %s=%s", d.Source, origin)
	}
	return fmt.Sprintf("--env %s=%s", d.Variable, origin)
}

// origin returns the origin that the call has.
func (e *explanation) origin() string {
	if e.call.Origin != "" {
		return e.call.Origin
	}
	return e.call.Header.Get("Origin")
}

// findDependences tries the call again with its origin in each set that is not known. More origins
// only grant more, so the sets are tried one by one.
func (e *explanation) findDependences() (all []dependence) {
	if e.origin() == "" {
		return nil
	}
	have := shownOutcomes(e.trial)
	try := func(d dependence, plan *corsrpc.Plan) {
		trial, err := corsinspect.Try(plan, e.call)
		if err != nil {
			return // the call is valid: it has been tried
		}
		if d.Outcomes = shownOutcomes(trial); !sameOutcomes(have, d.Outcomes) {
			all = append(all, d)
		}
	}
	for _, name := range e.policy.Plan.Sources() {
		if _, known := e.sets[name]; !known && origin.IsTenant(e.origin()) {
			sets := maps.Clone(e.sets)
			sets[name] = []string{e.origin()}
			try(dependence{Source: name}, e.policy.Plan.WithSets(sets))
		}
	}
	for _, name := range e.policy.Rules.UnsetVariables() {
		plan, err := e.policy.withVariable(name, e.origin())
		if err != nil {
			continue // the variable cannot have this origin
		}
		try(dependence{Variable: name}, plan.WithSets(e.sets))
	}
	return all
}

// withVariable returns the plan of the policy if an environment variable has an origin.
func (p *loadedPolicy) withVariable(name, origin string) (*corsrpc.Plan, error) {
	settings := p.settings
	if settings.Env = maps.Clone(settings.Env); settings.Env == nil {
		settings.Env = map[string]string{}
	}
	settings.Env[name] = origin
	policy, err := settings.Compile(p.Name, p.text)
	if err != nil {
		return nil, err
	}
	return policy.Plan, nil
}

// sameOutcomes reports whether two lists of outcomes are the same to a script and to a program.
func sameOutcomes(a, b []shownOutcome) bool {
	return slices.EqualFunc(a, b, func(a, b shownOutcome) bool {
		return a.Verdict == b.Verdict && slices.Equal(a.Engines, b.Engines) && slices.Equal(a.Headers, b.Headers) &&
			slices.EqualFunc(a.Exchanges, b.Exchanges, func(a, b shownExchange) bool { return a.Status == b.Status && a.Verdict == b.Verdict })
	})
}

// notes say what is not known, and that a name may be misspelled.
func (e *explanation) notes() []string {
	notes := slices.Concat(e.policy.Unknown, e.policy.Notes)
	for name := range e.sets {
		notes = slices.DeleteFunc(notes, func(note string) bool { return note == input.UnknownSource(name) })
	}
	if e.policy.settings.Files == nil {
		return notes
	}
	path, _, _ := strings.Cut(e.call.Target, "?")
	if strings.HasPrefix(path, "/") {
		return notes
	}
	service, method, _ := cutLast(path, ".")
	name, known := e.policy.Plan.Decide(corsrpc.Request{Method: http.MethodPost, Path: "/" + service + "/" + method}).Procedure()
	if name == "" || known {
		return notes
	}
	note := "the schema does not have the procedure " + name
	if nearest, ok := nearestProcedure(e.policy.Plan, name); ok {
		note += ": write " + nearest
	}
	return append(notes, note)
}
