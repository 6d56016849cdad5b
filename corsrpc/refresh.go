package corsrpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// Refresh asks a source for its set and puts it in force in one step. Where that
// fails, or the context ends, the set that was there stays, and the error says
// why. It is safe for concurrent use; calls for one source take turns.
func (l *Layer) Refresh(ctx context.Context, name string) error {
	s := l.sources[name]
	if s == nil { // or the layer is its zero value
		return fmt.Errorf("%w %q: give it by WithOriginSource", ErrUnknownSource, name)
	}
	set, report := s.load(ctx)
	if set != nil {
		l.plan.put(name, set)
	} else {
		report.describe(l.plan.Load().sets[name])
	}
	l.reportSource(ctx, s, report)
	return report.Err
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

// Sources returns a report on each origin source that the plan in force or its shadow
// names, sorted by name: of the set that is in force now, and of what came of asking for
// one last. It is safe for concurrent use.
func (l *Layer) Sources() []SourceReport {
	plan := l.Plan()
	if plan == nil { // the layer is its zero value
		return nil
	}
	var reports []SourceReport
	for _, name := range plan.Sources() {
		var report SourceReport
		if last := l.sources[name].last.Load(); last != nil {
			report = *last
		}
		report.Name = name
		report.describe(plan.sets[name])
		reports = append(reports, report)
	}
	return reports
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

// reportSource tells the observer of what a source streamed, and the log of what is
// new in it.
func (l *Layer) reportSource(ctx context.Context, s *source, report SourceReport) {
	last := s.last.Swap(&report)
	if last == nil {
		last = &SourceReport{}
	}
	if l.log != nil {
		l.log.source(ctx, report, *last)
		if report.Expired && !last.Expired {
			l.log.Write(ctx, slog.LevelError, "corsrpc: the last good set of an origin source is too old (SourceMaxAge): it allows nobody now",
				slog.String("source", report.Name), slog.Duration("age", report.Age))
		}
	}
	if l.observers.want(EventRefresh) {
		l.observers.observe(ctx, Event{Kind: EventRefresh, Source: report})
	}
}
