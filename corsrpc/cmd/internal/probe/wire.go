package probe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// DefaultMaxRequests is how many requests a Wire sends at most, unless it is set.
const DefaultMaxRequests = 200

// Wire sends requests to one server: one at a time, at most a number of them, and only preflights
// and simple GETs unless calls are allowed. It is an http.RoundTripper for corsbrowser. It sends a
// request that differs from an earlier one only in fields that name the engine once, and gives both
// the same answer, so a call is not executed once for each engine. It is safe for concurrent use.
type Wire struct {
	// SendCalls allows requests that are neither preflights nor simple GETs.
	SendCalls bool
	// MaxRequests is how many requests are sent at most.
	MaxRequests int

	server    Server
	transport http.RoundTripper
	timeout   time.Duration // of a request, until the end of the response
	mu        sync.Mutex
	answers   map[string]*answer
	sent      int
}

// The reasons for which a Wire does not send a request.
var (
	// ErrNotSent is returned for a request that only SendCalls allows.
	ErrNotSent = errors.New("the probe does not send calls: --send allows it")
	// ErrTooMany is returned when MaxRequests are sent.
	ErrTooMany = errors.New("the probe has sent as many requests as it may")
	// ErrOtherServer is returned for a redirect to another server.
	ErrOtherServer = errors.New("the probe does not follow redirects to other servers")
)

// NewWire returns a Wire to a server.
func NewWire(server Server) *Wire {
	return newWire(server, server.transport())
}

func newWire(server Server, transport http.RoundTripper) *Wire {
	return &Wire{server: server, transport: transport, timeout: server.timeout(), MaxRequests: DefaultMaxRequests, answers: map[string]*answer{}}
}

// Sent returns how many requests were sent.
func (w *Wire) Sent() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent
}

// Close closes the connections.
func (w *Wire) Close() {
	if t, ok := w.transport.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
}

// RoundTrip implements http.RoundTripper.
func (w *Wire) RoundTrip(r *http.Request) (*http.Response, error) {
	have, err := w.exchange(r)
	if err != nil {
		return nil, err
	}
	return have.response(r)
}

// exchange returns the answer to a request, and an error if the request may not be sent.
func (w *Wire) exchange(r *http.Request) (*answer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.server.pageURL()
	switch {
	case r.URL.Scheme != page.Scheme || !strings.EqualFold(r.URL.Host, page.Host):
		return nil, fmt.Errorf("%w (%s://%s)", ErrOtherServer, r.URL.Scheme, r.URL.Host)
	case !w.SendCalls && !isPreflight(r) && !isSimpleGet(r):
		return nil, ErrNotSent
	}
	key, sent, err := keyOf(r)
	if err != nil {
		return nil, err
	}
	have, ok := w.answers[key]
	if !ok {
		if w.sent >= w.MaxRequests {
			return nil, ErrTooMany
		}
		w.sent++
		ctx, cancel := context.WithTimeout(r.Context(), w.timeout)
		defer cancel()
		have = send(w.transport, r.WithContext(ctx))
		have.sent = sent
		w.answers[key] = have
	}
	return have, nil
}

// isPreflight reports whether a request is a preflight.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" && r.Body == nil
}

// isSimpleGet reports whether a request is a GET that any page can cause a browser to send: it has only
// fields that browsers add themselves, or that are safelisted.
func isSimpleGet(r *http.Request) bool {
	if r.Method != http.MethodGet || r.Body != nil {
		return false
	}
	for name, values := range r.Header {
		if slices.Contains([]string{"Origin", "Referer", "User-Agent", "Accept-Encoding", "Cookie"}, name) || strings.HasPrefix(name, "Sec-Fetch-") {
			continue
		}
		for _, value := range values {
			if !fetch.SafelistedRequestHeader(fetch.Lower(name), value) {
				return false
			}
		}
	}
	return true
}
