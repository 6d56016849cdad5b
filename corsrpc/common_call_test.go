package corsrpc

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"

	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
)

// commonCallPolicy has rules that grantsCommonCall has to tell apart.
const commonCallPolicy = `
defaults:
  allow_origins: [https://app.example.com, "https://*.example.org"]
  allow_credentials: true
rules:
  - selector: acme.v1.Plain
    allow_credentials: false
  - selector: acme.v1.Open
    allow_origins: ["*"]
    allow_credentials: false
  - selector: acme.v1.Shared
    allow_origins: [https://app.example.com, "null"]
    accept_risks: [NULL_ORIGIN]
    allow_credentials: false
  - selector: acme.v1.Closed
    disabled: true
  - selector: acme.v1.Tenants
    allow_origins_from: [tenants]
  - selector: acme.v1.Named.Call
    allow_origins: [https://app.example.com]
  - path: /mcp
    protocols: [MCP]
  - path: /files/a
    allow_methods: [GET]
  - path: /write
    allow_methods: [POST]
`

// commonCallServices are the services of the schema; the policy names no rule for the last one.
var commonCallServices = []string{"Named", "Plain", "Open", "Shared", "Closed", "Tenants", "Other"}

// TestCommonCall draws requests. decideOn grants each call that grantsCommonCall grants, to the same origin and with the usual fields
// only. decide comes to the same decision whether or not grantsCommonCall has compared the origin before.
func TestCommonCall(t *testing.T) {
	t.Parallel()
	plan := compileForTest(t, commonCallPolicy, commonCallServices...).WithSets(map[string][]string{"tenants": {"https://tenant.example.net"}})
	random := rand.New(rand.NewPCG(1, 2))
	one := func(values ...string) string { return values[random.IntN(len(values))] }
	const page = "https://app.example.com"
	common, granted := 0, 0
	for range 300_000 {
		path := "/acme.v1." + one("Named", "Named", "Plain", "Open", "Shared", "Closed", "Tenants", "Other", "named") + "/Call"
		if random.IntN(10) == 0 {
			path = one("/mcp", "/files/a", "/write", "/grpc.health.v1.Health/Check", "/elsewhere", "/acme.v1.Named//Call", "/acme.v1.Named/Call/")
		}
		r := httptest.NewRequest(one("POST", "POST", "POST", "GET", "OPTIONS", "PUT", "post", "CONNECT"), "https://api.example.com/", nil)
		r.URL.Path = path
		switch random.IntN(10) {
		case 0:
			r.URL.RawPath = "/acme.v1.Named%2FCall"
		case 1:
			r.URL.Opaque = one("/acme.v1.Named/Call", "//api.example.com/acme.v1.Named/Call")
		}
		r.Header = http.Header{}
		field := func(of int, name string, values ...string) {
			for more := random.IntN(of) > 0; more; more = random.IntN(20) == 0 {
				r.Header[name] = append(r.Header[name], one(values...))
			}
		}
		field(10, "Origin", page, page, page, "https://a.example.org", "https://tenant.example.net", "https://api.example.com", "https://evil.example", "null", "", "https://APP.example.com")
		field(5, "Sec-Fetch-Site", "cross-site", "cross-site", "same-site", "same-origin", "none", "")
		field(5, "Sec-Fetch-Mode", "cors", "cors", "cors", "no-cors", "navigate", "")
		field(2, "Cookie", "a=b")
		field(2, "Authorization", "Bearer x")
		field(2, "Upgrade", "websocket")
		field(2, "Access-Control-Request-Method", "POST", "PUT", "P OST")
		field(2, "Content-Type", "application/json", "application/x-www-form-urlencoded")
		request, origins := RequestOf(r), r.Header["Origin"]
		want := plan.Decide(request)
		if want.outcome == OutcomeGrant {
			granted++
		}
		var from requestOrigin
		target := plan.findExact(r)
		if target == nil {
			continue
		}
		if target.grantsCommonCall(r, origins, &from) {
			common++
			if want.effect != (effect{outcome: OutcomeGrant, target: target}) || want.origin != from.raw || want.moreHeaders != "" {
				t.Fatalf("%s %s %v: grantsCommonCall grants it, and Decide %s (%s)", r.Method, r.URL, r.Header, want.Outcome(), want.Reason())
			}
		}
		var got Decision
		if plan.decide(&got, target, &request, origins, &from); got != want {
			t.Fatalf("%s %s %v: decide after grantsCommonCall %+v, want %+v", r.Method, r.URL, r.Header, got, want)
		}
	}
	if common < 1000 || granted <= common {
		t.Errorf("%d common calls of %d that are granted", common, granted)
	}
}

// TestCommonCallIsCommon: grantsCommonCall grants the calls for which it is there.
func TestCommonCallIsCommon(t *testing.T) {
	t.Parallel()
	plan := compileForTest(t, commonCallPolicy, commonCallServices...)
	for _, test := range []struct{ path, origin, site, cookie string }{
		{"/acme.v1.Named/Call", "https://app.example.com", "cross-site", "a=b"},
		{"/acme.v1.Named/Call", "https://app.example.com", "same-site", ""},
	} {
		r := httptest.NewRequest(http.MethodPost, "https://api.example.com"+test.path, nil)
		r.Header = http.Header{"Origin": {test.origin}, "Sec-Fetch-Site": {test.site}, "Sec-Fetch-Mode": {"cors"}}
		if test.cookie != "" {
			r.Header.Set("Cookie", test.cookie)
		}
		target := plan.findExact(r)
		if got := target != nil && target.grantsCommonCall(r, r.Header["Origin"], new(requestOrigin)); !got {
			t.Errorf("%+v", test)
		}
	}
}

// compileForTest compiles a policy for services that have one method each.
func compileForTest(t *testing.T, policy string, services ...string) *Plan {
	t.Helper()
	file := &descriptorpb.FileDescriptorProto{Name: proto.String("a.proto"), Package: proto.String("acme.v1"), MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}}}
	for _, name := range services {
		call := &descriptorpb.MethodDescriptorProto{Name: proto.String("Call"), InputType: proto.String(".acme.v1.M"), OutputType: proto.String(".acme.v1.M")}
		file.Service = append(file.Service, &descriptorpb.ServiceDescriptorProto{Name: &name, Method: []*descriptorpb.MethodDescriptorProto{call}})
	}
	files, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{file, protodesc.ToFileDescriptorProto(grpc_health_v1.File_grpc_health_v1_health_proto)}})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ParsePolicy("cors.yaml", []byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Compile(parsed.Policy(), WithFiles(files))
	if err != nil {
		t.Fatal(err)
	}
	return plan
}
