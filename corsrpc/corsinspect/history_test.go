package corsinspect_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"weak"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// TestInspectorIsBounded: the history of 25,000 refused requests with distinct origins, paths
// and headers stays small, and all of them are counted.
func TestInspectorIsBounded(t *testing.T) {
	t.Parallel()
	layer, h := newLayer(t, allowPage+"shadow: {defaults: {allow_origins: [https://new.example.com]}}\n")
	api := layer.Wrap(nothing)
	for i := range 5000 {
		mark := fmt.Sprintf("mark%d%s", i, strings.Repeat("x", 150))
		refuse(api, "/"+mark+".v1.S/M", "https://"+mark+".example")
		refuse(api, "/acme.catalog.v1.CatalogService/"+mark, mark)
		api.ServeHTTP(httptest.NewRecorder(), newRequest(http.MethodOptions, "/files/"+mark, http.Header{
			"Origin": {page}, "Access-Control-Request-Method": {mark}, "Access-Control-Request-Headers": {mark},
		}))
		refuse(api, "/"+mark+".v1.S/M", page) // allowed by the policy, but not by its shadow
	}
	if w := inspect(h, nil, "application/json"); w.Body.Len() > 100_000 {
		t.Errorf("%d bytes", w.Body.Len())
	}
	in := inspectJSON(t, h, nil)
	refused, differed := 0, 0
	for _, g := range append(in.Refusals, in.Differences...) {
		if g.Shadow == nil {
			refused += g.Count
		} else {
			differed += g.Count
		}
		if len(g.Origins) > 5 || len(g.Path) > 110 || len(g.Missing) > 110 {
			t.Errorf("%+v", g)
		}
		for _, from := range g.Origins {
			if len(from) > 110 {
				t.Errorf("an origin is kept with %d bytes: %s", len(from), from)
			}
		}
	}
	if refused+differed+in.Forgotten != 25_000 || len(in.Refusals) > 10 || len(in.Differences) > 10 || len(in.Differences) == 0 {
		t.Errorf("%d refusals in %d groups, %d differences in %d, and %d forgotten", refused, len(in.Refusals), differed, len(in.Differences), in.Forgotten)
	}
}

// TestInspectorRemembersTheLatestReloads: the inspector keeps the latest 50 reloads.
func TestInspectorRemembersTheLatestReloads(t *testing.T) {
	t.Parallel()
	layer, h := newLayer(t, allowPage)
	_ = layer.Reload(t.Context(), nil) // fails, and is not among the latest 50 in the end
	for range 60 {
		if err := layer.Reload(t.Context(), layer.Plan()); err != nil {
			t.Fatal(err)
		}
	}
	_ = layer.Reload(t.Context(), nil)
	in := inspectJSON(t, h, nil)
	failed := 0
	for _, r := range in.Reloads {
		if r.Error != "" {
			failed++
		}
	}
	if len(in.Reloads) != 50 || failed != 1 || in.Reloads[0].Error == "" {
		t.Errorf("%d reloads, %d of them failed; the latest: %q", len(in.Reloads), failed, in.Reloads[0].Error)
	}
}

// endedContext is a context that has ended with an error.
type endedContext struct {
	context.Context
	err error
}

func (c endedContext) Err() error { return c.err }

// lazyError is an error that computes its text in Error.
type lazyError struct{ text func() string }

func (e *lazyError) Error() string { return e.text() }

// TestInspectorCutsErrors: the inspector keeps and shows the first 16 KiB of the error of a
// reload or a source.
func TestInspectorCutsErrors(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 1<<20)
	source := corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) { yield("", errors.New(long)) }
	})
	layer, h := newLayer(t, allowPage, corsrpc.WithOriginSource("tenants", source))
	_ = layer.Reload(endedContext{t.Context(), errors.New("")}, layer.Plan())
	in := inspectJSON(t, h, nil)
	if len(in.Reloads) != 1 || in.Reloads[0].Error == "" {
		t.Errorf("a reload that failed with an empty text: %+v", in.Reloads)
	}
	for range 2 {
		long = "x" + long // one of the two lengths is cut within a character
		if err := layer.Reload(t.Context(), compilePolicy(t, "defaults: {allow_origins_from: [tenants]}")); err == nil {
			t.Fatal("a policy whose source fails was put in force")
		}
		in = inspectJSON(t, h, nil)
		if got := in.Reloads[0].Error; !strings.Contains(got, "xé") || !strings.HasSuffix(got, "é...") || len(got) > 16<<10+3 {
			t.Errorf("the error of a reload has %d bytes: %.100q", len(got), got)
		}
	}

	layer, h = newLayer(t, "defaults: {allow_origins_from: [tenants]}", corsrpc.WithOriginSource("tenants", source))
	if err := layer.Refresh(t.Context(), "tenants"); err == nil {
		t.Fatal("the source does not fail")
	}
	if got := inspectJSON(t, h, nil).Sources[0].Error; !strings.HasSuffix(got, "é...") || len(got) > 16<<10+3 {
		t.Errorf("the error of a source has %d bytes: %.100q", len(got), got)
	}
}

// TestInspectorKeepsNoError: the inspector keeps the text of an error, not the error, which
// may hold a whole policy. It does not block requests while it computes the text.
func TestInspectorKeepsNoError(t *testing.T) {
	t.Parallel()
	layer, h := newLayer(t, allowPage)
	api := layer.Wrap(nothing)
	fail := func() weak.Pointer[lazyError] {
		err := &lazyError{func() string {
			refused := make(chan struct{})
			go func() {
				refuse(api, listRPC, "https://evil.example")
				close(refused)
			}()
			select {
			case <-refused:
			case <-time.After(10 * time.Second):
				t.Error("a request is blocked while the text of an error is computed")
			}
			return "the policy is bad"
		}}
		_ = layer.Reload(endedContext{t.Context(), err}, layer.Plan())
		return weak.Make(err)
	}
	kept := fail()
	if in := inspectJSON(t, h, nil); len(in.Reloads) != 1 || in.Reloads[0].Error != "the policy is bad" {
		t.Errorf("%+v", in.Reloads)
	}
	if runtime.GC(); kept.Value() != nil {
		t.Error("the error is still reachable")
	}
	runtime.KeepAlive(layer)
}

// TestPagesWhileRequestsAreRefused: rendering a page and refusing requests concurrently is
// not a data race. Only the race detector notices a failure.
func TestPagesWhileRequestsAreRefused(t *testing.T) {
	t.Parallel()
	layer, h := newLayer(t, allowPage)
	api := layer.Wrap(nothing)
	var refusing sync.WaitGroup
	refusing.Go(func() {
		for i := range 2000 {
			refuse(api, listRPC, fmt.Sprintf("https://evil%d.example", i%7))
		}
	})
	for range 20 {
		inspectJSON(t, h, nil)
	}
	refusing.Wait()
	if in := inspectJSON(t, h, nil); len(in.Refusals) != 1 || in.Refusals[0].Count != 2000 {
		t.Errorf("%+v", in.Refusals)
	}
}

// TestInspectorForgetsQuietGroups: if there are more than 256 groups, those with the oldest
// last request are evicted.
func TestInspectorForgetsQuietGroups(t *testing.T) {
	t.Parallel()
	text := "defaults:\n  allow_origins: [https://app.example.com]\nrules:\n"
	for i := range 300 {
		text += fmt.Sprintf("  - path: /p%d\n", i)
	}
	layer, h := newLayer(t, text)
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
			t.Errorf("the group of %s was not evicted", g.Target)
		}
	}
}

// TestInspectorGroupsByRule: requests that match different origins of one list are in one
// group, so that they do not evict other groups.
func TestInspectorGroupsByRule(t *testing.T) {
	t.Parallel()
	text := "defaults:\n  allow_origins:\n"
	for i := range 400 {
		text += fmt.Sprintf("    - https://app%d.example.com\n", i)
	}
	fromAll := func(layer http.Handler, header http.Header) {
		for i := range 400 {
			r := newRequest(http.MethodPost, listRPC, header)
			r.Header.Set("Origin", fmt.Sprintf("https://app%d.example.com", i))
			layer.ServeHTTP(httptest.NewRecorder(), r)
		}
	}
	expect := func(name string, in inspection, want ...string) {
		t.Helper()
		var got []string
		for _, g := range append(in.Refusals, in.Differences...) {
			shadow := ""
			if g.Shadow != nil {
				shadow = " " + g.Shadow.Reason + " " + g.Shadow.From
			}
			got = append(got, fmt.Sprintf("%d %s %s%s", g.Count, g.Decision.Reason, g.Decision.From, shadow))
		}
		if slices.Sort(got); !slices.Equal(got, want) || in.Forgotten != 0 {
			t.Errorf("%s: %d forgotten, and %d groups:\n%s\nwant:\n%s", name, in.Forgotten, len(got), strings.Join(got[:min(len(got), 5)], "\n"), strings.Join(want, "\n"))
		}
	}

	layer, h := newLayer(t, text)
	api := layer.Wrap(nothing)
	refuse(api, listRPC, "https://evil.example")
	fromAll(api, http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}})
	expect("refusals", inspectJSON(t, h, nil),
		"1 ORIGIN_NOT_ALLOWED defaults.allow_origins at cors.yaml:3:5",
		"400 MODE_NOT_CORS defaults.allow_origins[399] at cors.yaml:402:7")

	// If the shadow allows less, each request matches its own place in the policy in force.
	// If the shadow allows more, each request matches its own place in the shadow policy.
	layer, h = newLayer(t, text+"shadow:\n  defaults:\n    allow_origins: [https://new.example.com]\n")
	fromAll(layer.Wrap(nothing), nil)
	expect("a shadow that grants less", inspectJSON(t, h, nil),
		"400 ORIGIN_ALLOWED defaults.allow_origins[399] at cors.yaml:402:7 ORIGIN_NOT_ALLOWED shadow.defaults.allow_origins at cors.yaml:405:20")
	layer, h = newLayer(t, "defaults:\n  disabled: true\nrules:\n  - path: /open\n    disabled: false\n    allow_origins: [https://new.example.com]\nshadow:\n  "+strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ")+"\n")
	fromAll(layer.Wrap(nothing), nil)
	in := inspectJSON(t, h, nil)
	in.Refusals = nil // the policy in force refuses all of them for one reason
	expect("a shadow that grants more", in,
		"400 DISABLED defaults.disabled at cors.yaml:2:13 ORIGIN_ALLOWED shadow.defaults.allow_origins[399] at cors.yaml:409:9")
}

// TestInspectorTellsWhatIsEnforced: for two policies with the same decision, the page shows
// which of them would only be observed.
func TestInspectorTellsWhatIsEnforced(t *testing.T) {
	t.Parallel()
	const observed = "defaults: {allow_origins: [https://app.example.com]}, enforcement: OBSERVE"
	for _, test := range []struct {
		name, text       string
		enforced, shadow bool
	}{
		{"the shadow would", "defaults: {allow_origins: [https://app.example.com]}\nenforcement: OBSERVE\nshadow: {defaults: {allow_origins: [https://app.example.com]}}", false, true},
		{"the shadow would not", "defaults: {allow_origins: [https://app.example.com]}\nshadow: {" + observed + "}", true, false},
	} {
		layer, h := newLayer(t, test.text)
		refuse(layer.Wrap(nothing), listRPC, "https://evil.example")
		in := inspectJSON(t, h, nil)
		if len(in.Differences) != 1 || in.Differences[0].Shadow == nil {
			t.Fatalf("%s: %+v", test.name, in.Differences)
		}
		d := in.Differences[0]
		if d.Decision.Enforced != test.enforced || d.Shadow.Enforced != test.shadow || in.Refusals[0].Decision.Enforced != test.enforced {
			t.Errorf("%s: %+v, and the shadow %+v", test.name, d.Decision, d.Shadow)
		}
		page := inspect(h, nil, "text/html").Body.String()
		_, page, _ = strings.Cut(page, "id=\"differences\"")
		if n := strings.Count(page, "ORIGIN_NOT_ALLOWED</code> (refuse, observed only)"); n != 1 {
			t.Errorf("%s: the page shows %d policies as observed only, want 1", test.name, n)
		}
	}
}
