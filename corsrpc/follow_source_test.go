package corsrpc_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// follow runs Watch until the test ends. Its synctest bubble fails if a goroutine is left.
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

// line is a table whose connection can be cut, which makes Notify fail. It counts running
// calls of Notify, and their maximum.
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
		time.Sleep(time.Second) // closing the connection takes time
		return ctx.Err()
	case <-l.notices:
		return nil
	}
}

// TestWatchListensToNamedSources checks that Watch listens to a source as long as a policy names it, and
// reports no connection failures of a source that none names.
func TestWatchListensToNamedSources(t *testing.T) {
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
		if reported := seen.of(corsrpc.EventRefresh); len(reported) != 0 || strings.Contains(log.String(), "cut") {
			t.Errorf("reported a source that no policy names: %+v %s", reported, log)
		}
		tenants.cut.Store(false)
		reload(named, 1)
		if n := tenants.timesLoaded(); n != 1 {
			t.Errorf("Reload has asked it, and it was loaded %d times", n)
		}
		tenants.set(nil, cafe)
		tenants.notices <- struct{}{}
		synctest.Wait()
		if !allows(layer, cafe) || allows(layer, shop) {
			t.Error("a notice was not heard")
		}
		reload(unnamed, 0)
		reload(named, 1)
		for _, plan := range []*corsrpc.Plan{unnamed, named, unnamed, named} { // while the connection is being closed
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

// TestWatchDoesNotReloadAfterSourceWait checks that Watch does not load a source at the start that
// SourceWait has loaded.
func TestWatchDoesNotReloadAfterSourceWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenants := &table{rows: []string{shop}}
		layer, _ := newLayer(t, tenantsPolicy, corsrpc.WithOriginSource("tenants", tenants, corsrpc.SourceWait(time.Second), corsrpc.SourceEvery(time.Minute)))
		follow(t, layer)
		if n := tenants.timesLoaded(); n != 1 {
			t.Errorf("loaded %d times at the start", n)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := tenants.timesLoaded(); n != 2 {
			t.Errorf("loaded %d times after a period", n)
		}
	})
}

// TestWatchReloadsSetsBeforeTheyExpire checks that the set of a working source never expires, even if it
// does not change. The set of a source that fails does, which is reported and logged once.
func TestWatchReloadsSetsBeforeTheyExpire(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts  []corsrpc.SourceOption
		asked int // the number of loads in a day
	}{
		"no period":             {nil, 24},
		"a period far longer":   {[]corsrpc.SourceOption{corsrpc.SourceEvery(12 * time.Hour)}, 24},
		"a period as long":      {[]corsrpc.SourceOption{corsrpc.SourceEvery(2 * time.Hour)}, 24},
		"a period that is less": {[]corsrpc.SourceOption{corsrpc.SourceEvery(30 * time.Minute)}, 48},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tenants, seen := &table{rows: []string{shop}, notices: make(chan struct{})}, &events{}
				layer, log := newLayer(t, tenantsPolicy, corsrpc.WithObserver(seen),
					corsrpc.WithOriginSource("tenants", notifying{tenants}, append(test.opts, corsrpc.SourceMaxAge(2*time.Hour), corsrpc.SourceWait(time.Second))...))
				time.Sleep(90 * time.Minute) // before Watch is called
				follow(t, layer)
				before := tenants.timesLoaded()
				for range 24 * 60 {
					time.Sleep(time.Minute)
					if !allows(layer, shop) {
						t.Fatal("a source that answers allows nobody")
					}
				}
				if n := tenants.timesLoaded() - before; n < test.asked-1 || n > test.asked+1 {
					t.Errorf("loaded %d times in a day, want about %d", n, test.asked)
				}
				tenants.set(errors.New("down"))
				time.Sleep(4 * time.Hour)
				all := seen.of(corsrpc.EventRefresh)
				if r := all[len(all)-1].Source; allows(layer, shop) || !r.Expired || r.Age < 2*time.Hour {
					t.Errorf("too old, and reported %+v", r)
				}
				for _, e := range all {
					if r := e.Source; r.Expired != (r.Err != nil && r.Age >= 2*time.Hour) {
						t.Errorf("reported %+v", r)
					}
				}
				tenants.set(nil, shop)
				time.Sleep(time.Minute)
				tenants.set(errors.New("down"))
				time.Sleep(4 * time.Hour)
				if n := strings.Count(log.String(), "older than its SourceMaxAge"); n != 2 {
					t.Errorf("two sets that were too old are logged %d times", n)
				}
			})
		})
	}
}

// TestWatchLoadsOldSetsAtOnce checks that Watch loads a set at the start if it is older than its period,
// and otherwise when the period ends.
func TestWatchLoadsOldSetsAtOnce(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]time.Duration{0: time.Hour, 20 * time.Minute: 40 * time.Minute, 61 * time.Minute: 0} {
		t.Run(age.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tenants := &table{rows: []string{shop}}
				layer, _ := newLayer(t, tenantsPolicy, corsrpc.WithOriginSource("tenants", tenants, corsrpc.SourceMaxAge(2*time.Hour), corsrpc.SourceWait(time.Second)))
				time.Sleep(age)
				start := time.Now()
				follow(t, layer)
				for tenants.timesLoaded() == 1 && time.Since(start) < 3*time.Hour {
					time.Sleep(time.Minute)
					synctest.Wait()
				}
				if got := time.Since(start).Truncate(2 * time.Minute); got != want {
					t.Errorf("asked after %v, want %v", got, want)
				}
			})
		})
	}
}

// scripted is a table whose Notify returns the results of a script, and then waits.
type scripted struct {
	*table
	steps []step
	at    []time.Duration // when each call began, since start
	start time.Time
}

// step is one call of Notify.
type step struct {
	takes time.Duration
	fails bool
}

func (s *scripted) Notify(ctx context.Context) error {
	if len(s.at) == len(s.steps) {
		<-ctx.Done()
		return ctx.Err()
	}
	next := s.steps[len(s.at)]
	s.at = append(s.at, time.Since(s.start))
	time.Sleep(next.takes)
	if next.fails {
		return errors.New("the line is cut")
	}
	return nil
}

// TestWatchPausesBetweenConnections checks that Watch doubles its pause after each failure of Notify,
// until Notify has succeeded twice in a row or has waited for long.
func TestWatchPausesBetweenConnections(t *testing.T) {
	t.Parallel()
	listens, cut, notified := step{}, step{fails: true}, step{takes: time.Millisecond}
	for name, test := range map[string]struct {
		before []step
		want   time.Duration // the pause after the next failure
	}{
		"the first failure":              {nil, 100 * time.Millisecond},
		"the fourth failure":             {[]step{cut, cut, cut}, 800 * time.Millisecond},
		"cut as soon as it is connected": {[]step{listens, cut, listens, cut, listens, cut, listens}, 800 * time.Millisecond},
		"cut for ever":                   {slices.Repeat([]step{listens, cut}, 20), 30 * time.Second},
		"it reported a change":           {[]step{cut, cut, cut, listens, notified}, 100 * time.Millisecond},
		"it was connected for long":      {[]step{cut, cut, cut, listens, {takes: time.Minute, fails: true}}, 200 * time.Millisecond},
		"it was connected for a while":   {[]step{cut, cut, cut, listens, {takes: time.Second, fails: true}}, 1600 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{table: &table{rows: []string{shop}}, steps: append(slices.Clone(test.before), cut, listens), start: time.Now()}
				layer, _ := newLayer(t, tenantsPolicy, corsrpc.WithOriginSource("tenants", s))
				follow(t, layer)
				time.Sleep(time.Hour)
				synctest.Wait()
				n := len(test.before)
				if len(s.at) != n+2 {
					t.Fatalf("%d calls of Notify, want %d", len(s.at), n+2)
				}
				if got := s.at[n+1] - s.at[n]; got != test.want {
					t.Errorf("a pause of %v, want %v", got, test.want)
				}
				if asked := s.timesLoaded(); asked < 2 || asked > n+4 {
					t.Errorf("loaded %d times", asked)
				}
			})
		})
	}
}
