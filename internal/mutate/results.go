package main

import (
	"fmt"
	"runtime"
	"strings"
	"time"
)

// A summary is the result of all faults that were tried.
type summary struct {
	faults, byUnit, byIntent int
	survivors, notMade       []string
	took                     time.Duration
	jobs                     int
}

func newSummary(attempts []attempt, took time.Duration, jobs int) summary {
	s := summary{faults: len(attempts), took: took, jobs: jobs}
	for _, a := range attempts {
		switch {
		case a.err != nil:
			s.notMade = append(s.notMade, a.fault.name)
		case a.survived():
			s.survivors = append(s.survivors, a.fault.name)
		case a.by.pkg == intentFolder:
			s.byIntent++
		default:
			s.byUnit++
		}
	}
	return s
}

func (s summary) failed() bool { return len(s.survivors)+len(s.notMade) > 0 }

// text returns the summary for the terminal.
func (s summary) text() string {
	var b strings.Builder
	for _, name := range s.survivors {
		fmt.Fprintf(&b, "SURVIVED: %s\n", name)
	}
	for _, name := range s.notMade {
		fmt.Fprintf(&b, "NOT MADE: %s\n", name)
	}
	fmt.Fprintf(&b, "%d faults in %s: %d noticed by unit tests, %d by the properties of internal/intent, %d by neither, %d not made\n",
		s.faults, s.took.Round(time.Second), s.byUnit, s.byIntent, len(s.survivors), len(s.notMade))
	return b.String()
}

// markdown returns the text of RESULTS.md.
func (s summary) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Faults and what noticed them\n\nWritten by `make mutate` on %s; not by hand. %s/%s, %d processors, %s, %d at once, %s.\n\n",
		time.Now().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), s.jobs, s.took.Round(time.Second))
	fmt.Fprintf(&b, "| faults | noticed by unit tests | by the properties of `internal/intent` alone | survivors | not made |\n| --- | --- | --- | --- | --- |\n| %d | %d | %d | %d | %d |\n",
		s.faults, s.byUnit, s.byIntent, len(s.survivors), len(s.notMade))
	fmt.Fprintf(&b, "\n[noticed.txt](noticed.txt) names the test that noticed each.\n")
	for _, list := range []struct {
		title string
		names []string
	}{{"Survivors", s.survivors}, {"Not made", s.notMade}} {
		if len(list.names) > 0 {
			fmt.Fprintf(&b, "\n## %s\n\n- %s\n", list.title, strings.Join(list.names, "\n- "))
		}
	}
	return b.String()
}
