package policytest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// attempt is the outcome of a case under one plan.
type attempt struct {
	trial   *corsinspect.Trial
	failing []corsbrowser.Engine // the engines in which it fails
	first   seen                 // the first failing outcome, or else the first one
	differs string               // the difference there; empty if there is none
}

// try makes the call of a case under a plan.
func (s *Suite) try(plan *corsrpc.Plan, one *corsrpcv1.Case) (attempt, error) {
	trial, err := corsinspect.Try(plan, s.callOf(one))
	if err != nil {
		return attempt{}, err
	}
	a := attempt{trial: trial}
	for i, o := range trial.Outcomes {
		now := seenOf(o)
		differs := now.differs(one.GetExpect())
		if i == 0 || differs != "" && a.differs == "" {
			a.first, a.differs = now, differs
		}
		if differs != "" {
			a.failing = append(a.failing, o.Engine)
		}
	}
	return a, nil
}

// runCase runs a case.
func (s *Suite) runCase(one *corsrpcv1.Case) Result {
	r := Result{Kind: KindCase, Name: nameOf(one), Status: Passed, Expected: expected(one.GetExpect())}
	v := s.plans.get(one.GetProfile(), one.GetEnv())
	if v.err != nil {
		return r.undecided("the policy does not load: "+v.err.Error(), "")
	}
	a, err := s.try(s.plans.plan(v, one.GetSources()), one)
	if err != nil {
		return r.undecided("the call cannot be made: "+strings.TrimPrefix(err.Error(), "corsinspect: "), "")
	}
	if add := s.dependsOn(v, one, a); add != "" {
		return r.undecided("the outcome depends on origins that are not known", add)
	}
	if a.differs == "" {
		return r
	}
	r.Status, r.Happened = Failed, a.differs
	if len(a.failing) < len(a.trial.Outcomes) {
		r.Engines = names(a.failing)
	}
	v.explain(&r, a.first, one)
	return r
}

// undecided returns a result whose outcome is not known.
func (r Result) undecided(happened, add string) Result {
	r.Status, r.Happened, r.Add = Unknown, happened, add
	return r
}

// explain adds the reason, the remedy, the place in the policy, and the request.
func (v *variant) explain(r *Result, now seen, one *corsrpcv1.Case) {
	if now.at == nil {
		return
	}
	d := now.at.Decision
	r.Reason, r.Curl = string(now.reason), now.at.Curl
	if r.Reason == "" {
		r.Reason = string(d.Reason())
	}
	readable := one.GetExpect().GetReadable()
	if readable == nil || now.stopped() {
		r.From = placeOfProvenance(d.From())
	}
	switch {
	case readable != nil && now.stopped():
		r.Remedy = d.Remedy()
		if r.Remedy == "" {
			r.Remedy = now.reason.Remedy()
		}
	case readable != nil:
		v.explainHeader(r, now, one)
	}
}

// explainHeader says which item of the policy exposes or hides the first header that is not as expected.
func (v *variant) explainHeader(r *Result, now seen, one *corsrpcv1.Case) {
	all := v.rulesOf(now.at.Request)
	name, hides := now.firstWrong(one.GetExpect().GetReadable())
	if len(all) == 0 || name == "" {
		return
	}
	if now.at.Decision.Reason() == corsrpc.ReasonSameOrigin {
		r.Remedy = "no policy changes what a page of the server's own origin reads"
		return
	}
	rule := all[0]
	at := rule.HeaderPlace(rpc.Response, name)
	if at.Field == "" {
		at = rule.Place(rule.ValueFieldOrNarrowest("expose"))
	}
	r.From = placeOf(at)
	r.Remedy = headerRemedy(name, hides, rule, one.GetAnswer().GetStatus())
	if strings.HasPrefix(at.Field, rule.Narrowest()+".") && strings.HasSuffix(at.Field, "]") && strings.HasPrefix(r.Remedy, "write ") {
		r.Remedy += ", in place of " + at.Field // a rule cannot do both
	}
}

// headerRemedy says how a rule exposes a header, or hides it: one that a policy with the remedy does not load
// with, or that it does not change, is not proposed.
func headerRemedy(name string, hides bool, rule *rules.Effective, status int32) string {
	switch {
	case hides && fetch.SafelistedResponseHeader(name):
		return "no policy can hide " + name + " from a script that can read the response"
	case hides && !rule.CanHideHeader(name):
		return "no policy can hide " + name + ", which the clients of the RPC protocols need"
	case hides:
		return fmt.Sprintf("write hide_headers: [%s] in the rule that governs the call", name)
	case !rules.CanExposeHeader(name):
		return "no policy can expose " + name
	case status == http.StatusNotModified:
		return "no policy exposes headers of a response with the status 304"
	}
	return fmt.Sprintf("write expose_headers: [%s] in the rule that governs the call", name)
}

// placeOf returns a place in the policy.
func placeOf(p rules.Place) report.Place {
	return report.Place{File: p.File, Line: p.Line, Column: p.Column, Field: p.Field}
}

// placeOfProvenance returns the place in the policy that a decision comes from.
func placeOfProvenance(p corsrpc.Provenance) report.Place {
	return report.Place{File: p.File, Line: p.Position.Line, Column: p.Position.Column, Field: p.Field}
}

// dependsOn says what to add to the test if the outcome of a case depends on origins that are not known:
// those of a source without rows in the test, or of a variable that is not set. It is empty if the outcome
// does not. The case is also tried as if they contained the origin of the page.
func (s *Suite) dependsOn(v *variant, one *corsrpcv1.Case, a attempt) string {
	if len(a.first.Exchanges) == 0 {
		return ""
	}
	sources, variables := s.unknownOf(v.rulesOf(a.first.Exchanges[0].Request), one)
	if len(sources)+len(variables) == 0 {
		return ""
	}
	plan, ok := s.withUnknown(v, one, sources, variables)
	if !ok {
		return addition(one.GetFrom(), sources, variables)
	}
	with, err := s.try(plan, one)
	if err == nil && (with.differs == "") == (a.differs == "") {
		return ""
	}
	return addition(one.GetFrom(), sources, variables)
}

// unknownOf returns the sources and the variables of rules whose origins are not known.
func (s *Suite) unknownOf(all []*rules.Effective, one *corsrpcv1.Case) (sources, variables []string) {
	known := s.plans.known(one.GetSources())
	for _, rule := range all {
		if rule.Disabled() {
			continue
		}
		for _, name := range rule.Sources() {
			if _, ok := known[name]; !ok && !slices.Contains(sources, name) {
				sources = append(sources, name)
			}
		}
		for _, u := range rule.Unset() {
			if !slices.Contains(variables, u.Name) {
				variables = append(variables, u.Name)
			}
		}
	}
	return sources, variables
}

// maxCompiled is how often a policy is compiled to find out whether outcomes depend on variables that are not
// set. Each origin of a case needs one.
const maxCompiled = 100

// withUnknown returns the plan in which the sources and the variables contain the origin of the page. It
// returns false if the policy does not load with that.
func (s *Suite) withUnknown(v *variant, one *corsrpcv1.Case, sources, variables []string) (*corsrpc.Plan, bool) {
	if len(variables) > 0 {
		if s.plans.compiled > maxCompiled {
			return nil, false
		}
		env := map[string]string{}
		for name, value := range one.GetEnv() {
			env[name] = value
		}
		for _, name := range variables {
			env[name] = one.GetFrom()
		}
		if v = s.plans.get(one.GetProfile(), env); v.err != nil {
			return nil, false
		}
	}
	own := map[string]*corsrpcv1.SourceOrigins{}
	for name, origins := range one.GetSources() {
		own[name] = origins
	}
	for _, name := range sources {
		own[name] = &corsrpcv1.SourceOrigins{Origins: []string{one.GetFrom()}}
	}
	return s.plans.plan(v, own), true
}

// addition says what to add to a test so that the outcome of a case is known.
func addition(from string, sources, variables []string) string {
	var parts []string
	for _, name := range sources {
		parts = append(parts, fmt.Sprintf("sources: {%s: {origins: [%s]}}", name, from))
	}
	for _, name := range variables {
		parts = append(parts, fmt.Sprintf("env: {%s: %q}", name, from))
	}
	return "add to the test the origins that are known, such as " + strings.Join(parts, " and ")
}
