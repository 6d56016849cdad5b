package corsrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// handlers use a ResponseWriter in every allowed way. Each sends X-Meta and, if it can, a body.
var handlers = []struct {
	name    string
	handler http.HandlerFunc
	status  int
	body    string
	exposed string // the exposed names
}{
	{"never writes", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Meta", "m") }, 200, "", "x-meta"},
	{"writes", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Meta", "m")
		io.WriteString(w, "body")
	}, 200, "body", "x-meta"},
	{"writes bytes", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Meta", "m")
		w.Write([]byte("body"))
	}, 200, "body", "x-meta"},
	{"writes nothing, which commits", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Meta", "m")
		w.Write(nil)
		w.Header().Set("X-Late", "l")
	}, 200, "", "x-meta"},
	{"writes a status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Meta", "m")
		w.WriteHeader(404)
		io.WriteString(w, "gone")
		w.Header().Set("X-Late", "l")
	}, 404, "gone", "x-meta"},
	{"flushes only", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Meta", "m")
		if f, ok := w.(http.Flusher); ok { // not behind http.TimeoutHandler
			f.Flush()
		}
		w.Header().Set("X-Late", "l")
	}, 200, "", "x-meta"},
	{"flushes through a controller", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Meta", "m")
		if err := http.NewResponseController(w).Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
			panic(err)
		}
	}, 200, "", "x-meta"},
	{"is copied to", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Meta", "m")
		io.Copy(w, struct{ io.Reader }{strings.NewReader("copied")}) // struct{ io.Reader } has no WriteTo, so io.Copy calls ReadFrom
	}, 200, "copied", "x-meta"},
	{"sends early hints", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</a.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		w.Header().Set("X-Meta", "m")
		io.WriteString(w, "body")
	}, 200, "body", "x-meta"},
	{"writes CORS headers of its own", func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["access-control-allow-origin"] = []string{"*"}
		w.Header()["ACCESS-CONTROL-EXPOSE-HEADERS"] = []string{"bad:token"}
		w.Header().Set("Access-Control-Allow-Credentials", "true")
		w.Header().Set("X-Meta", "m")
		io.WriteString(w, "body")
	}, 200, "body", "x-meta"},
	{"sets trailers", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Meta", "m")
		w.Header().Set("Trailer", "X-Declared")
		w.Header().Set(http.TrailerPrefix+"X-Undeclared", "u")
		io.WriteString(w, "body")
		w.Header().Set("X-Declared", "d")
	}, 200, "body", "x-meta"},
	{"holds keys that are not sent", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Meta", "m")
		w.Header()["Date"] = nil
		w.Header()["X-Nothing"] = []string{}
		w.Header()["bad name"] = []string{"b"}
		io.WriteString(w, "body")
	}, 200, "body", "x-meta"},
}

// TestAnswersAreReadable runs every kind of handler over every HTTP version, alone and behind
// middlewares that rewrite headers or writers.
func TestAnswersAreReadable(t *testing.T) {
	t.Parallel()
	stacks := []struct {
		name string
		wrap func(t *testing.T, h http.Handler) http.Handler
	}{
		{"plain", func(_ *testing.T, h http.Handler) http.Handler { return h }},
		{"mux", func(_ *testing.T, h http.Handler) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("/acme.catalog.v1.CatalogService/", h)
			return mux
		}},
		{"reverse proxy", func(t *testing.T, h http.Handler) http.Handler {
			return newProxy(t, h)
		}},
		{"timeout handler", func(_ *testing.T, h http.Handler) http.Handler {
			return http.TimeoutHandler(h, time.Hour, "too late")
		}},
	}
	for _, wire := range wires {
		for _, stack := range stacks {
			for _, h := range handlers {
				t.Run(wire.name+"/"+stack.name+"/"+h.name, func(t *testing.T) {
					t.Parallel()
					layer, log := newLayer(t, allowPage)
					server, client := wire.start(t, layer.Wrap(stack.wrap(t, h.handler)))
					res := send(t, client, http.MethodPost, server.URL+listRPC, fromPage())
					body, err := io.ReadAll(res.Body)
					if err != nil {
						t.Fatal(err)
					}
					if res.StatusCode != h.status || string(body) != h.body {
						t.Errorf("answer %d %q, want %d %q", res.StatusCode, body, h.status, h.body)
					}
					exposed := h.exposed
					if stack.name == "timeout handler" { // it commits after the handler returns
						if res.Header.Get("X-Late") != "" {
							exposed = "x-late, x-meta"
						}
						if h.name == "sets trailers" {
							exposed = "x-declared, x-meta"
						}
					}
					expectReadable(t, res, exposed)
					for key := range res.Header {
						if strings.HasPrefix(key, "Access-Control-") && key != "Access-Control-Allow-Origin" && key != "Access-Control-Expose-Headers" {
							t.Errorf("%s: %q is the handler's own", key, res.Header[key])
						}
					}
					if own := h.name == "writes CORS headers of its own"; own != strings.Contains(log.String(), "replaced CORS headers") {
						t.Errorf("log says %q", log)
					}
				})
			}
		}
	}
}

// TestReplacedIsReportedOnce checks that CORS headers of the handler are logged once.
func TestReplacedIsReportedOnce(t *testing.T) {
	t.Parallel()
	layer, log := newLayer(t, allowPage)
	h := layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
	}))
	for range 5 {
		h.ServeHTTP(httptest.NewRecorder(), newRequest(http.MethodPost, listRPC, fromPage()))
	}
	if lines := log.lines(); len(lines) != 1 {
		t.Errorf("%d lines, want 1:\n%s", len(lines), log)
	}
}

func newRequest(method, path string, header http.Header) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader("{}"))
	r.Host = "api.example.com"
	for k, v := range header {
		r.Header[k] = v
	}
	return r
}

// TestPanicIsPassedOn checks that the layer does not recover a panic and writes nothing after it.
func TestPanicIsPassedOn(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, allowPage)
	boom := errors.New("boom")
	w := httptest.NewRecorder()
	defer func() {
		if got := recover(); got != boom {
			t.Errorf("recovered %v, want the handler's own panic", got)
		}
		if len(w.Header()) > 0 {
			t.Errorf("the layer wrote %v after the panic", w.Header())
		}
	}()
	layer.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(boom) })).
		ServeHTTP(w, newRequest(http.MethodPost, listRPC, fromPage()))
}

// TestRecoveredPanicIsReadable checks that the page can read the 500 of a recovering middleware inside
// of the layer.
func TestRecoveredPanicIsReadable(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, allowPage)
	recovering := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer func() {
			if recover() != nil {
				http.Error(w, "internal", http.StatusInternalServerError)
			}
		}()
		panic("boom")
	})
	w := httptest.NewRecorder()
	layer.Wrap(recovering).ServeHTTP(w, newRequest(http.MethodPost, listRPC, fromPage()))
	if w.Code != 500 {
		t.Errorf("status %d", w.Code)
	}
	expectReadable(t, w.Result(), "x-content-type-options")
}

// TestHeadersAreNotShared checks that a handler or a middleware that modifies a header does not affect
// other requests.
func TestHeadersAreNotShared(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, `defaults: {allow_origins: [https://app.example.com], timing: true}`)
	vandal := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r)
			for key, values := range w.Header() {
				_ = append(values, "added")
				for i := range values {
					values[i] = "changed"
				}
				w.Header()[key] = values
			}
		})
	}
	h := vandal(layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Meta", "m") })))
	preflight := fromPage()
	preflight.Set("Access-Control-Request-Method", "POST")
	requests := []*http.Request{
		newRequest(http.MethodPost, listRPC, fromPage()),
		newRequest(http.MethodGet, getRPC, fromPage()),
		newRequest(http.MethodOptions, listRPC, preflight),
		newRequest(http.MethodPost, listRPC, http.Header{"Origin": {"https://evil.example"}}),
	}
	for _, r := range requests {
		var first http.Header
		for i := range 3 {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if got := w.Result().Header; i == 0 {
				first = got
			} else if fmt.Sprint(first) != fmt.Sprint(got) {
				t.Errorf("%s %s: %v, then %v", r.Method, r.URL.Path, first, got)
			}
		}
	}
}

// TestOwnResponsesHideTiming checks that the layer's own responses have no Timing-Allow-Origin, in any letter case, if a
// middleware around the layer sets it for all responses, and that a call has the value of the policy.
func TestOwnResponsesHideTiming(t *testing.T) {
	t.Parallel()
	const policy = "defaults: {allow_origins: [https://app.example.com], timing: %t}\nrules: [{path: /x, allow_methods: [POST]}]"
	const name = "Timing-Allow-Origin"
	lower := strings.ToLower(name)
	preflight := fromPage()
	preflight.Set("Access-Control-Request-Method", "POST")
	for _, timing := range []bool{false, true} {
		layer, _ := newLayer(t, fmt.Sprintf(policy, timing))
		h := layer.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		for request, c := range map[string]struct {
			r    *http.Request
			want string // the value if the policy sets timing; empty if there is none in any case
		}{
			"preflight":          {newRequest(http.MethodOptions, listRPC, preflight), ""},
			"refused preflight":  {newRequest(http.MethodOptions, listRPC, http.Header{"Origin": {"https://evil.example"}, "Access-Control-Request-Method": {"POST"}}), ""},
			"refusal":            {newRequest(http.MethodPost, listRPC, http.Header{"Origin": {"https://evil.example"}}), ""},
			"refused GET":        {newRequest(http.MethodGet, getRPC, http.Header{"Origin": {"https://evil.example"}}), ""},
			"method not allowed": {newRequest(http.MethodPut, "/x", fromPage()), ""},
			"call":               {newRequest(http.MethodPost, listRPC, fromPage()), page},
		} {
			w := httptest.NewRecorder()
			w.Header()[name] = []string{"*"}
			w.Header()[lower] = []string{"*"}
			h.ServeHTTP(w, c.r)
			got := fmt.Sprint(slices.Concat(w.Header()[name], w.Header()[lower]))
			want := "[" + c.want + "]"
			if c.want != "" && !timing {
				want = "[* *]" // the handler's own
			}
			if got != want {
				t.Errorf("%s, timing %t: %s, want %s", request, timing, got, want)
			}
		}
	}
}

// TestFieldValuesDoNotOverlap checks that appending to the values of one field does not change another.
func TestFieldValuesDoNotOverlap(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, `defaults: {allow_origins: [https://app.example.com], allow_credentials: true, timing: true}`)
	w := httptest.NewRecorder()
	layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Meta", "m") })).
		ServeHTTP(w, newRequest(http.MethodPost, listRPC, fromPage()))
	for _, key := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers", "Timing-Allow-Origin"} {
		_ = append(w.Header()[key], "added")
	}
	w.Header()["Access-Control-Allow-Origin"][0] = "changed"
	if got := w.Header()["Timing-Allow-Origin"]; len(got) != 1 || got[0] != page {
		t.Errorf("Timing-Allow-Origin is %q, after a change of Access-Control-Allow-Origin", got)
	}
	if got := fmt.Sprint(w.Header()); strings.Contains(got, "added") {
		t.Error(got)
	}
}

// TestLayerInsideLayer checks that the inner layer still refuses, and leaves the response fields to the
// outer one.
func TestLayerInsideLayer(t *testing.T) {
	t.Parallel()
	outer, outerLog := newLayer(t, `
defaults: {allow_origins: [https://app.example.com, https://other.example.com]}`)
	inner, _ := newLayer(t, `
defaults: {allow_origins: [https://app.example.com], allow_credentials: true}`)
	ran := 0
	h := outer.Wrap(inner.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		ran++
		w.Header().Set("X-Meta", "m")
	})))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, newRequest(http.MethodPost, listRPC, fromPage()))
	expectReadable(t, w.Result(), "x-meta")
	if got := w.Header().Values("Access-Control-Allow-Credentials"); len(got) > 0 {
		t.Errorf("the inner layer's credentials reached the answer: %q", got)
	}
	other := fromPage()
	other.Set("Origin", "https://other.example.com")
	w = httptest.NewRecorder()
	h.ServeHTTP(w, newRequest(http.MethodPost, listRPC, other))
	if w.Code != 403 || ran != 1 {
		t.Errorf("status %d, handler ran %d times; the inner layer does not allow this origin", w.Code, ran)
	}
	if strings.Contains(outerLog.String(), "replaced") {
		t.Errorf("the outer layer took the inner one for another middleware: %s", outerLog)
	}
}

// TestStripPrefix checks a layer inside of http.StripPrefix without options, and outside with
// WithPathPrefix.
func TestStripPrefix(t *testing.T) {
	t.Parallel()
	ok := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.Path) })
	inside, err := corsrpc.New(compilePolicy(t, allowPage))
	if err != nil {
		t.Fatal(err)
	}
	outside, err := corsrpc.New(compilePolicy(t, allowPage, corsrpc.WithPathPrefix("/api")))
	if err != nil {
		t.Fatal(err)
	}
	for name, h := range map[string]http.Handler{
		"inside":  http.StripPrefix("/api", inside.Wrap(ok)),
		"outside": outside.Wrap(http.StripPrefix("/api", ok)),
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, newRequest(http.MethodPost, "/api"+listRPC, fromPage()))
		expectReadable(t, w.Result(), "")
		if w.Body.String() != listRPC {
			t.Errorf("%s: the handler saw %q", name, w.Body)
		}
	}
}

// TestObserver checks that an observer receives every decision, and that its panics are recovered.
func TestObserver(t *testing.T) {
	t.Parallel()
	var seen []string
	observer := corsrpc.ObserverFunc(func(_ context.Context, e corsrpc.Event) {
		seen = append(seen, e.Kind.String()+" "+e.Decision.Outcome().String()+" "+string(e.Decision.Reason()))
		panic("an observer's own business")
	})
	layer, _ := newLayer(t, allowPage, corsrpc.WithObserver(observer))
	h := layer.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	h.ServeHTTP(httptest.NewRecorder(), newRequest(http.MethodPost, listRPC, fromPage()))
	h.ServeHTTP(httptest.NewRecorder(), newRequest(http.MethodPost, listRPC, http.Header{"Origin": {"https://evil.example"}}))
	h.ServeHTTP(httptest.NewRecorder(), newRequest(http.MethodGet, "/index.html", nil))
	h.ServeHTTP(httptest.NewRecorder(), newRequest(http.MethodPost, listRPC, nil)) // a call from another server
	want := []string{"decision grant ORIGIN_ALLOWED", "decision refuse ORIGIN_NOT_ALLOWED", "decision untouched NOT_GOVERNED", "decision pass NO_ORIGIN"}
	if !slices.Equal(seen, want) {
		t.Errorf("%q, want %q", seen, want)
	}
}

// TestSeveralObservers checks that each observer is called, even if one before it panics.
func TestSeveralObservers(t *testing.T) {
	t.Parallel()
	first, last := &events{}, &events{}
	panics := corsrpc.ObserverFunc(func(context.Context, corsrpc.Event) { panic("an observer") })
	layer, _ := newLayer(t, allowPage, corsrpc.WithObserver(first), corsrpc.WithObserver(panics), corsrpc.WithObserver(last))
	if w := callFrom(layer, listRPC, page); w.Code != http.StatusOK {
		t.Errorf("%d", w.Code)
	}
	if len(first.of(corsrpc.EventDecision)) != 1 || len(last.of(corsrpc.EventDecision)) != 1 {
		t.Errorf("reported: %v, %v", first.all, last.all)
	}
}
