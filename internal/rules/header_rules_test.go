package rules

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// drawnItems are the items of random header lists, and drawnNames the names that are looked up in them.
var (
	drawnItems = []string{"*", "x-*", "x-a-*", "y-*", "grpc-*", "grpc-metadata-*", "x-a", "x-a-b", "x-b", "b3", "authorization", "x-original-url", "grpc-metadata-a"}
	drawnNames = []string{"other", "b3", "x-b3-traceid", "traceparent", "x-a", "x-b", "x-a-b", "x-other", "x-a-other", "y-other", "authorization", "x-original-url", "x-rewrite-url", "grpc-other", "grpc-metadata-a", "grpc-metadata-other"}
)

// drawLevels draws the items of up to three levels, the narrowest first.
func drawLevels(random *rand.Rand) (levels [][]headerItem) {
	for range random.IntN(4) {
		var items []headerItem
		drawn := map[string]bool{}
		for range random.IntN(4) {
			text := drawnItems[random.IntN(len(drawnItems))]
			if rule, _, _ := parseHeaderRule(text, random.IntN(2) == 0); !drawn[text] {
				items, drawn[text] = append(items, headerItem{headerRule: rule}), true
			}
		}
		if random.IntN(4) == 0 {
			items = append(items, headerItem{headerRule: headerRule{kind: headerTracing, grants: random.IntN(2) == 0}})
		}
		sortHeaderItems(items)
		levels = append(levels, items)
	}
	return levels
}

func rulesOfLevels(levels [][]headerItem) (rules HeaderRules) {
	for _, items := range levels {
		if l := newHeaderLevel(items); l != nil {
			rules = append(rules, l)
		}
	}
	return rules
}

// TestLookup: the first level with an item for a name decides, and within the level the most
// specific item.
func TestLookup(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		levels := drawLevels(random)
		for _, name := range drawnNames {
			grants, mentioned := lookupByItems(levels, name)
			if gotGrants, gotMentioned := rulesOfLevels(levels).Lookup(name); gotGrants != grants || gotMentioned != mentioned {
				t.Fatalf("%v: %s: %t, %t; want %t, %t", levels, name, gotGrants, gotMentioned, grants, mentioned)
			}
		}
	}
}

// lookupByItems is the definition of Lookup, item by item.
func lookupByItems(levels [][]headerItem, name string) (grants, mentioned bool) {
	for _, items := range levels {
		for _, i := range items {
			covered := name == i.name
			switch i.kind {
			case headerTracing:
				covered = name == "b3" || name == "x-b3-traceid" || name == "traceparent"
			case headerPrefix, headerAll:
				spelled := strings.HasPrefix(name, "grpc-metadata-") && !strings.HasPrefix(i.name, "grpc-metadata-") ||
					name == "authorization" || fetch.RewritesRequest(name)
				covered = strings.HasPrefix(name, i.name) && !(i.grants && spelled)
			}
			if covered {
				return i.grants, true
			}
		}
	}
	return false, false
}

// TestCanonical: two lists of header rules have the same canonical form if and only if they
// have the same outcome for every name.
func TestCanonical(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	alike := map[bool]int{}
	for range 100_000 {
		levels, others := drawLevels(random), drawLevels(random)
		if random.IntN(2) == 0 { // the same with one level more, or one item less
			others = append(slices.Clone(levels), nil)
			if i := random.IntN(len(others)); len(others[i]) > 0 {
				others[i] = slices.Delete(slices.Clone(others[i]), 0, 1)
			}
		}
		a, b := rulesOfLevels(levels), rulesOfLevels(others)
		for _, denyUnmentioned := range []bool{true, false} {
			same := !slices.ContainsFunc(drawnNames, func(name string) bool {
				grantsA, mentionedA := a.Lookup(name)
				grantsB, mentionedB := b.Lookup(name)
				return grantsA != grantsB || !denyUnmentioned && mentionedA != mentionedB
			})
			alike[same]++
			if (a.Canonical(denyUnmentioned) == b.Canonical(denyUnmentioned)) != same {
				t.Fatalf("%s and %s have the same outcomes: %t; their forms are\n%sand\n%s", fmt.Sprint(levels), fmt.Sprint(others), same, a.Canonical(denyUnmentioned), b.Canonical(denyUnmentioned))
			}
		}
	}
	if alike[true] < 10_000 || alike[false] < 10_000 {
		t.Errorf("drawn: %v", alike)
	}
}

// TestGrantedLeavesOutWhatIsOnlyWithheld: a name that a level withholds by name, and that a narrower
// level grants by "*", is granted and is not among the names of Granted. A name that a level grants by
// name is.
func TestGrantedLeavesOutWhatIsOnlyWithheld(t *testing.T) {
	t.Parallel()
	everything := newHeaderLevel([]headerItem{{headerRule: headerRule{kind: headerAll, grants: true}}})
	for _, grants := range []bool{false, true} {
		r := HeaderRules{everything, newHeaderLevel([]headerItem{{headerRule: headerRule{name: "x-a", kind: headerName, grants: grants}}})}
		if granted, _ := r.Lookup("x-a"); !granted || slices.Contains(r.Granted(), "x-a") != grants {
			t.Errorf("a wider level grants x-a: %v; it is granted: %v, Granted is %v", grants, granted, r.Granted())
		}
	}
}
