package corsrpc_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// events is an observer that keeps events.
type events struct {
	mu  sync.Mutex
	all []corsrpc.Event
}

// Observe keeps an event.
func (e *events) Observe(_ context.Context, event corsrpc.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, event)
}

// of returns the events of a kind so far.
func (e *events) of(kind corsrpc.EventKind) (some []corsrpc.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, event := range e.all {
		if event.Kind == kind {
			some = append(some, event)
		}
	}
	return some
}

// callFrom sends a call from a page through the layer.
func callFrom(layer *corsrpc.Layer, path, origin string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Note", "n") })).
		ServeHTTP(w, newRequest("POST", path, http.Header{"Origin": {origin}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"cors"}, "Content-Type": {"application/json"}}))
	return w
}

// TestShadow checks that a candidate decides every request but is never applied, and that each difference
// is reported with both reasons.
func TestShadow(t *testing.T) {
	t.Parallel()
	const text = `
defaults: {allow_origins: [https://app.example.com, https://old.example.com]}
shadow:
  defaults: {allow_origins: [https://app.example.com, https://new.example.com]}
  rules: [{selector: acme.account.v1.*, expose: DECLARED}]
`
	for _, test := range []struct {
		name, path, origin    string
		status                int
		active, shadow, field string // of the difference; empty if there is none
	}{
		{"both grant", listRPC, "https://app.example.com", 200, "", "", ""},
		{"both refuse", listRPC, "https://evil.example", 403, "", "", ""},
		{"the candidate is stricter", listRPC, "https://old.example.com", 200, "ORIGIN_ALLOWED", "ORIGIN_NOT_ALLOWED", "shadow.defaults.allow_origins"},
		{"the candidate is laxer", listRPC, "https://new.example.com", 403, "ORIGIN_NOT_ALLOWED", "ORIGIN_ALLOWED", "shadow.defaults.allow_origins[1]"},
		{"the candidate shows less", "/acme.account.v1.AccountService/Get", "https://app.example.com", 200, "ORIGIN_ALLOWED", "ORIGIN_ALLOWED", "shadow.defaults.allow_origins[0]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			seen := &events{}
			layer, log := newLayer(t, text, corsrpc.WithObserver(seen))
			w := callFrom(layer, test.path, test.origin)
			if w.Code != test.status || strings.Contains(w.Header().Get("Access-Control-Allow-Origin"), "new") {
				t.Errorf("%d %v, want %d: the candidate is applied", w.Code, w.Header(), test.status)
			}
			reported := seen.of(corsrpc.EventShadow)
			if test.shadow == "" {
				if len(reported) != 0 || strings.Contains(log.String(), "shadow") {
					t.Errorf("%+v %s", reported, log)
				}
				return
			}
			if len(reported) != 1 || string(reported[0].Decision.Reason()) != test.active || string(reported[0].Shadow.Reason()) != test.shadow || reported[0].Shadow.From().Field != test.field {
				t.Fatalf("%+v", reported)
			}
			for _, want := range []string{"reason=" + test.active, "shadow_reason=" + test.shadow, test.field + " at cors.yaml:4"} {
				if !strings.Contains(log.String(), want) {
					t.Errorf("the log does not say %q: %s", want, log)
				}
			}
		})
	}
}

// TestShadowOption checks that the plan of WithShadow replaces the policy's shadow, stays after a reload,
// and uses the layer's sources.
func TestShadowOption(t *testing.T) {
	t.Parallel()
	seen := &events{}
	candidate := compilePolicy(t, `defaults: {allow_origins_from: [tenants]}`)
	layer, _ := newLayer(t, smallest, corsrpc.WithShadow(candidate), corsrpc.WithObserver(seen),
		corsrpc.WithOriginSource("tenants", rowsOf("https://shop.example.com"), corsrpc.SourceWait(1<<40)))
	for range 2 {
		callFrom(layer, listRPC, "https://shop.example.com")
		if err := layer.Reload(t.Context(), compilePolicy(t, smallest+"\nshadow: {defaults: {allow_origins: [https://app.example.com]}}")); err != nil {
			t.Fatal(err)
		}
	}
	reported := seen.of(corsrpc.EventShadow)
	if len(reported) != 2 || reported[1].Shadow.Outcome() != corsrpc.OutcomeGrant || reported[1].Decision.Outcome() != corsrpc.OutcomeRefuse {
		t.Errorf("%+v", reported)
	}
	if _, err := corsrpc.New(compilePolicy(t, smallest), corsrpc.WithShadow(candidate)); err == nil || !strings.Contains(err.Error(), `"tenants"`) {
		t.Errorf("a shadow with a source that nobody gave: %v", err)
	}
}

// TestShadowOfServersCalls checks that a candidate that governs more paths also differs on calls from servers.
func TestShadowOfServersCalls(t *testing.T) {
	t.Parallel()
	const text = smallest + `
shadow:
  defaults: {allow_origins: [https://app.example.com]}
  rules: [{path: /hook}]
`
	seen := &events{}
	layer, log := newLayer(t, text, corsrpc.WithObserver(seen))
	unobserved, unobservedLog := newLayer(t, text)
	for _, l := range []*corsrpc.Layer{layer, unobserved} {
		l.Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), newRequest(http.MethodPost, "/hook", nil))
	}
	reported := seen.of(corsrpc.EventShadow)
	if len(reported) != 1 || reported[0].Decision.Reason() != corsrpc.ReasonNotGoverned || reported[0].Shadow.Reason() != corsrpc.ReasonNoOrigin {
		t.Errorf("reported: %+v", reported)
	}
	for _, l := range []*logBuffer{log, unobservedLog} {
		if !strings.Contains(l.String(), "NO_ORIGIN") {
			t.Errorf("log: %s", l)
		}
	}
}

// TestShadowUnderAProfile checks that the profile applies to the policy and to its shadow, so that it is not a
// difference.
func TestShadowUnderAProfile(t *testing.T) {
	t.Parallel()
	seen := &events{}
	plan := compilePolicy(t, smallest+`
shadow: {defaults: {allow_origins: [https://new.example.com]}}
profiles: {dev: {add_origins: ["http://localhost:*"]}}
`, corsrpc.WithProfile("dev"))
	layer, err := corsrpc.New(plan, quiet, corsrpc.WithObserver(seen))
	if err != nil {
		t.Fatal(err)
	}
	if w := callFrom(layer, listRPC, "http://localhost:5173"); w.Code != 200 || len(seen.of(corsrpc.EventShadow)) != 0 {
		t.Errorf("%d %+v", w.Code, seen.all)
	}
	if callFrom(layer, listRPC, "https://new.example.com"); len(seen.of(corsrpc.EventShadow)) != 1 {
		t.Errorf("%+v", seen.all)
	}
}

// TestObserveBesideAnotherMiddleware checks that OBSERVE does not change the responses of another CORS
// middleware, and reports what the layer would refuse.
func TestObserveBesideAnotherMiddleware(t *testing.T) {
	t.Parallel()
	seen := &events{}
	layer, log := newLayer(t, smallest+"\nenforcement: OBSERVE", corsrpc.WithObserver(seen))
	other := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // grants everyone, as many do
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		w.Header().Set("Access-Control-Allow-Headers", "x-own")
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
		}
	})
	for _, header := range []http.Header{
		{"Origin": {"https://other.example"}, "Access-Control-Request-Method": {"POST"}},
		{"Origin": {"https://app.example.com"}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"x-own"}},
	} {
		w := httptest.NewRecorder()
		layer.Wrap(other).ServeHTTP(w, newRequest("OPTIONS", listRPC, header))
		if w.Code != 204 || w.Header().Get("Access-Control-Allow-Headers") != "x-own" || w.Header().Get("Access-Control-Max-Age") != "" {
			t.Errorf("%v: %d %v", header, w.Code, w.Header())
		}
	}
	reported := seen.of(corsrpc.EventDecision)
	if len(reported) != 2 || reported[0].Decision.Enforced() || reported[1].Decision.Enforced() {
		t.Errorf("%+v", reported)
	}
	for _, want := range []string{"would have refused a preflight", "reason=ORIGIN_NOT_ALLOWED", "reason=HEADERS_NOT_GRANTED", "enforced=false"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %q: %s", want, log)
		}
	}
}

// TestEventKinds checks the names of the kinds.
func TestEventKinds(t *testing.T) {
	t.Parallel()
	for kind, want := range map[corsrpc.EventKind]string{
		corsrpc.EventDecision: "decision", corsrpc.EventShadow: "shadow", corsrpc.EventRefresh: "refresh", corsrpc.EventReload: "reload", 0: "unknown", 99: "unknown",
	} {
		if got := kind.String(); got != want {
			t.Errorf("%d: %s, want %s", kind, got, want)
		}
	}
}

// TestShadowSeesCommonCalls checks that a layer whose log alone wants it compares the calls that browsers send most.
func TestShadowSeesCommonCalls(t *testing.T) {
	t.Parallel()
	layer, log := newLayer(t, `
defaults: {allow_origins: [https://app.example.com]}
shadow: {defaults: {allow_origins: [https://new.example.com]}}
`)
	callFrom(layer, listRPC, page)
	if lines := log.String(); !strings.Contains(lines, "shadow_reason=ORIGIN_NOT_ALLOWED") {
		t.Errorf("the log has no difference: %s", lines)
	}
}
