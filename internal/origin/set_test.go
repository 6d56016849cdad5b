package origin

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// patternsOf parses patterns, which may have risks.
func patternsOf(t testing.TB, texts ...string) []Pattern {
	t.Helper()
	patterns := make([]Pattern, len(texts))
	for i, text := range texts {
		p, problems := ParsePattern(text)
		if p == (Pattern{}) {
			t.Fatalf("ParsePattern(%q) = %+v", text, problems)
		}
		patterns[i] = p
	}
	return patterns
}

func TestSetFindsTheMostSpecificPattern(t *testing.T) {
	patterns := []string{
		0:  "*",
		1:  "https://*.example.com:*",
		2:  "https://*.example.com",
		3:  "https://*.b.example.com",
		4:  "https://a.example.com:*",
		5:  "https://a.example.com",
		6:  "https://a.example.com", // again
		7:  "https://*.example.com:8443",
		8:  "capacitor://localhost",
		9:  "null",
		10: "http://localhost:*",
		11: "http://*.localhost:*",
		12: "https://*.b.example.com.",
		13: "https://*.example.com:*",
		14: "https://pr-*.example.com",
		15: "https://pr-*.example.com:*",
		16: "https://pr-*-web.example.com:*",
		17: "https://p*r-web.example.com",
		18: "https://*-web.example.com:8443",
		19: "https://pr-1-*.example.com",
		20: "https://pr-*.example.com",
		21: "https://pr-*.example.com.",
		22: "http://pr-*.localhost:*",
		23: "https://*-1.b.example.com",
		24: "https://pr-1*web.example.com",
		25: "https://pr-9*.example.com:*",
		26: "https://pr-9*.example.com:8443",
		27: "https://pr-77.example.com:*",
		28: "https://*x.localhost",
	}
	s := NewSet(patternsOf(t, patterns...))
	for raw, want := range map[string]int{
		"https://a.example.com":               5,
		"https://a.example.com:8443":          4,
		"https://a.example.com:1":             4,
		"https://c.example.com":               2,
		"https://c.example.com:8443":          7,
		"https://c.example.com:9":             1,
		"https://a.b.example.com":             3,
		"https://a.b.example.com:9":           1,
		"https://a.b.example.com:8443":        7,
		"https://b.example.com":               2,
		"https://x.y.z.b.example.com":         3,
		"https://a.b.example.com.":            12,
		"https://example.com":                 0,
		"https://a.example.com.":              0,
		"http://a.example.com":                0,
		"https://other.example":               0,
		"null":                                9,
		"capacitor://localhost":               8,
		"capacitor://localhost:8080":          0,
		"ionic://localhost":                   0,
		"http://localhost":                    10,
		"http://localhost:3000":               10,
		"http://app.localhost:3000":           11,
		"https://localhost:3000":              0,
		"http://[::1]":                        0,
		"https://" + deep(".example.com"):     2,
		"https://pr-1.example.com":            14,
		"https://pr-1.example.com:8443":       15,
		"https://pr-.example.com":             2, // the star stands for at least one character
		"https://pr-1.example.com.":           21,
		"https://pr-1.b.example.com":          23,
		"https://pr-1.c.example.com":          2,
		"https://pr-x-web.example.com":        16, // 7 characters beside the star, and any port
		"https://pr-x-web.example.com:1":      16,
		"https://pr-web.example.com":          14, // the star of 17 has nothing to stand for; the prefix is longer than in 18
		"https://p-pr-web.example.com":        17,
		"https://px-web.example.com:8443":     18,
		"https://px-web.example.com":          2,
		"https://pr-1-x.example.com":          19,
		"https://pr-1-web.example.com":        24, // as many characters as 16, of which more are before the star
		"https://pr-1-web.example.com:8443":   16,
		"https://pr-9x.example.com":           25, // one more character before the port
		"https://pr-9x.example.com:8443":      26,
		"https://pr-9x.example.com:1":         25,
		"https://pr-77.example.com":           27,
		"https://xn--pr-web.example.com":      2,
		"https://xn--pr-web.example.com:8443": 7,
		"http://pr-1.localhost:3000":          22,
		"http://pr-1.localhost":               22,
		"http://pr-1.localhost.":              0,
		"http://px.localhost":                 11,
		"https://px.localhost":                28,
		"https://px.localhost:1":              0,
	} {
		if id, ok := s.Match(raw); !ok || s.Index(id) != want {
			t.Errorf("Match(%q) = %d, %t; want %d: %s", raw, s.Index(id), ok, want, patterns[want])
		}
	}
	for _, raw := range []string{"", "*", "https://a.example.com/", "https://A.example.com", "https://a.example.com:443", "https://*.example.com", "https://a.example.com:*", "Null", strings.Repeat("a", MaxLen+1)} {
		if _, ok := s.Match(raw); ok {
			t.Errorf("Match(%q) is true, and Parse refuses it", raw)
		}
	}
	if s.Any() == 0 || s.Len() != len(patterns) {
		t.Errorf("Any() = %d, Len() = %d", s.Any(), s.Len())
	}
}

// deep returns a host name of the maximum length with the maximum number of labels.
func deep(suffix string) string {
	return strings.Repeat("a.", (253-len(suffix))/2-1) + "a" + suffix
}

func TestSetWithoutPatterns(t *testing.T) {
	for name, s := range map[string]*Set{"nil": nil, "zero": {}, "of nothing": NewSet(nil), "of zero patterns": NewSet(make([]Pattern, 3))} {
		for _, raw := range []string{"", "null", "https://example.com", "capacitor://localhost", "*"} {
			if _, ok := s.Match(raw); ok {
				t.Errorf("%s: Match(%q) is true", name, raw)
			}
		}
		if s.Any() != 0 {
			t.Errorf("%s: Any() is true", name)
		}
	}
}

// TestSetAgainstTheModel: sets of patterns of a small grammar, alone, in ordered pairs and in
// random sets, match similar origins as the model does.
func TestSetAgainstTheModel(t *testing.T) {
	var texts []string
	for _, scheme := range []string{"https", "http"} {
		for _, host := range []string{"x.test", "a.x.test", "*.x.test", "*.a.x.test", "*.x.test.", "a.x.test.", "127.0.0.1", "[::1]", "*.localhost", "a*.localhost"} {
			for _, port := range []string{"", ":8443", ":*"} {
				texts = append(texts, scheme+"://"+host+port)
			}
		}
	}
	texts = append(texts, "https://*.test", "moz-extension://*", "safari-web-extension://*", "app://a.x.test", "app://x.test:8443", "file://", "null", "*", "https://a*.a.x.test", "https://*a.x.test.")
	for _, label := range []string{"a*", "*a", "a*a", "ab*", "a*ba", "x*"} {
		for _, rest := range []string{".x.test", ".x.test:8443", ".x.test:*"} {
			texts = append(texts, "https://"+label+rest)
		}
	}
	patterns := patternsOf(t, texts...)

	var raws []string
	for _, scheme := range []string{"https", "http", "app", "HTTPS", "wss"} {
		for _, host := range []string{"x.test", "a.x.test", "b.a.x.test", "c.b.a.x.test", "ax.test", "a-x.test", "x.test.a", "xatest", "test", "127.0.0.1", "1.127.0.0.1", "[::1]", "[0::1]", "localhost", "a.localhost", "ab.localhost", "",
			"aa.x.test", "aba.x.test", "abba.x.test", "ab.a.x.test", "a.ba.x.test", "xn--a.x.test", "xn-a.x.test", "xn-.x.test"} {
			for _, dots := range []string{"%s", "%s.", ".%s", "A.%s"} {
				for _, port := range []string{"", ":8443", ":443", ":80", ":1", ":08443", ":*", "/", " "} {
					raws = append(raws, scheme+"://"+fmt.Sprintf(dots, host)+port)
				}
			}
		}
	}
	raws = append(raws, "null", "file://", "moz-extension://1", "moz-extension://", "safari-web-extension://A", "chrome-extension://1", "moz-extension2://1", "file:///", "*", "", "https://*.x.test", "https://a.x.test:*", "https://x.test,https://a.x.test")

	allowed := make([][]bool, len(raws)) // the model's result, by indices of the origin and the pattern
	hits := 0
	for r, raw := range raws {
		o, valid := Parse(raw)
		if valid != modelValid(raw) {
			t.Errorf("Parse(%q) = %t, the model says %t", raw, valid, !valid)
		}
		allowed[r] = make([]bool, len(texts))
		for p, text := range texts {
			want := modelMatch(text, raw)
			allowed[r][p] = want
			if want {
				hits++
			}
			if got := patterns[p].Match(o); got != want {
				t.Errorf("%s: Pattern.Match(%q) = %t, the model says %t", text, raw, got, want)
			}
			if _, got := NewSet(patterns[p : p+1]).Match(raw); got != want {
				t.Errorf("%s: Set.Match(%q) = %t, the model says %t", text, raw, got, want)
			}
		}
	}
	if hits < 500 {
		t.Errorf("only %d pairs match: the grammar tests too little", hits)
	}

	check := func(chosen []int) {
		set, names := make([]Pattern, len(chosen)), make([]string, len(chosen))
		for i, p := range chosen {
			set[i], names[i] = patterns[p], texts[p]
		}
		s := NewSet(set)
		for r, raw := range raws {
			want := modelBest(names, func(i int) bool { return allowed[r][chosen[i]] })
			id, ok := s.Match(raw)
			got := s.Index(id)
			if ok != (want >= 0) || ok && got != want {
				t.Fatalf("%q: Match(%q) = %d, %t; the model says %d", names, raw, got, ok, want)
			}
		}
	}
	for i := range texts {
		for j := range texts {
			check([]int{i, j})
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		check(random.Perm(len(texts))[:3+random.IntN(len(texts)-2)])
	}
}

func TestSetMatchAllocatesNothing(t *testing.T) {
	s := NewSet(patternsOf(t, "https://app.example.com", "https://*.example.org", "https://ports.example.net:*", "https://*.wild.example.net:*", "capacitor://localhost"))
	for raw, want := range map[string]bool{
		"https://app.example.com":           true,
		"https://a.b.example.org":           true,
		"https://ports.example.net:8080":    true,
		"https://a.wild.example.net:8080":   true,
		"capacitor://localhost":             true,
		"https://evil.example":              false,
		"https://app.example.com.evil.test": false,
		"https://" + deep(".example.org"):   true,
		"https://" + deep(".example.edu"):   false,
		"http://[2001:db8::1]:8080":         false,
		"https://APP.example.com":           false,
		strings.Repeat("https://", 1000):    false,
	} {
		var ok bool
		if n := testing.AllocsPerRun(100, func() { _, ok = s.Match(raw) }); n != 0 || ok != want {
			t.Errorf("Match(%.80q) = %t and allocates %v times, want %t and 0", raw, ok, n, want)
		}
	}
}

func TestSetIsSafeForConcurrentUse(t *testing.T) {
	s := NewSet(patternsOf(t, "https://app.example.com", "https://*.example.org", "*"))
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 1000 {
				if id, ok := s.Match("https://a.example.org"); !ok || s.Index(id) != 1 {
					t.Errorf("Match = %d, %t", id, ok)
					return
				}
			}
		})
	}
	wait.Wait()
}

func BenchmarkSetMatch(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		var patterns []Pattern
		for i := range n {
			patterns = append(patterns, patternsOf(b, fmt.Sprintf("https://app%d.example.com", i), fmt.Sprintf("https://*.t%d.example.org", i))...)
		}
		s := NewSet(patterns)
		for _, c := range []struct{ name, raw string }{
			{"exact", "https://app0.example.com"},
			{"wildcard", "https://a.t0.example.org"},
			{"none", "https://evil.example"},
			{"deepest", "https://" + deep(".t0.example.edu")},
		} {
			b.Run(fmt.Sprintf("patterns=%d/origin=%s", 2*n, c.name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					s.Match(c.raw)
				}
			})
		}
	}
}
