package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// breakingCase is a change of a schema that takes something away.
type breakingCase struct {
	rule     string // without its prefix
	what     string // tells the cases of a rule apart
	options  string // of the plugin
	policy   string // cors.yaml
	old      string // the body of the service
	next     string // its body after the change
	harmless bool   // the change takes nothing away, under this policy
}

const get = `
  rpc Get(Empty) returns (Empty);`

var breakingCases = []breakingCase{
	{
		rule: "LOST_METHOD",
		old: `
  rpc Get(Empty) returns (Empty) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }`,
		next: get,
	},
	{
		rule: "LOST_METHOD", what: "the idempotency level is another one",
		old: `
  rpc Get(Empty) returns (Empty) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }`,
		next: `
  rpc Get(Empty) returns (Empty) {
    option idempotency_level = IDEMPOTENT;
  }`,
	},
	{
		rule: "LOST_REQUEST_HEADER", what: "the option loses the name",
		old: `
  option (corsrpc.v1.service) = {allow_headers: ["x-tenant-id", "x-cart-id"]};
  rpc Get(Empty) returns (Empty);
  rpc Put(Empty) returns (Empty);`,
		next: `
  option (corsrpc.v1.service) = {allow_headers: ["x-cart-id"]};
  rpc Get(Empty) returns (Empty);
  rpc Put(Empty) returns (Empty);`,
	},
	{
		rule: "LOST_REQUEST_HEADER", what: "it is denied",
		old: get,
		next: `
  rpc Get(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {deny_headers: ["x-debug"]};
  }`,
	},
	{
		rule: "LOST_REQUEST_HEADER", what: "the option is gone",
		old: `
  rpc Get(Empty) returns (Empty) {
    option (corsrpc.v1.method).allow_headers = "x-tenant-id";
  }`,
		next: get,
	},
	{
		rule: "LOST_RESPONSE_HEADER", what: "the option loses the name",
		old: `
  option (corsrpc.v1.service) = {expose_headers: ["x-request-id"]};` + get,
		next: get,
	},
	{
		rule: "LOST_RESPONSE_HEADER", what: "it is hidden",
		old: get,
		next: `
  rpc Get(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {
      hide_headers: ["x-internal"]
    };
  }`,
	},
	{
		rule: "LOST_RESPONSE_HEADER", what: "only declared ones are exposed",
		old: get,
		next: `
  option (corsrpc.v1.service) = {expose: EXPOSURE_DECLARED};` + get,
	},
	{
		rule: "LOST_ORIGIN",
		old: `
  rpc Get(Empty) returns (Empty);
  rpc Put(Empty) returns (Empty);`,
		next: `
  option (corsrpc.v1.service) = {disabled: true};
  rpc Get(Empty) returns (Empty);
  rpc Put(Empty) returns (Empty);`,
	},
	{
		rule: "LOST_ORIGIN", what: "the schema allows origins", options: full,
		old: `
  option (corsrpc.v1.service) = {allow_origins: ["https://a.example.com", "https://b.example.com"]};` + get,
		next: `
  option (corsrpc.v1.service) = {allow_origins: ["https://b.example.com"]};` + get,
	},
	{
		rule: "LOST_ORIGIN", what: "the schema replaces those of the policy", options: full,
		old: get,
		next: `
  option (corsrpc.v1.service) = {allow_origins: ["https://b.example.com"]};` + get,
	},
	{
		rule: "LOST_CREDENTIALS",
		old:  get,
		next: `
  rpc Get(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {allow_credentials: false};
  }`,
	},
	{
		rule: "LOST_TIMING",
		old:  get,
		next: `
  rpc Get(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {timing: false};
  }`,
	},
	{
		rule: "LOST_PROTOCOL",
		old: `
  rpc Get(Empty) returns (Empty) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (corsrpc.v1.method) = {allow_headers: ["x-a"]};
  }
  rpc Put(Empty) returns (Empty);
  rpc Close(Empty) returns (Empty);`,
		next: `
  option (corsrpc.v1.service) = {protocols: [PROTOCOL_GRPC_WEB]};
  rpc Get(Empty) returns (Empty) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }
  rpc Put(Empty) returns (Empty);
  rpc Close(Empty) returns (Empty);`,
	},
	{
		rule: "LOST_PROTOCOL", what: "gRPC-Web",
		old: get,
		next: `
  rpc Get(Empty) returns (Empty) {
    option (corsrpc.v1.method).protocols = PROTOCOL_CONNECT;
  }`,
	},
	{
		rule: "LOST_REQUEST_HEADER", what: "an option of the old schema was not valid",
		old: `
  rpc Get(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {allow_headers: ["x tenant", "x-tenant-id"]};
  }
  rpc Put(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {allow_headers: ["x-a"]};
  }`,
		next: `
  rpc Get(Empty) returns (Empty);
  rpc Put(Empty) returns (Empty);`,
	},
	{
		rule: "LOST_REQUEST_HEADER", what: "the policy does not grant it", options: "policy: cors.yaml",
		policy: `defaults:
  allow_origins: [https://app.example.com]
`,
		old: `
  option (corsrpc.v1.service) = {allow_headers: ["x-tenant-id"]};` + get,
		next: get,
	},
	{
		rule: "LOST_REQUEST_HEADER", what: "the policy grants it", options: "policy: cors.yaml", harmless: true,
		policy: `defaults:
  allow_origins: [https://app.example.com]
  allow_headers: [x-tenant-id]
`,
		old: `
  option (corsrpc.v1.service) = {allow_headers: ["x-tenant-id"]};` + get,
		next: get,
	},
	{
		rule: "LOST_ORIGIN", what: "the policy allows it", options: "policy: cors.yaml\nprofile: dev",
		policy: `defaults:
  allow_origins: ["${ORIGINS}", https://app.example.com]
rules:
  - selector: acme.v1.NewService # which the old schema does not have
    allow_origins: [https://app.example.com]
profiles:
  dev:
    add_origins: ["http://localhost:*"]
`,
		old: get,
		next: `
  option (corsrpc.v1.service).disabled = true;` + get + `
}

service NewService {`,
	},
	{
		rule: "LOST_ORIGIN", what: "the policy ignores the options of the schema", options: "policy: cors.yaml", harmless: true,
		policy: `schema_options: IGNORE
defaults:
  allow_origins: [https://app.example.com]
`,
		old: get,
		next: `
  option (corsrpc.v1.service).disabled = true;` + get,
	},
	{
		rule: "LOST_METHOD", what: "the policy", options: "policy: cors.yaml",
		policy: `defaults:
  allow_origins: [https://app.example.com]
`,
		old: `
  rpc Get(Empty) returns (Empty) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }`,
		next: get,
	},
	{
		rule: "LOST_METHOD", what: "nobody may call", options: "policy: cors.yaml", harmless: true,
		policy: `defaults:
  disabled: true
`,
		old: `
  rpc Get(Empty) returns (Empty) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }`,
		next: get,
	},
	{
		rule: "LOST_REQUEST_HEADER", what: "more is granted", harmless: true,
		old: `
  option (corsrpc.v1.service) = {
    disabled: true
    deny_headers: ["x-a"]
    hide_headers: ["x-b"]
    protocols: [PROTOCOL_CONNECT]
    allow_credentials: false
    timing: false
    max_age: {seconds: 60}
  };` + get,
		next: `
  option (corsrpc.v1.service) = {
    allow_headers: ["x-a"]
    expose_headers: ["x-b"]
  };
  rpc Get(Empty) returns (Empty) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }`,
	},
	{
		rule: "LOST_ORIGIN", what: "a rule of the policy takes the place of the option that disabled the service", options: "policy: cors.yaml", harmless: true,
		policy: `defaults:
  allow_origins: [https://app.example.com]
rules:
  - selector: acme.v1.Shop
    allow_headers: [x-a]
`,
		old:  `  option (corsrpc.v1.service) = {disabled: true};` + get,
		next: get,
	},
	{
		rule: "LOST_METHOD", what: "a method is gone or renamed, which buf itself reports", harmless: true,
		old: `
  option (corsrpc.v1.service) = {allow_headers: ["x-tenant-id"]};
  rpc Get(Empty) returns (Empty) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (corsrpc.v1.method) = {expose_headers: ["x-a"]};
  }
  rpc Put(Empty) returns (Empty);`,
		next: `
  option (corsrpc.v1.service) = {allow_headers: ["x-tenant-id"]};
  rpc Put(Empty) returns (Empty);`,
	},
}

// TestBreaking runs buf breaking on each schema and an image of the old one. The annotations are those of
// testdata/breaking.txt.
func TestBreaking(t *testing.T) {
	t.Parallel()
	g := newGolden(t, "testdata/breaking.txt")
	for _, c := range breakingCases {
		t.Run(c.rule+" "+c.what, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{protoFile: shop(c.old)}
			if c.policy != "" {
				files["cors.yaml"] = c.policy
			}
			dir := newWorkspace(t, c.options, files)
			buildImage(t, dir, "old.binpb")
			write(t, dir, map[string]string{protoFile: shop(c.next)})
			got := annotationsOf(t, dir, "breaking", "--against", "old.binpb")
			if !c.harmless {
				g.compare(t, c.rule, c.what, got)
			} else if len(got) > 0 {
				t.Errorf("the change takes nothing away:\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

// buildImage writes the schema of a workspace into a file.
func buildImage(t *testing.T, dir, name string) {
	t.Helper()
	if r := runBuf(t, dir, "build", "-o", name); r.code != bufFine {
		t.Fatalf("buf build: %s%s", r.out, r.err)
	}
}

// TestBreakingAgainstGit runs buf breaking against a commit.
func TestBreakingAgainstGit(t *testing.T) {
	t.Parallel()
	dir := newWorkspace(t, "", map[string]string{protoFile: shop(`
  rpc Get(Empty) returns (Empty) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }`)})
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main"},
		{"add", "."},
		{"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--message=a"},
	} {
		c := exec.CommandContext(t.Context(), "git", args...)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	write(t, dir, map[string]string{protoFile: shop(get)})
	r := runBuf(t, dir, "breaking", "--against", ".git#branch=main")
	if want := "proto/acme/v1/shop.proto:10:3:Calls to acme.v1.Shop.Get may no longer have the method GET (buf-plugin-corsrpc)\n"; r.out != want || r.code != bufAnnotations {
		t.Errorf("%d %q %s", r.code, r.out, r.err)
	}
}

// TestBreakingNeedsValidSchemas checks that a schema that does not compile is not compared, and that the error says what to do.
func TestBreakingNeedsValidSchemas(t *testing.T) {
	t.Parallel()
	const policy = "defaults: {allow_origins: [https://app.example.com]}\nrules:\n  - path: /acme.v1.Shop/Get\n"
	renamed := strings.Replace(shop(get), "service Shop", "service Store", 1)
	for name, test := range map[string]struct{ options, old, next, want string }{
		"an option": {
			"", shop(get), shop(`  option (corsrpc.v1.service) = {tracing: true};` + get),
			"because it is not valid: correct what buf lint reports:\n\tacme/v1/shop.proto:10:10: option(acme.v1.Shop).tracing: grants the headers of tracing",
		},
		"the policy": {
			"policy: cors.yaml", renamed, shop(get),
			"because cors.yaml does not load with it: correct what buf lint reports:\n\tcors.yaml:3:11: rules[0].path",
		},
		"the policy and the earlier schema": {
			"policy: cors.yaml", shop(get), renamed,
			"because cors.yaml does not load with the earlier one: for this comparison, leave policy out of the options of the plugin, which then reports what is lost under any policy:\n\tcors.yaml:3:11: rules[0].path",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := newWorkspace(t, test.options, map[string]string{protoFile: test.old, "cors.yaml": policy})
			buildImage(t, dir, "old.binpb")
			write(t, dir, map[string]string{protoFile: test.next})
			r := runBuf(t, dir, "breaking", "--against", "old.binpb")
			if r.code != bufFails || !strings.Contains(r.err, "the schema cannot be compared with the earlier one, "+test.want) {
				t.Errorf("%d %s%s", r.code, r.out, r.err)
			}
		})
	}
}

// TestOtherModules checks that only the module at hand is judged: options in a module that it imports are for the
// check of that module, and the module of corsrpc/v1/options.proto has no services for the policy.
func TestOtherModules(t *testing.T) {
	t.Parallel()
	dir := newWorkspace(t, "policy: cors.yaml", map[string]string{
		"cors.yaml": "rules:\n  - selector: acme.v1.Shop\n    allow_origins: [https://app.example.com]\n  - selector: other.v1.Other\n    disabled: true\n",
		protoFile:   strings.Replace(shop(get), "message Empty {}", "import \"other/v1/other.proto\";\n\nmessage Empty {\n  other.v1.Thing thing = 1;\n}", 1),
		"other/other/v1/other.proto": `syntax = "proto3";

package other.v1;

import "corsrpc/v1/options.proto";

message Thing {}

service Other {
  option (corsrpc.v1.service) = {allow_headers: ["no name"]};
  rpc Get(Thing) returns (Thing);
}
`,
		"buf.yaml": strings.NewReplacer(", CORSRPC_SELECTOR_OUTSIDE_MODULE", "", "  - path: proto\n", `  - path: proto
  - path: third_party
  - path: other
`).Replace(bufYAML("policy: cors.yaml")),
	})
	if err := os.MkdirAll(filepath.Join(dir, "third_party"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "proto/corsrpc"), filepath.Join(dir, "third_party/corsrpc")); err != nil {
		t.Fatal(err)
	}
	got := annotationsOf(t, dir, "lint")
	want := `other/other/v1/other.proto:10:34: HEADER_SYNTAX: option(other.v1.Other).allow_headers[0]: "no name" is not a valid header name: write each name as an item of its own [HEADER_SYNTAX]`
	if len(got) != 1 || got[0] != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}
