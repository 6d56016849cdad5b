package corsrpc_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// valuesOf returns the effective rule of a procedure or a path, as lines.
func valuesOf(p *corsrpc.Plan, name string) (lines []string) {
	for _, r := range append(p.Procedures(), p.Paths()...) {
		if r.Name == name {
			for _, v := range r.Values() {
				lines = append(lines, fmt.Sprintf("%s %s: %s", v.Field, v.Value, v.From))
			}
		}
	}
	return lines
}

// TestWhereValuesComeFrom checks the provenance of values from the policy's text, a profile, the
// environment, the schema and the built-in rule.
func TestWhereValuesComeFrom(t *testing.T) {
	t.Parallel()
	files, err := vectors.Schema("options")
	if err != nil {
		t.Fatal(err)
	}
	plan := compilePolicy(t, `defaults:
  allow_origins: [https://app.example.com, "${MORE}"]
  allow_headers: [x-a, x-b, x-p-*]
  expose_headers: [x-etag]
rules:
  - selector: acme.shop.v1.*
    deny_headers: [x-b]
    allow_credentials: true
    tracing: true
  - selector: acme.shop.v1.TillService
    disabled: false
    deny_headers: ["*"]
    allow_origins_from: [tenants]
  - path: /healthz
    allow_methods: [GET]
profiles:
  dev:
    add_origins: ["http://localhost:*"]
    defaults: {max_age: 30s}
`, corsrpc.WithFiles(files), corsrpc.WithProfile("dev"), withEnv(map[string]string{"MORE": "https://more.example.com"}))
	for name, want := range map[string]string{
		"acme.shop.v1.ShopService.Get": `
allow_origins https://app.example.com: defaults.allow_origins[0] at cors.yaml:2:19
allow_origins https://more.example.com: defaults.allow_origins[1] at cors.yaml:2:44, from the environment variable MORE
allow_origins http://localhost:*: profiles["dev"].add_origins[0] at cors.yaml:18:19
allow_credentials true: rules[0].allow_credentials at cors.yaml:8:24
allow_headers x-a: defaults.allow_headers[0] at cors.yaml:3:19
allow_headers x-p-*: defaults.allow_headers[2] at cors.yaml:3:29
allow_headers x-shop: option(acme.shop.v1.ShopService).allow_headers[0] at acme/shop/v1.proto
allow_headers x-get: option(acme.shop.v1.ShopService.Get).allow_headers[0] at acme/shop/v1.proto
deny_headers x-b: rules[0].deny_headers[0] at cors.yaml:7:20
tracing true: rules[0].tracing at cors.yaml:9:14
expose DECLARED: option(acme.shop.v1.ShopService.Get).expose at acme/shop/v1.proto
expose_headers x-etag: defaults.expose_headers[0] at cors.yaml:4:20
expose_headers x-total: option(acme.shop.v1.ShopService.Get).expose_headers[0] at acme/shop/v1.proto
hide_headers x-cost: option(acme.shop.v1.ShopService).hide_headers[0] at acme/shop/v1.proto
max_age 30s: profiles["dev"].defaults.max_age at cors.yaml:19:25
protocols CONNECT: built in
protocols GRPC_WEB: built in
allow_methods GET: option idempotency_level
allow_methods POST: built in
disabled false: built in
timing false: built in`,
		"acme.shop.v1.TillService.Open": `
allow_origins http://localhost:*: profiles["dev"].add_origins[0] at cors.yaml:18:19
allow_origins_from tenants: rules[1].allow_origins_from[0] at cors.yaml:13:26
allow_credentials true: rules[0].allow_credentials at cors.yaml:8:24
deny_headers *: rules[1].deny_headers[0] at cors.yaml:12:20
expose PRESENT: built in
expose_headers x-etag: defaults.expose_headers[0] at cors.yaml:4:20
max_age 30s: profiles["dev"].defaults.max_age at cors.yaml:19:25
protocols CONNECT: built in
protocols GRPC_WEB: built in
allow_methods POST: built in
disabled false: rules[1].disabled at cors.yaml:11:15
timing false: built in`,
		"/healthz": `
allow_origins https://app.example.com: defaults.allow_origins[0] at cors.yaml:2:19
allow_origins https://more.example.com: defaults.allow_origins[1] at cors.yaml:2:44, from the environment variable MORE
allow_origins http://localhost:*: profiles["dev"].add_origins[0] at cors.yaml:18:19
allow_credentials false: built in
allow_headers x-a: defaults.allow_headers[0] at cors.yaml:3:19
allow_headers x-b: defaults.allow_headers[1] at cors.yaml:3:24
allow_headers x-p-*: defaults.allow_headers[2] at cors.yaml:3:29
expose DECLARED: built in
expose_headers x-etag: defaults.expose_headers[0] at cors.yaml:4:20
max_age 30s: profiles["dev"].defaults.max_age at cors.yaml:19:25
allow_methods GET: rules[2].allow_methods[0] at cors.yaml:15:21
disabled false: built in
timing false: built in`,
	} {
		got := valuesOf(plan, name)
		if want := strings.Split(strings.TrimSpace(want), "\n"); !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	var names []string
	for _, r := range plan.Procedures() {
		names = append(names, r.Name)
	}
	if want := []string{"acme.shop.v1.ShopService.Buy", "acme.shop.v1.ShopService.Get", "acme.shop.v1.ShopService.Purge", "acme.shop.v1.TillService.Open"}; !slices.Equal(names, want) {
		t.Errorf("procedures %v, want %v", names, want)
	}
}

// TestProvenanceMatchesResponses compares the effective rules with responses to preflights, for every
// suite: credentials, max_age and disabled.
func TestProvenanceMatchesResponses(t *testing.T) {
	t.Parallel()
	suites, err := vectors.Suites()
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, s := range suites {
		plan := layerOfSuite(t, s).Plan()
		for _, r := range plan.Procedures() {
			said := map[string]string{}
			var methods []string
			origin := ""
			for _, v := range r.Values() {
				said[v.Field] = v.Value
				if v.Field == "allow_methods" {
					methods = append(methods, v.Value)
				}
				if v.Field == "allow_origins" && !strings.Contains(v.Value, "*") {
					origin = v.Value
				}
			}
			if origin == "" {
				continue // no exact origin
			}
			service, method := r.Name[:strings.LastIndex(r.Name, ".")], r.Name[strings.LastIndex(r.Name, ".")+1:]
			d := plan.Decide(corsrpc.Request{Method: "OPTIONS", Host: "api.example.com", Path: "/" + service + "/" + method, Header: map[string][]string{
				"Origin": {origin}, "Access-Control-Request-Method": {"POST"}, "Sec-Fetch-Site": {"cross-site"},
			}})
			header := map[string][]string{}
			d.Apply(204, header)
			line := func(name string) string { return strings.Join(header[name], "|") }
			checked++
			switch {
			case said["disabled"] == "true":
				if d.Reason() != corsrpc.ReasonDisabled {
					t.Errorf("%s: %s is said to be disabled: %s", s.File, r.Name, d.Reason())
				}
			case d.Outcome() != corsrpc.OutcomePreflight,
				said["max_age"] != line("Access-Control-Max-Age")+"s",
				(said["allow_credentials"] == "true") != (line("Access-Control-Allow-Credentials") == "true"),
				strings.Join(methods, ", ") != line("Access-Control-Allow-Methods"):
				t.Errorf("%s: %s: %v, and %s %v", s.File, r.Name, said, d.Reason(), header)
			}
		}
	}
	if checked < 100 {
		t.Errorf("%d procedures were checked", checked)
	}
}

// TestWhereAFallbackComesFrom checks that a fallback comes from the policy and not from the variable that
// is not set, also if an item has several origins.
func TestWhereAFallbackComesFrom(t *testing.T) {
	t.Parallel()
	const text = `defaults: {allow_origins: ["${ONE:-https://a.example.com,https://b.example.com}", https://c.example.com]}`
	for _, test := range []struct {
		name string
		env  map[string]string
		want string
	}{
		{"nothing is set", nil, `
allow_origins https://a.example.com: defaults.allow_origins[0] at cors.yaml:1:28
allow_origins https://b.example.com: defaults.allow_origins[0] at cors.yaml:1:28
allow_origins https://c.example.com: defaults.allow_origins[1] at cors.yaml:1:83`},
		{"the variable is set", map[string]string{"ONE": "https://d.example.com"}, `
allow_origins https://d.example.com: defaults.allow_origins[0] at cors.yaml:1:28, from the environment variable ONE
allow_origins https://c.example.com: defaults.allow_origins[1] at cors.yaml:1:83`},
	} {
		lines := valuesOf(compilePolicy(t, text, withEnv(test.env)), "acme.catalog.v1.CatalogService.List")
		got := slices.DeleteFunc(lines, func(line string) bool { return !strings.HasPrefix(line, "allow_origins") })
		if strings.Join(got, "\n") != strings.TrimSpace(test.want) {
			t.Errorf("%s:\n%s\nwant%s", test.name, strings.Join(got, "\n"), test.want)
		}
	}
}

// TestUnknown checks that Unknown returns the rules that Decide applies to procedures that are not in the
// schema.
func TestUnknown(t *testing.T) {
	t.Parallel()
	plan := compilePolicy(t, `
defaults: {allow_origins: [https://app.example.com]}
rules:
  - {selector: "*", max_age: 10s}
  - {selector: acme.catalog.v1.*, max_age: 20s}
  - {selector: acme.catalog.v1.CatalogService.List, max_age: 30s}
  - {selector: acme.new.v1.NewService, max_age: 40s, accept_risks: [UNKNOWN_SELECTORS]}
  - {selector: acme.new.v1.NewService.Get, max_age: 50s, accept_risks: [UNKNOWN_SELECTORS]}
`)
	want := []string{"acme.catalog.v1.* 20s", "acme.new.v1.NewService 40s", "acme.new.v1.NewService.Get 50s", "* 10s"}
	var got []string
	for _, r := range plan.Unknown() {
		for _, v := range r.Values() {
			if v.Field == "max_age" {
				got = append(got, r.Name+" "+v.Value)
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for path, want := range map[string]string{
		"/acme.catalog.v1.Other/A": "20", "/acme.new.v1.NewService/A": "40", "/acme.new.v1.NewService/Get": "50", "/other.v1.S/M": "10",
	} {
		header := http.Header{}
		plan.Decide(corsrpc.Request{Method: http.MethodOptions, Host: "api.example.com", Path: path, Header: http.Header{
			"Origin": {page}, "Access-Control-Request-Method": {"POST"},
		}}).Apply(http.StatusNoContent, header)
		if got := header.Get("Access-Control-Max-Age"); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
