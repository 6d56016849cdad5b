package route_test

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/route"
)

// samplesTable returns a table of those patterns that do not conflict, and these.
func samplesTable(prefixes []string, texts []string) (*route.Table[string], []route.Pattern) {
	table := route.New(route.Config[string]{Prefixes: prefixes, Same: func(a, b string) bool { return a == b }, Uncovered: "*", Unnamed: "*"})
	var added []route.Pattern
	for _, text := range texts {
		if p, problem := route.ParsePattern(text); problem == nil && table.AddPattern(p, text) == nil {
			added = append(added, p)
		}
	}
	return table, added
}

// foundIn says what a path resolves to in a table.
func foundIn(table *route.Table[string], path, raw string, mayBeCall bool) string {
	first, _, verdict := table.Find(path, raw, mayBeCall)
	if verdict != route.Clear {
		return fmt.Sprint("verdict ", verdict)
	}
	return fmt.Sprint(first.Kind, first.Value)
}

// pairIn says what a path resolves to in two tables, as a call and otherwise.
func pairIn(tables [2]*route.Table[string], path, raw string) string {
	var found []string
	for _, table := range tables {
		found = append(found, foundIn(table, path, raw, true), foundIn(table, path, raw, false))
	}
	return strings.Join(found, ", ")
}

// everyPath yields the paths of at most max of some segments, with and without a slash at the end.
func everyPath(segments []string, max int, yield func(path string)) {
	yield("/")
	var extend func(prefix string, depth int)
	extend = func(prefix string, depth int) {
		if depth == max {
			return
		}
		for _, segment := range segments {
			yield(prefix + "/" + segment)
			yield(prefix + "/" + segment + "/")
			extend(prefix+"/"+segment, depth+1)
		}
	}
	extend("", 0)
}

// TestSamplesAgainstEveryPath: for each path of a few segments, a sample resolves to the same in two tables of random
// patterns. Among the segments are all literals, others in other letter case, and fresh ones of each form.
func TestSamplesAgainstEveryPath(t *testing.T) {
	t.Parallel()
	const seed = 23
	for _, test := range []struct {
		name              string
		literals          []string
		fresh             []string // segments that no pattern has
		prefixes          []string
		patterns, longest int
		depth             int // of the paths
		rounds            int
	}{
		{"letter case", []string{"a", "b", "A"}, []string{"B", "f-1", "f.v1.F", "F"}, nil, 4, 2, 3, 250},
		{"prefixes", []string{"a", "b", "p.v1.S"}, []string{"f-1", "f.v1.F", "F"}, []string{"/a", "/a/b"}, 5, 2, 4, 60},
		{"long", []string{"a", "b"}, []string{"f-1"}, nil, 8, 4, 5, 150},
		{"escapes", []string{"a", "%61", "a%20b", "é", "%C3%A9", "a+b", "a%2Bb", "f.v1.F"}, []string{"f-1", "f.v2.F", "F"}, []string{"/p"}, 6, 2, 3, 50},
		{"escaped slashes", []string{"a", "b", "a%2Fb", "a%2fb"}, []string{"f-1"}, nil, 5, 2, 3, 100},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 1))
			segments := slices.Concat(test.literals, test.fresh)
			randomPattern := func() (text string) {
				for range random.IntN(test.longest + 1) {
					text += "/" + append(test.literals, "{}")[random.IntN(len(test.literals)+1)]
				}
				text += []string{"", "", "/", "/{$}", "/{rest...}"}[random.IntN(5)]
				for n := 0; strings.Contains(text, "{}"); n++ {
					text = strings.Replace(text, "{}", fmt.Sprintf("{x%d}", n), 1)
				}
				return text
			}
			pairs, most := 0, 0
			for round := range test.rounds {
				var tables [2]*route.Table[string]
				var patterns [2][]route.Pattern
				for i := range tables {
					var texts []string
					for range random.IntN(test.patterns + 1) {
						texts = append(texts, randomPattern())
					}
					if i == 1 && random.IntN(2) == 0 { // many entries of a policy stay as they are
						for _, p := range patterns[0] {
							texts = append(texts, p.String())
						}
					}
					tables[i], patterns[i] = samplesTable(test.prefixes, texts)
				}
				samples, complete := route.Samples(patterns[0], patterns[1], test.prefixes)
				if !complete {
					t.Fatalf("round %d: %v, %v: not complete", round, patterns[0], patterns[1])
				}
				sampled, plain := map[string]bool{}, map[string]bool{} // plain: without those in other letter case
				for _, s := range samples {
					if u, err := url.ParseRequestURI(sent(s)); err != nil || u.Path != s.Path || u.RawPath != s.RawPath {
						t.Fatalf("round %d: %v, %v: the sample %+v is sent as %q, which is %+v", round, patterns[0], patterns[1], s, sent(s), u)
					}
					pair := pairIn(tables, s.Path, s.RawPath)
					sampled[pair] = true
					plain[pair] = plain[pair] || !s.LetterCase
				}
				reached := map[string]bool{}
				everyPath(segments, test.depth, func(raw string) {
					u, err := url.ParseRequestURI(raw)
					if err != nil {
						t.Fatal(err)
					}
					if !isSpelledByClients(raw, slices.Concat(patterns[0], patterns[1])) {
						return
					}
					pair := pairIn(tables, u.Path, u.RawPath)
					reached[pair] = true
					if !sampled[pair] || !plain[pair] && !slices.Contains(test.literals, "A") {
						t.Fatalf("seed %d, round %d: %v, %v: no sample resolves to %s, as %s does: %+v", seed, round, patterns[0], patterns[1], pair, raw, samples)
					}
				})
				pairs, most = pairs+len(reached), max(most, len(samples))
			}
			t.Logf("%d pairs in %d rounds, at most %d samples", pairs, test.rounds, most)
			if pairs < 3*test.rounds {
				t.Errorf("%d pairs in %d rounds: the test tries too little", pairs, test.rounds)
			}
		})
	}
}

// isSpelledByClients reports whether each segment of a path is in the default encoding, or is that of a pattern that
// matches the segments before it.
func isSpelledByClients(raw string, patterns []route.Pattern) bool {
	segments := strings.Split(raw, "/")
	for i, segment := range segments {
		text, _ := url.PathUnescape(segment)
		if (&url.URL{Path: "/" + text}).EscapedPath() == "/"+segment {
			continue
		}
		if !slices.ContainsFunc(patterns, func(p route.Pattern) bool {
			written := strings.Split(p.String(), "/")
			for j := range min(i, len(written)) {
				if written[j] != segments[j] && !strings.HasPrefix(written[j], "{x") {
					return false
				}
			}
			return i < len(written) && written[i] == segment
		}) {
			return false
		}
	}
	return true
}

// sent returns the path of a sample as clients send it.
func sent(s route.Sample) string { return (&url.URL{Path: s.Path, RawPath: s.RawPath}).EscapedPath() }

// FuzzSamples: a path of unreserved characters resolves in two tables to what one of the samples resolves to. The patterns
// of the tables are the lines of two texts.
func FuzzSamples(f *testing.F) {
	for _, seed := range [][3]string{
		{"/a/{x}\n/a/b", "/{x}/b", "/a/b"}, {"/a/\n/A/b", "/{x...}", "/A/B"}, {"/a/{$}\n/{x}/{y}", "/acme.v1.S/{m}", "/acme.v1.S/M"}, {"/a/b/c\n/{x}/b/d", "/a/{y}/e/", "/a/b/e/f/"}, {"/a/a\n/{x}/a", "/{x}/{y}/a", "/a/A"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	simple := regexp.MustCompile(`^(/|(/[A-Za-z0-9_.~-]*[A-Za-z0-9_~-])+/?)$`)
	f.Fuzz(func(t *testing.T, old, next, path string) {
		var tables [2]*route.Table[string]
		var patterns [2][]route.Pattern
		for i, text := range [...]string{old, next} {
			tables[i], patterns[i] = samplesTable([]string{"/p"}, strings.Split(text, "\n"))
		}
		samples, complete := route.Samples(patterns[0], patterns[1], []string{"/p"})
		if !complete || !simple.MatchString(path) || strings.HasPrefix(strings.ToLower(path), "/p") && !strings.HasPrefix(path, "/p/") {
			return // some servers cut off a prefix and add a slash
		}
		want := pairIn(tables, path, "")
		if !slices.ContainsFunc(samples, func(s route.Sample) bool { return pairIn(tables, s.Path, s.RawPath) == want }) {
			t.Fatalf("%v, %v: no sample resolves to %s, as %s does: %+v", patterns[0], patterns[1], want, path, samples)
		}
	})
}

// TestSamplesFitIntoAPath: the samples of a pattern with many wildcards are not longer than a server's paths, so that one
// resolves to the pattern.
func TestSamplesFitIntoAPath(t *testing.T) {
	t.Parallel()
	const wildcards = 250
	pattern := "/corsrpc-witness/-"
	for i := range wildcards {
		pattern += fmt.Sprintf("/{x%d}", i)
	}
	table, patterns := samplesTable(nil, []string{pattern})
	samples, complete := route.Samples(patterns, nil, nil)
	if !complete || !slices.ContainsFunc(samples, func(s route.Sample) bool { return foundIn(table, s.Path, s.RawPath, true) == "3"+pattern }) {
		t.Errorf("complete: %v; no sample of %d resolves to a pattern with %d wildcards", complete, len(samples), wildcards)
	}
	for _, s := range samples {
		if len(sent(s)) > route.MaxPath {
			t.Errorf("a sample of %d bytes", len(sent(s)))
		}
	}
}
