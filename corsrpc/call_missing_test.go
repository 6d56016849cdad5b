package corsrpc_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// withoutCredentials is a policy with rules that grant no credentials, and one that does.
const withoutCredentials = `
defaults:
  allow_origins: [https://app.example.com]
rules:
  - selector: acme.account.v1.AccountService
    allow_credentials: true
  - path: /open
    allow_origins: ["*"]
  - path: /off
    allow_credentials: false
`

// newMissing returns a layer under WithExplain, its log, and the observer of its EventCallMissing.
func newMissing(t *testing.T, opts ...corsrpc.LayerOption) (*corsrpc.Layer, *logBuffer, *selective) {
	t.Helper()
	o := &selective{wants: []corsrpc.EventKind{corsrpc.EventCallMissing}}
	layer, log := newLayer(t, withoutCredentials, append(opts, corsrpc.WithObserver(o))...)
	return layer, log, o
}

// TestMissingCallIsReported checks that a preflight that is granted without credentials is reported if
// no call follows within ten seconds, with the rule to change, and that no other preflight is.
func TestMissingCallIsReported(t *testing.T) {
	t.Parallel()
	const accountRPC = "/acme.account.v1.AccountService/Get"
	for _, test := range []struct {
		name string
		sent func(h http.Handler)
		want string // a part of the remedy; empty if nothing is reported
	}{
		{"no call", func(h http.Handler) { preflight(h, listRPC, page, "POST", "content-type") },
			`if the page calls with credentials: "include", write allow_credentials: true in a rule with selector acme.catalog.v1.CatalogService.List, or call without credentials; if its calls work, ignore this`},
		{"a rule that denies credentials", func(h http.Handler) { preflight(h, "/off", page, "POST", "content-type") }, `write allow_credentials: true in place of rules[2].allow_credentials (cors.yaml:10)`},
		{"a rule for everyone", func(h http.Handler) { preflight(h, "/open", page, "POST", "") }, `write allow_credentials: true in the rule with path /open`},
		{"the call of another page", func(h http.Handler) {
			preflight(h, listRPC, page, "POST", "content-type")
			refuse(h, listRPC, "http://localhost:5173")
		}, "allow_credentials"},
		{"the call of another procedure", func(h http.Handler) {
			preflight(h, listRPC, page, "POST", "content-type")
			refuse(h, getRPC, page)
		}, "allow_credentials"},
		{"another preflight", func(h http.Handler) {
			preflight(h, listRPC, page, "POST", "content-type")
			time.Sleep(5 * time.Second)
			preflight(h, listRPC, page, "POST", "content-type")
		}, "allow_credentials"},

		{"the call", func(h http.Handler) {
			preflight(h, listRPC, page, "POST", "content-type")
			time.Sleep(10*time.Second - 1)
			refuse(h, listRPC, page) // it is granted
		}, ""},
		{"a call that is refused", func(h http.Handler) {
			preflight(h, listRPC, page, "POST", "content-type")
			fetchFrom(h, "POST", listRPC, page, http.Header{"Cookie": {"a=b"}})
		}, ""},
		{"a rule with credentials", func(h http.Handler) { preflight(h, accountRPC, page, "POST", "content-type") }, ""},
		{"a refused preflight", func(h http.Handler) { preflight(h, listRPC, page, "POST", "x-a") }, ""},
		{"a stranger's preflight", func(h http.Handler) { preflight(h, "/open", "https://evil.example", "POST", "") }, ""},
		{"no preflight", func(h http.Handler) { refuse(h, listRPC, page) }, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			layer, log, o := newMissing(t, corsrpc.WithExplain())
			test.sent(layer.Wrap(emptyHandler))
			time.Sleep(time.Minute)
			synctest.Wait()
			said := strings.Contains(log.String(), "a preflight was granted without credentials, and no call has followed it")
			if events := o.of(corsrpc.EventCallMissing); test.want == "" {
				if len(events) > 0 || said {
					t.Errorf("%s: %d events\n%s", test.name, len(events), log)
				}
			} else if len(events) != 1 || !strings.Contains(events[0].Remedy, test.want) || !said {
				t.Errorf("%s: want an event and a line with %s: %+v\n%s", test.name, test.want, events, log)
			}
		})
	}
}

// TestMissingCallIsLoggedOnce checks that each rule and origin is logged once under WithExplain, again
// after a reload, and not at all without WithExplain, and that the event has the preflight.
func TestMissingCallIsLoggedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const said = "no call has followed it"
		layer, log, o := newMissing(t, corsrpc.WithExplain())
		h := layer.Wrap(emptyHandler)
		send := func() {
			for _, path := range []string{listRPC, getRPC, "/off"} {
				r := newRequest(http.MethodOptions, path, http.Header{"Origin": {page}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"content-type"}, "Cookie": {"secret=1"}})
				h.ServeHTTP(httptest.NewRecorder(), r)
			}
			time.Sleep(20 * time.Second)
			synctest.Wait()
		}
		send()
		send()
		if n := strings.Count(log.String(), said); n != 2 || len(o.of(corsrpc.EventCallMissing)) != 6 {
			t.Errorf("%d lines of two rules, and %d events:\n%s", n, len(o.kinds()), log)
		}
		e := o.all[0]
		if want := (http.Header{"Origin": {page}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"content-type"}}); !reflect.DeepEqual(e.Request.Header, want) || e.Request.Host != "api.example.com" || !e.Decision.Preflight() {
			t.Errorf("%+v", e)
		}
		if err := layer.Reload(t.Context(), compilePolicy(t, withoutCredentials)); err != nil {
			t.Fatal(err)
		}
		if send(); strings.Count(log.String(), said) != 4 {
			t.Errorf("after a reload:\n%s", log)
		}

		layer, log, o = newMissing(t)
		h = layer.Wrap(emptyHandler)
		if send(); strings.Contains(log.String(), said) || len(o.kinds()) != 3 {
			t.Errorf("without WithExplain, and %d events:\n%s", len(o.kinds()), log)
		}
		time.Sleep(time.Hour)
	})
}

// TestCallAfterReloadIsNotMissing checks that a call which comes after a reload is not reported, although
// a rule of the previous policy granted its preflight.
func TestCallAfterReloadIsNotMissing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		layer, log, _ := newMissing(t, corsrpc.WithExplain())
		h := layer.Wrap(emptyHandler)
		preflightOf(h, page, listRPC, "POST", "content-type")
		if err := layer.Reload(t.Context(), compilePolicy(t, withoutCredentials+"  - path: /more\n")); err != nil {
			t.Fatal(err)
		}
		h.ServeHTTP(httptest.NewRecorder(), newRequest("POST", listRPC, http.Header{"Origin": {page}, "Content-Type": {"application/json"}}))
		time.Sleep(time.Minute)
		synctest.Wait()
		if strings.Contains(log.String(), "no call has followed") {
			t.Errorf("%s", log)
		}
	})
}

// TestMissingCallsAreBounded checks that at most 256 calls are awaited at a time, and at most 100 lines
// are logged.
func TestMissingCallsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		layer, log, o := newMissing(t, corsrpc.WithExplain())
		h := layer.Wrap(emptyHandler)
		preflight(h, "/acme.catalog.v1.CatalogService/"+strings.Repeat("x", 1<<10), page, "POST", "") // too long
		for i := range 1000 {
			preflight(h, "/open", fmt.Sprintf("http://localhost:%d", 1000+i), "POST", "")
			time.Sleep(time.Millisecond) // the log drops lines that are written at once
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n, lines := len(o.kinds()), strings.Count(log.String(), "no call has followed it"); n != 256 || lines != 100 {
			t.Errorf("%d events, want 256, and %d lines, want 100", n, lines)
		}
		for _, e := range o.of(corsrpc.EventCallMissing) {
			if e.Request.Path != "/open" {
				t.Errorf("a call of %d bytes is awaited", len(e.Request.Path))
			}
		}
		time.Sleep(time.Hour)
	})
}

// TestMissingCallsAreFree checks that a preflight is answered in the same bytes whether its call is
// awaited or not, and that a call allocates nothing more.
func TestMissingCallsAreFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		watched, _, _ := newMissing(t)
		plain, _ := newLayer(t, withoutCredentials, quiet)
		if got, want := preflight(watched.Wrap(emptyHandler), listRPC, page, "POST", "content-type"), preflight(plain.Wrap(emptyHandler), listRPC, page, "POST", "content-type"); got.Code != want.Code || !reflect.DeepEqual(got.Header(), want.Header()) {
			t.Errorf("%v, want %v", got.Header(), want.Header())
		}
		refuse(watched.Wrap(emptyHandler), listRPC, page)
		r := newRequest(http.MethodPost, listRPC, http.Header{"Origin": {page}})
		var allocs [2]float64
		for i, layer := range []*corsrpc.Layer{watched, plain} {
			h, w := layer.Wrap(emptyHandler), discard{http.Header{}}
			allocs[i] = testing.AllocsPerRun(100, func() {
				clear(w.header)
				h.ServeHTTP(w, r)
			})
		}
		if allocs[0] > allocs[1] {
			t.Errorf("%v allocations of a call, want %v", allocs[0], allocs[1])
		}
		time.Sleep(time.Hour)
	})
}

// TestCommonCallIsNotMissing checks that a call that is decided without a Decision ends the wait for it, in a layer
// without WithExplain.
func TestCommonCallIsNotMissing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		layer, _, o := newMissing(t)
		preflight(layer.Wrap(http.NotFoundHandler()), listRPC, page, "POST", "content-type")
		callFrom(layer, listRPC, page)
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if n := len(o.of(corsrpc.EventCallMissing)); n != 0 {
			t.Errorf("%d calls are reported as missing", n)
		}
	})
}
