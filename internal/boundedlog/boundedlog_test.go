package boundedlog_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
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
	return boundedlog.New(slog.New(slog.NewTextHandler(b, nil)), 2, "suppressed A", "suppressed B"), b
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

// admit reports whether a line is admitted. The sample of its summary is its detail.
func admit(l *boundedlog.Log, line boundedlog.Line) bool {
	return l.Admit(line, func(boundedlog.Class) []slog.Attr { return []slog.Attr{slog.Uint64("sample", uint64(line.Keys[2]))} })
}

// writeLines writes each line that is admitted, and returns their number.
func writeLines(l *boundedlog.Log, lines ...boundedlog.Line) (written int) {
	for _, line := range lines {
		if admit(l, line) {
			l.WriteAdmitted(context.Background(), line.Class, "a line", slog.Uint64("key", uint64(line.Keys[0])))
			written++
		}
	}
	return written
}

// line returns a line of class Known with three keys.
func line(first, second, third boundedlog.Key) boundedlog.Line {
	return boundedlog.Line{Keys: keysOf(first, second, third)}
}

// keysOf returns the keys of a line, which differ in precision.
func keysOf(first, second, third boundedlog.Key) [3]boundedlog.Key {
	return [3]boundedlog.Key{first, first + second*1e6 + 1<<40, first + second*1e6 + third*1e9 + 1<<60}
}

// write writes a line of class Known for each key that is admitted, and returns their number.
func write(l *boundedlog.Log, kind boundedlog.Kind, keys ...boundedlog.Key) (written int) {
	for _, key := range keys {
		written += writeLines(l, boundedlog.Line{Kind: kind, Keys: keysOf(key, 0, 0)})
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

// TestKeys: one line a minute is written for each last key, regardless of its kind.
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

// TestPrecisions: a line counts toward the quota of its first key that is not quiet, and makes all of
// its further keys quiet.
func TestPrecisions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, _ := newLog()
		lines := []boundedlog.Line{
			line(1, 1, 1), line(1, 1, 1), line(2, 1, 1), line(3, 1, 1), // two first keys a second
			line(1, 1, 2), line(1, 1, 2), line(1, 1, 3), line(2, 1, 2), // one third key
			line(1, 2, 1), line(2, 2, 1), line(1, 3, 1), line(1, 2, 2), // two second keys
		}
		if n := writeLines(l, lines...); n != 2+1+2 {
			t.Errorf("%d lines in a second", n)
		}
		time.Sleep(time.Second + time.Millisecond)
		if n := writeLines(l, lines...); n != 1+1+1 { // of the lines above that were not written
			t.Errorf("%d lines in the next second", n)
		}
		time.Sleep(time.Hour)
	})
}

// TestLinesPerSecond: at most ten lines a second are written, regardless of the number of keys. The
// lines of a class do not use up the quotas of the other.
func TestLinesPerSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, log := newLog()
		writeLines(l, line(1, 1, 1), boundedlog.Line{Class: boundedlog.Other, Keys: keysOf(1, 1, 1)})
		time.Sleep(time.Second + time.Millisecond)
		log.take()
		for i := range 3 {
			var lines []boundedlog.Line
			for j := range boundedlog.Key(1000) {
				key := boundedlog.Key(i*10_000) + j + 2
				for _, class := range []boundedlog.Class{boundedlog.Other, boundedlog.Known} {
					for _, keys := range [][3]boundedlog.Key{keysOf(1, 1, key), keysOf(1, key, 1), keysOf(key, 1, 1)} {
						lines = append(lines, boundedlog.Line{Class: class, Keys: keys})
					}
				}
			}
			if n := writeLines(l, lines...); n != 10 {
				t.Errorf("%d lines in second %d", n, i)
			}
			time.Sleep(time.Second)
			synctest.Wait()
		}
		if n := len(log.take()); n != 30 {
			t.Errorf("%d lines", n)
		}
		time.Sleep(time.Hour)
	})
}

// TestLinesPerMinute: each quota allows 60 lines a minute, so the number of keys is bounded.
func TestLinesPerMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for precision, keysOf := range []func(key boundedlog.Key) [3]boundedlog.Key{
			func(key boundedlog.Key) [3]boundedlog.Key { return keysOf(key, 1, 1) },
			func(key boundedlog.Key) [3]boundedlog.Key { return keysOf(1, key, 1) },
		} {
			l, _ := newLog()
			writeLines(l, line(1, 1, 1))
			written := 0
			for i := range boundedlog.Key(59) {
				for j := range boundedlog.Key(20) {
					written += writeLines(l, boundedlog.Line{Keys: keysOf(1000 + 100*i + j)})
				}
				time.Sleep(time.Second + time.Millisecond)
			}
			if want := 60 - (1 - precision); written != want {
				t.Errorf("precision %d: %d lines in a minute, want %d", precision, written, want)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if n := writeLines(l, boundedlog.Line{Keys: keysOf(1)}, boundedlog.Line{Keys: keysOf(1_000_000)}); n != 2 {
				t.Errorf("precision %d: %d lines in the next minute", precision, n)
			}
			time.Sleep(time.Hour)
		}
	})
}

// TestClassesDoNotWaitForEachOther: a line of one class is written while the log's handler is busy
// with a line of the other.
func TestClassesDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		unblock := make(chan struct{})
		l := newHandlerLog(func() { <-unblock })
		if n := writeLines(l, boundedlog.Line{Class: boundedlog.Other, Keys: keysOf(1, 1, 1)}, boundedlog.Line{Class: boundedlog.Other, Keys: keysOf(2, 1, 1)},
			line(3, 1, 1)); n != 2 {
			t.Errorf("%d lines are admitted, want one of each class", n)
		}
		close(unblock)
		time.Sleep(time.Hour)
	})
}

// TestSummaries: the number of suppressed lines of each kind, class and cause is written a minute
// after the first of them, with a sample, unless it is 0.
func TestSummaries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, log := newLog()
		for range 100 {
			write(l, kindA, 1)
		}
		other := boundedlog.Line{Kind: kindA, Class: boundedlog.Other, Cause: 1, Keys: [3]boundedlog.Key{6, 7, 8}}
		for range 3 {
			writeLines(l, other)
		}
		time.Sleep(30 * time.Second)
		for range 5 {
			write(l, kindB, 1)
		}
		writeLines(l, boundedlog.Line{Kind: kindB, Cause: 1, Keys: keysOf(1, 0, 0)})
		log.take()
		time.Sleep(time.Minute - 30*time.Second - time.Nanosecond)
		synctest.Wait()
		if lines := log.take(); len(lines) != 0 {
			t.Errorf("before the minute is over: %q", lines)
		}
		for _, want := range [][]string{
			{`level=WARN msg="suppressed A" count=2 sample=8`, `level=WARN msg="suppressed A" count=99 sample=1152921504606846977`},
			{`level=WARN msg="suppressed B" count=1 sample=1152921504606846977`, `level=WARN msg="suppressed B" count=5 sample=1152921504606846977`},
		} {
			time.Sleep(30 * time.Second)
			synctest.Wait()
			lines := log.take()
			for i := range lines {
				_, lines[i], _ = strings.Cut(lines[i], " ")
			}
			if slices.Sort(lines); !slices.Equal(lines, want) {
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
	return boundedlog.New(slog.New(callbackHandler{slog.DiscardHandler, handle}), 2, "suppressed A", "suppressed B")
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
			time.Sleep(time.Second)
		}
		l.Write(t.Context(), slog.LevelError, "another line")
		if calls != 10 {
			t.Errorf("%d lines", calls)
		}
		time.Sleep(time.Hour)
	})
}

// TestSuppressedLinesDoNotAllocate: suppressing a line does not allocate, whether its detail is quiet
// or its quota is used up.
func TestSuppressedLinesDoNotAllocate(t *testing.T) {
	l, _ := newLog()
	write(l, kindA, keysFrom(1, 10)...)
	next := boundedlog.Key(1000)
	for name, key := range map[string]*boundedlog.Key{"a quiet line": new(boundedlog.Key), "a new line": &next} {
		n := testing.AllocsPerRun(100, func() {
			*key++
			line := boundedlog.Line{Keys: keysOf(*key, 0, 0)}
			if name == "a quiet line" {
				line.Keys = keysOf(1, 0, 0)
			}
			l.Admit(line, func(boundedlog.Class) []slog.Attr { return []slog.Attr{slog.Uint64("sample", uint64(line.Keys[0]))} })
		})
		if n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// BenchmarkSuppressed suppresses lines: with a detail that is quiet, and with ever new ones.
func BenchmarkSuppressed(b *testing.B) {
	for _, name := range []string{"quiet", "new"} {
		b.Run(name, func(b *testing.B) {
			l, _ := newLog()
			write(l, kindA, keysFrom(1, 10)...)
			key := boundedlog.Key(1000)
			b.ReportAllocs()
			for b.Loop() {
				line := boundedlog.Line{Keys: keysOf(1, 0, 0)}
				if name == "new" {
					key++
					line.Keys[2] = key
				}
				admit(l, line)
			}
		})
	}
}

// TestRepeats: a line that was admitted within the last minute is counted in its class, and no other line is.
func TestRepeats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, log := newLog()
		repeats := func(key boundedlog.Key, want bool) {
			t.Helper()
			if got := l.Repeats(kindA, 0, key, func(of boundedlog.Class) []slog.Attr { return []slog.Attr{slog.Int("class", int(of))} }); got != want {
				t.Errorf("key %d: %t", key, got)
			}
		}
		known, other := line(1, 1, 1), boundedlog.Line{Class: boundedlog.Other, Keys: keysOf(2, 2, 2)}
		repeats(known.Keys[2], false)
		writeLines(l, known, other)
		log.take()
		repeats(known.Keys[2], true)
		for range 2 {
			repeats(other.Keys[2], true)
		}
		repeats(keysOf(3, 3, 3)[2], false)
		time.Sleep(time.Minute)
		synctest.Wait()
		lines := strings.Join(log.take(), "\n")
		for _, want := range []string{"count=1 class=0", "count=2 class=1"} {
			if !strings.Contains(lines, want) {
				t.Errorf("no summary has %s:\n%s", want, lines)
			}
		}
		repeats(known.Keys[2], false)
		time.Sleep(time.Hour)
	})
}
