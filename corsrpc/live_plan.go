package corsrpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// livePlan is the plan in force, bound to the sets of its origin sources. Requests load it
// without a lock; each change of it ends in one store.
type livePlan struct {
	bound   atomic.Pointer[Plan] // nil in the zero value
	shadow  *Plan                // WithShadow's, in place of each plan's own; nil for none
	explain bool                 // WithExplain

	mu   sync.Mutex            // held to store a plan, and never while a source is asked
	sets map[string]*sourceSet // of the sources that are named; never changed, but replaced under mu
}

// Load returns the plan in force.
func (p *livePlan) Load() *Plan { return p.bound.Load() }

// replace puts a plan in force, with sets that were loaded for it, and returns the sources
// that are named from now on, or no longer.
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
	// A set that nobody names grows old: its source is asked anew when somebody does.
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

// put puts a source's set in force.
func (p *livePlan) putSet(name string, set *sourceSet) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keepNewer(name, set)
	p.bound.Store(p.bind(p.Load()))
}

// keepNewer keeps a set, unless the one that is there was asked for later. The caller
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

// bind returns the plan with its shadow, and both with what the sources streamed. The caller
// holds mu.
func (p *livePlan) bind(plan *Plan) *Plan {
	bound := *plan
	bound.sets, bound.explain = p.sets, p.explain
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

// sourceNames returns the sources that a plan and its shadow name, each once.
func (p *livePlan) sourceNames(plan *Plan) []string {
	if p.shadow == nil {
		return plan.Sources()
	}
	return (&Plan{sourceNames: plan.sourceNames, shadow: p.shadow}).Sources()
}

// mustLoad reports whether a source has to be asked before the next plan, which names it, is
// put in force. A source that is named already is not: its set stays, and where it has none
// yet, the plan in force does without, too. But what only a shadow did without has to be there
// before a policy counts on it.
func (p *livePlan) mustLoad(name string, next *Plan) bool {
	have := p.Load()
	if !slices.Contains(p.sourceNames(have), name) {
		return true
	}
	onlyShadowNamed := !slices.Contains(have.sourceNames, name)
	return onlyShadowNamed && have.sets[name] == nil && slices.Contains(next.sourceNames, name)
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
	select {
	case l.reloading <- struct{}{}:
		defer func() { <-l.reloading }()
	case <-ctx.Done():
		return ctx.Err()
	}
	named := l.plan.sourceNames(plan)
	if err := l.missingSources(named); err != nil {
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
		l.sources[name].wakeUp() // Watch begins to follow it, or ends
	}
	return nil
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

// reportReload tells the log and the observer of a new plan, or of why there is
// none.
func (l *Layer) reportReload(ctx context.Context, err error) {
	if l.log != nil {
		l.log.reloaded(ctx, err)
	}
	if l.observers.want(EventReload) {
		l.observers.observe(ctx, Event{Kind: EventReload, Err: err, Plan: l.Plan()})
	}
}

// Refresh asks a source for its set and puts it in force in one step. Where that
// fails, or the context ends, the set that was there stays, and the error says
// why. It is safe for concurrent use; calls for one source take turns.
func (l *Layer) Refresh(ctx context.Context, name string) error {
	s := l.sources[name]
	if s == nil { // or the layer is its zero value
		return fmt.Errorf("%w %q: give it by WithOriginSource", ErrUnknownSource, name)
	}
	report := l.refresh(ctx, s)
	l.reportSource(ctx, s, report)
	return report.Err
}

// refresh is Refresh of a source, which nobody is told of yet.
func (l *Layer) refresh(ctx context.Context, s *source) SourceReport {
	set, report := s.load(ctx)
	if set != nil {
		l.plan.putSet(s.name, set)
	} else {
		report.describe(l.plan.Load().sets[s.name])
	}
	return report
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

// reportSource tells the observer of what a source streamed, and the log of what is
// new in it.
func (l *Layer) reportSource(ctx context.Context, s *source, report SourceReport) {
	last := s.last.Swap(&report)
	if last == nil {
		last = &SourceReport{}
	}
	if l.log != nil {
		l.log.sourceLoaded(ctx, report, *last)
		if report.Expired && !last.Expired {
			l.log.Write(ctx, slog.LevelError, "corsrpc: the last good set of an origin source is too old (SourceMaxAge): it allows nobody now",
				slog.String("source", report.Name), slog.Duration("age", report.Age))
		}
	}
	if l.observers.want(EventRefresh) {
		l.observers.observe(ctx, Event{Kind: EventRefresh, Source: report})
	}
}
