package firstpolicy_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/firstpolicy"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// drawn is a random schema, and what is in it.
type drawn struct {
	files    *protoregistry.Files
	services []protoreflect.ServiceDescriptor
}

// oddComments are comments of services that could end a comment of the policy.
var oddComments = []string{
	"", " Reads accounts.\n More text.\n", "\n\n second line\n", " */ # \"quoted\": [a, {b\n", " \u2028defaults: {disabled: false}\n", " \x1b[31mred\x00\x85\n",
	" " + strings.Repeat("long ", 200), strings.Repeat("x", 500), "\r\nrules:\r- path: /x\r",
}

// draw returns a random schema.
func draw(t *testing.T, r *rand.Rand, services int) drawn {
	t.Helper()
	d := drawn{files: new(protoregistry.Files)}
	packages := []string{"", "acme", "acme.v1", "acme.v1.deep", "b", "on", "null"}
	for n := 0; n < services; n++ {
		pkg := packages[r.IntN(len(packages))]
		if services > 100 {
			pkg = fmt.Sprintf("p%d.v1", n/3)
		}
		file := &descriptorpb.FileDescriptorProto{Name: proto.String(fmt.Sprintf("f%d.proto", n)), Package: proto.String(pkg), Syntax: proto.String("proto3")}
		s := &descriptorpb.ServiceDescriptorProto{Name: proto.String([]string{"S", "Account_", "yes", "X9"}[r.IntN(4)] + fmt.Sprint(n)), Options: &descriptorpb.ServiceOptions{}}
		if r.IntN(3) == 0 {
			proto.SetExtension(s.Options, corsrpcv1.E_Service, &corsrpcv1.Rule{AllowHeaders: []string{"x-tenant"}, ExposeHeaders: []string{"x-id"}})
		}
		for m := range 1 + r.IntN(4) {
			method := &descriptorpb.MethodDescriptorProto{
				Name: proto.String(fmt.Sprintf("M%d", m)), InputType: proto.String(".x.A"), OutputType: proto.String(".x.B"), Options: &descriptorpb.MethodOptions{},
				ClientStreaming: proto.Bool(r.IntN(5) == 0), ServerStreaming: proto.Bool(r.IntN(4) == 0),
			}
			if r.IntN(2) == 0 {
				method.Options.IdempotencyLevel = descriptorpb.MethodOptions_NO_SIDE_EFFECTS.Enum()
			}
			if r.IntN(4) == 0 {
				proto.SetExtension(method.Options, corsrpcv1.E_Method, &corsrpcv1.Rule{AllowHeaders: []string{"x-method"}})
			}
			s.Method = append(s.Method, method)
		}
		file.Service = []*descriptorpb.ServiceDescriptorProto{s}
		file.SourceCodeInfo = &descriptorpb.SourceCodeInfo{Location: []*descriptorpb.SourceCodeInfo_Location{{
			Path: []int32{6, 0}, Span: []int32{3, 0, 5}, LeadingComments: proto.String(oddComments[r.IntN(len(oddComments))]),
		}}}
		f, err := protodesc.FileOptions{AllowUnresolvable: true}.New(file, new(protoregistry.Files))
		if err != nil {
			t.Fatal(err)
		}
		if err := d.files.RegisterFile(f); err != nil {
			t.Fatal(err)
		}
		d.services = append(d.services, f.Services().Get(0))
	}
	return d
}

// isOff matches a line of the policy that is turned off.
var isOff = regexp.MustCompile(`^# (rules:|profiles:|  )`)

// blocks returns the lines that are turned off, as runs that follow each other.
func blocks(lines []string) (all [][]int) {
	for i, line := range lines {
		switch {
		case !isOff.MatchString(line) || line == "# rules:":
		case len(all) > 0 && all[len(all)-1][len(all[len(all)-1])-1] == i-1:
			all[len(all)-1] = append(all[len(all)-1], i)
		default:
			all = append(all, []int{i})
		}
	}
	return all
}

// turnedOn returns the policy with some of its lines turned on.
func turnedOn(lines []string, on []int) string {
	changed := append([]string(nil), lines...)
	for _, i := range on {
		changed[i] = strings.TrimPrefix(changed[i], "# ")
		if strings.HasPrefix(changed[i], "  - ") { // a rule needs the key of the list
			for k, line := range changed {
				if line == "# rules:" {
					changed[k] = "rules:"
				}
			}
		}
	}
	return strings.Join(changed, "\n")
}

func compile(t *testing.T, d drawn, text string) *corsrpc.Plan {
	t.Helper()
	policy, err := (input.Settings{Files: d.files}).Compile("cors.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return policy.Plan
}

// readable reports whether a script of a page can read the response to a call by POST.
func readable(t *testing.T, plan *corsrpc.Plan, page, procedure string) bool {
	t.Helper()
	call := corsinspect.Call{Origin: page, Server: "https://api.example.com", Target: procedure, Method: http.MethodPost, Header: http.Header{}}
	fields := rpc.CallHeader(rpc.Connect)
	for i := 0; i < len(fields); i += 2 {
		call.Header.Set(fields[i], fields[i+1])
	}
	trial, err := corsinspect.Try(plan, call)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range trial.Outcomes {
		if o.Blocked != nil {
			return false
		}
	}
	return true
}

// TestPolicies makes policies for random schemas. Each loads, as it is and with each block that is turned off turned on;
// pages of its origins call every procedure, and no other page calls one.
func TestPolicies(t *testing.T) {
	t.Parallel()
	const page = "https://app.example.com"
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 22))
		services := 1 + r.IntN(6)
		if seed%20 == 0 {
			services = 700
		}
		d := draw(t, r, services)
		settings := firstpolicy.Settings{Files: d.files, JSONSchema: "cors.schema.json"}
		if seed%3 > 0 {
			settings.Origins = []string{page, "https://*.example.org", `https://"x".example`}[:1+r.IntN(2)]
			settings.DevProfile = seed%2 == 0
		}
		first := string(settings.Text())
		settings.Options = firstpolicy.Options(compile(t, d, first))
		text := string(settings.Text())
		plan := compile(t, d, text)
		for _, s := range d.services[:min(len(d.services), 5)] {
			for i := range s.Methods().Len() {
				name := string(s.Methods().Get(i).FullName())
				if got, want := readable(t, plan, page, name), len(settings.Origins) > 0; got != want {
					t.Errorf("seed %d: a page of %s reads %s: %t, want %t\n%s", seed, page, name, got, want, text)
				}
				if readable(t, plan, "https://attacker.example", name) || readable(t, plan, "http://localhost:3000", name) {
					t.Errorf("seed %d: a page of another origin reads %s\n%s", seed, name, text)
				}
			}
		}
		if len(settings.Origins) > 0 {
			for _, f := range plan.Findings() {
				t.Errorf("seed %d: %s\n%s", seed, f, text)
			}
		}
		lines := strings.Split(text, "\n")
		all := blocks(lines)
		var everything []int
		for i, block := range all {
			everything = append(everything, block...)
			if len(all) < 30 || i%40 == 0 || i > len(all)-4 {
				on := compile(t, d, turnedOn(lines, block))
				if readable(t, on, "https://attacker.example", string(d.services[0].Methods().Get(0).FullName())) {
					t.Errorf("seed %d: a page of another origin reads once this is turned on: %s", seed, lines[block[0]])
				}
			}
		}
		compile(t, d, turnedOn(lines, everything))
		if services > 100 && (len(lines) > 3000 || !strings.Contains(text, `# 34 packages more`)) {
			t.Errorf("seed %d: %d lines", seed, len(lines))
		}
	}
}

// TestDescriptions: the comments of the policy say what browsers can call, and what the .proto file says already.
func TestDescriptions(t *testing.T) {
	t.Parallel()
	file := &descriptorpb.FileDescriptorProto{Name: proto.String("acme/v1/s.proto"), Package: proto.String("acme.v1"), Syntax: proto.String("proto3")}
	method := func(name string, get, client, server bool, option *corsrpcv1.Rule) *descriptorpb.MethodDescriptorProto {
		m := &descriptorpb.MethodDescriptorProto{
			Name: &name, InputType: proto.String(".x.A"), OutputType: proto.String(".x.B"), ClientStreaming: &client, ServerStreaming: &server, Options: &descriptorpb.MethodOptions{},
		}
		if get {
			m.Options.IdempotencyLevel = descriptorpb.MethodOptions_NO_SIDE_EFFECTS.Enum()
		}
		if option != nil {
			proto.SetExtension(m.Options, corsrpcv1.E_Method, option)
		}
		return m
	}
	disabled := &descriptorpb.ServiceOptions{}
	proto.SetExtension(disabled, corsrpcv1.E_Service, &corsrpcv1.Rule{Disabled: proto.Bool(true)})
	file.Service = []*descriptorpb.ServiceDescriptorProto{
		{Name: proto.String("S"), Method: []*descriptorpb.MethodDescriptorProto{
			method("Get", true, false, false, &corsrpcv1.Rule{AllowHeaders: []string{"x-tenant"}}), method("Put", false, false, false, nil),
			method("Watch", true, false, true, nil), method("Upload", false, true, false, nil),
		}},
		{Name: proto.String("Admin"), Options: disabled, Method: []*descriptorpb.MethodDescriptorProto{method("Set", false, false, false, nil)}},
	}
	health := &descriptorpb.FileDescriptorProto{Name: proto.String("health.proto"), Package: proto.String("grpc.health.v1"), Syntax: proto.String("proto3"), Service: []*descriptorpb.ServiceDescriptorProto{
		{Name: proto.String("Health"), Method: []*descriptorpb.MethodDescriptorProto{method("Check", false, false, false, nil)}},
	}}
	d := drawn{files: new(protoregistry.Files)}
	for _, f := range []*descriptorpb.FileDescriptorProto{file, health} {
		descriptor, err := protodesc.FileOptions{AllowUnresolvable: true}.New(f, new(protoregistry.Files))
		if err != nil {
			t.Fatal(err)
		}
		if err := d.files.RegisterFile(descriptor); err != nil {
			t.Fatal(err)
		}
	}
	settings := firstpolicy.Settings{Files: d.files, Origins: []string{"https://app.example.com"}}
	settings.Options = firstpolicy.Options(compile(t, d, string(settings.Text())))
	text := string(settings.Text())
	for _, want := range []string{
		"# acme.v1.S (acme/v1/s.proto)\n",
		"# - by POST, or by GET since their idempotency_level is NO_SIDE_EFFECTS: Get\n",
		"# - by POST: Put\n",
		"# - by POST, with a stream of responses: Watch\n",
		"# - with a stream of requests, for which web clients have no support: Upload\n",
		"# - option in the .proto file: allow_headers: x-tenant for Get\n",
		"# acme.v1.Admin (acme/v1/s.proto)\n",
		"# - option in the .proto file: disabled: true for all its methods\n",
		"# Services for the operation of the server.",
		"#   - selector: \"grpc.health.v1.Health\"\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing:\n%s", want, text)
		}
	}
	if readable(t, compile(t, d, text), "https://app.example.com", "grpc.health.v1.Health.Check") {
		t.Error("a page can call the health check, which no rule names")
	}
}
