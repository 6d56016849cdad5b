package corsrpc_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

const tenantsPolicy = `defaults: {allow_origins_from: [tenants]}`

// table is an origin source for tests, which can fail, hang or notify.
type table struct {
	mu      sync.Mutex
	rows    []string
	err     error         // yielded after the rows
	hangs   bool          // Origins blocks until the context ends
	notices chan struct{} // notifications; nil if the source does not notify
	asked   int
}

func (t *table) set(err error, rows ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows, t.err = rows, err
}

func (t *table) Origins(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		t.mu.Lock()
		rows, err, hangs := t.rows, t.err, t.hangs
		t.asked++
		t.mu.Unlock()
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
		if hangs {
			<-ctx.Done()
		}
		if err != nil {
			yield("", err)
		}
	}
}

func (t *table) timesLoaded() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.asked
}

// notifying is a table that implements OriginNotifier.
type notifying struct{ *table }

func (n notifying) Notify(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case _, ok := <-n.notices:
		if !ok {
			return errors.New("the line is cut")
		}
		return nil
	}
}

const (
	shop = "https://shop.example.com"
	cafe = "https://cafe.example.com"
)

// TestSource checks that a source allows no origin before its first load, that a failure keeps the last
// set, that an incomplete set is not used, and that a load replaces the whole set.
func TestSource(t *testing.T) {
	t.Parallel()
	tenants, seen := &table{}, &events{}
	layer, log := newLayer(t, tenantsPolicy, corsrpc.WithObserver(seen), corsrpc.WithOriginSource("tenants", tenants))
	for _, step := range []struct {
		name       string
		rows       []string
		err        error
		shop, cafe bool
		report     corsrpc.SourceReport
	}{
		{"fails at first", []string{shop}, errors.New("down"), false, false, corsrpc.SourceReport{}},
		{"good", []string{shop}, nil, true, false, corsrpc.SourceReport{Origins: 1}},
		{"fails", nil, errors.New("down"), true, false, corsrpc.SourceReport{Origins: 1}},
		{"fails behind rows", []string{cafe}, errors.New("cut"), true, false, corsrpc.SourceReport{Origins: 1}},
		{"works again, with rows that are not origins", []string{cafe, "*", "https://*.example.com", "\x1b[31m", cafe}, nil, false, true, corsrpc.SourceReport{Origins: 1, Skipped: 3, Sample: "*"}},
		{"the same rows", []string{cafe, "*", "https://*.example.com", "\x1b[31m"}, nil, false, true, corsrpc.SourceReport{Origins: 1, Skipped: 3, Sample: "*"}},
		{"empty", nil, nil, false, false, corsrpc.SourceReport{}},
	} {
		tenants.set(step.err, step.rows...)
		err := layer.Refresh(t.Context(), "tenants")
		if !errors.Is(err, step.err) {
			t.Errorf("%s: %v, want %v", step.name, err, step.err)
		}
		if allows(layer, shop) != step.shop || allows(layer, cafe) != step.cafe {
			t.Errorf("%s: shop %v, cafe %v", step.name, allows(layer, shop), allows(layer, cafe))
		}
		all := seen.of(corsrpc.EventRefresh)
		got := all[len(all)-1].Source
		if !errors.Is(got.Err, step.err) || got.Name != "tenants" || got.Origins != step.report.Origins || got.Skipped != step.report.Skipped || got.Sample != step.report.Sample || (got.Age > 0) != (step.name != "fails at first") {
			t.Errorf("%s: %+v", step.name, got)
		}
		if got.Loaded.IsZero() != (step.name == "fails at first") {
			t.Errorf("%s: loaded %v", step.name, got.Loaded)
		}
		now := layer.Sources()
		if len(now) != 1 || now[0].Age < got.Age || !now[0].Loaded.Equal(got.Loaded) {
			t.Fatalf("%s: %+v, after %+v", step.name, now, got)
		}
		now[0].Age, now[0].Loaded = got.Age, got.Loaded
		if now[0] != got {
			t.Errorf("%s: %+v, want %+v", step.name, now[0], got)
		}
	}
	for _, want := range []string{"level=ERROR", "down", `source=tenants`, "level=WARN", "skipped=3", "sample=*"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %q: %s", want, log)
		}
	}
	if n := strings.Count(log.String(), "skipped="); n != 1 {
		t.Errorf("rows that stay as they are were logged %d times", n)
	}
	if n := strings.Count(log.String(), "has never been loaded, so it allows no origin"); n != 1 {
		t.Errorf("the log reports %d failures of a source without a set, want 1:\n%s", n, log)
	}
	if n := strings.Count(log.String(), "works again"); n != 2 {
		t.Errorf("two recoveries were logged %d times", n)
	}
	if err := layer.Refresh(t.Context(), "tenant"); err == nil || !strings.Contains(err.Error(), `"tenant"`) {
		t.Errorf("a source that is none: %v", err)
	}
}

// TestSources checks that Sources reports every source that the plan or its shadow names, loaded or not,
// with the state of its set at the time of the call.
func TestSources(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		layer, _ := newLayer(t, "defaults: {allow_origins_from: [tenants, partners]}\nshadow: {defaults: {allow_origins_from: [guests]}}",
			corsrpc.WithOriginSource("tenants", rowsOf(shop, cafe), corsrpc.SourceMaxAge(time.Hour)), corsrpc.WithOriginSource("partners", rowsOf()),
			corsrpc.WithOriginSource("guests", rowsOf()), corsrpc.WithOriginSource("unnamed", rowsOf()))
		if err := layer.Refresh(t.Context(), "tenants"); err != nil {
			t.Fatal(err)
		}
		loaded := time.Now()
		for _, age := range []time.Duration{0, time.Hour} {
			time.Sleep(age)
			want := []corsrpc.SourceReport{{Name: "guests"}, {Name: "partners"}, {Name: "tenants", Origins: 2, Age: age, Loaded: loaded, Expired: age > 0}}
			if got := layer.Sources(); !slices.Equal(got, want) {
				t.Errorf("after %v: %+v\nwant %+v", age, got, want)
			}
		}
		if err := layer.Reload(t.Context(), compilePolicy(t, allowPage)); err != nil {
			t.Fatal(err)
		}
		if got := layer.Sources(); len(got) != 0 {
			t.Errorf("nobody names one, and there is %+v", got)
		}
	})
}

// TestSourceIsNotAskedByRequests checks that requests never load a source.
func TestSourceIsNotAskedByRequests(t *testing.T) {
	t.Parallel()
	tenants := &table{rows: []string{shop}}
	layer, _ := newLayer(t, tenantsPolicy, corsrpc.WithOriginSource("tenants", tenants, corsrpc.SourceWait(time.Minute)))
	for i := range 1000 {
		callFrom(layer, listRPC, fmt.Sprintf("https://x%d.example.net", i))
	}
	if callFrom(layer, listRPC, shop).Code != 200 || tenants.timesLoaded() != 1 {
		t.Errorf("loaded %d times", tenants.timesLoaded())
	}
}

// TestSourceWait checks that New waits for the first set of a source, and fails without it.
func TestSourceWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		good := &table{rows: []string{shop}}
		layer, err := corsrpc.New(compilePolicy(t, tenantsPolicy), quiet, corsrpc.WithOriginSource("tenants", good, corsrpc.SourceWait(time.Second)))
		if err != nil || !allows(layer, shop) {
			t.Errorf("%v", err)
		}
		start := time.Now()
		_, err = corsrpc.New(compilePolicy(t, tenantsPolicy), quiet, corsrpc.WithOriginSource("tenants", &table{hangs: true}, corsrpc.SourceWait(3*time.Second)))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// TestSourceThatHangs checks that loading a source ends after SourceTimeout with an error.
func TestSourceThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenants := &table{rows: []string{shop}}
		layer, _ := newLayer(t, tenantsPolicy, corsrpc.WithOriginSource("tenants", tenants, corsrpc.SourceTimeout(5*time.Second), corsrpc.SourceWait(time.Minute)))
		tenants.mu.Lock()
		tenants.hangs = true
		tenants.mu.Unlock()
		start := time.Now()
		if err := layer.Refresh(t.Context(), "tenants"); err == nil || !strings.Contains(err.Error(), "longer than 5s") || time.Since(start) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if !allows(layer, shop) {
			t.Error("the last good set is gone")
		}
		// A caller that waits for its turn gives up when its own context ends.
		go func() { _ = layer.Refresh(t.Context(), "tenants") }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := layer.Refresh(ctx, "tenants"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		synctest.Wait()
		time.Sleep(10 * time.Second)
	})
}

// TestSourceMaxAge checks that an expired set allows no origin until the source is loaded again.
func TestSourceMaxAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenants := &table{rows: []string{shop}}
		layer, _ := newLayer(t, tenantsPolicy, corsrpc.WithOriginSource("tenants", tenants, corsrpc.SourceMaxAge(time.Hour), corsrpc.SourceWait(time.Second)))
		step := func(want bool) {
			t.Helper()
			if allows(layer, shop) != want {
				t.Errorf("allowed %v", !want)
			}
		}
		step(true)
		time.Sleep(time.Hour - time.Nanosecond)
		step(true)
		time.Sleep(time.Nanosecond)
		step(false)
		tenants.set(errors.New("down"))
		_ = layer.Refresh(t.Context(), "tenants")
		step(false)
		tenants.set(nil, shop)
		_ = layer.Refresh(t.Context(), "tenants")
		step(true)
	})
}

// TestSourceMaxOrigins checks that a source with too many origins fails.
func TestSourceMaxOrigins(t *testing.T) {
	t.Parallel()
	tenants := &table{rows: []string{shop}}
	layer, _ := newLayer(t, tenantsPolicy, corsrpc.WithOriginSource("tenants", tenants, corsrpc.SourceMaxOrigins(1), corsrpc.SourceWait(time.Second)))
	tenants.set(nil, cafe, cafe, shop)
	if err := layer.Refresh(t.Context(), "tenants"); err == nil || !strings.Contains(err.Error(), "more than 1 origins") || allows(layer, cafe) {
		t.Error(err)
	}
}

// TestSourceThatPanics checks that a panic of a source is an error.
func TestSourceThatPanics(t *testing.T) {
	t.Parallel()
	source := corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] { panic("wrong") })
	layer, _ := newLayer(t, tenantsPolicy, corsrpc.WithOriginSource("tenants", source))
	if err := layer.Refresh(t.Context(), "tenants"); err == nil || !strings.Contains(err.Error(), "panic in Origins: wrong") {
		t.Error(err)
	}
}

// TestReload checks that sets stay if both policies name their sources. A new source is loaded before its
// policy is put in force, and prevents it if it fails. The set of a source that no policy names is dropped.
func TestReload(t *testing.T) {
	t.Parallel()
	tenants, partners, seen := &table{rows: []string{shop}}, &table{err: errors.New("down")}, &events{}
	layer, _ := newLayer(t, tenantsPolicy, corsrpc.WithObserver(seen), corsrpc.WithOriginSource("tenants", tenants, corsrpc.SourceWait(time.Minute)), corsrpc.WithOriginSource("partners", partners))
	both := compilePolicy(t, `defaults: {allow_origins_from: [tenants, partners]}`)
	if err := layer.Reload(t.Context(), both); err == nil || !strings.Contains(err.Error(), "down") || !allows(layer, shop) || len(layer.Plan().Policy().Defaults.AllowOriginsFrom) != 1 {
		t.Errorf("a new source that fails: %v", err)
	}
	partners.set(nil, cafe)
	if err := layer.Reload(t.Context(), both); err != nil || !allows(layer, shop) || !allows(layer, cafe) || tenants.timesLoaded() != 1 {
		t.Errorf("%v, tenants loaded %d times", err, tenants.timesLoaded())
	}
	if err := layer.Reload(t.Context(), compilePolicy(t, smallest)); err != nil || allows(layer, shop) || !allows(layer, page) {
		t.Errorf("%v", err)
	}
	tenants.set(errors.New("down"))
	if err := layer.Refresh(t.Context(), "tenants"); err == nil {
		t.Error("a source that is down answers")
	}
	if all := seen.of(corsrpc.EventRefresh); all[len(all)-1].Source.Origins != 0 {
		t.Error("a set that nobody names is kept")
	}
	tenants.set(nil) // the customer is removed meanwhile
	if err := layer.Reload(t.Context(), compilePolicy(t, tenantsPolicy)); err != nil || allows(layer, shop) {
		t.Errorf("a set of long ago is in force: %v", err)
	}
	if err := layer.Reload(t.Context(), compilePolicy(t, `defaults: {allow_origins_from: [unknown]}`)); err == nil || !strings.Contains(err.Error(), `"unknown"`) {
		t.Errorf("a source that nobody gave: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := layer.Reload(ended, compilePolicy(t, smallest)); !errors.Is(err, context.Canceled) || allows(layer, page) {
		t.Errorf("a context that has ended: %v", err)
	}
	if err := layer.Reload(t.Context(), nil); err == nil {
		t.Error("no plan")
	}
	var errs []string
	for _, e := range seen.of(corsrpc.EventReload) {
		errs = append(errs, fmt.Sprint(e.Err == nil))
	}
	if got := strings.Join(errs, " "); got != "false true true true false false false" {
		t.Errorf("reported: %s", got)
	}
}

// TestWatchFollowsSources checks that sources are loaded at the start, after each period and after each
// notification, sooner after failures, and never if no rule names them.
func TestWatchFollowsSources(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		periodic, notified, unnamed := &table{rows: []string{shop}}, &table{rows: []string{shop}, notices: make(chan struct{})}, &table{}
		layer, _ := newLayer(t, `defaults: {allow_origins_from: [periodic, notifying]}`,
			corsrpc.WithOriginSource("periodic", periodic, corsrpc.SourceEvery(time.Minute)),
			corsrpc.WithOriginSource("notifying", notifying{notified}),
			corsrpc.WithOriginSource("unnamed", unnamed, corsrpc.SourceEvery(time.Second)))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- layer.Watch(ctx) }()
		synctest.Wait()
		if periodic.timesLoaded() != 1 || notified.timesLoaded() != 1 || !allows(layer, shop) {
			t.Errorf("at the start: %d, %d", periodic.timesLoaded(), notified.timesLoaded())
		}
		if err := layer.Watch(ctx); err == nil || !strings.Contains(err.Error(), "Watch is already running") {
			t.Errorf("a second Watch: %v", err)
		}
		time.Sleep(3*time.Minute + time.Second)
		synctest.Wait()
		if periodic.timesLoaded() != 4 || notified.timesLoaded() != 1 {
			t.Errorf("after three periods: %d, %d", periodic.timesLoaded(), notified.timesLoaded())
		}
		notified.set(nil, cafe)
		notified.notices <- struct{}{}
		synctest.Wait()
		if notified.timesLoaded() != 2 || !allows(layer, cafe) {
			t.Errorf("after a notification: %d", notified.timesLoaded())
		}
		// A source that fails is loaded again after 100, 200, 400 ms and so on, at most
		// after its period, until it works.
		periodic.set(errors.New("down"))
		before := periodic.timesLoaded()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if n := periodic.timesLoaded() - before; n < 9 || n > 14 || !allows(layer, shop) {
			t.Errorf("loaded %d times while it failed", n)
		}
		periodic.set(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if allows(layer, shop) {
			t.Error("it did not heal")
		}
		// After a failure of Notify the source is loaded, but not in a fast loop.
		before = notified.timesLoaded()
		close(notified.notices)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := notified.timesLoaded() - before; n < 8 || n > 14 {
			t.Errorf("loaded %d times without a line", n)
		}
		if unnamed.timesLoaded() != 0 {
			t.Error("a source that no rule names was asked")
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}) // fails if a goroutine is left
}

// TestNothingToWatch checks ErrNoFile.
func TestNothingToWatch(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, smallest)
	if err := layer.Watch(t.Context()); !errors.Is(err, corsrpc.ErrNoFile) {
		t.Error(err)
	}
}

// TestRefreshesTakeTurns checks that of concurrent refreshes the last one decides the set in force.
func TestRefreshesTakeTurns(t *testing.T) {
	t.Parallel()
	var n atomic.Int32
	source := corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) { yield(fmt.Sprintf("https://v%d.example.com", n.Add(1)), nil) }
	})
	layer, _ := newLayer(t, tenantsPolicy, corsrpc.WithOriginSource("tenants", source))
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { _ = layer.Refresh(t.Context(), "tenants") })
	}
	all.Wait()
	if !allows(layer, "https://v50.example.com") {
		t.Error("not the last set")
	}
}
