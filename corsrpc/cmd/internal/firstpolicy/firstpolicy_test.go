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
	// disabled are the full names of services and methods that an option turns off.
	disabled map[string]bool
}

// oddComments are comments of services that could end a comment of the policy.
var oddComments = []string{
	"", " Reads accounts.\n More text.\n", "\n\n second line\n", " */ # \"quoted\": [a, {b\n", " \u2028defaults: {disabled: false}\n", " \x1b[31mred\x00\x85\n",
	" " + strings.Repeat("long ", 200), strings.Repeat("x", 500), "\r\nrules:\r- path: /x\r",
}

// draw returns a random schema.
func draw(t *testing.T, r *rand.Rand, services int) drawn {
	t.Helper()
	d := drawn{files: new(protoregistry.Files), disabled: map[string]bool{}}
	packages := []string{"", "acme", "acme.v1", "acme.v1.deep", "b", "on", "no"}
	for n := 0; n < services; n++ {
		pkg := packages[r.IntN(len(packages))]
		if services > 100 {
			pkg = fmt.Sprintf("p%d.v1", n/3)
		}
		file := &descriptorpb.FileDescriptorProto{Name: proto.String(fmt.Sprintf("f%d.proto", n)), Package: proto.String(pkg), Syntax: proto.String("proto3")}
		s := &descriptorpb.ServiceDescriptorProto{Name: proto.String([]string{"S", "Account_", "yes", "X9"}[r.IntN(4)] + fmt.Sprint(n)), Options: &descriptorpb.ServiceOptions{}}
		if odd := []string{"null", "yes", "True", "Off", "NaN", "y"}; pkg == "" && n < len(odd) {
			s.Name = proto.String(odd[n])
		}
		name := strings.TrimPrefix(pkg+"."+s.GetName(), ".")
		if r.IntN(3) == 0 {
			rule := &corsrpcv1.Rule{AllowHeaders: []string{"x-tenant"}, ExposeHeaders: []string{"x-id"}}
			if r.IntN(2) == 0 {
				d.disabled[name] = true
				rule.Disabled = new(true)
			}
			proto.SetExtension(s.Options, corsrpcv1.E_Service, rule)
		}
		for m := range r.IntN(5) {
			method := &descriptorpb.MethodDescriptorProto{
				Name: proto.String(fmt.Sprintf("M%d", m)), InputType: proto.String(".x.A"), OutputType: proto.String(".x.B"), Options: &descriptorpb.MethodOptions{},
				ClientStreaming: proto.Bool(r.IntN(5) == 0), ServerStreaming: proto.Bool(r.IntN(4) == 0),
			}
			if r.IntN(2) == 0 {
				method.Options.IdempotencyLevel = descriptorpb.MethodOptions_NO_SIDE_EFFECTS.Enum()
			}
			if r.IntN(4) == 0 {
				rule := &corsrpcv1.Rule{AllowHeaders: []string{"x-method"}}
				if r.IntN(2) == 0 {
					d.disabled[name+"."+method.GetName()] = true
					rule.Disabled = new(true)
				}
				proto.SetExtension(method.Options, corsrpcv1.E_Method, rule)
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

func compile(t *testing.T, d drawn, profile, text string) *corsrpc.Plan {
	t.Helper()
	policy, err := (input.Settings{Files: d.files, Profile: profile}).Compile("cors.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return policy.Plan
}

// readable reports whether a script of a page can read the response to a call in each protocol. All have to agree.
func readable(t *testing.T, plan *corsrpc.Plan, page string, m protoreflect.MethodDescriptor) bool {
	t.Helper()
	var protocols []rpc.Protocols
	for _, p := range []rpc.Protocols{rpc.Connect, rpc.GRPCWeb} {
		if readableIn(t, plan, page, m, p) {
			protocols = append(protocols, p)
		}
	}
	if len(protocols) == 1 {
		t.Fatalf("a page of %s reads %s in %v alone", page, m.FullName(), protocols)
	}
	return len(protocols) > 0
}

func readableIn(t *testing.T, plan *corsrpc.Plan, page string, m protoreflect.MethodDescriptor, p rpc.Protocols) bool {
	t.Helper()
	call := corsinspect.Call{Origin: page, Server: "https://api.example.com", Target: string(m.FullName()), Method: http.MethodPost, Header: http.Header{}}
	fields := rpc.CallHeader(p)
	for i := 0; i < len(fields); i += 2 {
		call.Header.Set(fields[i], fields[i+1])
	}
	trial, err := corsinspect.Try(plan, call)
	if err != nil {
		t.Fatal(err)
	}
	if len(trial.Outcomes) == 0 {
		t.Fatal("no browser made the call")
	}
	for _, o := range trial.Outcomes {
		if o.Blocked != nil {
			return false
		}
	}
	return true
}

// page is the page that the policies of the tests allow.
const page = "https://app.example.com"

// otherPages are pages that they do not allow.
var otherPages = []string{"https://attacker.example", "http://localhost:3000", "https://app.example.com.attacker.example", "null"}

// methodsOf calls f with each method of the first services of a schema.
func (d drawn) methodsOf(f func(protoreflect.MethodDescriptor)) {
	for _, s := range d.services[:min(len(d.services), 5)] {
		for i := range s.Methods().Len() {
			f(s.Methods().Get(i))
		}
	}
}

// onlyPage fails unless the page reads the responses of exactly the methods for which want is true, and no other page does.
func (d drawn) onlyPage(t *testing.T, plan *corsrpc.Plan, text string, want func(protoreflect.MethodDescriptor) bool) {
	t.Helper()
	d.methodsOf(func(m protoreflect.MethodDescriptor) {
		if got, want := readable(t, plan, page, m), want(m); got != want {
			t.Errorf("a page of %s reads %s: %t, want %t\n%s", page, m.FullName(), got, want, text)
		}
		for _, other := range otherPages {
			if readable(t, plan, other, m) {
				t.Errorf("a page of %s reads %s\n%s", other, m.FullName(), text)
			}
		}
	})
}

// onByDefault reports whether no option turns a method or its service off.
func (d drawn) onByDefault(m protoreflect.MethodDescriptor) bool {
	return !d.disabled[string(m.Parent().FullName())] && !d.disabled[string(m.FullName())]
}

// TestPolicies makes policies for random schemas. Each loads, as it is and with each block that is turned off turned on;
// pages of its origins call every procedure that no option turns off, and no other page calls one.
func TestPolicies(t *testing.T) {
	t.Parallel()
	for seed := range uint64(24) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 22))
			services := 1 + r.IntN(6)
			if seed%12 == 0 {
				services = 700
			}
			d := draw(t, r, services)
			settings := firstpolicy.Settings{Files: d.files, JSONSchema: "cors.schema.json"}
			if seed%3 > 0 {
				settings.Origins = []string{page, "https://*.example.org"}[:1+r.IntN(2)]
				settings.DevProfile = seed%2 == 0
			}
			d.examine(t, settings)
		})
	}
}

// examine makes a policy, and turns its lines on, block by block.
func (d drawn) examine(t *testing.T, settings firstpolicy.Settings) {
	t.Helper()
	isOpen := len(settings.Origins) > 0
	settings.Options = firstpolicy.Options(compile(t, d, "", string(settings.Text())))
	text := string(settings.Text())
	plan := compile(t, d, "", text)
	d.onlyPage(t, plan, text, func(m protoreflect.MethodDescriptor) bool { return isOpen && d.onByDefault(m) })
	for _, f := range plan.Findings() {
		t.Errorf("%s\n%s", f, text)
	}
	if settings.DevProfile {
		dev := compile(t, d, "dev", text)
		d.methodsOf(func(m protoreflect.MethodDescriptor) {
			if got, want := readable(t, dev, "http://localhost:3000", m), d.onByDefault(m); got != want {
				t.Errorf("with the profile dev, a page of localhost reads %s: %t, want %t\n%s", m.FullName(), got, want, text)
			}
		})
	}

	lines := strings.Split(text, "\n")
	all := blocks(lines)
	var everything []int
	for i, block := range all {
		everything = append(everything, block...)
		if len(all) < 30 || i%40 == 0 || i > len(all)-4 {
			d.turnOn(t, lines, block, isOpen)
		}
	}
	on := turnedOn(lines, everything)
	opened := compile(t, d, "", on)
	byPackage := settings.ByPackage()
	d.onlyPage(t, opened, on, func(m protoreflect.MethodDescriptor) bool {
		if byPackage && m.ParentFile().Package() != "" {
			return d.onByDefault(m)
		}
		return !d.disabled[string(m.FullName())]
	})
	if byPackage && (len(lines) > 3000 || !strings.Contains(text, "# Left out, since the schema is large: 34 more rules.")) {
		t.Errorf("%d lines", len(lines))
	}
}

// turnOn turns the lines of a block on. The policy loads, and no other page can call.
func (d drawn) turnOn(t *testing.T, lines []string, block []int, isOpen bool) {
	t.Helper()
	text := turnedOn(lines, block)
	plan := compile(t, d, "", text)
	selector := strings.TrimPrefix(lines[block[0]], "#   - selector: ")
	d.onlyPage(t, plan, text, func(m protoreflect.MethodDescriptor) bool {
		service := string(m.Parent().FullName())
		if selector == fmt.Sprintf("%q", service) {
			return !d.disabled[string(m.FullName())]
		}
		opened := isOpen || selector == fmt.Sprintf("%q", string(m.ParentFile().Package())+".*")
		return opened && d.onByDefault(m)
	})
	if selector == "#   allow_origins:" { // as the comment above this line of the defaults says
		text = strings.Replace(text, "\n  disabled: true\n", "\n", 1)
		plan = compile(t, d, "", text)
		d.onlyPage(t, plan, text, d.onByDefault)
	}
	for _, f := range plan.Findings() {
		switch f.Kind {
		case corsrpc.FindingRuleChangesNothing: // until the rule is edited
		case corsrpc.FindingPatternWithCredentials: // since the defaults allow credentials now
		default:
			t.Errorf("%s\n%s", f, text)
		}
	}
}

// TestPackageOfOperationalService: no rule of a large schema opens a service for the operation of the server, unless it
// has the name of that service.
func TestPackageOfOperationalService(t *testing.T) {
	t.Parallel()
	d := drawn{files: new(protoregistry.Files)}
	add := func(pkg, service string) protoreflect.MethodDescriptor {
		f, err := protodesc.FileOptions{AllowUnresolvable: true}.New(&descriptorpb.FileDescriptorProto{
			Name: proto.String(pkg + "." + service + ".proto"), Package: &pkg, Syntax: proto.String("proto3"),
			Service: []*descriptorpb.ServiceDescriptorProto{{Name: &service, Method: []*descriptorpb.MethodDescriptorProto{
				{Name: proto.String("M"), InputType: proto.String(".x.A"), OutputType: proto.String(".x.B")},
			}}},
		}, new(protoregistry.Files))
		if err != nil {
			t.Fatal(err)
		}
		if err := d.files.RegisterFile(f); err != nil {
			t.Fatal(err)
		}
		return f.Services().Get(0).Methods().Get(0)
	}
	mine, other, health := add("grpc", "Mine"), add("grpc.other", "Other"), add("grpc.health.v1", "Health")
	for n := range firstpolicy.MaxServices {
		add("acme.v1", fmt.Sprint("S", n))
	}
	for _, origins := range [][]string{nil, {page}} {
		text := string(firstpolicy.Settings{Files: d.files, Origins: origins}.Text())
		if strings.Count(text, "# rules:") != 1 || !strings.Contains(text, `"acme.v1.*"`) {
			t.Fatalf("the schema is not large:\n%s", text)
		}
		lines := strings.Split(text, "\n")
		for _, block := range blocks(lines) {
			plan := compile(t, d, "", turnedOn(lines, block))
			if got, want := readable(t, plan, page, health), strings.Contains(lines[block[0]], `"grpc.health.v1.Health"`); got != want {
				t.Errorf("with %s, a page reads the health check: %t, want %t", lines[block[0]], got, want)
			}
			for _, m := range []protoreflect.MethodDescriptor{mine, other} {
				selector := strings.TrimPrefix(lines[block[0]], "#   - selector: ")
				names := selector == fmt.Sprintf("%q", m.Parent().FullName()) || selector == fmt.Sprintf("%q", m.ParentFile().Package()+".*")
				if got := readable(t, plan, page, m); got != (names || origins != nil) {
					t.Errorf("with %s, a page reads %s: %t", lines[block[0]], m.FullName(), got)
				}
			}
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
	settings.Options = firstpolicy.Options(compile(t, d, "", string(settings.Text())))
	text := string(settings.Text())
	for _, want := range []string{
		"# acme.v1.S (acme/v1/s.proto)\n",
		"# - by POST, or by GET since their idempotency_level is NO_SIDE_EFFECTS: Get\n",
		"# - by POST: Put\n",
		"# - by POST, with a stream of responses: Watch\n",
		"# - with a stream of requests, which connect-web and grpc-web cannot send: Upload\n",
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
	check, err := d.files.FindDescriptorByName("grpc.health.v1.Health.Check")
	if err != nil {
		t.Fatal(err)
	}
	if readable(t, compile(t, d, "", text), page, check.(protoreflect.MethodDescriptor)) {
		t.Error("a page can call the health check, which no rule names")
	}
}
