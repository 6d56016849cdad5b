package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"buf.build/go/bufplugin/check"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// lint returns the problems of a schema.
func lint(s *settings, request check.Request) ([]problem, error) {
	schema, err := readSchema(request.FileDescriptors(), nil)
	if err != nil {
		return nil, err
	}
	if !schema.hasServices() {
		return nil, nil // such as the module of corsrpc/v1/options.proto: the policy is not about it
	}
	l := &linter{settings: s, schema: schema}
	plan, err := l.compile()
	if err != nil {
		return nil, err
	}
	if plan == nil {
		return l.found, l.checkReported(request.RuleIDs())
	}
	l.getWithCredentials(planaccess.Rules(plan))
	if s.policy != "" {
		l.notCovered(planaccess.Rules(plan))
		s.schemaOptions = plan.Policy().GetSchemaOptions()
	}
	return l.found, l.options()
}

// linter collects the problems of a schema.
type linter struct {
	*settings
	*schema
	found []problem
}

// compile compiles the schema under the policy, or under the first stand-in policy if none is given, and reports the
// violations. The plan is nil if there are violations other than selectors that select nothing.
func (l *linter) compile() (*corsrpc.Plan, error) {
	if l.policy == "" {
		return l.violations(compilePolicy(standIns(l.schemaOptions)[0], l.files))
	}
	plan, err := l.violations(l.settings.compile(l.files, false))
	if plan != nil || err != nil {
		return plan, err
	}
	plan, err = l.settings.compile(l.files, true)
	var broken *corsrpc.PolicyError
	if errors.As(err, &broken) {
		return nil, nil // the violations are reported
	}
	return plan, err
}

// violations reports the violations that a compilation has found, and returns its plan.
func (l *linter) violations(plan *corsrpc.Plan, err error) (*corsrpc.Plan, error) {
	var broken *corsrpc.PolicyError
	if !errors.As(err, &broken) {
		return plan, err
	}
	for _, v := range broken.Violations {
		p := problem{rule: rulePolicy}
		if element, field, ok := splitField(v.Field); ok {
			p.at = l.placeIn(element, field)
			v.File, v.Position = "", corsrpc.Position{} // buf shows the place
			if slices.Contains(optionChecks, v.Check) {
				p.rule = ruleOf(v.Check)
			}
		} else if v.Check == corsrpc.CheckSelectorUnknown {
			p.rule = ruleSelectorOutside
			if l.isOwn(v.Value) {
				p.rule = ruleOf(v.Check)
			}
		}
		p.message = v.String()
		l.found = append(l.found, p)
	}
	return nil, nil
}

// placeIn returns the place of a field of an option.
func (l *linter) placeIn(element, field string) place {
	if d := l.find(element); d != nil {
		return placeOfField(d, field)
	}
	return place{}
}

// checkReported returns an error if the rules that report why the schema does not compile are turned off: the other
// rules could not say that they have checked nothing.
func (l *linter) checkReported(enabled []string) error {
	for _, p := range l.found {
		if len(enabled) == 0 || slices.Contains(enabled, p.rule) {
			return nil
		}
	}
	p := l.found[0]
	return fmt.Errorf("%s: the other rules check nothing until this is corrected, and the rule %s, which reports it, is turned off: correct it, or turn the rule on", p.message, p.rule)
}

// getWithCredentials reports options that allow credentials for methods that clients may call by GET.
func (l *linter) getWithCredentials(r *rules.Rules) {
	for _, p := range r.Procedures {
		element, field, ok := splitField(p.Rule.ValueField("allow_credentials"))
		if !ok || !p.Rule.Credentials() || !slices.Contains(p.Rule.Methods(), http.MethodGet) || l.find(p.Name) == nil {
			continue
		}
		l.found = append(l.found, problem{
			rule: ruleGetCredentials, at: l.placeIn(element, field),
			message: fmt.Sprintf("%s: allows credentials for %s, which is NO_SIDE_EFFECTS: clients may call it by GET, for which browsers make no preflight and whose URL has the message: "+
				"leave allow_credentials out, or remove idempotency_level from the method", p.Rule.ValueField("allow_credentials"), p.Name),
		})
	}
}

// notCovered reports methods for which the policy allows no origins and which it does not disable either.
func (l *linter) notCovered(r *rules.Rules) {
	covered := map[string]bool{}
	for _, p := range r.Procedures {
		covered[p.Name] = p.Rule.SetsOrigins() || p.Rule.Disabled()
	}
	report := func(d protoreflect.Descriptor, what string) {
		l.found = append(l.found, problem{
			rule: ruleMethodNotCovered, at: placeOf(d),
			message: fmt.Sprintf("%s: no rule of %s allows origins for %s: write a rule with selector: %s, and allow_origins or disabled: true", d.FullName(), l.policy, what, d.FullName()),
		})
	}
	l.methods(func(service protoreflect.ServiceDescriptor, methods []string) {
		open := slices.DeleteFunc(slices.Clone(methods), func(name string) bool { return covered[name] })
		if len(open) > 1 && len(open) == len(methods) {
			report(service, "its methods")
			return
		}
		for _, name := range open {
			report(l.find(name), "it")
		}
	})
}

// options reports options and values of options that change nothing under any policy.
func (l *linter) options() error {
	if l.schemaOptions == corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_IGNORE {
		return nil
	}
	type key struct {
		kind  analysis.Kind
		field string
	}
	policies := standIns(l.schemaOptions)
	count := map[key]int{}
	idle := map[string]bool{} // the services and methods whose option changes nothing
	var all []analysis.Finding
	for _, policy := range policies {
		found, err := findingsUnder(policy, l.files)
		if err != nil {
			return err
		}
		for _, f := range found {
			k := key{f.Kind, f.Field}
			if count[k]++; count[k] < len(policies) {
				continue
			}
			all = append(all, f)
			if element, field, _ := splitField(f.Field); field == "" {
				idle[element] = true
			}
		}
	}
	for _, f := range all {
		element, field, _ := splitField(f.Field)
		if field != "" && idle[element] {
			continue // the finding about the whole option says enough
		}
		finding := corsrpc.Finding{Kind: corsrpc.FindingKind(f.Kind), Field: f.Field, Value: f.Value, Message: f.Message, Remedy: f.Remedy}
		for _, r := range f.Related {
			finding.Related = append(finding.Related, corsrpc.Related{Field: r.Field})
		}
		l.found = append(l.found, problem{rule: ruleOf(f.Kind), at: l.placeIn(element, field), message: finding.String()})
	}
	return nil
}

// findingsUnder returns the findings about the options of a schema under a stand-in policy. It returns none if the
// policy does not fit the options, which may be valid under another policy.
func findingsUnder(policy *corsrpcv1.Policy, files *protoregistry.Files) ([]analysis.Finding, error) {
	plan, err := compilePolicy(policy, files)
	var broken *corsrpc.PolicyError
	switch {
	case errors.As(err, &broken):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return analysis.OptionFindings(planaccess.Rules(plan)), nil
}
