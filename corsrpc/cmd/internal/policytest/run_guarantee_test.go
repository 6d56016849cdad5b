package policytest

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
	"github.com/corsrpc/corsrpc-go/internal/rules"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

func TestGuarantees(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		g    string // a guarantee
		want string // the status, and a part of what happened
	}{
		{"never: {calls: [acme.admin.v1.*], origins_outside: [https://admin.example.com]}", "passed "},
		{"never: {calls: [acme.admin.v1.*]}", "failed pages of https://admin.example.com may call "},
		{"never: {calls: [acme.account.v1.AccountService], credentials: true, origins_outside: ['https://*.example.com']}", "passed "},
		{"never: {calls: [acme.account.v1.AccountService], credentials: true}", "failed pages of https://app.example.com may call "},
		{"never: {calls: [acme.tenant.v1.*], origins_outside: [https://app.example.com]}", "failed pages of the origins of tenants, which are not known, may call "},
		{"never: {calls: [acme.tenant.v1.*], origins_outside: [https://app.example.com], except_sources: [tenants]}", "passed "},
		{"never: {calls: [acme.partner.v1.*], except_sources: ['${PARTNERS}']}", "passed "},
		{"never: {calls: [acme.partner.v1.*]}", "failed pages of the origins of PARTNERS, which are not known, may call "},
		{"never: {calls: [acme.off.v1.*]}", "passed "},
		{"never: {calls: [/healthz], credentials: true}", "passed "},
		{"never: {calls: [/healthz], response_headers: [x-a]}", "passed "},
		{"never: {calls: [acme.web.v1.*], response_headers: [x-a]}", "failed pages of https://app.example.com may call "},
		{"never: {calls: [acme.web.v1.*]}", "failed pages of https://app.example.com may call "},
		{"never: {calls: [/other]}", "failed no rule governs /other"},
		{"never: {calls: [/upload], http_methods: [DELETE]}", "passed "},
		{"never: {calls: [/upload], http_methods: [PUT]}", "failed pages of https://app.example.com may call /upload"},
		{"never: {calls: [acme.v1.*], origins: ['http://localhost:3000']}", "passed "},
		{"profile: dev, never: {calls: [acme.v1.*], origins: ['http://localhost:3000']}", "failed pages of http://localhost:3000 may call "},
		{"always: {calls: [acme.account.v1.AccountService], origins: [https://app.example.com], credentials: true, request_headers: [authorization]}", "passed "},
		{"always: {calls: [acme.v1.*], origins: [https://app.example.com], request_headers: [authorization]}", "failed calls of "},
		{"always: {calls: [acme.v1.*], origins: [https://app.example.com], response_headers: [x-a]}", "passed "},
		{"always: {calls: [/healthz], response_headers: [x-a]}", "failed scripts that call /healthz may not read the header x-a"},
		{"always: {calls: [/healthz]}", "passed "},
		{"always: {calls: [acme.v1.*]}", "failed pages of "},
		{"always: {calls: [acme.web.v1.*], origins: [https://app.example.com]}", "passed "},
		{"always: {calls: [acme.off.v1.*], origins: [https://app.example.com]}", "failed pages of https://app.example.com may not call "},
	} {
		t.Run(test.g, func(t *testing.T) {
			t.Parallel()
			text := "policy: cors.yaml\nguarantees:\n  - {" + test.g + "}\n"
			name := folder(t, "cors_test.yaml", text, "cors.yaml", policy)
			r := run(t, load(t, name, input.Flags{}))[0]
			status, happened, _ := strings.Cut(test.want, " ")
			if string(r.Status) != status || !strings.Contains(r.Happened, happened) {
				t.Errorf("%+v", r)
			}
			if r.Status == Failed {
				checkCounterexample(t, name, text, r)
			}
		})
	}
}

// checkCounterexample pastes the counterexample of a guarantee into the test. The test then has a case that
// fails.
func checkCounterexample(t *testing.T, name, text string, r Result) {
	t.Helper()
	if r.Curl == "" || r.Counterexample == "" {
		t.Errorf("without a request or a case: %+v", r)
		return
	}
	head, guarantees, _ := strings.Cut(text, "guarantees:")
	pasted := head + "cases:\n" + indented(r.Counterexample) + "guarantees:" + guarantees
	if err := os.WriteFile(name, []byte(pasted), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := load(t, name, input.Flags{}).Run(context.Background(), func(name string) bool { return name == "counterexample of "+r.Name }, func(int, int) {})
	if err != nil || len(again) != 1 || again[0].Status != Failed {
		t.Errorf("the counterexample does not fail:\n%s\n%+v %v", pasted, again, err)
	}
}

// TestKnownSources: what a guarantee says takes the origins of the test's sources into account.
func TestKnownSources(t *testing.T) {
	t.Parallel()
	const text = `policy: cors.yaml
sources: {tenants: {origins: [https://t1.example.com]}}
guarantees:
  - never: {calls: [acme.tenant.v1.*], origins_outside: [https://t1.example.com]}
  - never: {calls: [acme.tenant.v1.*]}
  - always: {calls: [acme.tenant.v1.*], origins: [https://t1.example.com]}
`
	name := folder(t, "cors_test.yaml", text, "cors.yaml", policy)
	all := run(t, load(t, name, input.Flags{}))
	if all[0].Status != Passed || all[1].Status != Failed || all[2].Status != Passed {
		t.Errorf("%+v", all)
	}
	if r := all[1]; r.Happened != "pages of https://t1.example.com may call /acme.tenant.v1.Witness/Witness" || r.From.Line != 10 {
		t.Errorf("%+v", r)
	}
	checkCounterexample(t, name, text, all[1])
	empty := strings.ReplaceAll(text, "{origins: [https://t1.example.com]}}\nguar", "{}}\nguar")
	name = folder(t, "cors_test.yaml", empty, "cors.yaml", policy)
	if all := run(t, load(t, name, input.Flags{})); all[0].Status != Passed || all[1].Status != Passed || all[2].Status != Failed {
		t.Errorf("a source without origins: %+v", all)
	}
}

// TestCounterexamplesFail: for the policies of the corpus, the counterexamples of guarantees fail as cases of
// the same test: with the schema for every other policy, and without it for the others.
func TestCounterexamplesFail(t *testing.T) {
	t.Parallel()
	guarantees := []string{
		"never: {}", "never: {credentials: true}", "never: {credentials: false, origins_outside: ['https://*.example.com']}",
		"never: {request_headers: [authorization]}", "never: {response_headers: [x-request-id]}", "never: {http_methods: [GET]}",
		"never: {origins: ['null']}", "never: {calls: [/somewhere/else]}",
		"always: {}", "always: {origins: [https://app.example.com], credentials: true}", "always: {origins: [https://app.example.com], request_headers: [x-tenant-id]}",
		"always: {origins: [https://app.example.com], response_headers: [x-request-id]}", "always: {http_methods: [GET], origins: [https://app.example.com]}",
	}
	text := "policy: cors.yaml\n%sguarantees:\n  - {" + strings.Join(guarantees, "}\n  - {") + "}\n"
	checked, byCurl := 0, 0
	policies := corpus(t)
	for i, name := range slices.Sorted(maps.Keys(policies)) {
		test := fmt.Sprintf(text, []string{"", "descriptors: [image.binpb]\n"}[i%2])
		file := folder(t, "cors_test.yaml", test, "cors.yaml", policies[name])
		image(t, file)
		s, err := Load(context.Background(), file, input.Flags{})
		if err != nil {
			continue // a policy that does not load
		}
		for _, r := range run(t, s) {
			if r.Status != Failed {
				continue
			}
			if r.Curl == "" {
				t.Errorf("%s: without a request: %+v", name, r)
			}
			if r.Counterexample == "" {
				byCurl++
				continue
			}
			checked++
			checkCounterexample(t, file, test, r)
		}
	}
	t.Logf("%d cases, and %d requests that no script makes", checked, byCurl)
	if checked < 200 || byCurl > checked/20 {
		t.Errorf("only %d counterexamples are cases, and %d are not", checked, byCurl)
	}
}

// corpus returns the texts of the policies in YAML of internal/vectors.
func corpus(t *testing.T) map[string]string {
	t.Helper()
	suites, err := vectors.Suites()
	if err != nil {
		t.Fatal(err)
	}
	policies, err := vectors.Policies()
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, s := range suites {
		texts[s.File] = s.Policy
	}
	for _, p := range policies {
		if len(p.Violations) == 0 && (p.File == "" || filepath.Ext(p.File) == ".yaml") {
			texts[p.Name] = p.Text
		}
	}
	return texts
}

// TestProofsAreUsed: the set of a guarantee reaches the proof whole.
func TestProofsAreUsed(t *testing.T) {
	t.Parallel()
	s := load(t, folder(t, "cors_test.yaml", `policy: cors.yaml
guarantees:
  - never: {calls: [acme.v1.*, /healthz], origins_outside: ["https://*.example.com"], except_sources: [tenants], credentials: true, request_headers: [Authorization], response_headers: [X-A], http_methods: [POST]}
  - always: {origins: [https://app.example.com]}
`, "cors.yaml", policy), input.Flags{})
	var sets []analysis.CallSet
	prove := func(proof analysis.Proof) func(*rules.Rules, analysis.CallSet) analysis.Proof {
		return func(_ *rules.Rules, set analysis.CallSet) analysis.Proof {
			sets = append(sets, set)
			return proof
		}
	}
	s.proves = prover{never: prove(analysis.Proof{Holds: true}), always: prove(analysis.Proof{Undecided: "There are too many."})}
	all := run(t, s)
	if all[0].Status != Passed || all[1].Status != Unknown || all[1].Happened != "There are too many" {
		t.Errorf("%+v", all)
	}
	set := sets[0]
	if !slices.Equal(set.Calls, []string{"acme.v1.*", "/healthz"}) || len(set.OriginsOutside) != 1 || !slices.Equal(set.ExceptSources, []string{"tenants"}) || set.Credentials == nil || !*set.Credentials ||
		!slices.Equal(set.RequestHeaders, []string{"authorization"}) || !slices.Equal(set.ResponseHeaders, []string{"x-a"}) || !slices.Equal(set.Methods, []string{"POST"}) {
		t.Errorf("%+v", set)
	}
	if len(sets[1].Origins) != 1 || sets[1].Credentials != nil {
		t.Errorf("%+v", sets[1])
	}
}
