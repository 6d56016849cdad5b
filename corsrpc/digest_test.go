package corsrpc_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

const digestRules = `
defaults:
  allow_origins: [https://app.example.com, "${MORE:-https://more.example.com}"]
  allow_headers: [x-a, x-b]
rules:
  - selector: acme.catalog.v1.CatalogService
    allow_credentials: true
  - path: /healthz
  - path: /files/
    allow_methods: [GET]
`

const digestPolicy = digestRules + `profiles:
  dev: {add_origins: ["http://localhost:*"]}
`

// TestDigest checks that the digest changes with everything that decisions depend on, and with nothing else.
func TestDigest(t *testing.T) {
	t.Parallel()
	files, err := vectors.Schema("acme")
	if err != nil {
		t.Fatal(err)
	}
	digest := func(policy string, opts ...corsrpc.CompileOption) string {
		return compilePolicy(t, policy, append([]corsrpc.CompileOption{corsrpc.WithFiles(files), withEnv(nil)}, opts...)...).Digest()
	}
	want := digest(digestPolicy)
	if !regexp.MustCompile(`^sha256:[0-9a-f]{64}$`).MatchString(want) {
		t.Fatal(want)
	}
	for name, same := range map[string]string{
		"another order, and comments": `
rules:
  - {path: /files/, allow_methods: [GET]}
  - path: /healthz # liveness
  - {selector: acme.catalog.v1.CatalogService, allow_credentials: true}
defaults:
  allow_headers: [x-b, X-A]
  allow_origins: ["${MORE:-https://more.example.com}", https://app.example.com]
`,
		"values that are the default": digestRules + "enforcement: ENFORCE\nschema_options: SHAPE\n",
		"a shadow":                    digestPolicy + "shadow: {defaults: {allow_origins: [https://other.example.com]}}\n",
	} {
		if got := digest(same); got != want {
			t.Errorf("%s: another digest", name)
		}
	}
	if got := compilePolicy(t, digestPolicy, corsrpc.WithFiles(files), withEnv(nil)).WithSets(map[string][]string{"tenants": {"https://shop.example.com"}}).Digest(); got != want {
		t.Error("the origins of sources count")
	}
	seen := map[string]string{want: "the policy"}
	differs := func(name, got string) {
		if other, ok := seen[got]; ok {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[got] = name
	}
	differs("a profile", digest(digestPolicy, corsrpc.WithProfile("dev")))
	differs("a star", digest(strings.Replace(digestPolicy, "https://app.example.com", "https://pr-*.example.com", 1)))
	differs("a star for more", digest(strings.Replace(digestPolicy, "https://app.example.com", "https://*.example.com", 1)))
	differs("a prefix", digest(digestPolicy, corsrpc.WithPathPrefix("/api")))
	differs("the environment", digest(digestPolicy, withEnv(map[string]string{"MORE": "https://env.example.com"})))
	other, err := vectors.Schema("options")
	if err != nil {
		t.Fatal(err)
	}
	unknown := "defaults: {allow_origins: [https://app.example.com]}\n"
	differs("a schema", digest(unknown))
	differs("another schema", digest(unknown, corsrpc.WithFiles(other)))
	differs("the enforcement", digest(digestPolicy+"enforcement: OBSERVE\n"))
	differs("a schema whose options are ignored", digest(unknown+"schema_options: IGNORE\n", corsrpc.WithFiles(other)))
	for _, rule := range []string{
		"allow_origins: [https://app.example.com]", `allow_origins: ["*"]`, "allow_origins: [https://app.example.com], allow_credentials: true",
		"allow_origins_from: [tenants]", "allow_origins_from: [partners]", "allow_headers: [x-c]", "deny_headers: [x-a]", "allow_headers: [x-*]",
		"tracing: true", "expose: DECLARED", "expose_headers: [x-etag]", "hide_headers: [x-secret]", "max_age: 60s", "protocols: [CONNECT]",
		"protocols: [GRPC_WEB]", "disabled: true", "timing: true",
	} {
		differs("selector "+rule, digest(digestRules+"  - {selector: acme.account.v1.AccountService, "+rule+"}\n"))
	}
	for _, rule := range []string{"path: /x", "path: /x/", "path: /x, allow_methods: [PUT]", "path: /x, allow_methods: [PUT, GET]", "path: /x, timing: true",
		"path: /x, deny_headers: [content-type]", `path: /x, allow_origins: ["*"]`, `path: /x, allow_origins: ["*"], allow_methods: [GET, HEAD, POST]`} {
		differs(rule, digest(digestRules+"  - {"+rule+"}\n"))
	}
}
