package corsrpc_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/remedies"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// TestRemediesNameTheRule checks the whole text of remedies where the policy has a rule or a value already, and
// that following them leads to a grant.
func TestRemediesNameTheRule(t *testing.T) {
	t.Parallel()
	const app = "defaults:\n  allow_origins: [https://app.example.com]\nrules:\n"
	const list = "  - selector: acme.catalog.v1.CatalogService.List\n"
	preflight := func(method, headers string) http.Header {
		h := http.Header{"Access-Control-Request-Method": {method}}
		if headers != "" {
			h["Access-Control-Request-Headers"] = []string{headers}
		}
		return h
	}
	asks := func(headers string) http.Header { return preflight("POST", headers) }
	for _, c := range []struct {
		name, profile, policy, path string
		header                      http.Header
		remedy                      string
	}{
		// disabled
		{"a rule of the procedure is disabled", "", app + list + "    disabled: true\n", listRPC, nil,
			"remove disabled: true at cors.yaml:5 from the rule with selector acme.catalog.v1.CatalogService.List"},
		{"and so is a wider rule", "", app + "  - selector: acme.catalog.v1.*\n    disabled: true\n" + list + "    disabled: true\n", listRPC, nil,
			"write disabled: false in place of rules[1].disabled (cors.yaml:7)"},
		{"a path rule is disabled", "", app + "  - path: /files/\n    disabled: true\n", "/files/a", nil,
			"remove disabled: true at cors.yaml:5 from the rule with path /files/"},
		{"a rule of the service is disabled", "", app + "  - selector: acme.catalog.v1.CatalogService\n    disabled: true\n", listRPC, nil,
			"write disabled: false in a rule with selector acme.catalog.v1.CatalogService.List"},
		{"a profile's rule is disabled", "dev", app + list + "profiles:\n  dev:\n    rules:\n      - selector: acme.catalog.v1.CatalogService.List\n        disabled: true\n", listRPC, nil,
			"remove disabled: true at cors.yaml:9 from the rule with selector acme.catalog.v1.CatalogService.List of the profile dev"},
		{"a rule is disabled, and only a profile enables the defaults", "dev", "defaults:\n  allow_origins: [https://app.example.com]\n  disabled: true\nrules:\n  - selector: acme.catalog.v1.CatalogService.List\n    disabled: true\nprofiles:\n  dev:\n    defaults:\n      disabled: false\n", listRPC, nil,
			"write disabled: false in place of rules[0].disabled (cors.yaml:6)"},
		{"only a profile enables the procedure", "dev", "defaults:\n  allow_origins: [https://app.example.com]\n  disabled: true\nprofiles:\n  dev:\n    defaults:\n      disabled: false\n", listRPC, http.Header{"Cookie": {"a=b"}},
			"write allow_credentials: true in a rule with selector acme.catalog.v1.CatalogService.List of the profile dev, or call without credentials"},
		{"a disabled rule where no rule has origins", "", "defaults:\n  disabled: true\nrules:\n" + list + "    disabled: true\n", listRPC, nil,
			"write disabled: false in place of rules[0].disabled (cors.yaml:5); write allow_origins: [\"https://app.example.com\"] in the rule with selector acme.catalog.v1.CatalogService.List (cors.yaml:4)"},

		// headers
		{"a rule of the service", "", app + "  - selector: acme.catalog.v1.CatalogService\n", listRPC, asks("x-tenant-id"),
			"write allow_headers: [x-tenant-id] in the rule with selector acme.catalog.v1.CatalogService (cors.yaml:4)"},
		{"a list of the service", "", app + "  - selector: acme.catalog.v1.CatalogService\n    allow_headers: [x-a]\n", listRPC, asks("x-tenant-id"),
			"add x-tenant-id to rules[0].allow_headers (cors.yaml:5)"},
		{"a rule of the package", "", app + "  - selector: acme.catalog.v1.*\n    allow_headers: [x-a]\n", listRPC, asks("x-tenant-id"),
			"write allow_headers: [x-tenant-id] in a rule with selector acme.catalog.v1.CatalogService.List"},
		{"a denied name", "", app + list + "    deny_headers: [x-a, x-b]\n", listRPC, asks("x-b"),
			"move x-b from rules[0].deny_headers (cors.yaml:5) to allow_headers of the same rule"},
		{"a denied name and another one", "", app + list + "    deny_headers: [x-a]\n", listRPC, asks("x-a,x-b"),
			"remove x-a from rules[0].deny_headers (cors.yaml:5); write allow_headers: [x-a, x-b] in the rule with selector acme.catalog.v1.CatalogService.List (cors.yaml:4)"},
		{"a name that the service denies", "", app + "  - selector: acme.catalog.v1.CatalogService\n    deny_headers: [x-a]\n", listRPC, asks("x-a"),
			"write allow_headers: [x-a] in a rule with selector acme.catalog.v1.CatalogService.List"},
		{"names of tracing clients", "", app + "  - path: /other\n", listRPC, asks("baggage,traceparent"),
			"write tracing: true in a rule with selector acme.catalog.v1.CatalogService.List"},
		{"one of them and another name", "", app + list + "    tracing: false\n", listRPC, asks("traceparent,x-a"),
			"write tracing: true in place of rules[0].tracing (cors.yaml:5); write allow_headers: [x-a] in the rule with selector acme.catalog.v1.CatalogService.List (cors.yaml:4)"},
		{"a denied name of a tracing client", "", app + list + "    tracing: true\n    deny_headers: [baggage]\n", listRPC, asks("baggage"),
			"move baggage from rules[0].deny_headers (cors.yaml:6) to allow_headers of the same rule"},
		{"a header of a protocol that is not served", "", "defaults:\n  allow_origins: [https://app.example.com]\n  protocols: [GRPC_WEB]\n", listRPC, asks("connect-protocol-version"),
			"write protocols: [CONNECT, GRPC_WEB] in a rule with selector acme.catalog.v1.CatalogService.List"},
		{"where the rule says so", "", app + list + "    protocols: [CONNECT]\n", listRPC, asks("x-grpc-web"),
			"write protocols: [CONNECT, GRPC_WEB] in place of rules[0].protocols (cors.yaml:5)"},
		{"a profile's rule", "dev", app + list + "profiles:\n  dev:\n    rules:\n      - selector: acme.catalog.v1.CatalogService.List\n        max_age: 0s\n", listRPC, asks("x-a"),
			"write allow_headers: [x-a] in the rule with selector acme.catalog.v1.CatalogService.List of the profile dev (cors.yaml:8)"},

		// methods
		{"a method in lower case", "", app + "  - path: /files/\n    allow_methods: [PATCH]\n", "/files/a", preflight("patch", ""),
			"write the method as PATCH in the page's request: methods are case-sensitive, and no policy can grant patch"},
		{"that the rule does not have", "", app + "  - path: /files/\n    allow_methods: [GET]\n", "/files/a", preflight("patch", ""),
			"add PATCH to rules[0].allow_methods (cors.yaml:5); write the method as PATCH in the page's request: methods are case-sensitive, and no policy can grant patch"},
		{"a method that scripts cannot use", "", app + "  - path: /files/\n", "/files/a", preflight("TRACE", ""),
			"call with another method: no policy can grant TRACE"},
		{"another method", "", app + "  - path: /files/\n", "/files/a", preflight("PUT", ""),
			"write allow_methods: [GET, HEAD, POST, PUT] in the rule with path /files/ (cors.yaml:4)"},

		// origins
		{"null with credentials", "", "defaults:\n  allow_origins: [https://app.example.com]\n  allow_credentials: true\n", listRPC, http.Header{"Origin": {"null"}},
			"no rule with credentials can allow the origin, since pages of unrelated owners have it"},
		{"null, where another rule allows credentials", "", app + "  - selector: acme.account.v1.AccountService\n    allow_credentials: true\n", listRPC, http.Header{"Origin": {"null"}},
			`write allow_origins: ["null"] and allow_credentials: false in a rule with selector acme.catalog.v1.CatalogService.List, with accept_risks: [NULL_ORIGIN]; repeat the origins of defaults.allow_origins there to keep them`},
		{"a risk beside another one", "", "defaults:\n  allow_origins: [http://dev.example.com]\n  accept_risks: [PLAIN_HTTP]\n", listRPC, http.Header{"Origin": {"null"}},
			`add "null" to defaults.allow_origins (cors.yaml:2), with NULL_ORIGIN added to its accept_risks; if it is this server's own origin, make the proxy in front keep the Host header`},
		{"a risk that the rule accepts", "", "defaults:\n  allow_origins: [http://dev.example.com]\n  accept_risks: [PLAIN_HTTP]\n", listRPC, http.Header{"Origin": {"http://b.example.com"}},
			`add "http://b.example.com" to defaults.allow_origins (cors.yaml:2); if it is this server's own origin, make the proxy in front keep the Host header`},
		{"a profile's origins", "dev", app + "  - path: /other\nprofiles:\n  dev:\n    defaults:\n      allow_origins: [https://dev.example.com]\n", listRPC, nil,
			`add "https://app.example.com" to profiles["dev"].defaults.allow_origins (cors.yaml:8); if it is this server's own origin, make the proxy in front keep the Host header`},

		{"null, where only a profile refuses credentials", "dev", "defaults:\n  allow_credentials: true\nrules:\n  - path: /other\n    allow_origins: [https://app.example.com]\nprofiles:\n  dev:\n    defaults:\n      allow_credentials: false\n", listRPC, http.Header{"Origin": {"null"}},
			`write allow_origins: ["null"] in a rule with selector acme.catalog.v1.CatalogService.List of the profile dev, with accept_risks: [NULL_ORIGIN]; if it is this server's own origin, make the proxy in front keep the Host header`},

		// credentials
		{"credentials that the rule refuses", "", app + list + "    allow_credentials: false\n", listRPC, http.Header{"Cookie": {"a=b"}},
			"write allow_credentials: true in place of rules[0].allow_credentials (cors.yaml:5), or call without credentials"},
		{"credentials where the rule allows everyone", "", app + list + "    allow_origins: [\"*\"]\n", listRPC, http.Header{"Cookie": {"a=b"}},
			`write allow_origins: ["https://app.example.com"] in place of rules[0].allow_origins (cors.yaml:5); write allow_credentials: true in the rule with selector acme.catalog.v1.CatalogService.List (cors.yaml:4), which then allows this origin alone, or call without credentials`},
		{"a profile's origins, without those of the policy", "dev", "defaults:\n  allow_origins: [\"*\"]\nrules:\n" + list + "profiles:\n  dev:\n    rules:\n      - selector: acme.catalog.v1.CatalogService\n        allow_origins: [https://app.example.com]\n", listRPC, http.Header{"Cookie": {"a=b"}},
			"write allow_credentials: true in a rule with selector acme.catalog.v1.CatalogService.List of the profile dev, or call without credentials"},
		{"a handshake", "", app + list, listRPC, http.Header{"Upgrade": {"websocket"}},
			"write allow_credentials: true in the rule with selector acme.catalog.v1.CatalogService.List (cors.yaml:4)"},
		{"an Authorization that the rule has a list for", "", "defaults:\n  allow_origins: [\"*\"]\nrules:\n  - path: /hook\n    allow_headers: [x-a]\n", "/hook", http.Header{"Authorization": {"Bearer x"}},
			"if a proxy adds Authorization, add authorization to rules[0].allow_headers (cors.yaml:5); otherwise call without credentials"},

		// the request
		{"an id with a slash behind it, for which the profile has a rule too", "dev", app + "  - path: /v1/items/{id}\nprofiles:\n  dev:\n    rules:\n      - path: /v1/items/{id}\n        max_age: 0s\n", "/v1/items/7/", nil,
			`request the path as its rule spells it: "/v1/items/{id}"`},
		{"a header whose name is longer than a remedy", "", app + list, listRPC, asks("x-" + strings.Repeat("a", 400)), "add the missing headers to allow_headers, or set tracing: true if a tracing client sends them"},
		{"too many headers", "", app + list, listRPC, asks("x y"), "call with at most 64 headers, each with a valid name: no policy can grant such a list"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := vectors.Suite{File: "cors", Profile: c.profile}
			doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(c.policy))
			if err != nil {
				t.Fatal(err)
			}
			r := corsrpc.Request{Method: http.MethodPost, Host: "api.example.com", Path: c.path, Header: http.Header{"Origin": {page}}}
			for name, lines := range c.header {
				r.Header[name] = lines
			}
			if r.Header["Access-Control-Request-Method"] != nil {
				r.Method = http.MethodOptions
			}
			if r.Header["Upgrade"] != nil {
				r.Method = http.MethodGet
			}
			d := planOfSuite(t, s, doc.Policy(), corsrpc.WithDocument(doc)).Decide(r)
			if got := d.Remedy(); got != c.remedy {
				t.Errorf("%s: %s\nwant %s", d.Reason(), got, c.remedy)
			}
			if d.Remedy() == d.Reason().Remedy() && len(d.Missing()) > 300 {
				return // general advice
			}
			followRemedies(t, s, c.name, remedies.Case{Policy: doc.Policy(), Request: r}, corsrpc.WithDocument(doc))
		})
	}
}

// TestRemediesOfShadows checks that the remedy of a shadow policy's decision changes the shadow policy.
func TestRemediesOfShadows(t *testing.T) {
	t.Parallel()
	const policy = "defaults:\n  allow_origins: [https://app.example.com]\n  allow_headers: [x-a]\nshadow:\n  defaults:\n    allow_origins: [https://app.example.com]\n  rules:\n    - path: /files/\n"
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		listRPC:    "write allow_headers: [x-a] in a rule with selector acme.catalog.v1.CatalogService.List of the shadow policy",
		"/files/a": "write allow_headers: [x-a] in the rule with path /files/ of the shadow policy (cors.yaml:8)",
	} {
		r := corsrpc.Request{Method: http.MethodOptions, Host: "api.example.com", Path: path, Header: http.Header{
			"Origin": {page}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"x-a"},
		}}
		s := vectors.Suite{File: "cors"}
		d := planOfSuite(t, s, doc.Policy(), corsrpc.WithDocument(doc)).Shadow().Decide(r)
		if got := d.Remedy(); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
		a, err := remedies.Apply(remedies.Case{Policy: doc.Policy(), Request: r}, d.Remedy())
		if err != nil {
			t.Fatal(err)
		}
		if d := planOfSuite(t, s, a.Policy).Shadow().Decide(a.Request); d.Refused() {
			t.Errorf("%s: %s", d.Reason(), d.Remedy())
		}
	}
}
