package main

import (
	"context"

	"buf.build/go/bufplugin/check"
	"buf.build/go/bufplugin/info"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
)

// The categories of the rules.
const (
	lintCategory     = "CORSRPC"
	breakingCategory = "CORSRPC_BREAKING"
)

// prefix is the start of each rule's ID. The check, the kind of finding or the aspect of the library follows.
const prefix = "CORSRPC_"

// optionChecks are the checks of the library that an option of a schema can fail. Each has a rule.
var optionChecks = []corsrpc.Check{
	corsrpc.CheckUnknownField, corsrpc.CheckUnknownEnumValue,
	corsrpc.CheckOriginSyntax, corsrpc.CheckOriginNeverSent, corsrpc.CheckNullOrigin, corsrpc.CheckPlainHTTPOrigin,
	corsrpc.CheckPublicSuffixOrigin, corsrpc.CheckAnyInstallation,
	corsrpc.CheckWildcardWithCredentials, corsrpc.CheckNullWithCredentials,
	corsrpc.CheckSelectorMisplaced, corsrpc.CheckFieldMisplaced, corsrpc.CheckMethodSyntax,
	corsrpc.CheckHeaderSyntax, corsrpc.CheckHeaderForbidden, corsrpc.CheckHeaderContradiction, corsrpc.CheckProtocolHeader,
	corsrpc.CheckMaxAgeRange, corsrpc.CheckEnvironment, corsrpc.CheckOriginSource, corsrpc.CheckSchemaOption,
}

// optionFindings are the findings of the library that an option can have. Each has a rule.
var optionFindings = []corsrpc.FindingKind{
	corsrpc.FindingRuleChangesNothing, corsrpc.FindingHeaderChangesNothing, corsrpc.FindingRiskNotNeeded, corsrpc.FindingDuplicateValue,
}

// lost are the aspects of a comparison whose loss breaks pages. Each has a rule.
var lost = []analysis.Aspect{
	analysis.AspectOrigin, analysis.AspectCredentials, analysis.AspectMethod, analysis.AspectRequestHeader, analysis.AspectResponseHeader, analysis.AspectTiming,
}

// The rules that are not named for a check, a kind of finding or an aspect of the library.
const (
	rulePolicy           = prefix + "POLICY"
	ruleGetCredentials   = prefix + "GET_WITH_CREDENTIALS"
	ruleMethodNotCovered = prefix + "METHOD_NOT_COVERED"
	ruleSelectorOutside  = prefix + "SELECTOR_OUTSIDE_MODULE"
	ruleLostProtocol     = prefix + "LOST_PROTOCOL"
)

// ruleOf returns the ID of the rule for a check or a kind of finding of the library.
func ruleOf[T ~string](name T) string { return prefix + string(name) }

// ruleOfLost returns the ID of the rule for the loss of an aspect.
func ruleOfLost(a analysis.Aspect) string { return prefix + "LOST_" + string(a) }

// spec returns the plugin: its rules with their categories.
func spec() *check.Spec {
	s := &check.Spec{
		Before: before,
		Categories: []*check.CategorySpec{
			{ID: lintCategory, Purpose: "Checks that the corsrpc options of a schema are valid, and fit the policy."},
			{ID: breakingCategory, Purpose: "Checks that a schema takes nothing away from pages on other origins."},
		},
		Info: &info.Spec{
			Documentation: "Checks the options (corsrpc.v1.service) and (corsrpc.v1.method), and what a change of a schema takes away from pages on other origins.",
			SPDXLicenseID: "Apache-2.0",
			LicenseURL:    "https://www.apache.org/licenses/LICENSE-2.0",
		},
	}
	add := func(kind check.RuleType, category, id, purpose string) {
		s.Rules = append(s.Rules, &check.RuleSpec{
			ID: id, CategoryIDs: []string{category}, Default: true, Purpose: purpose, Type: kind, Handler: reporter(kind, id),
		})
	}
	lint := func(id, purpose string) { add(check.RuleTypeLint, lintCategory, id, purpose) }
	for _, c := range optionChecks {
		lint(ruleOf(c), "Checks that "+c.Purpose()+".")
	}
	for _, k := range optionFindings {
		lint(ruleOf(k), "Reports "+k.Meaning()+".")
	}
	lint(ruleGetCredentials, "Checks that no option allows credentials for a method that clients may call by GET.")
	lint(ruleOf(corsrpc.CheckSelectorUnknown), "Checks that every selector of a package of the module matches something in the schema.")
	s.Rules = append(s.Rules, &check.RuleSpec{ // not by default, since another module of the workspace may have the package
		ID: ruleSelectorOutside, Purpose: "Checks that every other selector matches something in the schema.",
		Type: check.RuleTypeLint, Handler: reporter(check.RuleTypeLint, ruleSelectorOutside),
	})
	lint(ruleMethodNotCovered, "Checks that the policy allows origins for each method, or disables it.")
	lint(rulePolicy, "Checks that the policy loads with the schema.")
	breaking := func(id, meaning string) {
		add(check.RuleTypeBreaking, breakingCategory, id, "Checks that this is not lost: "+meaning+".")
	}
	for _, a := range lost {
		breaking(ruleOfLost(a), a.Meaning())
	}
	breaking(ruleLostProtocol, "clients of a protocol may call")
	return s
}

// reporter returns the handler of a rule: it reports the problems of that rule among all those of the request.
func reporter(kind check.RuleType, id string) check.RuleHandler {
	return check.RuleHandlerFunc(func(ctx context.Context, w check.ResponseWriter, _ check.Request) error {
		run := runOf(ctx)
		find := run.lint
		if kind == check.RuleTypeBreaking {
			find = run.breaking
		}
		found, err := find()
		if err != nil {
			if run.told.Swap(true) {
				return nil // another rule has returned the error
			}
			return err
		}
		for _, p := range found {
			if p.rule == id {
				w.AddAnnotation(p.annotation()...)
			}
		}
		return nil
	})
}
