package analysis_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/analysis"
	"github.com/corsrpc/corsrpc-go/internal/rules"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// compileText compiles the text of a policy with the schema of the corpus, as tools do.
func compileText(t testing.TB, text, profile string) *rules.Rules {
	t.Helper()
	files, err := vectors.Schema("acme")
	if err != nil {
		t.Fatal(err)
	}
	doc, wrong := rules.Parse("cors.yaml", []byte(text), 1<<20)
	if doc == nil {
		t.Fatalf("%s: %v", text, wrong)
	}
	r, problems := rules.Compile(doc.Policy(), nil, rules.Config{
		Document: doc, Files: files, Profile: profile, LongList: rules.DefaultLongList, UnsetVariables: true,
		LookupEnv: func(string) (string, bool) { return "", false },
	}, wrong)
	if len(problems) > 0 {
		t.Fatalf("%s: %v", text, problems)
	}
	return r
}

// show returns a difference in one line.
func show(d analysis.Difference) string {
	text := map[bool]string{true: "+ ", false: "- "}[d.Gained] + string(d.Aspect)
	for _, v := range slices.Concat(d.Values, d.Sources) {
		text += " " + v
	}
	if d.More > 0 {
		text += fmt.Sprint(" and ", d.More)
	}
	targets := strings.Join(d.Targets, " ")
	if len(d.Targets) > 4 {
		targets = fmt.Sprintf("%s and %d more", strings.Join(d.Targets[:2], " "), len(d.Targets)-2)
	}
	return text + ": " + targets
}

const app = "defaults: {allow_origins: [https://app.example.com]}\n"

// TestCompare: the differences of pairs of policies.
func TestCompare(t *testing.T) {
	t.Parallel()
	account := func(more string) string {
		return app + "rules: [{selector: acme.account.v1.AccountService, " + more + "}]\n"
	}
	path := func(more string) string { return app + "rules: [{path: /healthz" + more + "}]\n" }
	for _, tc := range []struct {
		name, old, next string
		verdict         analysis.Verdict
		want            []string
	}{
		{"nothing", app, app, analysis.Same, nil},
		{"an origin", app, "defaults: {allow_origins: [https://app.example.com, https://b.example.com]}", analysis.Wider, []string{"+ ORIGIN https://b.example.com: ALL"}},
		{"a wildcard covers the origin", "defaults: {allow_origins: [https://app.example.com]}", `defaults: {allow_origins: ["https://*.example.com"]}`, analysis.Wider, []string{"+ ORIGIN https://*.example.com: ALL"}},
		{"another origin", app, "defaults: {allow_origins: [https://b.example.com]}", analysis.Both, []string{"+ ORIGIN https://b.example.com: ALL", "- ORIGIN https://app.example.com: ALL"}},
		{"everyone", app, `defaults: {allow_origins: ["*"]}`, analysis.Wider, []string{"+ ORIGIN *: ALL"}},
		{"the same by an explicit rule", app, account("allow_origins: [https://app.example.com]"), analysis.Same, nil},
		{"credentials", app, account("allow_credentials: true"), analysis.Wider, []string{"+ CREDENTIALS: SERVICE"}},
		{"a header", app, account("allow_headers: [x-tenant-id, x-acme-*]"), analysis.Wider, []string{"+ REQUEST_HEADER x-tenant-id x-acme-*: SERVICE"}},
		{"every header", app, account(`allow_headers: ["*"]`), analysis.Wider, []string{"+ REQUEST_HEADER grpc-tags-bin grpc-trace-bin *: SERVICE"}},
		{"disabled", app, account("disabled: true"), analysis.Stricter, []string{"- ORIGIN https://app.example.com: SERVICE"}},
		{"hidden", app, account("hide_headers: [x-internal-id]"), analysis.Stricter, []string{"- RESPONSE_HEADER x-internal-id: SERVICE"}},
		{"declared", app, account("expose: DECLARED"), analysis.Stricter, []string{"- RESPONSE_HEADER *: SERVICE"}},
		{"a longer preflight", app, account("max_age: 86400s"), analysis.Wider, []string{"+ MAX_AGE 7200s 86400s: SERVICE"}},
		{"timing", app, account("timing: true"), analysis.Wider, []string{"+ TIMING: SERVICE"}},
		{"a source", app, account("allow_origins: [https://app.example.com], allow_origins_from: [tenants]"), analysis.Wider, []string{"+ ORIGIN tenants: SERVICE"}},
		{"an unset variable", app, account(`allow_origins: [https://app.example.com, "${PARTNERS}"]`), analysis.Wider, []string{"+ ORIGIN ${PARTNERS}: SERVICE"}},
		{"the same source", account("allow_origins_from: [tenants]"), account("allow_origins_from: [tenants]"), analysis.Same, nil},
		{"a new path", app, path(""), analysis.Both, []string{"+ ORIGIN https://app.example.com: /healthz", "- UNGOVERNED: /healthz"}},
		{"a path is gone", path(""), app, analysis.Both, []string{"+ UNGOVERNED: /healthz", "- ORIGIN https://app.example.com: /healthz"}},
		{"a path is disabled", path(""), path(", disabled: true"), analysis.Stricter, []string{"- ORIGIN https://app.example.com: /healthz", "- WITHOUT_ORIGIN: /healthz"}},
		{"methods of a path", path(""), path(", allow_methods: [GET, DELETE]"), analysis.Both, []string{"+ METHOD DELETE: /healthz", "- METHOD POST HEAD: /healthz"}},
		{"from everyone to one", path(`, allow_origins: ["*"]`), path(""), analysis.Both, []string{"+ REQUEST_HEADER content-type: /healthz", "+ COOKIES: /healthz", "- ORIGIN *: /healthz"}},
		{"from everyone to a source", path(`, allow_origins: ["*"], allow_methods: [POST]`), path(", allow_origins_from: [tenants], allow_methods: [POST]"), analysis.Both, []string{"+ COOKIES: /healthz", "- ORIGIN *: /healthz"}},
		{"from every extension to a variable", path(`, allow_origins: ["moz-extension://*"], accept_risks: [ANY_INSTALLATION]`), path(`, allow_origins: ["${APP}"]`), analysis.Both, []string{"+ ORIGIN ${APP}: /healthz", "+ COOKIES: /healthz", "- ORIGIN moz-extension://*: /healthz"}},
		{"from every extension to a source", path(`, allow_origins: ["moz-extension://*"], accept_risks: [ANY_INSTALLATION]`), path(`, allow_origins_from: [tenants]`), analysis.Both, []string{"+ ORIGIN tenants: /healthz", "- ORIGIN moz-extension://*: /healthz"}},
		{"a variable beside every extension", path(`, allow_origins: ["moz-extension://*", "${APP}"], accept_risks: [ANY_INSTALLATION]`), path(`, allow_origins: ["${APP}"]`), analysis.Stricter, []string{"- ORIGIN moz-extension://*: /healthz"}},
		{"from a procedure to a path", app + `rules: [{selector: "*", allow_origins: ["null", https://app.example.com], accept_risks: [NULL_ORIGIN], protocols: [CONNECT]}]`, app + `rules: [
			{selector: "*", allow_origins: ["null", https://app.example.com], accept_risks: [NULL_ORIGIN], protocols: [CONNECT]},
			{path: /unknown.v1.S/M, allow_origins: ["null", https://app.example.com], accept_risks: [NULL_ORIGIN], allow_methods: [POST], max_age: 7200s, expose: PRESENT}]`, analysis.Both, []string{
			"+ COOKIES: /unknown.v1.S/M", "+ WITHOUT_ORIGIN: /unknown.v1.S/M", "- METHOD GET: /unknown.v1.S/M", "- REQUEST_HEADER", "- UNGOVERNED: /unknown.v1.S/M",
		}},
		{"a path for everyone, where only calls were governed", app, app + `rules: [{path: /unknown.v1.S/M, allow_origins: ["*"]}]`, analysis.Both, []string{
			"+ ORIGIN *: /unknown.v1.S/M", "+ COOKIES: /unknown.v1.S/M", "+ ORIGIN *: /unknown.v1.S/M", "- REQUEST_HEADER", "- RESPONSE_HEADER *: /unknown.v1.S/M", "- UNGOVERNED: /unknown.v1.S/M",
		}},
		{"a request header that no script can send", account(`allow_headers: ["*"]`), account(`allow_headers: ["*"], deny_headers: [cookie]`), analysis.Same, nil},
		{"a response header that no response has", path(", expose: PRESENT, hide_headers: [trailer-origin]"), path(", expose: PRESENT, hide_headers: [origin, trailer-origin]"), analysis.Same, nil},
		{"a prefix beside the name of the witness", app, account("allow_headers: [x-a-*], deny_headers: [x-a-corsrpc-witness]"), analysis.Wider, []string{"+ REQUEST_HEADER x-a-*: SERVICE"}},
		{"the trailer of a name", account("expose: DECLARED, expose_headers: [x-a], protocols: [CONNECT, GRPC_WEB]"), account("expose: DECLARED, expose_headers: [x-a], protocols: [GRPC_WEB]"), analysis.Stricter, []string{
			"- REQUEST_HEADER content-encoding connect-*: SERVICE", "- RESPONSE_HEADER trailer-x-a: SERVICE",
		}},
		{"a write of everyone with cookies", app, app + `rules: [{path: /unknown.v1.S/M, allow_origins: ["*", https://app.example.com], allow_methods: [POST]}]`, analysis.Both, []string{
			"+ ORIGIN *: /unknown.v1.S/M", "- METHOD GET: /unknown.v1.S/M", "- REQUEST_HEADER", "- RESPONSE_HEADER", "- UNGOVERNED",
		}},
		{"observe", app, "enforcement: OBSERVE\n" + app, analysis.Wider, []string{"+ UNGOVERNED: *"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := analysis.Compare(compileText(t, tc.old, ""), compileText(t, tc.next, ""))
			if len(got.Undecided) > 0 {
				t.Error("undecided:", got.Undecided)
			}
			if got.Verdict() != tc.verdict {
				t.Errorf("the verdict is %s, not %s", got.Verdict(), tc.verdict)
			}
			var lines []string
			for _, d := range got.Differences {
				lines = append(lines, show(d))
			}
			t.Log(strings.Join(lines, "\n"))
			for i, want := range tc.want {
				want, _ = strings.CutSuffix(want, "ALL")
				want, _ = strings.CutSuffix(want, "SERVICE")
				if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
					t.Errorf("difference %d is not %s", i, want)
				}
			}
			if len(lines) != len(tc.want) {
				t.Errorf("%d differences instead of %d", len(lines), len(tc.want))
			}
		})
	}
}
