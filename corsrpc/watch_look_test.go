package corsrpc_test

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// blind is a layer that follows its file, of whose changes nothing tells, until the
// test ends.
func blind(t *testing.T, file string, opts ...corsrpc.Option) *watched {
	t.Helper()
	w := loadWatched(t, file, opts...)
	w.blind()
	return w
}

// blind follows the file, of whose changes nothing tells.
func (w *watched) blind() {
	w.t.Helper()
	w.layer.FileEvents(nil, nil)
	w.follow()
	w.nothing("at the start")
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
// look before.
func (w *watched) within(d time.Duration, says, inForce string) {
	w.t.Helper()
	start := time.Now()
	w.next(says, inForce)
	if took := time.Since(start); took > d || took < d-2*time.Second {
		w.t.Errorf("told after %v, want %v or up to 2 s less", took, d)
	}
}

// One look and the time that a file is left alone.
const look = 2*time.Second + 50*time.Millisecond

// TestWatchLooks: where nothing tells of changes, each is seen when the file is
// looked at, every 2 s.
func TestWatchLooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		file := writeFile(t, "cors.yaml", policyOf("a"))
		link := filepath.Join(t.TempDir(), "cors.yaml")
		relink(t, link, file)
		w := blind(t, link)
		replace(t, file, policyOf("b"))
		w.within(look, "", "b")
		writeInPlace(t, file, policyOf("longer"))
		w.within(look, "", "longer")
		relink(t, link, writeFile(t, "cors.yaml", policyOf("c")))
		w.within(look, "", "c")
		if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
		w.within(look, "no such file", "c")
		time.Sleep(time.Minute)
		w.nothing("a file that is still away")
		relink(t, link, file)
		w.within(look, "", "longer")
		time.Sleep(time.Minute)
		w.nothing("a file that did not change")
	})
}

// TestWatchLostEvents: where the system lost events, the file is read.
func TestWatchLostEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		file := writeFile(t, "cors.yaml", policyOf("a"))
		w, lost := loadWatched(t, file), make(chan error)
		w.layer.LookEvery(time.Hour)
		w.layer.FileEvents(nil, lost)
		w.follow()
		w.nothing("at the start")
		replace(t, file, policyOf("b"))
		lost <- fsnotify.ErrEventOverflow
		w.within(50*time.Millisecond, "", "b")
	})
}

// TestWatchReadsAgain: a file that cannot be read is told once, and read at each look
// until it can be, though it looks the same all the while.
func TestWatchReadsAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		file := writeFile(t, "cors.yaml", policyOf("a"))
		w := loadWatched(t, file)
		var fails, reads atomic.Int32
		w.layer.ReadFileBy(func(read func() ([]byte, error)) ([]byte, error) {
			reads.Add(1)
			if fails.Add(-1) >= 0 {
				return nil, syscall.ESTALE
			}
			return read()
		})
		w.blind()
		for i, name := range []string{"b", "c"} {
			fails.Store(int32(1 + 9*i))
			replace(t, file, policyOf(name))
			w.within(look, syscall.ESTALE.Error(), "a")
			w.within(2*time.Second+time.Duration(18*i)*time.Second, "", name)
			fails.Store(1)
			before := reads.Load()
			time.Sleep(time.Minute)
			w.nothing("a file that did not change")
			if n := reads.Load() - before; n != 0 {
				t.Errorf("a file that did not change was read %d times", n)
			}
			replace(t, file, policyOf("a"))
			w.within(look, syscall.ESTALE.Error(), name)
			w.within(2*time.Second, "", "a")
		}
	})
}

// TestWatchTornRead: a file that another took the place of while it was read, or that
// was written meanwhile, is not tried: half of one and half of the other would be.
func TestWatchTornRead(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(t *testing.T, file, text string){"replaced": replace, "written in place": writeInPlace} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				file := writeFile(t, "cors.yaml", policyOf("a"))
				w, torn := loadWatched(t, file), false
				w.layer.ReadFileBy(func(read func() ([]byte, error)) ([]byte, error) {
					text, err := read()
					if !torn && err == nil && string(text) != policyOf("a") {
						torn = true
						change(t, file, policyOf("whole"))
						text = text[:len(text)/2]
					}
					return text, err
				})
				w.blind()
				replace(t, file, policyOf("b"))
				w.within(look+50*time.Millisecond, "", "whole")
				if !torn {
					t.Error("no read was torn")
				}
			})
		})
	}
}
