package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
)

// TestSuite is the results of one test file.
type TestSuite struct {
	// Name is the name of the file.
	Name string
	// Cases are its results.
	Cases []TestCase
}

// TestCase is the result of one case of a test file.
type TestCase struct {
	// Name is its name, and Place where it is written.
	Name string
	Place
	// Failure says in one line why it failed, and Error why its result is not known. One of the two is empty,
	// and both are if it passed.
	Failure, Error string
	// Type is the code of the failure or of the error.
	Type string
	// Details are lines about it. GitLab shows only these, and not the line that Failure or Error is.
	Details []string
}

// The elements of JUnit's XML. There is not a standard: these are what CI servers read.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Time     int         `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name      string        `xml:"name,attr"`
		ClassName string        `xml:"classname,attr"`
		File      string        `xml:"file,attr,omitempty"`
		Line      int           `xml:"line,attr,omitempty"`
		Time      int           `xml:"time,attr"`
		Failure   *junitProblem `xml:"failure"`
		Error     *junitProblem `xml:"error"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",innerxml"`
	}
)

// WriteJUnit writes test results as JUnit's XML. Every time is 0, so that equal results are equal files; without any,
// some readers show "NaN". Characters that XML 1.0 forbids, and all others that a terminal would execute, are
// escaped as in Go's literals.
func WriteJUnit(w io.Writer, suites []TestSuite) error {
	var all junitSuites
	for _, s := range suites {
		suite := junitSuite{Name: Printable(s.Name), Tests: len(s.Cases)}
		for _, c := range s.Cases {
			one := junitCase{Name: Printable(c.Name), ClassName: Printable(s.Name), File: Printable(c.File), Line: c.Line}
			switch {
			case c.Failure != "":
				suite.Failures++
				one.Failure = problemOf(c, c.Failure)
			case c.Error != "":
				suite.Errors++
				one.Error = problemOf(c, c.Error)
			}
			suite.Cases = append(suite.Cases, one)
		}
		all.Tests, all.Failures, all.Errors = all.Tests+suite.Tests, all.Failures+suite.Failures, all.Errors+suite.Errors
		all.Suites = append(all.Suites, suite)
	}
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	return err
}

func problemOf(c TestCase, message string) *junitProblem {
	p := &junitProblem{Message: Printable(message), Type: Printable(c.Type)}
	var b bytes.Buffer
	for _, line := range append([]string{c.Place.String()}, c.Details...) {
		if line != "" {
			b.WriteByte('\n')
			_ = xml.EscapeText(&b, []byte(Printable(line))) // a Buffer does not fail
		}
	}
	p.Text = b.String() + "\n"
	return p
}
