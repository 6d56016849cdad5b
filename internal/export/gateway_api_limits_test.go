package export_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
)

// servicesOf returns a schema whose services have as many methods each as their number says.
func servicesOf(t *testing.T, methods map[string]int) *protoregistry.Files {
	t.Helper()
	file := &descriptorpb.FileDescriptorProto{
		Name: proto.String("a.proto"), Package: proto.String("acme.v1"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}},
	}
	for name, n := range methods {
		service := &descriptorpb.ServiceDescriptorProto{Name: proto.String(name)}
		for i := range n {
			service.Method = append(service.Method, &descriptorpb.MethodDescriptorProto{Name: proto.String(fmt.Sprintf("M%03d", i)), InputType: proto.String(".acme.v1.M"), OutputType: proto.String(".acme.v1.M")})
		}
		file.Service = append(file.Service, service)
	}
	files, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{file}})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// gatewayExport exports a policy for the Gateway API.
func gatewayExport(t *testing.T, policy *corsrpcv1.Policy, files *protoregistry.Files) (*export.Export, error) {
	t.Helper()
	plan, err := corsrpc.Compile(policy, corsrpc.WithFiles(files))
	if err != nil {
		t.Fatal(err)
	}
	m, err := export.New(planaccess.Rules(plan), export.Options{OwnOrigins: []string{"https://api.example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	return export.Write(export.GatewayAPI, m)
}

// TestGatewayAPIParts checks that large services have several routes, each within the limits.
func TestGatewayAPIParts(t *testing.T) {
	t.Parallel()
	policy := &corsrpcv1.Policy{}
	for i := range 300 {
		r := &corsrpcv1.Rule{Selector: fmt.Sprintf("acme.v1.Many.M%03d", i), AllowOrigins: []string{"https://app.example.com"}}
		if i < 20 {
			r.AllowHeaders = []string{fmt.Sprint("x-", i)}
		}
		policy.Rules = append(policy.Rules, r)
	}
	policy.Rules = append(policy.Rules, &corsrpcv1.Rule{Selector: "acme.v1.Few", AllowOrigins: []string{"*"}})
	x, err := gatewayExport(t, policy, servicesOf(t, map[string]int{"Many": 300, "Few": 3}))
	if err != nil {
		t.Fatal(err)
	}
	total, names := 0, []string(nil)
	for route := range strings.SplitSeq(x.Text, "\n---\n") {
		_, rest, _ := strings.Cut(route, "\n  name: ")
		name, _, _ := strings.Cut(rest, "\n")
		names = append(names, name)
		rules := strings.Split(route, "  - matches:\n")[1:]
		matches := strings.Count(route, "path: {")
		if total += matches; len(rules) > 16 || matches > 128 || len(rules) == 0 {
			t.Errorf("%s has %d rules and %d matches", name, len(rules), matches)
		}
		for _, rule := range rules {
			if n := strings.Count(rule, "path: {"); n > 64 {
				t.Errorf("a rule of %s has %d matches", name, n)
			}
		}
	}
	if total != 304 {
		t.Errorf("there are %d matches", total)
	}
	want := []string{"corsrpc-acme-v1-few", "corsrpc-acme-v1-many", "corsrpc-acme-v1-many.2", "corsrpc-acme-v1-many.3", "corsrpc-acme-v1-many.4", "corsrpc-other-requests"}
	if slices.Sort(names); !slices.Equal(names, want) {
		t.Errorf("the names are %q", names)
	}
}

// TestGatewayAPINames checks that the names of routes are those of Kubernetes, and differ.
func TestGatewayAPINames(t *testing.T) {
	t.Parallel()
	long := "L" + strings.Repeat("ong", 90)
	x, err := gatewayExport(t, &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: []string{"*"}}}, servicesOf(t, map[string]int{"URLService": 1, "User_Service": 1, "UserService": 1, "_x_": 1, "S_2": 1, long: 1}))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, part := range strings.Split(x.Text, "\n  name: ")[1:] {
		name, _, _ := strings.Cut(part, "\n")
		names = append(names, name)
		if len(name) > 253 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" || strings.Contains(name, "-.") {
			t.Errorf("%q is not the name of an object", name)
		}
	}
	slices.Sort(names)
	if len(slices.Compact(slices.Clone(names))) != 7 {
		t.Errorf("the names are %q", names)
	}
	for _, want := range []string{"corsrpc-acme-v1-urlservice", "corsrpc-acme-v1-x", "corsrpc-acme-v1-s-2"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not among the names: %q", want, names)
		}
	}
	if slices.Contains(names, "corsrpc-acme-v1-user-service") {
		t.Errorf("one of two services has the name that is for both: %q", names)
	}
}

// many returns texts with a number in each.
func many(n int, format string) (items []string) {
	for i := range n {
		items = append(items, fmt.Sprintf(format, i))
	}
	return items
}

// TestGatewayAPIErrors checks that more than the filter takes is an error.
func TestGatewayAPIErrors(t *testing.T) {
	t.Parallel()
	path := func(r *corsrpcv1.Rule) *corsrpcv1.Policy {
		r.Path = "/a"
		return &corsrpcv1.Policy{Rules: []*corsrpcv1.Rule{r}}
	}
	for want, r := range map[string]*corsrpcv1.Rule{
		"64 origins, and the rule has 65":          {AllowOrigins: many(65, "https://a%d.example.com")},
		"64 request headers, and the rule has 66":  {AllowOrigins: []string{"https://a.example.com"}, AllowHeaders: many(65, "x-%d")}, // and content-type
		"64 response headers, and the rule has 65": {AllowOrigins: []string{"https://a.example.com"}, ExposeHeaders: many(65, "x-%d")},
	} {
		if _, err := gatewayExport(t, path(r), new(protoregistry.Files)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := gatewayExport(t, path(&corsrpcv1.Rule{AllowOrigins: many(64, "https://a%d.example.com"), AllowHeaders: many(63, "x-%d"), ExposeHeaders: many(64, "y-%d")}), new(protoregistry.Files)); err != nil {
		t.Error(err)
	}
	for _, test := range []struct {
		o    export.Options
		want string
	}{
		{export.Options{OwnOrigins: []string{"https://192.0.2.1"}}, "neither addresses"},
		{export.Options{OwnOrigins: []string{"https://[2001:db8::1]"}}, "neither addresses"},
		{export.Options{OwnOrigins: []string{"https://a_b.example.com"}}, "underscores"},
		{export.Options{OwnOrigins: many(17, "https://a%d.example.com")}, "takes 16 hostnames"},
		{export.Options{Upstream: "server"}, "write them as in server:8080"},
		{export.Options{Upstream: "server:0"}, "write them as in server:8080"},
		{export.Options{Upstream: "server:http"}, "write them as in server:8080"},
		{export.Options{Upstream: "a.b:80"}, "write them as in server:8080"},
		{export.Options{Upstream: "http://server:80"}, "write them as in server:8080"},
		{export.Options{Upstream: "server:80\nx: y"}, "write them as in server:8080"},
	} {
		if _, err := export.Write(export.GatewayAPI, modelOf(t, `rules: [{path: /a, allow_origins: ["*"]}]`, test.o)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v", test.o, err)
		}
	}
	m := modelOf(t, `rules: [{path: /a, allow_origins: ["*"]}]`, export.Options{})
	m.Answers[0].Credentials = true
	if _, err := export.Write(export.GatewayAPI, m); err == nil || !strings.Contains(err.Error(), "every origin") {
		t.Error(err)
	}
}

// TestGatewayAPILosses checks what cannot be written. The text has nothing of it outside of comments.
func TestGatewayAPILosses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		rules  string // of a path each
		loss   export.LossName
		target string
		values []string
		absent []string
	}{
		{`{path: /a, allow_origins: ["null"], accept_risks: [NULL_ORIGIN]}`, export.LossOrigins, "/a", []string{"null"}, []string{"/a", "null", "CORS"}},
		{`{path: /a, allow_origins: [capacitor://localhost, https://b.example.com]}`, export.LossOrigins, "/a", []string{"capacitor://localhost"}, []string{"capacitor"}},
		{`{path: /a, allow_origins: ["http://localhost:*", "https://pr-*.example.net", "https://a_b.example.com", https://b.example.com]}`, export.LossOrigins, "/a", []string{"http://localhost:*", "https://a_b.example.com", "https://pr-*.example.net"}, []string{"localhost", "pr-", "a_b"}},
		{`{path: "/v1/{id}", allow_origins: [https://b.example.com]}`, export.LossPathPattern, "/v1/{id}", nil, []string{"/v1", "CORS"}},
		{`{path: /files/, allow_origins: [https://b.example.com]}`, export.LossPathPattern, "/files/", nil, []string{"/files", "CORS"}},
		{`{path: /a, allow_origins: [https://b.example.com], allow_methods: [GET, PROPFIND]}`, export.LossMethods, "/a", []string{"PROPFIND"}, []string{"PROPFIND", "POST"}},
		{`{path: /a, allow_origins: [https://b.example.com], allow_methods: [PROPFIND]}`, export.LossMethods, "/a", []string{"PROPFIND"}, []string{"PROPFIND", "CORS"}},
		{`{path: /a, allow_origins: [https://b.example.com], max_age: 0s}`, export.LossMaxAge, "/a", nil, []string{"maxAge: 0"}},
		{`{path: /a, allow_origins: ["https://*.example.com"]}`, export.LossWildcards, "/a", nil, nil},
		{`{path: /a, allow_origins: [https://b.example.com]}`, export.LossServerFields, "/a", nil, []string{"allowCredentials"}},
		{`{path: /a, disabled: true}, {path: /b, allow_origins: [https://b.example.com]}`, export.LossRefusal, "/a", nil, []string{`"/a"`}},
	} {
		x, err := export.Write(export.GatewayAPI, modelOf(t, "rules: ["+test.rules+"]", export.Options{}))
		if err != nil {
			t.Errorf("%s: %v", test.rules, err)
			continue
		}
		i := slices.IndexFunc(x.Losses, func(l export.Loss) bool { return l.Name == test.loss })
		if i < 0 || !slices.Contains(x.Losses[i].Targets, test.target) || !slices.Equal(x.Losses[i].Values, test.values) {
			t.Errorf("%s: the losses are %+v", test.rules, x.Losses)
		}
		for line := range strings.Lines(x.Text) {
			if strings.HasPrefix(strings.TrimSpace(line), "#") || strings.Contains(line, "apiVersion") {
				continue
			}
			for _, absent := range test.absent {
				if strings.Contains(line, absent) {
					t.Errorf("%s: the text has %q", test.rules, line)
				}
			}
		}
	}
}

// TestGatewayAPIShadowed checks that a path gets nothing if a route before its own refuses it.
func TestGatewayAPIShadowed(t *testing.T) {
	t.Parallel()
	m := modelOf(t, `rules: [{path: /a, allow_origins: [https://b.example.com]}]`, export.Options{})
	m.Routes = append([]export.Route{{Name: "other spellings of /A", Regexp: "/A", IgnoreCase: true}}, m.Routes...)
	x, err := export.Write(export.GatewayAPI, m)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(x.Text, "b.example.com") || !slices.ContainsFunc(x.Losses, func(l export.Loss) bool { return l.Name == export.LossPathPattern }) {
		t.Errorf("the text is %s", x.Text)
	}
}

// TestGatewayAPISharedRules checks that paths share a rule if their answers are written alike, and only then.
func TestGatewayAPISharedRules(t *testing.T) {
	t.Parallel()
	const base = "allow_origins: [https://a.example.com], allow_methods: [GET]"
	for other, want := range map[string]int{
		base:                               1,
		base + ", allow_credentials: true": 2,
		base + ", allow_headers: [x-a]":    2,
		base + ", expose_headers: [x-a]":   2,
		base + ", max_age: 60s":            2,
		"allow_origins: [https://a.example.com], allow_methods: [GET, PUT]":                   2,
		"allow_origins: [https://b.example.com], allow_methods: [GET]":                        2,
		"allow_origins: [https://a.example.com, capacitor://localhost], allow_methods: [GET]": 2,
		"allow_origins: [https://a.example.com], allow_methods: [GET, PROPFIND]":              2,
	} {
		x, err := export.Write(export.GatewayAPI, modelOf(t, "rules: [{path: /a, "+base+"}, {path: /b, "+other+"}]", export.Options{}))
		if err != nil {
			t.Errorf("%s: %v", other, err)
			continue
		}
		if got := strings.Count(x.Text, "- type: CORS"); got != want {
			t.Errorf("%s: there are %d filters, want %d", other, got, want)
		}
	}
}

// TestGatewayAPIOrder checks that the text is the same whatever the order of rules, origins and headers.
func TestGatewayAPIOrder(t *testing.T) {
	t.Parallel()
	rules := []*corsrpcv1.Rule{
		{Selector: "acme.v1.Few", AllowOrigins: []string{"https://a.example.com", "https://*.example.net"}, AllowHeaders: []string{"x-a", "x-b"}},
		{Path: "/a", AllowOrigins: []string{"https://b.example.com", "https://a.example.com"}, AllowMethods: []string{"GET", "PUT"}, ExposeHeaders: []string{"x-c", "x-d"}},
		{Path: "/b", AllowOrigins: []string{"*"}},
	}
	files := servicesOf(t, map[string]int{"Few": 3, "More": 2})
	first, err := gatewayExport(t, &corsrpcv1.Policy{Rules: rules}, files)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		slices.Reverse(r.AllowOrigins)
		slices.Reverse(r.AllowHeaders)
		slices.Reverse(r.ExposeHeaders)
		slices.Reverse(r.AllowMethods)
	}
	slices.Reverse(rules)
	second, err := gatewayExport(t, &corsrpcv1.Policy{Rules: rules}, files)
	if err != nil {
		t.Fatal(err)
	}
	places := func(text string) string { // which differ
		for i := range rules {
			text = strings.ReplaceAll(text, fmt.Sprintf("rules[%d]", i), "rules")
		}
		return text
	}
	if places(first.Text) != places(second.Text) {
		t.Errorf("the text\n%s\nbecomes\n%s", first.Text, second.Text)
	}
}
