package corsrpc_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
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

// TestExplainedAnswers checks that with WithExplain the response to a refused request has the remedy,
// in a header field and in the error message. Without it, the response holds nothing of the policy
// or of the request.
func TestExplainedAnswers(t *testing.T) {
	t.Parallel()
	const policy = `
defaults:
  allow_origins: [https://app.example.com]
rules:
  - selector: acme.account.v1.AccountService
    disabled: true
  - selector: acme.catalog.v1.StockService
    allow_origins: ["*"]
  - path: /files/
`
	call := func(origin, contentType string, more ...string) http.Header {
		h := http.Header{"Origin": {origin}, "Content-Type": {contentType}}
		for i := 0; i < len(more); i += 2 {
			h[more[i]] = []string{more[i+1]}
		}
		return h
	}
	const json, web, stock = "application/json", "application/grpc-web+proto", "/acme.catalog.v1.StockService/Get"
	for _, c := range []struct {
		name, method, path string
		header             http.Header
		remedy             string // the value of the header field
	}{
		{"another origin", "POST", listRPC, call("https://evil.example", json),
			`ORIGIN_NOT_ALLOWED; add "https://evil.example" to defaults.allow_origins at cors.yaml:3:18; if it is this server's own origin, make the proxy in front keep the Host header`},
		{"another origin, gRPC-Web", "POST", listRPC, call("https://evil.example", web),
			`ORIGIN_NOT_ALLOWED; add "https://evil.example" to defaults.allow_origins at cors.yaml:3:18; if it is this server's own origin, make the proxy in front keep the Host header`},
		{"an origin that is a risk", "POST", listRPC, call("null", json),
			`ORIGIN_NOT_ALLOWED; add "null" to defaults.allow_origins at cors.yaml:3:18, with accept_risks: [NULL_ORIGIN]; if it is this server's own origin, make the proxy in front keep the Host header`},
		{"a preflight of another origin", "OPTIONS", listRPC, call("https://evil.example", "", "Access-Control-Request-Method", "POST"),
			`ORIGIN_NOT_ALLOWED; add "https://evil.example" to defaults.allow_origins at cors.yaml:3:18; if it is this server's own origin, make the proxy in front keep the Host header`},
		{"headers", "OPTIONS", listRPC, call(page, "", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "x-tenant,x*y,content-type"),
			`HEADERS_NOT_GRANTED; write allow_headers: [x-tenant] in a rule with selector: acme.catalog.v1.CatalogService.List; leave "x*y" out of the page's request, which no policy can grant`},
		{"a path's method", "OPTIONS", "/files/a", call(page, "", "Access-Control-Request-Method", "PUT"),
			`METHOD_NOT_GRANTED; write allow_methods: [GET, HEAD, POST, PUT] in the rule with path: /files/`},
		{"a procedure's method", "OPTIONS", listRPC, call(page, "", "Access-Control-Request-Method", "PUT"),
			`METHOD_NOT_GRANTED; call procedures by POST, or by GET if they are declared NO_SIDE_EFFECTS; for a path, add the method to allow_methods`},
		{"a path's method, called", "PUT", "/files/a", call(page, json),
			`METHOD_NOT_ALLOWED; write allow_methods: [GET, HEAD, POST, PUT] in the rule with path: /files/`},
		{"disabled", "POST", "/acme.account.v1.AccountService/Get", call(page, json),
			`DISABLED; write disabled: false in a rule with selector: acme.account.v1.AccountService.Get`},
		{"cookies", "POST", listRPC, call(page, json, "Cookie", "a=b"),
			`CREDENTIALS_NOT_ALLOWED; write allow_credentials: true in a rule with selector: acme.catalog.v1.CatalogService.List, or call without credentials`},
		{"cookies where everyone may call", "POST", stock, call(page, json, "Cookie", "a=b"),
			`CREDENTIALS_NOT_ALLOWED; write allow_origins: ["https://app.example.com"] and allow_credentials: true in a rule with selector: acme.catalog.v1.StockService.Get, or call without credentials`},
		{"an unknown procedure", "POST", "/other.v1.S/M", call("https://evil.example", json),
			`ORIGIN_NOT_ALLOWED; add "https://evil.example" to defaults.allow_origins at cors.yaml:3:18; if it is this server's own origin, make the proxy in front keep the Host header`},
		{"an origin that no policy takes", "POST", listRPC, call("ttps://evil.example", json),
			`ORIGIN_NOT_ALLOWED; no policy can allow the origin, since it has a scheme that looks like a misspelling of https`},
		{"an origin that no rule can allow, where no rule has allow_origins", "POST", "/grpc.health.v1.Health/Check", call("http://evil.example", json),
			`OPERATIONAL_NOT_NAMED; write allow_origins: ["http://evil.example"] in a rule with selector: grpc.health.v1.Health, with accept_risks: [PLAIN_HTTP]`},
		{"cookies of a sandboxed frame", "POST", stock, call("null", json, "Cookie", "a=b"),
			`CREDENTIALS_NOT_ALLOWED; call without credentials: no rule can grant them to this origin`},
		{"an unknown procedure's header", "OPTIONS", "/other.v1.S/M", call(page, "", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "x-tenant"),
			`HEADERS_NOT_GRANTED; write allow_headers: [x-tenant] in a rule with selector: other.v1.S.M, with accept_risks: [UNKNOWN_SELECTORS]`},
		{"a malformed Origin", "POST", listRPC, call("https://evil.example/\x1b%\"é", json),
			`ORIGIN_MALFORMED; send no Origin header from programs other than browsers`},
		{"no cors", "POST", listRPC, call(page, json, "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Site", "cross-site"),
			`MODE_NOT_CORS; call with fetch in mode cors, as the RPC clients do`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, explain := range []bool{true, false} {
				opts := []corsrpc.LayerOption{quiet}
				if explain {
					opts = append(opts, corsrpc.WithExplain())
				}
				layer, err := corsrpc.New(compilePolicy(t, policy), opts...)
				if err != nil {
					t.Fatal(err)
				}
				w := httptest.NewRecorder()
				layer.Wrap(emptyHandler).ServeHTTP(w, newRequest(c.method, c.path, c.header))
				if !explain {
					all := fmt.Sprint(w.Header()) + w.Body.String()
					if w.Header()["Corsrpc-Reason"] != nil || strings.Contains(all, "evil") || strings.Contains(all, "cors.yaml") || strings.Contains(all, "write ") {
						t.Errorf("unasked, the answer explains itself: %s", all)
					}
					continue
				}
				if got := w.Header()["Corsrpc-Reason"]; len(got) != 1 || got[0] != c.remedy {
					t.Errorf("Corsrpc-Reason: %q\nwant %s", got, c.remedy)
				}
				_, remedy, _ := strings.Cut(c.remedy, "; ")
				if message, ok := errorMessage(t, w); ok && !strings.Contains(message, remedy) {
					t.Errorf("the message: %q", message)
				}
			}
		})
	}
}

// errorMessage returns the error message as an RPC client reads it, or the text. It is false if the
// response has no body.
func errorMessage(t *testing.T, w *httptest.ResponseRecorder) (string, bool) {
	t.Helper()
	switch contentType := w.Header().Get("Content-Type"); {
	case contentType == "application/json":
		var e struct{ Code, Message string }
		if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Code != "permission_denied" {
			t.Fatalf("%v: %s", err, w.Body)
		}
		return e.Message, true
	case strings.HasPrefix(contentType, "application/grpc"):
		message, err := url.PathUnescape(w.Header().Get("Grpc-Message"))
		if err != nil {
			t.Fatal(err)
		}
		return message, true
	}
	return w.Body.String(), w.Code != http.StatusNoContent
}

// TestExplainedErrorsAreWellFormed checks that file names and selectors with special characters do not
// break the error message that contains them.
func TestExplainedErrorsAreWellFormed(t *testing.T) {
	t.Parallel()
	doc, err := corsrpc.ParsePolicy("dir \"é\\%41\n/cors.yaml", []byte("defaults:\n  allow_origins: [https://app.example.com]\n"))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := corsrpc.New(plan, quiet, corsrpc.WithExplain())
	if err != nil {
		t.Fatal(err)
	}
	for _, contentType := range []string{"application/json", "application/grpc-web", "text/plain"} {
		w := httptest.NewRecorder()
		layer.Wrap(emptyHandler).ServeHTTP(w, newRequest(http.MethodPost, listRPC, http.Header{"Origin": {"https://evil.example"}, "Content-Type": {contentType}}))
		message, _ := errorMessage(t, w)
		if !strings.Contains(message, `dir "?\%41?/cors.yaml:2:18`) {
			t.Errorf("%s: %s", contentType, message)
		}
		if got := w.Header().Get("Corsrpc-Reason"); !strings.Contains(got, `dir "?\%41?/cors.yaml:2:18`) {
			t.Errorf("%s: %s", contentType, got)
		}
	}
}

// TestGrantedIsNotExplained checks that responses to granted and ungoverned requests are the same with
// and without WithExplain.
func TestGrantedIsNotExplained(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, allowPage, corsrpc.WithExplain())
	plain, _ := newLayer(t, allowPage)
	preflight := http.Header{"Origin": {page}, "Access-Control-Request-Method": {"POST"}}
	for _, r := range []*http.Request{
		newRequest(http.MethodPost, listRPC, http.Header{"Origin": {page}}),
		newRequest(http.MethodGet, getRPC, http.Header{"Origin": {page}}),
		newRequest(http.MethodPost, listRPC, nil),
		newRequest(http.MethodOptions, listRPC, preflight),
		newRequest(http.MethodGet, "/elsewhere", http.Header{"Origin": {"https://evil.example"}}),
	} {
		got, want := httptest.NewRecorder(), httptest.NewRecorder()
		layer.Wrap(emptyHandler).ServeHTTP(got, r)
		plain.Wrap(emptyHandler).ServeHTTP(want, r)
		if !reflect.DeepEqual(got.Header(), want.Header()) || got.Code != want.Code {
			t.Errorf("%s %s: %d %v, want %d %v", r.Method, r.URL, got.Code, got.Header(), want.Code, want.Header())
		}
	}
}

// TestObservedIsNotExplained checks that the handler's response stays unchanged under OBSERVE.
func TestObservedIsNotExplained(t *testing.T) {
	t.Parallel()
	layer, err := corsrpc.New(compilePolicy(t, allowPage+"enforcement: OBSERVE\n"), quiet, corsrpc.WithExplain())
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	layer.Wrap(emptyHandler).ServeHTTP(w, newRequest(http.MethodPost, listRPC, http.Header{"Origin": {"https://evil.example"}}))
	if w.Code != http.StatusOK || len(w.Header()) != 0 {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}
