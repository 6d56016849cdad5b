package corsbrowser

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestRememberedPreflights: calls one after the other, at seconds of the test's
// clock, and how many preflights each engine makes. The numbers are those
// measured in the browsers, where time plays no part.
func TestRememberedPreflights(t *testing.T) {
	t.Parallel()
	type call struct {
		at          int
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
		want    string // for the standard, Chromium, Firefox, WebKit
	}{
		{"the same again", "x-a", "600", []call{xa(0), xa(599), xa(600)}, "2 2 2 2"},
		{"longer than WebKit takes", "x-a", "7200", []call{xa(0), xa(600), xa(7199)}, "1 1 1 3"},
		{"longer than Chromium takes", "x-a", "86400", []call{xa(0), xa(7200), xa(86399)}, "1 3 1 3"},
		{"longer than Firefox takes", "x-a", "1000000", []call{xa(0), xa(86400)}, "1 2 2 2"},
		{"five seconds where nothing is said", "x-a", "", []call{xa(0), xa(4), xa(5)}, "2 2 2 2"},
		{"not at all", "x-a", "0", []call{xa(0), xa(0)}, "2 2 2 2"},
		{"a negative age", "x-a", "-1", []call{xa(0), xa(0)}, "1 2 2 2"},
		{"another header that is granted", "x-a, x-b", "600", []call{xa(0), with(xa(1), func(c *call) { c.header = []string{"X-B", "1"} })}, "1 1 1 1"},
		{"every header", "*", "600", []call{xa(0), with(xa(1), func(c *call) { c.header = []string{"X-B", "1"} })}, "1 1 2 1"},
		{"another method that is granted", "x-a", "600", []call{xa(0), with(xa(1), func(c *call) { c.method = "PUT" })}, "1 1 1 1"},
		{"HEAD is safelisted, but for Firefox's cache", "x-a", "600", []call{with(xa(0), func(c *call) { c.method = "HEAD" }), with(xa(1), func(c *call) { c.method = "HEAD" })}, "1 1 2 1"},
		{"another query", "x-a", "600", []call{xa(0), with(xa(1), func(c *call) { c.url += "?q" })}, "2 2 2 2"},
		{"another fragment", "x-a", "600", []call{xa(0), with(xa(1), func(c *call) { c.url += "#f" })}, "2 2 2 2"},
		{"granted with credentials, used without", "x-a", "600", []call{with(xa(0), included), xa(1)}, "1 1 2 1"},
		{"granted without credentials, used with", "x-a", "600", []call{xa(0), with(xa(1), included)}, "2 2 2 2"},
		{"an address of 1,023 characters", "x-a", "600", []call{with(xa(0), func(c *call) { c.url = long[:1023] }), with(xa(1), func(c *call) { c.url = long[:1023] })}, "1 1 1 1"},
		{"an address of 1,024 characters", "x-a", "600", []call{with(xa(0), func(c *call) { c.url = long }), with(xa(1), func(c *call) { c.url = long })}, "1 2 1 1"},
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
			b := newBrowser(t, page, WithEngine(engine), WithHandler(granting(header...)), WithClock(func() time.Time { return now }))
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

// TestAlternatingGrants: a server that grants what each preflight asks for, as
// middleware does, and a client that alternates.
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

// TestDroppedGrants: a call that fails its check removes the grant, in the engines
// that do so.
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

// TestInsufficientGrants: an answer that does not grant its own request is cached
// by WebKit, for others that it does grant.
func TestInsufficientGrants(t *testing.T) {
	t.Parallel()
	for engine, want := range map[Engine]int{Standard: 2, Chromium: 2, Firefox: 2, WebKit: 1} {
		b := newBrowser(t, page, WithEngine(engine), WithHandler(granting("Access-Control-Allow-Origin", page, "Access-Control-Allow-Headers", "x-a", "Access-Control-Max-Age", "600")))
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
