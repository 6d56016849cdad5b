package serve

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// port is an internal port that a test calls.
type port struct {
	t       *testing.T
	handler http.Handler
}

// newPort returns an internal port with policies.
func newPort(t *testing.T, config InternalConfig, policies ...*Policy) *port {
	t.Helper()
	config.Policies = func() []*Policy { return policies }
	handler, err := NewInternal(config)
	if err != nil {
		t.Fatal(err)
	}
	return &port{t, handler}
}

// get returns the response to GET. Header fields are given as "Name: value"; Host is one of them.
func (p *port) get(path string, fields ...string) *httptest.ResponseRecorder {
	p.t.Helper()
	return p.do(http.MethodGet, path, fields...)
}

func (p *port) do(method, path string, fields ...string) *httptest.ResponseRecorder {
	p.t.Helper()
	r := httptest.NewRequest(method, path, nil)
	r.Host = "10.1.2.3:9901"
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		if name == "Host" {
			r.Host = value
			continue
		}
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	for name := range w.Header() {
		if strings.HasPrefix(name, "Access-Control-") {
			p.t.Errorf("%s has %s", path, name)
		}
	}
	return w
}

// newIdle returns a policy that does not run.
func newIdle(t *testing.T, config PolicyConfig) *Policy {
	t.Helper()
	config.File, config.Logger = policyFile(t, appPolicy), slog.New(slog.DiscardHandler)
	p, err := NewPolicy(config)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// secretPaths are the paths that tell what only operators may know.
var secretPaths = []string{"/", "/metrics", "/inspect/default/", "/inspect/default", "/debug/pprof/", "/debug/pprof/goroutine?debug=1", "/debug/pprof/symbol", "/nowhere"}

// TestInternalGuard: other sites read nothing of the internal port but the status of its probes.
func TestInternalGuard(t *testing.T) {
	t.Parallel()
	metrics := newMetrics(t)
	r := newRunning(t, PolicyConfig{File: policyFile(t, appPolicy), Metrics: metrics, InspectorHosts: []string{"gateway.internal.example"}})
	r.awaitReady()
	p := newPort(t, InternalConfig{Metrics: metrics, Pprof: true, Hosts: []string{"gateway.internal.example"}}, r.Policy)
	for _, row := range []struct {
		fields  []string
		allowed bool
	}{
		{nil, true},
		{[]string{"Host: localhost:9901"}, true},
		{[]string{"Host: [::1]:9901"}, true},
		{[]string{"Host: gateway.internal.example:9901"}, true},
		{[]string{"Host: GATEWAY.internal.example."}, true},
		{[]string{"Sec-Fetch-Site: none"}, true},
		{[]string{"Sec-Fetch-Site: same-origin"}, true},
		{[]string{"Origin: http://10.1.2.3:9901"}, true},
		{[]string{"Host: evil.example:9901"}, false},
		{[]string{"Host: evil.example", "Sec-Fetch-Site: same-origin"}, false},
		{[]string{"Host: gateway"}, false},
		{[]string{"Host: "}, false},
		{[]string{"Origin: https://evil.example"}, false},
		{[]string{"Origin: null"}, false},
		{[]string{"Sec-Fetch-Site: cross-site"}, false},
		{[]string{"Sec-Fetch-Site: same-site"}, false},
		{[]string{"Referer: http://evil.example/"}, false},
	} {
		for _, path := range secretPaths {
			w := p.get(path, row.fields...)
			if allowed := w.Code != http.StatusForbidden; allowed != row.allowed {
				t.Errorf("%s with %q: status %d", path, row.fields, w.Code)
			}
			if !row.allowed && strings.Contains(w.Body.String(), "sha256:") {
				t.Errorf("%s with %q tells %s", path, row.fields, w.Body)
			}
		}
		for _, path := range []string{"/livez", "/readyz"} {
			w := p.get(path, row.fields...)
			if w.Code != http.StatusOK || !row.allowed && strings.Contains(w.Body.String(), "default") {
				t.Errorf("%s with %q: status %d, %s", path, row.fields, w.Code, w.Body)
			}
		}
	}
}

// TestInternalIsReadOnly: only GET and HEAD are answered, and responses are not kept, framed or read by others.
func TestInternalIsReadOnly(t *testing.T) {
	t.Parallel()
	metrics := newMetrics(t)
	p := newPort(t, InternalConfig{Metrics: metrics, Pprof: true}, newIdle(t, PolicyConfig{Metrics: metrics}))
	for _, path := range append([]string{"/livez", "/readyz"}, secretPaths...) {
		for _, method := range []string{http.MethodPost, http.MethodOptions, http.MethodPut, http.MethodDelete, http.MethodConnect} {
			if w := p.do(method, path); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: status %d", method, path, w.Code)
			}
		}
		w := p.do(http.MethodHead, path)
		for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
	}
}

// TestReadiness: /readyz has a line for each policy, in the order of names, and says what is waited for. /livez
// is always 200.
func TestReadiness(t *testing.T) {
	t.Parallel()
	server := &reflecting{t: t, address: freeAddress(t)}
	shopPolicy := newRunning(t, PolicyConfig{Name: "shop", File: policyFile(t, appPolicy), Reflect: []ReflectedServer{server.upstream("shop")}})
	admin := newRunning(t, PolicyConfig{Name: "admin", File: policyFile(t, appPolicy)})
	var draining atomic.Bool
	p := newPort(t, InternalConfig{Draining: draining.Load}, shopPolicy.Policy, admin.Policy)
	admin.awaitReady()
	shopPolicy.await("a reason", func() bool { _, why := shopPolicy.Ready(); return strings.Contains(why, "does not listen") })
	want := func(status int, lines ...string) {
		t.Helper()
		w := p.get("/readyz")
		got := strings.Split(strings.TrimSuffix(w.Body.String(), "\n"), "\n")
		if w.Code != status || len(got) != len(lines) {
			t.Fatalf("status %d, %q", w.Code, got)
		}
		for i, line := range lines {
			if !strings.HasPrefix(got[i], line) {
				t.Errorf("line %q, want %q", got[i], line)
			}
		}
		if live := p.get("/livez"); live.Code != http.StatusOK {
			t.Errorf("/livez has the status %d", live.Code)
		}
		if hidden := p.get("/readyz", "Host: evil.example"); hidden.Code != status || strings.Count(hidden.Body.String(), "\n") != 1 {
			t.Errorf("strangers read %d, %q", hidden.Code, hidden.Body)
		}
	}
	want(http.StatusServiceUnavailable, "admin: ready, sha256:", "shop: not ready, waits for the schema: the upstream shop (grpc://"+server.address+"): the server does not listen")
	server.start(version1, declared("shop.proto", "acme.v1.Shop/Get"))
	t.Cleanup(server.stop)
	shopPolicy.awaitReady()
	want(http.StatusOK, "admin: ready, "+admin.Digest(), "shop: ready, "+shopPolicy.Digest())
	server.stop()
	want(http.StatusOK, "admin: ready", "shop: ready")
	draining.Store(true)
	want(http.StatusServiceUnavailable, "not ready: the program is about to end", "admin: ready", "shop: ready")
	if w := newPort(t, InternalConfig{}).get("/readyz"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("without a policy: status %d", w.Code)
	}
}

// TestInspectors: each policy has its inspector below a path of its own, whose links stay there.
func TestInspectors(t *testing.T) {
	t.Parallel()
	one := newRunning(t, PolicyConfig{Name: "one", File: policyFile(t, appPolicy)})
	two := newRunning(t, PolicyConfig{Name: "two", File: policyFile(t, strings.ReplaceAll(appPolicy, app, shop))})
	one.awaitReady()
	two.awaitReady()
	server := httptest.NewServer(newPort(t, InternalConfig{}, one.Policy, two.Policy, newIdle(t, PolicyConfig{Name: "three"})).handler)
	t.Cleanup(server.Close)
	fetch := func(path, accept string) (status int, at, body string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", accept)
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, response.Request.URL.Path, string(text)
	}
	one.allows("https://refused.example.com", "/a.B/C")
	for _, accept := range []string{"text/html", "application/json"} {
		status, at, body := fetch("/inspect/one", accept)
		if status != http.StatusOK || at != "/inspect/one/" || !strings.Contains(body, app) || strings.Contains(body, shop) || !strings.Contains(body, "https://refused.example.com") {
			t.Errorf("%s: status %d at %s", accept, status, at)
		}
		for _, absolute := range []string{`href="/`, `action="/`, `src="/`, `"try": "/`} {
			if strings.Contains(body, absolute) {
				t.Errorf("%s: a link leads out of the inspector's path: %s", accept, absolute)
			}
		}
	}
	if status, _, body := fetch("/inspect/two/", "text/html"); status != http.StatusOK || !strings.Contains(body, shop) {
		t.Errorf("the second policy: status %d", status)
	}
	if status, _, _ := fetch("/inspect/three/", "text/html"); status != http.StatusServiceUnavailable {
		t.Errorf("a policy that is not in force: status %d", status)
	}
	for _, path := range []string{"/inspect/none/", "/inspect/none", "/inspect/", "/inspect/one/x", "/metrics", "/debug/pprof/"} {
		if status, _, _ := fetch(path, "text/html"); status != http.StatusNotFound {
			t.Errorf("%s: status %d", path, status)
		}
	}
	if status, _, body := fetch("/", "text/html"); status != http.StatusOK || !strings.Contains(body, `href="/inspect/one/"`) || !strings.Contains(body, one.Digest()) || !strings.Contains(body, "waits for") {
		t.Errorf("the index: status %d, %s", status, body)
	}
}

// TestPprof: the profiles are served, without the command line, which may have passwords.
func TestPprof(t *testing.T) {
	t.Parallel()
	p := newPort(t, InternalConfig{Pprof: true})
	for path, status := range map[string]int{"/debug/pprof/": 200, "/debug/pprof/heap": 200, "/debug/pprof/cmdline": 404, "/debug/pprof/symbol?0x1": 200} {
		if w := p.get(path); w.Code != status {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
}

// TestInternalHosts: a host that is not valid is an error.
func TestInternalHosts(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"", "*.example.com", "a b"} {
		if _, err := NewInternal(InternalConfig{Hosts: []string{host}}); err == nil {
			t.Errorf("%q is a host", host)
		}
	}
}
