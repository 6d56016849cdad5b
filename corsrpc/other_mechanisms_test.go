package corsrpc_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// The tests of this file are about web mechanisms other than CORS, in the order of docs/other-mechanisms.md.

const otherMechanisms = `
defaults:
  allow_origins: [https://app.example.com]
rules:
  - selector: acme.account.v1.AccountService
    allow_credentials: true
  - path: /files/
    allow_origins: [https://app.example.com]
  - path: /session
    allow_origins: [https://app.example.com]
    allow_credentials: true
`

// TestOtherHeadersAreTheServersOwn checks that the layer neither adds nor changes the fields of other mechanisms in a
// handler's response, and that its own responses have those that a middleware around it sets.
func TestOtherHeadersAreTheServersOwn(t *testing.T) {
	t.Parallel()
	fields := http.Header{
		"Content-Security-Policy":      {"frame-ancestors 'none'"},
		"Cross-Origin-Embedder-Policy": {"require-corp"},
		"Cross-Origin-Opener-Policy":   {"same-origin"},
		"Cross-Origin-Resource-Policy": {"same-site"},
		"Origin-Agent-Cluster":         {"?1"},
		"Permissions-Policy":           {"camera=()"},
		"Referrer-Policy":              {"no-referrer"},
		"Set-Cookie":                   {"session=1; SameSite=Lax; Secure; HttpOnly", "b=2"},
		"Strict-Transport-Security":    {"max-age=63072000"},
		"X-Frame-Options":              {"DENY"},
	}
	layer, _ := newLayer(t, otherMechanisms)
	handler := layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Sets") != "" {
			maps.Copy(w.Header(), fields)
		}
	}))
	around := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), fields)
		handler.ServeHTTP(w, r)
	})
	evil := http.Header{"Origin": {"https://evil.example"}, "Content-Type": {"application/json"}}
	for _, c := range []struct {
		name, method, path string
		header             http.Header
		own                bool // the layer answers
	}{
		{"a call", "POST", listRPC, fromPage(), false},
		{"a call of a page of the server", "POST", listRPC, http.Header{"Origin": {"https://api.example.com"}}, false},
		{"a file", "GET", "/files/a", fromPage(), false},
		{"a file in an image", "GET", "/files/a", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}}, false},
		{"a path without a rule", "GET", "/", fromPage(), false},
		{"a preflight", "OPTIONS", listRPC, http.Header{"Origin": {page}, "Access-Control-Request-Method": {"POST"}}, true},
		{"a refused call", "POST", listRPC, evil, true},
		{"a method that is not allowed", "PUT", "/files/a", fromPage(), true},
	} {
		for _, from := range []string{"handler", "around", ""} {
			r := newRequest(c.method, c.path, c.header)
			h := handler
			switch from {
			case "handler":
				r.Header.Set("X-Sets", "1")
			case "around":
				h = around
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			for name, lines := range fields {
				if from == "" || from == "handler" && c.own {
					lines = nil
				}
				if got := w.Header()[name]; !slices.Equal(got, lines) {
					t.Errorf("%s, set by %q: %s is %q, want %q", c.name, from, name, got, lines)
				}
			}
		}
	}
}

// TestSignalsOfOtherMechanisms checks that a decision depends on the Origin header, Sec-Fetch-Site and Sec-Fetch-Mode,
// and not on other fields that browsers send.
func TestSignalsOfOtherMechanisms(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, otherMechanisms)
	decide := func(method, path string, header http.Header, extra ...string) corsrpc.Decision {
		header = header.Clone()
		for i := 0; i < len(extra); i += 2 {
			header.Set(extra[i], extra[i+1])
		}
		return layer.Plan().Decide(corsrpc.Request{Method: method, Host: "api.example.com", Path: path, TLS: true, Header: header})
	}
	other := [][]string{
		{"Referer", "https://evil.example/"},
		{"Sec-Fetch-Dest", "empty"},
		{"Sec-Fetch-Dest", "script"},
		{"Sec-Fetch-Dest", "webidentity"},
		{"Sec-Fetch-User", "?1"},
		{"Sec-Fetch-Storage-Access", "active"},
		{"Sec-Fetch-Storage-Access", "none"},
		{"Sec-Purpose", "prefetch"},
		{"Upgrade-Insecure-Requests", "1"},
		{"Access-Control-Request-Private-Network", "true"},
	}
	without := fromPage()
	without.Del("Origin")
	sibling := http.Header{"Origin": {"https://www.example.com"}, "Sec-Fetch-Site": {"same-site"}, "Sec-Fetch-Mode": {"cors"}, "Content-Type": {"application/json"}}
	form := http.Header{"Origin": {"null"}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Content-Type": {"text/plain"}}
	for _, c := range []struct {
		name, method, path string
		header             http.Header
		want               corsrpc.Reason
	}{
		{"a call", "POST", listRPC, fromPage(), corsrpc.ReasonOriginAllowed},
		{"a call of a sibling site", "POST", listRPC, sibling, corsrpc.ReasonOriginNotAllowed},
		{"an image", "GET", getRPC, http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}}, corsrpc.ReasonOriginMissing},
		{"a script without crossorigin", "GET", "/files/a.js", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}}, corsrpc.ReasonOpenToAll},
		{"a link to a page with cookies", "GET", "/session", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Cookie": {"a=b"}}, corsrpc.ReasonOpenToAll},
		{"an image with cookies", "GET", "/session", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}, "Cookie": {"a=b"}}, corsrpc.ReasonOriginMissing},
		{"a form of a page with Referrer-Policy: no-referrer", "POST", listRPC, form, corsrpc.ReasonOriginNotAllowed},
		{"no Origin header", "POST", listRPC, without, corsrpc.ReasonOriginMissing},
	} {
		if got := decide(c.method, c.path, c.header); got.Reason() != c.want {
			t.Errorf("%s: %s, want %s", c.name, got.Reason(), c.want)
		}
		for _, extra := range other {
			if got := decide(c.method, c.path, c.header, extra...); got.Reason() != c.want {
				t.Errorf("%s, with %q: %s, want %s", c.name, extra, got.Reason(), c.want)
			}
		}
	}
}

// TestWebTransport checks that an extended CONNECT request is decided on as a WebSocket handshake is, and that its
// handler gets the writer below, whose methods a server of WebTransport needs.
func TestWebTransport(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, otherMechanisms)
	for _, c := range []struct {
		path, origin string
		status       int
		check        bool // CheckOrigin
	}{
		{"/session", page, 200, true},
		{"/session", "https://evil.example", 403, false},
		{"/session", "https://api.example.com", 200, true},
		{"/session", "", 200, true},
		{"/files/a", page, 403, false}, // without allow_credentials
		{"/elsewhere", page, 200, false},
		{"/elsewhere", "https://api.example.com", 200, true},
	} {
		r := newRequest(http.MethodConnect, "/", nil)
		r.URL.Path, r.Proto = c.path, "webtransport-h3" // as quic-go writes :protocol
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		var got http.ResponseWriter
		w := httptest.NewRecorder()
		layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { got = w })).ServeHTTP(w, r)
		if w.Code != c.status || (got == http.ResponseWriter(w)) != (c.status == 200) {
			t.Errorf("%s from %q: status %d, the handler got %T", c.path, c.origin, w.Code, got)
		}
		if check := layer.CheckOrigin(r); check != c.check {
			t.Errorf("%s from %q: CheckOrigin is %t", c.path, c.origin, check)
		}
	}
}

// TestPrivateNetworkPreflight checks that no response has the permission of Private Network Access.
func TestPrivateNetworkPreflight(t *testing.T) {
	t.Parallel()
	const name = "Access-Control-Allow-Private-Network"
	layer, _ := newLayer(t, otherMechanisms)
	h := layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set(name, "true") }))
	preflight := http.Header{"Origin": {page}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Private-Network": {"true"}}
	for method, header := range map[string]http.Header{"OPTIONS": preflight, "POST": fromPage()} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, newRequest(method, listRPC, header))
		if w.Code >= 300 || w.Header().Get("Access-Control-Allow-Origin") != page || w.Header()[name] != nil {
			t.Errorf("%s: %d %v", method, w.Code, w.Header())
		}
	}
}

// TestScriptsWithIntegrity checks which scripts of the attribute crossorigin a page gets, as Subresource Integrity needs.
func TestScriptsWithIntegrity(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, otherMechanisms)
	h := layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/javascript") }))
	for _, c := range []struct {
		path                string
		cookie              bool
		origin, credentials string // the fields of the response
	}{
		{"/files/a.js", false, page, ""},
		{"/files/a.js", true, page, ""}, // the browser blocks it: crossorigin="use-credentials" needs the other field too
		{"/session", true, page, "true"},
		{"/elsewhere.js", false, "", ""},
	} {
		header := http.Header{"Origin": {page}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Dest": {"script"}}
		if c.cookie {
			header.Set("Cookie", "a=b")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, newRequest(http.MethodGet, c.path, header))
		if got := w.Header(); w.Code != 200 || got.Get("Access-Control-Allow-Origin") != c.origin || got.Get("Access-Control-Allow-Credentials") != c.credentials {
			t.Errorf("%+v: %d %v", c, w.Code, got)
		}
	}
}

// TestTokensAgainstForgery checks that a page may send the header of a token only if the policy names it.
func TestTokensAgainstForgery(t *testing.T) {
	t.Parallel()
	for policy, want := range map[string]corsrpc.Reason{
		"defaults: {allow_origins: [https://app.example.com]}":                                corsrpc.ReasonHeadersNotGranted,
		"defaults: {allow_origins: [https://app.example.com], allow_headers: [x-csrf-token]}": corsrpc.ReasonOriginAllowed,
	} {
		layer, _ := newLayer(t, policy)
		d := layer.Plan().Decide(corsrpc.Request{Method: "OPTIONS", Host: "api.example.com", Path: listRPC, Header: http.Header{
			"Origin": {page}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"content-type,x-csrf-token"},
		}})
		if d.Reason() != want {
			t.Errorf("%s: %s, want %s", policy, d.Reason(), want)
		}
	}
}

// TestOptionsThatAreNotPreflights checks that OPTIONS without Access-Control-Request-Method is decided on as a call, and
// that the layer's refusals are neither stored nor sniffed.
func TestOptionsThatAreNotPreflights(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, otherMechanisms+"    allow_methods: [GET, OPTIONS]\n")
	const evil, own = "https://evil.example", "https://api.example.com"
	for _, c := range []struct {
		path, origin string
		status       int
	}{
		{listRPC, page, 200},
		{listRPC, own, 200},
		{listRPC, evil, 403},
		{listRPC, "", 200},
		{"/files/a", page, 405},
		{"/files/a", own, 200},
		{"/session", page, 200},
		{"/session", evil, 403},
		{"/elsewhere", evil, 200},
	} {
		r := newRequest(http.MethodOptions, c.path, nil)
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		ran := false
		w := httptest.NewRecorder()
		layer.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran = true })).ServeHTTP(w, r)
		if w.Code != c.status || ran != (c.status == 200) {
			t.Errorf("%s from %q: status %d, the handler ran: %t", c.path, c.origin, w.Code, ran)
		}
		if h := w.Header(); (h.Get("X-Content-Type-Options") == "nosniff") != (c.status == 403) || (h.Get("Cache-Control") == "no-store") != (c.status >= 400) {
			t.Errorf("%s from %q: %v", c.path, c.origin, h)
		}
	}
}
