package corsrpc

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestNormal: two lists have one normal form exactly where they say the same of every
// name.
func TestNormal(t *testing.T) {
	t.Parallel()
	items := []string{"*", "x-*", "x-a-*", "y-*", "grpc-*", "grpc-metadata-*", "x-a", "x-a-b", "x-b", "authorization", "x-original-url", "grpc-metadata-a"}
	names := []string{"other", "x-a", "x-b", "x-a-b", "x-other", "x-a-other", "y-other", "authorization", "x-original-url", "x-rewrite-url", "grpc-other", "grpc-metadata-a", "grpc-metadata-other"}
	random := rand.New(rand.NewPCG(1, 2))
	draw := func() (l nameList) {
		for range random.IntN(4) {
			var layer []mention
			said := map[string]bool{}
			for range random.IntN(4) {
				item := items[random.IntN(len(items))]
				if m, _, _ := parseMention(item, random.IntN(2) == 0); !said[item] {
					layer, said[item] = append(layer, m), true
				}
			}
			sortMentions(layer)
			l = append(l, layer)
		}
		return l
	}
	alike := map[bool]int{}
	for range 100_000 {
		a, b := draw(), draw()
		if random.IntN(2) == 0 { // the same in one layer more, or one mention less
			b = append(slices.Clone(a), nil)
			if layer := random.IntN(len(b)); len(b[layer]) > 0 {
				b[layer] = slices.Delete(slices.Clone(b[layer]), 0, 1)
			}
		}
		for _, silenceIsNo := range []bool{true, false} {
			same := !slices.ContainsFunc(names, func(name string) bool {
				yesA, saidA := a.verdict(name)
				yesB, saidB := b.verdict(name)
				return yesA != yesB || !silenceIsNo && saidA != saidB
			})
			alike[same]++
			if (a.normal(silenceIsNo) == b.normal(silenceIsNo)) != same {
				t.Fatalf("%s and %s say the same: %t; their forms are\n%sand\n%s", fmt.Sprint(a), fmt.Sprint(b), same, a.normal(silenceIsNo), b.normal(silenceIsNo))
			}
		}
	}
	if alike[true] < 10_000 || alike[false] < 10_000 {
		t.Errorf("drawn: %v", alike)
	}
}
