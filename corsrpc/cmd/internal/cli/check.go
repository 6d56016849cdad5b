package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

var checkCommand = subcommand{
	name:      "check",
	arguments: "POLICY...",
	summary:   "Reports every problem of policies.",
	details: `Each POLICY is a file, - for the standard input in YAML or JSON, or git:REV:PATH for a file of a
commit.
Problems go to the standard output; a summary, and what is not known, to the standard error.

--strict also reports findings: parts of a policy that load and deserve a look, since they may
grant more than intended, or change nothing. They are looked for in the policy and in its shadow
policy, without a profile and with each of them, or with that of --profile only.`,
	examples: [2]example{
		{"every problem, against the schema of the server", "corsrpc check --descriptors image.binpb cors.yaml"},
		{"findings too, as annotations of a pull request", "corsrpc check --strict -o github cors.yaml"},
	},
	exits: map[int]string{
		exitFine: "every policy loads", exitFindings: "a policy does not load, or --strict has findings",
		exitUsage: "the command line is wrong, or an input cannot be read", exitUnknown: "",
	},
	setup: setupCheck,
}

func setupCheck(flags *flag.FlagSet) run {
	var in input.Flags
	in.Register(flags)
	strict := flags.Bool("strict", false, "report findings too")
	format := report.FormatFlag(flags, report.Text, report.JSON, report.GitHub, report.SARIF)
	return func(ctx context.Context, s Streams, args []string) (int, error) {
		if len(args) == 0 {
			return exitUsage, usagef("name a policy, such as cors.yaml")
		}
		p := s.progress("reading the schema")
		defer p.stop()
		settings, err := in.Settings(ctx)
		if err != nil {
			return exitUsage, err
		}
		var all checks
		for _, argument := range withoutDuplicates(args) {
			p.set("checking " + argument)
			all = append(all, checkPolicy(ctx, s, settings, argument))
			if ctx.Err() != nil {
				return exitUsage, ctx.Err()
			}
		}
		p.stop()
		err = all.write(s, *format, *strict)
		all.writeSummary(s, *strict) // at the end, where people look first
		return all.exitCode(*strict), err
	}
}

// checked is the result for one policy.
type checked struct {
	file     string
	text     []byte
	failure  string // why the file could not be read; empty if it could
	digest   string // of the plan; empty if the policy does not load
	problems []report.Problem
	findings found
	unknown  []string
	notes    []string
}

// checkPolicy checks the policy of an argument.
func checkPolicy(ctx context.Context, s Streams, settings input.Settings, argument string) checked {
	name, text, err := input.Read(ctx, argument, s.In)
	c := checked{file: name, text: text}
	if err != nil {
		c.file, c.failure = argument, err.Error()
		return c
	}
	policy, err := compile(settings, name, text)
	if err == nil {
		c.digest, c.unknown, c.notes = policy.Plan.Digest(), policy.Unknown, policy.Notes
		c.findings, err = findingsOf(&loadedPolicy{policy, settings, text})
	}
	var broken *brokenPolicy
	switch {
	case errors.As(err, &broken):
		c.problems = broken.problems
	case err != nil:
		c.failure = err.Error()
	}
	return c
}

// reported returns the problems that are reported.
func (c checked) reported(strict bool) []report.Problem {
	if strict {
		return slices.Concat(c.problems, c.findings.problems)
	}
	return c.problems
}

// checks are the results for all policies.
type checks []checked

func (all checks) exitCode(strict bool) int {
	code := exitFine
	for _, c := range all {
		switch {
		case c.failure != "":
			return exitUsage
		case len(c.reported(strict)) > 0:
			code = exitFindings
		}
	}
	return code
}

// writeSummary writes one line for each policy, and what is not known, to the standard error.
func (all checks) writeSummary(s Streams, strict bool) {
	for _, c := range all {
		if c.failure != "" {
			fmt.Fprintf(s.Err, "corsrpc check: %s\n", report.Printable(c.failure))
			continue
		}
		writeNotes(s, c.file, slices.Concat(c.unknown, c.notes))
		writeNotes(s, c.file, []string{c.summary(strict)})
	}
}

// summary says how many problems and findings a policy has.
func (c checked) summary(strict bool) string {
	errors, n, more := len(c.problems), len(c.findings.problems), ""
	if left := c.findings.left; left > 0 {
		more = fmt.Sprintf(", and at least %d more", left)
	}
	switch {
	case errors > 0:
		return report.Count(errors, "problem")
	case n == 0:
		return "no problems"
	case strict:
		return report.Count(n, "finding") + more
	}
	them := "them"
	if more == "" && n == 1 {
		them = "it"
	}
	return "loads, with " + report.Count(n, "finding") + more + ": --strict shows " + them
}
