package corsrpc_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// follow has Watch run until the test ends, in whose bubble no goroutine may be left.
func follow(t *testing.T, layer *corsrpc.Layer) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- layer.Watch(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	synctest.Wait()
}

// line is a table whose line can be cut: Notify fails then. It counts who listens.
type line struct {
	*table
	cut             atomic.Bool
	listeners, most atomic.Int32
}

func (l *line) Notify(ctx context.Context) error {
	if l.cut.Load() {
		return errors.New("the line is cut")
	}
	l.most.Store(max(l.most.Load(), l.listeners.Add(1)))
	defer l.listeners.Add(-1)
	select {
	case <-ctx.Done():
		time.Sleep(time.Second) // it takes its time to hang up
		return ctx.Err()
	case <-l.notices:
		return nil
	}
}

// TestWatchListensToWhatIsNamed: a source is listened to as long as a policy names
// it, and nothing is told of the line of one that none names.
func TestWatchListensToWhatIsNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenants, seen := &line{table: &table{rows: []string{shop}, notices: make(chan struct{})}}, &events{}
		layer, log := newLayer(t, smallest, corsrpc.WithObserver(seen), corsrpc.WithOriginSource("tenants", tenants))
		named, unnamed := compilePolicy(t, tenantsPolicy), compilePolicy(t, smallest)
		reload := func(plan *corsrpc.Plan, listeners int32) {
			t.Helper()
			if err := layer.Reload(t.Context(), plan); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if n := tenants.listeners.Load(); n != listeners {
				t.Errorf("%d listen, want %d", n, listeners)
			}
		}
		tenants.cut.Store(true)
		follow(t, layer)
		time.Sleep(time.Minute)
		if told := seen.of(corsrpc.EventRefresh); len(told) != 0 || strings.Contains(log.String(), "cut") {
			t.Errorf("told of a source that no policy names: %+v %s", told, log)
		}
		tenants.cut.Store(false)
		reload(named, 1)
		if n := tenants.timesAsked(); n != 1 {
			t.Errorf("Reload has asked it, and it was asked %d times", n)
		}
		tenants.set(nil, cafe)
		tenants.notices <- struct{}{}
		synctest.Wait()
		if !allows(layer, cafe) || allows(layer, shop) {
			t.Error("a notice was not heard")
		}
		reload(unnamed, 0)
		reload(named, 1)
		for _, plan := range []*corsrpc.Plan{unnamed, named, unnamed, named} { // while the line hangs up
			if err := layer.Reload(t.Context(), plan); err != nil {
				t.Fatal(err)
			}
		}
		reload(named, 1)
		if n := tenants.most.Load(); n != 1 {
			t.Errorf("%d listened at once", n)
		}
	})
}

// TestWatchAsksOnce: what SourceWait has asked, Watch does not ask again at the start.
func TestWatchAsksOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenants := &table{rows: []string{shop}}
		layer, _ := newLayer(t, tenantsPolicy, corsrpc.WithOriginSource("tenants", tenants, corsrpc.SourceWait(time.Second), corsrpc.SourceEvery(time.Minute)))
		follow(t, layer)
		if n := tenants.timesAsked(); n != 1 {
			t.Errorf("asked %d times at the start", n)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := tenants.timesAsked(); n != 2 {
			t.Errorf("asked %d times after a period", n)
		}
	})
}
