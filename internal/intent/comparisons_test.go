package intent

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"pgregory.net/rapid"

	"github.com/corsrpc/corsrpc-go/internal/analysis"
	"github.com/corsrpc/corsrpc-go/internal/figures"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
)

// TestComparisons: for random pairs of policies, analysis.Compare says that the next one grants more, or
// less, if and only if a request shows it.
func TestComparisons(t *testing.T) {
	pairs := 0
	rapid.Check(t, func(t *rapid.T) {
		pairs++
		comparisonIsEffect(t)
	})
	figures.Measure(t, "prove.pairs", figures.Count(pairs))
}

func comparisonIsEffect(t *rapid.T) {
	p := drawPair(t)
	c := newComparer(p.old.Policy, p.next.Policy)
	found := analysis.Compare(planaccess.Rules(p.old.plan), planaccess.Rules(p.next.plan))
	gained, lost := slices.Collect(c.gains), slices.Collect(c.reversed().gains)
	if len(found.Undecided) > 0 {
		t.Fatalf("%s: undecided: %q\n%s", p.change, found.Undecided, p)
	}
	if got, want := found.Verdict(), verdictOf(gained, lost); got != want {
		t.Fatalf("%s: the verdict is %s, want %s\ngained%s\nlost%s\nfound%s\n%s", p.change, got, want, lines(gained), lines(lost), lines(found.Differences), p)
	}
	p.differencesCover(t, found.Differences, true, gained)
	p.differencesCover(t, found.Differences, false, lost)
	p.witnessesFlip(t, found.Differences)
}

// differencesCover fails the test unless each gain of brute force is within a difference.
func (p pair) differencesCover(t fataler, found []analysis.Difference, gained bool, gains []gain) {
	t.Helper()
	for _, g := range gains {
		if !slices.ContainsFunc(found, func(d analysis.Difference) bool { return g.covered(d, gained, p.old.Policy, p.next.Policy) }) {
			t.Fatalf("%s: no difference covers what is %s: %+v\nfound%s\n%s", p.change, map[bool]string{true: "gained", false: "lost"}[gained], g, lines(found), p)
		}
	}
}

// lines formats each item on a line, at most ten of them.
func lines[T any](items []T) string {
	var b strings.Builder
	for i, item := range items {
		if i == 10 {
			fmt.Fprintf(&b, "\n  and %d more", len(items)-i)
			break
		}
		fmt.Fprintf(&b, "\n  %+v", item)
	}
	return b.String()
}

// verdictOf returns the verdict that brute force gives.
func verdictOf(gained, lost []gain) analysis.Verdict {
	switch {
	case len(gained) > 0 && len(lost) > 0:
		return analysis.Both
	case len(gained) > 0:
		return analysis.Wider
	case len(lost) > 0:
		return analysis.Stricter
	}
	return analysis.Same
}

// String formats both policies.
func (p pair) String() string {
	format := func(w *world) string {
		return fmt.Sprintf("profile %q, prefixes %q, environment %q, methods %v, options %v\n%s", w.Profile, w.Prefixes, w.Env, sorted(w.Methods), w.Options, prototext.Format(w.Policy.Policy))
	}
	return "old: " + format(p.old) + "\nnext: " + format(p.next)
}

// TestPairsAreVaried: each aspect is gained and lost, and each verdict and change occurs, so that
// TestComparisons compares all kinds.
func TestPairsAreVaried(t *testing.T) {
	kinds, all := map[string]int{}, 0
	rapid.Check(t, func(t *rapid.T) {
		p := drawPair(t)
		all++
		c := newComparer(p.old.Policy, p.next.Policy)
		gained, lost := slices.Collect(c.gains), slices.Collect(c.reversed().gains)
		kinds["verdict "+string(verdictOf(gained, lost))]++
		kinds["change: "+p.change]++
		for what, gains := range map[string][]gain{"gained ": gained, "lost ": lost} {
			seen := map[string]bool{}
			for _, g := range gains {
				seen[what+string(g.aspect)] = true
				if len(g.sets) > 0 {
					seen[what+"within an unknown set"] = true
				}
			}
			if len(seen) == 1 {
				kinds["only one aspect"]++
			}
			for kind := range seen {
				kinds[kind]++
			}
		}
	})
	t.Log(all, kinds)
}
