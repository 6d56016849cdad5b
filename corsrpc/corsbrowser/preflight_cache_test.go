package corsbrowser

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestCachedPreflights: each engine sends this number of preflights for a sequence of
// calls. Numbers that do not depend on time were measured in the real browsers.
func TestCachedPreflights(t *testing.T) {
	t.Parallel()
	type call struct {
		at          int // seconds of the test's clock
		method      string
		credentials Credentials
		url         string
		header      []string
	}
	xa := func(at int) call { return call{at: at, method: "GET", url: server, header: []string{"X-A", "1"}} }
	with := func(c call, change func(*call)) call { change(&c); return c }
	included := func(c *call) { c.credentials = Include }
	long := server + "/" + strings.Repeat("a", 1024-len(server)-1)
	tests := []struct {
		name    string
		headers string
		maxAge  string
		calls   []call
		want    string // number of preflights in the standard, Chromium, Firefox, WebKit
	}{
		{name: "the same call again", headers: "x-a", maxAge: "600", calls: []call{xa(0), xa(599), xa(600)}, want: "2 2 2 2"},
		{name: "longer than WebKit's bound", headers: "x-a", maxAge: "7200", calls: []call{xa(0), xa(600), xa(7199)}, want: "1 1 1 3"},
		{name: "longer than Chromium's bound", headers: "x-a", maxAge: "86400", calls: []call{xa(0), xa(7200), xa(86399)}, want: "1 3 1 3"},
		{name: "longer than Firefox's bound", headers: "x-a", maxAge: "1000000", calls: []call{xa(0), xa(86400)}, want: "1 2 2 2"},
		{name: "five seconds without Max-Age", headers: "x-a", calls: []call{xa(0), xa(4), xa(5)}, want: "2 2 2 2"},
		{name: "Max-Age 0", headers: "x-a", maxAge: "0", calls: []call{xa(0), xa(0)}, want: "2 2 2 2"},
		{name: "a negative age", headers: "x-a", maxAge: "-1", calls: []call{xa(0), xa(0)}, want: "1 2 2 2"},
		{name: "another header that is granted", headers: "x-a, x-b", maxAge: "600", calls: []call{xa(0), with(xa(1), func(c *call) { c.header = []string{"X-B", "1"} })}, want: "1 1 1 1"},
		{name: "every header", headers: "*", maxAge: "600", calls: []call{xa(0), with(xa(1), func(c *call) { c.header = []string{"X-B", "1"} })}, want: "1 1 2 1"},
		{name: "another method that is granted", headers: "x-a", maxAge: "600", calls: []call{xa(0), with(xa(1), func(c *call) { c.method = "PUT" })}, want: "1 1 1 1"},
		{name: "HEAD is not safelisted in Firefox's cache", headers: "x-a", maxAge: "600", calls: []call{with(xa(0), func(c *call) { c.method = "HEAD" }), with(xa(1), func(c *call) { c.method = "HEAD" })}, want: "1 1 2 1"},
		{name: "another query", headers: "x-a", maxAge: "600", calls: []call{xa(0), with(xa(1), func(c *call) { c.url += "?q" })}, want: "2 2 2 2"},
		{name: "another fragment", headers: "x-a", maxAge: "600", calls: []call{xa(0), with(xa(1), func(c *call) { c.url += "#f" })}, want: "2 2 2 2"},
		{name: "granted with credentials, used without", headers: "x-a", maxAge: "600", calls: []call{with(xa(0), included), xa(1)}, want: "1 1 2 1"},
		{name: "granted without credentials, used with", headers: "x-a", maxAge: "600", calls: []call{xa(0), with(xa(1), included)}, want: "2 2 2 2"},
		{name: "an address of 1,023 characters", headers: "x-a", maxAge: "600", calls: []call{with(xa(0), func(c *call) { c.url = long[:1023] }), with(xa(1), func(c *call) { c.url = long[:1023] })}, want: "1 1 1 1"},
		{name: "an address of 1,024 characters", headers: "x-a", maxAge: "600", calls: []call{with(xa(0), func(c *call) { c.url = long }), with(xa(1), func(c *call) { c.url = long })}, want: "1 2 1 1"},
	}
	for _, test := range tests {
		var got []string
		for _, engine := range Engines() {
			start := time.Unix(1_000_000, 0)
			now := start
			header := []string{"Access-Control-Allow-Origin", page, "Access-Control-Allow-Credentials", "true", "Access-Control-Allow-Headers", test.headers, "Access-Control-Allow-Methods", "PUT"}
			if test.maxAge != "" {
				header = append(header, "Access-Control-Max-Age", test.maxAge)
			}
			b := newBrowser(t, page, WithEngine(engine), WithHandler(respondWith(header...)), WithClock(func() time.Time { return now }))
			for _, c := range test.calls {
				now = start.Add(time.Duration(c.at) * time.Second)
				if _, blocked := send(t, b, c.method, c.url, Init{Credentials: c.credentials}, append([]string{"Content-Type", "text/plain"}, c.header...)...); blocked != nil {
					t.Fatalf("%s in %s: %v", test.name, engine, blocked)
				}
			}
			got = append(got, fmt.Sprint(b.Preflights()))
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %s, want %s", test.name, strings.Join(got, " "), test.want)
		}
	}
}

// TestAlternatingGrants: if a server grants only the requested headers, as common
// middleware does, a client that alternates between two headers causes a preflight
// for each call in Chromium and WebKit.
func TestAlternatingGrants(t *testing.T) {
	t.Parallel()
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", page)
		w.Header().Set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
		w.Header().Set("Access-Control-Max-Age", "600")
	})
	for engine, want := range map[Engine]int{Standard: 2, Chromium: 4, Firefox: 2, WebKit: 4} {
		b := newBrowser(t, page, WithEngine(engine), WithHandler(echo))
		for _, name := range []string{"X-A", "X-B", "X-A", "X-B"} {
			if _, blocked := send(t, b, "GET", server, Init{}, name, "1"); blocked != nil {
				t.Fatal(blocked)
			}
		}
		if got := b.Preflights(); got != want {
			t.Errorf("%s: %d preflights, want %d", engine, got, want)
		}
	}
}

// TestDroppedGrants: in the standard and in Firefox, a call that fails its CORS check
// removes the cached grant.
func TestDroppedGrants(t *testing.T) {
	t.Parallel()
	for engine, want := range map[Engine]int{Standard: 2, Chromium: 1, Firefox: 2, WebKit: 1} {
		b := newBrowser(t, page, WithEngine(engine), WithHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodOptions {
				w.Header().Set("Access-Control-Allow-Origin", page)
				w.Header().Set("Access-Control-Allow-Headers", "x-a")
				w.Header().Set("Access-Control-Max-Age", "600")
			}
		})))
		for range 2 {
			if _, blocked := send(t, b, "GET", server, Init{}, "X-A", "1"); blocked == nil {
				t.Fatal("nothing blocked the call")
			}
		}
		if got := b.Preflights(); got != want {
			t.Errorf("%s: %d preflights, want %d", engine, got, want)
		}
	}
}

// TestInsufficientGrants: WebKit caches a response that does not cover its own
// request, for later requests that it covers.
func TestInsufficientGrants(t *testing.T) {
	t.Parallel()
	for engine, want := range map[Engine]int{Standard: 2, Chromium: 2, Firefox: 2, WebKit: 1} {
		b := newBrowser(t, page, WithEngine(engine), WithHandler(respondWith("Access-Control-Allow-Origin", page, "Access-Control-Allow-Headers", "x-a", "Access-Control-Max-Age", "600")))
		if _, blocked := send(t, b, "GET", server, Init{}, "X-B", "1"); blocked == nil || blocked.Check != CheckHeaders {
			t.Fatalf("%s: %v", engine, blocked)
		}
		if _, blocked := send(t, b, "GET", server, Init{}, "X-A", "1"); blocked != nil {
			t.Fatalf("%s: %v", engine, blocked)
		}
		if got := b.Preflights(); got != want {
			t.Errorf("%s: %d preflights, want %d", engine, got, want)
		}
	}
}

// TestMaxAgeOfEngines: each engine reads Access-Control-Max-Age in its own way, and has a longest time.
func TestMaxAgeOfEngines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values                              []string
		standard, chromium, firefox, webkit time.Duration
	}{
		{nil, 5 * time.Second, 5 * time.Second, 5 * time.Second, 5 * time.Second},
		{[]string{"0"}, 0, 0, 0, 0},
		{[]string{"60"}, time.Minute, time.Minute, time.Minute, time.Minute},
		{[]string{"100000"}, 100000 * time.Second, 2 * time.Hour, 24 * time.Hour, 10 * time.Minute},
		{[]string{"60s"}, 5 * time.Second, 5 * time.Second, 0, 5 * time.Second},
		{[]string{"60", "60"}, 5 * time.Second, 5 * time.Second, 0, 5 * time.Second},
	} {
		header := http.Header{"access-control-max-age": c.values} // HTTP/2 has names in lower case
		for engine, want := range map[Engine]time.Duration{Standard: c.standard, {}: c.standard, Chromium: c.chromium, Firefox: c.firefox, WebKit: c.webkit} {
			if got := engine.MaxAge(header); got != want {
				t.Errorf("%q: %s in %s, want %s", c.values, got, engine, want)
			}
		}
	}
}
