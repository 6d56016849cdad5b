package corsrpc_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// TestFindingVectors checks the findings about every policy of the corpus that loads: their kinds and
// places with the corpus, and their texts with testdata/findings.golden. Every kind has a vector.
func TestFindingVectors(t *testing.T) {
	t.Parallel()
	policies, err := vectors.Policies()
	if err != nil {
		t.Fatal(err)
	}
	var golden strings.Builder
	seen := map[string]bool{}
	check := func(name string, plan *corsrpc.Plan, want []string) {
		found := plan.Findings()
		if shadow := plan.Shadow(); shadow != nil {
			found = append(found, shadow.Findings()...)
		}
		var got []string
		for _, f := range found {
			got = append(got, fmt.Sprintf("%d:%d %s %s", f.Position.Line, f.Position.Column, f.Field, f.Kind))
			fmt.Fprintln(&golden, f)
			seen[string(f.Kind)] = true
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: findings\n    - %s\nwant\n    - %s", name, strings.Join(got, "\n    - "), strings.Join(want, "\n    - "))
		}
	}
	for _, p := range policies {
		if len(p.Violations) > 0 {
			if len(p.Findings) > 0 {
				t.Errorf("%s has violations and findings", p.Name)
			}
			continue
		}
		fmt.Fprintf(&golden, "# %s\n", p.Name)
		doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(p.Text))
		if err != nil {
			t.Fatal(err)
		}
		suite := vectors.Suite{File: p.Name, Schema: p.Schema, Profile: p.Profile, Env: p.Env}
		check(p.Name, planOfSuite(t, suite, doc.Policy(), corsrpc.WithDocument(doc)), p.Findings)
		golden.WriteByte('\n')
	}
	suites, err := vectors.Suites()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range suites {
		if len(s.Findings) > 0 {
			fmt.Fprintf(&golden, "# requests: %s\n", s.File)
		}
		check(s.File, layerOfSuite(t, s).Plan(), s.Findings)
	}
	checkGolden(t, "testdata/findings.golden", golden.String())
	for _, kind := range corsrpc.FindingKinds() {
		if !seen[string(kind)] {
			t.Errorf("%s has no vector", kind)
		}
		if kind.Meaning() == "" {
			t.Errorf("%s has no meaning", kind)
		}
	}
	if got := corsrpc.FindingKind("NO_SUCH_KIND").Meaning(); got != "" {
		t.Errorf("an unknown kind means %q", got)
	}
}
