package policytest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// nameOfGuarantee returns the name of a guarantee for reports.
func nameOfGuarantee(index int, g *corsrpcv1.Guarantee) string {
	return cmp.Or(g.GetName(), fmt.Sprintf("guarantee %d", index+1))
}

// prover holds the functions that prove guarantees.
type prover struct {
	never, always func(*rules.Rules, analysis.CallSet) analysis.Proof
}

// runGuarantee proves a guarantee, or shows a counterexample.
func (s *Suite) runGuarantee(name string, g *corsrpcv1.Guarantee) Result {
	r := Result{Kind: KindGuarantee, Name: name, Status: Passed, Expected: statement(g)}
	v := s.plans.get(g.GetProfile(), nil)
	if v.err != nil {
		return r.undecided("the policy does not load: "+v.err.Error(), "")
	}
	all, err := s.plans.rulesForProofs(v)
	if err != nil {
		return r.undecided("the guarantee cannot be proven: "+err.Error(), "")
	}
	var proof analysis.Proof
	if set := g.GetNever(); set != nil {
		proof = s.prover().never(all, s.callSet(set, true))
	} else {
		proof = s.prover().always(all, s.callSet(g.GetAlways(), false))
	}
	switch {
	case proof.Holds:
		return r
	case proof.Undecided != "":
		return r.undecided(strings.TrimSuffix(proof.Undecided, "."), "")
	}
	r.Status, r.Happened = Failed, strings.TrimSuffix(proof.Reason, ".")
	if field, ok := v.moved[proof.Place.Field]; ok {
		proof.Place = v.policy.Rules.Place(field)
	}
	r.From = placeOf(proof.Place)
	s.addCounterexample(&r, v, g, proof.Counterexample)
	return r
}

// prover returns analysis.Never and analysis.Always, unless a test has replaced them.
func (s *Suite) prover() prover {
	if s.proves.never != nil {
		return s.proves
	}
	return prover{analysis.Never, analysis.Always}
}

// statement returns what a guarantee says, in the words of the test.
func statement(g *corsrpcv1.Guarantee) string {
	verb, set := "never", g.GetNever()
	if set == nil {
		verb, set = "always", g.GetAlways()
	}
	var parts []string
	for _, list := range []struct {
		word  string
		items []string
	}{
		{"", set.GetCalls()}, {"from ", set.GetOrigins()}, {"from outside of ", set.GetOriginsOutside()}, {"except from ", set.GetExceptSources()},
		{"with the request headers ", set.GetRequestHeaders()}, {"reading ", set.GetResponseHeaders()}, {"by ", set.GetHttpMethods()},
	} {
		if len(list.items) > 0 {
			parts = append(parts, list.word+strings.Join(list.items, ", "))
		}
	}
	if c := set.Credentials; c != nil {
		parts = append(parts, map[bool]string{true: "with credentials", false: "without credentials"}[*c])
	}
	if len(parts) == 0 {
		parts = []string{"*"}
	}
	return verb + " " + strings.Join(parts, ", ")
}

// callSet returns the set of calls of a guarantee.
func (s *Suite) callSet(set *corsrpcv1.CallSet, never bool) analysis.CallSet {
	c := analysis.CallSet{
		Calls: set.GetCalls(), Origins: patternsOf(set.GetOrigins()), OriginsOutside: patternsOf(set.GetOriginsOutside()),
		ExceptSources: slices.Clone(set.GetExceptSources()), Credentials: set.Credentials,
		RequestHeaders: lower(set.GetRequestHeaders()), ResponseHeaders: lower(set.GetResponseHeaders()), Methods: set.GetHttpMethods(),
	}
	if never { // a source without origins allows no page
		for name, known := range s.plans.sources {
			if len(known.GetOrigins()) == 0 && !slices.Contains(c.ExceptSources, name) {
				c.ExceptSources = append(c.ExceptSources, name)
			}
		}
	}
	return c
}

func patternsOf(items []string) (all []origin.Pattern) {
	for _, item := range items {
		p, _ := origin.ParsePattern(item) // checked when the test was read
		all = append(all, p)
	}
	return all
}

func lower(names []string) (all []string) {
	for _, name := range names {
		all = append(all, fetch.Lower(name))
	}
	return all
}
