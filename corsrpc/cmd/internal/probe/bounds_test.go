package probe

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
)

// capricious answers each request at random, and counts the requests.
type capricious struct {
	random   *rand.Rand
	got      Requests
	messages int // GETs with a message for a procedure
}

// RoundTrip implements http.RoundTripper.
func (c *capricious) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case isPreflight(r):
		c.got.Preflights++
	case strings.Contains(r.URL.RawQuery, "message="):
		c.messages++
		c.got.Calls++
	case isSimpleGet(r):
		c.got.SimpleGets++
	default:
		c.got.Calls++
	}
	header := http.Header{}
	for name, values := range map[string][]string{
		allowOrigin:      {r.Header.Get("Origin"), r.Header.Get("Origin"), r.Header.Get("Origin"), "*", "", "x"},
		allowCredentials: {"true", "", "x"},
		allowHeaders:     {r.Header.Get("Access-Control-Request-Headers"), r.Header.Get("Access-Control-Request-Headers"), "*", "", "content-type", "!("},
		allowMethods:     {r.Header.Get("Access-Control-Request-Method"), r.Header.Get("Access-Control-Request-Method"), "*", "", "GET", "!("},
		maxAge:           {"1", "0", "", "x"},
		"Vary":           {"Origin", ""},
	} {
		if value := values[c.random.IntN(len(values))]; value != "" {
			header.Set(name, value)
		}
	}
	status := []int{200, 200, 204, 204, 403, 405, 500}[c.random.IntN(7)]
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", Header: header, Body: http.NoBody, Request: r}, nil
}

// TestAnnouncementsAreBounds: whatever a server answers, an audit and a comparison send no more requests of
// each kind than they announce. Without SendCalls, no GET of a procedure has a message.
func TestAnnouncementsAreBounds(t *testing.T) {
	t.Parallel()
	one := func(random *rand.Rand, values ...string) string { return values[random.IntN(len(values))] }
	plan := planOf(t, "defaults: {allow_origins: [\"https://app.example.com\", \"https://*.example.com\"], allow_headers: [X-A]}\nrules: [{path: /items, allow_methods: [GET, PUT, DELETE, PATCH]}]")
	u, err := ParseURL("http://api.example.com:8080")
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(600) {
		random := rand.New(rand.NewPCG(seed, 1))
		call := Call{
			Origin: one(random, "http://app.example.com", "http://localhost:3000", "http://a.b.github.io", "http://10.0.0.1", "http://x.y.z.co.uk:8443"),
			Target: one(random, "acme.v1.S.Get", "acme.v1.S.Get?connect=v1&encoding=json&message=%7B%7D", "/acme.v1.S/Get?encoding=json&message=%7B%7D&connect=v1", "/items", "/items?page=2"),
			Method: one(random, "POST", "GET", "PUT"), Header: http.Header{},
		}
		for name, values := range map[string][]string{"Authorization": {"x"}, "X-A": {"x", "y"}, "Content-Type": {"text/plain"}} {
			if random.IntN(3) == 0 {
				call.Header[name] = values
			}
		}
		for _, send := range []bool{false, true} {
			audit, against := AuditOptions{Call: call, SendCalls: send}, AgainstOptions{Plan: plan, Calls: []Call{call}, SendCalls: send}
			for name, run := range map[string]struct {
				most Requests
				send func(*Wire) error
			}{
				"audit":   {AuditRequests(audit), func(w *Wire) error { _, err := Audit(t.Context(), w, audit); return err }},
				"against": {AgainstRequests(Server{URL: u}, against), func(w *Wire) error { _, err := Against(t.Context(), w, against); return err }},
			} {
				server := &capricious{random: random}
				w := newWire(Server{URL: u}, server)
				w.SendCalls, w.MaxRequests = send, math.MaxInt
				if err := run.send(w); err != nil {
					t.Fatal(err)
				}
				what := fmt.Sprintf("%s %d of %s %s, send %t", name, seed, call.Method, call.Target, send)
				if got := server.got; got.Preflights > run.most.Preflights || got.SimpleGets > run.most.SimpleGets+run.most.Calls || got.Total() > run.most.Total() {
					t.Errorf("%s: sent %s, announced %s", what, got, run.most)
				}
				if !send && server.messages > 0 {
					t.Errorf("%s: %d GETs have a message", what, server.messages)
				}
			}
		}
	}
}
