package route_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/route"
)

// TestPatternsMatchAsInServeMux: for random patterns and random raw paths, the matching
// pattern is the one that a ServeMux with the same patterns dispatches to, or None if it
// dispatches to none. If it is another one, the verdict is not Clear: the request is refused.
func TestPatternsMatchAsInServeMux(t *testing.T) {
	t.Parallel()
	const paths, shares = 1_000_000, 4
	for share := range uint64(shares) {
		t.Run(fmt.Sprint(share), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(1, share))
			counts := map[string]int{}
			for counts["paths"] < paths/shares {
				table, mux := randomPatterns(t, random)
				for range 500 {
					raw := randomRawPath(random)
					u, err := url.ParseRequestURI(raw)
					if err != nil {
						continue
					}
					counts["paths"]++
					counts[compareWithServeMux(t, table, mux, raw, u)]++
				}
			}
			for _, kind := range []string{"governed", "exact", "none", "differs", "unbounded"} {
				if counts[kind] < paths/shares/500 {
					t.Errorf("%d paths of the kind %q: the test covers too little: %v", counts[kind], kind, counts)
				}
			}
		})
	}
}

// compareWithServeMux fails the test if the table and ServeMux disagree. It returns the kind of
// path.
func compareWithServeMux(t *testing.T, table *route.Table[string], mux *http.ServeMux, raw string, u *url.URL) string {
	handler, want := mux.Handler(&http.Request{Method: http.MethodGet, URL: u, Host: "api.example.com"})
	if _, dispatched := handler.(governed); !dispatched && path.Clean(u.EscapedPath()) == strings.TrimSuffix(u.EscapedPath(), "/") {
		want = "" // not found, or a redirect to the path with a slash, and not one to the cleaned path
	}
	exact, isExact := table.Exact(u.Path, u.RawPath)
	first, _, verdict := table.Find(u.Path, u.RawPath, true)
	switch {
	case isExact && exact != want:
		t.Fatalf("%q is spelled as the pattern %q, and ServeMux dispatches it to %q", raw, exact, want)
	case isExact:
		return "exact"
	case verdict == route.Unbounded:
		return "unbounded"
	case verdict == route.Differs:
		return "differs"
	case first.Value != want:
		t.Fatalf("%q is governed by %q, and ServeMux dispatches it to %q", raw, first.Value, want)
	case want == "":
		return "none"
	}
	return "governed"
}

// governed is the handler of a pattern.
type governed string

func (governed) ServeHTTP(http.ResponseWriter, *http.Request) {}

// randomPatterns returns a table and a ServeMux with the same patterns. The value of each
// pattern is its text.
func randomPatterns(t *testing.T, random *rand.Rand) (*route.Table[string], *http.ServeMux) {
	table, mux := route.New(route.Config[string]{Same: func(a, b string) bool { return a == b }}), http.NewServeMux()
	for range 1 + random.IntN(6) {
		text := randomPattern(random)
		pattern, problem := route.ParsePattern(text)
		if problem != nil {
			t.Fatalf("%q %s", text, problem.Reason)
		}
		if table.AddPattern(pattern, text) == nil {
			mux.Handle(text, governed(text))
		}
	}
	return table, mux
}

// randomPattern draws a pattern from a few words, so that patterns and paths often match.
func randomPattern(random *rand.Rand) string {
	var b strings.Builder
	wildcards := 0
	for range random.IntN(4) {
		switch random.IntN(4) {
		case 0:
			wildcards++
			b.WriteString("/{w" + strings.Repeat("w", wildcards) + "}")
		default:
			b.WriteString("/" + pick(random, "a", "b", "B", "c%20d", "e%20f", "g%2Fh", "i%25j", "é", "k.l", "m;n", "q%7er"))
		}
	}
	end := pick(random, "", "", "/", "/", "/{$}", "/{rest...}")
	return "/" + strings.TrimPrefix(b.String()+end, "/")
}

// randomRawPath draws a path as a client may send it.
func randomRawPath(random *rand.Rand) string {
	var b strings.Builder
	for range random.IntN(5) {
		b.WriteString(pick(random, "/", "/", "/", "/", "/", "//", "/./", "/../", "%2f", "%5c", `\`))
		b.WriteString(pick(random, "a", "b", "B", "c%20d", "e%20f", "e%20%66", "g%2Fh", "g%2fh", "i%25j", "%C3%A9", "é", "k.l", "m;n", "q%7er", "q~r", "m;n=1", "%61", "a.", "a%20", "..%2fa", "%2e%2e", "a%00", "a%3Fb", "a%23", "%2561", "z"))
	}
	return "/" + strings.TrimPrefix(b.String()+pick(random, "", "", "/"), "/")
}

func pick(random *rand.Rand, from ...string) string { return from[random.IntN(len(from))] }
