package filewatch

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

// polled watches a file that contains "a", by polling only, until the test ends.
func polled(t *testing.T, name string) *follower {
	t.Helper()
	file := New(name, 0, []byte("a"))
	file.PollOnly = true
	f := follow(t, file)
	f.noChange(0, "at the start")
	return f
}

// within is next, and fails the test unless Next returns within d, and at most one poll before
// that.
func (f *follower) within(d time.Duration, want string) {
	f.t.Helper()
	start := time.Now()
	f.next(want)
	if took := time.Since(start); took > d || took < d-DefaultPollEvery {
		f.t.Errorf("%q after %v, want %v or up to %v less", want, took, d, DefaultPollEvery)
	}
}

// noChange fails the test if Next returns within d.
func (f *follower) noChange(d time.Duration, when string) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), max(d, time.Millisecond))
	defer cancel()
	if content, err := f.watcher.Next(ctx, time.Time{}); !errors.Is(err, context.DeadlineExceeded) {
		f.t.Errorf("%s: %q, %v", when, content, err)
	}
}

// poll is the longest time until a change is read by polling.
const poll = DefaultPollEvery + debounce

// TestPoll: without notifications, polling finds each change.
func TestPoll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		file := newFile(t, "a")
		link := filepath.Join(t.TempDir(), "link")
		relink(t, link, file)
		f := polled(t, link)
		replace(t, file, "b")
		f.within(poll, "b")
		writeInPlace(t, file, "longer")
		f.within(poll, "longer")
		relink(t, link, newFile(t, "c"))
		f.within(poll, "c")
		if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
		f.within(poll, "no such file")
		f.noChange(time.Minute, "a file that is still away")
		relink(t, link, file)
		f.within(poll, "longer")
		f.noChange(time.Minute, "a file that did not change")
	})
}

// TestPollEvery: a file is polled at the interval PollEvery.
func TestPollEvery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		name := newFile(t, "a")
		file := New(name, 0, []byte("a"))
		file.PollOnly, file.PollEvery = true, time.Hour
		f := follow(t, file)
		f.noChange(time.Minute, "at the start")
		replace(t, name, "b")
		f.noChange(58*time.Minute, "before the poll")
		f.next("b")
	})
}

// TestLostEvents: the file is read if the system has lost events.
func TestLostEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		name := newFile(t, "a")
		file, lost := New(name, 0, []byte("a")), make(chan error, 1)
		file.PollEvery = time.Hour
		f := followWith(t, file, &folderWatcher{errors: lost})
		f.noChange(0, "at the start")
		replace(t, name, "b")
		lost <- fsnotify.ErrEventOverflow
		f.within(debounce, "b")
	})
}

// TestReadAgain: Next reports once that a file cannot be read. The file is read at each poll
// until that succeeds, even if its info is unchanged.
func TestReadAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		name := newFile(t, "a")
		file := New(name, 0, []byte("a"))
		fails, reads := 0, 0
		file.PollOnly, file.read = true, func(name string, max int64) ([]byte, error) {
			if reads++; fails > 0 {
				fails--
				return nil, syscall.ESTALE
			}
			return Read(name, max)
		}
		f := follow(t, file)
		f.noChange(0, "at the start")
		for i, text := range []string{"b", "c"} {
			fails = 1 + 9*i
			replace(t, name, text)
			f.within(poll, syscall.ESTALE.Error())
			f.within(2*time.Second+time.Duration(18*i)*time.Second, text)
			before := reads
			fails = 1
			f.noChange(time.Minute, "a file that did not change")
			if n := reads - before; n != 0 {
				t.Errorf("a file that did not change was read %d times", n)
			}
			replace(t, name, "a")
			f.within(poll, syscall.ESTALE.Error())
			f.within(2*time.Second, "a")
		}
	})
}

// TestTornRead: a file that is written or replaced while it is read is read again.
func TestTornRead(t *testing.T) {
	t.Parallel()
	for how, change := range map[string]func(t *testing.T, name, text string){"replaced": replace, "written in place": writeInPlace} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				name := newFile(t, "a")
				file, torn := New(name, 0, []byte("a")), false
				file.PollOnly, file.read = true, func(name string, max int64) ([]byte, error) {
					content, err := Read(name, max)
					if !torn && string(content) == "torn" {
						torn = true
						change(t, name, "whole")
						content = content[:2]
					}
					return content, err
				}
				f := follow(t, file)
				f.noChange(0, "at the start")
				replace(t, name, "torn")
				f.within(poll+debounce, "whole")
				if !torn {
					t.Error("no read was torn")
				}
			})
		})
	}
}

// TestDueTime: Next returns at its due time, unless the file has changed or was removed by then.
func TestDueTime(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(t *testing.T, name string) // called 10 ms before the due time
		want   []string                        // the results of Next, in order
		after  time.Duration                   // the time until the last result
	}{
		"nothing":         {func(*testing.T, string) {}, []string{ErrUnchanged.Error()}, time.Second},
		"another content": {func(t *testing.T, name string) { replace(t, name, "b") }, []string{"b"}, time.Second + debounce},
		"the same, written anew": {func(t *testing.T, name string) { replace(t, name, "a") },
			[]string{ErrUnchanged.Error()}, time.Second + debounce},
		"away, and back": {func(t *testing.T, name string) {
			if err := os.Rename(name, name+"~"); err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(time.Minute, func() { _ = os.Rename(name+"~", name) })
		}, []string{"no such file", ErrUnchanged.Error()}, time.Minute + poll},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				name := newFile(t, "a")
				f := polled(t, name)
				start := time.Now()
				time.AfterFunc(990*time.Millisecond, func() { test.change(t, name) })
				for _, want := range test.want {
					content, err := f.watcher.Next(t.Context(), start.Add(time.Second))
					if got := string(content); err == nil && got != want || err != nil && !strings.Contains(err.Error(), want) {
						t.Errorf("%q, %v, want %q", got, err, want)
					}
				}
				if took := time.Since(start); took > test.after+DefaultPollEvery || took < test.after-DefaultPollEvery {
					t.Errorf("after %v, want about %v", took, test.after)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) { // a due time in the past
		f := polled(t, newFile(t, "a"))
		if _, err := f.watcher.Next(t.Context(), time.Now()); err != ErrUnchanged {
			t.Error(err)
		}
	})
}

// TestRead: Read returns at most max bytes of a file, and all of it if max is 0.
func TestRead(t *testing.T) {
	t.Parallel()
	name := newFile(t, "content")
	for max, want := range map[int64]string{0: "content", 3: "con", 7: "content", math.MaxInt64: "content"} {
		if got, err := Read(name, max); string(got) != want || err != nil {
			t.Errorf("%d bytes: %q, %v", max, got, err)
		}
		if _, err := Read(name+"~", max); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%d bytes of no file: %v", max, err)
		}
	}
}

// TestDebounceAfter: the wait is debounce, and less as maxDebounce approaches.
func TestDebounceAfter(t *testing.T) {
	t.Parallel()
	for since, want := range map[time.Duration]time.Duration{0: debounce, time.Millisecond: debounce, maxDebounce - time.Millisecond: time.Millisecond, maxDebounce: 0, time.Hour: 0} {
		if got := debounceAfter(since); got != want {
			t.Errorf("after %v: %v, want %v", since, got, want)
		}
	}
}

// TestDebounce: a change is read after debounce, and at the latest after maxDebounce if there
// are events all the time.
func TestDebounce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		name := newFile(t, "a")
		events := make(chan fsnotify.Event)
		file := New(name, 0, []byte("a"))
		file.PollEvery = time.Hour
		f := followWith(t, file, &folderWatcher{events: events, errors: make(chan error)})
		f.noChange(0, "at the start")
		for _, text := range []string{"b", "c"} {
			time.Sleep(10 * time.Second)
			replace(t, name, text)
			go func() { events <- fsnotify.Event{} }()
			start := time.Now()
			f.next(text)
			if took := time.Since(start); took != debounce {
				t.Errorf("%s is read after %v, want %v", text, took, debounce)
			}
		}
		replace(t, name, "d")
		go func() {
			for range 100 {
				events <- fsnotify.Event{}
				time.Sleep(debounce / 2)
			}
		}()
		start := time.Now()
		f.next("d")
		if took := time.Since(start); took > maxDebounce {
			t.Errorf("d is read after %v, want no more than %v", took, maxDebounce)
		}
		f.noChange(time.Minute, "afterwards") // receives the remaining events
	})
}

// TestFirstRead: the first Next reads the file immediately, not at the first poll.
func TestFirstRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		name := newFile(t, "a")
		file := New(name, 0, []byte("a"))
		file.PollOnly, file.PollEvery = true, time.Hour
		replace(t, name, "b")
		follow(t, file).within(0, "b")
	})
}

// TestEndedContext: Next with an ended context does not read the file, even if a read is due:
// the content would become known without being returned.
func TestEndedContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		name := newFile(t, "b")
		for range 20 { // select chooses at random
			file := New(name, 0, []byte("a"))
			file.PollOnly = true
			f := follow(t, file)
			time.Sleep(time.Millisecond)
			if content, err := f.watcher.Next(ended, time.Time{}); err != context.Canceled {
				t.Errorf("%q, %v", content, err)
			}
			f.next("b")
		}
	})
}
