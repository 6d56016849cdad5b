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

// The kinds of lines in the tests.
const (
	kindA boundedlog.Kind = iota
	kindB
)

// newLog returns a log and the buffer to which it writes.
func newLog() (*boundedlog.Log, *buffer) {
	b := &buffer{}
	return boundedlog.New(slog.New(slog.NewTextHandler(b, nil)), "suppressed A", "suppressed B"), b
}

// buffer is a buffer that is safe for concurrent use.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// take returns the lines since the last call.
func (b *buffer) take() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.b.Reset()
	return strings.FieldsFunc(b.b.String(), func(r rune) bool { return r == '\n' })
}

// write writes a line for each key that is admitted, and returns their number.
func write(l *boundedlog.Log, kind boundedlog.Kind, keys ...boundedlog.Key) (written int) {
	for _, key := range keys {
		if l.Admit(kind, key) {
			l.WriteAdmitted(context.Background(), "a line", slog.Uint64("key", uint64(key)))
			written++
		}
	}
	return written
}

// keysFrom returns n consecutive keys.
func keysFrom(first boundedlog.Key, n int) (keys []boundedlog.Key) {
	for i := range n {
		keys = append(keys, first+boundedlog.Key(i))
	}
	return keys
}

// TestKeys: one line a minute is written for each key, regardless of its kind.
func TestKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, log := newLog()
		if n := write(l, kindA, 1, 1, 2, 1); n != 2 {
			t.Errorf("%d lines of two keys", n)
		}
		if n := write(l, kindB, 1); n != 0 {
			t.Error("a line of another kind with the same key is admitted")
		}
		if lines := log.take(); len(lines) != 2 || !strings.Contains(lines[0], "level=WARN") || !strings.Contains(lines[0], `msg="a line" key=1`) {
			t.Errorf("%q", lines)
		}
		time.Sleep(time.Minute - time.Nanosecond)
		if n := write(l, kindA, 1); n != 0 {
			t.Error("a line within the minute")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if n := write(l, kindA, 1); n != 1 {
			t.Error("no line after a minute")
		}
		time.Sleep(time.Hour)
	})
}

// TestLinesPerSecond: at most ten lines a second are written, regardless of the number of keys.
func TestLinesPerSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, log := newLog()
		for i := range 3 {
			if n := write(l, kindA, keysFrom(boundedlog.Key(1000*i), 1000)...); n != 10 {
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

// TestSummaries: the number of suppressed lines of each kind is written a minute after the
// first of them, unless it is 0.
func TestSummaries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, log := newLog()
		for range 100 {
			write(l, kindA, 1)
		}
		time.Sleep(30 * time.Second)
		for range 5 {
			write(l, kindB, 1)
		}
		log.take()
		time.Sleep(time.Minute - 30*time.Second - time.Nanosecond)
		synctest.Wait()
		if lines := log.take(); len(lines) != 0 {
			t.Errorf("before the minute is over: %q", lines)
		}
		for _, want := range []string{`level=WARN msg="suppressed A" count=99`, `level=WARN msg="suppressed B" count=5`} {
			time.Sleep(30 * time.Second)
			synctest.Wait()
			if lines := log.take(); len(lines) != 1 || !strings.Contains(lines[0], want) {
				t.Errorf("%q, want %q", lines, want)
			}
		}
		write(l, kindA, 1)
		log.take()
		time.Sleep(time.Hour)
		if lines := log.take(); len(lines) != 0 {
			t.Errorf("a summary without suppressed lines: %q", lines)
		}
		write(l, kindA, 1, 1)
		time.Sleep(time.Hour)
		if lines := log.take(); len(lines) != 2 || !strings.Contains(lines[1], "count=1") {
			t.Errorf("the next count: %q", lines)
		}
	})
}

// callbackHandler is a slog.Handler that calls a function.
type callbackHandler struct {
	slog.Handler
	handle func()
}

func newHandlerLog(handle func()) *boundedlog.Log {
	return boundedlog.New(slog.New(callbackHandler{slog.DiscardHandler, handle}), "suppressed A", "suppressed B")
}

func (callbackHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h callbackHandler) Handle(context.Context, slog.Record) error {
	h.handle()
	return nil
}

// TestBlockedHandler: while the log's handler blocks, the first caller waits for 100 ms; further
// admitted lines are suppressed, and at most 8 of the other lines wait. When the handler
// continues, lines are admitted again.
func TestBlockedHandler(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stuck, unblock := 0, make(chan struct{})
		var mu sync.Mutex
		l := newHandlerLog(func() {
			mu.Lock()
			stuck++
			mu.Unlock()
			<-unblock
		})
		take := func() int {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			defer func() { stuck = 0 }()
			return stuck
		}
		start := time.Now()
		write(l, kindA, 1)
		if waited := time.Since(start); waited != 100*time.Millisecond {
			t.Errorf("the first waited for %v", waited)
		}
		start = time.Now()
		if n := write(l, kindA, keysFrom(2, 100)...); n != 0 || time.Since(start) > 0 {
			t.Errorf("%d lines are admitted while one is blocked; they waited for %v", n, time.Since(start))
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
		close(unblock)
		synctest.Wait()
		if n := write(l, kindA, 1000); n != 1 || take() != 1 {
			t.Error("no line is written when the handler continues")
		}
		time.Sleep(time.Hour)
	})
}

// TestDroppedLine: a line that is dropped while too many lines are blocked does not block later lines.
func TestDroppedLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		unblock := make(chan struct{})
		l := newHandlerLog(func() { <-unblock })
		for range 8 {
			l.Write(t.Context(), slog.LevelError, "a line that is stuck")
		}
		if n := write(l, kindA, 1); n != 1 { // it is admitted, and then dropped
			t.Fatalf("%d lines are admitted, want 1", n)
		}
		close(unblock)
		synctest.Wait()
		time.Sleep(time.Second)
		if n := write(l, kindA, 2); n != 1 {
			t.Error("no line is admitted after one that was lost")
		}
		time.Sleep(time.Hour)
	})
}

// TestHandlerPanics: a panic of the log's handler is recovered, and the next line is written.
func TestHandlerPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		l := newHandlerLog(func() {
			calls++
			panic("the log is broken")
		})
		for i := range boundedlog.Key(9) { // more than maxUnwritten
			write(l, kindA, i)
		}
		l.Write(t.Context(), slog.LevelError, "another line")
		if calls != 10 {
			t.Errorf("%d lines", calls)
		}
		time.Sleep(time.Hour)
	})
}

// TestSuppressedLinesDoNotAllocate: suppressing a line does not allocate.
func TestSuppressedLinesDoNotAllocate(t *testing.T) {
	l, _ := newLog()
	write(l, kindA, 1, 1)
	if n := testing.AllocsPerRun(100, func() { l.Admit(kindA, 1) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
