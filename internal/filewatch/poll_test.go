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

// polled follows a file that holds "a", of whose changes nothing tells, until the test ends.
func polled(t *testing.T, name string) *follower {
	t.Helper()
	file := New(name, 0, []byte("a"))
	file.PollOnly = true
	f := follow(t, file)
	f.nothing(0, "at the start")
	return f
}

// within is the next content, or the text of the error, which has to come in this time, and no
// sooner than a poll before.
func (f *follower) within(d time.Duration, want string) {
	f.t.Helper()
	start := time.Now()
	f.next(want)
	if took := time.Since(start); took > d || took < d-DefaultPollEvery {
		f.t.Errorf("%q after %v, want %v or up to %v less", want, took, d, DefaultPollEvery)
	}
}

// nothing comes for so long.
func (f *follower) nothing(d time.Duration, when string) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), max(d, time.Millisecond))
	defer cancel()
	if content, err := f.watcher.Next(ctx, time.Time{}); !errors.Is(err, context.DeadlineExceeded) {
		f.t.Errorf("%s: %q, %v", when, content, err)
	}
}

// One poll, and the time that a file is left alone.
const poll = DefaultPollEvery + debounce

// TestPoll: where nothing tells of changes, each is seen when the file is polled.
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
		f.nothing(time.Minute, "a file that is still away")
		relink(t, link, file)
		f.within(poll, "longer")
		f.nothing(time.Minute, "a file that did not change")
	})
}

// TestPollEvery: a file is polled as often as it says.
func TestPollEvery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		name := newFile(t, "a")
		file := New(name, 0, []byte("a"))
		file.PollOnly, file.PollEvery = true, time.Hour
		f := follow(t, file)
		f.nothing(time.Minute, "at the start")
		replace(t, name, "b")
		f.nothing(58*time.Minute, "before the poll")
		f.next("b")
	})
}

// TestLostEvents: where the system lost events, the file is read.
func TestLostEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		name := newFile(t, "a")
		file, lost := New(name, 0, []byte("a")), make(chan error, 1)
		file.PollEvery = time.Hour
		f := followBy(t, file, &folderWatcher{errors: lost})
		f.nothing(0, "at the start")
		replace(t, name, "b")
		lost <- fsnotify.ErrEventOverflow
		f.within(debounce, "b")
	})
}

// TestReadAgain: that a file cannot be read is told once, and it is read at each poll until it
// can be, though it looks the same all the while.
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
		f.nothing(0, "at the start")
		for i, text := range []string{"b", "c"} {
			fails = 1 + 9*i
			replace(t, name, text)
			f.within(poll, syscall.ESTALE.Error())
			f.within(2*time.Second+time.Duration(18*i)*time.Second, text)
			before := reads
			fails = 1
			f.nothing(time.Minute, "a file that did not change")
			if n := reads - before; n != 0 {
				t.Errorf("a file that did not change was read %d times", n)
			}
			replace(t, name, "a")
			f.within(poll, syscall.ESTALE.Error())
			f.within(2*time.Second, "a")
		}
	})
}

// TestTornRead: a file that another took the place of while it was read, or that was written
// meanwhile, is read again: half of one and half of the other would be returned.
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
				f.nothing(0, "at the start")
				replace(t, name, "torn")
				f.within(poll+debounce, "whole")
				if !torn {
					t.Error("no read was torn")
				}
			})
		})
	}
}

// TestDue: Next ends at a time that it is given, unless the file has changed by then or is
// away.
func TestDue(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(t *testing.T, name string) // 10 ms before it is due
		want   []string                        // what Next returns, one after another
		after  time.Duration                   // after which it returns the last
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
	synctest.Test(t, func(t *testing.T) { // a time that is over
		f := polled(t, newFile(t, "a"))
		if _, err := f.watcher.Next(t.Context(), time.Now()); err != ErrUnchanged {
			t.Error(err)
		}
	})
}

// TestRead: no more of a file is read than it may be, and all of it where nothing bounds it.
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

// TestDebounceAfter: a file is read when it has been left alone for a while, and after a
// longer while whether it has or not.
func TestDebounceAfter(t *testing.T) {
	t.Parallel()
	for since, want := range map[time.Duration]time.Duration{0: debounce, time.Millisecond: debounce, maxDebounce - time.Millisecond: time.Millisecond, maxDebounce: 0, time.Hour: 0} {
		if got := debounceAfter(since); got != want {
			t.Errorf("after %v: %v, want %v", since, got, want)
		}
	}
}

// TestDebounce: each change is read when the file has been left alone for a while, and a folder
// in which something is always written puts that off for a second at most.
func TestDebounce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		name := newFile(t, "a")
		events := make(chan fsnotify.Event)
		file := New(name, 0, []byte("a"))
		file.PollEvery = time.Hour
		f := followBy(t, file, &folderWatcher{events: events, errors: make(chan error)})
		f.nothing(0, "at the start")
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
		f.nothing(time.Minute, "afterwards") // which takes the other events
	})
}

// TestFirstRead: the first Next reads the file at once, not at the first poll.
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

// TestEndedContext: Next whose context has ended reads nothing, though the file is due: what it
// read would be known, and lost.
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
