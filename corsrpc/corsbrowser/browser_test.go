package corsbrowser

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	page   = "https://app.example.com"
	server = "https://api.example.com"
	other  = "https://other.example"
)

// mustURLs parses URLs.
func mustURLs(t *testing.T, texts ...string) (urls []*url.URL) {
	t.Helper()
	for _, text := range texts {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		urls = append(urls, u)
	}
	return urls
}

// newBrowser opens a page, and ends the test if New fails.
func newBrowser(t *testing.T, pageOrigin string, opts ...Option) *Browser {
	t.Helper()
	b, err := New(pageOrigin, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// respondWith returns a handler that answers every request with these header
// fields, names and values alternately, and a body.
func respondWith(header ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Add(header[i], header[i+1])
		}
		io.WriteString(w, "body")
	})
}

// send makes a call with the header fields, names and values alternately. It returns
// the response that the script gets, or the error of a blocked call.
func send(t *testing.T, b *Browser, method, url string, init Init, header ...string) (*http.Response, *BlockedError) {
	t.Helper()
	var body io.Reader
	if method == http.MethodPost || method == http.MethodPut {
		body = strings.NewReader("{}")
	}
	r, err := http.NewRequestWithContext(WithInit(t.Context(), init), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	response, err := b.RoundTrip(r)
	if err != nil {
		var blocked *BlockedError
		if !errors.As(err, &blocked) {
			t.Fatal(err)
		}
		return nil, blocked
	}
	t.Cleanup(func() { response.Body.Close() })
	return response, nil
}

// sentLines returns a line for each request in the log: the method, or for a
// preflight the requested method and headers.
func sentLines(b *Browser) (lines []string) {
	for _, e := range b.Log() {
		line := e.Method
		if e.Preflight {
			line = fmt.Sprintf("preflight %s [%s]", e.Header.Get("Access-Control-Request-Method"), e.Header.Get("Access-Control-Request-Headers"))
		}
		lines = append(lines, line)
	}
	return lines
}

func TestPreflights(t *testing.T) {
	t.Parallel()
	full := respondWith("Access-Control-Allow-Origin", page, "Access-Control-Allow-Headers", "content-type, X-A", "Access-Control-Allow-Methods", "PUT", "Access-Control-Max-Age", "0")
	anything := respondWith("Access-Control-Allow-Origin", page, "Access-Control-Allow-Credentials", "true", "Access-Control-Allow-Headers", "*", "Access-Control-Allow-Methods", "*")
	tests := []struct {
		name, method, url string
		init              Init
		header            []string
		handler           http.Handler
		want              string
		blocked           Check
	}{
		{name: "a simple request", method: "GET", url: server, handler: full, want: "GET"},
		{name: "a POST with a safelisted Content-Type", method: "POST", url: server, header: []string{"Content-Type", "text/plain"}, handler: full, want: "POST"},
		{name: "an RPC", method: "POST", url: server, header: []string{"Content-Type", "application/json"}, handler: full, want: "preflight POST [content-type]; POST"},
		{name: "a method", method: "PUT", url: server, header: []string{"Content-Type", "text/plain"}, handler: full, want: "preflight PUT []; PUT"},
		{name: "an upload listener", method: "POST", url: server, init: Init{ForcePreflight: true}, header: []string{"Content-Type", "text/plain"}, handler: full, want: "preflight POST []; POST"},
		{name: "a header that is granted in other letter case", method: "GET", url: server, header: []string{"x-a", "1"}, handler: full, want: "preflight GET [x-a]; GET"},
		{name: "same origin", method: "PUT", url: page, header: []string{"X-A", "1"}, handler: respondWith(), want: "PUT"},
		{name: "a header that is not granted", method: "GET", url: server, header: []string{"X-B", "1"}, handler: full, want: "preflight GET [x-b]", blocked: CheckHeaders},
		{name: "a method that is not granted", method: "DELETE", url: server, handler: full, want: "preflight DELETE []", blocked: CheckMethods},
		{name: "no grant", method: "GET", url: server, header: []string{"X-A", "1"}, handler: respondWith(), want: "preflight GET [x-a]", blocked: CheckOriginMissing},
		{name: "a list that does not parse", method: "GET", url: server, header: []string{"X-A", "1"}, handler: respondWith("Access-Control-Allow-Origin", "*", "Access-Control-Allow-Headers", "x a"), want: "preflight GET [x-a]", blocked: CheckHeadersMalformed},
		{name: "a list of methods that does not parse", method: "PUT", url: server, handler: respondWith("Access-Control-Allow-Origin", "*", "Access-Control-Allow-Methods", "P U T"), want: "preflight PUT []", blocked: CheckMethodsMalformed},
		{name: "mode same-origin", method: "GET", url: server, init: Init{Mode: SameOriginOnly}, handler: full, blocked: CheckMode},
		{name: "a forbidden method", method: "TRACE", url: server, handler: full, blocked: CheckForbiddenMethod},
		{name: "plain HTTP", method: "GET", url: "http://api.example.com", handler: full, blocked: CheckMixedContent},
		{name: "a user name", method: "GET", url: "https://user@api.example.com", handler: full, blocked: CheckURL},
		{name: "a URL that is not HTTP", method: "GET", url: "ftp://api.example.com", handler: full, blocked: CheckURL},
		{name: "no-cors has three methods", method: "PUT", url: server, init: Init{Mode: NoCORS}, handler: full, blocked: CheckMode},
		{name: "* for methods", method: "PUT", url: server, handler: anything, want: "preflight PUT []; PUT"},
		{name: "* for methods, with credentials", method: "PUT", url: server, init: Init{Credentials: Include}, handler: anything, want: "preflight PUT []", blocked: CheckMethods},
		{name: "* for headers", method: "GET", url: server, header: []string{"X-A", "1"}, handler: anything, want: "preflight GET [x-a]; GET"},
		{name: "* for headers, with credentials", method: "GET", url: server, init: Init{Credentials: Include}, header: []string{"X-A", "1"}, handler: anything, want: "preflight GET [x-a]", blocked: CheckHeaders},
		{name: "a method in another letter case", method: "put", url: server, handler: full, want: "preflight PUT []; PUT"},
		{name: "a method that is not normalized, in another letter case", method: "patch", url: server, handler: respondWith("Access-Control-Allow-Origin", page, "Access-Control-Allow-Methods", "PATCH"), want: "preflight patch []", blocked: CheckMethods},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, engine := range Engines() {
				b := newBrowser(t, page, WithHandler(test.handler), WithEngine(engine))
				_, blocked := send(t, b, test.method, test.url, test.init, test.header...)
				var got Check
				if blocked != nil {
					got = blocked.Check
				}
				if got != test.blocked {
					t.Errorf("%s: blocked at %q (%v), want %q", engine, got, blocked, test.blocked)
				}
				if got := strings.Join(sentLines(b), "; "); got != test.want {
					t.Errorf("%s: sent %s, want %s", engine, got, test.want)
				}
			}
		})
	}
}

// TestUnnamedMethod: a forced preflight whose response lists no methods grants the
// request's method, in the standard only.
func TestUnnamedMethod(t *testing.T) {
	t.Parallel()
	for _, engine := range Engines() {
		for _, forced := range []bool{false, true} {
			b := newBrowser(t, page, WithEngine(engine), WithHandler(respondWith("Access-Control-Allow-Origin", page)))
			_, blocked := send(t, b, "PUT", server, Init{ForcePreflight: forced}, "Content-Type", "text/plain")
			if allowed := engine == Standard && forced; (blocked == nil) != allowed || blocked != nil && blocked.Check != CheckMethods {
				t.Errorf("%s, forced %v: %v", engine, forced, blocked)
			}
		}
	}
}

func TestPreflightStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]Check{200: "", 204: "", 299: "", 300: CheckPreflightStatus, 301: CheckPreflightRedirect, 307: CheckPreflightRedirect, 403: CheckPreflightStatus, 500: CheckPreflightStatus} {
		b := newBrowser(t, page, WithHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.Header().Set("Access-Control-Allow-Headers", "x-a")
			if r.Method == http.MethodOptions {
				w.WriteHeader(status)
			}
		})))
		_, blocked := send(t, b, "GET", server, Init{}, "X-A", "1")
		if blocked == nil != (want == "") || blocked != nil && (blocked.Check != want || !blocked.Preflight || blocked.Sent) {
			t.Errorf("%d: %v", status, blocked)
		}
	}
}

// TestRequestHeader: the browser replaces the header fields that a script cannot
// set by its own.
func TestRequestHeader(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, page, WithHandler(respondWith("Access-Control-Allow-Origin", "*", "Access-Control-Allow-Headers", "*")), WithEngine(Firefox))
	forbidden := []string{"Host", "Cookie", "Origin", "Referer", "Connection", "Te", "Trailer", "Sec-Fetch-Site", "Sec-X", "Proxy-X", "Date", "Via", "Access-Control-Request-Method"}
	header := []string{"User-Agent", "connect-go", "Accept-Encoding", "zstd", "X-Http-Method-Override", "TRACE"}
	for _, name := range forbidden {
		header = append(header, name, "forged")
	}
	if _, blocked := send(t, b, "GET", server, Init{}, header...); blocked != nil {
		t.Fatal(blocked)
	}
	got := b.Log()[0].Header
	want := http.Header{
		"Accept": {"*/*"}, "Accept-Encoding": {"gzip"}, "Origin": {page}, "Referer": {page + "/"}, "User-Agent": {Firefox.userAgent},
		"Sec-Fetch-Dest": {"empty"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Site": {"same-site"},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || len(b.Log()) != 1 {
		t.Errorf("sent %v\nwant %v", got, want)
	}

	// An engine that lets scripts set User-Agent requests it in the preflight.
	for engine, requested := range map[Engine]string{Firefox: "user-agent", WebKit: "user-agent", Chromium: ""} {
		b := newBrowser(t, page, WithHandler(respondWith("Access-Control-Allow-Origin", "*", "Access-Control-Allow-Headers", "*")), WithEngine(engine))
		if _, blocked := send(t, b, "GET", server, Init{ScriptSets: []string{"User-Agent"}}, "User-Agent", "script"); blocked != nil {
			t.Fatal(blocked)
		}
		log := b.Log()
		if got := log[0].Header.Get("Access-Control-Request-Headers"); got != requested {
			t.Errorf("%s: the preflight requests %q, want %q", engine, got, requested)
		}
		if got := log[len(log)-1].Header.Get("User-Agent"); (got == "script") != (requested != "") {
			t.Errorf("%s sends %q", engine, got)
		}
	}
}

// TestSeveralLines: the lines of a field are sent as one line.
func TestSeveralLines(t *testing.T) {
	t.Parallel()
	for engine, contentType := range map[Engine]string{Standard: "a/b, c/d", Chromium: "a/b, c/d", Firefox: "a/b", WebKit: "a/b, c/d"} {
		b := newBrowser(t, page, WithHandler(respondWith("Access-Control-Allow-Origin", "*", "Access-Control-Allow-Headers", "content-type, x-a")), WithEngine(engine))
		if _, blocked := send(t, b, "POST", server, Init{}, "X-A", "1", "X-A", "2", "Content-Type", "a/b", "Content-Type", "c/d"); blocked != nil {
			t.Fatal(blocked)
		}
		sent := b.Log()[1].Header
		if got := strings.Join(sent["X-A"], " | "); got != "1, 2" {
			t.Errorf("%s sends X-A: %s", engine, got)
		}
		if got := strings.Join(sent["Content-Type"], " | "); got != contentType {
			t.Errorf("%s sends Content-Type: %s", engine, got)
		}
	}
}

func TestOriginAndSite(t *testing.T) {
	t.Parallel()
	tests := []struct {
		page, method, url     string
		mode                  Mode
		origin, site, referer string
	}{
		{page: page, method: "GET", url: server, mode: CORS, origin: page, site: "same-site", referer: page + "/"},
		{page: page, method: "GET", url: other, mode: CORS, origin: page, site: "cross-site", referer: page + "/"},
		{page: page, method: "GET", url: page, mode: CORS, site: "same-origin", referer: page + "/"},
		{page: page, method: "POST", url: page, mode: CORS, origin: page, site: "same-origin", referer: page + "/"},
		{page: page, method: "GET", url: server, mode: NoCORS, site: "same-site", referer: page + "/"},
		{page: page, method: "POST", url: server, mode: NoCORS, origin: page, site: "same-site", referer: page + "/"},
		{page: "null", method: "GET", url: server, mode: CORS, origin: "null", site: "cross-site"},
		{page: "http://app.example.com", method: "GET", url: "http://api.example.com", mode: CORS, origin: "http://app.example.com", referer: "http://app.example.com/"},
		{page: "https://x.github.io", method: "GET", url: "https://y.github.io", mode: CORS, origin: "https://x.github.io", site: "cross-site", referer: "https://x.github.io/"},
		{page: "http://localhost:3000", method: "GET", url: "http://localhost:8080", mode: CORS, origin: "http://localhost:3000", site: "same-site", referer: "http://localhost:3000/"},
		{page: "http://localhost:3000", method: "GET", url: "http://127.0.0.1:8080", mode: CORS, origin: "http://localhost:3000", site: "cross-site", referer: "http://localhost:3000/"},
		{page: "capacitor://localhost", method: "GET", url: server, mode: CORS, origin: "capacitor://localhost", site: "cross-site", referer: "capacitor://localhost/"},
	}
	for _, test := range tests {
		b := newBrowser(t, test.page, WithHandler(respondWith("Access-Control-Allow-Origin", "*")))
		if _, blocked := send(t, b, test.method, test.url, Init{Mode: test.mode}, "Content-Type", "text/plain"); blocked != nil {
			t.Fatal(blocked)
		}
		h := b.Log()[0].Header
		if h.Get("Origin") != test.origin || h.Get("Sec-Fetch-Site") != test.site || h.Get("Referer") != test.referer {
			t.Errorf("%s %s %s %s: origin %q, site %q, referer %q", test.page, test.method, test.url, test.mode, h.Get("Origin"), h.Get("Sec-Fetch-Site"), h.Get("Referer"))
		}
	}
}

// TestNewRefuses: New fails for a text that is not an origin and for invalid options.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "app.example.com", page + "/", "HTTPS://app.example.com", "https://app.example.com:443", "https://u@app.example.com", page + "?q", "https://"} {
		if b, err := New(bad); err == nil || b != nil || !strings.Contains(err.Error(), "corsbrowser: the page's origin: ") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for want, opt := range map[string]Option{
		"corsbrowser: option 0 is nil":                                                          nil,
		"corsbrowser: WithTransport: the transport is nil":                                      WithTransport(nil),
		"corsbrowser: WithHandler: the handler is nil":                                          WithHandler(nil),
		"corsbrowser: WithClock: the clock is nil":                                              WithClock(nil),
		"corsbrowser: WithCookieJar: the jar is nil":                                            WithCookieJar(nil),
		`corsbrowser: WithEmbedder: "app.example.com" is not an origin`:                         WithEmbedder("app.example.com"),
		`corsbrowser: "included" is not a credentials mode: write omit, same-origin or include`: WithCredentials("included"),
		`corsbrowser: "Cors" is not a mode: write cors, no-cors or same-origin`:                 WithDefaults(Init{Mode: "Cors"}),
		`corsbrowser: "none" is not a redirect mode: write follow, error or manual`:             WithDefaults(Init{Redirect: "none"}),
	} {
		if b, err := New(page, opt); err == nil || b != nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := New("", WithHandler(nil), WithClock(nil)); strings.Count(fmt.Sprint(err), "\n") != 2 {
		t.Errorf("the error does not list every problem: %v", err)
	}
	for _, opt := range []Option{WithEngine(Engine{}), WithCredentials(""), WithDefaults(Init{}), WithEmbedder("null")} {
		b := newBrowser(t, page, WithHandler(respondWith("Access-Control-Allow-Origin", "*")), opt)
		if _, blocked := send(t, b, "PUT", page, Init{}); blocked != nil { // of the page's own origin
			t.Error(blocked)
		}
	}
}

// TestUnknownModes: a request whose context has an unknown mode is not sent.
func TestUnknownModes(t *testing.T) {
	t.Parallel()
	for _, init := range []Init{{Mode: "x"}, {Credentials: "x"}, {Redirect: "x"}} {
		b := newBrowser(t, page, WithHandler(respondWith("Access-Control-Allow-Origin", "*")))
		r, err := http.NewRequestWithContext(WithInit(t.Context(), init), "GET", server, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.RoundTrip(r); err == nil || !strings.Contains(err.Error(), `"x" is not a`) || len(b.Log()) > 0 {
			t.Errorf("%+v: %v, sent %v", init, err, sentLines(b))
		}
	}
}

// TestZeroBrowser: a request of a Browser that New did not make fails.
func TestZeroBrowser(t *testing.T) {
	t.Parallel()
	if _, err := new(Browser).Client().Get(server); err == nil || !strings.Contains(err.Error(), "make it with New") {
		t.Error(err)
	}
}

// TestDropped: the log holds the script's fields that were not sent.
func TestDropped(t *testing.T) {
	t.Parallel()
	open := respondWith("Access-Control-Allow-Origin", "*", "Access-Control-Allow-Headers", "*")
	tests := []struct {
		name    string
		engine  Engine
		handler http.Handler
		url     string
		init    Init
		header  []string
		want    string // the Dropped of each exchange
	}{
		{name: "nothing", engine: Standard, handler: open, url: server, header: []string{"X-A", "1"}, want: "map[] map[]"},
		{name: "a forbidden name, of the preflight's call too", engine: Standard, handler: open, url: server, header: []string{"X-A", "1", "Date", "2", "Date", "3"}, want: "map[Date:[2 3]] map[Date:[2 3]]"},
		{name: "an override of a forbidden method", engine: Standard, handler: open, url: server, header: []string{"X-Http-Method-Override", "TRACE"}, want: "map[X-Http-Method-Override:[TRACE]]"},
		{name: "one line of two", engine: Standard, handler: open, url: server, header: []string{"X-Http-Method-Override", "TRACE", "X-Http-Method-Override", "PUT"}, want: "map[X-Http-Method-Override:[TRACE]] map[X-Http-Method-Override:[TRACE]]"},
		{name: "a User-Agent of the script's", engine: Chromium, handler: open, url: server, init: Init{ScriptSets: []string{"User-Agent"}}, header: []string{"User-Agent", "x"}, want: "map[User-Agent:[x]]"},
		{name: "a User-Agent that the engine lets scripts set", engine: Firefox, handler: open, url: server, init: Init{ScriptSets: []string{"User-Agent"}}, header: []string{"User-Agent", "x"}, want: "map[] map[]"},
		{name: "a User-Agent of the client's", engine: Firefox, handler: open, url: server, header: []string{"User-Agent", "x"}, want: "map[User-Agent:[x]]"},
		{name: "a header that mode no-cors does not send", engine: Standard, handler: open, url: server, init: Init{Mode: NoCORS}, header: []string{"X-A", "1", "Accept", "text/plain"}, want: "map[X-A:[1]]"},
		{name: "a header that a redirect removes", engine: Standard, handler: redirecting(302, other, page, "null"), url: server + "/from", header: []string{"Authorization", "a"}, want: "map[] map[] map[Authorization:[a]]"},
	}
	for _, test := range tests {
		b := newBrowser(t, page, WithHandler(test.handler), WithEngine(test.engine))
		if _, blocked := send(t, b, "GET", test.url, test.init, test.header...); blocked != nil {
			t.Errorf("%s: %v", test.name, blocked)
		}
		var got []string
		for _, e := range b.Log() {
			got = append(got, fmt.Sprint(map[string][]string(e.Dropped)))
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// TestBodyOfGET: a GET or HEAD with a body is blocked (https://fetch.spec.whatwg.org/#dom-request).
func TestBodyOfGET(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"GET", "HEAD"} {
		for _, test := range []struct {
			body io.Reader
			want bool
		}{{strings.NewReader("{}"), false}, {http.NoBody, true}, {nil, true}} {
			b := newBrowser(t, page, WithHandler(respondWith("Access-Control-Allow-Origin", page)))
			r, err := http.NewRequestWithContext(t.Context(), method, server, test.body)
			if err != nil {
				t.Fatal(err)
			}
			response, err := b.RoundTrip(r)
			if err == nil {
				response.Body.Close()
			}
			var blocked *BlockedError
			if (err == nil) != test.want || len(b.Log()) == 1 != test.want || errors.As(err, &blocked) && blocked.Check != CheckBody {
				t.Errorf("%s with %T: %v", method, test.body, err)
			}
		}
	}
}

// TestBlockedErrors: a BlockedError holds the header, its value, the value that
// would have passed, and whether the call was sent.
func TestBlockedErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		handler     http.Handler
		credentials Credentials
		header      []string
		want        BlockedError // without its Reason
		text        string       // a part of Error()
	}{
		{
			name: "no grant", handler: respondWith(),
			want: BlockedError{
				Check: CheckOriginMissing, Sent: true, Header: "Access-Control-Allow-Origin", Fix: "Access-Control-Allow-Origin: " + page, Console: "MissingAllowOriginHeader",
			},
			text: "the call was sent",
		},
		{
			name: "a grant for another origin", handler: respondWith("Access-Control-Allow-Origin", other),
			want: BlockedError{
				Check: CheckOriginMismatch, Sent: true, Header: "Access-Control-Allow-Origin", Value: other, Fix: "Access-Control-Allow-Origin: " + page, Console: "AllowOriginMismatch",
			},
			text: "Access-Control-Allow-Origin is not " + page,
		},
		{
			name: "a * with credentials", handler: respondWith("Access-Control-Allow-Origin", "*"), credentials: Include,
			want: BlockedError{
				Check: CheckOriginWildcard, Sent: true, Header: "Access-Control-Allow-Origin", Value: "*", Fix: "Access-Control-Allow-Origin: " + page, Console: "WildcardOriginNotAllowed",
			},
			text: "grants nothing with credentials",
		},
		{
			name: "credentials that are not granted", handler: respondWith("Access-Control-Allow-Origin", page), credentials: Include,
			want: BlockedError{
				Check: CheckCredentials, Sent: true, Header: "Access-Control-Allow-Credentials", Fix: "Access-Control-Allow-Credentials: true", Console: "InvalidAllowCredentials",
			},
			text: "the call carries credentials",
		},
		{
			name: "a preflight without a grant", handler: respondWith(), header: []string{"X-A", "1"},
			want: BlockedError{
				Check: CheckOriginMissing, Preflight: true, Header: "Access-Control-Allow-Origin", Fix: "Access-Control-Allow-Origin: " + page, Console: "PreflightMissingAllowOriginHeader",
			},
			text: "of the preflight",
		},
		{
			name: "a header that is not granted", header: []string{"X-A", "1", "X-B", "1"},
			handler: respondWith("Access-Control-Allow-Origin", page, "Access-Control-Allow-Headers", "x-b"),
			want: BlockedError{
				Check: CheckHeaders, Preflight: true, Header: "Access-Control-Allow-Headers", Value: "x-b", Fix: "Access-Control-Allow-Headers: x-a, x-b", Console: "HeaderDisallowedByPreflightResponse",
			},
			text: "the call was not sent",
		},
		{
			name: "a list that does not parse", header: []string{"X-A", "1"},
			handler: respondWith("Access-Control-Allow-Origin", page, "Access-Control-Allow-Headers", "x y"),
			want: BlockedError{
				Check: CheckHeadersMalformed, Preflight: true, Header: "Access-Control-Allow-Headers", Value: "x y", Fix: "Access-Control-Allow-Headers with names separated by commas", Console: "InvalidAllowHeadersPreflightResponse",
			},
			text: "is not a list of names",
		},
	}
	for _, test := range tests {
		_, blocked := send(t, newBrowser(t, page, WithHandler(test.handler)), "GET", server, Init{Credentials: test.credentials}, test.header...)
		if blocked == nil {
			t.Errorf("%s: nothing blocked the call", test.name)
			continue
		}
		got := *blocked
		if got.Reason = ""; got != test.want || !strings.Contains(blocked.Error(), test.text) {
			t.Errorf("%s: %+v\nwant %+v", test.name, got, test.want)
		}
	}
}

// TestManyGoroutines: one browser makes many calls concurrently.
func TestManyGoroutines(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, page, WithCredentials(Include), WithHandler(respondWith("Access-Control-Allow-Origin", page, "Access-Control-Allow-Credentials", "true",
		"Access-Control-Allow-Headers", "x-a", "Access-Control-Allow-Methods", "PUT", "Set-Cookie", "a=b")))
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for range 10 {
				response, blocked := send(t, b, "PUT", fmt.Sprintf("%s/%d", server, i%5), Init{}, "X-A", "1")
				if blocked != nil {
					t.Error(blocked)
					return
				}
				if body, err := io.ReadAll(response.Body); string(body) != "body" || err != nil {
					t.Errorf("%q %v", body, err)
				}
				b.Log()
			}
		}()
	}
	wait.Wait()
	if n := len(b.Log()) - b.Preflights(); n != 500 {
		t.Errorf("%d calls", n)
	}
}

// TestTransportFails: a BlockedError wraps the transport's error.
func TestTransportFails(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	_, err := newBrowser(t, "http://localhost:3000").Client().Get(s.URL)
	var blocked *BlockedError
	if !errors.As(err, &blocked) || blocked.Check != CheckNetwork || blocked.Err == nil || !errors.Is(err, blocked.Err) {
		t.Error(err)
	}
}

func TestForget(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, page, WithHandler(respondWith("Access-Control-Allow-Origin", page, "Access-Control-Allow-Headers", "x-a", "Access-Control-Max-Age", "60")))
	for range 2 {
		if _, blocked := send(t, b, "GET", server, Init{}, "X-A", "1"); blocked != nil {
			t.Fatal(blocked)
		}
	}
	if n := b.Preflights(); n != 1 {
		t.Errorf("%d preflights", n)
	}
	b.Forget()
	if len(b.Log()) != 0 {
		t.Error("the log is not empty after Forget")
	}
	_, _ = send(t, b, "GET", server, Init{}, "X-A", "1")
	if n := b.Preflights(); n != 1 {
		t.Errorf("%d preflights after Forget, want 1", n)
	}
}

// TestLog: the log holds each request and its response header, as sent and as the
// script reads it.
func TestLog(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, page, WithHandler(respondWith("Access-Control-Allow-Origin", page, "Access-Control-Allow-Headers", "x-a", "X-B", "1", "Content-Type", "text/plain")), WithClock(func() time.Time { return time.Unix(0, 0) }))
	if _, blocked := send(t, b, "GET", server+"/a#f", Init{}, "X-A", "1", "Date", "1"); blocked != nil {
		t.Fatal(blocked)
	}
	log := b.Log()
	if len(log) != 2 || !log[0].Preflight || log[1].Preflight || log[1].URL != server+"/a" || log[1].Method != "GET" || log[1].Status != 200 ||
		log[0].Readable != nil || log[1].Answer.Get("X-B") != "1" || len(log[1].Readable) != 1 {
		t.Errorf("%+v", log)
	}
	for _, header := range []func(Exchange) http.Header{
		func(e Exchange) http.Header { return e.Header }, func(e Exchange) http.Header { return e.Dropped },
		func(e Exchange) http.Header { return e.Answer }, func(e Exchange) http.Header { return e.Readable },
	} {
		if header(log[1]).Set("X-A", "changed"); header(b.Log()[1]).Get("X-A") == "changed" {
			t.Error("a change to a returned log changed the browser's log")
		}
	}
}
