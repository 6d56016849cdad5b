package corsrpc_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// TestInspectorIsBounded: what strangers send makes it remember no more than so much, and
// what was forgotten is counted.
func TestInspectorIsBounded(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, allowPage)
	h := layer.Inspector()
	api := layer.Wrap(nothing)
	for i := range 5000 {
		mark := fmt.Sprintf("mark%d%s", i, strings.Repeat("x", 150))
		refuse(api, "/"+mark+".v1.S/M", "https://"+mark+".example")
		refuse(api, "/acme.catalog.v1.CatalogService/"+mark, mark)
		api.ServeHTTP(httptest.NewRecorder(), newRequest(http.MethodOptions, "/files/"+mark, http.Header{
			"Origin": {page}, "Access-Control-Request-Method": {mark}, "Access-Control-Request-Headers": {mark},
		}))
	}
	if w := inspect(h, nil, "application/json"); w.Body.Len() > 100_000 {
		t.Errorf("%d bytes", w.Body.Len())
	}
	in := inspectJSON(t, h, nil)
	count := 0
	for _, g := range in.Refusals {
		count += g.Count
		if len(g.Origins) > 5 || len(g.Path) > 110 || len(g.Missing) > 110 {
			t.Errorf("%+v", g)
		}
	}
	if count+in.Forgotten != 15_000 || len(in.Refusals) > 10 {
		t.Errorf("%d refusals in %d groups, and %d forgotten", count, len(in.Refusals), in.Forgotten)
	}
}

// TestInspectorForgetsQuietGroups: where the policy itself has more groups than are
// kept, those that were quiet for the longest go.
func TestInspectorForgetsQuietGroups(t *testing.T) {
	t.Parallel()
	text := "defaults:\n  allow_origins: [https://app.example.com]\nrules:\n"
	for i := range 300 {
		text += fmt.Sprintf("  - path: /p%d\n", i)
	}
	layer, _ := newLayer(t, text)
	h := layer.Inspector()
	api := layer.Wrap(nothing)
	for i := range 300 {
		refuse(api, fmt.Sprintf("/p%d", i), "https://evil.example")
	}
	in := inspectJSON(t, h, nil)
	if len(in.Refusals) != 256 || in.Forgotten != 44 {
		t.Errorf("%d groups, %d forgotten", len(in.Refusals), in.Forgotten)
	}
	for _, g := range in.Refusals {
		if slices.Contains([]string{"/p0", "/p43"}, g.Target) {
			t.Errorf("%s is still there", g.Target)
		}
	}
}
