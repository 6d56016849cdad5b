package e2e

import (
	"net/http"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corstest"
	"github.com/corsrpc/corsrpc-go/examples/showcase/service"
)

// TestRecipeInCorstest: corstest finds behind another CORS middleware what
// TestRecipeTable finds with the browsers.
func TestRecipeInCorstest(t *testing.T) {
	const page, greet = "https://app.example.com", "https://api.example.com/showcase.v1.ShowcaseService/Greet"
	mux := http.NewServeMux()
	mux.Handle(service.NewConnectV1())
	handler := corstest.WithHandler(recipe(page, mux))
	corstest.Run(t, []corstest.Case{
		{From: page, Call: corstest.Connect(greet), Hidden: []string{"X-Showcase-Header", "Trailer-X-Showcase-Trailer"}},
		{From: page, Call: corstest.GRPCWeb(greet), Hidden: []string{"X-Showcase-Header"}},
		{From: "https://evil.example", Call: corstest.Connect(greet), Blocked: corstest.CheckOriginMissing, NotSent: true},
		// A simple request runs there, whoever sends it.
		{Name: "a stranger's GET", From: "https://evil.example", Call: corstest.Fetch(http.MethodGet, greet), Blocked: corstest.CheckOriginMissing},
	}, handler)
	for engine, want := range map[corstest.Engine]int{corstest.Chromium: 10, corstest.Firefox: 2, corstest.WebKit: 10} {
		b := corstest.NewBrowser(page, handler, corstest.WithEngine(engine))
		for range 5 {
			for _, call := range []func(string, ...string) corstest.Call{corstest.Connect, corstest.GRPCWeb} {
				if err := call(greet)(t.Context(), b.Client()); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := b.Preflights(); got != want {
			t.Errorf("%s: %d preflights in ten calls, want %d", engine, got, want)
		}
	}
}
