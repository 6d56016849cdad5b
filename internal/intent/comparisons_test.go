package intent

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"pgregory.net/rapid"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
	"github.com/corsrpc/corsrpc-go/internal/figures"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
)

// TestComparisons: for random pairs of policies, analysis.Compare says that the next one grants more, or
// less, if and only if a request shows it.
func TestComparisons(t *testing.T) {
	t.Parallel()
	pairs := 0
	rapid.Check(t, func(t *rapid.T) {
		pairs++
		comparisonIsEffect(t)
	})
	figures.Measure(t, figureOf("pairs"), figures.Count(pairs))
}

// proving makes the figures those of make prove, which tries more pairs than make intent.
var proving = flag.Bool("prove", false, "the figures are those of make prove")

// figureOf returns the name of a figure of the command that runs the tests.
func figureOf(name string) string {
	if *proving {
		return "prove." + name
	}
	return "intent." + name
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

// variedPairs is the number of pairs that TestPairsAreVaried looks at.
const variedPairs = 1000

// TestPairsAreVaried: each aspect is gained and lost, and each verdict, each way to change a policy and each
// kind of policy occurs, so that TestComparisons compares all kinds.
func TestPairsAreVaried(t *testing.T) {
	t.Parallel()
	kinds, all := map[string]int{}, 0
	rapid.Check(t, func(t *rapid.T) {
		for range 10 {
			if all == variedPairs {
				return
			}
			all++
			for kind := range kindsOf(drawPair(t)) {
				kinds[kind]++
			}
		}
	})
	t.Log(all, kinds)
	want := []string{"verdict same", "verdict wider", "verdict stricter", "verdict both"}
	for _, change := range changes {
		want = append(want, "change: "+change.name)
	}
	for _, aspect := range aspects {
		want = append(want, "gained "+string(aspect), "lost "+string(aspect))
		// Most often, the content type of a path is granted too, and the headers of MCP are.
		if aspect != analysis.AspectCookies && aspect != analysis.AspectOwnOrigin {
			want = append(want, "only "+string(aspect))
		}
	}
	want = append(want,
		"within an unknown set", "a profile", "a source", "a variable that is not set", "a star in a label", "an option of the schema", "a path", "protocols",
		"names that the schema does not have", "a prefix", "observes", "one observes", "another schema", "added origins",
	)
	for _, kind := range want {
		if kinds[kind] == 0 {
			t.Errorf("%s never occurs in %d pairs", kind, all)
		}
	}
}

// kindsOf returns the kinds of a pair.
func kindsOf(p pair) map[string]bool {
	c := newComparer(p.old.Policy, p.next.Policy)
	gained, lost := slices.Collect(c.gains), slices.Collect(c.reversed().gains)
	kinds := map[string]bool{"verdict " + string(verdictOf(gained, lost)): true, "change: " + p.change: true}
	for what, gains := range map[string][]gain{"gained ": gained, "lost ": lost} {
		for _, g := range gains {
			kinds[what+string(g.aspect)] = true
			kinds["within an unknown set"] = kinds["within an unknown set"] || len(g.sets) > 0
			if !slices.ContainsFunc(gains, func(other gain) bool { return other.aspect != g.aspect }) {
				kinds["only "+string(g.aspect)] = true
			}
		}
	}
	if old, next := p.old.GetEnforcement(), p.next.GetEnforcement(); old != next {
		kinds["one observes"] = true
	} else if old == corsrpcv1.Enforcement_ENFORCEMENT_OBSERVE {
		kinds["observes"] = true
	}
	kinds["another schema"] = !maps.Equal(p.old.Methods, p.next.Methods)
	for _, w := range []*world{p.old, p.next} {
		w.addKinds(kinds)
	}
	maps.DeleteFunc(kinds, func(_ string, is bool) bool { return !is })
	return kinds
}

// addKinds adds the kinds of a policy.
func (w *world) addKinds(kinds map[string]bool) {
	set := func(kind string, is bool) { kinds[kind] = kinds[kind] || is }
	set("a profile", w.Profile != "")
	set("added origins", len(w.GetProfiles()[w.Profile].GetAddOrigins()) > 0)
	set("a prefix", len(w.Prefixes) > 0)
	set("an option of the schema", len(w.Options) > 0 && w.GetSchemaOptions() != corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_IGNORE)
	for _, r := range w.inForce() {
		set("a path", r.GetPath() != "")
		set("protocols", len(r.GetProtocols()) > 0)
		set("a source", len(r.GetAllowOriginsFrom()) > 0)
		set("names that the schema does not have", strings.HasPrefix(r.GetSelector(), "unknown."))
		for _, item := range r.GetAllowOrigins() {
			name, _, isVariable := variable(item)
			_, host, _ := split(item)
			label, _, _ := strings.Cut(host, ".")
			set("a variable that is not set", isVariable && w.Env[name] == "")
			set("a star in a label", len(label) > 1 && strings.Contains(label, "*"))
		}
	}
}
