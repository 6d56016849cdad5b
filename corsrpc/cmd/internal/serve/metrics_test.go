package serve

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// newMetrics returns metrics until the test ends.
func newMetrics(t *testing.T) *Metrics {
	t.Helper()
	m, err := NewMetrics()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// lines returns the lines of the metrics that begin with a name.
func (p *port) lines(name string) (found []string) {
	p.t.Helper()
	w := p.get("/metrics")
	if w.Code != http.StatusOK {
		p.t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, name+"{") || strings.HasPrefix(line, name+" ") {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

// TestMetrics: the metrics have the decisions, the plan's digest, reloads and origin sources of each policy,
// the instruments of the program, and Go's runtime and the process.
func TestMetrics(t *testing.T) {
	t.Parallel()
	metrics := newMetrics(t)
	o := openOrigins(t, &corsrpcv1.OriginSource{Name: "tenants", Url: "sqlite:" + sqliteFile(t, filepath.Join(t.TempDir(), "t.db"), "tenants", shop)})
	file := policyFile(t, appPolicy)
	one := newRunning(t, PolicyConfig{Name: "one", File: file, Metrics: metrics})
	two := newRunning(t, PolicyConfig{Name: "two", File: policyFile(t, tenantsPolicy), Metrics: metrics, Sources: map[string]Source{"tenants": o.Source()}})
	one.awaitReady()
	two.awaitReady()
	p := newPort(t, InternalConfig{Metrics: metrics}, one.Policy, two.Policy)
	one.allows(shop, "/a.B/C")
	two.allows(shop, "/a.B/C")
	write(t, file, "defaults: [")
	one.await("a failure", func() bool { return one.log.count("policy reload failed") == 1 })
	one.settle(appPolicy + "\nrules: [{selector: a.B, allow_headers: [x-a]}]")
	calls, err := metrics.Meter("gateway").Int64Counter("gateway.calls", metric.WithDescription("Calls."))
	if err != nil {
		t.Fatal(err)
	}
	calls.Add(context.Background(), 7, metric.WithAttributes(attribute.String("upstream", "shop")))
	for name, want := range map[string][]string{
		"corsrpc_decisions_total":      {`corsrpc_policy_name="one"`, `corsrpc_reason="ORIGIN_NOT_ALLOWED"`, `corsrpc_policy_name="two"`},
		"corsrpc_plan_info":            {`corsrpc_plan_digest="` + one.Digest() + `",corsrpc_policy_name="one"} 1`, `corsrpc_plan_digest="` + two.Digest() + `",corsrpc_policy_name="two"} 1`},
		"corsrpc_policy_reloads_total": {`{corsrpc_policy_name="one"} 1`, `{corsrpc_policy_name="one",error_type="_OTHER"} 1`},
		"corsrpc_source_origins":       {`corsrpc_policy_name="two",corsrpc_source_name="tenants"} 1`},
		"gateway_calls_total":          {`{upstream="shop"} 7`},
		"go_goroutines":                {"go_goroutines "},
		"process_open_fds":             {"process_open_fds "},
	} {
		text := strings.Join(p.lines(name), "\n")
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("%s has no %s:\n%s", name, part, text)
			}
		}
	}
	if text := p.get("/metrics").Body.String(); strings.Contains(text, "https://") {
		t.Error("a label has an origin")
	}
}

// TestMetricsOfEndedPolicy: a policy that has ended has no plan in force.
func TestMetricsOfEndedPolicy(t *testing.T) {
	t.Parallel()
	metrics := newMetrics(t)
	p := newPort(t, InternalConfig{Metrics: metrics})
	policy := newIdle(t, PolicyConfig{Metrics: metrics})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- policy.Run(ctx) }()
	await(t, "ready", func() bool { ok, _ := policy.Ready(); return ok })
	if n := len(p.lines("corsrpc_plan_info")); n != 1 {
		t.Errorf("%d plans", n)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := len(p.lines("corsrpc_plan_info")); n != 0 {
		t.Errorf("%d plans after the end", n)
	}
}
