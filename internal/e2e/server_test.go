package e2e

import (
	"io"
	"log"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// request holds the parts of a request that the tests check, as it arrived.
type request struct {
	Method  string
	Path    string
	Cookies []string // "name=value", in order
	Header  http.Header
}

// isPreflight reports whether the request is a preflight.
func (r request) isPreflight() bool {
	return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
}

// A site is the relation between a server and the page, which is on localhost, as the value of Sec-Fetch-Site. All three
// browsers send that header to both sites, since both are loopback addresses.
type site string

const (
	sameSite  site = "same-site"  // localhost, another port
	crossSite site = "cross-site" // 127.0.0.1
)

var sites = []site{sameSite, crossSite}

// afterRedirect returns the Sec-Fetch-Site of a request that the page's own server redirected to another origin. Firefox sends
// cross-site for every such redirect.
func (s site) afterRedirect(engine browser.Engine) site {
	if engine == browser.Firefox {
		return crossSite
	}
	return s
}

// api is a server on a new port, and thus a new origin.
type api struct {
	URL string // http://localhost:PORT

	mu       sync.Mutex
	requests []request
}

// serveAPI serves a handler until the test ends, and records every request.
func serveAPI(t *testing.T, handler http.Handler) *api {
	t.Helper()
	listener, origin, err := browser.Listen()
	if err != nil {
		t.Fatal(err)
	}
	a := &api{URL: origin}
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a.note(r)
			handler.ServeHTTP(w, r)
		}),
		ErrorLog: log.New(io.Discard, "", 0), // some cases panic on purpose
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return a
}

// on returns the server's URL on a site.
func (a *api) on(s site) string {
	if s == crossSite {
		return strings.Replace(a.URL, "localhost", "127.0.0.1", 1)
	}
	return a.URL
}

// assertSite asserts that the requests have this Sec-Fetch-Site.
func assertSite(t *testing.T, requests []request, want site) {
	t.Helper()
	for _, r := range requests {
		if got := r.Header["Sec-Fetch-Site"]; len(got) != 1 || got[0] != string(want) {
			t.Errorf("%s %s arrived with Sec-Fetch-Site %q, want %q", r.Method, r.Path, got, want)
		}
	}
}

// note records a request.
func (a *api) note(r *http.Request) {
	seen := request{Method: r.Method, Path: r.URL.Path, Header: r.Header.Clone()}
	for _, c := range r.Cookies() {
		seen.Cookies = append(seen.Cookies, c.Name+"="+c.Value)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = append(a.requests, seen)
}

// take returns the preflights and the other requests since its last call, in order.
func (a *api) take() (preflights, others []request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.requests {
		if r.isPreflight() {
			preflights = append(preflights, r)
		} else {
			others = append(others, r)
		}
	}
	a.requests = nil
	return preflights, others
}

// describe formats requests for a failure message.
func describe(requests []request) string {
	lines := make([]string, 0, len(requests))
	for _, r := range requests {
		line := r.Method + " " + r.Path
		if requested := r.Header.Get("Access-Control-Request-Headers"); requested != "" {
			line += " requesting " + requested
		}
		if len(r.Cookies) > 0 {
			line += " with cookies " + strings.Join(r.Cookies, "; ")
		}
		lines = append(lines, line)
	}
	return "[" + strings.Join(slices.Clip(lines), ", ") + "]"
}
