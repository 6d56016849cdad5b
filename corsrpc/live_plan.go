package corsrpc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/corsrpc/corsrpc-go/internal/policyfile"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// livePlan is the plan in force, bound to the current sets of its origin sources. Requests load
// it without a lock. Every change stores a new plan.
type livePlan struct {
	bound  atomic.Pointer[Plan] // nil in the zero value
	shadow *Plan                // the plan of WithShadow, which replaces each plan's own shadow; nil if there is none

	mu   sync.Mutex            // held to store a plan, but not while a source is loaded
	sets map[string]*sourceSet // the sets of the named sources; replaced under mu, never modified
}

// Load returns the plan in force; nil in the zero value.
func (p *livePlan) Load() *Plan { return p.bound.Load() }

// replace puts a plan in force, with sets that were loaded for it. It returns the names of the
// sources that only one of the old and the new plan name.
func (p *livePlan) replace(plan *Plan, loaded map[string]*sourceSet) (changed []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var before []string
	if have := p.Load(); have != nil {
		before = p.sourceNames(have)
	}
	named := p.sourceNames(plan)
	for name, set := range loaded {
		p.keepNewer(name, set)
	}
	// Watch does not refresh the set of a source that no plan names, so it is dropped.
	p.sets = maps.Clone(p.sets)
	maps.DeleteFunc(p.sets, func(name string, _ *sourceSet) bool { return !slices.Contains(named, name) })
	p.bound.Store(p.bind(plan))
	for _, name := range slices.Concat(before, named) {
		if slices.Contains(before, name) != slices.Contains(named, name) {
			changed = append(changed, name)
		}
	}
	return changed
}

// putSet puts a source's set in force.
func (p *livePlan) putSet(name string, set *sourceSet) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keepNewer(name, set)
	p.bound.Store(p.bind(p.Load()))
}

// keepNewer stores a set, unless the set of that source in p.sets was requested later. The caller
// holds mu.
func (p *livePlan) keepNewer(name string, set *sourceSet) {
	if have := p.sets[name]; have != nil && set.loaded.Before(have.loaded) {
		return
	}
	p.sets = maps.Clone(p.sets)
	if p.sets == nil {
		p.sets = map[string]*sourceSet{}
	}
	p.sets[name] = set
}

// bind returns a copy of the plan with its shadow and the current sets. The caller holds mu.
func (p *livePlan) bind(plan *Plan) *Plan {
	bound := *plan
	bound.sets = p.sets
	if p.shadow != nil {
		bound.shadow = p.shadow
	}
	if bound.shadow != nil {
		shadow := *bound.shadow
		shadow.sets, shadow.shadow = p.sets, nil
		bound.shadow = &shadow
	}
	return &bound
}

// sourceNames returns the names of the sources that a plan and its shadow use, each once.
func (p *livePlan) sourceNames(plan *Plan) []string {
	if p.shadow == nil {
		return plan.Sources()
	}
	return (&Plan{sourceNames: plan.sourceNames, shadow: p.shadow}).Sources()
}

// mustLoad reports whether a source, which the next plan names, has to be loaded before that plan
// is put in force. A source that the plan in force names needs no loading: its set stays, and if
// it has none, the plan in force already works without it. But a source without a set that only a
// shadow named has to be loaded before a policy relies on it.
func (p *livePlan) mustLoad(name string, next *Plan) bool {
	have := p.Load()
	if !slices.Contains(p.sourceNames(have), name) {
		return true
	}
	onlyShadowNamed := !slices.Contains(have.sourceNames, name)
	return onlyShadowNamed && have.sets[name] == nil && slices.Contains(next.sourceNames, name)
}

// Reload puts another plan in force, in one atomic step. The plan in force when a
// request arrives decides on it. The sets of sources that both plans name stay. Sources that only
// the new plan names are loaded first; if one of them fails or was not given to the layer, Reload
// changes nothing and returns the error. Likewise it returns a *GuardError if the plan grants more
// than the guard of WithGuard. It is safe for concurrent use; calls run one at a time.
//
// A source that only the plan's shadow names does not delay Reload for more than 5 s. If it fails,
// that is reported, and it allows no origin until Watch or Refresh loads it.
//
// Watch still follows the policy file of a layer that Load made, and puts its next change in
// force.
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
		return errors.New("corsrpc: Reload: the plan is nil or zero: pass the plan that Compile returns")
	}
	if err := l.checkGuard(plan); err != nil {
		return err
	}
	select {
	case l.reloading <- struct{}{}:
		defer func() { <-l.reloading }()
	case <-ctx.Done():
		return ctx.Err()
	}
	named := l.plan.sourceNames(plan)
	if err := l.missingSources(plan, named); err != nil {
		return err
	}
	loaded := map[string]*sourceSet{}
	for _, name := range named {
		if !l.plan.mustLoad(name, plan) {
			continue
		}
		s, own := l.sources[name], slices.Contains(plan.sourceNames, name)
		load := s.load
		if !own {
			load = s.loadForShadow
		}
		set, report := load(ctx)
		l.reportSource(ctx, s, report)
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
	for _, name := range l.plan.replace(plan, loaded) {
		l.sources[name].wakeUp() // Watch starts or stops following it
	}
	return nil
}

// missingSources returns an error for the sources among names that the layer does not have; nil
// if it has all. The names are those of the plan and of the layer's shadow plan.
func (l *Layer) missingSources(plan *Plan, names []string) error {
	var missing []rules.Violation
	for _, name := range names {
		if l.sources[name] != nil {
			continue
		}
		v := rules.Violation{
			Code: rules.CodeOriginSource, Value: name,
			Reason: "is not given to the layer: pass the source to Load or New by WithOriginSource(" + strconv.Quote(name) + ", ...)",
		}
		if nearest, ok := policyfile.Nearest(name, slices.Sorted(maps.Keys(l.sources))); ok {
			v.Fix = strconv.Quote(nearest)
		}
		if places := plan.sourcePlaces(name, l.plan.shadow); len(places) > 0 {
			v.Place, v.Related = places[0], places[1:]
		}
		missing = append(missing, v)
	}
	if missing == nil {
		return nil
	}
	slices.SortStableFunc(missing, func(a, b rules.Violation) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return unknownSources{policyError(missing)}
}

// sourcePlaces returns the places that name an origin source in the plan, or else in its shadow, or
// else in the shadow given.
func (p *Plan) sourcePlaces(name string, shadow *Plan) []rules.Place {
	for _, plan := range []*Plan{p, p.shadow, shadow} {
		if plan == nil || plan.rules == nil {
			continue
		}
		if places := plan.rules.SourcePlaces(name); len(places) > 0 {
			return places
		}
	}
	return nil
}

// unknownSources is the error of origin sources that a layer does not have. It matches
// ErrUnknownSource, and holds a *PolicyError with their places in the policy.
type unknownSources struct{ violations *PolicyError }

func (e unknownSources) Error() string { return e.violations.Error() }

func (e unknownSources) Unwrap() []error { return []error{ErrUnknownSource, e.violations} }

// reportReload passes the result of a reload to the log and the observers.
func (l *Layer) reportReload(ctx context.Context, err error) {
	if l.log != nil {
		l.log.reloaded(ctx, err)
		if err == nil {
			l.logFindings(ctx)
		}
	}
	if l.observers.want(EventReload) {
		l.observers.observe(ctx, Event{Kind: EventReload, Err: err, Plan: l.Plan()})
	}
}

// Refresh loads the set of a source and puts it in force, in one atomic step. If loading fails or
// the context ends, the previous set stays and Refresh returns the error. It is safe for
// concurrent use; calls for one source run one at a time.
func (l *Layer) Refresh(ctx context.Context, name string) error {
	s := l.sources[name]
	if s == nil { // also if the layer is its zero value
		return fmt.Errorf("%w %q: pass this source to Load or New with WithOriginSource, or correct the name", ErrUnknownSource, name)
	}
	report := l.refresh(ctx, s)
	l.reportSource(ctx, s, report)
	return report.Err
}

// refresh does the work of Refresh, and leaves reporting to the caller.
func (l *Layer) refresh(ctx context.Context, s *source) SourceReport {
	set, report := s.load(ctx)
	if set != nil {
		l.plan.putSet(s.name, set)
	} else {
		report.describe(l.plan.Load().sets[s.name])
	}
	return report
}

// Sources returns a report on each origin source that the plan in force or its shadow names,
// sorted by name: the state of its current set, and the result of the last attempt to load it. It
// is safe for concurrent use.
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

// reportSource passes the result of loading a source to the log, which writes changes only, and to
// the observers.
func (l *Layer) reportSource(ctx context.Context, s *source, report SourceReport) {
	last := s.last.Swap(&report)
	if last == nil {
		last = &SourceReport{}
	}
	if l.log != nil {
		l.log.sourceLoaded(ctx, report, *last)
		if report.Expired && !last.Expired {
			l.log.Write(ctx, slog.LevelError, "corsrpc: the origins of a source are older than its SourceMaxAge; it allows no origin until it is loaded again",
				slog.String("source", report.Name), slog.Duration("age", report.Age))
		}
	}
	if l.observers.want(EventRefresh) {
		l.observers.observe(ctx, Event{Kind: EventRefresh, Source: report})
	}
}
