package corsrpc

import (
	"context"
	"errors"
	"fmt"
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
	named := l.plan.sourceNames(plan)
	if err := l.missingSources(named); err != nil {
		return err
	}
	loaded := map[string]*sourceSet{}
	for _, name := range named {
		if !l.plan.mustAsk(name, plan) {
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

// reportReload tells the log and the observer of a new plan, or of why there is
// none.
func (l *Layer) reportReload(ctx context.Context, err error) {
	if l.log != nil {
		l.log.reload(ctx, err)
	}
	if l.observers.want(EventReload) {
		l.observers.observe(ctx, Event{Kind: EventReload, Err: err, Plan: l.Plan()})
	}
}
