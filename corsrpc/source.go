package corsrpc

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// ErrUnknownSource is the error of New, Load and Reload if the policy names an origin source that
// the layer was not given (WithOriginSource), and of Refresh for such a name. Use errors.Is; the
// message has the name.
var ErrUnknownSource = errors.New("corsrpc: unknown origin source")

// OriginSource provides a set of allowed origins, for example those of tenants in a database.
// Rules name it in allow_origins_from.
type OriginSource interface {
	// Origins streams the whole set: exact https origins as browsers send them, such as
	// https://shop.example.com. If it yields an error, the layer keeps the previous set.
	// Origins must return when the context ends. The layer skips, counts and reports all other
	// rows: a pattern, *, null, upper-case letters, http, a loopback host, the scheme of an app.
	// The layer calls Origins from several goroutines, but never concurrently.
	Origins(ctx context.Context) iter.Seq2[string, error]
}

// OriginNotifier is an OriginSource that can report changes of its set.
type OriginNotifier interface {
	OriginSource
	// Notify waits until the set may have changed since the last call, and returns nil. It
	// returns an error if it can no longer tell. Watch then loads the set in both cases and
	// calls Notify again. If Notify has to connect first, it returns nil as soon as it is
	// connected, since it may have missed changes before that. Notify must return when the
	// context ends.
	//
	// After an error, Watch pauses before it calls Notify again: 100 ms at first, then twice
	// the last pause, up to 30 s. The pause starts over after Notify has returned nil twice in
	// a row or has waited for more than 30 s.
	Notify(ctx context.Context) error
}

// OriginSourceFunc is a function that implements OriginSource.
type OriginSourceFunc func(ctx context.Context) iter.Seq2[string, error]

// Origins calls f.
func (f OriginSourceFunc) Origins(ctx context.Context) iter.Seq2[string, error] { return f(ctx) }

// source is an origin source with its options and its state.
type source struct {
	name                         string
	from                         OriginSource
	maxAge, every, wait, timeout time.Duration // 0 if there is none
	maxOrigins                   int
	problems                     []error                      // invalid options; empty in a layer
	sem                          chan struct{}                // a semaphore: holds one item while the source is loaded
	wake                         chan struct{}                // wakes Watch; one item stands for any number of calls of wakeUp
	last                         atomic.Pointer[SourceReport] // the last report; nil before the first
}

// wakeUp makes Watch look at the source again, and load it if a policy names it.
func (s *source) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// period returns the time after which Watch loads the source again without a notification; 0 for
// never.
func (s *source) period() time.Duration {
	if half := s.maxAge / 2; half > 0 && (s.every == 0 || s.every > half) {
		return half
	}
	return s.every
}

// sourceSet is a loaded set of origins. It is immutable.
type sourceSet struct {
	origins *origin.Table
	loaded  time.Time
	expires time.Time // zero for never
}

// allows reports whether the set has the origin and has not expired.
func (s *sourceSet) allows(o string) bool {
	if s == nil {
		return false
	}
	return s.origins.Has(o) && !s.expired()
}

// expired reports whether the set is older than SourceMaxAge.
func (s *sourceSet) expired() bool { return !s.expires.IsZero() && !time.Now().Before(s.expires) }

// SourceReport describes the state of an origin source, and the result of the last attempt to load
// it. Fields may be added: use field names in literals.
type SourceReport struct {
	// Name is the name of the source in allow_origins_from.
	Name string
	// Origins is the number of origins in the set in force. Skipped is the number of rows that
	// were skipped since they are not exact https origins, and Sample is the first of them, made safe
	// to log.
	Origins, Skipped int
	Sample           string
	// Age is the age of the set in force, counted from when loading it began; 0 if there is no
	// set.
	Age time.Duration
	// Loaded is the time when loading the set in force began; zero if there is no set.
	Loaded time.Time
	// Expired reports whether the set in force is older than SourceMaxAge, so that it allows no
	// origin.
	Expired bool
	// Err is the error of the last attempt to load the source; nil if it succeeded.
	Err error
}

// describe sets the fields that describe the set in force, which may be nil.
func (r *SourceReport) describe(set *sourceSet) {
	r.Origins, r.Age, r.Loaded, r.Expired = 0, 0, time.Time{}, false
	if set != nil {
		r.Origins, r.Age, r.Loaded, r.Expired = set.origins.Len(), time.Since(set.loaded), set.loaded, set.expired()
	}
}

// load loads the whole set of the source. It waits until no other call loads the same source.
func (s *source) load(ctx context.Context) (set *sourceSet, report SourceReport) {
	report = SourceReport{Name: s.name}
	fail := func(err error) (*sourceSet, SourceReport) {
		report.Err = fmt.Errorf("corsrpc: origin source %q: %w", s.name, err)
		return nil, report
	}
	select {
	case s.sem <- struct{}{}:
		defer func() { <-s.sem }()
	case <-ctx.Done():
		return fail(ctx.Err())
	}
	defer func() {
		if r := recover(); r != nil { // a panic in a goroutine of Watch would end the server
			set, report = fail(fmt.Errorf("panic in Origins: %v", r))
		}
	}()
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, fmt.Errorf("loading took longer than %v (SourceTimeout)", s.timeout))
	defer cancel()
	set = &sourceSet{origins: origin.NewTable(), loaded: time.Now()} // the set may be as old as the request for it
	for row, err := range s.from.Origins(ctx) {
		switch {
		case ctx.Err() != nil:
			return fail(context.Cause(ctx))
		case err != nil:
			return fail(err)
		case !origin.IsTenant(row):
			if report.Skipped++; report.Skipped == 1 {
				report.Sample = safetext.Sample(row)
			}
			continue
		}
		if !set.origins.Add(row) {
			return fail(errors.New("it has more than 4 GiB of origins"))
		}
		if set.origins.Len() > s.maxOrigins {
			return fail(fmt.Errorf("it has more than %d origins (SourceMaxOrigins)", s.maxOrigins))
		}
	}
	if ctx.Err() != nil { // the source may have stopped in the middle of its set
		return fail(context.Cause(ctx))
	}
	if s.maxAge > 0 {
		set.expires = set.loaded.Add(s.maxAge)
	}
	report.describe(set)
	return set, report
}

// shadowTimeout bounds how long a reload waits for a source that only a shadow policy names.
const shadowTimeout = 5 * time.Second

// loadForShadow loads a source that only the shadow of a plan names.
func (s *source) loadForShadow(ctx context.Context) (*sourceSet, SourceReport) {
	ctx, cancel := context.WithTimeoutCause(ctx, shadowTimeout, fmt.Errorf("loading took longer than %v, the maximum for a source that only the shadow policy names", shadowTimeout))
	defer cancel()
	return s.load(ctx)
}
