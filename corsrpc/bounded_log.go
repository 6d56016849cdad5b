package corsrpc

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// What the lines about requests are bounded by: whoever floods a server with
// refused requests does not flood its log, nor its memory.
const (
	logPeriod    = time.Minute
	logPerSecond = 10
	logMostBytes = 100 // of a sample

	logPatience  = 100 * time.Millisecond // with a log that is stuck
	logMostStuck = 8                      // lines that wait for it
)

// eventLog logs what a layer does. Of requests it logs those that are refused, and
// those that a shadow policy decides otherwise: each reason, rule and known
// procedure once a minute with one sample, ten lines a second at most, and the count
// of the rest once a minute. One line of a request is written at a time, and what comes
// meanwhile is counted. Whoever has something to log waits for the line to be written,
// but not for long: a log that is stuck holds up nobody.
type eventLog struct {
	logger *slog.Logger

	// quiet are the keys of the last minute's lines: as many as its seconds allow. It
	// is replaced whole, so that what is only counted takes no lock and no clock.
	quiet      atomic.Pointer[map[lineKey]struct{}]
	suppressed [lineKinds]atomic.Int64
	stuck      atomic.Int32 // lines that are being written

	mu       sync.Mutex
	second   time.Time
	inSecond int
	busy     bool // a line is being written
}

func newEventLog(logger *slog.Logger) *eventLog {
	l := &eventLog{logger: logger}
	l.quiet.Store(&map[lineKey]struct{}{})
	return l
}

// admit reports whether a line may be written now, by write, and counts it if not.
func (l *eventLog) admit(kind lineKind, key lineKey) bool {
	if _, quiet := (*l.quiet.Load())[key]; quiet || !l.admitNow(key, time.Now()) {
		if l.suppressed[kind].Add(1) == 1 {
			time.AfterFunc(logPeriod, func() { l.summarize(kind) })
		}
		return false
	}
	return true
}

func (l *eventLog) admitNow(key lineKey, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.second) >= time.Second {
		l.second, l.inSecond = now, 0
	}
	if _, quiet := (*l.quiet.Load())[key]; quiet || l.busy || l.inSecond >= logPerSecond {
		return false
	}
	l.inSecond++
	l.busy = true
	quiet := maps.Clone(*l.quiet.Load())
	quiet[key] = struct{}{}
	l.quiet.Store(&quiet)
	time.AfterFunc(logPeriod, func() { l.forget(key) })
	return true
}

// forget lets lines of the key be written again.
func (l *eventLog) forget(key lineKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	quiet := maps.Clone(*l.quiet.Load())
	delete(quiet, key)
	l.quiet.Store(&quiet)
}

// write writes a line that was admitted.
func (l *eventLog) write(ctx context.Context, what string, attrs ...slog.Attr) {
	l.lineThen(ctx, slog.LevelWarn, what, attrs, func() {
		l.mu.Lock()
		l.busy = false
		l.mu.Unlock()
	})
}

// line writes a line.
func (l *eventLog) line(ctx context.Context, level slog.Level, what string, attrs ...slog.Attr) {
	l.lineThen(ctx, level, what, attrs, func() {})
}

// lineThen writes a line, and calls then when it is written. It waits for that, but not
// for long, and a line that finds too many stuck before it is lost. A handler of the
// log's that panics does not touch the request.
func (l *eventLog) lineThen(ctx context.Context, level slog.Level, what string, attrs []slog.Attr, then func()) {
	if l.stuck.Add(1) > logMostStuck {
		l.stuck.Add(-1)
		then()
		return
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		defer then()
		defer l.stuck.Add(-1)
		defer func() { _ = recover() }()
		l.logger.LogAttrs(ctx, level, what, attrs...)
	}()
	patience := time.NewTimer(logPatience)
	defer patience.Stop()
	select {
	case <-written:
	case <-patience.C:
	}
}

// summarize logs how many requests were only counted.
func (l *eventLog) summarize(kind lineKind) {
	n := l.suppressed[kind].Swap(0)
	l.line(context.Background(), slog.LevelWarn, moreOf[kind], slog.Int64("count", n))
}
