package cli

import (
	"maps"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

// found are the findings about a policy, under each of its profiles.
type found struct {
	problems []report.Problem
	// left is the number of findings that corsrpc leaves out under one of the profiles: it lists 20 of
	// each kind.
	left int
}

// findingsOf returns the findings about a policy and its shadow policy: under the chosen profile, or
// without a profile and under each of them if none is chosen. A finding that does not hold under all
// of them says under which it does.
func findingsOf(p *loadedPolicy) (found, error) {
	views := []string{p.settings.Profile}
	if p.settings.Profile == "" {
		views = append(views, slices.Sorted(maps.Keys(p.Plan.Policy().GetProfiles()))...)
	}
	all := found{}
	var holdsUnder [][]string // by index of problems
	seen := map[finding]int{}
	for _, view := range views {
		plan := p.Plan
		if view != p.settings.Profile {
			settings := p.settings
			settings.Profile = view
			policy, err := compile(settings, p.Name, p.text)
			if err != nil {
				return found{}, err
			}
			plan = policy.Plan
		}
		listed, left := findingsOfPlan(plan)
		all.left = max(all.left, left)
		for _, f := range listed {
			key := finding{f.Kind, f.Field, f.Value, f.File, f.Position, f.Message}
			i, ok := seen[key]
			if !ok {
				i, seen[key] = len(all.problems), len(all.problems)
				all.problems, holdsUnder = append(all.problems, warningOf(f)), append(holdsUnder, nil)
			}
			holdsUnder[i] = append(holdsUnder[i], view)
		}
	}
	for i, under := range holdsUnder {
		if len(under) < len(views) {
			all.problems[i].Message += " (" + viewsText(under) + ")"
		}
	}
	report.Sort(all.problems)
	return all, nil
}

// finding holds the parts of a finding by which those of several profiles are the same.
type finding struct {
	kind               corsrpc.FindingKind
	field, value, file string
	position           corsrpc.Position
	message            string
}

// findingsOfPlan returns the findings about a plan and its shadow.
func findingsOfPlan(plan *corsrpc.Plan) (listed []corsrpc.Finding, left int) {
	listed, left = plan.Findings(), plan.FindingsLeft()
	if shadow := plan.Shadow(); shadow != nil {
		listed, left = append(listed, shadow.Findings()...), left+shadow.FindingsLeft()
	}
	return listed, left
}

// viewsText names the profiles under which a finding holds; "" is none.
func viewsText(profiles []string) string {
	var parts []string
	if profiles[0] == "" {
		parts, profiles = append(parts, "without a profile"), profiles[1:]
	}
	if len(profiles) > 0 {
		noun := "with the profile "
		if len(profiles) > 1 {
			noun = "with the profiles "
		}
		parts = append(parts, noun+strings.Join(profiles, ", "))
	}
	return strings.Join(parts, " and ")
}
