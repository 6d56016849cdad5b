// Package boundedlog writes log lines about events that anyone can cause, such as refused
// requests. A flood of events neither floods the log nor uses up memory, and a log handler that
// blocks or panics does not hold up the callers.
package boundedlog

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

const (
	quietPeriod    = time.Minute // after a line, until the next line with the same key
	linesPerSecond = 10

	writeTimeout = 100 * time.Millisecond // how long a caller waits until its line is written
	maxUnwritten = 8                      // the maximum number of lines that are being written
)

// Key identifies similar lines, of which one a minute is written. It is an integer because maps
// are fastest for those.
type Key uint64

// Kind is the kind of a line. Suppressed lines are counted by kind. A kind is an index of the
// summaries that are given to New.
type Kind int

// Log is a log with bounds. It is safe for concurrent use.
//
// Admitted lines are bounded: one a minute for each key, ten a second in total, and one at a
// time. The lines that are not admitted are counted, and the count of each kind is written a
// minute after its first line. Lines written by Write are not bounded in number.
type Log struct {
	logger    *slog.Logger
	summaries []string // by kind

	// quiet holds the keys of the lines of the last minute, at most 600. The map is replaced as a
	// whole, so that suppressing a line with one of these keys needs neither the lock nor the clock.
	quiet      atomic.Pointer[map[Key]struct{}]
	suppressed []atomic.Int64 // by kind
	unwritten  atomic.Int32

	mu       sync.Mutex
	second   time.Time
	inSecond int
	busy     bool // an admitted line is being written
}

// New returns a log that writes to logger. The summaries are the messages of the lines with the
// counts, one for each kind.
func New(logger *slog.Logger, summaries ...string) *Log {
	l := &Log{logger: logger, summaries: summaries, suppressed: make([]atomic.Int64, len(summaries))}
	l.quiet.Store(&map[Key]struct{}{})
	return l
}

// Admit reports whether a line may be written now. If so, the caller must write it by
// WriteAdmitted. If not, Admit counts the line.
func (l *Log) Admit(kind Kind, key Key) bool {
	if _, quiet := (*l.quiet.Load())[key]; quiet || !l.admitAt(time.Now(), key) {
		if l.suppressed[kind].Add(1) == 1 {
			time.AfterFunc(quietPeriod, func() { l.summarize(kind) })
		}
		return false
	}
	return true
}

// admitAt admits a line at a time, and reports whether it did.
func (l *Log) admitAt(now time.Time, key Key) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.second) >= time.Second {
		l.second, l.inSecond = now, 0
	}
	if _, quiet := (*l.quiet.Load())[key]; quiet || l.busy || l.inSecond >= linesPerSecond {
		return false
	}
	l.inSecond++
	l.busy = true
	quiet := maps.Clone(*l.quiet.Load())
	quiet[key] = struct{}{}
	l.quiet.Store(&quiet)
	time.AfterFunc(quietPeriod, func() { l.forget(key) })
	return true
}

// forget ends the quiet period of a key.
func (l *Log) forget(key Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	quiet := maps.Clone(*l.quiet.Load())
	delete(quiet, key)
	l.quiet.Store(&quiet)
}

// summarize writes the number of suppressed lines of a kind.
func (l *Log) summarize(kind Kind) {
	n := l.suppressed[kind].Swap(0)
	l.Write(context.Background(), slog.LevelWarn, l.summaries[kind], slog.Int64("count", n))
}

// WriteAdmitted writes an admitted line at level WARN.
func (l *Log) WriteAdmitted(ctx context.Context, message string, attrs ...slog.Attr) {
	l.write(ctx, slog.LevelWarn, message, attrs, func() {
		l.mu.Lock()
		l.busy = false
		l.mu.Unlock()
	})
}

// Write writes a line that is not bounded in number.
func (l *Log) Write(ctx context.Context, level slog.Level, message string, attrs ...slog.Attr) {
	l.write(ctx, level, message, attrs, func() {})
}

// write writes a line, waits until it is written or writeTimeout has passed, and recovers a
// panic of the log's handler. It drops the line if too many are being written. It calls done
// when the line is written or dropped.
func (l *Log) write(ctx context.Context, level slog.Level, message string, attrs []slog.Attr, done func()) {
	if l.unwritten.Add(1) > maxUnwritten {
		l.unwritten.Add(-1)
		done()
		return
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		defer done()
		defer l.unwritten.Add(-1)
		defer func() { _ = recover() }()
		l.logger.LogAttrs(ctx, level, message, attrs...)
	}()
	timeout := time.NewTimer(writeTimeout)
	defer timeout.Stop()
	select {
	case <-written:
	case <-timeout.C:
	}
}
