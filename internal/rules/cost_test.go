package rules

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/route"
)

// input is a policy and a schema.
type input struct {
	policy *corsrpcv1.Policy
	files  *protoregistry.Files
}

// compile compiles the policy, which must be valid.
func (in input) compile(t testing.TB) *Rules {
	r, found := Compile(in.policy, nil, Config{Files: in.files, LongList: DefaultLongList}, nil)
	if len(found) > 0 {
		t.Fatal(found[0])
	}
	return r
}

// schemaOf returns a schema with a number of services, each with ten methods.
func schemaOf(t testing.TB, services int) *protoregistry.Files {
	files, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{schemaFile(services)}})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// schemaFile returns the file descriptor of schemaOf.
func schemaFile(services int) *descriptorpb.FileDescriptorProto {
	file := &descriptorpb.FileDescriptorProto{
		Name: proto.String("acme.proto"), Syntax: proto.String("proto3"), Package: proto.String("acme.v1"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}},
	}
	for i := range services {
		s := &descriptorpb.ServiceDescriptorProto{Name: proto.String(fmt.Sprintf("S%d", i))}
		for j := range 10 {
			s.Method = append(s.Method, &descriptorpb.MethodDescriptorProto{
				Name: proto.String(fmt.Sprintf("M%d", j)), InputType: proto.String(".acme.v1.M"), OutputType: proto.String(".acme.v1.M"),
			})
		}
		file.Service = append(file.Service, s)
	}
	return file
}

// grantsApp returns a rule that allows one origin.
func grantsApp() *corsrpcv1.Rule {
	return &corsrpcv1.Rule{AllowOrigins: []string{"https://app.example.com"}}
}

// numbered returns a format filled in with the numbers below n.
func numbered(n int, format string) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf(format, i))
	}
	return all
}

// inputs are policies of size n, each of which is large in one respect.
var inputs = []struct {
	name string
	n    int // the size of the smaller policy
	make func(t testing.TB, n int) input
}{
	{"profiles with add_origins", 500, func(_ testing.TB, n int) input {
		p := &corsrpcv1.Policy{Defaults: grantsApp(), Profiles: map[string]*corsrpcv1.Profile{}}
		for _, name := range numbered(n, "p%d") {
			p.Profiles[name] = &corsrpcv1.Profile{AddOrigins: []string{"http://localhost:*"}}
		}
		return input{p, new(protoregistry.Files)}
	}},
	{"profiles with defaults, as many rules", 500, func(t testing.TB, n int) input {
		p := &corsrpcv1.Policy{Defaults: grantsApp(), Profiles: map[string]*corsrpcv1.Profile{}}
		for i := range n {
			p.Profiles[fmt.Sprintf("p%d", i)] = &corsrpcv1.Profile{Defaults: &corsrpcv1.Rule{AllowOrigins: []string{fmt.Sprintf("https://p%d.example.com", i)}, AllowCredentials: proto.Bool(true)}}
			p.Rules = append(p.Rules, &corsrpcv1.Rule{Selector: fmt.Sprintf("acme.v1.S%d", i), AllowHeaders: []string{"x-a"}})
		}
		return input{p, schemaOf(t, n)}
	}},
	{"profiles with a rule, as many rules", 500, func(t testing.TB, n int) input {
		p := &corsrpcv1.Policy{Defaults: grantsApp(), Profiles: map[string]*corsrpcv1.Profile{}}
		for i := range n {
			selector := fmt.Sprintf("acme.v1.S%d", i)
			p.Profiles[fmt.Sprintf("p%d", i)] = &corsrpcv1.Profile{Rules: []*corsrpcv1.Rule{{Selector: selector, AllowHeaders: []string{"x-b"}}}}
			p.Rules = append(p.Rules, &corsrpcv1.Rule{Selector: selector, AllowHeaders: []string{"x-a"}})
		}
		return input{p, schemaOf(t, n)}
	}},
	{"profiles with a path, as many paths", 500, func(_ testing.TB, n int) input {
		p := &corsrpcv1.Policy{Defaults: grantsApp(), Profiles: map[string]*corsrpcv1.Profile{}}
		for i := range n {
			p.Profiles[fmt.Sprintf("p%d", i)] = &corsrpcv1.Profile{Rules: []*corsrpcv1.Rule{{Path: fmt.Sprintf("/q%d", i)}}}
			p.Rules = append(p.Rules, &corsrpcv1.Rule{Path: fmt.Sprintf("/p%d", i)})
		}
		return input{p, new(protoregistry.Files)}
	}},
	{"rules for procedures", 1000, func(t testing.TB, n int) input {
		p := &corsrpcv1.Policy{Defaults: grantsApp()}
		for i := range n {
			p.Rules = append(p.Rules, &corsrpcv1.Rule{Selector: fmt.Sprintf("acme.v1.S%d.M%d", i/10, i%10), AllowHeaders: []string{"x-a"}})
		}
		return input{p, schemaOf(t, n/10)}
	}},
	{"names in allow_headers", 10_000, func(_ testing.TB, n int) input {
		r := grantsApp()
		r.AllowHeaders = numbered(n, "x-name-%d")
		return input{&corsrpcv1.Policy{Defaults: r}, new(protoregistry.Files)}
	}},
	{"prefixes in allow_headers, names in deny_headers", 10_000, func(_ testing.TB, n int) input {
		r := grantsApp()
		r.AllowHeaders, r.DenyHeaders = numbered(n, "x-p%d-*"), numbered(n, "x-p%d-a")
		return input{&corsrpcv1.Policy{Defaults: r}, new(protoregistry.Files)}
	}},
	{"names in expose_headers", 10_000, func(_ testing.TB, n int) input {
		r := grantsApp()
		r.ExposeHeaders = numbered(n, "x-name-%d")
		return input{&corsrpcv1.Policy{Defaults: r}, new(protoregistry.Files)}
	}},
	{"origins", 10_000, func(_ testing.TB, n int) input {
		return input{&corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: numbered(n, "https://t%d.example.com")}}, new(protoregistry.Files)}
	}},
	{"sources and methods", 10_000, func(_ testing.TB, n int) input {
		return input{&corsrpcv1.Policy{
			Defaults: &corsrpcv1.Rule{AllowOriginsFrom: numbered(n, "source-%d")},
			Rules:    []*corsrpcv1.Rule{{Path: "/x", AllowMethods: numbered(n, "M%d")}},
		}, new(protoregistry.Files)}
	}},
	{"exact paths", 1000, func(_ testing.TB, n int) input {
		return input{pathsPolicy(numbered(n, "/p%d")), new(protoregistry.Files)}
	}},
	{"subtrees", 1000, func(_ testing.TB, n int) input {
		return input{pathsPolicy(numbered(n, "/p%d/")), new(protoregistry.Files)}
	}},
	{"wildcards", 1000, func(_ testing.TB, n int) input {
		return input{pathsPolicy(numbered(n, "/p%d/{id}/x")), new(protoregistry.Files)}
	}},
}

func pathsPolicy(patterns []string) *corsrpcv1.Policy {
	p := &corsrpcv1.Policy{Defaults: grantsApp()}
	for _, pattern := range patterns {
		p.Rules = append(p.Rules, &corsrpcv1.Rule{Path: pattern})
	}
	return p
}

// TestCostGrowsWithSize: compiling a policy of four times the size takes about four times the
// memory, where a quadratic cost would take sixteen times. The test counts memory, which is the
// same on every machine; BenchmarkCompile measures time.
func TestCostGrowsWithSize(t *testing.T) {
	for _, in := range inputs {
		t.Run(in.name, func(t *testing.T) {
			small, large := in.make(t, in.n), in.make(t, 4*in.n)
			a, b := allocated(func() { small.compile(t) }), allocated(func() { large.compile(t) })
			if exponent := math.Log(float64(b)/float64(a)) / math.Log(4); exponent > 1.35 {
				t.Errorf("%d: %d bytes, %d: %d bytes: the exponent is %.2f", in.n, a, 4*in.n, b, exponent)
			}
		})
	}
}

// allocated returns the bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestProfilesCostWhatTheyChange: a policy of 10,000 procedures and 10,000 rules takes at most
// three times as much memory with ten profiles as with one.
func TestProfilesCostWhatTheyChange(t *testing.T) {
	with := func(profiles int) input {
		in := inputs[4].make(t, 10_000)
		in.policy.Profiles = map[string]*corsrpcv1.Profile{}
		for i := range profiles {
			in.policy.Profiles[fmt.Sprintf("p%d", i)] = &corsrpcv1.Profile{
				AddOrigins: []string{"http://localhost:*"}, Defaults: &corsrpcv1.Rule{AllowCredentials: proto.Bool(i%2 == 0)},
			}
		}
		return in
	}
	one, ten := with(1), with(10)
	a, b := allocated(func() { one.compile(t) }), allocated(func() { ten.compile(t) })
	if float64(b) > 3*float64(a) {
		t.Errorf("one profile takes %d bytes, ten take %d", a, b)
	}
}

// TestLongSelectorIsRefused: refusing a selector that is longer than any path takes no more
// memory than a multiple of its length.
func TestLongSelectorIsRefused(t *testing.T) {
	selector := strings.Repeat("a.", 100_000) + "b"
	for _, selector := range []string{selector, selector + ".*"} {
		policy := &corsrpcv1.Policy{Defaults: grantsApp(), Rules: []*corsrpcv1.Rule{{Selector: selector, AcceptRisks: []corsrpcv1.Risk{corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS}}}}
		var found []Violation
		if n := allocated(func() { _, found = Compile(policy, nil, Config{Files: new(protoregistry.Files)}, nil) }); n > 10<<20 {
			t.Errorf("%d bytes", n)
		}
		if len(found) != 1 || found[0].Code != CodeSelectorSyntax || found[0].Field != "rules[0].selector" {
			t.Errorf("%d violations: %v", len(found), found)
		}
	}
}

// TestLongNamesOfTheSchema: a selector may name a service of the schema of any length.
func TestLongNamesOfTheSchema(t *testing.T) {
	file := schemaFile(1)
	file.Service[0].Name = proto.String(strings.Repeat("S", route.MaxPath))
	files, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{file}})
	if err != nil {
		t.Fatal(err)
	}
	policy := &corsrpcv1.Policy{Defaults: grantsApp(), Rules: []*corsrpcv1.Rule{{Selector: "acme.v1." + file.Service[0].GetName(), Disabled: proto.Bool(true)}}}
	if r := (input{policy, files}).compile(t); !r.Procedures[0].Rule.Disabled() {
		t.Error("the rule does not hold")
	}
}

// BenchmarkCompile reports the exponent with which the time of compiling grows between a size
// and four times that size.
func BenchmarkCompile(b *testing.B) {
	for _, in := range inputs {
		b.Run("policy="+strings.ReplaceAll(in.name, " ", "_"), func(b *testing.B) {
			var took [2]time.Duration
			for range b.N {
				for i, n := range []int{in.n, 4 * in.n} {
					made := in.make(b, n)
					start := time.Now()
					made.compile(b)
					took[i] += time.Since(start)
				}
			}
			b.ReportMetric(math.Log(float64(took[1])/float64(took[0]))/math.Log(4), "exponent")
			b.ReportMetric(float64(took[0].Milliseconds())/float64(b.N), "ms/small")
		})
	}
}
