package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/policydiff"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

var diffCommand = subcommand{
	name:      "diff",
	arguments: "OLD NEW",
	summary:   "Says what a policy grants that another one does not.",
	details: `OLD and NEW are policies: each a file, - for the standard input in YAML or JSON, or git:REV:PATH.
The first line of the output is the verdict: same, stricter, wider or both. Each difference is a
sentence with the places in both policies, and with a call that only one of them grants. Flags that
begin with --old- replace, for OLD, the flag without it.`,
	examples: [2]example{
		{"the effect of a change, with an exit code for one that grants more", "corsrpc diff --fail-on wider git:main:cors.yaml cors.yaml"},
		{"annotations of a pull request, for the servers with the profile dev", "corsrpc diff --descriptors image.binpb --profile dev -o github git:main:cors.yaml cors.yaml"},
	},
	exits: map[int]string{
		exitFine: "the policies were compared", exitFindings: "NEW grants more than OLD (--fail-on wider), or they differ (--fail-on any)",
		exitUnknown: "with --fail-on: it could not be decided; or the comparison has a bug",
	},
	setup: setupDiff,
}

// failOn is the value of --fail-on.
type failOn string

const (
	failNever failOn = ""
	failWider failOn = "wider"
	failAny   failOn = "any"
)

// String returns the value.
func (f *failOn) String() string { return string(*f) }

// Set takes one of the values.
func (f *failOn) Set(value string) error {
	if !slices.Contains([]failOn{failWider, failAny}, failOn(value)) {
		return errors.New("write wider or any")
	}
	*f = failOn(value)
	return nil
}

// diffFlags are the flags of the subcommand.
type diffFlags struct {
	both   input.Flags
	old    input.Overrides // for OLD
	format *report.Format
	failOn failOn
	cases  bool
}

func setupDiff(flags *flag.FlagSet) run {
	f := &diffFlags{}
	f.both.Register(flags)
	f.old.Register(flags, "old-", "OLD")
	f.format = report.FormatFlag(flags, report.Text, report.JSON, report.GitHub, report.SARIF)
	flags.Var(&f.failOn, "fail-on", "`WHAT` ends the program with exit code 1: wider (NEW grants more) or any (any difference)")
	flags.BoolVar(&f.cases, "cases", false, "show each witness also as a case for a policy test, in the text output")
	return f.run
}

func (f *diffFlags) run(ctx context.Context, s Streams, args []string) (int, error) {
	if len(args) != 2 {
		return exitUsage, usagef("name two policies, such as git:main:cors.yaml cors.yaml")
	}
	if args[0] == "-" && args[1] == "-" {
		return exitUsage, usagef("only one of the policies can be the standard input")
	}
	sides, err := f.sides(ctx, s, args)
	if err != nil {
		return exitUsage, err
	}
	p := s.progress("comparing the policies")
	defer p.stop()
	compared := make(chan *policydiff.Result, 1)
	go func() { compared <- policydiff.Compare(sides[0], sides[1]) }()
	var result *policydiff.Result
	select {
	case <-ctx.Done(): // the program ends, and the comparison with it
		return exitUsage, ctx.Err()
	case result = <-compared:
	}
	p.stop()
	if err := f.write(s, result); err != nil {
		return exitUsage, err
	}
	for _, note := range unusedInBoth(sides[0], sides[1]) {
		fmt.Fprintln(s.Err, "corsrpc diff: "+note)
	}
	return f.exit(s.Err, result), nil
}

// sides reads and compiles both policies. It reports the problems of both.
func (f *diffFlags) sides(ctx context.Context, s Streams, args []string) (sides [2]*policydiff.Side, err error) {
	var problems brokenPolicies
	var failures []error
	for i, flags := range []*input.Flags{f.both.With(&f.old), &f.both} {
		loaded, err := load(ctx, s, flags, args[i])
		var broken *brokenPolicy
		switch {
		case errors.As(err, &broken):
			problems = append(problems, broken)
			failures = append(failures, err)
		case err == nil:
			sides[i] = policydiff.NewSide(loaded.Policy, loaded.settings, loaded.text)
		case len(failures) == 0 || failures[0].Error() != err.Error(): // not the schema of both
			failures = append(failures, err)
		}
	}
	if failures == nil {
		return sides, nil
	}
	if err := problems.annotate(s, *f.format, failures); err != nil {
		return sides, err
	}
	if len(failures) == 1 {
		return sides, failures[0]
	}
	if len(problems) == 2 { // the caller writes the report of one
		if err := problems[0].report().WriteText(s.Err); err != nil {
			return sides, err
		}
		failures[0] = errors.New(failures[0].Error())
	}
	return sides, fmt.Errorf("%w, and %w", failures[0], failures[1])
}

// brokenPolicies are the policies that do not load.
type brokenPolicies []*brokenPolicy

// annotate writes the problems of the policies, and why they cannot be compared, if a format is for annotations or
// code scanning.
func (all brokenPolicies) annotate(s Streams, format report.Format, failures []error) error {
	r := &report.Report{Rules: policyRules(), Version: moduleVersion(), Folder: s.Folder}
	for _, broken := range all {
		r.Problems = append(r.Problems, broken.problems...)
	}
	for _, err := range failures {
		r.Failures = append(r.Failures, err.Error())
	}
	switch format {
	case report.GitHub:
		return r.WriteGitHub(s.Out)
	case report.SARIF:
		return r.WriteSARIF(s.Out)
	}
	return nil
}

// write writes the result in the chosen format. The verdict and what is not known go to standard error
// unless they are part of the output.
func (f *diffFlags) write(s Streams, result *policydiff.Result) error {
	r := &report.Report{
		Problems: result.Problems(), Rules: policydiff.Rules(), Notes: result.Undecided, Version: moduleVersion(), Folder: s.Folder,
	}
	var err error
	notes := result.Unknown
	switch *f.format {
	case report.JSON:
		return result.WriteJSON(s.Out)
	case report.GitHub, report.SARIF:
		notes = append([]string{result.VerdictSentence()}, notes...)
		if *f.format == report.GitHub {
			err = r.WriteGitHub(s.Out)
		} else {
			err = r.WriteSARIF(s.Out)
		}
	default:
		err = result.WriteText(s.Out, f.cases)
	}
	for _, note := range notes {
		fmt.Fprintln(s.Err, report.Printable(note))
	}
	return err
}

// unusedInBoth says which variables of the command line neither policy uses. A variable that only one of
// them uses is part of what is compared. A variable of --old-env is for the old policy only.
func unusedInBoth(old, next *policydiff.Side) (notes []string) {
	for _, name := range old.Policy.UnusedEnv {
		switch {
		case !slices.Contains(next.Settings.GivenEnv, name):
			notes = append(notes, "--old-env "+name+" is not used: the old policy has no ${"+name+"}")
		case slices.Contains(next.Policy.UnusedEnv, name):
			notes = append(notes, "--env "+name+" is not used: neither policy has ${"+name+"}")
		}
	}
	return notes
}

// exit returns the exit code.
func (f *diffFlags) exit(w io.Writer, result *policydiff.Result) int {
	if bugs := result.Bugs(); len(bugs) > 0 {
		fmt.Fprintf(w, "corsrpc diff: a witness does not show its difference, which is a bug of corsrpc. Please report it with both policies: %s: %s\n",
			report.Printable(bugs[0].Sentence), report.Printable(bugs[0].Witness.Bug))
		return exitUnknown
	}
	switch {
	case f.failOn == failNever:
		return exitFine
	case f.failOn == failWider && result.Gained(), f.failOn == failAny && result.Differs():
		return exitFindings
	case len(result.Undecided) > 0:
		return exitUnknown
	}
	return exitFine
}
