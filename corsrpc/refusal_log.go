package corsrpc

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// What the log of refusals is bounded by: whoever floods a server with
// refused requests does not flood its log, nor its memory.
const (
	logPeriod    = time.Minute
	logPerSecond = 10
	logMostKeys  = 1024
	logMostBytes = 100 // of a sample
)

// refusalLog logs refused calls and preflights: each reason, rule and known
// procedure once a minute with one sample, ten lines a second at most, and the
// count of the rest once a minute.
type refusalLog struct {
	logger *slog.Logger

	mu         sync.Mutex
	last       map[refusalKey]time.Time
	second     time.Time
	inSecond   int
	suppressed int
}

type refusalKey struct {
	reason Reason
	field  string
	name   string // of a known procedure or a path rule only: their number is bounded
}

func newRefusalLog(logger *slog.Logger) *refusalLog {
	return &refusalLog{logger: logger, last: map[refusalKey]time.Time{}}
}

// isRefusal reports whether the browser will not make or not hand on the call.
func (d Decision) isRefusal() bool {
	switch d.outcome {
	case OutcomeRefuse, OutcomeMethodNotAllowed:
		return true
	case OutcomePreflight:
		return d.reason != ReasonOriginAllowed
	}
	return false
}

// decision logs a refusal, or counts it.
func (l *refusalLog) decision(ctx context.Context, r *http.Request, d Decision) {
	key := refusalKey{reason: d.reason, field: d.Field(), name: d.PathPattern()}
	if name, known := d.Procedure(); known {
		key.name = name
	}
	if !l.admit(key, time.Now()) {
		return
	}
	attrs := []slog.Attr{
		slog.String("reason", string(d.reason)),
		slog.String("why", d.reason.Text()),
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		attrs = append(attrs, slog.String("origin", sample(origin)))
	}
	if key.name != "" {
		attrs = append(attrs, slog.String("target", key.name))
	} else {
		attrs = append(attrs, slog.String("path", sample(r.URL.Path)))
	}
	if d.missing != "" {
		attrs = append(attrs, slog.String("missing", sample(d.missing)))
	}
	if key.field != "" {
		attrs = append(attrs, slog.String("rule", key.field))
	}
	if remedy := d.reason.Remedy(); remedy != "" {
		attrs = append(attrs, slog.String("remedy", remedy))
	}
	what := "corsrpc: refused a cross-origin call"
	if d.preflight {
		what = "corsrpc: refused a preflight"
		if d.outcome == OutcomePreflight {
			what = "corsrpc: a preflight asked for more than is granted, so the browser will not send the call"
		}
	}
	l.logger.LogAttrs(ctx, slog.LevelWarn, what, attrs...)
}

// admit reports whether a line may be written now, and counts it if not.
func (l *refusalLog) admit(key refusalKey, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.second) >= time.Second {
		l.second, l.inSecond = now, 0
	}
	last, seen := l.last[key]
	if !seen && len(l.last) >= logMostKeys {
		l.forget(now)
	}
	if seen && now.Sub(last) < logPeriod || l.inSecond >= logPerSecond || !seen && len(l.last) >= logMostKeys {
		if l.suppressed++; l.suppressed == 1 {
			time.AfterFunc(logPeriod, l.summarize)
		}
		return false
	}
	l.inSecond++
	l.last[key] = now
	return true
}

// forget drops the keys that may be logged again anyway.
func (l *refusalLog) forget(now time.Time) {
	for key, last := range l.last {
		if now.Sub(last) >= logPeriod {
			delete(l.last, key)
		}
	}
}

// summarize logs how many refusals were only counted.
func (l *refusalLog) summarize() {
	l.mu.Lock()
	n := l.suppressed
	l.suppressed = 0
	l.mu.Unlock()
	l.logger.LogAttrs(context.Background(), slog.LevelWarn,
		"corsrpc: refused more of the same in the last minute", slog.Int("count", n))
}

// sample makes text from the network safe to log: short, and without control
// characters, quotes or anything beyond ASCII.
func sample(s string) string {
	if len(s) > logMostBytes {
		s = s[:logMostBytes] + "..."
	}
	quoted := strconv.QuoteToASCII(s)
	return quoted[1 : len(quoted)-1]
}

// reportReplaced logs, once for a layer, that something behind it writes CORS
// headers of its own: two sources of them break every call.
func (l *Layer) reportReplaced(d Decision) {
	if l.refusals == nil || !l.replaced.CompareAndSwap(false, true) {
		return
	}
	name := d.PathPattern()
	if procedure, known := d.Procedure(); known {
		name = procedure
	}
	l.refusals.logger.LogAttrs(context.Background(), slog.LevelWarn,
		"corsrpc: replaced CORS headers that the handler or something behind it wrote; logged once",
		slog.String("target", name),
		slog.String("remedy", "remove the other CORS middleware, or the headers from the handler"))
}

// hintAtPrefix logs, once for a layer, that a preflight asks for a path that
// ends in a known procedure's but is not governed: most likely the layer
// stands outside of http.StripPrefix and was not told.
func (l *Layer) hintAtPrefix(r *http.Request) {
	if l.refusals == nil || r.Method != http.MethodOptions || len(r.Header["Access-Control-Request-Method"]) == 0 || l.hinted.Load() {
		return
	}
	prefix, ok := l.plan.Load().missingPrefix(r.URL.Path)
	if !ok || !l.hinted.CompareAndSwap(false, true) {
		return
	}
	l.refusals.logger.LogAttrs(r.Context(), slog.LevelWarn,
		"corsrpc: a preflight asks for a procedure below a path prefix that the layer was not told of, so neither is governed; logged once",
		slog.String("path", sample(r.URL.Path)),
		slog.String("remedy", "WithPathPrefix("+strconv.Quote(sample(prefix))+"), or mount the layer inside of http.StripPrefix"))
}
