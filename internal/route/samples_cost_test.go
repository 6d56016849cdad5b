package route_test

import (
	"fmt"
	"math"
	"runtime"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/route"
)

// TestSamplesCost: four times as many patterns take about four times the memory and the samples, where a quadratic cost
// would take sixteen times.
func TestSamplesCost(t *testing.T) {
	for _, test := range []struct {
		name      string
		old, next []string // formats of the patterns with a number
		each      int      // the maximum number of samples for each number
	}{
		{"literals", []string{"/v1/a%d"}, []string{"/v1/b%d"}, 10},
		{"the same literals", []string{"/api/v1/a%d", "/api/v1/a%d/b/{$}"}, []string{"/api/v1/a%d", "/api/v1/a%d/b/{$}"}, 10},
		{"long literals", []string{"/a%[1]d/b%[1]d/c%[1]d/d%[1]d/e%[1]d"}, []string{"/a%[1]d/b%[1]d/c%[1]d/d%[1]d/f%[1]d"}, 10},
		{"literals beside wildcards", []string{"/a%d", "/{x}/b%d", "/{x}/{y}/c%d"}, []string{"/a%d", "/{x}/b%d", "/{x}/{y}/d%d"}, 60},
		{"literals of two segments beside wildcards", []string{"/a%[1]d/c%[1]d", "/{x}/b%[1]d"}, []string{"/{x}/b%[1]d"}, 60},
		{"wildcards behind literals", []string{"/a%d/{x}", "/a%d/{x}/{y...}"}, []string{"/a%d/{x}/b"}, 60},
		{"subtrees", []string{"/a%d/"}, []string{"/a%d/", "/b%d/{x...}"}, 40},
		{"escapes", []string{"/é%d/a%%2Fb", "/%%61/c%%20%d"}, []string{"/é%d/a%%2fb"}, 60},
		{"letter case", []string{"/Users%d/{id}"}, []string{"/users%d/{id}"}, 60},
	} {
		t.Run(test.name, func(t *testing.T) {
			const n = 1000
			measure := func(n int) (samples int, bytes uint64) {
				old, next := numberedPatterns(t, n, test.old), numberedPatterns(t, n, test.next)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				all, complete := route.Samples(old, next, nil)
				runtime.ReadMemStats(&after)
				if !complete {
					t.Errorf("%d: not complete", n)
				}
				return len(all), after.TotalAlloc - before.TotalAlloc
			}
			_, few := measure(n)
			samples, many := measure(4 * n)
			exponent := math.Log(float64(many)/float64(few)) / math.Log(4)
			t.Logf("%d: %d samples, %d bytes, exponent %.2f", 4*n, samples, many, exponent)
			if exponent > 1.35 || samples > 4*n*test.each {
				t.Errorf("%d: %d bytes, %d: %d bytes and %d samples: the exponent is %.2f", n, few, 4*n, many, samples, exponent)
			}
		})
	}
}

// numberedPatterns returns the patterns of formats filled in with the numbers below n.
func numberedPatterns(t testing.TB, n int, formats []string) (patterns []route.Pattern) {
	for _, format := range formats {
		for i := range n {
			text := fmt.Sprintf(format, i)
			p, problem := route.ParsePattern(text)
			if problem != nil {
				t.Fatalf("%s %s", text, problem.Reason)
			}
			patterns = append(patterns, p)
		}
	}
	return patterns
}

// TestSamplesAreBounded: where the old and the new patterns overlap in pairs, there are as many results as pairs, and
// Samples says that it does not return them all.
func TestSamplesAreBounded(t *testing.T) {
	const n = 1000
	samples, complete := route.Samples(numberedPatterns(t, n, []string{"/{x}/b%d"}), numberedPatterns(t, n, []string{"/a%d/{y}"}), nil)
	if complete || len(samples) != 400_000 {
		t.Errorf("%d samples, complete: %v", len(samples), complete)
	}
	samples, complete = route.Samples(numberedPatterns(t, 100, []string{"/{x}/b%d"}), numberedPatterns(t, 100, []string{"/a%d/{y}"}), nil)
	if !complete || len(samples) < 100*100 {
		t.Errorf("100: %d samples, complete: %v", len(samples), complete)
	}
}
