package corsrpc

import (
	"iter"
	"net/http"
	"slices"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// explainedPolicies have rules for every step of a decision.
var explainedPolicies = []string{`
defaults: {allow_origins: [https://app.example.com]}
rules:
  - {selector: acme.account.v1.AccountService, disabled: true}
  - {selector: acme.catalog.v1.StockService, allow_origins: ["*"]}
  - {path: /files/, allow_methods: [GET]}
  - {path: /files/secret, disabled: true}
  - {path: /hook, allow_origins: ["*"]}
  - {path: /mcp, protocols: [MCP]}
  - {path: /own, protocols: [MCP], allow_origins: [https://app.example.com, https://api.example.com]}
  - {path: /discovery, protocols: [MCP], allow_origins: ["*"], allow_methods: [GET]}
  - {path: /closed, protocols: [MCP], disabled: true}
`, `
defaults: {allow_origins: [https://app.example.com], allow_credentials: true}
rules:
  - {selector: grpc.health.v1.Health, allow_origins: [https://app.example.com]}
  - {selector: acme.catalog.v1.CatalogService, allow_origins: ["null"], accept_risks: [NULL_ORIGIN], allow_credentials: false, allow_headers: [authorization]}
  - {path: /files/}
  - {path: /mcp, protocols: [MCP], allow_credentials: false}
`}

// explainedRequests returns requests that combine the values that a decision depends on.
func explainedRequests() iter.Seq[Request] {
	header := func(name string, lines ...string) func(http.Header) {
		return func(h http.Header) {
			if lines != nil {
				h[name] = lines
			}
		}
	}
	asks := func(method, names string) func(http.Header) {
		return func(h http.Header) {
			h["Access-Control-Request-Method"] = []string{method}
			if names != "" {
				h["Access-Control-Request-Headers"] = []string{names}
			}
		}
	}
	paths := []string{
		"/acme.catalog.v1.CatalogService/List", "/acme.account.v1.AccountService/Get", "/acme.catalog.v1.StockService/Get", "/grpc.health.v1.Health/Check",
		"/acme.unknown.v1.S/Do", "/files/a", "/files//secret", "/hook", "/other", "/mcp", "//mcp", "/own", "/discovery", "/closed",
	}
	methods := []struct {
		method string
		set    func(http.Header)
	}{
		{"POST", header("")}, {"GET", header("")}, {"PUT", header("")}, {"GET", header("Upgrade", "websocket")},
		{"OPTIONS", asks("POST", "")}, {"OPTIONS", asks("DELETE", "x-none,x-other")}, {"OPTIONS", asks("POST", "x-none")}, {"OPTIONS", asks("DELETE", "@")}, {"OPTIONS", asks("POST", "@")},
	}
	return func(yield func(Request) bool) {
		for _, path := range paths {
			for _, m := range methods {
				for _, origin := range [][]string{nil, {"https://app.example.com"}, {"https://evil.example"}, {"null"}, {"https://api.example.com"}, {"HTTPS://x"}, {"https://app.example.com", "https://app.example.com"}} {
					for _, site := range [][]string{nil, {"same-origin"}, {"none"}, {"cross-site"}} {
						for _, mode := range [][]string{nil, {"cors"}, {"no-cors"}, {"navigate"}} {
							for _, cookie := range [][]string{nil, {"a=b"}} {
								for _, authorization := range [][]string{nil, {"Basic x"}} {
									h := http.Header{}
									m.set(h)
									header("Origin", origin...)(h)
									header("Sec-Fetch-Site", site...)(h)
									header("Sec-Fetch-Mode", mode...)(h)
									header("Cookie", cookie...)(h)
									header("Authorization", authorization...)(h)
									if !yield(Request{Method: m.method, Host: "api.example.com", Path: path, TLS: true, Header: h}) {
										return
									}
								}
							}
						}
					}
				}
			}
		}
	}
}

func explainedPlans(t *testing.T) (plans []*Plan) {
	files, err := vectors.Schema("acme")
	if err != nil {
		t.Fatal(err)
	}
	for _, policy := range explainedPolicies {
		doc, err := ParsePolicy("cors.yaml", []byte(policy))
		if err != nil {
			t.Fatal(err)
		}
		plan, err := Compile(doc.Policy(), WithDocument(doc), WithFiles(files))
		if err != nil {
			t.Fatal(err)
		}
		plans = append(plans, plan)
	}
	return plans
}

// TestExplainAgreesWithDecide checks that the steps end in the reason of Decide, also if several
// things are wrong with a request, and that each step ends some decision.
func TestExplainAgreesWithDecide(t *testing.T) {
	t.Parallel()
	ended := map[StepCode]int{}
	for _, plan := range explainedPlans(t) {
		for r := range explainedRequests() {
			d := plan.Decide(r)
			steps, reason := plan.steps(questions, &r, &d)
			if reason != d.reason {
				t.Fatalf("%s %s %v: the steps end in %s, and the decision is %s", r.Method, r.Path, r.Header, reason.public(), d.Reason())
			}
			ended[steps[len(steps)-1].Code]++
		}
	}
	for _, q := range questions {
		if ended[q.code] == 0 {
			t.Errorf("no request ends at %s", q.code)
		}
	}
}

// TestExplainOrder checks the order of the steps. If two steps that can end the same decision are
// swapped, some decision changes, so that TestExplainAgreesWithDecide fails.
func TestExplainOrder(t *testing.T) {
	t.Parallel()
	want := []StepCode{
		StepPath, StepOriginSyntax, StepSameOrigin, StepCanonicalPath, StepEnabled, StepOperationalNamed, StepOriginPresent, StepOriginAllowed,
		StepMethodGranted, StepHeadersGranted, StepUpgrade, StepMode, StepMethodAllowed, StepCredentials,
	}
	var got []StepCode
	for _, q := range questions {
		got = append(got, q.code)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("the steps are %v", got)
	}
	apart := map[[2]StepCode]string{
		{StepCanonicalPath, StepEnabled}:          "what several readings lead to is never disabled",
		{StepCanonicalPath, StepOperationalNamed}: "nor is it operational",
		{StepEnabled, StepOperationalNamed}:       "only a rule disables, and no rule is about the service",
		{StepOperationalNamed, StepOriginPresent}: "one is about calls with an Origin, the other without",
		{StepHeadersGranted, StepUpgrade}:         "one is about preflights, the other about handshakes",
		{StepHeadersGranted, StepMode}:            "one is about preflights, the other about calls",
		{StepUpgrade, StepMode}:                   "one is about handshakes, the other about calls",
	}
	plans := explainedPlans(t)
	for i := range questions {
		for j := i + 1; j < len(questions); j++ {
			swapped := slices.Clone(questions)
			swapped[i], swapped[j] = swapped[j], swapped[i]
			pair := [2]StepCode{questions[i].code, questions[j].code}
			if changes := changesADecision(plans, swapped); changes == (apart[pair] != "") {
				t.Errorf("%s and %s, swapped: another decision: %t; want %t", pair[0], pair[1], changes, !changes)
			}
		}
	}
}

// changesADecision reports whether any decision changes if the questions are asked in another order.
func changesADecision(plans []*Plan, swapped []question) (changes bool) {
	for _, plan := range plans {
		for r := range explainedRequests() {
			d := plan.Decide(r)
			func() {
				defer func() {
					if recover() != nil { // a question may rely on the answers to earlier ones
						changes = true
					}
				}()
				_, reason := plan.steps(swapped, &r, &d)
				changes = changes || reason != d.reason
			}()
			if changes {
				return true
			}
		}
	}
	return false
}
