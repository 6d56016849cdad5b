package policydiff

import (
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// Problems returns the result as problems of the new policy, for annotations and code scanning: what is
// gained is a warning, and what is lost a note. Both are at the place in the new policy that leads to the
// difference; if there is none, at that in the old policy.
func (r *Result) Problems() (all []report.Problem) {
	for _, d := range r.Differences {
		severity, code := report.Warning, "GAINED_"+string(d.Aspect)
		if !d.Gained {
			severity, code = report.Note, "LOST_"+string(d.Aspect)
		}
		p := report.Problem{Severity: severity, Code: code, Message: d.Clause, Place: placeOf(d.New)}
		old := placeOf(d.Old)
		switch {
		case p.Place == (report.Place{}) && old == (report.Place{}):
			p.Place = report.Place{File: r.New.Policy.Name}
		case p.Place == (report.Place{}):
			p.Place = old
		case old != (report.Place{}):
			p.Related = []report.Related{{Place: old, Message: "the old policy"}}
		}
		all = append(all, p)
	}
	return all
}

func placeOf(p rules.Place) report.Place {
	return report.Place{File: p.File, Line: p.Line, Column: p.Column, Field: p.Field}
}

// Rules returns the kinds of problems, for SARIF.
func Rules() (all []report.Rule) {
	for _, a := range analysis.Aspects() {
		all = append(all,
			report.Rule{ID: "GAINED_" + string(a), Severity: report.Warning, Description: "Under the new policy only, " + a.Meaning() + "."},
			report.Rule{ID: "LOST_" + string(a), Severity: report.Note, Description: "Under the old policy only, " + a.Meaning() + "."},
		)
	}
	return all
}
