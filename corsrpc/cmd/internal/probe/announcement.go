package probe

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
)

// Requests counts requests by their kind.
type Requests struct {
	// Preflights and SimpleGets are sent in any case. A simple GET needs no preflight, so any page can make a
	// browser send it.
	Preflights, SimpleGets int
	// Calls are the other requests, which only Wire.SendCalls allows.
	Calls int
}

// MaxRedirected is how many requests are sent at most because the server redirects to itself.
const MaxRedirected = 20

// Total returns the number of all requests.
func (r Requests) Total() int { return r.Preflights + r.SimpleGets + r.Calls }

// String counts the requests in words.
func (r Requests) String() string {
	var parts []string
	for _, kind := range []struct {
		count     int
		one, many string
	}{{r.Preflights, "preflight", "preflights"}, {r.SimpleGets, "GET that needs no preflight", "GETs that need no preflight"}, {r.Calls, "call", "calls"}} {
		switch kind.count {
		case 0:
		case 1:
			parts = append(parts, "1 "+kind.one)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", kind.count, kind.many))
		}
	}
	if len(parts) == 0 {
		return "no requests"
	}
	return strings.Join(parts, ", ")
}

// Announce returns the requests that the calls need at most, without those after a redirect. It makes
// the calls in each engine with a server that grants everything and that it simulates, so it sends nothing.
func Announce(ctx context.Context, s Server, calls []Call, engines []corsbrowser.Engine, sendCalls bool) (Requests, error) {
	var all granting
	w := newWire(s, &all)
	w.SendCalls, w.MaxRequests = sendCalls, math.MaxInt
	for _, call := range calls {
		if _, err := Try(ctx, w, call, engines); err != nil {
			return Requests{}, err
		}
	}
	return all.got, nil
}

// granting answers each request as a server that grants everything, and counts the requests.
type granting struct{ got Requests }

// RoundTrip implements http.RoundTripper.
func (g *granting) RoundTrip(r *http.Request) (*http.Response, error) {
	header := http.Header{"Access-Control-Allow-Credentials": {"true"}}
	for to, from := range map[string]string{
		"Access-Control-Allow-Origin":  "Origin",
		"Access-Control-Allow-Methods": "Access-Control-Request-Method",
		"Access-Control-Allow-Headers": "Access-Control-Request-Headers",
	} {
		if value := r.Header.Get(from); value != "" {
			header.Set(to, value)
		}
	}
	switch {
	case isPreflight(r):
		g.got.Preflights++
	case isSimpleGet(r):
		g.got.SimpleGets++
	default:
		g.got.Calls++
	}
	return &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", Header: header, Body: http.NoBody, Request: r}, nil
}
