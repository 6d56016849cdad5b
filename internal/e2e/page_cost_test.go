package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	connectcors "connectrpc.com/cors"
	"github.com/gorilla/handlers"
	"github.com/rs/cors"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

var pageCostTo = flag.String("page-cost", "", "the file into which TestPageCost writes its measurements, as JSON lines for internal/bench/report")

// How far away the server of TestPageCost is, and how often each is measured with -page-cost.
const (
	pageCostDelay  = 25 * time.Millisecond // in each direction
	pageCostRounds = 5
)

// pageCostCalls returns 50 calls of five procedures. Clients of both protocols of connect-web take turns, with and
// without a timeout, as in a page whose parts are not written by one team.
func pageCostCalls() (calls []call) {
	procedures := []call{
		greet(overConnect),
		{Method: "Lookup", Requests: messages(`{"key":"a"}`)},
		{Method: "Count", Requests: messages(`{"upTo":1}`)},
		{Method: "Fail", Requests: messages(`{}`)},
		{Method: "FailStream", Requests: messages(`{}`)},
	}
	for i := range 50 / len(procedures) {
		for _, c := range procedures {
			c.Transport = []string{overConnect, overGRPCWeb}[i%2]
			if i%4 >= 2 {
				c.TimeoutMs = 30_000
			}
			calls = append(calls, c)
		}
	}
	return calls
}

// A pageCost is a server whose calls cost a page time.
type pageCost struct {
	by         string // the name in the report of internal/bench
	preflights int    // that 50 calls take
	wrap       func(t *testing.T, origin string, next http.Handler) http.Handler
}

// sameOrigin is the server of the page's own origin.
const sameOrigin = "none"

// pageCosts are compared. The peers are set up as connect-go's documentation recommends. The first needs no CORS.
var pageCosts = []pageCost{
	{sameOrigin, 0, func(_ *testing.T, _ string, next http.Handler) http.Handler { return next }},
	{"corsrpc", 5, func(t *testing.T, origin string, next http.Handler) http.Handler {
		return newLayer(t, origin, "defaults:\n  allow_origins: [ORIGIN]\n").Wrap(next)
	}},
	{"rs", 50, func(_ *testing.T, origin string, next http.Handler) http.Handler {
		return cors.New(cors.Options{
			AllowedOrigins: []string{origin}, AllowedMethods: connectcors.AllowedMethods(), AllowedHeaders: connectcors.AllowedHeaders(),
			ExposedHeaders: connectcors.ExposedHeaders(), MaxAge: 7200,
		}).Handler(next)
	}},
	{"gorilla", 50, func(_ *testing.T, origin string, next http.Handler) http.Handler {
		return handlers.CORS(
			handlers.AllowedOrigins([]string{origin}), handlers.AllowedMethods(connectcors.AllowedMethods()), handlers.AllowedHeaders(connectcors.AllowedHeaders()),
			handlers.ExposedHeaders(connectcors.ExposedHeaders()), handlers.MaxAge(600),
		)(next)
	}},
}

// TestPageCost counts the preflights of 50 calls of a page in Chromium, and with -page-cost measures how long the calls
// take from a server to which a round trip takes 50 ms. It checks that the page reads the same behind each middleware.
func TestPageCost(t *testing.T) {
	rounds, delay := 1, time.Millisecond
	if *pageCostTo != "" {
		rounds, delay = pageCostRounds, pageCostDelay
	}
	calls := pageCostCalls()
	var lines []byte
	var expected []string
	for round := range rounds {
		for i := range pageCosts {
			one := pageCosts[(i+round)%len(pageCosts)]
			if round == 0 {
				one = pageCosts[i] // the page without CORS comes first, as the others must read the same
			}
			took, preflights, readings := costOfCalls(t, one, delay, calls)
			if expected == nil {
				expected = readings
			}
			if preflights != one.preflights {
				t.Errorf("%s: %d preflights, want %d", one.by, preflights, one.preflights)
			}
			for i, got := range readings {
				if got != expected[i] {
					t.Errorf("%s: call %d of %+v reads %q, want %q", one.by, i, calls[i], got, expected[i])
				}
			}
			line, err := json.Marshal(map[string]any{
				"process": round, "name": "Page/by=" + one.by,
				"values": map[string][]float64{"wall-ns": {float64(took)}, "preflights": {float64(preflights)}},
			})
			if err != nil {
				t.Fatal(err)
			}
			lines = append(append(lines, line...), '\n')
			fmt.Printf("stage %s, %s: %d preflights, %d ms\n", t.Name(), one.by, preflights, took.Milliseconds())
		}
	}
	if *pageCostTo != "" {
		if err := os.WriteFile(*pageCostTo, lines, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// costOfCalls makes the calls from a new page to a new server, and returns how long they take, and the preflights that
// arrived.
func costOfCalls(t *testing.T, one pageCost, delay time.Duration, calls []call) (took time.Duration, preflights int, readings []string) {
	t.Helper()
	var own http.Handler // serves the page's own origin
	page := pool.PageBeside(t, browser.Chromium, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { own.ServeHTTP(w, r) }))
	server := serveAPI(t, one.wrap(t, page.Origin, withoutCookies(showcaseV1())))
	to, address := delayedRelay(t, strings.TrimPrefix(server.URL, "http://"), delay)
	if one.by == sameOrigin {
		own, to = httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: address}), page.Origin
	}
	var read struct {
		Milliseconds float64   `json:"ms"`
		Readings     []reading `json:"readings"`
	}
	page.Run(t, `const start = performance.now(); const readings = await e2e.callShowcase(args.url, args.calls); return {ms: performance.now() - start, readings}`,
		map[string]any{"url": to, "calls": calls}, &read)
	for _, r := range read.Readings {
		s := r.seen()
		readings = append(readings, s.messages+s.code+s.message)
	}
	before, _ := server.take()
	return time.Duration(read.Milliseconds * float64(time.Millisecond)), len(before), readings
}

// withoutCookies returns a handler that does not see cookies. Other tests set them for all ports of the host, and the page
// without CORS sends them.
func withoutCookies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Cookie")
		next.ServeHTTP(w, r)
	})
}
