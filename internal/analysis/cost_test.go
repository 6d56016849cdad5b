package analysis_test

import (
	"fmt"
	"math"
	"runtime"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

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
	make func(n int) *corsrpcv1.Policy
}{
	{"rules", 2500, func(n int) *corsrpcv1.Policy {
		p := &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: []string{"https://app.example.com"}, AllowHeaders: []string{"x-a", "x-b-*"}, AllowCredentials: proto.Bool(true)}}
		for i := range n {
			p.Rules = append(p.Rules, &corsrpcv1.Rule{Selector: fmt.Sprintf("acme.v1.S%d", i), AcceptRisks: []corsrpcv1.Risk{corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS}, AllowHeaders: []string{fmt.Sprintf("x-%d", i%7)}})
		}
		return p
	}},
	{"rules that change nothing, within 16 others", 500, func(n int) *corsrpcv1.Policy {
		p := &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: []string{"https://app.example.com"}}}
		pkg := "a"
		for range 16 {
			pkg += ".p"
			p.Rules = append(p.Rules, &corsrpcv1.Rule{Selector: pkg + ".*", AcceptRisks: []corsrpcv1.Risk{corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS}, AllowHeaders: []string{"x-a"}})
		}
		for i := range n {
			p.Rules = append(p.Rules, &corsrpcv1.Rule{Selector: fmt.Sprintf("%s.S%d", pkg, i), AcceptRisks: []corsrpcv1.Risk{corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS}})
		}
		return p
	}},
	{"exact origins", 50_000, func(n int) *corsrpcv1.Policy {
		return &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: append(numbered(n, "https://t%d.example.com"), "https://*.example.org"), AllowCredentials: proto.Bool(true)}}
	}},
	{"exact origins within a pattern", 50_000, func(n int) *corsrpcv1.Policy {
		return &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: append(numbered(n, "https://t%d.example.com"), "https://*.example.com")}}
	}},
	{"patterns with credentials", 5000, func(n int) *corsrpcv1.Policy {
		return &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: numbered(n, "https://*.t%d.example.com"), AllowCredentials: proto.Bool(true)}}
	}},
	{"names of headers", 10_000, func(n int) *corsrpcv1.Policy {
		return &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: []string{"https://app.example.com"}, AllowHeaders: numbered(n, "x-p%d-*"), DenyHeaders: numbered(n, "x-p%d-a")}}
	}},
}

// measured compiles a policy and finds its findings, and returns the bytes and the time of each.
func measured(t *testing.T, p *corsrpcv1.Policy) (compileBytes, findBytes uint64, compileTime, findTime time.Duration) {
	t.Helper()
	measure := func(f func()) (uint64, time.Duration) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		f()
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc, took
	}
	var r *rules.Rules
	compileBytes, compileTime = measure(func() {
		compiled, problems := rules.Compile(p, nil, rules.Config{Files: new(protoregistry.Files), LongList: rules.DefaultLongList}, nil)
		if len(problems) > 0 {
			t.Fatal(problems[0])
		}
		r = compiled
	})
	findBytes, findTime = measure(func() {
		if found, left := analysis.Findings(r); len(found) > 60 || left > 0 && len(found) < 20 {
			t.Errorf("%d findings, %d are left out", len(found), left)
		}
	})
	return compileBytes, findBytes, compileTime, findTime
}

// TestCostGrowsWithSize: the findings about a policy of four times the size take about four times the
// memory, where a quadratic cost would take sixteen times, and at most eight times that of Compile.
func TestCostGrowsWithSize(t *testing.T) {
	for _, in := range inputs {
		t.Run(in.name, func(t *testing.T) {
			_, a, _, _ := measured(t, in.make(in.n))
			compiled, b, compileTime, findTime := measured(t, in.make(4*in.n))
			exponent := math.Log(float64(b)/float64(a)) / math.Log(4)
			t.Logf("%d: Compile %d bytes, %v; Findings %d bytes, %v; exponent %.2f", 4*in.n, compiled, compileTime, b, findTime, exponent)
			if b > 1<<20 && exponent > 1.35 {
				t.Errorf("%d: %d bytes, %d: %d bytes: the exponent is %.2f", in.n, a, 4*in.n, b, exponent)
			}
			if b > 8*compiled+1<<20 {
				t.Errorf("Compile takes %d bytes, Findings %d", compiled, b)
			}
		})
	}
}
