package corsrpc_test

import (
	"net/http"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// TestFieldWithoutIndex checks that the items of a list have one field, and that each rule has its
// own.
func TestFieldWithoutIndex(t *testing.T) {
	t.Parallel()
	plan := compilePolicy(t, `
defaults:
  allow_origins: [https://app.example.com, https://www.example.com]
rules:
  - selector: acme.account.v1.AccountService
    allow_origins_from: [others, tenants]
  - path: /files/
    allow_origins: [https://a.example, https://b.example]
  - selector: acme.internal.v1.AdminService
    disabled: true
profiles:
  dev:
    add_origins: ["http://localhost:*", "http://*.localhost"]
    rules:
      - path: /other/
        max_age: 60s
      - path: /live/
        max_age: 60s
`, corsrpc.WithProfile("dev"))
	layer, err := corsrpc.New(plan, quiet,
		corsrpc.WithOriginSource("others", rowsOf("https://o.example")), corsrpc.WithOriginSource("tenants", rowsOf("https://t.example")))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"others", "tenants"} {
		if err := layer.Refresh(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ path, from, asks, field, without string }{
		{listRPC, "https://www.example.com", "", "defaults.allow_origins[1]", "defaults.allow_origins"},
		{listRPC, "https://evil.example", "", "defaults.allow_origins", "defaults.allow_origins"},
		{listRPC, page, "x-tenant", `profiles["dev"].defaults`, `profiles["dev"].defaults`},
		{listRPC, "http://a.localhost", "", `profiles["dev"].add_origins[1]`, `profiles["dev"].add_origins`},
		{"/acme.account.v1.AccountService/Get", "https://t.example", "", "rules[0].allow_origins_from[1]", "rules[0].allow_origins_from"},
		{"/files/a", "https://b.example", "", "rules[1].allow_origins[1]", "rules[1].allow_origins"},
		{"/files/a", "https://a.example", "x-tenant", "rules[1]", "rules[1]"},
		{"/acme.internal.v1.AdminService/Reset", page, "", "rules[2].disabled", "rules[2].disabled"},
		{"/live/a", page, "x-tenant", `profiles["dev"].rules[1]`, `profiles["dev"].rules[1]`},
		{"/elsewhere", page, "", "", ""},
	} {
		r := corsrpc.Request{Method: http.MethodPost, Host: "api.example.com", Path: c.path, Header: http.Header{"Origin": {c.from}}}
		if c.asks != "" {
			r.Method = http.MethodOptions
			r.Header["Access-Control-Request-Method"], r.Header["Access-Control-Request-Headers"] = []string{"POST"}, []string{c.asks}
		}
		d := layer.Plan().Decide(r)
		if d.From().Field != c.field || d.From().FieldWithoutIndex() != c.without {
			t.Errorf("%s from %s: %q, without an index %q; want %q, %q", c.path, c.from, d.From().Field, d.From().FieldWithoutIndex(), c.field, c.without)
		}
	}
	if got := (corsrpc.Decision{}).From().FieldWithoutIndex(); got != "" {
		t.Errorf("the zero Decision: %q", got)
	}
}
