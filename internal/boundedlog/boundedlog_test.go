package boundedlog_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/boundedlog"
)

// The kinds of the tests' lines.
const (
	apples boundedlog.Kind = iota
	pears
)

// newLog returns a log, and what it writes.
func newLog() (*boundedlog.Log, *buffer) {
	b := &buffer{}
	return boundedlog.New(slog.New(slog.NewTextHandler(b, nil)), "more apples", "more pears"), b
}

// buffer is a buffer for many goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// take returns the lines since it was called last.
func (b *buffer) take() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.b.Reset()
	return strings.FieldsFunc(b.b.String(), func(r rune) bool { return r == '\n' })
}

// say writes a line of each key where it is admitted, and returns how many were.
func say(l *boundedlog.Log, kind boundedlog.Kind, keys ...boundedlog.Key) (written int) {
	for _, key := range keys {
		if l.Admit(kind, key) {
			l.WriteAdmitted(context.Background(), "a line", slog.Uint64("key", uint64(key)))
			written++
		}
	}
	return written
}

// keysFrom are so many keys.
func keysFrom(first boundedlog.Key, n int) (keys []boundedlog.Key) {
	for i := range n {
		keys = append(keys, first+boundedlog.Key(i))
	}
	return keys
}

// TestKeys: one line is written for each key in a minute, whatever its kind.
func TestKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, log := newLog()
		if n := say(l, apples, 1, 1, 2, 1); n != 2 {
			t.Errorf("%d lines of two keys", n)
		}
		if n := say(l, pears, 1); n != 0 {
			t.Error("another kind has the key a line of its own")
		}
		if lines := log.take(); len(lines) != 2 || !strings.Contains(lines[0], "level=WARN") || !strings.Contains(lines[0], `msg="a line" key=1`) {
			t.Errorf("%q", lines)
		}
		time.Sleep(time.Minute - time.Nanosecond)
		if n := say(l, apples, 1); n != 0 {
			t.Error("a line within the minute")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if n := say(l, apples, 1); n != 1 {
			t.Error("no line after a minute")
		}
		time.Sleep(time.Hour)
	})
}

// TestLinesPerSecond: ten lines are written in a second, however many keys there are.
func TestLinesPerSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, log := newLog()
		for i := range 3 {
			if n := say(l, apples, keysFrom(boundedlog.Key(1000*i), 1000)...); n != 10 {
				t.Errorf("%d lines in second %d", n, i)
			}
			time.Sleep(time.Second)
		}
		if n := len(log.take()); n != 30 {
			t.Errorf("%d lines", n)
		}
		time.Sleep(time.Hour)
	})
}

// TestSummaries: lines that were not written are counted, and the count of each kind is
// written a minute after the first of them, where there is any.
func TestSummaries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, log := newLog()
		for range 100 {
			say(l, apples, 1)
		}
		time.Sleep(30 * time.Second)
		for range 5 {
			say(l, pears, 1)
		}
		log.take()
		time.Sleep(time.Minute - 30*time.Second - time.Nanosecond)
		synctest.Wait()
		if lines := log.take(); len(lines) != 0 {
			t.Errorf("before the minute is over: %q", lines)
		}
		for _, want := range []string{`level=WARN msg="more apples" count=99`, `level=WARN msg="more pears" count=5`} {
			time.Sleep(30 * time.Second)
			synctest.Wait()
			if lines := log.take(); len(lines) != 1 || !strings.Contains(lines[0], want) {
				t.Errorf("%q, want %q", lines, want)
			}
		}
		say(l, apples, 1)
		log.take()
		time.Sleep(time.Hour)
		if lines := log.take(); len(lines) != 0 {
			t.Errorf("nothing was suppressed: %q", lines)
		}
		say(l, apples, 1, 1)
		time.Sleep(time.Hour)
		if lines := log.take(); len(lines) != 2 || !strings.Contains(lines[1], "count=1") {
			t.Errorf("the next count: %q", lines)
		}
	})
}

// handler is a log's handler that calls a function.
type handler struct {
	slog.Handler
	handle func()
}

func newHandlerLog(handle func()) *boundedlog.Log {
	return boundedlog.New(slog.New(handler{slog.DiscardHandler, handle}), "more apples", "more pears")
}

func (handler) Enabled(context.Context, slog.Level) bool { return true }

func (h handler) Handle(context.Context, slog.Record) error {
	h.handle()
	return nil
}

// TestStuck: whoever has a line for a log that is stuck waits for a moment, once; other
// admitted lines are counted meanwhile, and of the lines that are not bounded a few wait. When
// the log goes on, so do the lines.
func TestStuck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stuck, goOn := 0, make(chan struct{})
		var mu sync.Mutex
		l := newHandlerLog(func() {
			mu.Lock()
			stuck++
			mu.Unlock()
			<-goOn
		})
		take := func() int {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			defer func() { stuck = 0 }()
			return stuck
		}
		start := time.Now()
		say(l, apples, 1)
		if waited := time.Since(start); waited != 100*time.Millisecond {
			t.Errorf("the first waited for %v", waited)
		}
		start = time.Now()
		if n := say(l, apples, keysFrom(2, 100)...); n != 0 || time.Since(start) > 0 {
			t.Errorf("%d lines beside the one that is stuck; they waited for %v", n, time.Since(start))
		}
		start = time.Now()
		for range 100 {
			l.Write(t.Context(), slog.LevelError, "another line")
		}
		if waited := time.Since(start); waited > time.Second {
			t.Errorf("unbounded lines waited for %v", waited)
		}
		if n := take(); n != 8 {
			t.Errorf("%d lines wait for the log, want 8", n)
		}
		time.Sleep(time.Second)
		close(goOn)
		synctest.Wait()
		if n := say(l, apples, 1000); n != 1 || take() != 1 {
			t.Error("no line is written when the log goes on")
		}
		time.Sleep(time.Hour)
	})
}

// TestLost: a line that is lost beside too many that are stuck does not silence the log.
func TestLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		l := newHandlerLog(func() { <-goOn })
		for range 8 {
			l.Write(t.Context(), slog.LevelError, "a line that is stuck")
		}
		if n := say(l, apples, 1); n != 1 { // it is admitted, and lost
			t.Fatalf("%d lines are admitted, want 1", n)
		}
		close(goOn)
		synctest.Wait()
		time.Sleep(time.Second)
		if n := say(l, apples, 2); n != 1 {
			t.Error("no line is admitted after one that was lost")
		}
		time.Sleep(time.Hour)
	})
}

// TestPanic: a panic of the log's handler touches nobody, and the next line is written.
func TestPanic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		l := newHandlerLog(func() {
			calls++
			panic("the log is broken")
		})
		for i := range boundedlog.Key(9) { // more than may be unwritten at once
			say(l, apples, i)
		}
		l.Write(t.Context(), slog.LevelError, "another line")
		if calls != 10 {
			t.Errorf("%d lines", calls)
		}
		time.Sleep(time.Hour)
	})
}

// TestSuppressedLinesDoNotAllocate: a flood of lines that are only counted costs no memory.
func TestSuppressedLinesDoNotAllocate(t *testing.T) {
	l, _ := newLog()
	say(l, apples, 1, 1)
	if n := testing.AllocsPerRun(100, func() { l.Admit(apples, 1) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
