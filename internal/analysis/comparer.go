package analysis

import (
	"maps"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// comparer compares two policies.
type comparer struct {
	old, next *policy
	origins   map[originsKey]*originDifference
	found     map[string]*Difference // by differenceKey
	order     []*Difference          // the values of found, in the order in which they were found
	undecided map[string]bool
}

func newComparer(old, next *rules.Rules) *comparer {
	return &comparer{
		old: newPolicy(old), next: newPolicy(next),
		origins: map[originsKey]*originDifference{}, found: map[string]*Difference{}, undecided: map[string]bool{},
	}
}

// pair is what the two policies do with the requests for the paths of some samples.
type pair struct {
	old, next *governed
	sample    sample // the first of them
	requests  requestKind
	labels    []string
}

// requestKind is which requests for a path a pair is about.
type requestKind uint8

const (
	allRequests requestKind = iota
	calls                   // those that can be an RPC call
	noCalls                 // the others
)

// pairs resolves all samples under both policies. Samples with which both policies do the same are in
// one pair.
func (c *comparer) pairs() []*pair {
	u := newUniverse()
	u.addRules(0, c.old.Rules)
	u.addRules(1, c.next.Rules)
	samples, complete := u.samples()
	if !complete {
		c.undecided["there are too many pairs of path patterns that overlap to compare each of them"] = true
	}
	type key struct {
		old, next governedKey
		requests  requestKind
	}
	byKey := map[key]*pair{}
	var all []*pair
	for _, s := range samples {
		for _, r := range kinds(s, c.old, c.next) {
			if !r.sides[0].byRule && !r.sides[1].byRule {
				continue // another spelling of a path that has a sample
			}
			k := key{r.sides[0].key(), r.sides[1].key(), r.requests}
			p := byKey[k]
			if p == nil {
				p = &pair{old: r.sides[0], next: r.sides[1], sample: s, requests: r.requests}
				byKey[k] = p
				all = append(all, p)
			}
			p.labels = append(p.labels, labelOf(s, r.sides))
		}
	}
	return all
}

// resolved is what some policies do with the requests of a kind for a path.
type resolved struct {
	requests requestKind
	sides    []*governed
}

// kinds resolves a sample under policies: once if all requests for it are alike, and otherwise once for
// calls and once for other requests.
func kinds(s sample, policies ...*policy) []resolved {
	asCall, other := resolved{requests: calls}, resolved{requests: noCalls}
	alike := true
	for _, p := range policies {
		a, b := p.resolve(s, true), p.resolve(s, false)
		asCall.sides, other.sides = append(asCall.sides, a), append(other.sides, b)
		alike = alike && a.key() == b.key()
	}
	if alike {
		asCall.requests = allRequests
		return []resolved{asCall}
	}
	return []resolved{asCall, other}
}

// labelOf returns the target of a sample, as in Difference.Targets.
func labelOf(s sample, sides []*governed) string {
	label := s.label
	for _, g := range slices.Backward(sides) {
		if g.pattern != "" {
			label = g.pattern
		}
	}
	switch {
	case label != "":
		return label
	case !slices.ContainsFunc(sides, func(g *governed) bool { return !g.byRule || g.path }):
		return "*" // the path of a procedure that no schema has
	}
	return s.path
}

// differenceKey is equal for differences that are one, apart from their targets.
func differenceKey(d *Difference) string {
	direction := "lost"
	if d.Gained {
		direction = "gained"
	}
	return strings.Join(slices.Concat([]string{direction, string(d.Aspect), d.Old.File, d.Old.Field, d.New.File, d.New.Field}, d.Values, d.Sources), "\x00")
}

// add adds a difference, or its targets if it was found for other targets already.
func (c *comparer) add(d Difference) {
	key := differenceKey(&d)
	if have := c.found[key]; have != nil {
		have.Targets = append(have.Targets, d.Targets...)
		return
	}
	c.found[key] = &d
	c.order = append(c.order, &d)
}

// result returns what was found: what is gained first.
func (c *comparer) result() *Comparison {
	r := &Comparison{Undecided: slices.Sorted(maps.Keys(c.undecided))}
	for _, gained := range []bool{true, false} {
		for _, d := range c.order {
			if d.Gained == gained {
				slices.Sort(d.Targets)
				d.Targets = slices.Compact(d.Targets)
				r.Differences = append(r.Differences, *d)
			}
		}
	}
	return r
}
