package corsrpc_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
)

// The pages of the tests. The policy names page, and devPage is on loopback.
const devPage = "http://localhost:5173"

// refusingPolicy refuses calls for each reason.
const refusingPolicy = `
defaults:
  allow_origins: [https://app.example.com]
rules:
  - selector: acme.account.v1.AccountService
    disabled: true
  - selector: acme.catalog.v1.StockService
    allow_origins: ["*"]
  - path: /files/
  - path: /open/
    allow_origins: ["*"]
  - path: /v1/items/{id}
  - path: /previews/
    allow_origins: ["https://*.vercel.app"]
    accept_risks: [PUBLIC_SUFFIX]
  - path: /extension/
    allow_origins: ["moz-extension://*", "null"]
    accept_risks: [ANY_INSTALLATION, NULL_ORIGIN]
`

// explainedLayer returns a layer with the policy and WithExplain, a handler that counts requests,
// and the count.
func explainedLayer(t *testing.T, policy string) (*corsrpc.Layer, http.Handler, *atomic.Int32) {
	t.Helper()
	layer, err := corsrpc.New(compilePolicy(t, policy), quiet, corsrpc.WithExplain())
	if err != nil {
		t.Fatal(err)
	}
	ran := &atomic.Int32{}
	return layer, layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ran.Add(1)
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprintf(w, "the handler ran")
	})), ran
}

// scriptCall is a call of a page's script.
type scriptCall struct {
	method, path, contentType string
	headers                   []string // names and values
	credentials               corsbrowser.Credentials
	cookie                    string
}

// do makes the call in a browser with its own cookies, and returns the response that the script gets.
func (c scriptCall) do(t *testing.T, from string, h http.Handler, engine corsbrowser.Engine) (*http.Response, string, error) {
	t.Helper()
	b, err := corsbrowser.New(from, corsbrowser.WithEngine(engine), corsbrowser.WithCredentials(c.credentials), corsbrowser.WithHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.cookie != "" && r.Method != http.MethodOptions {
			r.Header.Set("Cookie", c.cookie)
		}
		h.ServeHTTP(w, r)
	})))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(c.method, "https://api.example.com"+c.path, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	if c.contentType != "" {
		r.Header.Set("Content-Type", c.contentType)
	}
	for i := 0; i < len(c.headers); i += 2 {
		r.Header.Set(c.headers[i], c.headers[i+1])
	}
	response, err := b.Client().Do(r)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body), nil
}

// manyHeaders returns as many header names as exceed the bound on a preflight's list, with values.
func manyHeaders() (all []string) {
	for i := range 65 {
		all = append(all, fmt.Sprintf("x-%02d", i), "1")
	}
	return all
}

// errorMessage returns the error message as a client of the request's protocol reads it.
func errorMessage(t *testing.T, response *http.Response, body string) string {
	t.Helper()
	contentType := response.Header.Get("Content-Type")
	stream := strings.HasPrefix(contentType, "application/connect+")
	switch {
	case strings.HasPrefix(contentType, "application/grpc"):
		if response.StatusCode != http.StatusOK || response.Header.Get("Grpc-Status") != "7" || body != "" {
			t.Errorf("a gRPC-Web client gets %d, Grpc-Status %q, %q", response.StatusCode, response.Header.Get("Grpc-Status"), body)
		}
		message, err := url.PathUnescape(response.Header.Get("Grpc-Message"))
		if err != nil {
			t.Fatal(err)
		}
		return message
	case stream:
		if response.StatusCode != http.StatusOK || len(body) < 5 || body[0] != 2 || int(body[3])<<8|int(body[4]) != len(body)-5 {
			t.Fatalf("a stream of Connect gets %d, %q", response.StatusCode, body)
		}
		var end struct {
			Error struct{ Code, Message string }
		}
		if err := json.Unmarshal([]byte(body[5:]), &end); err != nil || end.Error.Code != "permission_denied" {
			t.Fatalf("%v: %s", err, body)
		}
		return end.Error.Message
	case contentType == "application/json":
		var e struct{ Code, Message string }
		if err := json.Unmarshal([]byte(body), &e); err != nil || e.Code != "permission_denied" || response.StatusCode != http.StatusForbidden {
			t.Fatalf("%d, %v: %s", response.StatusCode, err, body)
		}
		return e.Message
	case contentType != "text/plain; charset=utf-8" || response.StatusCode != http.StatusForbidden && response.StatusCode != http.StatusMethodNotAllowed:
		t.Errorf("a script gets %d, %s", response.StatusCode, contentType)
	}
	return strings.TrimSuffix(body, "\n")
}

// TestReadableRefusals: with WithExplain, a script reads the reason and the remedy of a refusal in
// the error of its protocol, and the handler does not run. Without it, the script reads nothing.
func TestReadableRefusals(t *testing.T) {
	t.Parallel()
	const hidden = "/acme.account.v1.AccountService/Get"
	const stock = "/acme.catalog.v1.StockService/Get"
	const text = "text/plain; charset=utf-8"
	const connectJSON, web, webText, stream = "application/json", "application/grpc-web+proto", "application/grpc-web-text", "application/connect+proto"
	for _, c := range []struct {
		name, from string
		call       scriptCall
		message    string // the end of the message, after "corsrpc refused this cross-origin request "
		format     string // the Content-Type of the answer; empty if it is that of the call
	}{
		{"an origin", devPage, scriptCall{method: "POST", path: listRPC, contentType: connectJSON}, `(ORIGIN_NOT_ALLOWED): the policy does not allow the origin http://localhost:5173: add "http://localhost:5173" to defaults.allow_origins (cors.yaml:3); if it is this server's own origin, make the proxy in front keep the Host header`, ""},
		{"an origin, gRPC-Web", devPage, scriptCall{method: "POST", path: listRPC, contentType: web, headers: []string{"x-grpc-web", "1"}}, `(ORIGIN_NOT_ALLOWED): the policy does not allow the origin http://localhost:5173: add `, ""},
		{"an origin, gRPC-Web text", devPage, scriptCall{method: "POST", path: listRPC, contentType: webText}, `(ORIGIN_NOT_ALLOWED): `, ""},
		{"an origin, stream", devPage, scriptCall{method: "POST", path: listRPC, contentType: stream}, `(ORIGIN_NOT_ALLOWED): `, ""},
		{"an origin, GET", devPage, scriptCall{method: "GET", path: getRPC}, `(ORIGIN_NOT_ALLOWED): `, connectJSON},
		{"an origin, with credentials", devPage, scriptCall{method: "POST", path: listRPC, contentType: connectJSON, credentials: corsbrowser.Include}, `(ORIGIN_NOT_ALLOWED): `, ""},
		{"an origin, header and method", devPage, scriptCall{method: "PUT", path: listRPC, contentType: connectJSON, headers: []string{"x-tenant-id", "1"}}, `(ORIGIN_NOT_ALLOWED): `, ""},
		{"a header", page, scriptCall{method: "POST", path: listRPC, contentType: connectJSON, headers: []string{"x-tenant-id", "1"}}, `(HEADERS_NOT_GRANTED): x-tenant-id is not granted: write allow_headers: [x-tenant-id] in a rule with selector`, ""},
		{"headers, gRPC-Web", page, scriptCall{method: "POST", path: listRPC, contentType: web, headers: []string{"x-tenant-id", "1", "x-b", "2"}}, `(HEADERS_NOT_GRANTED): x-b, x-tenant-id are not granted: write allow_headers: [x-b, x-tenant-id] in a rule with selector`, ""},
		{"a header, stream", page, scriptCall{method: "POST", path: listRPC, contentType: stream, headers: []string{"x-tenant-id", "1"}}, `(HEADERS_NOT_GRANTED): x-tenant-id is not granted`, ""},
		{"a header, GET", page, scriptCall{method: "GET", path: getRPC, headers: []string{"x-tenant-id", "1"}}, `(HEADERS_NOT_GRANTED): x-tenant-id is not granted`, connectJSON},
		{"a header where everyone may call", page, scriptCall{method: "POST", path: stock, contentType: connectJSON, headers: []string{"x-tenant-id", "1"}}, `(HEADERS_NOT_GRANTED): x-tenant-id is not granted`, ""},
		{"a safelisted header with an unsafe value", page, scriptCall{method: "POST", path: listRPC, contentType: connectJSON, headers: []string{"content-language", `"`}}, `(HEADERS_NOT_GRANTED): content-language is not granted`, ""},
		{"a content type of a path", page, scriptCall{method: "POST", path: "/open/a", contentType: connectJSON}, `(HEADERS_NOT_GRANTED): content-type is not granted`, text},
		{"Authorization where everyone may call", page, scriptCall{method: "POST", path: stock, contentType: connectJSON, headers: []string{"authorization", "Bearer x"}}, `(HEADERS_NOT_GRANTED): authorization is not granted: write allow_headers: [authorization] in `, ""},
		{"Authorization on a path where everyone may call", page, scriptCall{method: "POST", path: "/open/a", contentType: "text/plain", headers: []string{"authorization", "Bearer x"}}, `(HEADERS_NOT_GRANTED): authorization is not granted: write allow_headers: [authorization] in `, text},
		{"Authorization and cookies", page, scriptCall{method: "POST", path: stock, contentType: connectJSON, headers: []string{"authorization", "Bearer x"}, cookie: "a=b"}, `(CREDENTIALS_NOT_ALLOWED): `, ""},
		{"a method", page, scriptCall{method: "PUT", path: listRPC, contentType: connectJSON}, `(METHOD_NOT_GRANTED): the method PUT is not granted`, ""},
		{"the method OPTIONS", page, scriptCall{method: "OPTIONS", path: listRPC}, `(METHOD_NOT_GRANTED): the method OPTIONS is not granted`, text},
		{"a method of a path", page, scriptCall{method: "PUT", path: "/files/a", contentType: "text/plain"}, `(METHOD_NOT_ALLOWED): the rule of this path does not list the method in allow_methods: write allow_methods: [GET, HEAD, POST, PUT]`, text},
		{"a method of a path, with credentials", page, scriptCall{method: "DELETE", path: "/files/a", credentials: corsbrowser.Include}, `(METHOD_NOT_ALLOWED): `, text},
		{"cookies", page, scriptCall{method: "POST", path: listRPC, contentType: connectJSON, cookie: "a=b"}, `(CREDENTIALS_NOT_ALLOWED): `, ""},
		{"cookies, GET", page, scriptCall{method: "GET", path: getRPC, cookie: "a=b", credentials: corsbrowser.Include}, `(CREDENTIALS_NOT_ALLOWED): `, connectJSON},
		{"disabled", page, scriptCall{method: "POST", path: hidden, contentType: connectJSON}, `(DISABLED): `, ""},
		{"disabled, stream", page, scriptCall{method: "POST", path: hidden, contentType: stream}, `(DISABLED): `, ""},
		{"an operational service", page, scriptCall{method: "POST", path: "/grpc.health.v1.Health/Check", contentType: web}, `(OPERATIONAL_NOT_NAMED): `, ""},
		{"a path that is not canonical", page, scriptCall{method: "POST", path: "//acme.catalog.v1.CatalogService/List", contentType: connectJSON}, `(PATH_NOT_CANONICAL): `, ""},
		{"a path that is not canonical, gRPC-Web", page, scriptCall{method: "POST", path: "//acme.catalog.v1.CatalogService/List", contentType: web}, `(PATH_NOT_CANONICAL): `, ""},
		{"a path that is not canonical, without a protocol", page, scriptCall{method: "GET", path: "/v1/items/a%2Fb"}, `(PATH_NOT_CANONICAL): `, text},
		{"a list that is too long", page, scriptCall{method: "POST", path: listRPC, contentType: connectJSON, headers: manyHeaders()}, `(REQUESTED_HEADERS_MALFORMED): `, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.call.credentials == "" {
				c.call.credentials = corsbrowser.Omit
			}
			for _, engine := range corsbrowser.Engines() {
				_, h, ran := explainedLayer(t, refusingPolicy)
				for range 2 {
					response, body, err := c.call.do(t, c.from, h, engine)
					if err != nil {
						t.Fatalf("%s: %v", engine, err)
					}
					format := response.Header.Get("Content-Type")
					if want := cmp.Or(c.format, c.call.contentType); format != want {
						t.Errorf("%s: the Content-Type is %q, want %q", engine, format, want)
					}
					got := errorMessage(t, response, body)
					if !strings.HasPrefix(got, "corsrpc refused this cross-origin request "+c.message) {
						t.Errorf("%s: the message is %q", engine, got)
					}
					reason, remedy, _ := strings.Cut(response.Header.Get("Corsrpc-Reason"), "; ")
					if !strings.HasPrefix(c.message, "("+reason+"): ") || !strings.HasSuffix(got, remedy) {
						t.Errorf("%s: Corsrpc-Reason: %q", engine, response.Header["Corsrpc-Reason"])
					}
					if response.Header.Get("Cache-Control") != "no-store" {
						t.Errorf("%s: %v", engine, response.Header)
					}
				}
				plain := compilePolicy(t, refusingPolicy).Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran.Add(1) }))
				if response, body, err := c.call.do(t, c.from, plain, engine); err == nil && response.StatusCode != http.StatusMethodNotAllowed {
					t.Errorf("%s: without WithExplain, the script reads %d, %q", engine, response.StatusCode, body)
				}
				if n := ran.Load(); n != 0 {
					t.Errorf("%s: the handler ran %d times", engine, n)
				}
			}
		})
	}
}

// TestStrangersGetProduction: pages of origins that are not explainable get the answers of
// production, byte for byte, and so do requests whose response no script can read.
func TestStrangersGetProduction(t *testing.T) {
	t.Parallel()
	_, explained, ran := explainedLayer(t, refusingPolicy)
	plain := compilePolicy(t, refusingPolicy).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprintf(w, "the handler ran")
	}))
	paths := []string{listRPC, "/acme.account.v1.AccountService/Get", "/acme.catalog.v1.StockService/Get", "/grpc.health.v1.Health/Check", "//acme.catalog.v1.CatalogService/List", "/files/a", "/open/a", "/previews/a", "/extension/a", "/elsewhere"}
	var headers []http.Header
	for _, from := range []string{"https://evil.example", "null", "file://", "https://acme.vercel.app", "moz-extension://0b3f8a3c-2b1d-4c62-9d0f-b3f1f6f5e9aa", "https://localhost.evil.example", "http://192.168.1.5:5173", "https://app.example.com.evil.example", "ttps://localhost"} {
		headers = append(headers, http.Header{"Origin": {from}})
	}
	for _, mode := range []string{"no-cors", "navigate", "websocket"} {
		headers = append(headers, http.Header{"Origin": {page}, "Sec-Fetch-Mode": {mode}, "Sec-Fetch-Site": {"cross-site"}, "Cookie": {"a=b"}})
	}
	headers = append(headers,
		http.Header{"Origin": {devPage}, "Upgrade": {"websocket"}, "Connection": {"Upgrade"}},
		http.Header{"Origin": {page, devPage}}, http.Header{"Sec-Fetch-Site": {"cross-site"}}, http.Header{"Origin": {devPage}, "Sec-Fetch-Site": {"same-origin"}})
	for _, header := range headers {
		for _, path := range paths {
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "OPTIONS"} {
				for _, more := range []http.Header{
					{"Content-Type": {"application/json"}},
					{"Content-Type": {"application/grpc-web"}, "X-Tenant-Id": {"1"}, "Cookie": {"a=b"}},
					{"Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"content-type,x-tenant-id"}},
					{"Access-Control-Request-Method": {"PUT"}},
				} {
					isPreflight := more["Access-Control-Request-Method"] != nil && method == "OPTIONS"
					if isPreflight && header.Get("Sec-Fetch-Mode") != "" || header.Get("Upgrade") != "" && method != "GET" {
						continue // a preflight has the mode cors, and a handshake the method GET
					}
					asked := maps.Clone(header)
					maps.Copy(asked, more)
					got, want := httptest.NewRecorder(), httptest.NewRecorder()
					explained.ServeHTTP(got, newRequest(method, path, asked))
					plain.ServeHTTP(want, newRequest(method, path, asked))
					if got.Code != want.Code || !reflect.DeepEqual(got.Header(), want.Header()) || got.Body.String() != want.Body.String() {
						t.Errorf("%s %s %v: %d %v %q, want %d %v %q", method, path, asked, got.Code, got.Header(), got.Body, want.Code, want.Header(), want.Body)
					}
				}
			}
		}
	}
	if ran.Load() == 0 {
		t.Error("the handler never ran")
	}
}

// TestExplainableOrigins: the origin of a source, which the operator's customers have, is not
// explainable. One that another rule names is explainable on each path.
func TestExplainableOrigins(t *testing.T) {
	t.Parallel()
	plan := compilePolicy(t, `
defaults:
  allow_origins_from: [tenants]
rules:
  - path: /a
    allow_origins: ["https://*.example.com", "capacitor://localhost", "https://pr-*.preview.example:*", "http://intranet.example"]
    accept_risks: [PLAIN_HTTP]
  - path: /b
    allow_origins: ["*"]
  - path: /c
    allow_origins: ["https://*.vercel.app", "https://acme.vercel.app", "moz-extension://*", "file://"]
    accept_risks: [PUBLIC_SUFFIX, ANY_INSTALLATION, NULL_ORIGIN]
`)
	tenants := corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			_ = yield("https://customer.test", nil) && yield("https://app.example.com", nil)
		}
	})
	layer, err := corsrpc.New(plan, quiet, corsrpc.WithExplain(), corsrpc.WithOriginSource("tenants", tenants, corsrpc.SourceWait(time.Minute)))
	if err != nil {
		t.Fatal(err)
	}
	h := layer.Wrap(emptyHandler)
	for from, want := range map[string]bool{
		"https://app.example.com": true, "https://shop.eu.example.com": true, "https://pr-7.preview.example:8443": true, "capacitor://localhost": true, "https://acme.vercel.app": true, "http://intranet.example": true,
		"http://localhost": true, "https://localhost:8443": true, "http://127.1.2.3": true, "http://[::1]:5173": true, "http://shop.localhost:5173": true,
		"https://customer.test": false, "https://other.vercel.app": false, "moz-extension://0b3f8a3c-2b1d-4c62-9d0f-b3f1f6f5e9aa": false, "file://": false, "null": false,
		"https://evil.example": false, "https://example.com": false, "capacitor://other": false, "http://localhost.evil.example": false, "ionic://localhost": false,
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, newRequest("POST", "/acme.v1.Unknown/Get", http.Header{"Origin": {from}, "Cookie": {"a=b"}, "Content-Type": {"application/json"}}))
		if got := w.Header().Get("Access-Control-Allow-Origin") == from; got != want {
			t.Errorf("%s: readable: %t", from, got)
		}
	}
}

// TestLongListsAreExplainable: the origins of a list of any length are explainable.
func TestLongListsAreExplainable(t *testing.T) {
	t.Parallel()
	policy := "rules:\n  - path: /a\n    allow_origins: [https://short.example.com]\n  - path: /b\n    allow_origins:\n"
	for i := range 1500 {
		policy += fmt.Sprintf("      - https://app-%d.example.com\n", i)
	}
	_, h, _ := explainedLayer(t, policy+"  - path: /c\n    allow_origins: [https://other.example.com]\n")
	for _, from := range []string{"https://short.example.com", "https://app-0.example.com", "https://app-1499.example.com"} {
		if got := preflightOf(h, from, "/c", "POST", ""); got.Get("Access-Control-Allow-Origin") != from {
			t.Errorf("%s: %v", from, got)
		}
	}
}

// TestExplainedErrorsAreWellFormed checks that file names and selectors with special characters do not
// break the error message that contains them.
func TestExplainedErrorsAreWellFormed(t *testing.T) {
	t.Parallel()
	doc, err := corsrpc.ParsePolicy("dir \"é\\%41\n/cors.yaml", []byte("defaults:\n  allow_origins: [https://app.example.com]\n"))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := corsrpc.New(plan, quiet, corsrpc.WithExplain())
	if err != nil {
		t.Fatal(err)
	}
	for _, contentType := range []string{"application/json", "application/grpc-web", "application/connect+json", "text/plain"} {
		call := scriptCall{credentials: corsbrowser.Omit, method: "POST", path: listRPC, contentType: contentType}
		response, body, err := call.do(t, devPage, layer.Wrap(emptyHandler), corsbrowser.Chromium)
		if err != nil {
			t.Fatal(err)
		}
		for _, said := range []string{errorMessage(t, response, body), response.Header.Get("Corsrpc-Reason")} {
			if !strings.Contains(said, `dir "?\%41?/cors.yaml:2)`) {
				t.Errorf("%s: %s", contentType, said)
			}
		}
	}
}

// TestGrantedIsNotExplained checks that responses to granted and ungoverned requests are the same with
// and without WithExplain.
func TestGrantedIsNotExplained(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, allowPage, corsrpc.WithExplain())
	plain, _ := newLayer(t, allowPage)
	preflight := http.Header{"Origin": {page}, "Access-Control-Request-Method": {"POST"}}
	for _, r := range []*http.Request{
		newRequest(http.MethodPost, listRPC, http.Header{"Origin": {page}}),
		newRequest(http.MethodGet, getRPC, http.Header{"Origin": {page}}),
		newRequest(http.MethodGet, listRPC, http.Header{"Origin": {page}, "X-Tenant-Id": {"1"}}),
		newRequest(http.MethodPost, listRPC, nil),
		newRequest(http.MethodOptions, listRPC, preflight),
		newRequest(http.MethodGet, "/elsewhere", http.Header{"Origin": {"https://evil.example"}}),
		newRequest(http.MethodGet, "/elsewhere", http.Header{"Origin": {devPage}}),
	} {
		got, want := httptest.NewRecorder(), httptest.NewRecorder()
		layer.Wrap(emptyHandler).ServeHTTP(got, r)
		plain.Wrap(emptyHandler).ServeHTTP(want, r)
		if !reflect.DeepEqual(got.Header(), want.Header()) || got.Code != want.Code {
			t.Errorf("%s %s: %d %v, want %d %v", r.Method, r.URL, got.Code, got.Header(), want.Code, want.Header())
		}
	}
}

// TestObservedIsNotExplained checks that the handler's response stays unchanged under OBSERVE, also
// for a name that a preflight was opened for before.
func TestObservedIsNotExplained(t *testing.T) {
	t.Parallel()
	layer, h, ran := explainedLayer(t, allowPage)
	preflightOf(h, page, listRPC, "POST", "x-tenant-id")
	if err := layer.Reload(t.Context(), compilePolicy(t, allowPage+"enforcement: OBSERVE\n")); err != nil {
		t.Fatal(err)
	}
	for i, header := range []http.Header{
		{"Origin": {devPage}},
		{"Origin": {page}, "X-Tenant-Id": {"1"}},
		{"Origin": {page}, "Cookie": {"a=b"}},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, newRequest(http.MethodPost, listRPC, header))
		if w.Code != http.StatusOK || w.Header()["Corsrpc-Reason"] != nil || int(ran.Load()) != i+1 {
			t.Errorf("%v: %d %v", header, w.Code, w.Header())
		}
	}
	if got := preflightOf(h, devPage, listRPC, "POST", ""); got.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a preflight: %v", got)
	}
}

// TestExplainedEvents: observers receive what happened, while Decide and the shadow policy's
// comparison hold what the policy decides.
func TestExplainedEvents(t *testing.T) {
	t.Parallel()
	var refusals []string
	layer, err := corsrpc.New(compilePolicy(t, allowPage), quiet, corsrpc.WithExplain(),
		corsrpc.WithShadow(compilePolicy(t, allowPage)),
		corsrpc.WithObserver(corsrpc.ObserverFunc(func(_ context.Context, e corsrpc.Event) {
			refusals = append(refusals, fmt.Sprint(e.Kind, " ", e.Decision.Outcome(), " ", e.Decision.Reason(), " ", e.Decision.Missing()))
		})))
	if err != nil {
		t.Fatal(err)
	}
	call := scriptCall{credentials: corsbrowser.Omit, method: "POST", path: listRPC, contentType: "application/json", headers: []string{"x-tenant-id", "1"}}
	if _, _, err := call.do(t, page, layer.Wrap(emptyHandler), corsbrowser.Chromium); err != nil {
		t.Fatal(err)
	}
	want := []string{"decision preflight HEADERS_NOT_GRANTED x-tenant-id", "decision refuse HEADERS_NOT_GRANTED x-tenant-id"}
	if !slices.Equal(refusals, want) {
		t.Errorf("%q", refusals)
	}
	d := layer.Plan().Decide(corsrpc.RequestOf(newRequest("POST", listRPC, http.Header{"Origin": {page}, "X-Tenant-Id": {"1"}})))
	if d.Outcome() != corsrpc.OutcomeGrant {
		t.Errorf("Decide: %s", d.Outcome())
	}
}

// TestHandlerTellsRefusals: the handler of Wrap tells test tools why it refuses a request, and
// nothing if it does not.
func TestHandlerTellsRefusals(t *testing.T) {
	t.Parallel()
	h, ok := compilePolicy(t, allowPage).Wrap(emptyHandler).(interface{ Refusal(*http.Request) string })
	if !ok {
		t.Fatal("the handler has no method Refusal")
	}
	if got := h.Refusal(newRequest("POST", listRPC, http.Header{"Origin": {page}})); got != "" {
		t.Errorf("a granted call: %q", got)
	}
	got := h.Refusal(newRequest("OPTIONS", listRPC, http.Header{"Origin": {page}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"x-tenant-id"}}))
	observed := compilePolicy(t, allowPage+"enforcement: OBSERVE\n").Wrap(emptyHandler).(interface{ Refusal(*http.Request) string })
	if got := observed.Refusal(newRequest("POST", listRPC, http.Header{"Origin": {"https://evil.example"}})); got != "" {
		t.Errorf("under OBSERVE: %q", got)
	}
	if !strings.HasPrefix(got, "HEADERS_NOT_GRANTED: x-tenant-id is not granted: write allow_headers: [x-tenant-id]") {
		t.Errorf("a refused preflight: %q", got)
	}
}
