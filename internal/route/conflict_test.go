package route_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/route"
)

// register reports whether a ServeMux accepts a pattern.
func register(mux *http.ServeMux, pattern string) (ok bool) {
	defer func() { ok = recover() == nil }()
	mux.Handle(pattern, http.NotFoundHandler())
	return true
}

// muxConflict reports whether two patterns conflict in a ServeMux.
func muxConflict(first, second string) bool {
	mux := http.NewServeMux()
	return !register(mux, first) || !register(mux, second)
}

// lower returns a pattern whose decoded literals are in lower case.
func lower(t testing.TB, pattern string) string {
	segments := strings.Split(pattern, "/")
	for i, s := range segments {
		if !strings.HasPrefix(s, "{") {
			text, err := url.PathUnescape(s)
			if err != nil {
				t.Fatal(err)
			}
			segments[i] = url.PathEscape(fetch.Lower(text))
		}
	}
	return strings.Join(segments, "/")
}

// addResult is the result of Patterns.Add.
type addResult struct {
	other      string
	letterCase bool
}

func add(t testing.TB, ps *route.Patterns, pattern string) addResult {
	p, problem := route.ParsePattern(pattern)
	if problem != nil {
		t.Fatalf("%q %s", pattern, problem.Reason)
	}
	err := ps.Add(p)
	var conflict *route.ConflictError
	if errors.As(err, &conflict) {
		return addResult{conflict.Other, conflict.LetterCase}
	}
	if err != nil {
		t.Fatal(err)
	}
	return addResult{}
}

// everyPattern yields all patterns of at most maxSegments of the given segments and an end. In
// a segment, {} stands for a wildcard.
func everyPattern(segments []string, maxSegments int, yield func(string)) {
	var extend func(prefix string, depth int)
	extend = func(prefix string, depth int) {
		for _, end := range []string{"", "/", "/{$}", "/{rest...}"} {
			if prefix+end != "" {
				yield(prefix + end)
			}
		}
		if depth == maxSegments {
			return
		}
		for _, s := range segments {
			extend(prefix+"/"+strings.ReplaceAll(s, "{}", fmt.Sprintf("{%c}", 'a'+depth)), depth+1)
		}
	}
	extend("", 0)
}

// TestEveryPairConflictsAsInServeMux: two patterns conflict if a ServeMux accepts only one of
// them, in either order. They conflict in letter case if a ServeMux accepts only one of their
// lower-case forms.
func TestEveryPairConflictsAsInServeMux(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		segments    []string
		maxSegments int
	}{
		{[]string{"a", "b", "A", "%61", "%41", "b%2fa", "b%2Fa", "{}"}, 1}, {[]string{"a", "aa", "A", "%61", "{}"}, 2}, {[]string{"a", "b", "{}"}, 3}, {[]string{"a", "{}"}, 4},
	} {
		var patterns []string
		everyPattern(test.segments, test.maxSegments, func(p string) { patterns = append(patterns, p) })
		conflicts := 0
		for _, first := range patterns {
			for _, second := range patterns {
				var want addResult
				switch {
				case muxConflict(first, second):
					want = addResult{first, false}
				case muxConflict(lower(t, first), lower(t, second)):
					want = addResult{first, true}
				}
				var ps route.Patterns
				add(t, &ps, first)
				if got := add(t, &ps, second); got != want {
					t.Fatalf("%s and then %s: %+v, want %+v", first, second, got, want)
				}
				if want.other != "" {
					conflicts++
				}
			}
		}
		if conflicts < len(patterns) || conflicts > len(patterns)*len(patterns)/2 {
			t.Errorf("%d of %d patterns conflict with one another: the test covers too little", conflicts, len(patterns))
		}
	}
}

// randomConflicts draws patterns from a few words with up to a number of segments, so that they
// often overlap.
func randomConflicts(random *rand.Rand, patterns, segments int) []string {
	words := []string{"a", "A", "b", "%62", "b%2Fa", "b%2fa", "c"}[:1+random.IntN(7)]
	literals := 1 + random.IntN(9) // of ten segments
	drawn := make([]string, patterns)
	for i := range drawn {
		var b strings.Builder
		for depth := range random.IntN(segments + 1) {
			if random.IntN(10) < literals {
				b.WriteString("/" + pick(random, words...))
			} else {
				fmt.Fprintf(&b, "/{w%d}", depth)
			}
		}
		drawn[i] = "/" + strings.TrimPrefix(b.String()+pick(random, "", "", "/", "/{$}", "/{rest...}"), "/")
	}
	return drawn
}

// TestSetsConflictAsInServeMux: a set refuses a pattern that a ServeMux with the same patterns
// refuses. The error names the first pattern that a ServeMux does not accept together with the
// new one.
func TestSetsConflictAsInServeMux(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	counts := map[string]int{}
	for range 300 {
		var ps route.Patterns
		var taken []string
		for _, pattern := range randomConflicts(random, 30, 1+random.IntN(8)) {
			var want addResult
			for _, other := range taken {
				if muxConflict(other, pattern) {
					want = addResult{other, false}
					break
				}
				if want.other == "" && muxConflict(lower(t, other), lower(t, pattern)) {
					want = addResult{other, true}
				}
			}
			if got := add(t, &ps, pattern); got != want {
				t.Fatalf("%s after %q: %+v, want %+v", pattern, taken, got, want)
			}
			switch {
			case want.other == "":
				taken = append(taken, pattern)
				counts["fine"]++
			case want.letterCase:
				counts["letter case"]++
			default:
				counts["conflict"]++
			}
		}
	}
	for _, kind := range []string{"fine", "letter case", "conflict"} {
		if counts[kind] < 200 {
			t.Errorf("the test covers too little: %v", counts)
		}
	}
}

// TestFrequentShapesConflictAsInServeMux: patterns of a frequent shape, which have a group of
// their own, conflict with patterns of any other shape as in a ServeMux.
func TestFrequentShapesConflictAsInServeMux(t *testing.T) {
	t.Parallel()
	var patterns []string
	everyPattern([]string{"a", "{}"}, 3, func(p string) { patterns = append(patterns, p) })
	for _, frequent := range patterns {
		if !strings.Contains(frequent, "a") {
			continue // the shape has only one pattern
		}
		var base route.Patterns
		like := func(i int) string { return strings.ReplaceAll(frequent, "/a", fmt.Sprint("/z", i)) }
		for i := range 4100 {
			add(t, &base, like(i))
		}
		add(t, &base, frequent)
		for _, pattern := range patterns {
			var want addResult
			switch {
			case muxConflict(like(0), pattern): // the others conflict too
				want.other = like(0)
			case muxConflict(frequent, pattern):
				want.other = frequent
			}
			if got := add(t, base.Overlay(), pattern); got != want {
				t.Fatalf("%s beside %s: %+v, want %+v", pattern, frequent, got, want)
			}
		}
	}
}

// TestLargeSetsConflictAsInServeMux: a set whose patterns fill several blocks of a bitmap
// refuses a pattern that a ServeMux refuses.
func TestLargeSetsConflictAsInServeMux(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	var ps route.Patterns
	mux := http.NewServeMux()
	const each = 9000
	for i := range each {
		for _, pattern := range []string{fmt.Sprintf("/k/a%d", i), fmt.Sprintf("/m/n/{x}/a%d", i)} {
			if got := add(t, &ps, pattern); got.other != "" || !register(mux, pattern) {
				t.Fatalf("%s: %+v", pattern, got)
			}
		}
	}
	conflicts, fine := 0, 0
	for range 600 {
		var b strings.Builder
		for depth, words := range [][]string{{"k", "m"}, {"n", "#"}, {"b"}, {"#"}}[:1+random.IntN(4)] {
			b.WriteString("/" + pick(random, append(words, fmt.Sprintf("{w%d}", depth))...))
		}
		pattern := strings.ReplaceAll(b.String(), "#", fmt.Sprint("a", random.IntN(each+each/4))) + pick(random, "", "", "/", "/{$}")
		got := add(t, &ps, pattern)
		if taken := register(mux, pattern); taken != (got.other == "") {
			t.Fatalf("%s: %+v; accepted by a ServeMux: %v", pattern, got, taken)
		}
		if got.other == "" {
			fine++
			continue
		}
		conflicts++
		if !muxConflict(got.other, pattern) {
			t.Fatalf("%s: %+v", pattern, got)
		}
	}
	if fine < 100 || conflicts < 100 {
		t.Errorf("%d patterns of %d conflict: the test covers too little", conflicts, conflicts+fine)
	}
}

// TestFirstConflictIsNamed: the error names the first of several conflicting patterns, also if
// there are many patterns between them.
func TestFirstConflictIsNamed(t *testing.T) {
	t.Parallel()
	var ps route.Patterns
	add(t, &ps, "/{x}/e/y")
	for i := range 4100 {
		add(t, &ps, fmt.Sprintf("/k/a%d", i))
	}
	for _, pattern := range []string{"/t/{x}/w", "/u/{x}/w", "/v/{x}/w"} {
		add(t, &ps, pattern)
	}
	if got, want := add(t, &ps, "/t/e/{z}"), (addResult{"/{x}/e/y", false}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestOverlaysConflictAsOneSet: a stack of overlays has the same results as one set.
func TestOverlaysConflictAsOneSet(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 8))
	for range 300 {
		var flat, base route.Patterns
		top := &base
		for _, pattern := range randomConflicts(random, 40, 1+random.IntN(5)) {
			if random.IntN(12) == 0 {
				top = top.Overlay()
			}
			if got, want := add(t, top, pattern), add(t, &flat, pattern); got != want {
				t.Fatalf("%s: %+v, want %+v", pattern, got, want)
			}
		}
	}
}

// TestOverlaysAreIndependent: two overlays of one set do not affect each other or the set, and may be
// used concurrently.
func TestOverlaysAreIndependent(t *testing.T) {
	t.Parallel()
	var base route.Patterns
	for i := range 100 {
		add(t, &base, fmt.Sprintf("/a/{x}/%d", i))
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			over := base.Overlay()
			for i := range 100 {
				if got := add(t, over, fmt.Sprintf("/b/{x}/%d", i)); got.other != "" {
					t.Errorf("%+v", got)
				}
				if got, want := add(t, over, fmt.Sprintf("/a/b%d/{y}", i)), (addResult{"/a/{x}/0", false}); got != want {
					t.Errorf("%+v, want %+v", got, want)
				}
			}
		})
	}
	wait.Wait()
	if got := add(t, &base, "/b/c/{y}"); got.other != "" {
		t.Errorf("a pattern conflicts with %s, which was added to an overlay", got.other)
	}
}

// patternFamilies are sets of patterns without conflicts, of any size, that are slow to
// compare. Each pattern has one of the family's forms, in turn. In a form, # is the number of
// the pattern, ^ is the number of the turn, and < and > are two parts of the number of the
// pattern.
var patternFamilies = []struct {
	name  string
	forms []string
	// joined is true if the patterns of two shapes have equal literals at each of two
	// positions, and never at both. The cost of a pattern then grows with the number of the
	// others, divided by the size of a block.
	joined bool
}{
	{name: "subtrees", forms: []string{"/a#/"}},
	{name: "rest", forms: []string{"/a#/{x...}"}},
	{name: "wildcard_first", forms: []string{"/{x}/a#"}},
	{name: "wildcards_first", forms: []string{"/{x}/{y}/a#/"}},
	{name: "wildcards_and_literals", forms: []string{"/{x}/a#/y", "/b#/c#/{z}", "/b#/c#/{z}/", "/{x}/a#/y/{z}"}},
	{name: "resources", forms: []string{"/api/{v}/r#", "/api/{v}/r#/", "/api/v1/r#/{id}"}},
	{name: "nested", forms: []string{"/k/a#", "/{x}/a#/", "/k/a#/{$}"}},
	{name: "alternating", forms: []string{"/{a}/b/{c}/d#/{e}/p", "/a#/{b}/c/{d}/e/q"}},
	{name: "alternating_subtrees", forms: []string{"/{a}/b/{c}/d#/{e}/p/", "/a#/{b}/c/{d}/e/q/"}},
	{name: "letter_case", forms: []string{"/{x}/P/a#", "/B#/{x}/q"}},
	{name: "grid", forms: []string{"/a>/{x}/b<"}},
	{name: "few_alike", forms: []string{"/a#/{x}/c^/0", "/{x}/b#/c^/1", "/a#/{x}/d^/1", "/{x}/b#/d^/0"}},
	{name: "joined", joined: true, forms: []string{"/a#/{x}/0/1", "/{x}/b#/0/0", "/a#/{x}/1/0", "/{x}/b#/1/1"}},
	{name: "joined_at_several_lengths", joined: true, forms: []string{"/a#/{x}/0/1/", "/{x}/b#/0/0/{y}", "/a#/{x}/1/0/", "/{x}/b#/1/1/{y}/{z}", "/{x}/b#/0/0/{y}/{z}/{$}"}},
}

// familyOf returns the first n patterns of a family.
func familyOf(t testing.TB, forms []string, n int) []route.Pattern {
	patterns := make([]route.Pattern, n)
	for i := range patterns {
		text := strings.NewReplacer("#", fmt.Sprint(i), "^", fmt.Sprint(i/len(forms)), "<", fmt.Sprint(i/97), ">", fmt.Sprint(i%97)).Replace(forms[i%len(forms)])
		p, problem := route.ParsePattern(text)
		if problem != nil {
			t.Fatalf("%q %s", text, problem.Reason)
		}
		patterns[i] = p
	}
	return patterns
}

// manyShapes returns patterns, most of which have different shapes.
func manyShapes(t testing.TB, n int) []route.Pattern {
	var forms []string
	for shape := range 1 << 12 {
		var middle strings.Builder
		for bit := range 12 {
			if shape>>bit&1 == 0 {
				fmt.Fprintf(&middle, "/{w%d}", bit)
			} else {
				middle.WriteString("/c")
			}
		}
		for _, form := range []string{"/a#/{x}/m/0/1", "/{x}/b#/m/0/0", "/a#/{x}/m/1/0", "/{x}/b#/m/1/1"} {
			forms = append(forms, strings.ReplaceAll(form, "/m", middle.String()))
		}
	}
	return familyOf(t, forms, n)
}

// addEach adds patterns to an empty Patterns, one at a time, and returns the steps that each
// conflict check took. No two patterns may conflict.
func addEach(t testing.TB, patterns []route.Pattern) []int {
	var ps route.Patterns
	steps := make([]int, len(patterns))
	for i, p := range patterns {
		before := ps.Steps()
		if err := ps.Add(p); err != nil {
			t.Fatalf("%s %v", p, err)
		}
		steps[i] = ps.Steps() - before
	}
	return steps
}

// TestConflictsTakeFewSteps: no pattern takes more steps than Patterns documents. If the
// patterns of two shapes do not have equal literals at several positions, the steps do not grow
// with the number of patterns.
func TestConflictsTakeFewSteps(t *testing.T) {
	t.Parallel()
	bounded := func(name string, patterns []route.Pattern, steps []int) {
		for n, p := range patterns {
			segments := strings.Count(p.String(), "/")
			if bound := segments * (n/512 + 4); steps[n] > bound {
				t.Fatalf("%s: %s takes %d steps behind %d patterns, more than %d", name, p, steps[n], n, bound)
			}
		}
	}
	for _, family := range patternFamilies {
		few := len(family.forms) * 5000 // so that each shape has a group of its own
		patterns := familyOf(t, family.forms, few+5000)
		steps := addEach(t, patterns)
		bounded(family.name, patterns, steps)
		less, more := slices.Max(steps[:few]), slices.Max(steps)
		t.Logf("%-25s %3d steps at the most for each of %d patterns, %3d for each of %d", family.name, less, few, more, len(patterns))
		if more > less && !family.joined {
			t.Errorf("%s: up to %d steps for each of %d patterns, %d for %d", family.name, less, few, more, len(patterns))
		}
	}
	patterns := manyShapes(t, 20000)
	bounded("many_shapes", patterns, addEach(t, patterns))
	var forms []string
	for depth := range 600 {
		forms = append(forms, strings.Repeat("/c", depth)+"/")
	}
	patterns = familyOf(t, forms, len(forms))
	bounded("subtrees_of_subtrees", patterns, addEach(t, patterns))
}

// BenchmarkConflicts measures how long the conflict check of Patterns.Add takes for n, 2n and 4n
// patterns of each family. It reports the time per pattern for n patterns, and the exponent of the
// growth from n to 2n and from 2n to 4n: 1 is linear, 2 is quadratic. Each time is the shortest of
// several runs.
func BenchmarkConflicts(b *testing.B) {
	run := func(name string, patterns []route.Pattern) {
		b.Run("patterns="+name, func(b *testing.B) {
			times := [3]float64{math.Inf(1), math.Inf(1), math.Inf(1)}
			for b.Loop() {
				for i := range times {
					part := patterns[:len(patterns)>>(2-i)]
					runtime.GC() // collects the garbage of the run before
					begin := time.Now()
					addEach(b, part)
					times[i] = min(times[i], float64(time.Since(begin)))
				}
			}
			b.ReportMetric(times[0]/float64(len(patterns)/4), "ns/pattern")
			b.ReportMetric(math.Log2(times[1]/times[0]), "exponent_to_2n")
			b.ReportMetric(math.Log2(times[2]/times[1]), "exponent_to_4n")
		})
	}
	const n = 20000
	for _, family := range patternFamilies {
		run(family.name, familyOf(b, family.forms, 4*n))
	}
	run("many_shapes", manyShapes(b, 4*n))
}
