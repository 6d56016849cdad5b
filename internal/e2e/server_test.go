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

// request is what a server saw of a request, before anything handled it.
type request struct {
	Method  string
	Path    string
	Cookies []string // "name=value", in order
	Header  http.Header
}

// isPreflight tells whether a browser asked for leave.
func (r request) isPreflight() bool {
	return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
}

// A site is where a page, which is on localhost, finds a server on another origin, in the word that browsers have for it
// in Sec-Fetch-Site. They trust both with it: all three send it to loopback addresses.
type site string

const (
	sameSite  site = "same-site"  // localhost, another port
	crossSite site = "cross-site" // 127.0.0.1
)

var sites = []site{sameSite, crossSite}

// afterRedirect is what an engine says where the page's own server led it to one on a site: Firefox takes every redirect to another
// origin for one to another site.
func (s site) afterRedirect(engine browser.Engine) site {
	if engine == browser.Firefox {
		return crossSite
	}
	return s
}

// api is a server on an origin of its own: its port is fresh.
type api struct {
	URL string // http://localhost:PORT

	mu       sync.Mutex
	requests []request
}

// serveAPI serves a handler until the test ends, and notes every request outside of it.
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

// on is the server's URL on a site.
func (a *api) on(s site) string {
	if s == crossSite {
		return strings.Replace(a.URL, "localhost", "127.0.0.1", 1)
	}
	return a.URL
}

// assertSite asserts that requests came from a page that is elsewhere in this way, and that their browser said so.
func assertSite(t *testing.T, requests []request, want site) {
	t.Helper()
	for _, r := range requests {
		if got := r.Header["Sec-Fetch-Site"]; len(got) != 1 || got[0] != string(want) {
			t.Errorf("%s %s arrived with Sec-Fetch-Site %q, want %q", r.Method, r.Path, got, want)
		}
	}
}

func (a *api) note(r *http.Request) {
	seen := request{Method: r.Method, Path: r.URL.Path, Header: r.Header.Clone()}
	for _, c := range r.Cookies() {
		seen.Cookies = append(seen.Cookies, c.Name+"="+c.Value)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = append(a.requests, seen)
}

// take returns the preflights and the other requests since it was last called, in order.
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

// describe is a request in a line, for the words of a failure.
func describe(requests []request) string {
	lines := make([]string, 0, len(requests))
	for _, r := range requests {
		line := r.Method + " " + r.Path
		if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
			line += " asking for " + asked
		}
		if len(r.Cookies) > 0 {
			line += " with cookies " + strings.Join(r.Cookies, "; ")
		}
		lines = append(lines, line)
	}
	return "[" + strings.Join(slices.Clip(lines), ", ") + "]"
}
