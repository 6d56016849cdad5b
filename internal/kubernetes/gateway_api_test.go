package kubernetes

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

const gatewayExport = "../export/testdata/rich.gateway-api.yaml"

// TestExportGatewayAPI: the CustomResourceDefinition takes the export of a rich policy.
func TestExportGatewayAPI(t *testing.T) {
	text, err := os.ReadFile(gatewayExport)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := validate(documents(t, text))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if o.GetKind() != "HTTPRoute" || o.GetName() == "" {
			t.Errorf("a manifest is the %s %q", o.GetKind(), o.GetName())
		}
	}
}

// TestExportGatewayAPIFaults: faults in an export are found.
func TestExportGatewayAPIFaults(t *testing.T) {
	text, err := os.ReadFile(gatewayExport)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, text, want string }{
		"an origin of another scheme": {`"https://app.example.com"`, `"capacitor://localhost"`, "allowOrigins"},
		"null":                        {`"https://app.example.com"`, `"null"`, "allowOrigins"},
		"any port":                    {`"https://app.example.com"`, `"https://app.example.com:*"`, "allowOrigins"},
		"a star in a label":           {`"https://app.example.com"`, `"https://pr-*.example.com"`, "allowOrigins"},
		"a star beside an origin":     {`        - "*"`, "        - \"*\"\n        - \"https://a.example.com\"", "alongside other origins"},
		"no age":                      {"maxAge: 7200", "maxAge: 0", "maxAge"},
		"another method":              {`        - "GET"`, `        - "PROPFIND"`, "allowMethods"},
		"two slashes":                 {`value: "/healthz"`, `value: "//healthz"`, "must not contain '//'"},
		"an escaped slash":            {`value: "/healthz"`, `value: "/a%2Fb"`, "must not contain '%2F'"},
		"a name with an underscore":   {"name: corsrpc-greeter", "name: corsrpc_greeter", "metadata.name"},
		"a filter without values":     {"- type: CORS\n      cors:", "- type: CORS\n      corz:", "cor"},
		"two filters":                 {"    - type: ResponseHeaderModifier\n      responseHeaderModifier:\n        add:", "    - type: CORS\n      cors: {}\n    - type: ResponseHeaderModifier\n      responseHeaderModifier:\n        add:", "cannot be repeated"},
	} {
		t.Run(name, func(t *testing.T) {
			if !bytes.Contains(text, []byte(c.old)) {
				t.Fatalf("%s does not contain %q", gatewayExport, c.old)
			}
			_, err := validate(documents(t, bytes.ReplaceAll(text, []byte(c.old), []byte(c.text))))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestExportGatewayAPIRandom: the CustomResourceDefinition takes exports of random policies.
func TestExportGatewayAPIRandom(t *testing.T) {
	files, err := vectors.Schema("")
	if err != nil {
		t.Fatal(err)
	}
	written := 0
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 26))
		plan, err := corsrpc.Compile(randomPolicy(r), corsrpc.WithFiles(files))
		if err != nil {
			continue // some do not load
		}
		m, err := export.New(planaccess.Rules(plan), export.Options{OwnOrigins: []string{"https://api.example.com"}, Upstream: "shop:80"})
		if err != nil {
			t.Fatal(err)
		}
		x, err := export.Write(export.GatewayAPI, m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := validate(documents(t, []byte(x.Text))); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		written++
	}
	if written < 10 {
		t.Errorf("%d policies load", written)
	}
}

// randomPolicy draws a policy with whatever an HTTPRoute may not be able to hold.
func randomPolicy(r *rand.Rand) *corsrpcv1.Policy {
	some := func(items ...string) (picked []string) {
		for _, item := range items {
			if r.IntN(3) == 0 {
				picked = append(picked, item)
			}
		}
		return picked
	}
	rule := func() *corsrpcv1.Rule {
		x := &corsrpcv1.Rule{
			AllowOrigins: some("https://app.example.com", "https://*.example.com", "http://localhost:*", "null", "https://[::1]:8443", "http://192.0.2.1:8080", "https://a_b.example.com", "capacitor://localhost", "https://pr-*.example.net", "https://xn--bcher-kva.example", "https://*.example.org:8443"),
			AllowHeaders: some("x-a", "x_b", "authorization", "x-c-*", "x!#$%&'+-.^_`|~"), ExposeHeaders: some("x-a", "x-d", "x!#$%&'+-.^_`|~"),
			AcceptRisks: []corsrpcv1.Risk{1, 2, 3, 4, 5},
		}
		if len(x.AllowOrigins) == 0 {
			x.AllowOrigins = []string{"*"}
		}
		return x
	}
	p := &corsrpcv1.Policy{Defaults: rule()}
	for _, selector := range some("acme.catalog.v1.*", "acme.account.v1.AccountService", "acme.catalog.v1.CatalogService.List", "grpc.*") {
		x := rule()
		x.Selector = selector
		p.Rules = append(p.Rules, x)
	}
	for i, path := range some("/", "/healthz", "/a~b/(c)", "/caf%C3%A9", "/a;b", "/files/", "/v1/{id}", "/x.y", "/a!$&'()+,=:@", "/{$}", "/"+strings.Repeat("long", 300)) {
		x := rule()
		x.Path, x.AllowMethods = path, some("GET", "PUT", "PROPFIND", "OPTIONS", "HEAD", "PATCH")
		if r.IntN(4) == 0 {
			x.AllowMethods = nil
		}
		x.ExposeHeaders = append(x.ExposeHeaders, fmt.Sprint("x-path-", i))
		p.Rules = append(p.Rules, x)
	}
	return p
}
