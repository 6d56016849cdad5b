package rules

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// drawnItems and drawnNames are what random header lists are made of, and asked for.
var (
	drawnItems = []string{"*", "x-*", "x-a-*", "y-*", "grpc-*", "grpc-metadata-*", "x-a", "x-a-b", "x-b", "authorization", "x-original-url", "grpc-metadata-a"}
	drawnNames = []string{"other", "x-a", "x-b", "x-a-b", "x-other", "x-a-other", "y-other", "authorization", "x-original-url", "x-rewrite-url", "grpc-other", "grpc-metadata-a", "grpc-metadata-other"}
)

// drawLevels draws the items of some levels, the narrowest first.
func drawLevels(random *rand.Rand) (levels [][]headerItem) {
	for range random.IntN(4) {
		var items []headerItem
		said := map[string]bool{}
		for range random.IntN(4) {
			text := drawnItems[random.IntN(len(drawnItems))]
			if rule, _, _ := parseHeaderRule(text, random.IntN(2) == 0); !said[text] {
				items, said[text] = append(items, headerItem{headerRule: rule}), true
			}
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

// TestLookup: the first item that is about a name counts, level by level, and in each
// the one that is spelled out the furthest.
func TestLookup(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		levels := drawLevels(random)
		for _, name := range drawnNames {
			grants, mentioned := lookupByItems(levels, name)
			if gotGrants, gotMentioned := rulesOfLevels(levels).Lookup(name); gotGrants != grants || gotMentioned != mentioned {
				t.Fatalf("%v say of %s: %t, %t; want %t, %t", levels, name, gotGrants, gotMentioned, grants, mentioned)
			}
		}
	}
}

// lookupByItems is Lookup by the definition, item by item.
func lookupByItems(levels [][]headerItem, name string) (grants, mentioned bool) {
	for _, items := range levels {
		for _, i := range items {
			about := name == i.name
			if i.kind != headerName {
				spelled := strings.HasPrefix(name, "grpc-metadata-") && !strings.HasPrefix(i.name, "grpc-metadata-") ||
					name == "authorization" || fetch.RewritesRequest(name)
				about = strings.HasPrefix(name, i.name) && !(i.grants && spelled)
			}
			if about {
				return i.grants, true
			}
		}
	}
	return false, false
}

// TestCanonical: two sets of header rules have one canonical form exactly where they say
// the same of every name.
func TestCanonical(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	alike := map[bool]int{}
	for range 100_000 {
		levels, others := drawLevels(random), drawLevels(random)
		if random.IntN(2) == 0 { // the same in one level more, or one item less
			others = append(slices.Clone(levels), nil)
			if i := random.IntN(len(others)); len(others[i]) > 0 {
				others[i] = slices.Delete(slices.Clone(others[i]), 0, 1)
			}
		}
		a, b := rulesOfLevels(levels), rulesOfLevels(others)
		for _, silenceIsNo := range []bool{true, false} {
			same := !slices.ContainsFunc(drawnNames, func(name string) bool {
				grantsA, mentionedA := a.Lookup(name)
				grantsB, mentionedB := b.Lookup(name)
				return grantsA != grantsB || !silenceIsNo && mentionedA != mentionedB
			})
			alike[same]++
			if (a.Canonical(silenceIsNo) == b.Canonical(silenceIsNo)) != same {
				t.Fatalf("%s and %s say the same: %t; their forms are\n%sand\n%s", fmt.Sprint(levels), fmt.Sprint(others), same, a.Canonical(silenceIsNo), b.Canonical(silenceIsNo))
			}
		}
	}
	if alike[true] < 10_000 || alike[false] < 10_000 {
		t.Errorf("drawn: %v", alike)
	}
}
