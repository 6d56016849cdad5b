package origin

import (
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestOutside checks the witness of single cases, which a person reads.
func TestOutside(t *testing.T) {
	t.Parallel()
	covering := func(format, chars string) (all []string) {
		for _, c := range chars {
			all = append(all, fmt.Sprintf(format, string(c)))
		}
		return all
	}
	every := everyOrigin.chars
	for _, test := range []struct {
		pattern string
		set     []string
		want    string // empty if the set covers the pattern
	}{
		{"https://app.example.com", nil, "https://app.example.com"},
		{"https://app.example.com", []string{"https://app.example.com:*"}, ""},
		{"https://app.example.com:8443", []string{"https://app.example.com"}, "https://app.example.com:8443"},
		{"https://app.example.com:*", []string{"https://app.example.com"}, "https://app.example.com:8443"},
		{"https://app.example.com:*", []string{"https://app.example.com", "https://app.example.com:8443", "https://*.example.com:3000"}, "https://app.example.com:8080"},
		{"https://app.example.com:*", []string{"https://*.example.com"}, "https://app.example.com:8443"},
		{"https://app.example.com:*", []string{"https://*.com:*"}, ""},
		{"http://localhost:*", []string{"https://localhost:*", "http://localhost:8443"}, "http://localhost"},
		{"http://[::1]:*", []string{"http://[::1]"}, "http://[::1]:8443"},
		{"https://*.example.com", nil, "https://corsrpc-witness.example.com"},
		{"https://*.example.com", []string{"https://corsrpc-witness.example.com"}, "https://witness.example.com"},
		{"https://*.example.com", []string{"https://*.com"}, ""},
		{"https://*.example.com", []string{"https://*.com:*"}, ""},
		{"https://*.example.com:*", []string{"https://*.example.com"}, "https://corsrpc-witness.example.com:8443"},
		{"https://*.example.com.", []string{"https://*.example.com"}, "https://corsrpc-witness.example.com."},
		{"https://*.example.com", covering("https://%s*.example.com", every), "https://w.example.com"},
		{"https://*.example.com", slices.Concat(covering("https://%s*.example.com", every), covering("https://%s.example.com", every)), "https://corsrpc-witness.corsrpc-witness.example.com"},
		{"https://*.example.com", slices.Concat(covering("https://%s*.example.com", every), covering("https://%s.example.com", every), []string{"https://*.corsrpc-witness.example.com:*"}), "https://corsrpc-witness.witness.example.com"},
		{"https://pr-*.example.com", nil, "https://pr-corsrpc-witness.example.com"},
		{"https://pr-*.example.com", []string{"https://p*.example.com:*"}, ""},
		{"https://pr-*.example.com", []string{"https://*.example.com"}, ""},
		{"https://pr-*.example.com", []string{"https://pr-*.example.com"}, ""},
		{"https://pr-*.example.com", []string{"https://*-a.example.com", "https://pr-c*.example.com"}, "https://pr-witness.example.com"},
		{"https://pr-*.example.com", covering("https://pr-%s*.example.com", every), "https://pr-w.example.com"},
		{"https://pr-*.example.com", slices.Concat(covering("https://pr-%s*.example.com", every), covering("https://pr-%s.example.com:*", every)), ""},
		{"https://pr-*.example.com", slices.Concat(covering("https://pr-%s*.example.com", every), covering("https://pr-%s.example.com", every[:37])), "https://pr-_.example.com"},
		{"https://pr-*.example.com", slices.Concat(covering("https://pr-%s*.example.com", every[1:]), covering("https://pr-%s.example.com", every)), "https://pr-aa.example.com"},
		{"https://pr-*.example.com", slices.Concat(covering("https://*%s.example.com", every), covering("https://pr-%s.example.com", every)), ""},
		{"https://pr-*.example.com", slices.Concat(covering("https://p*%s.example.com", every), covering("https://pr-%s.example.com", every)), ""},
		{"https://pr-*.example.com", slices.Concat(covering("https://*%s.example.com", every[1:]), []string{"https://p*ra.example.com"}), "https://pr-a.example.com"},
		{"https://pr-*.example.com", slices.Concat(covering("https://*%s.example.com", every), covering("https://pr-%s.example.com", every[1:])), ""}, // a star covers one character after pr-
		{"https://xn-*.example.com", covering("https://xn-%s*.example.com", strings.Replace(every, "-", "", 1)), "https://xn-w.example.com"},
		{"https://xn-*.example.com", slices.Concat(covering("https://xn-%s*.example.com", strings.Replace(every, "-", "", 1)), covering("https://xn-%s.example.com", strings.Replace(every, "-", "", 1))), ""},
		{"https://xn-*.example.com", covering("https://xn*%s.example.com", strings.Replace(every, "-", "", 1)), "https://xn-a-.example.com"}, // one byte more
		{"null", []string{"file://"}, "null"},
		{"null", []string{"*"}, ""},
		{"file://", []string{"null", "file://"}, ""},
		{"file://", nil, "file://"},
		{"capacitor://localhost", []string{"http://localhost:*", "ionic://localhost"}, "capacitor://localhost"},
		{"moz-extension://*", []string{"chrome-extension://*"}, "moz-extension://0c0c0c0c-0000-4000-8000-000000000000"},
		{"moz-extension://*", []string{"moz-extension://0c0c0c0c-0000-4000-8000-000000000000"}, "moz-extension://0c0c0c0c-0000-4000-8000-000000000001"},
		{"chrome-extension://*", []string{"chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"},
		{"moz-extension://*", []string{"moz-extension://*"}, ""},
		{"*", []string{"null", "https://*.com:*"}, "https://corsrpc-witness.example"},
		{"*", []string{"https://*.example"}, "https://corsrpc-witness.example-1"},
		{"*", []string{"null", "*"}, ""},
		{"https://a.example.com", []string{"*"}, ""},
		{"https://*." + longHost(252), nil, ""}, // no label fits
		{"https://*." + longHost(251), nil, "https://w." + longHost(251)},
		{"https://*." + longHost(251), covering("https://%s."+longHost(251)+":*", every), ""},
		{"https://*." + longHost(251), covering("https://%s."+longHost(251), every[:30]), "https://4." + longHost(251)},
		{"https://*." + longHost(251) + ".", covering("https://%s."+longHost(251), every), "https://w." + longHost(251) + "."},
		{"https://*." + longHost(249), slices.Concat(covering("https://%s*."+longHost(249), every), covering("https://%s."+longHost(249), every)), "https://w.w." + longHost(249)},
		{"https://*." + longHost(249), slices.Concat(covering("https://%s*."+longHost(249), every), covering("https://%s."+longHost(249), every), covering("https://*.%s."+longHost(249), every)), ""},
	} {
		p := patternsOf(t, test.pattern)[0]
		s := NewSet(patternsOf(t, test.set...))
		want := Missed
		if test.want == "" {
			want = Covered
		}
		if got, verdict := s.Outside(p); got != test.want || verdict != want {
			t.Errorf("%.60s outside %.300q: %q, %v; want %q", test.pattern, fmt.Sprint(test.set), got, verdict, test.want)
		}
	}
	var none *Set
	if got, verdict := none.Outside(patternsOf(t, "https://pr-*.example.com:*")[0]); got != "https://pr-corsrpc-witness.example.com" || verdict != Missed {
		t.Errorf("outside nothing: %q, %v", got, verdict)
	}
	if got, verdict := none.Outside(Pattern{}); got != "" || verdict != Covered {
		t.Errorf("the zero pattern: %q, %v", got, verdict)
	}
}

// longHost returns a host name of a length.
func longHost(length int) string {
	return strings.Repeat("h123456789.", length/11) + strings.Repeat("x", length%11)
}

// TestOutsideAgainstEveryOrigin: in spaces whose origins can be listed, a witness is one of the origins that the pattern
// matches and none of the set's patterns does, and there is a witness if there is such an origin.
func TestOutsideAgainstEveryOrigin(t *testing.T) {
	t.Parallel()
	for n, sp := range smallSpaces {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			universe := sp.universe()
			r := randomPatterns{rand.New(rand.NewPCG(21, uint64(n))), &sp}
			count := map[Coverage]int{}
			union := 0 // patterns that only several patterns together cover
			for range 4000 {
				patterns := r.set()
				p := r.pattern()
				if len(patterns) > 0 && r.IntN(2) == 0 { // a pattern that is wider than one of the set
					p = patterns[r.IntN(len(patterns))]
					p.prefix, p.suffix = p.prefix[:len(p.prefix)/2], p.suffix[len(p.suffix)/2:]
					p.port = []string{p.port, "*"}[r.IntN(2)]
					var ok bool
					if p, ok = readPattern(p.String()); !ok {
						continue
					}
				}
				if p.kind == kindExact && len(p.host) > sp.maxName {
					continue
				}
				s := NewSet(patterns)
				witness, verdict := s.outside(p, &sp)
				count[verdict]++
				outside := slices.ContainsFunc(universe, func(o Parsed) bool { return p.Match(o) && !matchesAny(patterns, o) })
				if o, ok := Parse(witness); verdict == Missed && (!ok || invalidPunycode(o.Host) != "" || !p.Match(o) || matchesAny(patterns, o) || !slices.Contains(universe, o)) {
					t.Fatalf("seed 21, %d: %s outside %v: the witness %q", n, p, patterns, witness)
				}
				if outside != (verdict == Missed) || verdict == Undecided || (witness == "") != (verdict == Covered) {
					t.Fatalf("seed 21, %d: %s outside %v: %q, %v; an origin exists: %v", n, p, patterns, witness, verdict, outside)
				}
				if verdict == Covered && !slices.ContainsFunc(patterns, func(q Pattern) bool {
					return !slices.ContainsFunc(universe, func(o Parsed) bool { return p.Match(o) && !q.Match(o) })
				}) {
					union++
				}
			}
			t.Logf("%d origins, %v, %d by several together", len(universe), count, union)
			if count[Covered] < 300 || count[Missed] < 300 || union < 30 {
				t.Errorf("%v, %d by several together: the test tries too little", count, union)
			}
		})
	}
}

// TestCommonAgainstEveryOrigin: in spaces whose origins can be listed, Common finds an origin of both sets if there is one.
func TestCommonAgainstEveryOrigin(t *testing.T) {
	t.Parallel()
	for n, sp := range smallSpaces {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			universe := sp.universe()
			r := randomPatterns{rand.New(rand.NewPCG(22, uint64(n))), &sp}
			count := map[Overlap]int{}
			for range 4000 {
				a, b := []Pattern{r.pattern()}, []Pattern{r.pattern()}
				if r.IntN(4) == 0 {
					a, b = append(a, r.pattern()), append(b, r.pattern())
				}
				got, verdict := common(NewSet(a), NewSet(b), &sp, maxSteps)
				count[verdict]++
				if o, ok := Parse(got); verdict == Overlapping && (!ok || invalidPunycode(o.Host) != "" || !matchesAny(a, o) || !matchesAny(b, o) || !slices.Contains(universe, o)) {
					t.Fatalf("seed 22, %d: %v and %v: %q", n, a, b, got)
				}
				exists := slices.ContainsFunc(universe, func(o Parsed) bool { return matchesAny(a, o) && matchesAny(b, o) })
				if exists != (verdict == Overlapping) || verdict == OverlapUndecided || (got == "") != (verdict == Disjoint) {
					t.Fatalf("seed 22, %d: %v and %v: %q, %v; an origin exists: %v", n, a, b, got, verdict, exists)
				}
			}
			t.Logf("%d origins, %v", len(universe), count)
			if count[Disjoint] < 300 || count[Overlapping] < 300 {
				t.Errorf("%v: the test tries too little", count)
			}
		})
	}
}

// TestCommon checks single cases.
func TestCommon(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 40)
	for _, test := range []struct {
		a, b []string
		want string // empty if the sets are disjoint
	}{
		{[]string{"https://a.example.com", "https://b.example.com"}, []string{"https://c.example.com", "https://b.example.com"}, "https://b.example.com"},
		{[]string{"https://a.example.com"}, []string{"https://a.example.com:8443", "http://a.example.com", "https://*.a.example.com"}, ""},
		{[]string{"https://a.example.com:*"}, []string{"https://a.example.com:8443"}, "https://a.example.com:8443"},
		{[]string{"https://a.example.com:*"}, []string{"https://*.com:8443"}, "https://a.example.com:8443"},
		{[]string{"https://*.example.com:*"}, []string{"https://*.com:8443"}, "https://corsrpc-witness.example.com:8443"},
		{[]string{"https://*.example.com:8443"}, []string{"https://*.com:3000"}, ""},
		{[]string{"https://*.example.com"}, []string{"https://example.com", "https://*.example.org", "http://*.localhost"}, ""},
		{[]string{"https://*.example.com"}, []string{"https://pr-*.a.example.com"}, "https://pr-corsrpc-witness.a.example.com"},
		{[]string{"https://pr-*.example.com"}, []string{"https://*-a.example.com"}, "https://pr-corsrpc-witness-a.example.com"},
		{[]string{"https://pr-*.example.com"}, []string{"https://px*.example.com", "https://pr-*.a.example.com", "https://pr-*.example.com:8443"}, ""},
		{[]string{"https://pr-*.example.com:*"}, []string{"https://*-a.example.com:8443"}, "https://pr-corsrpc-witness-a.example.com:8443"},
		{[]string{"https://pr-*-b.example.com"}, []string{"https://*-a.example.com"}, ""},
		{[]string{"https://" + long + "*.example.com"}, []string{"https://*" + long + ".example.com"}, "https://" + strings.Repeat("a", 63) + ".example.com"},
		{[]string{"https://" + long + "*.example.com"}, []string{"https://*b" + long + ".example.com"}, ""}, // 81 bytes
		{[]string{"https://x*.example.com"}, []string{"https://*n--a.example.com"}, "https://xcorsrpc-witnessn--a.example.com"},
		{[]string{"null"}, []string{"*"}, "null"},
		{[]string{"*"}, []string{"*"}, "https://corsrpc-witness.example"},
		{[]string{"*"}, []string{"moz-extension://*"}, "moz-extension://0c0c0c0c-0000-4000-8000-000000000000"},
		{[]string{"moz-extension://*"}, []string{"moz-extension://a", "null"}, "moz-extension://a"},
		{[]string{"chrome-extension://*"}, []string{"moz-extension://*", "file://"}, ""},
		{[]string{"https://*." + longHost(252)}, []string{"*"}, ""}, // no label fits
		{nil, []string{"*"}, ""},
	} {
		a, b := NewSet(patternsOf(t, test.a...)), NewSet(patternsOf(t, test.b...))
		want := Overlapping
		if test.want == "" {
			want = Disjoint
		}
		for _, sets := range [][2]*Set{{a, b}, {b, a}} {
			if got, verdict := Common(sets[0], sets[1]); got != test.want || verdict != want {
				t.Errorf("%.90q and %.90q: %q, %v; want %q", test.a, test.b, got, verdict, test.want)
			}
		}
	}
	if _, verdict := Common(nil, NewSet(patternsOf(t, "*"))); verdict != Disjoint {
		t.Errorf("nothing and all: %v", verdict)
	}
}

// TestUncoveredBy: the patterns that another set does not cover are found by their index.
func TestUncoveredBy(t *testing.T) {
	t.Parallel()
	a := NewSet(append(patternsOf(t, "https://a.example.com", "https://*.example.com", "https://pr-*.example.org", "null", "https://a.example.com"), Pattern{}))
	b := NewSet(patternsOf(t, "https://*.example.com:8443", "https://p*.example.org:*"))
	want := map[int]string{0: "https://a.example.com", 1: "https://corsrpc-witness.example.com", 3: "null", 4: "https://a.example.com"}
	if got := maps.Collect(a.UncoveredBy(b)); !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if got := maps.Collect(a.UncoveredBy(nil)); len(got) != 5 {
		t.Errorf("by nothing: %v", got)
	}
	for _, other := range []*Set{a, NewSet(patternsOf(t, "*")), NewSet(parseAll(slices.Collect(texts(a))))} {
		for i, witness := range a.UncoveredBy(other) {
			t.Errorf("%d: %s", i, witness)
		}
	}
	for i := range a.UncoveredBy(b) { // an iteration may stop
		if i != 0 {
			t.Errorf("%d is first", i)
		}
		break
	}
	var none *Set
	for i := range none.UncoveredBy(a) {
		t.Errorf("%d of nothing", i)
	}
}

func texts(s *Set) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, text := range s.Patterns().All {
			if !yield(text) {
				return
			}
		}
	}
}

// TestSearchesEnd: a search that would take too long is undecided, which is neither a witness nor a proof.
func TestSearchesEnd(t *testing.T) {
	t.Parallel()
	var stars []string
	for _, first := range everyOrigin.chars {
		for _, last := range everyOrigin.chars {
			stars = append(stars, "https://"+string(first)+"*"+string(last)+".example.com", "https://"+string(first)+string(last)+".example.com")
		}
		stars = append(stars, "https://"+string(first)+".example.com")
	}
	s, p := NewSet(patternsOf(t, stars...)), patternsOf(t, "https://*-.example.com")[0]
	if witness, verdict := s.Outside(p); verdict != Covered {
		t.Errorf("%d stars: %q, %v", len(stars), witness, verdict)
	}
	for steps := range 40 {
		x := outsideSearch{set: s, space: &everyOrigin, pattern: p, steps: steps}
		if witness, verdict := x.host(); verdict != Undecided || witness != "" {
			t.Errorf("%d steps: %q, %v", steps, witness, verdict)
		}
	}

	var a, b []string
	long := strings.Repeat("a", 30)
	for i := range 1000 {
		a = append(a, fmt.Sprintf("https://%s%04d*.example.com", long, i))
		b = append(b, fmt.Sprintf("https://*c%04d%s.example.com", i, long))
	}
	if origin, verdict := common(NewSet(patternsOf(t, a...)), NewSet(patternsOf(t, b...)), &everyOrigin, 1000); origin != "" || verdict != OverlapUndecided {
		t.Errorf("long labels: %q, %v", origin, verdict)
	}
	if origin, verdict := Common(NewSet(patternsOf(t, a[:20]...)), NewSet(patternsOf(t, b[:20]...))); origin != "" || verdict != Disjoint {
		t.Errorf("some long labels: %q, %v", origin, verdict)
	}
}

// TestOutsideFindsPunycode: stars do not match labels that are punycode, so that they may be all that is left below a host
// so long that no two labels fit.
func TestOutsideFindsPunycode(t *testing.T) {
	t.Parallel()
	sp := space{chars: "xn-6a", maxLabel: 6, maxName: 8, maxPort: 1}
	var patterns []Pattern
	for label := range sp.texts(4) {
		if invalidPunycode(label) != "" {
			continue
		}
		patterns = append(patterns, patternsOf(t, "https://*."+label+".t")...)
		if len(label) == 1 {
			patterns = append(patterns, patternsOf(t, "https://"+label+"*.t", "https://"+label+".t")...)
		}
	}
	p := patternsOf(t, "https://*.t")[0]
	witness, verdict := NewSet(patterns).outside(p, &sp)
	if !strings.HasPrefix(witness, "https://xn--") || verdict != Missed {
		t.Errorf("%q, %v", witness, verdict)
	}
	for label := range sp.texts(6) {
		if strings.HasPrefix(label, "xn--") && invalidPunycode(label) == "" {
			patterns = append(patterns, patternsOf(t, "https://"+label+".t:*")...)
		}
	}
	if witness, verdict := NewSet(patterns).outside(p, &sp); verdict != Covered {
		t.Errorf("%q, %v", witness, verdict)
	}
}

// TestOutsideTriesEachBegin: of labels of three bytes, the stars match those with an a in the middle, which is tried first.
func TestOutsideTriesEachBegin(t *testing.T) {
	t.Parallel()
	sp := space{chars: "ab", maxLabel: 3, maxName: 5, maxPort: 1}
	s := NewSet(patternsOf(t, "https://*aa.t", "https://*ab.t", "https://ab*b.t", "https://aa.t", "https://ab.t"))
	if witness, verdict := s.outside(patternsOf(t, "https://a*.t")[0], &sp); witness != "https://aba.t" || verdict != Missed {
		t.Errorf("%q, %v", witness, verdict)
	}
}

// TestOutsideIsSafeForConcurrentUse: the first calls index the set at the same time.
func TestOutsideIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	s := NewSet(patternsOf(t, "https://pr-*.example.com", "https://a*.example.com:8443", "https://app.example.com"))
	p := patternsOf(t, "https://p*.example.com:*")[0]
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if witness, verdict := s.Outside(p); witness != "https://pcorsrpc-witness.example.com" || verdict != Missed {
				t.Errorf("%q, %v", witness, verdict)
			}
			if origin, verdict := Common(s, NewSet([]Pattern{p})); origin == "" || verdict != Overlapping {
				t.Errorf("%q, %v", origin, verdict)
			}
		})
	}
	wait.Wait()
}
