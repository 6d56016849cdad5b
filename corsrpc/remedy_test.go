package corsrpc_test

import (
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
			remedy: "write allow_origins: [\"https://app.example.com\"] in a rule with selector: grpc.health.v1.Health",
			better: app + "  - selector: grpc.health.v1.Health\n    allow_origins: [\"https://app.example.com\"]\n",
		},
		{
			name: "one that the schema does not have", policy: app + "  - path: /other\n", path: "/grpc.channelz.v1.Channelz/GetServers",
			remedy: "in a rule with selector: grpc.channelz.v1.Channelz, with accept_risks: [UNKNOWN_SELECTORS]",
			better: app + "  - selector: grpc.channelz.v1.Channelz\n    accept_risks: [UNKNOWN_SELECTORS]\n    allow_origins: [\"https://app.example.com\"]\n",
		},
		{
			name: "an Authorization of a proxy", policy: everyone + "  - path: /hook\n", path: "/hook", header: http.Header{"Authorization": {"Bearer x"}},
			remedy: `if a proxy adds Authorization, write allow_headers: [authorization] in the rule with path: /hook`,
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
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := corsrpc.Request{Method: http.MethodPost, Host: "api.example.com", Path: c.path, EscapedPath: c.escaped, Header: http.Header{"Origin": {page}}}
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
