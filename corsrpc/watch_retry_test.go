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

// blind is a layer that follows its file, of whose changes nothing tells but polling, until the
// test ends.
func blind(t *testing.T, file string, opts ...corsrpc.Option) *watched {
	t.Helper()
	w := loadWatched(t, file, opts...)
	w.layer.PollOnly()
	w.follow()
	w.nothing("at the start")
	return w
}

// nothing is told by now.
func (w *watched) nothing(when string) {
	w.t.Helper()
	synctest.Wait()
	select {
	case e := <-w.told:
		w.t.Errorf("%s: told %v", when, e.Err)
	default:
	}
}

// within is the next reload, which has to be told in this time and no sooner than a
// poll before.
func (w *watched) within(d time.Duration, says, inForce string) {
	w.t.Helper()
	start := time.Now()
	w.next(says, inForce)
	if took := time.Since(start); took > d || took < d-2*time.Second {
		w.t.Errorf("told after %v, want %v or up to 2 s less", took, d)
	}
}

// One poll, and the time that a file is left alone.
const poll = 2*time.Second + 50*time.Millisecond

// clocked is a source that fails until it is healed, each time with another text, and
// keeps when it was asked.
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

// heal has it answer from now on, or fail again, and forget when it was asked.
func (c *clocked) heal(healed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.healed, c.asked = healed, nil
}

// timesAsked is how often it was since heal.
func (c *clocked) timesAsked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.asked)
}

// pauses are the whole seconds between one time that it was asked and the next.
func (c *clocked) pauses() (all []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := 1; i < len(c.asked); i++ {
		all = append(all, int(c.asked[i].Sub(c.asked[i-1]).Seconds()))
	}
	return all
}

// failing is a layer whose file names a source that fails: that is told.
func failing(t *testing.T) (*watched, *clocked, string) {
	t.Helper()
	source := &clocked{}
	file := writeFile(t, "cors.yaml", policyOf("a"))
	w := blind(t, file, corsrpc.WithOriginSource("tenants", source))
	replace(t, file, tenantsPolicy)
	w.within(poll, "down", "a")
	return w, source, file
}

// TestWatchRetriesSources: a policy that names a source which fails is put in force
// when that answers, though the file does not change any more; it is asked ever less
// often meanwhile, and that it fails is told once.
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

// TestWatchForgetsWhatWaits: a policy that waits for its source is not put in force
// any more when the file holds another, bad or good, nor as long as there is none.
func TestWatchForgetsWhatWaits(t *testing.T) {
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
			time.Sleep(1990 * time.Millisecond) // behind the poll, before the next try
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

// TestWatchSourceThatNobodyGave: a policy that names one is told once, and not
// tried again until the file changes.
func TestWatchSourceThatNobodyGave(t *testing.T) {
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
