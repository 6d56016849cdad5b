package corsrpc_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// FuzzLoad checks that no policy and no request causes a panic, that an origin that browsers do not
// send is never granted, that refusals have no Access-Control field, and that grants allow the
// origin of the request or everyone.
func FuzzLoad(f *testing.F) {
	files, err := vectors.Schema("acme")
	if err != nil {
		f.Fatal(err)
	}
	suites, err := vectors.Suites()
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range suites {
		f.Add(s.Policy, "POST", listRPC, page)
		f.Add(s.Policy, "OPTIONS", "/acme.account.v1.AccountService/Get", "https://evil.example")
		f.Add(s.Policy, "DELETE", "/mcp", "https://api.example.com")
	}
	policies, err := vectors.Policies()
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range policies {
		if !strings.HasSuffix(p.File, ".json") {
			f.Add(p.Text, "GET", "/healthz", "null")
		}
	}
	f.Fuzz(func(t *testing.T, text, method, path, from string) {
		if len(text) > 1<<14 {
			return
		}
		doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(text))
		if err != nil {
			return
		}
		plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc), corsrpc.WithFiles(files), corsrpc.WithPathPrefix("/api"),
			withEnv(map[string]string{"NAME": text[:min(len(text), 64)]}))
		if err != nil {
			return
		}
		for _, p := range []string{path, listRPC, "/api" + getRPC, "/unknown.v1.S/M"} {
			d := plan.Decide(corsrpc.Request{Method: method, Host: "api.example.com", Path: p, Header: http.Header{
				"Origin": {from}, "Sec-Fetch-Site": {"cross-site"},
				"Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {text[:min(len(text), 64)]},
			}})
			header := http.Header{"X-Meta": {"m"}, "Access-Control-Allow-Origin": {"https://handler.example"}}
			status, _, answered := d.Answer()
			if !answered {
				status = http.StatusOK
			}
			d.Apply(status, header)
			if d.Outcome() == corsrpc.OutcomeUntouched || !d.Enforced() {
				continue
			}
			got := header.Get("Access-Control-Allow-Origin")
			if _, ok := origin.Parse(from); !ok && d.Outcome() != corsrpc.OutcomeRefuse {
				t.Errorf("Origin %q: %v", from, d.Outcome())
			}
			if d.Outcome() == corsrpc.OutcomeRefuse && got != "" {
				t.Errorf("a refusal of %q allows %q", from, got)
			}
			if d.Outcome() == corsrpc.OutcomeGrant && got != from && got != "*" {
				t.Errorf("a grant to %q allows %q", from, got)
			}
		}
	})
}

// FuzzSeeing checks, for any request: the steps of Plan.Explain are printable ASCII; the response
// under WithExplain is well-formed and has a reason exactly if the request is refused; CheckOrigin
// passes no other origin.
func FuzzSeeing(f *testing.F) {
	plan := compilePolicy(f, allowPage)
	layer, err := corsrpc.New(plan, quiet, corsrpc.WithExplain())
	if err != nil {
		f.Fatal(err)
	}
	api := layer.Wrap(emptyHandler)
	f.Add(page, "POST", listRPC, "content-type: application/json")
	f.Add("null", "PUT", "/files/a", "x-tenant")
	f.Add("https://<script>", "OPTIONS", "/<script>.v1.S/M", "a'b: \"><script>")
	f.Add("ttps://evil.example", "GET", "/a%2fb", "\r\n")
	f.Fuzz(func(t *testing.T, from, method, path, headers string) {
		request := corsrpc.Request{Method: method, Host: "api.example.com", Path: path, Header: http.Header{
			"Origin": {from}, "Sec-Fetch-Site": {"cross-site"}, "Content-Type": {"application/json"},
			"Access-Control-Request-Method": {method}, "Access-Control-Request-Headers": {headers},
		}}
		for _, step := range plan.Explain(request) {
			if strings.ContainsFunc(step.Found, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("a step says %q", step.Found)
			}
		}
		r := newRequest(http.MethodPost, "/", request.Header)
		r.Method, r.URL.Path = method, path
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		reason := w.Header().Get("Corsrpc-Reason")
		if strings.ContainsFunc(reason, func(r rune) bool { return r < ' ' || r > '~' }) || len(reason) > 2000 {
			t.Errorf("Corsrpc-Reason: %q", reason)
		}
		if w.Code == http.StatusForbidden && w.Header().Get("Content-Type") == "application/json" && !json.Valid(w.Body.Bytes()) {
			t.Errorf("the error: %s", w.Body)
		}
		if reason != "" && !plan.Decide(request).Refused() && method != http.MethodOptions && w.Code == http.StatusOK {
			t.Errorf("a response of the handler with Corsrpc-Reason: %q", reason)
		}
		if from != page && from != "https://api.example.com" && layer.CheckOrigin(r) {
			t.Errorf("a handshake from %q goes on", from)
		}
	})
}
