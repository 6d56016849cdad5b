package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"regexp"
	"slices"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/policytest"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

var testCommand = subcommand{
	name:      "test",
	arguments: "TEST...",
	summary:   "Runs tests of policies: calls with their outcome, and guarantees about all calls.",
	details: `Each TEST is a file in the form of proto/corsrpc/v1/policytest.proto: YAML, JSON or protobuf's text
format. It names its policy, and may name the schema. The flags add to what the file says;
--profile and --env win over it.

A case is tried in each browser engine by the simulation that explain and the inspector use. A
guarantee is proven for every origin that exists, or a counterexample is shown. A case that
depends on origins which are not known is neither passed nor failed.

-o junit writes the XML that CI servers read, and -o github annotates the lines of the cases that
fail in a pull request.`,
	examples: [2]example{
		{"the tests of a policy", "corsrpc test cors_test.yaml"},
		{"some of them, for a CI server", "corsrpc test --run 'admin|billing' -o junit cors_test.yaml"},
	},
	exits: map[int]string{
		exitFine: "every case passes, and every guarantee holds", exitFindings: "a case fails, or a guarantee does not hold",
		exitUsage: "a test or its policy cannot be read or is not valid", exitUnknown: "none fails, but some depend on what is not known",
	},
	setup: setupTest,
}

func setupTest(flags *flag.FlagSet) run {
	var in input.Flags
	in.Register(flags)
	pattern := flags.String("run", "", "run only the cases and guarantees whose name matches the regular expression `REGEXP`")
	all := flags.Bool("v", false, "show those that pass too")
	format := report.FormatFlag(flags, report.Text, report.JSON, report.GitHub, report.JUnit)
	return func(ctx context.Context, s Streams, args []string) (int, error) {
		if len(args) == 0 {
			return exitUsage, usagef("name a test, such as cors_test.yaml")
		}
		selects, err := regexp.Compile(*pattern)
		if err != nil {
			return exitUsage, usagef("--run is not a valid regular expression: %v", err)
		}
		p := s.progress("reading the test")
		defer p.stop()
		var tested testedFiles
		for _, argument := range withoutDuplicates(args) {
			p.set("testing " + argument)
			file := testFile(ctx, argument, in, selects, func(done, of int) {
				p.set(fmt.Sprintf("testing %s, %d of %d", argument, done+1, of))
			})
			if ctx.Err() != nil {
				return exitUsage, ctx.Err()
			}
			tested = append(tested, file)
		}
		p.stop()
		err = tested.write(s, *format, *all)
		tested.writeSummary(s)
		if tested.nothingRan() {
			return exitUsage, usagef("no case and no guarantee has a name that matches --run %s", *pattern)
		}
		return tested.exitCode(), err
	}
}

// testedFile is the result of one test file.
type testedFile struct {
	name     string
	policy   string
	failure  string           // why a file could not be read; empty if it could
	problems []report.Problem // those of the test and of its policy
	texts    map[string][]byte
	unknown  []string
	notes    []string
	results  []policytest.Result
}

// testFile reads and runs a test.
func testFile(ctx context.Context, name string, flags input.Flags, selects *regexp.Regexp, progress func(done, all int)) testedFile {
	f := testedFile{name: name}
	suite, err := policytest.Load(ctx, name, flags)
	var invalid *policytest.InvalidError
	switch {
	case errors.As(err, &invalid):
		f.problems, f.texts = invalid.Problems, invalid.Texts
		if invalid.Policy != nil {
			f.problems = slices.Concat(problemsOf(invalid.Policy), f.problems)
		}
		return f
	case err != nil:
		f.failure = err.Error()
		return f
	}
	f.policy, f.texts, f.unknown, f.notes = suite.Policy, suite.Texts, suite.Unknown, suite.Notes
	if f.results, err = suite.Run(ctx, selects.MatchString, progress); err != nil {
		f.failure = err.Error()
	}
	return f
}

// count returns the number of results with a status.
func (f testedFile) count(status policytest.Status) (n int) {
	for _, r := range f.results {
		if r.Status == status {
			n++
		}
	}
	return n
}

// testedFiles are the results of all test files.
type testedFiles []testedFile

// nothingRan reports whether every file is valid and nothing was selected.
func (all testedFiles) nothingRan() bool {
	for _, f := range all {
		if f.failure != "" || len(f.problems) > 0 || len(f.results) > 0 {
			return false
		}
	}
	return true
}

func (all testedFiles) exitCode() int {
	code := exitFine
	for _, f := range all {
		switch {
		case f.failure != "" || len(f.problems) > 0:
			return exitUsage
		case f.count(policytest.Failed) > 0:
			code = exitFindings
		case f.count(policytest.Unknown) > 0 && code == exitFine:
			code = exitUnknown
		}
	}
	return code
}

// writeSummary writes one line for each file, and what is not known, to the standard error.
func (all testedFiles) writeSummary(s Streams) {
	for _, f := range all {
		switch {
		case f.failure != "":
			fmt.Fprintf(s.Err, "corsrpc test: %s\n", report.Printable(f.failure))
		case len(f.problems) > 0:
			writeNotes(s, f.name, []string{"not run: " + report.Count(len(f.problems), "problem")})
		default:
			writeNotes(s, f.name, slices.Concat(f.notes, f.unknown, []string{f.summary()}))
		}
	}
}

// summary says how many results there are of each status.
func (f testedFile) summary() string {
	text := fmt.Sprintf("%d passed", f.count(policytest.Passed))
	if n := f.count(policytest.Failed); n > 0 {
		text += fmt.Sprintf(", %d failed", n)
	}
	if n := f.count(policytest.Unknown); n > 0 {
		text += fmt.Sprintf(", %d could not be decided", n)
	}
	return text
}
