package corsrpc_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// twoFindings is a policy with an unneeded risk, before a loopback origin with credentials.
const twoFindings = `
defaults:
  accept_risks: [PLAIN_HTTP]
  allow_origins: [https://app.example.com, "http://localhost:3000"]
  allow_credentials: true
`

// findingLines returns the lines of a log that are about findings.
func findingLines(lines []string) (found []string) {
	for _, line := range lines {
		if strings.Contains(line, "the policy loads with") {
			found = append(found, line)
		}
	}
	return found
}

// TestFindingsAreLogged checks that a layer logs the findings about its policy once: at start, those
// about values that may grant too much first, and after a reload only if they are different.
func TestFindingsAreLogged(t *testing.T) {
	t.Parallel()
	layer, log := newLayer(t, twoFindings)
	want := []string{
		`level=WARN msg="corsrpc: the policy loads with a finding" kind=LOOPBACK_OUTSIDE_PROFILE rule="defaults.allow_origins[1] at cors.yaml:4:44" value=http://localhost:3000`,
		`level=INFO msg="corsrpc: the policy loads with a finding" kind=RISK_NOT_NEEDED rule="defaults.accept_risks[0] at cors.yaml:3:18" value=PLAIN_HTTP`,
	}
	check := func(step string, n int) {
		t.Helper()
		lines := findingLines(log.lines())
		if len(lines) != n {
			t.Fatalf("%s: %d lines, want %d:\n%s", step, len(lines), n, log)
		}
		for i, line := range lines[:2] {
			if !strings.Contains(line, want[i]) || !strings.Contains(line, "remedy=") || !strings.Contains(line, "why=") {
				t.Errorf("%s: the line %s\nwant %s", step, line, want[i])
			}
		}
	}
	check("the start", 2)
	reload := func(text string) {
		t.Helper()
		if err := layer.Reload(t.Context(), compilePolicy(t, text)); err != nil {
			t.Fatal(err)
		}
	}
	reload(twoFindings)
	check("a reload of an equal policy", 2)
	reload(strings.Replace(twoFindings, "3000", "3001", 1))
	check("a reload with other findings", 4)
	reload(allowPage)
	check("a reload without findings", 4)
	if err := layer.Reload(t.Context(), nil); err == nil {
		t.Error("nil is a plan")
	}
	check("a reload that fails", 4)
	reload(twoFindings)
	check("a reload with the first findings again", 6)
}

// TestLoggedFindingsAreBounded checks that at most ten findings are logged, and the number of the
// others, and that Findings lists at most twenty of a kind.
func TestLoggedFindingsAreBounded(t *testing.T) {
	t.Parallel()
	var list []string
	for i := range 1000 {
		list = append(list, fmt.Sprintf("https://t%d.example.com", i))
	}
	text := fmt.Sprintf("defaults:\n  allow_origins: [%s, 'https://*.example.com']\n  deny_headers: [cookie, cookie]\n", strings.Join(list, ", "))
	layer, log := newLayer(t, text)
	lines := findingLines(log.lines())
	if len(lines) != 11 || !strings.Contains(lines[10], "Plan.Findings returns them") || !strings.Contains(lines[10], "count=992") {
		t.Errorf("%d lines, the last %s", len(lines), lines[len(lines)-1])
	}
	plan := layer.Plan()
	if n, left := len(plan.Findings()), plan.FindingsLeft(); n != 22 || left != 980 {
		t.Errorf("%d findings, %d are left out", n, left)
	}
}

// TestNoFindingNoLine checks that a policy without findings has no log line about them.
func TestNoFindingNoLine(t *testing.T) {
	t.Parallel()
	if _, log := newLayer(t, allowPage); len(findingLines(log.lines())) > 0 {
		t.Errorf("%s", log)
	}
}

// TestFindingsAreCopies checks that Findings is safe for concurrent use, and that a caller who changes
// its result changes no other one.
func TestFindingsAreCopies(t *testing.T) {
	t.Parallel()
	plan := compilePolicy(t, twoFindings)
	want := fmt.Sprint(plan.Findings())
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			found := plan.Findings()
			if got := fmt.Sprint(found); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			found[1].Message = "changed"
			found[1].Related[0].Field = "changed"
			slices.Reverse(found)
		})
	}
	group.Wait()
}

// TestFindingsOfALayer checks that the plan in force, its copies and the plan of WithShadow have the
// findings of the plans that were compiled.
func TestFindingsOfALayer(t *testing.T) {
	t.Parallel()
	layer, err := corsrpc.New(compilePolicy(t, allowPage), corsrpc.WithShadow(compilePolicy(t, twoFindings)), corsrpc.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(layer.Plan().Findings()); n != 0 {
		t.Errorf("%d findings", n)
	}
	if n := len(layer.Plan().Shadow().Findings()); n != 2 {
		t.Errorf("%d findings about the shadow policy", n)
	}
	if n := len(layer.Plan().Shadow().WithSets(nil).Findings()); n != 2 {
		t.Errorf("%d findings about a plan with sets", n)
	}
}

// TestFindingText checks the text of a finding with and without a position, related values and a
// remedy.
func TestFindingText(t *testing.T) {
	t.Parallel()
	f := corsrpc.Finding{
		Kind: corsrpc.FindingRuleChangesNothing, Field: "rules[1]", Value: "acme.*", File: "cors.yaml", Position: corsrpc.Position{Line: 3, Column: 5},
		Message: "changes nothing", Remedy: "leave it out", Related: []corsrpc.Related{{Field: "defaults", File: "cors.yaml", Position: corsrpc.Position{Line: 1, Column: 1}}},
	}
	if got, want := f.String(), `cors.yaml:3:5: rules[1]: "acme.*" changes nothing (defaults at cors.yaml:1:1): leave it out [RULE_CHANGES_NOTHING]`; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got := (corsrpc.Finding{Kind: corsrpc.FindingRuleChangesNothing, Message: "changes nothing"}).String(); got != "changes nothing [RULE_CHANGES_NOTHING]" {
		t.Errorf("%s", got)
	}
}

// TestFindingsWithoutAFile checks that a policy that was made in Go has findings with fields and
// without positions.
func TestFindingsWithoutAFile(t *testing.T) {
	t.Parallel()
	files, err := vectors.Schema("acme")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(compilePolicy(t, twoFindings).Policy(), corsrpc.WithFiles(files))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range plan.Findings() {
		if f.Field == "" || f.File != "" || f.Position != (corsrpc.Position{}) {
			t.Errorf("%+v", f)
		}
	}
	if n := len(plan.Findings()); n != 2 {
		t.Errorf("%d findings", n)
	}
}
