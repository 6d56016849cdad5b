package policytest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
)

// app is the beginning of a case whose page is allowed by the defaults.
const app = "from: https://app.example.com, call: "

func TestCases(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		one  string // the fields of a case
		want string // the status, and a part of what happened or is to be added
	}{
		{app + "acme.v1.S.M, expect: {readable: {}}", "passed "},
		{app + "acme.v1.S.M, expect: {readable: {}, preflights: 1}", "passed "},
		{app + "acme.v1.S.M, expect: {readable: {}, preflights: 0}", "failed the browser sends one preflight"},
		{app + "acme.v1.S.M, expect: {blocked: {}}", "failed the script can read the response"},
		{app + "acme.v1.S.M, protocol: GRPC_WEB, expect: {readable: {}}", "passed "},
		{app + "acme.web.v1.S.M, protocol: GRPC_WEB, expect: {readable: {}}", "passed "},
		{app + "acme.web.v1.S.M, expect: {blocked: {reason: HEADERS_NOT_GRANTED}}", "passed "},
		{app + "acme.web.v1.S.M, expect: {readable: {}}", "failed the preflight is blocked (HEADERS_NOT_GRANTED): the origin is allowed, but not every header that the preflight asks for is granted (connect-protocol-version)"},
		{app + "acme.v1.S.M, http_method: GET, expect: {readable: {}, preflights: 0}", "passed "},
		{app + "acme.account.v1.AccountService.Get, http_method: PUT, expect: {blocked: {reason: METHOD_NOT_GRANTED}}", "passed "},
		{app + "acme.v1.S.M, http_method: PUT, expect: {blocked: {reason: NOT_GOVERNED}}", "passed "}, // not a call of a service that nothing names
		{app + "acme.v1.S.M, headers: {x-a: b}, expect: {blocked: {reason: HEADERS_NOT_GRANTED}, preflights: 1}", "passed "},
		{app + "acme.v1.S.M, headers: {x-a: b}, expect: {blocked: {reason: ORIGIN_NOT_ALLOWED}}", "failed the preflight is blocked (HEADERS_NOT_GRANTED)"},
		{app + "acme.v1.S.M, headers: {x-a: b}, expect: {readable: {}}", "failed the preflight is blocked (HEADERS_NOT_GRANTED)"},
		{app + "acme.account.v1.AccountService.Get, credentials: true, headers: {authorization: x}, expect: {readable: {headers: [x-request-id]}}", "passed "},
		{app + "acme.v1.S.M, credentials: true, expect: {blocked: {reason: CREDENTIALS_NOT_ALLOWED, handler_runs: false}}", "passed "},
		{app + "acme.v1.S.M, credentials: true, expect: {readable: {}}", "failed the preflight is blocked (CREDENTIALS_NOT_ALLOWED)"},
		{"from: 'null', call: /healthz, credentials: true, expect: {blocked: {reason: CREDENTIALS_NOT_ALLOWED}}", "passed "},
		{"from: 'null', call: /healthz, expect: {readable: {hidden_headers: [x-a], headers: [content-type]}, preflights: 0}", "passed "},
		{"from: 'null', call: /healthz, expect: {readable: {headers: [x-a]}}", "failed the script cannot read the header x-a"},
		{"from: 'null', call: /healthz, expect: {readable: {hidden_headers: [content-type]}}", "failed the script can read the header content-type"},
		{app + "acme.v1.S.M, answer: {headers: {trailer-x-cost: '7'}, status: 404}, expect: {readable: {headers: [trailer-x-cost]}}", "passed "},
		{app + "acme.v1.S.M, answer: {status: 500}, expect: {readable: {hidden_headers: [set-cookie]}}", "passed "},
		{app + "/upload, http_method: PUT, expect: {readable: {}, preflights: 1}", "passed "},
		{app + "/upload, http_method: DELETE, expect: {blocked: {reason: METHOD_NOT_GRANTED}}", "passed "},
		{app + "/upload, expect: {blocked: {}}", "failed the script can read the response"}, // a 405 is readable
		{app + "/other, expect: {blocked: {reason: NOT_GOVERNED, handler_runs: true}}", "passed "},
		{app + "/other, expect: {blocked: {handler_runs: false}}", "failed the call is blocked (NOT_GOVERNED): no rule of the policy applies to the path of the request, but the handler runs"},
		{app + "acme.off.v1.S.M, expect: {blocked: {reason: DISABLED, handler_runs: true}}", "failed the preflight is blocked (DISABLED): the policy disables calls from other origins to this procedure or path, and the handler does not run"},
		{"from: https://t1.example.com, call: acme.off.v1.S.M, expect: {blocked: {}}", "passed "}, // disabled, whatever the source has
		{"from: https://api.example.com, call: /other, expect: {readable: {headers: [x-any]}, preflights: 0}", "passed "},
		{"from: http://localhost:3000, call: acme.v1.S.M, profile: dev, expect: {readable: {}}", "passed "},
		{"from: http://localhost:3000, call: acme.v1.S.M, expect: {blocked: {reason: ORIGIN_NOT_ALLOWED}}", "passed "},
		{app + "acme.v1.S.M, engines: [CHROMIUM], headers: {user-agent: x}, expect: {readable: {}}", "passed "},
		{app + "/mcp, protocol: MCP, expect: {readable: {headers: [mcp-session-id, mcp-next, www-authenticate], hidden_headers: [x-a]}, preflights: 1}", "passed "},
		{app + "/mcp, protocol: MCP, http_method: DELETE, headers: {mcp-param-region: eu}, expect: {readable: {}}", "passed "},
		{app + "/mcp, protocol: MCP, headers: {authorization: x}, expect: {readable: {}}", "failed the preflight is blocked (HEADERS_NOT_GRANTED): the origin is allowed, but not every header that the preflight asks for is granted (authorization)"},
		{app + "/mcp, protocol: CONNECT, expect: {readable: {}}", ""},
		{app + "acme.v1.S.M, protocol: MCP, expect: {readable: {}}", ""},
		{"from: https://api.example.com, call: /mcp, protocol: MCP, expect: {blocked: {reason: OWN_ORIGIN_NOT_ALLOWED, handler_runs: false}}", "passed "},
		{"from: https://api.example.com, call: /mcp, protocol: MCP, expect: {readable: {}}", "failed the call is refused (OWN_ORIGIN_NOT_ALLOWED): "},
		{app + "/healthz, server: x, expect: {readable: {}}", ""}, // server is not a field of a case

		// Outcomes that depend on origins which are not known.
		{"from: https://t1.example.com, call: acme.tenant.v1.S.M, expect: {readable: {}}", "unknown sources: {tenants: {origins: [https://t1.example.com]}}"},
		{"from: https://t1.example.com, call: acme.tenant.v1.S.M, expect: {blocked: {}}", "unknown sources: {tenants: "},
		{"from: https://t1.example.com, call: acme.tenant.v1.S.M, headers: {x-a: b}, expect: {blocked: {}}", "passed "},
		{"from: https://t1.example.com, call: acme.tenant.v1.S.M, headers: {x-a: b}, expect: {readable: {}}", "failed the preflight is blocked"},
		{"from: http://t1.example.com, call: acme.tenant.v1.S.M, expect: {blocked: {}}", "passed "}, // no source has it
		{"from: https://t1.example.com, call: acme.tenant.v1.S.M, sources: {tenants: {origins: [https://t1.example.com]}}, expect: {readable: {}}", "passed "},
		{"from: https://t1.example.com, call: acme.tenant.v1.S.M, sources: {tenants: {}}, expect: {blocked: {reason: ORIGIN_NOT_ALLOWED}}", "passed "},
		{"from: https://p1.example.com, call: acme.partner.v1.S.M, expect: {readable: {}}", `unknown env: {PARTNERS: "https://p1.example.com"}`},
		{"from: https://p1.example.com, call: acme.partner.v1.S.M, expect: {blocked: {reason: ORIGIN_NOT_ALLOWED}}", "unknown env: {PARTNERS: "},
		{"from: https://p1.example.com, call: acme.partner.v1.S.M, headers: {x-a: b}, expect: {blocked: {}}", "passed "},
		{"from: http://p1.example.com, call: acme.partner.v1.S.M, expect: {blocked: {}}", "unknown env: {PARTNERS: "}, // the policy would not load with it
		{"from: https://p1.example.com, call: acme.partner.v1.S.M, env: {PARTNERS: https://p1.example.com}, expect: {readable: {}}", "passed "},
		{"from: https://p2.example.com, call: acme.partner.v1.S.M, env: {PARTNERS: https://p1.example.com}, expect: {blocked: {}}", "passed "},
	} {
		t.Run(test.one, func(t *testing.T) {
			t.Parallel()
			name := folder(t, "cors_test.yaml", "policy: cors.yaml\ncases:\n  - {"+test.one+"}\n", "cors.yaml", policy)
			if test.want == "" {
				if _, err := Load(context.Background(), name, input.Flags{}); err == nil {
					t.Error("the test is valid")
				}
				return
			}
			r := run(t, load(t, name, input.Flags{}))[0]
			status, text, _ := strings.Cut(test.want, " ")
			if string(r.Status) != status || !strings.Contains(r.Happened+" "+r.Add, text) || status == "passed" && r.Happened != "" {
				t.Errorf("%+v", r)
			}
		})
	}
}

// TestFailureTellsAll: a failure has what was expected, the engines, the reason, the remedy, the places and
// the request.
func TestFailureTellsAll(t *testing.T) {
	t.Parallel()
	s := load(t, folder(t, "cors_test.yaml", `policy: cors.yaml
cases:
  - name: admin
    from: https://app.example.com
    call: acme.admin.v1.AdminService.Drop
    expect: {readable: {headers: [x-a]}, preflights: 1}
  - from: https://app.example.com
    call: acme.v1.S.M
    headers: {user-agent: x}
    expect: {readable: {}, preflights: 0}
`, "cors.yaml", policy), input.Flags{})
	all := run(t, s)
	r := all[0]
	if r.Name != "admin" || r.Place.Line != 3 || r.Place.Column != 5 || r.Expected != "readable, with x-a, one preflight" || r.Reason != "ORIGIN_NOT_ALLOWED" ||
		!strings.HasPrefix(r.Remedy, `add "https://app.example.com" to rules[1].allow_origins`) || r.From.Field != "rules[1].allow_origins" || r.From.Line != 8 ||
		!strings.HasSuffix(r.From.File, "cors.yaml") || !strings.HasPrefix(r.Curl, "curl ") || !strings.Contains(r.Curl, "-X OPTIONS") || r.Engines != nil {
		t.Errorf("%+v", r)
	}
	if r := all[1]; r.Name != "https://app.example.com calls acme.v1.S.M with user-agent" {
		t.Errorf("%+v", r)
	}
}

// TestHeaderRemedies: the remedy of a header names the first one that is not as expected. The policy loads with
// it, and its outcome is as expected then; or no policy can do it.
func TestHeaderRemedies(t *testing.T) {
	t.Parallel()
	const rest = " in the rule that governs the call"
	for _, test := range []struct{ fields, rule, remedy, with string }{
		{"call: acme.v1.S.M, expect: {readable: {headers: [server, date]}}", "", "write expose_headers: [server]" + rest, "expose_headers: [server, date]"},
		{"call: acme.v1.S.M, answer: {headers: {connection: x-a}}, expect: {readable: {headers: [X-A]}}", "", "write expose_headers: [x-a]" + rest, "expose_headers: [x-a]"},
		{"call: acme.v1.S.M, expect: {readable: {hidden_headers: [x-a, x-b]}}", "", "write hide_headers: [x-a]" + rest, "hide_headers: [x-a, x-b]"},
		{"call: acme.v1.S.M, expect: {readable: {hidden_headers: [x-a]}}", "expose_headers: [x-a]", "write hide_headers: [x-a]" + rest + ", in place of rules[0].expose_headers[0]", "hide_headers: [x-a]"},
		{"call: acme.v1.S.M, expect: {readable: {headers: [x-a]}}", "hide_headers: [x-a]", "write expose_headers: [x-a]" + rest + ", in place of rules[0].hide_headers[0]", "expose_headers: [x-a]"},
		{"call: /p, expect: {readable: {headers: [grpc-status]}}", "", "write expose_headers: [grpc-status]" + rest, "expose_headers: [grpc-status]"},
		{"call: /p, expect: {readable: {hidden_headers: [grpc-status]}}", "expose_headers: [grpc-status]", "write hide_headers: [grpc-status]" + rest + ", in place of rules[0].expose_headers[0]", "hide_headers: [grpc-status]"},
		{"call: acme.v1.S.M, expect: {readable: {headers: [set-cookie]}}", "", "no policy can expose set-cookie", ""},
		{"call: acme.v1.S.M, expect: {readable: {headers: [access-control-allow-origin]}}", "", "no policy can expose access-control-allow-origin", ""},
		{"call: acme.v1.S.M, answer: {status: 304}, expect: {readable: {headers: [x-a]}}", "", "no policy exposes headers of a response with the status 304", ""},
		{"call: acme.v1.S.M, expect: {readable: {hidden_headers: [expires]}}", "", "no policy can hide expires from a script that can read the response", ""},
		{"call: acme.v1.S.M, protocol: GRPC_WEB, expect: {readable: {hidden_headers: [grpc-status]}}", "", "no policy can hide grpc-status, which the clients of the RPC protocols need", ""},
		{"from: https://api.example.com, call: acme.v1.S.M, expect: {readable: {hidden_headers: [x-a]}}", "", "no policy changes what a page of the server's own origin reads", ""},
	} {
		fields, target := test.fields, "selector: acme.v1.S, accept_risks: [UNKNOWN_SELECTORS]"
		if !strings.HasPrefix(fields, "from: ") {
			fields = "from: https://app.example.com, " + fields
		}
		if strings.Contains(fields, "call: /p") {
			target = "path: /p"
		}
		runWith := func(rule string) Result {
			if rule != "" {
				rule = ", " + rule
			}
			policy := "defaults: {allow_origins: [https://app.example.com]}\nrules: [{" + target + rule + "}]\n"
			return run(t, load(t, folder(t, "cors_test.yaml", "policy: cors.yaml\ncases: [{"+fields+"}]\n", "cors.yaml", policy), input.Flags{}))[0]
		}
		if r := runWith(test.rule); r.Status != Failed || r.Remedy != test.remedy {
			t.Errorf("%s: %+v", test.fields, r)
		}
		if r := runWith(test.with); test.with != "" && r.Status != Passed {
			t.Errorf("%s, with %s: %+v", test.fields, test.with, r)
		}
	}
}

// TestEngines: a case that fails in some engines only names those.
func TestEngines(t *testing.T) {
	t.Parallel()
	text := "rules: [{path: /only-get, allow_origins: [\"*\"], allow_methods: [GET], allow_headers: [\"*\"]}]"
	// Chromium ignores a User-Agent that a script sets, so that it asks for no preflight.
	const agent = `policy: cors.yaml
cases:
  - {from: https://app.example.com, call: /only-get, headers: {user-agent: x}, expect: {readable: {}, preflights: 0}}
  - {from: https://app.example.com, call: /only-get, headers: {user-agent: x}, engines: [CHROMIUM], expect: {readable: {}, preflights: 0}}
  - {from: https://app.example.com, call: /only-get, headers: {user-agent: x}, expect: {readable: {}, preflights: 1}}
`
	all := run(t, load(t, folder(t, "cors_test.yaml", agent, "cors.yaml", text), input.Flags{}))
	if all[0].Status != Failed || slices.Contains(all[0].Engines, "Chromium") || !slices.Contains(all[0].Engines, "Firefox") || all[1].Status != Passed {
		t.Errorf("%+v", all)
	}
	if r := all[2]; r.Status != Failed || !slices.Equal(r.Engines, []string{"Chromium"}) {
		t.Errorf("%+v", r)
	}
}

// TestFlagsWin: the profile and the variables of the command line win over those of the test, and its
// prefixes are added.
func TestFlagsWin(t *testing.T) {
	t.Parallel()
	name := folder(t, "cors_test.yaml", `policy: cors.yaml
env: {PARTNERS: https://p1.example.com}
path_prefixes: [/api]
cases:
  - {from: https://p1.example.com, call: /api/acme.partner.v1.S/M, http_method: POST, expect: {readable: {}}}
  - {from: https://p2.example.com, call: /rpc/acme.partner.v1.S/M, http_method: POST, expect: {readable: {}}}
  - {from: http://localhost:5173, call: acme.v1.S.M, expect: {readable: {}}}
`, "cors.yaml", policy)
	statuses := func(flags input.Flags) (all []Status) {
		for _, r := range run(t, load(t, name, flags)) {
			all = append(all, r.Status)
		}
		return all
	}
	if got := statuses(input.Flags{}); !slices.Equal(got, []Status{Passed, Failed, Failed}) {
		t.Errorf("without flags: %v", got)
	}
	if got := statuses(input.Flags{Profile: "dev", Env: input.List{"PARTNERS=https://p2.example.com"}, Prefixes: input.List{"/rpc"}}); !slices.Equal(got, []Status{Failed, Passed, Passed}) {
		t.Errorf("with flags: %v", got)
	}
}

// TestCompilesOnce: the policy is compiled once for each profile and environment, not for each case.
func TestCompilesOnce(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("policy: cors.yaml\nsources: {tenants: {origins: [https://t1.example.com]}}\ncases:\n")
	for range 20 {
		b.WriteString("  - {from: https://t1.example.com, call: acme.tenant.v1.S.M, expect: {readable: {}}}\n" +
			"  - {from: https://app.example.com, call: acme.v1.S.M, profile: dev, expect: {readable: {}}}\n" +
			"  - {from: https://p1.example.com, call: acme.partner.v1.S.M, env: {PARTNERS: https://p1.example.com}, expect: {readable: {}}}\n" +
			"  - {from: https://t2.example.com, call: acme.tenant.v1.S.M, sources: {tenants: {}}, expect: {blocked: {}}}\n")
	}
	b.WriteString("guarantees:\n")
	for range 10 {
		b.WriteString("  - never: {calls: [acme.tenant.v1.*], origins_outside: [https://t1.example.com]}\n")
	}
	s := load(t, folder(t, "cors_test.yaml", b.String(), "cors.yaml", policy), input.Flags{})
	for _, r := range run(t, s) {
		if r.Status != Passed {
			t.Errorf("%+v", r)
		}
	}
	if s.plans.compiled != 4 { // the test's own, the profile, the environment, and one with the source's origins
		t.Errorf("compiled %d times", s.plans.compiled)
	}
}

// TestRunEnds: Run ends with the context, and runs only what the filter selects.
func TestRunEnds(t *testing.T) {
	t.Parallel()
	s := load(t, folder(t, "cors_test.yaml", "policy: cors.yaml\ncases:\n  - {name: a, from: 'null', call: /healthz, expect: {readable: {}}}\n  - {name: b, from: 'null', call: /healthz, expect: {readable: {}}}\n", "cors.yaml", policy), input.Flags{})
	ctx, cancel := context.WithCancel(context.Background())
	got, err := s.Run(ctx, func(name string) bool { return name == "b" }, func(int, int) {})
	if err != nil || len(got) != 1 || got[0].Name != "b" {
		t.Errorf("%+v %v", got, err)
	}
	cancel()
	if got, err := s.Run(ctx, func(string) bool { return true }, func(int, int) {}); err == nil || len(got) != 0 {
		t.Errorf("%+v %v", got, err)
	}
}
