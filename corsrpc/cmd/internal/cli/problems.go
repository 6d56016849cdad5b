package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

// problemsOf returns the violations of a policy as problems.
func problemsOf(err *corsrpc.PolicyError) (problems []report.Problem) {
	for _, v := range err.Violations {
		p := report.Problem{
			Severity: report.Error, Code: string(v.Check), Place: placeAt(v.File, v.Position, v.Field),
			Value: v.Value, Message: v.Reason, Related: relatedOf(v.Related),
		}
		if v.Fix != "" {
			p.Fix = "write " + v.Fix
		}
		problems = append(problems, p)
	}
	return problems
}

// warningOf returns a finding as a problem.
func warningOf(f corsrpc.Finding) report.Problem {
	return report.Problem{
		Severity: report.Warning, Code: string(f.Kind), Place: placeAt(f.File, f.Position, f.Field),
		Value: f.Value, Message: f.Message, Fix: f.Remedy, Related: relatedOf(f.Related),
	}
}

func relatedOf(all []corsrpc.Related) (related []report.Related) {
	for _, r := range all {
		related = append(related, report.Related{Place: placeAt(r.File, r.Position, r.Field)})
	}
	return related
}

func placeAt(file string, at corsrpc.Position, field string) report.Place {
	return report.Place{File: file, Line: at.Line, Column: at.Column, Field: field}
}

// policyRules returns the kinds of problems that a policy can have.
func policyRules() (rules []report.Rule) {
	for _, check := range corsrpc.Checks() {
		rules = append(rules, report.Rule{ID: string(check), Description: "The check ensures that " + check.Purpose() + ".", Severity: report.Error})
	}
	for _, kind := range corsrpc.FindingKinds() {
		rules = append(rules, report.Rule{ID: string(kind), Description: "The finding reports " + kind.Meaning() + ".", Severity: report.Warning})
	}
	return rules
}

// brokenPolicy is the error of a policy that does not load.
type brokenPolicy struct {
	name     string
	text     []byte
	problems []report.Problem
}

func (e *brokenPolicy) Error() string {
	return fmt.Sprintf("%s does not load: it has %s", e.name, report.Count(len(e.problems), "problem"))
}

func (e *brokenPolicy) report() *report.Report {
	return &report.Report{Problems: e.problems, Texts: map[string][]byte{e.name: e.text}}
}

// compile compiles the text of a policy. The error is a *brokenPolicy if the policy does not load.
func compile(settings input.Settings, name string, text []byte) (*input.Policy, error) {
	policy, err := settings.Compile(name, text)
	var violations *corsrpc.PolicyError
	if errors.As(err, &violations) {
		return nil, &brokenPolicy{name, text, problemsOf(violations)}
	}
	return policy, err
}

// loadedPolicy is a policy with what it was compiled from.
type loadedPolicy struct {
	*input.Policy
	settings input.Settings
	text     []byte
}

// load reads and compiles the policy of an argument.
func load(ctx context.Context, s Streams, flags *input.Flags, argument string) (*loadedPolicy, error) {
	settings, err := flags.Settings(ctx)
	if err != nil {
		return nil, err
	}
	name, text, err := input.Read(ctx, argument, s.In)
	if err != nil {
		return nil, err
	}
	policy, err := compile(settings, name, text)
	if err != nil {
		return nil, err
	}
	return &loadedPolicy{policy, settings, text}, nil
}

// writeNotes writes notes about a policy to the standard error.
func writeNotes(s Streams, name string, notes []string) {
	for _, note := range notes {
		fmt.Fprintf(s.Err, "%s: %s\n", report.Printable(name), report.Printable(note))
	}
}

// withoutDuplicates returns the first of all equal arguments.
func withoutDuplicates(args []string) (distinct []string) {
	for _, arg := range args {
		if !slices.Contains(distinct, arg) {
			distinct = append(distinct, arg)
		}
	}
	return distinct
}
