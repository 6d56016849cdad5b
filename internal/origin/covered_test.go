package origin

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func coveredOf(texts ...string) map[string]string {
	list := &StringList{}
	for _, text := range texts {
		list.Append(text)
	}
	set, ok := NewSetOf(list, func([]Problem) bool { return true })
	if !ok {
		panic(fmt.Sprint(texts))
	}
	covered := map[string]string{}
	for c := range set.Covered {
		covered[fmt.Sprint(c.Pattern, " ", texts[c.Pattern])] = texts[c.By]
		if c.Equal != (texts[c.Pattern] == texts[c.By]) {
			panic(fmt.Sprint(c))
		}
	}
	return covered
}

// TestCovered checks which patterns of a list another one covers, and near misses.
func TestCovered(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		texts []string
		want  map[string]string
	}{
		{[]string{"https://a.example.com", "https://*.example.com"}, map[string]string{"0 https://a.example.com": "https://*.example.com"}},
		{[]string{"https://*.example.com", "https://a.b.example.com", "https://example.com"}, map[string]string{"1 https://a.b.example.com": "https://*.example.com"}},
		{[]string{"https://*.example.com", "https://a.example.com:8443", "http://a.localhost", "https://aexample.com", "https://a.example.com."}, nil},
		{[]string{"https://*.example.com:*", "https://a.example.com:8443", "https://*.example.com", "https://*.a.example.com:*", "https://*.a.example.com:1"}, map[string]string{
			"1 https://a.example.com:8443": "https://*.example.com:*", "2 https://*.example.com": "https://*.example.com:*",
			"3 https://*.a.example.com:*": "https://*.example.com:*", "4 https://*.a.example.com:1": "https://*.example.com:*",
		}},
		{[]string{"https://*.example.com", "https://*.a.example.com"}, map[string]string{"1 https://*.a.example.com": "https://*.example.com"}},
		{[]string{"https://*.a.example.com", "https://*.example.com:*"}, map[string]string{"0 https://*.a.example.com": "https://*.example.com:*"}},
		{[]string{"https://*.example.com", "https://*.a.example.com:*", "http://*.localhost", "https://*.aexample.com"}, nil},
		{[]string{"http://localhost:*", "http://localhost:3000", "http://localhost", "https://localhost", "http://a.localhost"}, map[string]string{
			"1 http://localhost:3000": "http://localhost:*", "2 http://localhost": "http://localhost:*",
		}},
		{[]string{"https://*.example.com:*", "https://a.example.com:*", "https://example.com:*"}, map[string]string{"1 https://a.example.com:*": "https://*.example.com:*"}},
		{[]string{"https://*.example.com", "https://a.example.com:*"}, nil},
		{[]string{"https://a.example.com", "https://b.example.com", "https://a.example.com"}, map[string]string{"2 https://a.example.com": "https://a.example.com"}},
		{[]string{"https://*.example.com", "https://*.example.com", "null", "null", "capacitor://localhost"}, map[string]string{"1 https://*.example.com": "https://*.example.com", "3 null": "null"}},
		{[]string{"moz-extension://*", "moz-extension://7b2f", "chrome-extension://abc", "moz-extension://*", "*"}, map[string]string{"3 moz-extension://*": "moz-extension://*"}},
		{[]string{"https://pr-*.example.com", "https://pr-1.example.com", "https://pr-q*.example.com", "https://p*.example.com:*", "https://*-pr.example.com", "https://pr-.example.com"}, map[string]string{
			"0 https://pr-*.example.com": "https://p*.example.com:*", "1 https://pr-1.example.com": "https://pr-*.example.com",
			"2 https://pr-q*.example.com": "https://pr-*.example.com", "5 https://pr-.example.com": "https://p*.example.com:*",
		}},
		{[]string{"https://*.example.com", "https://pr-*.example.com", "https://pr-*.a.example.com", "https://pr-*.example.org"}, map[string]string{
			"1 https://pr-*.example.com": "https://*.example.com", "2 https://pr-*.a.example.com": "https://*.example.com",
		}},
		{[]string{"https://pr-q*.example.com", "https://pr-*.example.com:*", "https://pr-*.a.example.com"}, map[string]string{"0 https://pr-q*.example.com": "https://pr-*.example.com:*"}},
		{[]string{"*", "null", "https://a.example.com"}, nil}, // left to the caller
		{nil, nil},
	} {
		if got := coveredOf(test.texts...); !maps.Equal(got, test.want) {
			t.Errorf("%q: %q, want %q", test.texts, got, test.want)
		}
	}
}

// TestCoveredMatchesNothingMore: a set without the patterns that Covered returns matches the same
// origins.
func TestCoveredMatchesNothingMore(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 1))
	labels := []string{"a", "b", "q0", "z7x", "pr-1", "example", "com"}
	host := func() string {
		var parts []string
		for range 1 + random.IntN(3) {
			parts = append(parts, labels[random.IntN(len(labels))])
		}
		return strings.Join(append(parts, "example", "com"), ".")
	}
	port := func(star bool) string {
		ports := []string{"", "", ":8443", ":49157", ":*"}
		if !star {
			ports = ports[:4]
		}
		return ports[random.IntN(len(ports))]
	}
	found := 0
	for range 9000 {
		var texts []string
		for range 1 + random.IntN(8) {
			star := []string{"", "*.", "*.", "pr-*.", "p*.", "*1."}[random.IntN(6)]
			texts = append(texts, "https://"+star+host()+port(true))
		}
		dropped := map[int]bool{}
		whole, list := NewSet(parseAll(texts)), texts
		for c := range whole.Covered {
			dropped[c.Pattern] = true
		}
		found += len(dropped)
		var kept []string
		for i, text := range list {
			if !dropped[i] {
				kept = append(kept, text)
			}
		}
		without := NewSet(parseAll(kept))
		for range 40 {
			page := "https://" + host() + port(false)
			_, a := whole.Match(page)
			_, b := without.Match(page)
			if a != b {
				t.Fatalf("%q without %v: %s: %v, %v", texts, slices.Collect(maps.Keys(dropped)), page, a, b)
			}
		}
	}
	if found < 1000 {
		t.Errorf("%d covered patterns: the test tries too little", found)
	}
}

func parseAll(texts []string) (patterns []Pattern) {
	for _, text := range texts {
		p, _ := ParsePattern(text)
		patterns = append(patterns, p)
	}
	return patterns
}

// TestCoveredCost: the time for many wildcards, or many exact origins beside one, is that of reading them a
// few times.
func TestCoveredCost(t *testing.T) {
	for _, test := range []struct {
		name string
		n    int
		text func(i int) string
	}{
		{"wildcards", 20_000, func(i int) string { return fmt.Sprintf("https://*.t%06d.example.com", i) }},
		{"exact", 200_000, func(i int) string { return fmt.Sprintf("https://t%d.example.net", i) }},
	} {
		list := &StringList{}
		list.Append("https://*.example.org:*")
		for i := range test.n {
			list.Append(test.text(i))
		}
		start := time.Now()
		set, _ := NewSetOf(list, func([]Problem) bool { return true })
		made := time.Since(start)
		start = time.Now()
		for c := range set.Covered {
			t.Fatalf("%v is covered", c)
		}
		took := time.Since(start)
		t.Logf("%s: the set %v, Covered %v", test.name, made, took)
		if took > 10*made+time.Second {
			t.Errorf("%s: the set takes %v, Covered %v", test.name, made, took)
		}
	}
}

// TestIsLoopback checks patterns of loopback hosts, and of hosts that only look like one.
func TestIsLoopback(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]bool{
		"http://localhost": true, "https://localhost:3000": true, "http://localhost:*": true, "http://*.localhost:*": true, "http://a.localhost.": true,
		"http://127.0.0.1": true, "http://127.1.2.3:*": true, "http://[::1]": true, "http://[::1]:8080": true, "https://[::1]:*": true,
		"http://0.0.0.0:3000": true, "https://[::]:*": true, "https://[::ffff:7f00:1]": true,
		"capacitor://localhost": false, "https://localhost.example.com": false, "https://*.example.com": false, "https://127.example.com": false,
		"http://[::2]:1": false, "*": false, "null": false, "file://": false, "moz-extension://*": false,
	} {
		if got := IsLoopback(pattern); got != want {
			t.Errorf("%s: %v", pattern, got)
		}
	}
	for pattern, want := range map[string]string{
		"https://codepen.io": "codepen.io", "https://a.example.com:8443": "a.example.com", "http://[::1]:80": "[::1]",
		"https://*.codepen.io": "", "https://codepen.io:*": "", "capacitor://localhost": "", "null": "", "*": "",
	} {
		if got := WebHost(pattern); got != want {
			t.Errorf("%s: the host %q", pattern, got)
		}
	}
}
