package corsrpc_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// versioned returns a plan with a version, which names sources.
func versioned(t *testing.T, version int, sources ...string) *corsrpc.Plan {
	t.Helper()
	from := ""
	if len(sources) > 0 {
		from = "allow_origins_from: [" + strings.Join(sources, ", ") + "], "
	}
	return compilePolicy(t, fmt.Sprintf("defaults: {allow_origins: [%s], %smax_age: %ds}", page, from, version))
}

// versionOf returns the version of the plan in force.
func versionOf(plan *corsrpc.Plan) int {
	return int(plan.Policy().GetDefaults().GetMaxAge().GetSeconds())
}

// TestRefreshKeepsTheNewPolicy checks that a policy that is replaced while a source is loaded, or while
// its set is put in force, does not come back.
func TestRefreshKeepsTheNewPolicy(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, tenantsPolicy, corsrpc.WithOriginSource("tenants", &table{rows: []string{shop}}, corsrpc.SourceWait(time.Minute)))
	plans := []*corsrpc.Plan{versioned(t, 0, "tenants"), versioned(t, 1, "tenants")}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	for range 4 {
		all.Go(func() {
			for ctx.Err() == nil {
				_ = layer.Refresh(ctx, "tenants")
			}
		})
	}
	for i := range 20_000 {
		if err := layer.Reload(ctx, plans[i%2]); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			runtime.Gosched()
			if got := versionOf(layer.Plan()); got != i%2 {
				t.Fatalf("after %d reloads the policy before is in force again", i+1)
			}
		}
	}
}

// TestReloadsTakeTurns checks that concurrent reloads load their sources one at a time, and that no policy
// is ever in force without the set of a source that it names.
func TestReloadsTakeTurns(t *testing.T) {
	t.Parallel()
	var asking, most atomic.Int32
	source := func(row string) corsrpc.OriginSource {
		return corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] {
			return func(yield func(string, error) bool) {
				defer asking.Add(-1)
				if n := asking.Add(1); n > most.Load() {
					most.Store(n)
				}
				for range 5 {
					runtime.Gosched()
				}
				yield(row, nil)
			}
		})
	}
	layer, _ := newLayer(t, smallest, quiet, corsrpc.WithOriginSource("tenants", source(shop)), corsrpc.WithOriginSource("partners", source(cafe)))
	plans := []*corsrpc.Plan{versioned(t, 0), versioned(t, 1, "tenants"), versioned(t, 2, "partners"), versioned(t, 3, "tenants", "partners")}
	ctx, cancel := context.WithCancel(t.Context())
	var reloads, readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for ctx.Err() == nil {
				plan := layer.Plan()
				named := versionOf(plan)
				if got := grants(plan, shop); got != (named&1 != 0) {
					t.Errorf("policy %d: the tenant's calls are granted: %v", named, got)
					return
				}
				if got := grants(plan, cafe); got != (named&2 != 0) {
					t.Errorf("policy %d: the partner's calls are granted: %v", named, got)
					return
				}
				runtime.Gosched()
			}
		})
	}
	for i := range 4 {
		reloads.Go(func() {
			for n := range 500 {
				if err := layer.Reload(ctx, plans[(n*(2*i+1)+i)%len(plans)]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	reloads.Wait()
	cancel()
	readers.Wait()
	if n := most.Load(); n != 1 {
		t.Errorf("%d sources were asked at once", n)
	}
}

// grants reports whether a plan grants a page's call.
func grants(plan *corsrpc.Plan, origin string) bool {
	return plan.Decide(corsrpc.Request{Method: "POST", Host: "api.example.com", Path: listRPC, Header: http.Header{
		"Origin": {origin}, "Content-Type": {"application/json"},
	}}).Outcome() == corsrpc.OutcomeGrant
}

// hangs is a source that signals when it is loaded, and returns when its context ends.
func hangs(asked chan<- struct{}) corsrpc.OriginSource {
	return corsrpc.OriginSourceFunc(func(ctx context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			asked <- struct{}{}
			<-ctx.Done()
			yield("", ctx.Err())
		}
	})
}

// TestReloadWaitsNoLongerThanItsContext checks that Reload returns when its context ends, also while another
// reload waits for a source.
func TestReloadWaitsNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	layer, _ := newLayer(t, smallest, quiet, corsrpc.WithOriginSource("tenants", hangs(asked)))
	ctx, cancel := context.WithCancel(t.Context())
	var reloads sync.WaitGroup
	reloads.Go(func() { _ = layer.Reload(ctx, versioned(t, 1, "tenants")) })
	<-asked
	ended, end := context.WithCancel(t.Context())
	end()
	if err := layer.Reload(ended, versioned(t, 0)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	cancel()
	reloads.Wait()
}

// TestWatchEndsInSilence checks that no failure is reported for a source that is loaded while Watch ends.
func TestWatchEndsInSilence(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	layer, err := corsrpc.New(versioned(t, 1, "tenants"), quiet, corsrpc.WithOriginSource("tenants", hangs(asked)),
		corsrpc.WithObserver(corsrpc.ObserverFunc(func(_ context.Context, e corsrpc.Event) { t.Errorf("%s: %v", e.Kind, e.Source.Err) })))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() { _ = layer.Watch(ctx) })
	<-asked
	cancel()
	watching.Wait()
}
