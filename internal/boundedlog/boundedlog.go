// Package boundedlog writes lines about events that strangers can cause, such as refused
// requests. A flood of events neither floods the log nor fills the memory, and a log that is
// stuck or that panics does not hold up the events.
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
	quietPeriod    = time.Minute
	linesPerSecond = 10

	writeTimeout = 100 * time.Millisecond // how long a caller waits for its line to be written
	maxUnwritten = 8                      // lines that wait to be written
)

// Key is what lines have in common that are alike: one of them is written in a minute. Keys
// are numbers, which a map finds soonest.
type Key uint64

// Kind is what a line says. Lines that are not written are counted by it.
type Kind int

// Log is a log. It is safe for concurrent use.
//
// Of lines that are admitted, one a minute is written for each key, ten a second at most, one
// at a time; the others are counted, and the count of each kind is written a minute after the
// first of them. Other lines are not bounded in number.
type Log struct {
	logger    *slog.Logger
	summaries []string // by kind

	// quiet are the keys of the last minute's lines: as many as its seconds allow. It
	// is replaced whole, so that counting takes no lock and no clock.
	quiet      atomic.Pointer[map[Key]struct{}]
	suppressed []atomic.Int64 // by kind
	unwritten  atomic.Int32

	mu       sync.Mutex
	second   time.Time
	inSecond int
	busy     bool // an admitted line is being written
}

// New returns a log that writes to the logger. The summaries are what the line says that has
// the count of a kind: the kinds are their indices.
func New(logger *slog.Logger, summaries ...string) *Log {
	l := &Log{logger: logger, summaries: summaries, suppressed: make([]atomic.Int64, len(summaries))}
	l.quiet.Store(&map[Key]struct{}{})
	return l
}

// Admit reports whether a line may be written now. The caller then has to write it by
// WriteAdmitted. Otherwise it is counted.
func (l *Log) Admit(kind Kind, key Key) bool {
	if _, quiet := (*l.quiet.Load())[key]; quiet || !l.admitAt(time.Now(), key) {
		if l.suppressed[kind].Add(1) == 1 {
			time.AfterFunc(quietPeriod, func() { l.summarize(kind) })
		}
		return false
	}
	return true
}

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

// forget lets lines of the key be written again.
func (l *Log) forget(key Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	quiet := maps.Clone(*l.quiet.Load())
	delete(quiet, key)
	l.quiet.Store(&quiet)
}

// summarize writes how many lines of a kind were not.
func (l *Log) summarize(kind Kind) {
	n := l.suppressed[kind].Swap(0)
	l.Write(context.Background(), slog.LevelWarn, l.summaries[kind], slog.Int64("count", n))
}

// WriteAdmitted writes a line that was admitted, at level WARN.
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

// write writes a line, and calls done when it is written. It waits for that, but not for
// long, and a line that finds too many unwritten is lost. A panic of the log's handler is
// recovered.
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
