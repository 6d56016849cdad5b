package cli

import (
	"context"
	"flag"
	"slices"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

var showCommand = subcommand{
	name:      "show",
	arguments: "POLICY [SELECTOR|PATH...]",
	summary:   "Shows the effective rules of a policy, and where each value comes from.",
	details: `POLICY is a file, - for the standard input, or git:REV:PATH for a file of a commit.
SELECTOR and PATH show only some rules: a procedure, a service, a package with .*, the pattern of a
path rule, or the path of a request. One that selects nothing is an error.

Equal rules are shown once, with the names that have them. Long lists are cut, unless --all is set
or -o json.`,
	examples: [2]example{
		{"the rules of one service", "corsrpc show --descriptors image.binpb cors.yaml acme.account.v1.AccountService"},
		{"all rules under a profile, for a program", "corsrpc show --profile dev -o json cors.yaml"},
	},
	exits: map[int]string{exitFine: "the rules are shown", exitFindings: "", exitUsage: "the command line is wrong, or the policy does not load", exitUnknown: ""},
	setup: setupShow,
}

func setupShow(flags *flag.FlagSet) run {
	var in input.Flags
	in.Register(flags)
	shadow := flags.Bool("shadow", false, "show the shadow policy")
	all := flags.Bool("all", false, "do not cut long lists of names and origins")
	format := report.FormatFlag(flags, report.Text, report.JSON)
	return func(ctx context.Context, s Streams, args []string) (int, error) {
		if len(args) == 0 {
			return exitUsage, usagef("name a policy, such as cors.yaml")
		}
		p := s.progress("reading " + args[0])
		defer p.stop()
		policy, err := load(ctx, s, &in, args[0])
		if err != nil {
			return exitUsage, err
		}
		shown := shownPolicy{file: policy.Name, plan: policy.Plan, schemaKnown: policy.settings.Files != nil, unknown: policy.Unknown}
		if *shadow {
			if shown.plan = policy.Plan.Shadow(); shown.plan == nil {
				return exitUsage, usagef("%s does not have a shadow policy", policy.Name)
			}
		}
		rules, err := shown.selected(args[1:])
		if err != nil {
			return exitUsage, err
		}
		p.stop()
		if *format == report.JSON {
			err = report.WriteDocument(s.Out, "show", shown.document(rules))
		} else {
			err = shown.writeText(s.Out, rules, limitsOf(*all))
		}
		writeNotes(s, policy.Name, slices.Concat(policy.Unknown, policy.Notes))
		return exitFine, err
	}
}

// shownPolicy is a policy, or its shadow, as show shows it.
type shownPolicy struct {
	file        string
	plan        *corsrpc.Plan
	schemaKnown bool
	unknown     []string
}

// enforcement returns the enforcement of the policy as it is written.
func (p *shownPolicy) enforcement() string {
	if p.plan.Enforced() {
		return "ENFORCE"
	}
	return "OBSERVE"
}

// showDocument is the JSON document of show. docs/command.md documents it.
type showDocument struct {
	report.Header
	File        string      `json:"file"`
	Digest      string      `json:"digest"`
	Enforcement string      `json:"enforcement"`
	Profile     string      `json:"profile,omitempty"`
	Sources     []string    `json:"sources"`
	Unknown     []string    `json:"unknown"`
	Procedures  []shownRule `json:"procedures"`
	Selectors   []shownRule `json:"selectors"`
	Paths       []shownRule `json:"paths"`
}

// shownRule is a rule in the JSON document.
type shownRule struct {
	Names  []string     `json:"names"`
	Values []shownValue `json:"values"`
}

// shownValue is a value of a rule. From is empty for a built-in value.
type shownValue struct {
	Field    string       `json:"field"`
	Value    string       `json:"value"`
	From     report.Place `json:"from,omitzero"`
	Variable string       `json:"variable,omitempty"`
}

func (p *shownPolicy) document(rules *ruleSet) *showDocument {
	return &showDocument{
		File: p.file, Digest: p.plan.Digest(), Enforcement: p.enforcement(), Profile: p.plan.Profile(), Sources: report.NotNil(p.plan.Sources()), Unknown: report.NotNil(p.unknown),
		Procedures: shownRules(rules.procedures), Selectors: shownRules(rules.selectors), Paths: shownRules(rules.paths),
	}
}

// shownRules returns each distinct rule once.
func shownRules(rules []corsrpc.EffectiveRule) []shownRule {
	shown := []shownRule{}
	for _, g := range folded(rules) {
		shown = append(shown, shownRule{g.names, valuesOf(g.rule)})
	}
	return shown
}

// valuesOf returns all values of a rule.
func valuesOf(r corsrpc.EffectiveRule) []shownValue {
	values := []shownValue{}
	for _, v := range r.Values() {
		values = append(values, shownValue{v.Field, v.Value, placeAt(v.From.File, v.From.Position, v.From.Field), v.From.Variable})
	}
	return values
}
