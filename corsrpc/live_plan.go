package corsrpc

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// livePlan is the plan in force, bound to the sets of its origin sources. Requests load it
// without a lock; each change of it ends in one store.
type livePlan struct {
	bound  atomic.Pointer[Plan] // nil in the zero value
	shadow *Plan                // WithShadow's, in place of each plan's own; nil for none

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
		p.keepYounger(name, set)
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
func (p *livePlan) put(name string, set *sourceSet) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keepYounger(name, set)
	p.bound.Store(p.bind(p.Load()))
}

// keepYounger keeps a set, unless the one that is there was asked for later. The caller
// holds mu.
func (p *livePlan) keepYounger(name string, set *sourceSet) {
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

// sourceNames returns the sources that a plan and its shadow name, each once.
func (p *livePlan) sourceNames(plan *Plan) []string {
	if p.shadow == nil {
		return plan.Sources()
	}
	return (&Plan{sourceNames: plan.sourceNames, shadow: p.shadow}).Sources()
}

// mustAsk reports whether a source has to be asked before the next plan, which names it, is
// put in force. A source that is named already is not: its set stays, and where it has none
// yet, the plan in force does without, too. But what only a shadow did without has to be there
// before a policy counts on it.
func (p *livePlan) mustAsk(name string, next *Plan) bool {
	have := p.Load()
	if !slices.Contains(p.sourceNames(have), name) {
		return true
	}
	onlyShadowNamed := !slices.Contains(have.sourceNames, name)
	return onlyShadowNamed && have.sets[name] == nil && slices.Contains(next.sourceNames, name)
}
