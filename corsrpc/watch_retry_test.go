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

// watchByPolling returns a layer that follows its file until the test ends, and notices changes by polling only.
func watchByPolling(t *testing.T, file string, opts ...corsrpc.Option) *watched {
	t.Helper()
	w := loadWatched(t, file, opts...)
	w.layer.PollOnly()
	w.follow()
	w.expectNone("at the start")
	return w
}

// expectNone checks that no event has been reported.
func (w *watched) expectNone(when string) {
	w.t.Helper()
	synctest.Wait()
	select {
	case e := <-w.reported:
		w.t.Errorf("%s: reported %v", when, e.Err)
	default:
	}
}

// nextWithin returns the next reload, which has to be reported after at least a poll and within the given time.
func (w *watched) nextWithin(d time.Duration, says, inForce string) {
	w.t.Helper()
	start := time.Now()
	w.next(says, inForce)
	if took := time.Since(start); took > d || took < d-2*time.Second {
		w.t.Errorf("reported after %v, want %v or up to 2 s less", took, d)
	}
}

// The period of polling, plus the debounce time.
const poll = 2*time.Second + 50*time.Millisecond

// recordingSource is a source that fails until setWorks is called, with another text each time. It records the times
// when it is loaded.
type recordingSource struct {
	mu    sync.Mutex
	works bool
	asked []time.Time
}

func (c *recordingSource) Origins(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.asked = append(c.asked, time.Now())
		if !c.works {
			yield("", fmt.Errorf("read tcp 10.0.0.1:%d: down", 50000+len(c.asked)))
			return
		}
		yield(shop, nil)
	}
}

// setWorks makes the source succeed from now on, or fail again, and clears the recorded times.
func (c *recordingSource) setWorks(works bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.works, c.asked = works, nil
}

// timesLoaded returns the number of loads since setWorks.
func (c *recordingSource) timesLoaded() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.asked)
}

// pauses returns the times between the loads, in whole seconds.
func (c *recordingSource) pauses() (all []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := 1; i < len(c.asked); i++ {
		all = append(all, int(c.asked[i].Sub(c.asked[i-1]).Seconds()))
	}
	return all
}

// layerWithFailingSource returns a layer whose file names a source that fails, which has been reported.
func layerWithFailingSource(t *testing.T) (*watched, *recordingSource, string) {
	t.Helper()
	source := &recordingSource{}
	file := writeFile(t, "cors.yaml", policyOf("a"))
	w := watchByPolling(t, file, corsrpc.WithOriginSource("tenants", source))
	replace(t, file, tenantsPolicy)
	w.nextWithin(poll, "down", "a")
	return w, source, file
}

// TestWatchRetriesSources checks that a policy whose source fails is put in force when the source works,
// although the file does not change. Until then the pauses between the loads grow, and the failure is
// reported once.
func TestWatchRetriesSources(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, source, file := layerWithFailingSource(t)
		time.Sleep(3 * time.Minute)
		w.expectNone("a source that still fails")
		if got := source.pauses(); len(got) < 6 || !slices.Equal(got[:6], []int{2, 4, 8, 16, 30, 30}) {
			t.Errorf("loaded after %v s", got)
		}
		source.setWorks(true)
		time.Sleep(30 * time.Second)
		w.next("", "shop")
		time.Sleep(time.Hour)
		w.expectNone("a policy in force")
		if n := source.timesLoaded(); n != 1 {
			t.Errorf("loaded %d times", n)
		}
		replace(t, file, policyOf("a"))
		w.nextWithin(poll, "", "a")
		source.setWorks(false)
		replace(t, file, tenantsPolicy)
		w.nextWithin(poll, "down", "a")
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
			w, source, file := layerWithFailingSource(t)
			replace(t, file, policyOf("b"))
			w.nextWithin(poll, "", "b")
			source.setWorks(true)
			time.Sleep(time.Hour)
			w.expectNone("a policy that waited")
		})
	})
	t.Run("a bad one", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			w, source, file := layerWithFailingSource(t)
			replace(t, file, "defaults: [")
			w.nextWithin(poll, "[SYNTAX]", "a")
			source.setWorks(true)
			time.Sleep(time.Hour)
			w.expectNone("a policy that waited")
		})
	})
	t.Run("another at the last moment", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			w, source, file := layerWithFailingSource(t)
			time.Sleep(1990 * time.Millisecond) // after the poll, before the retry
			source.setWorks(true)
			replace(t, file, policyOf("b"))
			w.nextWithin(60*time.Millisecond, "", "b")
			if source.timesLoaded() != 0 {
				t.Error("what waited was tried first")
			}
		})
	})
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			w, source, file := layerWithFailingSource(t)
			if err := os.Rename(file, file+"~"); err != nil {
				t.Fatal(err)
			}
			w.nextWithin(poll, "no such file", "a")
			source.setWorks(true)
			time.Sleep(time.Hour)
			w.expectNone("a file that is away")
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
		source := &recordingSource{works: true}
		w := watchByPolling(t, file, corsrpc.WithOriginSource("tenants", source))
		replace(t, file, `defaults: {allow_origins_from: [tenants, unknown]}`)
		w.nextWithin(poll, `"unknown"`, "a")
		time.Sleep(time.Hour)
		w.expectNone("a file that did not change")
		if w.layer.RetriesFile() || source.timesLoaded() != 0 {
			t.Errorf("tried again: %v; another source was loaded %d times", w.layer.RetriesFile(), source.timesLoaded())
		}
		replace(t, file, tenantsPolicy)
		w.nextWithin(poll, "", "shop")
	})
}
