package corsrpc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

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

// reportReload tells the log and the observer of a new plan, or of why there is
// none.
func (l *Layer) reportReload(ctx context.Context, err error) {
	if l.log != nil {
		l.log.reload(ctx, err)
	}
	if h := l.history.Load(); h != nil {
		h.reloaded(err)
	}
	if l.observers != nil {
		l.observers.observe(ctx, Event{Kind: EventReload, Err: err, Plan: l.Plan()})
	}
}
