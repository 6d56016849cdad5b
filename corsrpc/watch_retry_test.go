package corsrpc_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// blind returns a layer that follows its file until the test ends, and notices changes by polling only.
func blind(t *testing.T, file string, opts ...corsrpc.Option) *watched {
	t.Helper()
	w := loadWatched(t, file, opts...)
	w.layer.PollOnly()
	w.follow()
	w.nothing("at the start")
	return w
}

// nothing checks that no event has been reported.
func (w *watched) nothing(when string) {
	w.t.Helper()
	synctest.Wait()
	select {
	case e := <-w.told:
		w.t.Errorf("%s: told %v", when, e.Err)
	default:
	}
}

// within returns the next reload, which has to be reported after at least a poll and within the given time.
func (w *watched) within(d time.Duration, says, inForce string) {
	w.t.Helper()
	start := time.Now()
	w.next(says, inForce)
	if took := time.Since(start); took > d || took < d-2*time.Second {
		w.t.Errorf("told after %v, want %v or up to 2 s less", took, d)
	}
}

// The period of polling, plus the debounce time.
const poll = 2*time.Second + 50*time.Millisecond

// clocked is a source that fails until heal is called, with another text each time. It records the times
// when it is loaded.
type clocked struct {
	mu     sync.Mutex
	healed bool
	asked  []time.Time
}

func (c *clocked) Origins(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.asked = append(c.asked, time.Now())
		if !c.healed {
			yield("", fmt.Errorf("read tcp 10.0.0.1:%d: down", 50000+len(c.asked)))
			return
		}
		yield(shop, nil)
	}
}

// heal makes the source succeed from now on, or fail again, and clears the recorded times.
func (c *clocked) heal(healed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.healed, c.asked = healed, nil
}

// timesAsked returns the number of loads since heal.
func (c *clocked) timesAsked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.asked)
}

// pauses returns the times between the loads, in whole seconds.
func (c *clocked) pauses() (all []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := 1; i < len(c.asked); i++ {
		all = append(all, int(c.asked[i].Sub(c.asked[i-1]).Seconds()))
	}
	return all
}

// failing returns a layer whose file names a source that fails, which has been reported.
func failing(t *testing.T) (*watched, *clocked, string) {
	t.Helper()
	source := &clocked{}
	file := writeFile(t, "cors.yaml", policyOf("a"))
	w := blind(t, file, corsrpc.WithOriginSource("tenants", source))
	replace(t, file, tenantsPolicy)
	w.within(poll, "down", "a")
	return w, source, file
}

// TestWatchRetriesSources checks that a policy whose source fails is put in force when the source works,
// although the file does not change. Until then the pauses between the loads grow, and the failure is
// reported once.
func TestWatchRetriesSources(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, source, file := failing(t)
		time.Sleep(3 * time.Minute)
		w.nothing("a source that still fails")
		if got := source.pauses(); len(got) < 6 || !slices.Equal(got[:6], []int{2, 4, 8, 16, 30, 30}) {
			t.Errorf("asked after %v s", got)
		}
		source.heal(true)
		time.Sleep(30 * time.Second)
		w.next("", "shop")
		time.Sleep(time.Hour)
		w.nothing("a policy in force")
		if n := source.timesAsked(); n != 1 {
			t.Errorf("asked %d times", n)
		}
		replace(t, file, policyOf("a"))
		w.within(poll, "", "a")
		source.heal(false)
		replace(t, file, tenantsPolicy)
		w.within(poll, "down", "a")
		time.Sleep(10 * time.Second)
		if got := source.pauses(); !slices.Equal(got, []int{2, 4}) {
			t.Errorf("the next time, asked after %v s", got)
		}
	})
}

// TestWatchCancelsRetries checks that a policy is not retried after the file has new content, valid or not,
// or while the file does not exist.
func TestWatchCancelsRetries(t *testing.T) {
	t.Parallel()
	t.Run("another policy", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			w, source, file := failing(t)
			replace(t, file, policyOf("b"))
			w.within(poll, "", "b")
			source.heal(true)
			time.Sleep(time.Hour)
			w.nothing("a policy that waited")
		})
	})
	t.Run("a bad one", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			w, source, file := failing(t)
			replace(t, file, "defaults: [")
			w.within(poll, "is no YAML", "a")
			source.heal(true)
			time.Sleep(time.Hour)
			w.nothing("a policy that waited")
		})
	})
	t.Run("another at the last moment", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			w, source, file := failing(t)
			time.Sleep(1990 * time.Millisecond) // after the poll, before the retry
			source.heal(true)
			replace(t, file, policyOf("b"))
			w.within(60*time.Millisecond, "", "b")
			if source.timesAsked() != 0 {
				t.Error("what waited was tried first")
			}
		})
	})
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			w, source, file := failing(t)
			if err := os.Rename(file, file+"~"); err != nil {
				t.Fatal(err)
			}
			w.within(poll, "no such file", "a")
			source.heal(true)
			time.Sleep(time.Hour)
			w.nothing("a file that is away")
			if err := os.Rename(file+"~", file); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			w.next("", "shop")
		})
	})
}

// TestWatchUnknownSource checks that a policy with an unknown source is reported once, and not retried until
// the file changes.
func TestWatchUnknownSource(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		file := writeFile(t, "cors.yaml", policyOf("a"))
		source := &clocked{healed: true}
		w := blind(t, file, corsrpc.WithOriginSource("tenants", source))
		replace(t, file, `defaults: {allow_origins_from: [tenants, unknown]}`)
		w.within(poll, `"unknown"`, "a")
		time.Sleep(time.Hour)
		w.nothing("a file that did not change")
		if w.layer.RetriesFile() || source.timesAsked() != 0 {
			t.Errorf("tried again: %v; another source was asked %d times", w.layer.RetriesFile(), source.timesAsked())
		}
		replace(t, file, tenantsPolicy)
		w.within(poll, "", "shop")
	})
}
