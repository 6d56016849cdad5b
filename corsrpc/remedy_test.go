package corsrpc_test

import (
	"cmp"
	"net/http"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// TestRemedies checks that the policy with the change of the remedy loads and grants the request. If no
// change helps, the remedy says how to send the request instead.
func TestRemedies(t *testing.T) {
	t.Parallel()
	const app = "defaults:\n  allow_origins: [https://app.example.com]\nrules:\n"
	const everyone = "defaults:\n  allow_origins: [\"*\"]\nrules:\n"
	for _, c := range []struct {
		name, policy, method, path, escaped string
		header                              http.Header
		remedy                              string // a part of the remedy
		better                              string // the policy after the change; empty if the remedy has no change
	}{
		{
			name: "an id with an escaped slash", policy: app + "  - path: /v1/items/{id}\n", path: "/v1/items/a/b", escaped: "/v1/items/a%2Fb",
			remedy: `write path: "/v1/items/{id...}" in place of "/v1/items/{id}"`, better: app + "  - path: /v1/items/{id...}\n",
		},
		{
			name: "an id with a slash behind", policy: app + "  - path: /v1/items/{id}\n", path: "/v1/items/7/",
			remedy: `write path: "/v1/items/{id...}"`, better: app + "  - path: /v1/items/{id...}\n",
		},
		{
			name: "an id beside the subtree", policy: app + "  - path: /v1/\n    max_age: 1s\n  - path: /v1/{id}\n", path: "/v1/a/b", escaped: "/v1/a%2Fb",
			remedy: `request the path as its rule spells it`,
		},
		{
			name: "an id that is another rule's path", policy: app + "  - path: /v1/{id}\n  - path: /v1/{id}/secret\n    max_age: 1s\n", path: "/v1/a/secret", escaped: "/v1/a%2Fsecret",
			remedy: `request the path as its rule spells it`,
		},
		{
			name: "another letter case", policy: app + "  - path: /v1/{id}\n", path: "/V1/a",
			remedy: `request the path as its rule spells it: "/v1/{id}"`,
		},
		{
			name: "a procedure", policy: app + "  - path: /other\n", path: "/acme.catalog.v1.CatalogService/get",
			remedy: "request the path as RPC clients spell it: /acme.catalog.v1.CatalogService/Get",
		},
		{
			name: "a service for operation", policy: app + "  - path: /other\n", path: "/grpc.health.v1.Health/Check",
			remedy: "write allow_origins: [\"https://app.example.com\"] in a rule with selector grpc.health.v1.Health",
			better: app + "  - selector: grpc.health.v1.Health\n    allow_origins: [\"https://app.example.com\"]\n",
		},
		{
			name: "one that the schema does not have", policy: app + "  - path: /other\n", path: "/grpc.channelz.v1.Channelz/GetServers",
			remedy: "in a rule with selector grpc.channelz.v1.Channelz, with accept_risks: [UNKNOWN_SELECTORS]",
			better: app + "  - selector: grpc.channelz.v1.Channelz\n    accept_risks: [UNKNOWN_SELECTORS]\n    allow_origins: [\"https://app.example.com\"]\n",
		},
		{
			name: "defaults for nobody", policy: "defaults: {disabled: true}\n", path: listRPC,
			remedy: "write allow_origins: [\"https://app.example.com\"] and disabled: false in a rule with selector acme.catalog.v1.CatalogService.List",
			better: "defaults: {disabled: true}\nrules:\n  - selector: acme.catalog.v1.CatalogService.List\n    disabled: false\n    allow_origins: [\"https://app.example.com\"]\n",
		},
		{
			name: "defaults for nobody, and a page on the local network", policy: "defaults: {disabled: true}\n", path: "/acme.v1.Unknown/Get", header: http.Header{"Origin": {"http://192.168.1.5:5173"}},
			remedy: "in a rule with selector acme.v1.Unknown.Get, with accept_risks: [UNKNOWN_SELECTORS, PLAIN_HTTP]",
			better: "defaults: {disabled: true}\nrules:\n  - selector: acme.v1.Unknown.Get\n    accept_risks: [UNKNOWN_SELECTORS, PLAIN_HTTP]\n    disabled: false\n    allow_origins: [\"http://192.168.1.5:5173\"]\n",
		},
		{
			name: "defaults for nobody, with credentials, and a sandboxed frame", policy: "defaults: {disabled: true, allow_credentials: true}\n", path: listRPC, header: http.Header{"Origin": {"null"}},
			remedy: "no rule with credentials can allow the origin",
		},
		{
			name: "a local file, where credentials are allowed", policy: "defaults: {allow_origins: [https://app.example.com], allow_credentials: true}\n", path: listRPC, header: http.Header{"Origin": {"file://"}},
			remedy: "no rule with credentials can allow the origin",
		},
		{
			name: "a local file", policy: app + "  - path: /other\n", path: listRPC, header: http.Header{"Origin": {"file://"}},
			remedy: `add "file://" to defaults.allow_origins (cors.yaml:2), with accept_risks: [NULL_ORIGIN]`,
			better: "defaults:\n  allow_origins: [https://app.example.com, \"file://\"]\n  accept_risks: [NULL_ORIGIN]\n",
		},
		{
			name: "a rule that is disabled", policy: app + "  - selector: acme.catalog.v1.*\n    disabled: true\n", path: listRPC,
			remedy: "write disabled: false in a rule with selector acme.catalog.v1.CatalogService.List",
			better: app + "  - selector: acme.catalog.v1.*\n    disabled: true\n  - selector: acme.catalog.v1.CatalogService.List\n    disabled: false\n",
		},
		{
			name: "an Authorization of a proxy", policy: everyone + "  - path: /hook\n", path: "/hook", header: http.Header{"Authorization": {"Bearer x"}},
			remedy: `if a proxy adds Authorization, write allow_headers: [authorization] in the rule with path /hook`,
			better: everyone + "  - path: /hook\n    allow_headers: [authorization]\n",
		},
		{
			name: "an Authorization that the rule denies", policy: everyone + "  - path: /hook\n    deny_headers: [authorization]\n", path: "/hook", header: http.Header{"Authorization": {"Bearer x"}},
			remedy: `move authorization from rules[0].deny_headers`, better: everyone + "  - path: /hook\n    allow_headers: [authorization]\n",
		},
		{
			name: "an Authorization of a form", policy: everyone + "  - path: /hook\n", path: "/hook", header: http.Header{"Authorization": {"Basic YTpi"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Site": {"cross-site"}},
			remedy: "call without credentials",
		},
		{
			name: "the preflight of a client of MCP", policy: app + "  - path: /mcp\n", method: http.MethodOptions, path: "/mcp",
			header: http.Header{"Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"accept,authorization,content-type,mcp-param-region,mcp-session-id"}},
			remedy: "write allow_headers: [authorization] and protocols: [MCP] in the rule with path /mcp", better: app + "  - path: /mcp\n    protocols: [MCP]\n    allow_headers: [authorization]\n",
		},
		{
			name: "the preflight of a client of MCP where the rule denies its headers", policy: app + "  - path: /mcp\n    deny_headers: [mcp-*]\n", method: http.MethodOptions, path: "/mcp",
			header: http.Header{"Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"mcp-session-id"}},
			remedy: "write allow_headers: [mcp-session-id] in the rule with path /mcp", better: app + "  - path: /mcp\n    deny_headers: [mcp-*]\n    allow_headers: [mcp-session-id]\n",
		},
		{
			name: "the server's own page and MCP", policy: app + "  - path: /mcp\n    protocols: [MCP]\n", path: "/mcp", header: http.Header{"Origin": {"https://api.example.com"}},
			remedy: `add "https://api.example.com" to defaults.allow_origins (cors.yaml:2); only if it is this server's own public origin`,
			better: "defaults:\n  allow_origins: [https://app.example.com, https://api.example.com]\nrules:\n  - path: /mcp\n    protocols: [MCP]\n",
		},
		{
			name: "a stream of the server's own page and MCP", policy: app + "  - path: /mcp\n    protocols: [MCP]\n", method: http.MethodGet, path: "/mcp", header: http.Header{"Origin": nil, "Sec-Fetch-Site": {"same-origin"}},
			remedy: `add "https://api.example.com" to defaults.allow_origins (cors.yaml:2); only if it is this server's own public origin`,
			better: "defaults:\n  allow_origins: [https://app.example.com, https://api.example.com]\nrules:\n  - path: /mcp\n    protocols: [MCP]\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := corsrpc.Request{Method: cmp.Or(c.method, http.MethodPost), Host: "api.example.com", Path: c.path, EscapedPath: c.escaped, Header: http.Header{"Origin": {page}}}
			for name, lines := range c.header {
				r.Header[name] = lines
			}
			d := compilePolicy(t, c.policy).Decide(r)
			if !d.Refused() || !strings.Contains(d.Remedy(), c.remedy) || c.better == "" && strings.Contains(d.Remedy(), "write path") {
				t.Fatalf("%s: %q", d.Reason(), d.Remedy())
			}
			if c.better == "" {
				return
			}
			if d := compilePolicy(t, c.better).Decide(r); d.Refused() {
				t.Errorf("with what it says: %s: %q", d.Reason(), d.Remedy())
			}
		})
	}
}

// TestRemediesOfHeaders checks that a remedy for a preflight names only headers that allow_headers may name, and no
// prefix of names that the preflight did not ask for.
func TestRemediesOfHeaders(t *testing.T) {
	t.Parallel()
	const app = "defaults:\n  allow_origins: [https://app.example.com]\n"
	const rule = app + "rules:\n  - selector: acme.catalog.v1.CatalogService.List\n    allow_headers: [x-a]\n"
	for _, c := range []struct{ asked, remedy, better, then string }{
		{"access-control-allow-origin,content-type", "leave access-control-allow-origin out of the page's request, which no rule can name", "", ""},
		{"access-control-allow-headers,set-cookie", "leave access-control-allow-headers, set-cookie out of", "", ""},
		{"access-control-allow-origin,x-a", "write allow_headers: [x-a] in a rule with selector acme.catalog.v1.CatalogService.List; leave access-control-allow-origin out", rule, "x-a"},
		{"*", `leave "*" out of`, "", ""},
		{"x-*,x-a", "write allow_headers: [x-a] in a rule", rule, "x-a"},
		{"x-a", "write allow_headers: [x-a] in a rule with selector acme.catalog.v1.CatalogService.List", rule, "x-a"},
	} {
		preflight := func(policy, asked string) corsrpc.Decision {
			return compilePolicy(t, policy).Decide(corsrpc.Request{Method: http.MethodOptions, Host: "api.example.com", Path: listRPC, Header: http.Header{
				"Origin": {page}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {asked},
			}})
		}
		d := preflight(app, c.asked)
		if got := d.Remedy(); !d.Refused() || !strings.HasPrefix(got, c.remedy) {
			t.Errorf("%s: %q", c.asked, got)
		}
		if c.better == "" {
			continue
		}
		if d := preflight(c.better, c.then); d.Refused() {
			t.Errorf("%s, with what it says: %q", c.asked, d.Remedy())
		}
	}
}
