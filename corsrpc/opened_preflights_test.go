package corsrpc_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
)

// preflightOf returns the answer to a preflight of page for a call of listRPC, or of another path.
func preflightOf(h http.Handler, from, path, method, headers string) http.Header {
	asked := http.Header{"Origin": {from}, "Access-Control-Request-Method": {method}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Site": {"cross-site"}}
	if headers != "" {
		asked.Set("Access-Control-Request-Headers", headers)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, newRequest("OPTIONS", path, asked))
	w.Header().Set("Status", fmt.Sprint(w.Code))
	return w.Header()
}

// TestOpenedPreflights: the answer to a preflight that the policy refuses holds all that the call
// needs, for this call only. All other preflights get the answer of production.
func TestOpenedPreflights(t *testing.T) {
	t.Parallel()
	const fixed = "content-type, connect-protocol-version, connect-timeout-ms, connect-content-encoding, connect-accept-encoding, content-encoding, x-grpc-web, x-user-agent, grpc-timeout, grpc-encoding, grpc-accept-encoding, grpc-message-type, user-agent"
	const hidden = "/acme.account.v1.AccountService/Get"
	long := strings.Repeat("x", 65)
	for _, c := range []struct {
		name, from, path, method, headers string
		methods, granted                  string // empty: the answer is that of production
	}{
		{"an origin", devPage, listRPC, "POST", "content-type", "POST", fixed},
		{"a header", page, listRPC, "POST", "content-type,x-tenant-id", "POST", fixed + ", x-tenant-id"},
		{"a method", page, listRPC, "PUT", "", "POST, PUT", fixed},
		{"disabled", page, hidden, "POST", "connect-protocol-version,content-type", "GET, POST", fixed},
		{"a path", page, "//acme.catalog.v1.CatalogService/List", "POST", "content-type,x-grpc-web", "POST", fixed},
		{"a method of a path", page, "/files/a", "PATCH", "x-a", "GET, HEAD, POST, PATCH", "content-type, x-a"},
		{"granted", page, listRPC, "POST", "content-type", "", ""},
		{"granted, with a header of the protocol's family", page, listRPC, "POST", "connect-new,content-type", "", ""},
		{"a header that browsers add", page, listRPC, "POST", "cache-control,x-a", "", ""},
		{"a header that proxies add", page, listRPC, "POST", "x-forwarded-for", "", ""},
		{"a header that proxies drop", page, listRPC, "POST", "x_a", "", ""},
		{"another header that proxies drop", page, listRPC, "POST", "x.a", "", ""},
		{"a header that proxies act on", page, listRPC, "POST", "x-http-method-override", "", ""},
		{"a header that scripts cannot set", page, listRPC, "POST", "cookie,x-a", "", ""},
		{"a header of one connection", page, listRPC, "POST", "http2-settings", "", ""},
		{"a long name", page, listRPC, "POST", long, "", ""},
		{"not a token", page, listRPC, "POST", "x a", "", ""},
		{"65 times a name", page, listRPC, "POST", strings.Repeat("x-a,", 64) + "x-a", "", ""},
		{"257 names", page, listRPC, "POST", strings.Repeat("x-a,", 256) + "x-a", "", ""},
		{"70 names of the protocols", page, listRPC, "POST", strings.TrimSuffix(strings.Repeat("content-type,", 70), ","), "", ""},
		{"a stranger", "https://evil.example", listRPC, "POST", "x-a", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, h, ran := explainedLayer(t, refusingPolicy)
			got := preflightOf(h, c.from, c.path, c.method, c.headers)
			want := http.Header{
				"Status": {"204"}, "Access-Control-Allow-Methods": {c.methods}, "Access-Control-Allow-Headers": {c.granted},
				"Access-Control-Max-Age": {"0"}, "Access-Control-Allow-Origin": {c.from}, "Access-Control-Allow-Credentials": {"true"},
			}
			if c.methods == "" {
				want = preflightOf(compilePolicy(t, refusingPolicy).Wrap(emptyHandler), c.from, c.path, c.method, c.headers)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%v\nwant %v", got, want)
			}
			if ran.Load() != 0 {
				t.Error("the handler ran")
			}
		})
	}
}

// TestOpenedNames: a preflight is opened for at most 64 names. A call is held against the names that
// were opened, and against those only.
func TestOpenedNames(t *testing.T) {
	t.Parallel()
	_, h, ran := explainedLayer(t, refusingPolicy)
	call := func(header http.Header) *httptest.ResponseRecorder {
		asked := http.Header{"Origin": {page}, "Content-Type": {"application/json"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Site": {"cross-site"}}
		maps.Copy(asked, header)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, newRequest("POST", listRPC, asked))
		return w
	}
	if w := call(http.Header{"X-Tenant-Id": {"1"}}); ran.Load() != 1 {
		t.Errorf("a header of a proxy, which no preflight asked for: %d", w.Code)
	}
	opened := func(headers string) bool {
		return preflightOf(h, page, listRPC, "POST", headers).Get("Access-Control-Max-Age") == "0"
	}
	if !opened("x-tenant-id") {
		t.Fatal("the preflight is not opened")
	}
	if w := call(http.Header{"X-Tenant-Id": {"1"}}); ran.Load() != 1 || w.Code != http.StatusForbidden {
		t.Errorf("a header that a preflight asked for: %d, ran %d times", w.Code, ran.Load())
	}
	if w := call(nil); ran.Load() != 2 {
		t.Errorf("another tab's call without the header: %d", w.Code)
	}
	opened("content-language,content-type")
	if w := call(http.Header{"Content-Language": {"de"}}); ran.Load() != 3 {
		t.Errorf("a value that needs no preflight: %d", w.Code)
	}
	var names []string
	for i := range 62 {
		names = append(names, fmt.Sprintf("x-%02d", i))
	}
	if !opened(strings.Join(names, ",")) || !opened("x-tenant-id,x-00,x-61") {
		t.Error("64 names are not opened")
	}
	if opened("x-more") || opened("x-00,x-more") {
		t.Error("a 65th name is opened")
	}
	if w := call(http.Header{"X-More": {"1"}}); ran.Load() != 4 {
		t.Errorf("a name that was not opened: %d", w.Code)
	}
}

// TestHeaderOfProxyIsNotOpened checks that a page cannot make the layer refuse calls for a header that
// a proxy adds to all requests.
func TestHeaderOfProxyIsNotOpened(t *testing.T) {
	t.Parallel()
	_, h, ran := explainedLayer(t, refusingPolicy)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, newRequest("OPTIONS", listRPC, http.Header{
		"Origin": {page}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"x-a,x-request-id"}, "X-Request-Id": {"1"},
	}))
	if got := w.Header().Get("Access-Control-Max-Age"); got == "0" {
		t.Error("the preflight is opened")
	}
	w = httptest.NewRecorder()
	h.ServeHTTP(w, newRequest("POST", listRPC, http.Header{"Origin": {page}, "Content-Type": {"application/json"}, "X-Request-Id": {"2"}}))
	if ran.Load() != 1 {
		t.Errorf("%d, %s", w.Code, w.Body)
	}
}

// TestCallOfOpenedPreflightStops checks that calls which browsers send only after an opened preflight do
// not reach the handler, for preflights that ask for values that look safelisted.
func TestCallOfOpenedPreflightStops(t *testing.T) {
	t.Parallel()
	many := strings.Repeat("a", 120)
	for _, test := range []struct {
		name, asked string
		call        http.Header
	}{
		{"a no-break space after the media type", "content-type", http.Header{"Content-Type": {"text/plain\u00a0"}}},
		{"a letter that folds to i", "content-type", http.Header{"Content-Type": {"text/pla\u0130n"}}},
		{"many safelisted values", "content-type", http.Header{"Content-Type": {"text/plain"}, "Content-Language": {many, many, many, many, many, many, many, many, many}}},
		{"the mode repeated by a proxy", "x-a", http.Header{"X-A": {"1"}, "Sec-Fetch-Mode": {"cors", "cors"}}},
	} {
		_, h, ran := explainedLayer(t, "rules: [{path: /open/, allow_origins: ['*'], allow_headers: [content-language]}, {path: /named, allow_origins: [https://app.example.com]}]")
		if got := preflightOf(h, page, "/open/a", "POST", test.asked); got.Get("Access-Control-Max-Age") != "0" {
			t.Fatalf("%s: the preflight is not opened: %v", test.name, got)
		}
		test.call.Set("Origin", page)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, newRequest("POST", "/open/a", test.call))
		if ran.Load() != 0 || w.Code != http.StatusForbidden {
			t.Errorf("%s: %d, ran %d times", test.name, w.Code, ran.Load())
		}
	}
}

// TestInnerLayerTrustsOuterPreflight checks that a layer under WithExplain inside of another one does
// not refuse calls whose preflight the outer layer has granted.
func TestInnerLayerTrustsOuterPreflight(t *testing.T) {
	t.Parallel()
	_, inner, ran := explainedLayer(t, "defaults: {allow_origins: [https://app.example.com]}\nrules: [{path: /open/, allow_origins: ['*']}]")
	outer := compilePolicy(t, "defaults: {allow_origins: [https://app.example.com], allow_headers: [x-a]}\nrules: [{path: /open/}]").Wrap(inner)
	preflightOf(inner, page, listRPC, "POST", "x-a")
	for i, path := range []string{listRPC, "/open/a"} {
		w := httptest.NewRecorder()
		outer.ServeHTTP(w, newRequest("POST", path, http.Header{"Origin": {page}, "Content-Type": {"application/json"}, "X-A": {"1"}}))
		if int(ran.Load()) != i+1 {
			t.Errorf("%s: %d, %s", path, w.Code, w.Body)
		}
	}
}

// TestOpenedNameIsGranted: a name that was opened and that a reload grants stops no call.
func TestOpenedNameIsGranted(t *testing.T) {
	t.Parallel()
	layer, h, ran := explainedLayer(t, allowPage)
	preflightOf(h, page, listRPC, "POST", "x-tenant-id")
	if err := layer.Reload(t.Context(), compilePolicy(t, "defaults:\n  allow_origins: [https://app.example.com]\n  allow_headers: [x-tenant-id]\n")); err != nil {
		t.Fatal(err)
	}
	call := scriptCall{credentials: corsbrowser.Omit, method: "POST", path: listRPC, contentType: "application/json", headers: []string{"x-tenant-id", "1"}}
	if _, body, err := call.do(t, page, h, corsbrowser.Chromium); err != nil || body != "the handler ran" || ran.Load() != 1 {
		t.Errorf("%v, %q", err, body)
	}
}

// TestReloadAfterOpenedPreflight checks that a call whose preflight was opened before a reload does not
// reach the handler if the new policy does not let the browser send it either.
func TestReloadAfterOpenedPreflight(t *testing.T) {
	t.Parallel()
	const named = "rules: [{path: /files/, allow_origins: [https://app.example.com], allow_methods: [PUT]}]"
	for _, test := range []struct {
		name, before, after string
		again               bool // a preflight is opened after the reload too
		method, asked       string
		call                http.Header
		wait                time.Duration
		readable, runs      bool
	}{
		{"the origin is not explainable any more", named, "rules: [{path: /files/, allow_origins: ['*'], allow_methods: [PUT]}]", false, "PUT", "x-a", http.Header{"X-A": {"1"}}, 0, false, false},
		{"the origin is allowed, cookies are not", "rules: [{path: /files/, allow_origins: [https://other.example.com, https://app.example.com], disabled: true}, {path: /x, allow_origins: [https://app.example.com]}]", named, false, "PUT", "", http.Header{"Cookie": {"a=b"}}, 0, true, false},
		{"the same, and another preflight is opened", "rules: [{path: /files/, allow_origins: [https://app.example.com], disabled: true}, {path: /x, allow_origins: [https://app.example.com]}]", named, true, "PUT", "", http.Header{"Cookie": {"a=b"}}, 0, true, false},
		{"the origin is allowed", "rules: [{path: /files/, allow_origins: [https://app.example.com], disabled: true}, {path: /x, allow_origins: [https://app.example.com]}]", named, false, "PUT", "", nil, 0, true, true},
		{"cookies, a minute later", named, named, false, "PUT", "x-a", http.Header{"Cookie": {"a=b"}}, time.Minute, true, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			layer, h, ran := explainedLayer(t, test.before)
			if got := preflightOf(h, page, "/files/a", test.method, test.asked); got.Get("Access-Control-Max-Age") != "0" {
				t.Fatalf("%s: not opened: %v", test.name, got)
			}
			time.Sleep(test.wait)
			if err := layer.Reload(t.Context(), compilePolicy(t, test.after)); err != nil {
				t.Fatal(err)
			}
			if test.again {
				preflightOf(h, page, "/files/a", test.method, "x-b")
			}
			asked := http.Header{"Origin": {page}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Site": {"cross-site"}}
			maps.Copy(asked, test.call)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, newRequest(test.method, "/files/a", asked))
			if got := ran.Load() == 1; got != test.runs {
				t.Errorf("%s: the handler runs: %t, %d %s", test.name, got, w.Code, w.Body)
			}
			if got := w.Header().Get("Access-Control-Allow-Origin") != ""; got != test.readable {
				t.Errorf("%s: readable: %t", test.name, got)
			}
		})
	}
}

// TestOpenedPagesAreBounded checks that preflights of more than 64 origins within ten seconds get the
// answer of production, and that others are opened later.
func TestOpenedPagesAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, h, _ := explainedLayer(t, refusingPolicy)
		opened := func(port int) bool {
			return preflightOf(h, fmt.Sprintf("http://localhost:%d", port), listRPC, "POST", "").Get("Access-Control-Max-Age") == "0"
		}
		for i := range 64 {
			if !opened(1000 + i) {
				t.Fatalf("%d", i)
			}
		}
		if opened(2000) || !opened(1000) {
			t.Error("a 65th origin is opened, or a known one is not")
		}
		time.Sleep(10 * time.Second)
		if !opened(2000) {
			t.Error("no origin is opened later")
		}
	})
}
