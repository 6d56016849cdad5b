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

// api is a server on an origin of its own: its port is fresh.
type api struct {
	URL string

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
