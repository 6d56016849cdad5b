package analysis_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/internal/analysis"
	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// parsed parses patterns of origins, with their risks.
func parsed(t *testing.T, texts ...string) (patterns []origin.Pattern) {
	t.Helper()
	for _, text := range texts {
		p, _ := origin.ParsePattern(text)
		if p == (origin.Pattern{}) {
			t.Fatal(text)
		}
		patterns = append(patterns, p)
	}
	return patterns
}

// TestGuarantees: guarantees about policies, each with the contradiction that is found.
func TestGuarantees(t *testing.T) {
	t.Parallel()
	const (
		never, always = true, false
		policy        = `
defaults: {allow_origins: [https://app.example.com, "https://*.preview.example.com"]}
rules:
  - {selector: acme.account.v1.AccountService, allow_origins: [https://app.example.com], allow_credentials: true, allow_headers: [authorization]}
  - {selector: acme.account.v1.AccountService.Close, disabled: true}
  - {selector: acme.partners.v1.*, accept_risks: [UNKNOWN_SELECTORS], allow_origins_from: [partners]}
  - {path: /healthz, allow_origins: ["*"], allow_methods: [GET]}
`
	)
	long := "https://*." + strings.Repeat("a.", 125) + "ab" // no host below it is short enough
	var many []string
	for i := range 65 {
		many = append(many, fmt.Sprintf("x-acme-%02d", i))
	}
	set := func(calls ...string) analysis.CallSet { return analysis.CallSet{Calls: calls} }
	for _, tc := range []struct {
		name, policy string
		never        bool
		set          analysis.CallSet
		want         string // the beginning of "target: reason"; empty if the guarantee holds
	}{
		{"no page closes accounts", policy, never, set("acme.account.v1.AccountService.Close"), ""},
		{"no page calls accounts", policy, never, set("acme.account.v1.AccountService"), "acme.account.v1.AccountService"},
		{"only example.com", policy, never, analysis.CallSet{Calls: []string{"acme.account.v1.*"}, OriginsOutside: parsed(t, "https://*.example.com")}, ""},
		{"only example.com, whole", policy, never, analysis.CallSet{OriginsOutside: parsed(t, "https://*.example.com"), ExceptSources: []string{"partners"}}, "/healthz: pages of https://corsrpc-witness.example may call /healthz"},
		{"partners are not known", policy, never, analysis.CallSet{Calls: []string{"acme.partners.v1.*"}, OriginsOutside: parsed(t, "https://*.example.com")}, "acme.partners.v1.*: pages of the origins of partners, which are not known"},
		{"partners are trusted", policy, never, analysis.CallSet{Calls: []string{"acme.partners.v1.*"}, OriginsOutside: parsed(t, "https://*.example.com"), ExceptSources: []string{"partners"}}, ""},
		{"credentials of previews", policy, never, analysis.CallSet{Origins: parsed(t, "https://*.preview.example.com"), Credentials: proto.Bool(true)}, ""},
		{"credentials of the app", policy, never, analysis.CallSet{Credentials: proto.Bool(true)}, "acme.account.v1.AccountService"},
		{"authorization elsewhere", policy, never, analysis.CallSet{Calls: []string{"acme.catalog.v1.*"}, RequestHeaders: []string{"authorization"}}, ""},
		{"a path without a rule", policy, never, set("/admin/"), "/admin/: no rule governs /admin/"},
		{"a path that is disabled", "rules: [{path: /admin/, disabled: true}, {path: /x, allow_origins: [https://app.example.com]}]", never, set("/admin/"), ""},
		{"a policy that observes", "enforcement: OBSERVE\n" + policy, never, set("acme.account.v1.AccountService.Close"), "acme.account.v1.AccountService.Close: enforcement: OBSERVE"},
		{"operational services", policy, never, set("grpc.reflection.v1.ServerReflection"), ""},

		{"a header that is hidden", app + `rules: [{selector: acme.account.v1.AccountService, hide_headers: [x-internal-id]}]`, never, analysis.CallSet{Calls: []string{"acme.account.v1.AccountService"}, ResponseHeaders: []string{"x-internal-id"}}, ""},
		{"a header that is read", app, never, analysis.CallSet{Calls: []string{"acme.account.v1.AccountService"}, ResponseHeaders: []string{"x-internal-id"}}, "acme.account.v1.AccountService"},
		{"a method that the path does not have", policy, never, analysis.CallSet{Calls: []string{"/healthz"}, Methods: []string{"DELETE"}}, ""},
		{"the app sends a header", app, always, analysis.CallSet{Calls: []string{"acme.catalog.v1.*"}, Origins: parsed(t, "https://app.example.com"), RequestHeaders: []string{"x-none"}}, "acme.catalog.v1.CatalogService"},
		{"the app reads a header that is not exposed", app + `rules: [{selector: "*", hide_headers: [x-request-id]}]`, always, analysis.CallSet{Calls: []string{"acme.catalog.v1.*"}, Origins: parsed(t, "https://app.example.com"), ResponseHeaders: []string{"x-request-id"}}, "acme.catalog.v1.CatalogService"},
		{"operational services are not of the selector *", app, always, analysis.CallSet{Origins: parsed(t, "https://app.example.com")}, ""},
		{"requests that are not calls", "defaults: {disabled: true}", never, set("*"), ""},
		{"the second origin", "defaults: {allow_origins: [https://app.example.com, https://app.example.org]}", never, analysis.CallSet{OriginsOutside: parsed(t, "https://*.example.com")}, "Greeter.Hello: pages of https://app.example.org may call"},
		{"a path rule for the path of a procedure", "rules: [{path: /unknown.v1.S/M, allow_origins: [https://app.example.com]}]", never, set("unknown.v1.S"), "/unknown.v1.S/M: pages of https://app.example.com may call"},
		{"a path rule for a method of the package's name", "rules: [{path: /unknown.v1/x, allow_origins: [https://app.example.com]}]", never, set("unknown.v1.*"), "/unknown.v1/x: pages of https://app.example.com may call"},
		{"a path rule is not of the selector *", app + "rules: [{path: /unknown.v1.S/M, disabled: true}]", always, analysis.CallSet{Origins: parsed(t, "https://app.example.com")}, ""},
		{"a path rule for the path of a procedure refuses", app + "rules: [{path: /unknown.v1.S/M, disabled: true}]", always, analysis.CallSet{Calls: []string{"unknown.v1.S"}, Origins: parsed(t, "https://app.example.com")}, "/unknown.v1.S/M: pages of https://app.example.com may not call"},

		{"an origin that no page has, for a path without a rule", policy, never, analysis.CallSet{Calls: []string{"/admin/"}, Origins: parsed(t, long, "https://evil.example.com")}, "/admin/: no rule governs /admin/"},
		{"an origin that no page has, with credentials", policy, always, analysis.CallSet{Calls: []string{"acme.catalog.v1.*"}, Origins: parsed(t, long, "https://app.example.com"), Credentials: proto.Bool(true)}, "acme.catalog.v1.CatalogService"},
		{"as many headers as a preflight may ask for", app + `rules: [{selector: "*", allow_headers: [x-acme-*]}]`, always, analysis.CallSet{Calls: []string{"acme.catalog.v1.*"}, Origins: parsed(t, "https://app.example.com"), RequestHeaders: many[1:]}, ""},
		{"more headers than a preflight may ask for", app + `rules: [{selector: "*", allow_headers: [x-acme-*]}]`, always, analysis.CallSet{Calls: []string{"acme.catalog.v1.*"}, Origins: parsed(t, "https://app.example.com"), RequestHeaders: many}, "acme.catalog.v1.CatalogService.Get: a preflight of calls of"},
		{"more headers than a preflight may ask for, all of them named", app + `rules: [{selector: "*", allow_headers: [` + strings.Join(many, ", ") + `]}]`, always, analysis.CallSet{Calls: []string{"acme.catalog.v1.*"}, Origins: parsed(t, "https://app.example.com"), RequestHeaders: many}, ""},

		{"the app calls the catalog", policy, always, analysis.CallSet{Calls: []string{"acme.catalog.v1.*"}, Origins: parsed(t, "https://app.example.com")}, ""},
		{"previews call everything", policy, always, analysis.CallSet{Origins: parsed(t, "https://*.preview.example.com")}, "acme.account.v1.AccountService"},
		{"everyone reads the health", policy, always, set("/healthz"), ""},
		{"everyone posts to the health", policy, always, analysis.CallSet{Calls: []string{"/healthz"}, Methods: []string{"POST"}}, "/healthz: POST is not an allowed method"},
		{"the app reads a header", policy, always, analysis.CallSet{Calls: []string{"acme.catalog.v1.*"}, Origins: parsed(t, "https://app.example.com"), ResponseHeaders: []string{"x-request-id"}}, ""},
		{"the app sends credentials", policy, always, analysis.CallSet{Calls: []string{"acme.catalog.v1.*"}, Origins: parsed(t, "https://app.example.com"), Credentials: proto.Bool(true)}, "acme.catalog.v1.CatalogService"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			prove := analysis.Always
			if tc.never {
				prove = analysis.Never
			}
			got := prove(compileText(t, tc.policy, ""), tc.set)
			text := got.Target + ": " + got.Reason
			switch {
			case got.Undecided != "":
				t.Error("undecided:", got.Undecided)
			case got.Holds != (tc.want == ""):
				t.Errorf("holds is %t: %s", got.Holds, text)
			case !got.Holds && !strings.HasPrefix(text, tc.want):
				t.Errorf("%s\nwant %s", text, tc.want)
			}
		})
	}
}
