package corsrpc_test

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// TestExplainEndsInTheDecision checks, for every case of the corpus, that the last step holds the
// decision of Decide and no other step does, and that each text is one line that is safe to log.
func TestExplainEndsInTheDecision(t *testing.T) {
	t.Parallel()
	suites, err := vectors.Suites()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range suites {
		plan := layerOfSuite(t, s).Plan()
		for _, c := range s.Cases {
			t.Run(s.File+"/"+c.Name, func(t *testing.T) {
				t.Parallel()
				asked := corsrpc.RequestOf(request(t, c))
				steps := plan.Explain(asked)
				want := plan.Decide(asked)
				for i, step := range steps {
					if last := i == len(steps)-1; last && !reflect.DeepEqual(step.Decision, want) || !last && step.Decision.Reason() != "" {
						t.Errorf("step %d of %d, %q: the decision is %s %s", i+1, len(steps), step.Question, step.Decision.Outcome(), step.Decision.Reason())
					}
					if step.Question == "" || step.Found == "" || len(step.Found) > 700 || strings.ContainsFunc(step.Found, func(r rune) bool { return r < ' ' || r > '~' }) {
						t.Errorf("step %d: %q: %q", i+1, step.Question, step.Found)
					}
				}
				last := steps[len(steps)-1]
				if !strings.HasPrefix(last.Found, c.Want.Reason+": ") || last.From != want.From() {
					t.Errorf("the last step: %q from %s", last.Found, last.From)
				}
			})
		}
	}
}

// TestExplainSteps checks all steps of some decisions.
func TestExplainSteps(t *testing.T) {
	t.Parallel()
	plan := compilePolicy(t, `
defaults:
  allow_origins: [https://app.example.com]
rules:
  - selector: acme.account.v1.AccountService
    disabled: true
  - path: /files/
    allow_methods: [GET]
`)
	preflight := http.Header{"Origin": {page}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"content-type,x-tenant"}}
	for _, c := range []struct {
		name, method, path string
		header             http.Header
		want               []string
	}{
		{"a preflight for a header that is not granted", "OPTIONS", listRPC, preflight, []string{
			"which procedure or path rule does the path resolve to? the procedure acme.catalog.v1.CatalogService.List (defaults at cors.yaml:3:3)",
			"does the request have one well-formed Origin header? yes: https://app.example.com (built in)",
			"is the request same-origin, or not sent by a page? no (no Sec-Fetch-Site, Host: api.example.com) (built in)",
			"does the policy grant the same access in every reading of the path? yes (built in)",
			"does the policy enable calls from other origins? yes (built in)",
			"does the policy allow the origin? yes: https://app.example.com (defaults.allow_origins[0] at cors.yaml:3:19)",
			"does the policy grant the method that the preflight asks for? yes: it asks for POST; granted: POST (built in)",
			"does the policy grant the headers that the preflight asks for? no: it does not grant x-tenant (built in)",
			"what does the layer do? HEADERS_NOT_GRANTED: the layer answers 204 with the grant (defaults at cors.yaml:3:3)",
		}},
		{"a call that is disabled", "POST", "/acme.account.v1.AccountService/Get", http.Header{"Origin": {page}}, []string{
			"which procedure or path rule does the path resolve to? the procedure acme.account.v1.AccountService.Get (rules[0] at cors.yaml:5:5)",
			"does the request have one well-formed Origin header? yes: https://app.example.com (built in)",
			"is the request same-origin, or not sent by a page? no (no Sec-Fetch-Site, Host: api.example.com) (built in)",
			"does the policy grant the same access in every reading of the path? yes (built in)",
			"does the policy enable calls from other origins? no (rules[0].disabled at cors.yaml:6:15)",
			"what does the layer do? DISABLED: the layer answers 403 (rules[0].disabled at cors.yaml:6:15)",
		}},
		{"a method that a path does not take", "PUT", "/files/a", http.Header{"Origin": {page}}, []string{
			"which procedure or path rule does the path resolve to? the path rule /files/ (rules[1] at cors.yaml:7:5)",
			"does the request have one well-formed Origin header? yes: https://app.example.com (built in)",
			"is the request same-origin, or not sent by a page? no (no Sec-Fetch-Site, Host: api.example.com) (built in)",
			"does the policy enable calls from other origins? yes (built in)",
			"does the policy allow the origin? yes: https://app.example.com (defaults.allow_origins[0] at cors.yaml:3:19)",
			"does the path's rule allow the method? no: allow_methods is GET (rules[1].allow_methods at cors.yaml:8:20)",
			"what does the layer do? METHOD_NOT_ALLOWED: the layer answers 405 (rules[1].allow_methods at cors.yaml:8:20)",
		}},
		{"a link to a path with two readings", "GET", "//files/a", http.Header{"Sec-Fetch-Site": {"cross-site"}}, []string{
			"which procedure or path rule does the path resolve to? servers may interpret the path in several ways: as a path that no rule applies to, and as the path rule /files/ (built in)",
			"does the request have one well-formed Origin header? there is no Origin header (built in)",
			"is the request same-origin, or not sent by a page? no (Sec-Fetch-Site: cross-site, Host: api.example.com) (built in)",
			"does the policy grant the same access in every reading of the path? no, but the request passes in every reading (built in)",
			"does the policy enable calls from other origins? yes (built in)",
			"may the request come without an Origin header? yes: the policy lets GET and HEAD requests without an Origin header pass here (built in)",
			"what does the layer do? OPEN_TO_ALL: the handler gets the request (built in)",
		}},
		{"an ungoverned path", "GET", "/", nil, []string{
			"which procedure or path rule does the path resolve to? none: no rule applies to the path (built in)",
			"what does the layer do? NOT_GOVERNED: the handler gets the request, and the layer does not change the response (built in)",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, step := range plan.Explain(corsrpc.RequestOf(newRequest(c.method, c.path, c.header))) {
				got = append(got, fmt.Sprintf("%s %s (%s)", step.Question, step.Found, step.From))
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got:\n%s", strings.Join(got, "\n"))
			}
		})
	}
}
