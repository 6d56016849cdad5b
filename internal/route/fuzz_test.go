package route_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/route"
)

// FuzzPattern: the Fix of an invalid pattern is valid. A valid pattern is accepted by
// http.ServeMux, and matches a path only if ServeMux dispatches it there, or would after
// cleaning the path.
func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{
		{"/healthz", "/healthz"}, {"/my%20files/{id}", "/my%20files/a%2Fb"}, {"/v1/*", "/v1/x"}, {"/{a}/{b...}", "//x/..%2f;y"}, {"/a/{$}", "/a"}, {"/users/{id:[0-9]+}", `/users\7`}, {"^/a/(.*)$", "/%25252541"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, raw string) {
		pattern, problem := route.ParsePattern(text)
		if problem != nil {
			if _, second := route.ParsePattern(problem.Fix); problem.Fix != "" && second != nil {
				t.Fatalf("%q: write %q, which %s", text, problem.Fix, second.Reason)
			}
			return
		}
		table := route.New(route.Config[string]{Prefixes: []string{"/api"}, Same: func(a, b string) bool { return a == b }})
		if err := table.AddPattern(pattern, text); err != nil {
			t.Fatalf("%q alone %v", text, err)
		}
		u, err := url.ParseRequestURI(raw)
		if err != nil || u.Opaque != "" {
			return
		}
		mux := http.NewServeMux()
		mux.Handle(text, governed(text))
		_, dispatched := mux.Handler(&http.Request{Method: http.MethodGet, URL: u, Host: "api.example.com"})
		got, exact := table.Exact(u.Path, u.RawPath)
		if first, _, verdict := table.Find(u.Path, u.RawPath, false); !exact && verdict == route.Clear {
			got = first.Value
		}
		if got != "" && dispatched != text && u.Path != "" {
			t.Fatalf("%q is governed by %q, and ServeMux dispatches it to %q", raw, got, dispatched)
		}
	})
}

// FuzzConflict: two patterns conflict if a ServeMux accepts only one of them, or only one of
// their lower-case forms.
func FuzzConflict(f *testing.F) {
	for _, seed := range [][2]string{
		{"/a/{x}/c", "/a/b/{y}"}, {"/a/", "/{x}/b/"}, {"/{x...}", "/a/{$}"}, {"/A%2fb", "/a%2Fb"}, {"/%C3%A9", "/é"}, {"/%7Bx%7D", "/{x}"}, {"/K", "/\u212A"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		for _, pattern := range []string{first, second} {
			if _, problem := route.ParsePattern(pattern); problem != nil {
				return
			}
		}
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
			t.Fatalf("%q and then %q: %+v, want %+v", first, second, got, want)
		}
	})
}
