package e2e

import (
	"net/http"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/corsrpc/corstest"
	"github.com/corsrpc/corsrpc-go/examples/showcase/service"
)

// TestRecipeInCorstest: with another CORS middleware, corstest has the results that TestRecipeTable has in the browsers.
func TestRecipeInCorstest(t *testing.T) {
	const page, greet = "https://app.example.com", "https://api.example.com/showcase.v1.ShowcaseService/Greet"
	mux := http.NewServeMux()
	mux.Handle(service.NewConnectV1())
	handler := corsbrowser.WithHandler(recipe(page, mux))
	corstest.Run(t, []corstest.Case{
		{From: page, Call: corsbrowser.Connect(greet), Hidden: []string{"X-Showcase-Header", "Trailer-X-Showcase-Trailer"}},
		{From: page, Call: corsbrowser.GRPCWeb(greet), Hidden: []string{"X-Showcase-Header"}},
		{From: "https://evil.example", Call: corsbrowser.Connect(greet), Blocked: corsbrowser.CheckOriginMissing, NotSent: true},
		// With that middleware, a simple request of any page runs the handler.
		{Name: "a stranger's GET", From: "https://evil.example", Call: corsbrowser.Fetch(http.MethodGet, greet), Blocked: corsbrowser.CheckOriginMissing},
	}, handler)
	for engine, want := range map[corsbrowser.Engine]int{corsbrowser.Chromium: 10, corsbrowser.Firefox: 2, corsbrowser.WebKit: 10} {
		b, err := corsbrowser.New(page, handler, corsbrowser.WithEngine(engine))
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			for _, call := range []func(string, ...string) corsbrowser.Call{corsbrowser.Connect, corsbrowser.GRPCWeb} {
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
