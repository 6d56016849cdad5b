package origin

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
)

// TestStarsAgainstTheModel: of many random patterns with a star in a label, whose labels consist of
// few letters, the set returns the same pattern as the model, for labels of all lengths.
func TestStarsAgainstTheModel(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	word := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "aab-"[random.IntN(4)]
		}
		return string(b)
	}
	hits := 0
	for _, longest := range []int{3, 8, 31} {
		for _, n := range []int{1, 2, 10, 300} {
			var texts []string
			for len(texts) < n {
				label := word(random.IntN(longest+1)) + "*" + word(random.IntN(longest+1))
				if label != "*" {
					texts = append(texts, "https://"+label+[]string{".x.test", ".y.x.test", ".x.test:*", ".x.test:1"}[random.IntN(4)])
				}
			}
			s := NewSet(patternsOf(t, texts...))
			for range 2000 {
				label := word(1 + random.IntN(63))
				if random.IntN(2) == 0 {
					text := texts[random.IntN(n)]
					label, _, _ = strings.Cut(strings.TrimPrefix(text, "https://"), ".")
					label = strings.Replace(label, "*", word(1+random.IntN(2)), 1)
				}
				if len(label) > 63 {
					continue
				}
				raw := "https://" + label + []string{".x.test", ".y.x.test", ".x.test:1", ".x.test:2"}[random.IntN(4)]
				want := modelBest(texts, func(i int) bool {
					front, behind, _ := strings.Cut(texts[i], "*")
					return strings.HasPrefix(raw, front) && strings.Contains(raw, strings.TrimSuffix(behind, ":*")) && modelMatch(texts[i], raw)
				})
				id, ok := s.Match(raw)
				if got := s.Index(id); ok != (want >= 0) || ok && got != want && texts[got] != texts[want] {
					t.Fatalf("%q: Match(%q) = %d, %t; the model says %d", texts, raw, got, ok, want)
				}
				if ok {
					hits++
				}
			}
		}
	}
	if hits < 3000 {
		t.Errorf("only %d origins match", hits)
	}
}

// TestStarsOfALongList: the set of a list finds the patterns by their index in the list, of which equal ones count once.
func TestStarsOfALongList(t *testing.T) {
	t.Parallel()
	texts := &StringList{}
	for i := range 3000 {
		texts.Append(fmt.Sprintf("https://app%d.x.test", i))
		texts.Append(fmt.Sprintf("https://t%d-*.x.test", i/2))
		texts.Append(fmt.Sprintf("https://pr-*-web.t%d.x.test:*", i))
	}
	s, ok := NewSetOf(texts, func([]Problem) bool { return false })
	if !ok {
		t.Fatal("the list is refused")
	}
	for i := range 3000 {
		for raw, want := range map[string]int{
			fmt.Sprintf("https://app%d.x.test", i):               3 * i,
			fmt.Sprintf("https://t%d-fix.x.test", i/2):           i/2*6 + 1,
			fmt.Sprintf("https://pr-1-web.t%d.x.test:8443", i):   3*i + 2,
			fmt.Sprintf("https://t%d.x.test", i):                 -1,
			fmt.Sprintf("https://pr-1-web.x%d.x.test:8443", i):   -1,
			fmt.Sprintf("https://pr-1-web.t%d.y.x.test:8443", i): -1,
		} {
			if id, _ := s.Match(raw); s.Index(id) != want {
				t.Fatalf("Match(%q) = %d, want %d", raw, s.Index(id), want)
			}
		}
	}
	texts.Append("https://pr-*.com")
	if _, ok := NewSetOf(texts, func([]Problem) bool { return false }); ok {
		t.Error("a list with a risk is accepted")
	}
}

// TestStarsOfAllLengths: a label of 63 bytes is matched by the longest prefixes and suffixes.
func TestStarsOfAllLengths(t *testing.T) {
	t.Parallel()
	for prefix := range maxStarLiteral + 1 {
		for _, n := range []int{maxStarLiteral, maxStarLiteral - 1, prefix + 1} {
			suffix := n - prefix
			if suffix < 0 || n == 0 || n > maxStarLiteral {
				continue
			}
			s := NewSet(patternsOf(t, "https://"+strings.Repeat("p", prefix)+"*"+strings.Repeat("s", suffix)+".x.test"))
			for star := range 64 - n {
				raw := "https://" + strings.Repeat("p", prefix) + strings.Repeat("-", star) + strings.Repeat("s", suffix) + ".x.test"
				if _, ok := s.Match(raw); ok != (star > 0) {
					t.Errorf("%s matches %q: %t", s.texts.At(0), raw, ok)
				}
			}
		}
	}
}

// TestStarPatternOfRequest: a request's parts make a pattern if the text is exactly theirs, so that patterns whose hashes
// are similar are told apart.
func TestStarPatternOfRequest(t *testing.T) {
	t.Parallel()
	exact, anyPort := starRequest{"https", "pr-1-web", "x.test:1", ""}, starRequest{"https", "pr-1-web", "x.test", ":*"}
	for _, c := range []struct {
		text           string
		exact, anyPort bool
	}{
		{"https://pr-*-web.x.test:1", true, false},
		{"https://pr-*-web.x.test:*", false, true},
		{"https://pr-*-web.x.test", false, false},
		{"https://pr-*-web.x.test:11", false, false},
		{"https://pr-*-web.x.test:*.x", false, false},
		{"https://pr*-web.x.test:1", false, false},
		{"https://pr-*web.x.test:1", false, false},
		{"https://pr-*-webb.x.test:1", false, false},
		{"http://pr-*-web.x.test:1", false, false},
		{"https://pr-*-web.y.test:1", false, false},
		{"https://pr-*-web.x.tes", false, false},
		{"", false, false},
	} {
		if got := exact.isPattern(c.text, 3, 4); got != c.exact {
			t.Errorf("%q with a port: %t", c.text, got)
		}
		if got := anyPort.isPattern(c.text, 3, 4); got != c.anyPort {
			t.Errorf("%q with any port: %t", c.text, got)
		}
	}
}

// tries returns the number of texts that a lookup of a label below x.test compares at most.
func (t *stars) tries(label string) (n int) {
	at := bytesOf(label)
	pairs := t.pairsOf(t.hosts[hostKey(t.patterns.seed, "https", "x.test", false)], label, &at)
	for {
		if _, _, ok := pairs.next(); !ok {
			return n
		}
		n++
	}
}

// manyStars are sets of patterns that could make a lookup expensive, by the number of patterns.
var manyStars = []struct {
	name    string
	pattern func(i int) string
	label   string // the label of the request, as long as possible
	most    int    // the number of pairs that a lookup may try, however many patterns there are
}{
	{"one host", func(i int) string { return fmt.Sprintf("https://t%d-*.x.test", i) }, "t99999-feature-x", 2},
	{"one host, refused", func(i int) string { return fmt.Sprintf("https://t%d-*.x.test", i) }, "evil-t99999-x", 2},
	{"different hosts", func(i int) string { return fmt.Sprintf("https://pr-*.t%d.x.test", i) }, "pr-1", 0},
	{"both sides", func(i int) string { return fmt.Sprintf("https://app%d-git-*-team%d.x.test", i, i*7919%100_000) }, "app99999-git-fix-1-team92081", 6},
	{"only a suffix", func(i int) string { return fmt.Sprintf("https://*--site%d.x.test", i) }, "feature-x--site99999", 3},
	{"no hyphens", func(i int) string { return fmt.Sprintf("https://t%d*.x.test", i) }, "t99999x", 5},
}

// TestStarTries: the number of texts that a lookup compares depends on the label and not on the
// number of patterns.
func TestStarTries(t *testing.T) {
	t.Parallel()
	for _, c := range manyStars {
		for _, n := range []int{1, 100, 10_000, 100_000} {
			patterns := make([]Pattern, n)
			for i := range patterns {
				patterns[i], _ = readPattern(c.pattern(100_000 - n + i))
			}
			s := NewSet(patterns)
			if got := s.stars.tries(c.label); got > c.most {
				t.Errorf("%s: %d patterns: %d texts, want at most %d", c.name, n, got, c.most)
			}
		}
	}
	if got := allLengths(t).stars.tries(strings.Repeat("a", 63)); got > 64*63/2-1 {
		t.Errorf("%d texts for a label whose every prefix and suffix is one of a pattern", got)
	}
}

// allLengths returns a set of patterns with all pairs of the lengths of a prefix and a suffix, such
// that each prefix and each suffix alone could match a label of the letter a, but none does.
func allLengths(t testing.TB) *Set {
	var texts []string
	for prefix := range maxStarLiteral + 1 {
		for suffix := range maxStarLiteral + 1 - prefix {
			switch {
			case prefix > 1:
				texts = append(texts, "https://"+strings.Repeat("a", prefix-2)+"ba*"+strings.Repeat("a", suffix)+".x.test")
			case suffix > 1:
				texts = append(texts, "https://"+strings.Repeat("a", prefix)+"*ab"+strings.Repeat("a", suffix-2)+".x.test")
			}
		}
	}
	return NewSet(patternsOf(t, texts...))
}

// TestStarCost: a pattern takes at most 100 bytes in addition to its text, on one host and on
// different hosts.
func TestStarCost(t *testing.T) {
	live := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for _, c := range manyStars {
		const n = 50_000
		before := live()
		texts, size := &StringList{}, 0
		for i := range n {
			text := c.pattern(i)
			texts.Append(text)
			size += len(text)
		}
		s, ok := NewSetOf(texts, func([]Problem) bool { return true })
		if each := (float64(live()) - float64(before) - float64(size)) / n; !ok || each > 100 {
			t.Errorf("%s: %.1f bytes each", c.name, each)
		}
		runtime.KeepAlive(s)
	}
}

func BenchmarkStars(b *testing.B) {
	for _, c := range manyStars {
		for _, n := range []int{1, 100, 100_000} {
			patterns := make([]Pattern, n)
			for i := range patterns {
				patterns[i], _ = readPattern(c.pattern(100_000 - n + i))
			}
			s := NewSet(patterns)
			raw := "https://" + c.label + ".x.test"
			b.Run(fmt.Sprintf("%s/patterns=%d", c.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					s.Match(raw)
				}
			})
		}
	}
	for name, label := range map[string]string{"all lengths": strings.Repeat("a", 63), "usual label": "pr-12-web"} {
		s, raw := allLengths(b), "https://"+label+".x.test"
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Match(raw)
			}
		})
	}
}
