package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// lintCase is a schema with a mistake, and the same schema without it.
type lintCase struct {
	rule        string // without its prefix
	what        string // tells the cases of a rule apart
	options     string // of the plugin
	policy      string // cors.yaml
	wrong       string // the body of the service
	right       string // the body of the service without the mistake
	rightPolicy string // the policy without the mistake; empty if it is the same
}

const full = "schema_options: FULL"

var lintCases = []lintCase{
	{
		rule: "HEADER_SYNTAX",
		wrong: `
  rpc Get(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {
      allow_headers: ["x-tenant-id", "x tenant"]
    };
  }`,
		right: `
  rpc Get(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {
      allow_headers: ["x-tenant-id", "x-tenant"]
    };
  }`,
	},
	{
		rule:  "HEADER_FORBIDDEN",
		wrong: `  option (corsrpc.v1.service) = {expose_headers: ["x-request-id", "set-cookie"]};`,
		right: `  option (corsrpc.v1.service) = {expose_headers: ["x-request-id"]};`,
	},
	{
		rule:  "HEADER_CONTRADICTION",
		wrong: `  option (corsrpc.v1.service) = {allow_headers: ["x-a"], deny_headers: ["x-a"]};`,
		right: `  option (corsrpc.v1.service) = {allow_headers: ["x-a"], deny_headers: ["x-b"]};`,
	},
	{
		rule:  "PROTOCOL_HEADER",
		wrong: `  option (corsrpc.v1.service) = {deny_headers: ["connect-protocol-version"]};`,
		right: `  option (corsrpc.v1.service) = {deny_headers: ["x-debug"]};`,
	},
	{
		rule: "SCHEMA_OPTION",
		wrong: `
  option (corsrpc.v1.service) = {
    allow_origins: ["https://app.example.com"]
    allow_headers: ["*"]
    allow_credentials: true
    expose: EXPOSURE_PRESENT
    tracing: true
    timing: true
    disabled: false
    accept_risks: [RISK_NULL_ORIGIN]
  };`,
		right: `
  option (corsrpc.v1.service) = {
    allow_headers: ["x-tenant-id"]
    allow_credentials: false
    expose: EXPOSURE_DECLARED
    tracing: false
    timing: false
  };`,
	},
	{
		rule: "FIELD_MISPLACED",
		wrong: `
  rpc Get(Empty) returns (Empty) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (corsrpc.v1.method).allow_methods = "GET";
  }`,
		right: `
  rpc Get(Empty) returns (Empty) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }`,
	},
	{
		rule: "METHOD_SYNTAX",
		wrong: `
  rpc Get(Empty) returns (Empty) {
    option (corsrpc.v1.method).allow_methods = "get";
  }`,
		right: `
  rpc Get(Empty) returns (Empty) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }`,
	},
	{
		rule: "SELECTOR_MISPLACED",
		wrong: `
  rpc Get(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {selector: "acme.v1.Shop.Put", disabled: true};
  }
  rpc Put(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {path: "/put", disabled: true};
  }`,
		right: `
  rpc Get(Empty) returns (Empty);
  rpc Put(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {disabled: true};
  }`,
	},
	{
		rule:  "MAX_AGE_RANGE",
		wrong: `  option (corsrpc.v1.service) = {max_age: {seconds: 90000}};`,
		right: `  option (corsrpc.v1.service) = {max_age: {seconds: 60}};`,
	},
	{
		rule:  "UNKNOWN_ENUM_VALUE",
		wrong: `  option (corsrpc.v1.service) = {protocols: [PROTOCOL_UNSPECIFIED]};`,
		right: `  option (corsrpc.v1.service) = {protocols: [PROTOCOL_CONNECT]};`,
	},
	{
		rule: "ORIGIN_SYNTAX", options: full,
		wrong: `  option (corsrpc.v1.service) = {allow_origins: ["app.example.com/"]};`,
		right: `  option (corsrpc.v1.service) = {allow_origins: ["https://admin.example.com"]};`,
	},
	{
		rule: "ORIGIN_NEVER_SENT", options: full,
		wrong: `  option (corsrpc.v1.service) = {allow_origins: ["https://Admin.example.com"]};`,
		right: `  option (corsrpc.v1.service) = {allow_origins: ["https://admin.example.com"]};`,
	},
	{
		rule: "NULL_ORIGIN", options: full,
		wrong: `  option (corsrpc.v1.service) = {allow_origins: ["null"]};`,
		right: `  option (corsrpc.v1.service) = {allow_origins: ["null"], accept_risks: [RISK_NULL_ORIGIN]};`,
	},
	{
		rule: "PLAIN_HTTP_ORIGIN", options: full,
		wrong: `  option (corsrpc.v1.service) = {allow_origins: ["http://admin.example.com"]};`,
		right: `  option (corsrpc.v1.service) = {allow_origins: ["https://admin.example.com"]};`,
	},
	{
		rule: "PUBLIC_SUFFIX_ORIGIN", options: full,
		wrong: `  option (corsrpc.v1.service) = {allow_origins: ["https://*.github.io"]};`,
		right: `  option (corsrpc.v1.service) = {allow_origins: ["https://acme.github.io"]};`,
	},
	{
		rule: "ANY_INSTALLATION_ORIGIN", options: full,
		wrong: `  option (corsrpc.v1.service) = {allow_origins: ["moz-extension://*"]};`,
		right: `  option (corsrpc.v1.service) = {allow_origins: ["moz-extension://*"], accept_risks: [RISK_ANY_INSTALLATION]};`,
	},
	{
		rule: "WILDCARD_WITH_CREDENTIALS", options: full,
		wrong: `
  option (corsrpc.v1.service).allow_credentials = true;
  rpc Get(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {allow_origins: ["*"]};
  }`,
		right: `
  option (corsrpc.v1.service).allow_credentials = true;
  rpc Get(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {allow_origins: ["*"], allow_credentials: false};
  }`,
	},
	{
		rule: "NULL_WITH_CREDENTIALS", options: full,
		wrong: `
  option (corsrpc.v1.service) = {
    allow_origins: ["null"], accept_risks: [RISK_NULL_ORIGIN],
    allow_credentials: true
  };`,
		right: `
  option (corsrpc.v1.service) = {
    allow_origins: ["null"], accept_risks: [RISK_NULL_ORIGIN],
    allow_credentials: false
  };`,
	},
	{
		rule: "ENVIRONMENT", options: full,
		wrong: `  option (corsrpc.v1.service) = {allow_origins: ["https://${HOST}"]};`,
		right: `  option (corsrpc.v1.service) = {allow_origins: ["${ORIGINS}"]};`,
	},
	{
		rule: "ORIGIN_SOURCE", options: full,
		wrong: `  option (corsrpc.v1.service) = {allow_origins_from: ["tenants", "tenants"]};`,
		right: `  option (corsrpc.v1.service) = {allow_origins_from: ["tenants"]};`,
	},
	{
		rule: "GET_WITH_CREDENTIALS", options: full,
		wrong: `
  option (corsrpc.v1.service) = {allow_credentials: true};
  rpc Get(Empty) returns (Empty) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }
  rpc Put(Empty) returns (Empty);`,
		right: `
  option (corsrpc.v1.service) = {allow_credentials: true};
  rpc Get(Empty) returns (Empty) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (corsrpc.v1.method).allow_credentials = false;
  }
  rpc Put(Empty) returns (Empty);`,
	},
	{
		rule: "RULE_CHANGES_NOTHING",
		wrong: `
  option (corsrpc.v1.service) = {allow_headers: ["x-a"]};
  rpc Get(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {allow_headers: ["x-a"]};
  }
  rpc Put(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {protocols: [PROTOCOL_GRPC_WEB, PROTOCOL_CONNECT]};
  }
  rpc List(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {};
  }`,
		right: `
  option (corsrpc.v1.service) = {allow_headers: ["x-a"]};
  rpc Get(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {allow_headers: ["x-b"]};
  }
  rpc Put(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {protocols: [PROTOCOL_GRPC_WEB]};
  }
  rpc List(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {deny_headers: ["x-a"]};
  }`,
	},
	{
		rule: "RULE_CHANGES_NOTHING", what: "an option may widen the policy", options: full,
		wrong: `
  rpc Get(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {};
  }`,
		right: `
  rpc Get(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {disabled: false};
  }
  rpc Put(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {protocols: [PROTOCOL_GRPC_WEB, PROTOCOL_CONNECT]};
  }
  rpc List(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {expose: EXPOSURE_PRESENT};
  }
  rpc Tell(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {allow_credentials: false};
  }
  rpc Ask(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {max_age: {seconds: 86400}};
  }`,
	},
	{
		rule:  "HEADER_CHANGES_NOTHING",
		wrong: `  option (corsrpc.v1.service) = {allow_headers: ["x-a", "content-type"], deny_headers: ["x-debug-*", "x-debug-sql"]};`,
		right: `  option (corsrpc.v1.service) = {allow_headers: ["x-a"], deny_headers: ["x-debug-*"]};`,
	},
	{
		rule:  "DUPLICATE_VALUE",
		wrong: `  option (corsrpc.v1.service) = {allow_headers: ["x-a", "X-A"]};`,
		right: `  option (corsrpc.v1.service) = {allow_headers: ["x-a"]};`,
	},
	{
		rule: "RISK_NOT_NEEDED", options: full,
		wrong: `  option (corsrpc.v1.service) = {allow_origins: ["https://admin.example.com"], accept_risks: [RISK_NULL_ORIGIN]};`,
		right: `  option (corsrpc.v1.service) = {allow_origins: ["https://admin.example.com"]};`,
	},
	{
		rule: "SELECTOR_UNKNOWN", options: "policy: cors.yaml",
		policy: `defaults:
  allow_origins: [https://app.example.com]
rules:
  - selector: acme.v1.Shop.Gett
    allow_headers: [x-a]
`,
		wrong: `  rpc Get(Empty) returns (Empty);`,
		right: `  rpc Gett(Empty) returns (Empty);`,
	},
	{
		rule: "SELECTOR_OUTSIDE_MODULE", options: "policy: cors.yaml",
		policy: `defaults:
  allow_origins: [https://app.example.com]
rules:
  - selector: acme.v1.Shop
    allow_headers: [x-a]
  - selector: amce.v1.Shop.Get
    allow_headers: [x-b]
`,
		wrong: `  rpc Get(Empty) returns (Empty);`,
		right: `  rpc Get(Empty) returns (Empty);`,
		rightPolicy: `defaults:
  allow_origins: [https://app.example.com]
rules:
  - selector: acme.v1.Shop
    allow_headers: [x-a]
  - selector: amce.v1.Shop.Get
    allow_headers: [x-b]
    accept_risks: [UNKNOWN_SELECTORS]
`,
	},
	{
		rule: "HEADER_CHANGES_NOTHING", what: "of an option that changes nothing under some policies",
		wrong: `  option (corsrpc.v1.service) = {hide_headers: ["x-a"], deny_headers: ["x-b", "sec-fetch-mode"]};`,
		right: `  option (corsrpc.v1.service) = {hide_headers: ["x-a"], deny_headers: ["x-b"]};`,
	},
	{
		rule: "RULE_CHANGES_NOTHING", what: "with values that change nothing",
		wrong: `  option (corsrpc.v1.service) = {protocols: [PROTOCOL_GRPC_WEB, PROTOCOL_CONNECT, PROTOCOL_CONNECT]};`,
		right: `  option (corsrpc.v1.service) = {protocols: [PROTOCOL_GRPC_WEB]};`,
	},
	{
		rule: "SCHEMA_OPTION", what: "origins of a source",
		wrong: `  option (corsrpc.v1.service) = {allow_headers: ["x-a"], allow_origins_from: ["tenants"]};`,
		right: `  option (corsrpc.v1.service) = {allow_headers: ["x-a"]};`,
	},
	{
		rule: "METHOD_NOT_COVERED", options: "policy: cors.yaml",
		policy: `rules:
  - selector: acme.v1.Shop.Get
    allow_origins: [https://app.example.com]
  - selector: acme.v1.Shop.Close
    disabled: true
`,
		wrong: `
  rpc Get(Empty) returns (Empty);
  rpc Put(Empty) returns (Empty);
  rpc Close(Empty) returns (Empty);`,
		right: `
  rpc Get(Empty) returns (Empty);
  rpc Put(Empty) returns (Empty) {
    option (corsrpc.v1.method).disabled = true;
  }
  rpc Close(Empty) returns (Empty);`,
	},
	{
		rule: "METHOD_NOT_COVERED", what: "a whole service", options: "policy: cors.yaml",
		policy: `rules:
  - path: /healthz
    allow_origins: [https://app.example.com]
`,
		wrong: `
  rpc Get(Empty) returns (Empty);
  rpc Put(Empty) returns (Empty);`,
		right: `
  rpc Get(Empty) returns (Empty);
  rpc Put(Empty) returns (Empty);`,
		rightPolicy: `rules:
  - path: /healthz
    allow_origins: [https://app.example.com]
  - selector: acme.v1.Shop
    disabled: true
`,
	},
	{
		rule: "POLICY", options: "policy: cors.yaml",
		policy: `defaults:
  allow_origins: ["*"]
  allow_credentials: true
rules:
  - path: /acme.v1.Shop/Get
`,
		wrong: `  rpc Get(Empty) returns (Empty);`,
		right: `  rpc Get(Empty) returns (Empty);`,
		rightPolicy: `defaults:
  allow_origins: [https://app.example.com]
  allow_credentials: true
`,
	},
	{
		rule: "SCHEMA_OPTION", what: "the policy trusts the schema", options: "policy: cors.yaml",
		policy: `defaults:
  allow_origins: [https://app.example.com]
`,
		wrong: `  option (corsrpc.v1.service) = {tracing: true};`,
		right: `  option (corsrpc.v1.service) = {tracing: true};`,
		rightPolicy: `schema_options: FULL
defaults:
  allow_origins: [https://app.example.com]
`,
	},
	{
		rule: "SCHEMA_OPTION", what: "the policy ignores the options of the schema", options: "policy: cors.yaml",
		policy: `defaults:
  allow_origins: [https://app.example.com]
`,
		wrong: `  option (corsrpc.v1.service) = {tracing: true};`,
		right: `  option (corsrpc.v1.service) = {allow_headers: ["no name", "x-a", "x-a"]};`,
		rightPolicy: `schema_options: IGNORE
defaults:
  allow_origins: [https://app.example.com]
`,
	},
	{
		rule: "POLICY", what: "a profile that the policy does not have", options: "policy: cors.yaml\nprofile: dev",
		policy: `defaults:
  allow_origins: [https://app.example.com]
`,
		wrong: `  rpc Get(Empty) returns (Empty);`,
		right: `  rpc Get(Empty) returns (Empty);`,
		rightPolicy: `defaults:
  allow_origins: [https://app.example.com]
profiles:
  dev:
    add_origins: ["http://localhost:*"]
`,
	},
}

// TestLint runs buf lint on each schema with a mistake, whose annotations are those of testdata/lint.txt, and on the
// same one without it, which has none.
func TestLint(t *testing.T) {
	t.Parallel()
	g := newGolden(t, "testdata/lint.txt")
	for _, c := range lintCases {
		t.Run(c.rule+" "+c.what, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{protoFile: shop(c.wrong)}
			if c.policy != "" {
				files["cors.yaml"] = c.policy
			}
			got := annotationsOf(t, newWorkspace(t, c.options, files), "lint")
			g.compare(t, c.rule, c.what, got)
			files[protoFile] = shop(c.right)
			if c.rightPolicy != "" {
				files["cors.yaml"] = c.rightPolicy
			}
			if got := annotationsOf(t, newWorkspace(t, c.options, files), "lint"); len(got) > 0 {
				t.Errorf("without the mistake:\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

// TestSelectorsOfOtherModules checks which selectors that select nothing are mistakes by default: those for packages in
// which the module has services. Any other may be for a module of the workspace that buf checks separately.
func TestSelectorsOfOtherModules(t *testing.T) {
	t.Parallel()
	tests := []struct {
		selector string
		own      bool
	}{
		{"acme.v1", true},
		{"acme.v1.Shop.Gett", true},
		{"acme.v1.shop.Get", true},
		{"acme.v1.Shops", true},
		{"Plain.Gett", true},
		{"Plains", true},
		{"acme.v1.admin.*", false},
		{"acme.v1.admin.Admin", false},
		{"acme.v1.admin.Admin.Get", false},
		{"acme.v2.Shop", false},
		{"acme.v11.Shop", false},
		{"other.Plain", false},
	}
	policy := "defaults: {allow_origins: [https://app.example.com]}\nrules:\n"
	for _, test := range tests {
		policy += "  - {selector: " + test.selector + ", disabled: true}\n"
	}
	dir := newWorkspace(t, "policy: cors.yaml", map[string]string{
		protoFile:           shop(get),
		"proto/plain.proto": "syntax = \"proto3\";\n\nmessage Empty {}\n\nservice Plain {\n" + strings.Trim(get, "\n") + "\n}\n",
		"cors.yaml":         policy,
	})
	got := annotationsOf(t, dir, "lint")
	if len(got) != len(tests) {
		t.Errorf("%d annotations", len(got))
	}
	for _, test := range tests {
		rule := "SELECTOR_OUTSIDE_MODULE"
		if test.own {
			rule = "SELECTOR_UNKNOWN"
		}
		want := fmt.Sprintf(": %s: cors.yaml:", rule)
		if !slices.ContainsFunc(got, func(a string) bool {
			return strings.Contains(a, want) && strings.Contains(a, fmt.Sprintf("selector: %q", test.selector))
		}) {
			t.Errorf("no %s for %s in\n%s", rule, test.selector, strings.Join(got, "\n"))
		}
	}
}
