package origin

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
)

// numbered returns a set of patterns: formats in which # is replaced by the numbers below n.
func numbered(t *testing.T, n int, formats ...string) *Set {
	t.Helper()
	var patterns []Pattern
	for _, format := range formats {
		for i := range n {
			text := strings.ReplaceAll(format, "#", fmt.Sprintf("%04d", i))
			p, ok := readPattern(text)
			if !ok {
				t.Fatal(text)
			}
			patterns = append(patterns, p)
		}
	}
	return NewSet(patterns)
}

// costs are pairs of sets of size n that are compared with each other.
var costs = []struct {
	name    string
	n       int
	a, b    []string
	outside int // the number of patterns of a for each number that match an origin outside of b
	common  Overlap
}{
	{"exact origins", 30_000, []string{"https://t#.example.com"}, []string{"https://u#.example.com"}, 1, Disjoint},
	{"the same exact origins", 30_000, []string{"https://t#.example.com"}, []string{"https://t#.example.com"}, 0, Overlapping},
	{"wildcards", 5000, []string{"https://*.t#.example.com"}, []string{"https://*.u#.example.com"}, 1, Disjoint},
	{"wildcards and any port", 5000, []string{"https://*.t#.example.com:*", "https://t#.example.com:*"}, []string{"https://*.t#.example.com:8443", "https://t#.example.com:8443"}, 2, Overlapping},
	{"the same wildcards", 5000, []string{"https://*.t#.example.com"}, []string{"https://*.t#.example.com:*"}, 0, Overlapping},
	{"stars of many hosts", 5000, []string{"https://pr-*.t#.example.com"}, []string{"https://*-pr.u#.example.com"}, 1, Disjoint},
	{"stars of one host by prefix", 5000, []string{"https://a#-*.example.com"}, []string{"https://b#-*.example.com"}, 1, Disjoint},
	{"stars of one host by suffix", 5000, []string{"https://*-a#.example.com"}, []string{"https://*-b#.example.com"}, 1, Disjoint},
	{"stars of one host by prefix and by suffix", 2000, []string{"https://a#-*.example.com", "https://*-a#.example.com"}, []string{"https://b#-*.example.com:8443", "https://*-b#.example.com:8443"}, 2, Disjoint},
	{"stars with two parts", 5000, []string{"https://a*-#.example.com"}, []string{"https://ab*-#.example.com:*"}, 1, Overlapping},
	{"stars within stars", 5000, []string{"https://ab#-*.example.com"}, []string{"https://a*.example.com:*", "https://ab-#.example.com"}, 0, Overlapping},
	{"the same stars on ports", 2000, []string{"https://pr-*.example.com:1#", "https://a#-*.example.com"}, []string{"https://p*.example.com:*", "https://a#-*.example.com:*"}, 0, Overlapping},
	{"stars on ports", 2000, []string{"https://pr-*.example.com:1#"}, []string{"https://pr-*.example.com:2#"}, 1, Disjoint},
	{"any port beside ports", 2000, []string{"https://t#.example.com:*"}, []string{"https://*.example.com:1#", "https://t.example.com:1#"}, 1, Overlapping},
}

// TestCompareCost: a comparison of four times as many patterns takes about four times the memory, where a quadratic cost
// would take sixteen times, and Outside decides each of them.
func TestCompareCost(t *testing.T) {
	for _, test := range costs {
		t.Run(test.name, func(t *testing.T) {
			measure := func(n int) uint64 {
				a, b := numbered(t, n, test.a...), numbered(t, n, test.b...)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				outside := 0
				for i, witness := range a.UncoveredBy(b) {
					if outside++; witness == "" {
						t.Fatalf("%s is undecided", a.Patterns().At(i))
					}
				}
				_, common := Common(a, b)
				runtime.ReadMemStats(&after)
				if outside != test.outside*n || common != test.common {
					t.Errorf("%d: %d patterns are uncovered, the sets are %v", n, outside, common)
				}
				return after.TotalAlloc - before.TotalAlloc
			}
			few, many := measure(test.n), measure(4*test.n)
			exponent := math.Log(float64(many)/float64(few)) / math.Log(4)
			t.Logf("%d: %d bytes, exponent %.2f", 4*test.n, many, exponent)
			if many > 1<<22 && exponent > 1.35 {
				t.Errorf("%d: %d bytes, %d: %d bytes: the exponent is %.2f", test.n, few, 4*test.n, many, exponent)
			}
		})
	}
}
