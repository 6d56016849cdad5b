package analysis_test

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// comparedInput is a pair of policies of size n, each of which is large in one respect.
type comparedInput struct {
	name string
	n    int // the size of the smaller pair
	make func(n int) (old, next *corsrpcv1.Policy)
	// procedures is the number of procedures in the schema for each of n.
	procedures int
}

// changedEach returns a policy and one in which change has changed each of its rules.
func changedEach(p *corsrpcv1.Policy, change func(i int, r *corsrpcv1.Rule)) (old, next *corsrpcv1.Policy) {
	next = proto.CloneOf(p)
	for i, r := range next.GetRules() {
		change(i, r)
	}
	return p, next
}

// forUnknown returns a rule for a selector that the schema need not have.
func forUnknown(selector string) *corsrpcv1.Rule {
	return &corsrpcv1.Rule{Selector: selector, AcceptRisks: []corsrpcv1.Risk{corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS}}
}

var comparedInputs = []comparedInput{
	{"rules with lists of their own", 250, func(n int) (_, _ *corsrpcv1.Policy) {
		p := &corsrpcv1.Policy{}
		for i := range n {
			r := forUnknown(fmt.Sprintf("acme.v1.S%d", i))
			r.AllowOrigins = []string{fmt.Sprintf("https://t%d.example.com", i), fmt.Sprintf("https://*.t%d.example.org", i), "https://app.example.com"}
			p.Rules = append(p.Rules, r)
		}
		return changedEach(p, func(i int, r *corsrpcv1.Rule) { r.AllowOrigins[0] = fmt.Sprintf("https://u%d.example.com", i) })
	}, 1},
	{"rules that share origins", 250, func(n int) (_, _ *corsrpcv1.Policy) {
		p := &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: append(numbered(n, "https://t%d.example.com"), "https://*.example.com"), AllowOriginsFrom: []string{"tenants"}}}
		for i := range n {
			r := forUnknown(fmt.Sprintf("acme.v1.S%d", i))
			r.AllowHeaders = []string{fmt.Sprintf("x-%d", i%7)}
			p.Rules = append(p.Rules, r)
		}
		old, next := changedEach(p, func(int, *corsrpcv1.Rule) {})
		next.Defaults.AllowOrigins = append(next.Defaults.AllowOrigins[1:], "https://new.example.org")
		return old, next
	}, 0},
	{"rules for headers of their own", 250, func(n int) (_, _ *corsrpcv1.Policy) {
		p := &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: []string{"https://app.example.com"}, AllowHeaders: []string{"x-a", "x-b-*"}}}
		for i := range n {
			r := forUnknown(fmt.Sprintf("acme.v1.S%d", i))
			r.AllowHeaders, r.HideHeaders = []string{fmt.Sprintf("x-%d-*", i)}, []string{fmt.Sprintf("x-%d", i)}
			p.Rules = append(p.Rules, r)
		}
		return changedEach(p, func(i int, r *corsrpcv1.Rule) { r.DenyHeaders = []string{fmt.Sprintf("x-%d-a", i)} })
	}, 0},
	{"paths", 150, func(n int) (_, _ *corsrpcv1.Policy) {
		p := &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: []string{"https://app.example.com"}}}
		for i := range n {
			for _, path := range []string{"/a%d/{id}", "/a%d/b/", "/c/d%d"} {
				p.Rules = append(p.Rules, &corsrpcv1.Rule{Path: fmt.Sprintf(path, i), AllowMethods: []string{"GET", "POST"}})
			}
		}
		return changedEach(p, func(i int, r *corsrpcv1.Rule) { r.AllowMethods = []string{"GET", []string{"PUT", "DELETE"}[i%2]} })
	}, 0},
	{"origins", 2500, func(n int) (_, _ *corsrpcv1.Policy) {
		list := slices.Concat(numbered(n, "https://t%d.example.com"), numbered(n/10, "https://*.w%d.example.com"), numbered(n/10, "https://pr-*.v%d.example.com"), numbered(n/10, "https://p%d.example.com:*"))
		return &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: list}}, &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: append(slices.Clone(list[n/2:]), numbered(n, "https://u%d.example.com")...)}}
	}, 0},
	{"origins below a star", 2500, func(n int) (_, _ *corsrpcv1.Policy) {
		return &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: append(numbered(n, "https://t%d.example.com"), "https://*.b.example.com")}},
			&corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: append(numbered(n, "https://t%d.b.example.com"), "https://*.example.com")}}
	}, 0},
	{"paths of unrelated owners", 1000, func(n int) (_, _ *corsrpcv1.Policy) {
		path := func(origins []string) *corsrpcv1.Policy {
			return &corsrpcv1.Policy{Rules: []*corsrpcv1.Rule{{Path: "/a", AllowOrigins: origins, AllowMethods: []string{"POST"}, AcceptRisks: []corsrpcv1.Risk{corsrpcv1.Risk_RISK_ANY_INSTALLATION}}}}
		}
		return path(append(numbered(n, "https://t%d.example.com"), "moz-extension://*")), path(numbered(n, "https://t%d.example.com"))
	}, 0},
	{"names of headers", 1000, func(n int) (_, _ *corsrpcv1.Policy) {
		list := slices.Concat(numbered(n, "x-p%d-*"), numbered(n, "x-n%d"))
		rule := func(allow, deny, expose, hide []string) *corsrpcv1.Policy {
			return &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: []string{"https://app.example.com"}, AllowHeaders: allow, DenyHeaders: deny, ExposeHeaders: expose, HideHeaders: hide}}
		}
		return rule(list, numbered(n, "x-p%d-a"), numbered(n, "x-e%d"), numbered(n, "x-h%d-*")), rule(list[n/2:], numbered(n, "x-p%d-b"), numbered(n, "x-f%d"), numbered(n, "x-i%d-*"))
	}, 0},
	{"procedures", 500, func(n int) (_, _ *corsrpcv1.Policy) {
		p := &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: []string{"https://app.example.com"}}}
		for i := range n {
			p.Rules = append(p.Rules, &corsrpcv1.Rule{Selector: fmt.Sprintf("acme.v1.S%d.M%d", i/10, i%10), MaxAge: nil, Timing: proto.Bool(true)})
		}
		return changedEach(p, func(_ int, r *corsrpcv1.Rule) { r.Timing = proto.Bool(false) })
	}, 1},
}

// schemaWith returns a schema with a number of procedures, ten for each service.
func schemaWith(t testing.TB, procedures int) *protoregistry.Files {
	t.Helper()
	file := &descriptorpb.FileDescriptorProto{
		Name: proto.String("acme.proto"), Syntax: proto.String("proto3"), Package: proto.String("acme.v1"), MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}},
	}
	for i := range procedures {
		if i%10 == 0 {
			file.Service = append(file.Service, &descriptorpb.ServiceDescriptorProto{Name: proto.String(fmt.Sprintf("S%d", i/10))})
		}
		s := file.Service[i/10]
		s.Method = append(s.Method, &descriptorpb.MethodDescriptorProto{Name: proto.String(fmt.Sprintf("M%d", i%10)), InputType: proto.String(".acme.v1.M"), OutputType: proto.String(".acme.v1.M")})
	}
	files, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{file}})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// compiled compiles a pair of policies of a size.
func (in comparedInput) compiled(t testing.TB, n int) (old, next *rules.Rules) {
	t.Helper()
	files := schemaWith(t, in.procedures*n)
	compile := func(p *corsrpcv1.Policy) *rules.Rules {
		r, problems := rules.Compile(p, nil, rules.Config{Files: files, LongList: rules.DefaultLongList}, nil)
		if len(problems) > 0 {
			t.Fatal(problems[0])
		}
		return r
	}
	a, b := in.make(n)
	return compile(a), compile(b)
}

// questions are the questions about policies, by name. Each looks at the whole of a policy.
var questions = []struct {
	name string
	ask  func(t testing.TB, old, next *rules.Rules)
}{
	{"Compare", func(t testing.TB, old, next *rules.Rules) {
		t.Helper()
		if c := analysis.Compare(old, next); len(c.Undecided) > 0 || len(c.Differences) == 0 {
			t.Errorf("%d differences, undecided: %q", len(c.Differences), c.Undecided)
		}
	}},
	{"Compare without a difference", func(t testing.TB, old, _ *rules.Rules) {
		t.Helper()
		if c := analysis.Compare(old, old); c.Verdict() != analysis.Same {
			t.Error(c.Verdict())
		}
	}},
	{"Never", func(t testing.TB, old, _ *rules.Rules) {
		t.Helper()
		if p := analysis.Never(old, analysis.CallSet{Credentials: proto.Bool(true), RequestHeaders: []string{"x-none"}}); !p.Holds {
			t.Errorf("%+v", p)
		}
	}},
	{"Never, with many origins", func(t testing.TB, old, _ *rules.Rules) {
		t.Helper()
		var outside []origin.Pattern
		for _, text := range old.Uncovered.Origins().Patterns().All {
			pattern, _ := origin.ParsePattern(text)
			outside = append(outside, pattern)
		}
		for _, text := range []string{"https://*.example.com:*", "https://*.example.org", "moz-extension://*"} {
			pattern, _ := origin.ParsePattern(text)
			outside = append(outside, pattern)
		}
		if p := analysis.Never(old, analysis.CallSet{OriginsOutside: outside, ExceptSources: []string{"tenants"}}); !p.Holds {
			t.Errorf("%+v", p)
		}
	}},
	{"Never, for many origins and selectors", func(t testing.TB, old, _ *rules.Rules) {
		t.Helper()
		var origins []origin.Pattern
		for _, text := range numbered(max(len(old.Selectors), len(old.Paths), old.Uncovered.Origins().Len()), "https://n%d.example.net") {
			pattern, _ := origin.ParsePattern(text)
			origins = append(origins, pattern)
		}
		calls := []string{"*"}
		for _, s := range old.Selectors {
			calls = append(calls, s.Name, s.Name+".*")
		}
		if p := analysis.Never(old, analysis.CallSet{Calls: calls, Origins: origins, ExceptSources: []string{"tenants"}}); !p.Holds {
			t.Errorf("%+v", p)
		}
	}},
	{"Always, outside many origins", func(t testing.TB, old, _ *rules.Rules) {
		t.Helper()
		everyone, _ := origin.ParsePattern("https://*.example.com")
		analysis.Always(old, analysis.CallSet{OriginsOutside: []origin.Pattern{everyone}})
	}},
	{"Always", func(t testing.TB, old, next *rules.Rules) {
		t.Helper()
		app, _ := origin.ParsePattern("https://app.example.com")
		analysis.Always(old, analysis.CallSet{Origins: []origin.Pattern{app}, Calls: []string{"acme.v1.*"}})
	}},
}

// cost returns the bytes that a question allocates about pairs of a size, and its time.
func (in comparedInput) cost(t *testing.T, n int, ask func(t testing.TB, old, next *rules.Rules)) (bytes float64, took time.Duration) {
	t.Helper()
	old, next := in.compiled(t, n)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	ask(t, old, next)
	took = time.Since(start)
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc - before.TotalAlloc), took
}

// TestCostOfQuestionsGrowsWithSize: the answer to a question about policies of four times the size takes about
// four times the memory, where a quadratic cost would take sixteen times.
func TestCostOfQuestionsGrowsWithSize(t *testing.T) {
	for _, in := range comparedInputs {
		for _, q := range questions {
			t.Run(in.name+"/"+q.name, func(t *testing.T) {
				a, _ := in.cost(t, in.n, q.ask)
				b, took := in.cost(t, 4*in.n, q.ask)
				exponent := math.Log(b/a) / math.Log(4)
				t.Logf("%d: %.0f bytes, %v; exponent %.2f", 4*in.n, b, took, exponent)
				if b > 1<<20 && exponent > 1.35 {
					t.Errorf("%d: %.0f bytes, %d: %.0f bytes: the exponent is %.2f", in.n, a, 4*in.n, b, exponent)
				}
			})
		}
	}
}

// BenchmarkQuestions measures questions about policies with 10,000 rules for 10,000 procedures and with 1,000
// origins that all rules share.
func BenchmarkQuestions(b *testing.B) {
	in := comparedInput{procedures: 1, make: func(n int) (_, _ *corsrpcv1.Policy) {
		p := &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: slices.Concat(numbered(900, "https://t%d.example.com"), numbered(100, "https://*.w%d.example.com"))}}
		for i := range n {
			p.Rules = append(p.Rules, &corsrpcv1.Rule{Selector: fmt.Sprintf("acme.v1.S%d.M%d", i/10, i%10), AllowHeaders: []string{fmt.Sprintf("x-%d", i%7)}, Timing: proto.Bool(i%2 == 0)})
		}
		old, next := changedEach(p, func(i int, r *corsrpcv1.Rule) { r.Timing = proto.Bool(i%3 == 0) })
		next.Defaults.AllowOrigins = append(next.Defaults.AllowOrigins, "https://new.example.com")
		return old, next
	}}
	old, next := in.compiled(b, 10_000)
	for _, q := range questions {
		b.Run("question="+q.name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				q.ask(b, old, next)
			}
		})
	}
}
