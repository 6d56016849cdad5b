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

// ErrUnknownSource is the error of New, Load and Reload where the policy names an origin
// source that WithOriginSource does not give, and of Refresh of such a name. errors.Is finds
// it; the message says which.
var ErrUnknownSource = errors.New("corsrpc: unknown origin source")

// OriginSource has the origins of tenants, in a database perhaps, under a name
// that rules have in allow_origins_from.
type OriginSource interface {
	// Origins streams the whole set, each an exact origin as browsers write it:
	// https://shop.example.com. An error ends the stream, and the set that was
	// there before stays; it has to end with the context. A row that is no exact
	// origin (a pattern, *, null, an upper-case letter), or one of plain http beyond
	// loopback, is skipped, counted and reported. It is called from several
	// goroutines, one at a time.
	Origins(ctx context.Context) iter.Seq2[string, error]
}

// OriginNotifier is an OriginSource that says when its set has changed.
type OriginNotifier interface {
	OriginSource
	// Notify waits, and returns nil once the set may have changed since Notify was
	// called last, or an error where it cannot tell any more. Watch asks for the set
	// then, and calls Notify again, after a pause where it failed. Where it has to
	// connect first, it returns nil as soon as it listens: what happened before, it
	// cannot tell. The pause is 100 ms, and doubles with each failure up to 30 s, until
	// Notify returns nil twice in a row or has waited for longer than 30 s. It has to
	// end with the context.
	Notify(ctx context.Context) error
}

// OriginSourceFunc is a function that is an OriginSource.
type OriginSourceFunc func(ctx context.Context) iter.Seq2[string, error]

// Origins calls f.
func (f OriginSourceFunc) Origins(ctx context.Context) iter.Seq2[string, error] { return f(ctx) }

// source is one that the program gave.
type source struct {
	name                         string
	from                         OriginSource
	maxAge, every, wait, timeout time.Duration // 0 for none
	maxOrigins                   int
	problems                     []error                      // of the options; a layer has a source without
	sem                          chan struct{}                // holds one item while it is asked
	wake                         chan struct{}                // has Watch look at it; one item stands for all that come
	last                         atomic.Pointer[SourceReport] // what was said of it last; nil for nothing
}

// wakeUp has Watch look at the source, which asks it where a policy names it.
func (s *source) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// period is how old a set may be before Watch asks for another, though nothing
// notifies of one; 0 for ever so old.
func (s *source) period() time.Duration {
	if half := s.maxAge / 2; half > 0 && (s.every == 0 || s.every > half) {
		return half
	}
	return s.every
}

// sourceSet is what a source streamed. It is immutable.
type sourceSet struct {
	origins *origin.Table
	loaded  time.Time
	expires time.Time // zero for never
}

// allows reports whether the set holds the origin and is not too old.
func (s *sourceSet) allows(o string) bool {
	if s == nil {
		return false
	}
	return s.origins.Has(o) && !s.expired()
}

// expired reports whether the set is so old that it allows nobody.
func (s *sourceSet) expired() bool { return !s.expires.IsZero() && !time.Now().Before(s.expires) }

// isTenantOrigin reports whether a row is one exact origin that a policy could
// name without accepting a risk.
func isTenantOrigin(row string) bool {
	if _, ok := origin.Parse(row); !ok {
		return false // which no pattern is
	}
	_, problems := origin.ParsePattern(row)
	return len(problems) == 0
}

// SourceReport says what came of asking a source. Fields may be added: use field names in literals.
type SourceReport struct {
	// Name is the source's, as rules name it.
	Name string
	// Origins is how many the set in force has, Skipped how many rows were no exact
	// origins, and Sample the first of them, made safe to log.
	Origins, Skipped int
	Sample           string
	// Age is the age of the set in force: what asking took where it went well, and
	// how old the last good set is where it failed. It is 0 where there is none.
	Age time.Duration
	// Loaded is when the set in force was asked for; zero where there is none.
	Loaded time.Time
	// Expired is whether the set in force is older than SourceMaxAge, so that it allows
	// nobody.
	Expired bool
	// Err is why asking failed; nil where it did not.
	Err error
}

// describe fills in what a report says of a set; nil for none.
func (r *SourceReport) describe(set *sourceSet) {
	r.Origins, r.Age, r.Loaded, r.Expired = 0, 0, time.Time{}, false
	if set != nil {
		r.Origins, r.Age, r.Loaded, r.Expired = set.origins.Len(), time.Since(set.loaded), set.loaded, set.expired()
	}
}

// load asks the source for its whole set, when its turn has come.
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
		if r := recover(); r != nil { // in a goroutine of Watch's it would end the server
			set, report = fail(fmt.Errorf("it panicked: %v", r))
		}
	}()
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, fmt.Errorf("it took longer than %v (SourceTimeout)", s.timeout))
	defer cancel()
	set = &sourceSet{origins: origin.NewTable(), loaded: time.Now()} // no younger than what it was asked for
	for row, err := range s.from.Origins(ctx) {
		switch {
		case ctx.Err() != nil:
			return fail(context.Cause(ctx))
		case err != nil:
			return fail(err)
		case !isTenantOrigin(row):
			if report.Skipped++; report.Skipped == 1 {
				report.Sample = safetext.Sample(row)
			}
			continue
		}
		if !set.origins.Add(row) {
			return fail(errors.New("it streams more than 4 GiB"))
		}
		if set.origins.Len() > s.maxOrigins {
			return fail(fmt.Errorf("it streams more than %d origins (SourceMaxOrigins)", s.maxOrigins))
		}
	}
	if ctx.Err() != nil { // a stream that ended early is no set
		return fail(context.Cause(ctx))
	}
	if s.maxAge > 0 {
		set.expires = set.loaded.Add(s.maxAge)
	}
	report.describe(set)
	return set, report
}

// shadowTimeout is how long a reload waits for a source that only a shadow names.
const shadowTimeout = 5 * time.Second

// loadForShadow is load for a plan whose own rules do not name the source.
func (s *source) loadForShadow(ctx context.Context) (*sourceSet, SourceReport) {
	ctx, cancel := context.WithTimeoutCause(ctx, shadowTimeout, fmt.Errorf("it took longer than %v, and only the shadow policy names it", shadowTimeout))
	defer cancel()
	return s.load(ctx)
}
