package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/policytest"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

// testDocument is the JSON document of test.
type testDocument struct {
	report.Header
	Files []testedDocument `json:"files"`
	// Problems are those of tests and policies that are not valid.
	Problems []report.Problem `json:"problems"`
	Results  []testResult     `json:"results"`
}

// testedDocument is a test file in the JSON document.
type testedDocument struct {
	File string `json:"file"`
	// Policy is the policy of the test; empty if the test is not valid.
	Policy string `json:"policy,omitempty"`
	// Error says why the test could not be read.
	Error  string `json:"error,omitempty"`
	Passed int    `json:"passed"`
	Failed int    `json:"failed"`
	// Undecided is the number of results with the status unknown, and Unknown what is not known about
	// the policy.
	Undecided int      `json:"undecided"`
	Unknown   []string `json:"unknown,omitempty"`
}

// testResult is a case or a guarantee in the JSON document. The fields are those of policytest.Result;
// status is passed, failed or unknown.
type testResult struct {
	Kind           policytest.Kind   `json:"kind"`
	Name           string            `json:"name"`
	report.Place                     // of the case or the guarantee
	Status         policytest.Status `json:"status"`
	Expected       string            `json:"expected"`
	Happened       string            `json:"happened,omitempty"`
	Engines        []string          `json:"engines,omitempty"`
	Reason         string            `json:"reason,omitempty"`
	Remedy         string            `json:"remedy,omitempty"`
	From           *report.Place     `json:"from,omitempty"`
	Curl           string            `json:"curl,omitempty"`
	Counterexample string            `json:"counterexample,omitempty"`
	Add            string            `json:"add,omitempty"`
}

// write writes the results in a format.
func (all testedFiles) write(s Streams, format report.Format, passed bool) error {
	switch format {
	case report.JSON:
		return report.WriteDocument(s.Out, "test", all.document())
	case report.JUnit:
		return report.WriteJUnit(s.Out, all.suites())
	case report.GitHub:
		r := &report.Report{Problems: all.problems(), Folder: s.Folder}
		for _, f := range all {
			if f.failure != "" {
				r.Failures = append(r.Failures, f.failure)
			}
			for _, result := range f.results {
				if result.Status != policytest.Passed {
					r.Problems = append(r.Problems, annotation(result))
				}
			}
		}
		return r.WriteGitHub(s.Out)
	}
	r := &report.Report{Problems: all.problems(), Texts: map[string][]byte{}, Color: s.Color}
	for _, f := range all {
		for name, text := range f.texts {
			r.Texts[name] = text
		}
	}
	if err := r.WriteText(s.Out); err != nil {
		return err
	}
	var b strings.Builder
	for _, f := range all {
		for _, result := range f.results {
			if result.Status != policytest.Passed || passed {
				writeResult(&b, result, s.Color)
			}
		}
	}
	_, err := io.WriteString(s.Out, b.String())
	return err
}

// problems returns the problems of all files that are not valid.
func (all testedFiles) problems() (problems []report.Problem) {
	for _, f := range all {
		problems = append(problems, f.problems...)
	}
	return problems
}

// words are what the text output calls the statuses.
var words = map[policytest.Status]string{policytest.Passed: "ok", policytest.Failed: "FAIL", policytest.Unknown: "UNKNOWN"}

// writeResult writes a result: one line if it passed, and what is known about it below that line if not.
func writeResult(b *strings.Builder, r policytest.Result, color bool) {
	fmt.Fprintf(b, "%s: %s: %s\n", report.Printable(r.Place.String()), report.Painted(color, statusColors[r.Status], words[r.Status]), report.Printable(r.Name))
	if r.Status == policytest.Passed {
		return
	}
	for _, line := range detailsOf(r) {
		fmt.Fprintf(b, "  %s\n", report.Printable(line))
	}
}

// statusColors are the codes of the colours of a terminal.
var statusColors = map[policytest.Status]string{policytest.Passed: "32", policytest.Failed: "1;31", policytest.Unknown: "1;33"}

// detailsOf returns what is known about a result that did not pass, one line each.
func detailsOf(r policytest.Result) (lines []string) {
	add := func(label, text string) {
		if text != "" {
			lines = append(lines, label+": "+text)
		}
	}
	add("expected", r.Expected)
	happened := r.Happened
	if len(r.Engines) > 0 {
		happened += " (only in " + strings.Join(r.Engines, ", ") + ")"
	}
	add("happened", happened)
	if r.From.Field != "" {
		add("policy", strings.TrimPrefix(r.From.String()+": "+r.From.Field, ": "))
	}
	add("remedy", r.Remedy)
	add("unknown", r.Add)
	add("request", r.Curl)
	if r.Counterexample != "" {
		lines = append(lines, "case:")
		lines = append(lines, strings.Split(strings.TrimRight(r.Counterexample, "\n"), "\n")...)
	}
	return lines
}

// annotation returns a result that did not pass as a problem at its line.
func annotation(r policytest.Result) report.Problem {
	p := report.Problem{Severity: report.Error, Code: "TEST_FAILED", Place: r.Place, Fix: r.Remedy}
	if r.Status == policytest.Unknown {
		p.Severity, p.Code, p.Fix = report.Warning, "TEST_UNKNOWN", r.Add
	}
	p.Field = ""
	p.Message = oneLine(r)
	if r.From.Field != "" {
		p.Related = []report.Related{{Place: r.From}}
	}
	return p
}

// oneLine says in one line why a result did not pass.
func oneLine(r policytest.Result) string {
	text := fmt.Sprintf("%s: expected %s, but %s", r.Name, r.Expected, r.Happened)
	switch {
	case r.Status == policytest.Unknown:
		text = fmt.Sprintf("%s: could not be decided: %s", r.Name, r.Happened)
	case r.Kind == policytest.KindGuarantee:
		text = fmt.Sprintf("%s: does not hold (%s): %s", r.Name, r.Expected, r.Happened)
	}
	if len(r.Engines) > 0 {
		text += " in " + strings.Join(r.Engines, ", ")
	}
	return text
}

// suites returns the results as JUnit has them. A file that is not valid is a suite with one error for each
// problem.
func (all testedFiles) suites() (suites []report.TestSuite) {
	for _, f := range all {
		suite := report.TestSuite{Name: f.name}
		if f.failure != "" {
			suite.Cases = append(suite.Cases, report.TestCase{Name: "the test can be read", Error: f.failure, Type: "UNREADABLE", Details: []string{f.failure}})
		}
		for _, p := range f.problems {
			message := problemInOneLine(p)
			suite.Cases = append(suite.Cases, report.TestCase{Name: p.Place.String() + " " + p.Code, Place: p.Place, Error: message, Type: p.Code, Details: []string{message, p.Fix}})
		}
		named := map[string]int{}
		for _, r := range f.results {
			c := report.TestCase{Name: r.Name, Place: r.Place}
			if named[r.Name]++; named[r.Name] > 1 { // CI servers take results with equal names for one
				c.Name = fmt.Sprintf("%s (%d)", r.Name, named[r.Name])
			}
			switch r.Status {
			case policytest.Failed:
				c.Failure, c.Type, c.Details = oneLine(r), "TEST_FAILED", detailsOf(r)
			case policytest.Unknown:
				c.Error, c.Type, c.Details = oneLine(r), "TEST_UNKNOWN", detailsOf(r)
			}
			suite.Cases = append(suite.Cases, c)
		}
		suites = append(suites, suite)
	}
	return suites
}

// problemInOneLine returns what is wrong with a file, without its place.
func problemInOneLine(p report.Problem) string {
	message := p.Message
	if p.Value != "" {
		message = strconv.Quote(p.Value) + " " + message
	}
	return strings.TrimPrefix(p.Field+": "+message, ": ")
}

func (all testedFiles) document() *testDocument {
	d := &testDocument{Files: []testedDocument{}, Problems: report.NotNil(all.problems()), Results: []testResult{}}
	for _, f := range all {
		d.Files = append(d.Files, testedDocument{
			File: f.name, Policy: f.policy, Error: f.failure, Passed: f.count(policytest.Passed), Failed: f.count(policytest.Failed),
			Undecided: f.count(policytest.Unknown), Unknown: f.unknown,
		})
		for _, r := range f.results {
			one := testResult{
				Kind: r.Kind, Name: r.Name, Place: r.Place, Status: r.Status, Expected: r.Expected, Happened: r.Happened, Engines: r.Engines,
				Reason: r.Reason, Remedy: r.Remedy, Curl: r.Curl, Counterexample: r.Counterexample, Add: r.Add,
			}
			if r.From.Field != "" {
				one.From = &r.From
			}
			d.Results = append(d.Results, one)
		}
	}
	return d
}
