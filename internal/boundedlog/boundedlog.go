// Package boundedlog writes log lines about events that anyone can cause, such as refused
// requests. A flood of events neither floods the log nor uses up memory, and a log handler that
// blocks or panics does not hold up the callers.
package boundedlog

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	quietPeriod = time.Minute // after a line, until the next line with the same key

	writeTimeout = 100 * time.Millisecond // how long a caller waits until its line is written
	maxUnwritten = 8                      // the maximum number of lines that are being written
)

// Key identifies similar lines, of which one a minute is written. It is an integer because maps
// are fastest for those.
type Key uint64

// Kind is the kind of a line. It is an index of the summaries that are given to New.
type Kind int

// Class is the class of a line. Lines of one class do not use up the quotas of the other.
type Class int

// The classes.
const (
	// Known: the line is about a client that the operator knows.
	Known Class = iota
	// Other: the line is about any other client. Anyone can cause many such lines.
	Other
	classes
)

// Line describes a line before it is written.
type Line struct {
	// Kind, Class and Cause determine the counter of the line if it is suppressed. Cause is less
	// than the number of causes that was given to New.
	Kind  Kind
	Class Class
	Cause int
	// Keys identify the line with increasing precision. Lines with the same last key are the same.
	// Keys that differ in precision must differ.
	Keys [Precisions]Key
}

// Precisions is the number of keys of a line.
const Precisions = 3

// Log is a log with bounds. It is safe for concurrent use.
//
// Admitted lines are bounded. A line is admitted if no line with its last key was admitted within
// the last minute, and if a quota allows it: the quota of its first key that was not admitted within
// the last minute. So lines that differ only in their last keys do not use up the quota of lines with
// a new first key. Each class has its own quotas. Together they allow ten lines a second. Within a
// class, one line is written at a time.
//
// The lines that are not admitted are counted by kind, class and cause. A summary with the count and
// a sample is written a minute after the first of them. Lines written by Write are not bounded in
// number.
type Log struct {
	logger    *slog.Logger
	summaries []string // by kind
	causes    int

	classes    [classes]class
	suppressed []counter // by kind, class and cause
	unwritten  atomic.Int32
}

// class holds the state of a class. Lines are suppressed without the lock and without the clock.
type class struct {
	// quiet holds the keys of the lines of the last minute. The quotas bound its size. The map is
	// replaced as a whole.
	quiet  atomic.Pointer[map[Key]struct{}]
	quotas [Precisions]quota
	busy   atomic.Bool // an admitted line is being written

	mu sync.Mutex // held to admit a line, and to replace quiet
}

// quota bounds the number of lines within a second, and within a minute (maxPerMinute). Each period
// begins with its first line.
type quota struct {
	perSecond          int32
	inSecond, inMinute atomic.Int32
}

// maxPerMinute is the number of lines within a minute that each quota allows.
const maxPerMinute = 60

// perSecond is the number of lines within a second that each quota allows.
var perSecond = [classes][Precisions]int32{Known: {2, 2, 1}, Other: {3, 1, 1}}

// counter counts suppressed lines.
type counter struct {
	count  atomic.Int64
	sample atomic.Pointer[[]slog.Attr] // describes one of the lines
}

// New returns a log that writes to logger. The summaries are the messages of the lines with the
// counts, one for each kind. causes is the number of causes of each kind.
func New(logger *slog.Logger, causes int, summaries ...string) *Log {
	l := &Log{logger: logger, summaries: summaries, causes: causes, suppressed: make([]counter, len(summaries)*int(classes)*causes)}
	for i := range l.classes {
		c := &l.classes[i]
		c.quiet.Store(&map[Key]struct{}{})
		for precision := range c.quotas {
			c.quotas[precision].perSecond = perSecond[i][precision]
		}
	}
	return l
}

// Repeats reports whether a line with this last key was admitted within the last minute. If so, it counts the line in that
// line's class, as Admit does; sample gets the class. It spares callers what only Admit needs.
func (l *Log) Repeats(kind Kind, cause int, last Key, sample func(Class) []slog.Attr) bool {
	for of := range classes {
		if _, same := (*l.classes[of].quiet.Load())[last]; same {
			l.suppress(kind, of, cause, sample)
			return true
		}
	}
	return false
}

// Admit reports whether a line may be written now. If so, the caller must write it by
// WriteAdmitted. If not, Admit counts the line, and calls sample if the summary has no sample yet:
// the summary has the attributes that it returns.
func (l *Log) Admit(line Line, sample func(Class) []slog.Attr) bool {
	if l.classes[line.Class].admit(line) {
		return true
	}
	l.suppress(line.Kind, line.Class, line.Cause, sample)
	return false
}

// suppress counts a line that is not written.
func (l *Log) suppress(kind Kind, of Class, cause int, sample func(Class) []slog.Attr) {
	c := &l.suppressed[(int(kind)*int(classes)+int(of))*l.causes+cause]
	if c.count.Add(1) == 1 {
		attrs := sample(of)
		c.sample.Store(&attrs)
		time.AfterFunc(quietPeriod, func() { l.summarize(kind, c) })
	}
}

// precision returns the precision of the first key of a line that is not quiet, whose quota the line
// counts toward. It is false if the line is suppressed.
func (c *class) precision(line Line) (precision int, ok bool) {
	quiet := *c.quiet.Load()
	if _, same := quiet[line.Keys[Precisions-1]]; same || c.busy.Load() {
		return 0, false
	}
	for ; precision < Precisions-1; precision++ {
		if _, known := quiet[line.Keys[precision]]; !known {
			break
		}
	}
	q := &c.quotas[precision]
	return precision, q.inSecond.Load() < q.perSecond && q.inMinute.Load() < maxPerMinute
}

// admit admits a line, and reports whether it did.
func (c *class) admit(line Line) bool {
	if _, ok := c.precision(line); !ok {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	precision, ok := c.precision(line) // another line may have been admitted
	if !ok {
		return false
	}
	c.quotas[precision].take()
	c.busy.Store(true)
	quiet := maps.Clone(*c.quiet.Load())
	keys := slices.Clone(line.Keys[precision:])
	for _, key := range keys {
		quiet[key] = struct{}{}
	}
	c.quiet.Store(&quiet)
	time.AfterFunc(quietPeriod, func() { c.forget(keys) })
	return true
}

// take counts a line. The caller holds the lock of the class.
func (q *quota) take() {
	if q.inSecond.Add(1) == 1 {
		time.AfterFunc(time.Second, func() { q.inSecond.Store(0) })
	}
	if q.inMinute.Add(1) == 1 {
		time.AfterFunc(time.Minute, func() { q.inMinute.Store(0) })
	}
}

// forget ends the quiet period of keys.
func (c *class) forget(keys []Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	quiet := maps.Clone(*c.quiet.Load())
	for _, key := range keys {
		delete(quiet, key)
	}
	c.quiet.Store(&quiet)
}

// summarize writes the number of suppressed lines of a counter, and a sample of them.
func (l *Log) summarize(kind Kind, c *counter) {
	attrs := *c.sample.Load()
	attrs = append([]slog.Attr{slog.Int64("count", c.count.Swap(0))}, attrs...)
	l.Write(context.Background(), slog.LevelWarn, l.summaries[kind], attrs...)
}

// WriteAdmitted writes a line of a class that Admit has admitted, at level WARN.
func (l *Log) WriteAdmitted(ctx context.Context, of Class, message string, attrs ...slog.Attr) {
	l.write(ctx, slog.LevelWarn, message, attrs, func() { l.classes[of].busy.Store(false) })
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
