package corsrpc_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
)

// TestRefusalInTheBrowser: the simulated browser gets the reason and the remedy of a refusal from the handlers of Layer.Wrap and
// Plan.Wrap, with and without WithExplain, and none for requests that are allowed.
func TestRefusalInTheBrowser(t *testing.T) {
	t.Parallel()
	const policy = "defaults: {allow_origins: [https://app.example.com]}"
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	layer, _ := newLayer(t, policy)
	explaining, _ := newLayer(t, policy, corsrpc.WithExplain())
	for name, handler := range map[string]http.Handler{
		"Layer.Wrap":       layer.Wrap(next),
		"with WithExplain": explaining.Wrap(next),
		"Plan.Wrap":        compilePolicy(t, policy).Wrap(next),
	} {
		for from, want := range map[string]string{
			"https://app.example.com": "",
			"https://dev.example.com": `ORIGIN_NOT_ALLOWED: the policy does not allow the origin https://dev.example.com: add "https://dev.example.com" to defaults.allow_origins`,
		} {
			b, err := corsbrowser.New(from, corsbrowser.WithHandler(handler))
			if err != nil {
				t.Fatal(err)
			}
			_ = corsbrowser.Connect("https://api.example.com"+listRPC)(t.Context(), b.Client())
			for _, e := range b.Log() {
				if got := e.Refusal; !strings.HasPrefix(got, want) || want == "" && got != "" {
					t.Errorf("%s, from %s: the refusal of %s is %q, want %q", name, from, e.Method, got, want)
				}
			}
		}
	}
}
