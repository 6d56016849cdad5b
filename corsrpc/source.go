package corsrpc

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rules"
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

// SourceOption changes how a layer keeps the origins of a source.
type SourceOption interface{ applyToSource(*source) }

type sourceOption func(*source)

func (o sourceOption) applyToSource(s *source) { o(s) }

// durationOption is an option that sets a duration, which has to be positive.
func durationOption(name string, d time.Duration, set func(*source)) SourceOption {
	return sourceOption(func(s *source) {
		if d <= 0 {
			s.fail(name, d.String()+" is not a positive duration; leave the option out for its default")
			return
		}
		set(s)
	})
}

// SourceMaxAge sets the age of a set beyond which it allows nobody: a source
// that has failed for so long. So that the set of a source that answers never grows
// so old, Watch asks for it again after half of that, where SourceEvery is none or
// longer. That a set is too old is logged once, and reported (SourceReport.Expired).
// Ages are measured by the monotonic clock, so that a wall clock that is set changes
// nothing. Zero or less is an error of New or Load. Default: none, and the last good
// set stays.
func SourceMaxAge(d time.Duration) SourceOption {
	return durationOption("SourceMaxAge", d, func(s *source) { s.maxAge = d })
}

// SourceEvery sets the period after which Watch asks the source again. Zero or less is an
// error of New or Load. Default: none, and only notices, SourceMaxAge and Refresh do.
func SourceEvery(d time.Duration) SourceOption {
	return durationOption("SourceEvery", d, func(s *source) { s.every = d })
}

// SourceWait has Load and New wait for the first set, no longer than d nor than the context
// of LoadContext or NewContext, and fail without one. Zero or less is an error of New or Load.
// Default: they do not wait, and the source allows nobody until Watch or Refresh has asked it.
func SourceWait(d time.Duration) SourceOption {
	return durationOption("SourceWait", d, func(s *source) { s.wait = d })
}

// SourceTimeout sets how long the source may take to stream its set: its context
// ends then, and the set that was there stays. Zero or less is an error of New or Load.
// Default: a minute.
func SourceTimeout(d time.Duration) SourceOption {
	return durationOption("SourceTimeout", d, func(s *source) { s.timeout = d })
}

// SourceMaxOrigins sets how many origins a set may have: a source that streams
// more has failed, so that a wrong query does not fill the memory. Zero or less is an error
// of New or Load. Default: 4,000,000.
func SourceMaxOrigins(n int) SourceOption {
	return sourceOption(func(s *source) {
		if n <= 0 {
			s.fail("SourceMaxOrigins", strconv.Itoa(n)+" is not a positive number; leave the option out for its default")
			return
		}
		s.maxOrigins = n
	})
}

// WithOriginSource gives the source that rules name in allow_origins_from: a name of
// letters, digits, - and _. A source that no rule names is neither asked nor listened to,
// until a policy with such a rule is put in force. A nil source, a name that no rule can
// have, and a name that is given twice are errors of New or Load.
func WithOriginSource(name string, from OriginSource, opts ...SourceOption) LayerOption {
	return layerOption(func(c *layerConfig) {
		s := &source{name: name, from: from, timeout: time.Minute, maxOrigins: 4_000_000, turn: make(chan struct{}, 1), notices: make(chan struct{}, 1)}
		switch {
		case !rules.IsSourceName(name):
			s.fail("WithOriginSource", "the name has to consist of letters, digits, - and _, as in allow_origins_from")
		case c.sources[name] != nil:
			s.fail("WithOriginSource", "the name is given twice")
		}
		if isNil(from) {
			s.fail("WithOriginSource", "the source is nil")
		}
		for _, o := range opts {
			if o == nil {
				s.fail("SourceOption", "the option is nil")
				continue
			}
			o.applyToSource(s)
		}
		c.problems = append(c.problems, s.problems...)
		c.sources[name] = s
	})
}

// source is one that the program gave.
type source struct {
	name                         string
	from                         OriginSource
	maxAge, every, wait, timeout time.Duration // 0 for none
	maxOrigins                   int
	problems                     []error       // of the options; a layer has a source without
	turn                         chan struct{} // holds one item while it is asked
	notices                      chan struct{} // has Watch look at it; one that waits stands for all that come
	last                         SourceReport  // what was said of it last; under Layer.writing
}

// fail records a value that an option of the source cannot have.
func (s *source) fail(option, reason string) {
	s.problems = append(s.problems, &OptionError{option, fmt.Sprintf("origin source %q: %s", s.name, reason)})
}

// notice has Watch look at the source, which asks it where a policy names it.
func (s *source) notice() {
	select {
	case s.notices <- struct{}{}:
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
	// Expired is whether the set in force is older than SourceMaxAge, so that it allows
	// nobody.
	Expired bool
	// Err is why asking failed; nil where it did not.
	Err error
}

// load asks the source for its whole set, when its turn has come.
func (s *source) load(ctx context.Context) (set *sourceSet, report SourceReport) {
	report = SourceReport{Name: s.name}
	fail := func(err error) (*sourceSet, SourceReport) {
		report.Err = fmt.Errorf("corsrpc: origin source %q: %w", s.name, err)
		return nil, report
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
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
				report.Sample = sample(row)
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
	report.Origins, report.Age = set.origins.Len(), time.Since(set.loaded)
	return set, report
}

// shadowPatience is how long a reload waits for a source that only a shadow names.
const shadowPatience = 5 * time.Second

// loadFor is load for a plan that names the source anew, or whose shadow does.
func (s *source) loadFor(ctx context.Context, own bool) (*sourceSet, SourceReport) {
	if !own {
		var cancel func()
		ctx, cancel = context.WithTimeoutCause(ctx, shadowPatience, fmt.Errorf("it took longer than %v, and only the shadow policy names it", shadowPatience))
		defer cancel()
	}
	return s.load(ctx)
}

// isTenantOrigin reports whether a row is one exact origin that a policy could
// name without accepting a risk.
func isTenantOrigin(row string) bool {
	if _, ok := origin.Parse(row); !ok {
		return false // which no pattern is
	}
	_, problems := origin.ParsePattern(row)
	return len(problems) == 0
}

// Refresh asks a source for its set and puts it in force in one step. Where that
// fails, or the context ends, the set that was there stays, and the error says
// why. It is safe for concurrent use; calls for one source take turns.
func (l *Layer) Refresh(ctx context.Context, name string) error {
	s := l.sources[name]
	if s == nil { // or the layer is its zero value
		return fmt.Errorf("%w %q: give it by WithOriginSource", ErrUnknownSource, name)
	}
	set, report := s.load(ctx)
	l.writing.Lock()
	if set != nil {
		l.keepYounger(name, set)
		l.plan.Store(l.bind(l.plan.Load()))
	} else {
		report.describe(l.sets[name])
	}
	l.writing.Unlock()
	l.reportSource(ctx, s, report)
	return report.Err
}

// describe says of the set in force what a report of a failure says.
func (r *SourceReport) describe(have *sourceSet) {
	if have != nil {
		r.Origins, r.Age, r.Expired = have.origins.Len(), time.Since(have.loaded), have.expired()
	}
}

// keepYounger keeps a set, unless the one that is there was asked for later. The
// caller holds l.writing.
func (l *Layer) keepYounger(name string, set *sourceSet) {
	if have := l.sets[name]; have == nil || !set.loaded.Before(have.loaded) {
		l.sets = maps.Clone(l.sets)
		if l.sets == nil {
			l.sets = map[string]*sourceSet{}
		}
		l.sets[name] = set
	}
}

// bind is the plan with its shadow, and both with what the sources streamed. The
// caller holds l.writing.
func (l *Layer) bind(plan *Plan) *Plan {
	bound := *plan
	bound.sets = l.sets
	if l.shadow != nil {
		bound.shadow = l.shadow
	}
	if bound.shadow != nil {
		shadow := *bound.shadow
		shadow.sets, shadow.shadow = l.sets, nil
		bound.shadow = &shadow
	}
	return &bound
}

// WithSets returns the plan with origins for its sources, by their names, as a layer
// reads them: what is no exact origin counts for nothing. It is for deciding without
// a layer, in tests and tools.
func (p *Plan) WithSets(origins map[string][]string) *Plan {
	sets := map[string]*sourceSet{}
	for name, rows := range origins {
		set := &sourceSet{origins: origin.NewTable()}
		for _, row := range rows {
			if isTenantOrigin(row) {
				set.origins.Add(row)
			}
		}
		sets[name] = set
	}
	bound := *p
	bound.sets = sets
	return &bound
}

// Reload puts another plan in force, in one step: a request keeps the plan that
// it began with. The sets of sources that both plans name stay; sources that only
// the new one names are asked before, and where one fails or was not given,
// nothing changes and the error says why. Calls take turns.
//
// A source that only the plan's shadow names does not hold it up: it is given 5 s,
// and where it fails, that is reported, and it allows nobody until Watch or Refresh
// has asked it again.
//
// A layer that Load made goes on following its file where Watch does.
func (l *Layer) Reload(ctx context.Context, plan *Plan) error {
	err := l.reload(ctx, plan)
	l.reportReload(ctx, err)
	return err
}

func (l *Layer) reload(ctx context.Context, plan *Plan) error {
	if l.isZero() {
		return errZeroLayer
	}
	if plan.missing() {
		return errors.New("corsrpc: Reload was given no plan: pass what Compile returns")
	}
	l.reloading.Lock()
	defer l.reloading.Unlock()
	named := l.sourceNames(plan)
	if err := l.missingSources(named); err != nil {
		return err
	}
	have, loaded := l.Plan(), map[string]*sourceSet{}
	before := l.sourceNames(have)
	for _, name := range named {
		own := slices.Contains(plan.sourceNames, name)
		if slices.Contains(before, name) && (!own || have.sets[name] != nil || slices.Contains(have.sourceNames, name)) {
			continue
		}
		set, report := l.sources[name].loadFor(ctx, own)
		l.reportSource(ctx, l.sources[name], report)
		switch {
		case set != nil:
			loaded[name] = set
		case own:
			return report.Err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	for name, set := range loaded {
		l.keepYounger(name, set)
	}
	// What nobody names grows old: it is asked anew when somebody does.
	kept := maps.Clone(l.sets)
	maps.DeleteFunc(kept, func(name string, _ *sourceSet) bool { return !slices.Contains(named, name) })
	l.sets = kept
	l.plan.Store(l.bind(plan))
	for name, s := range l.sources {
		if slices.Contains(before, name) != slices.Contains(named, name) {
			s.notice() // Watch begins to follow it, or ends
		}
	}
	return nil
}

// sourceNames returns the sources that a plan and its shadow name, each once.
func (l *Layer) sourceNames(plan *Plan) []string {
	if l.shadow == nil {
		return plan.Sources()
	}
	return (&Plan{sourceNames: plan.sourceNames, shadow: l.shadow}).Sources()
}

// Sources returns the names of the origin sources that the plan's rules, and its
// shadow's, have in allow_origins_from.
func (p *Plan) Sources() []string {
	names := slices.Clone(p.sourceNames)
	if p.shadow != nil {
		names = append(names, p.shadow.sourceNames...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// missingSources is the error where some of the sources were not given.
func (l *Layer) missingSources(names []string) error {
	var missing []error
	for _, name := range names {
		if l.sources[name] == nil {
			missing = append(missing, fmt.Errorf("%w %q: the policy names it, and WithOriginSource does not give it", ErrUnknownSource, name))
		}
	}
	return errors.Join(missing...)
}
