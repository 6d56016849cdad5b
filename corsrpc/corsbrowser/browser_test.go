package corsbrowser

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
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

// newBrowser opens a page.
func newBrowser(t *testing.T, pageOrigin string, opts ...Option) *Browser {
	t.Helper()
	b, err := New(pageOrigin, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// granting answers everything with the headers, and notes nothing: the
// browser's log does.
func granting(header ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Add(header[i], header[i+1])
		}
		io.WriteString(w, "body")
	})
}

// send makes a call and returns what the script reads of it.
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

// wire writes the log as lines: method, and what a preflight asks for.
func wire(b *Browser) (lines []string) {
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
	full := granting("Access-Control-Allow-Origin", page, "Access-Control-Allow-Headers", "content-type, X-A", "Access-Control-Allow-Methods", "PUT", "Access-Control-Max-Age", "0")
	anything := granting("Access-Control-Allow-Origin", page, "Access-Control-Allow-Credentials", "true", "Access-Control-Allow-Headers", "*", "Access-Control-Allow-Methods", "*")
	tests := []struct {
		name, method, url string
		init              Init
		header            []string
		handler           http.Handler
		want              string
		blocked           Check
	}{
		{"a simple request", "GET", server, Init{}, nil, full, "GET", ""},
		{"HEAD and POST", "POST", server, Init{}, []string{"Content-Type", "text/plain"}, full, "POST", ""},
		{"an RPC", "POST", server, Init{}, []string{"Content-Type", "application/json"}, full, "preflight POST [content-type]; POST", ""},
		{"a method", "PUT", server, Init{}, []string{"Content-Type", "text/plain"}, full, "preflight PUT []; PUT", ""},
		{"an upload listener", "POST", server, Init{ForcePreflight: true}, []string{"Content-Type", "text/plain"}, full, "preflight POST []; POST", ""},
		{"a header that is granted in other letter case", "GET", server, Init{}, []string{"x-a", "1"}, full, "preflight GET [x-a]; GET", ""},
		{"same origin", "PUT", page, Init{}, []string{"X-A", "1"}, granting(), "PUT", ""},
		{"a header that is not granted", "GET", server, Init{}, []string{"X-B", "1"}, full, "preflight GET [x-b]", CheckHeaders},
		{"a method that is not granted", "DELETE", server, Init{}, nil, full, "preflight DELETE []", CheckMethods},
		{"no grant", "GET", server, Init{}, []string{"X-A", "1"}, granting(), "preflight GET [x-a]", CheckOriginMissing},
		{"a list that does not parse", "GET", server, Init{}, []string{"X-A", "1"}, granting("Access-Control-Allow-Origin", "*", "Access-Control-Allow-Headers", "x a"), "preflight GET [x-a]", CheckHeadersMalformed},
		{"a list of methods that does not parse", "PUT", server, Init{}, nil, granting("Access-Control-Allow-Origin", "*", "Access-Control-Allow-Methods", "P U T"), "preflight PUT []", CheckMethodsMalformed},
		{"mode same-origin", "GET", server, Init{Mode: SameOriginOnly}, nil, full, "", CheckMode},
		{"a forbidden method", "TRACE", server, Init{}, nil, full, "", CheckForbiddenMethod},
		{"plain HTTP", "GET", "http://api.example.com", Init{}, nil, full, "", CheckMixedContent},
		{"a user name", "GET", "https://user@api.example.com", Init{}, nil, full, "", CheckURL},
		{"a URL that is not HTTP", "GET", "ftp://api.example.com", Init{}, nil, full, "", CheckURL},
		{"no-cors has three methods", "PUT", server, Init{Mode: NoCORS}, nil, full, "", CheckMode},
		{"* for methods", "PUT", server, Init{}, nil, anything, "preflight PUT []; PUT", ""},
		{"* for methods, with credentials", "PUT", server, Init{Credentials: Include}, nil, anything, "preflight PUT []", CheckMethods},
		{"* for headers", "GET", server, Init{}, []string{"X-A", "1"}, anything, "preflight GET [x-a]; GET", ""},
		{"* for headers, with credentials", "GET", server, Init{Credentials: Include}, []string{"X-A", "1"}, anything, "preflight GET [x-a]", CheckHeaders},
		{"a method in another letter case", "put", server, Init{}, nil, full, "preflight PUT []; PUT", ""},
		{"a method in another letter case, which counts", "patch", server, Init{}, nil, granting("Access-Control-Allow-Origin", page, "Access-Control-Allow-Methods", "PATCH"), "preflight patch []", CheckMethods},
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
				if got := strings.Join(wire(b), "; "); got != test.want {
					t.Errorf("%s: sent %s, want %s", engine, got, test.want)
				}
			}
		})
	}
}

// TestUnnamedMethod: a forced preflight whose answer does not name any method
// grants the request's own, by the standard alone.
func TestUnnamedMethod(t *testing.T) {
	t.Parallel()
	for _, engine := range Engines() {
		for _, forced := range []bool{false, true} {
			b := newBrowser(t, page, WithEngine(engine), WithHandler(granting("Access-Control-Allow-Origin", page)))
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

// TestWhatGoesOut: the browser's own fields replace those that only a Go client can
// set.
func TestWhatGoesOut(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, page, WithHandler(granting("Access-Control-Allow-Origin", "*", "Access-Control-Allow-Headers", "*")), WithEngine(Firefox))
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

	// The script's own User-Agent is honoured where the engine does, and asked for.
	for engine, asked := range map[Engine]string{Firefox: "user-agent", WebKit: "user-agent", Chromium: ""} {
		b := newBrowser(t, page, WithHandler(granting("Access-Control-Allow-Origin", "*", "Access-Control-Allow-Headers", "*")), WithEngine(engine))
		if _, blocked := send(t, b, "GET", server, Init{ScriptSets: []string{"User-Agent"}}, "User-Agent", "script"); blocked != nil {
			t.Fatal(blocked)
		}
		log := b.Log()
		if got := log[0].Header.Get("Access-Control-Request-Headers"); got != asked {
			t.Errorf("%s asks for %q", engine, got)
		}
		if got := log[len(log)-1].Header.Get("User-Agent"); (got == "script") != (asked != "") {
			t.Errorf("%s sends %q", engine, got)
		}
	}
}

// TestSeveralLines: the lines of a field go out as one.
func TestSeveralLines(t *testing.T) {
	t.Parallel()
	for engine, contentType := range map[Engine]string{Standard: "a/b, c/d", Chromium: "a/b, c/d", Firefox: "a/b", WebKit: "a/b, c/d"} {
		b := newBrowser(t, page, WithHandler(granting("Access-Control-Allow-Origin", "*", "Access-Control-Allow-Headers", "content-type, x-a")), WithEngine(engine))
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
		page, method, url    string
		mode                 Mode
		origin, site, refers string
	}{
		{page, "GET", server, CORS, page, "same-site", page + "/"},
		{page, "GET", other, CORS, page, "cross-site", page + "/"},
		{page, "GET", page, CORS, "", "same-origin", page + "/"},
		{page, "POST", page, CORS, page, "same-origin", page + "/"},
		{page, "GET", server, NoCORS, "", "same-site", page + "/"},
		{page, "POST", server, NoCORS, page, "same-site", page + "/"},
		{"null", "GET", server, CORS, "null", "cross-site", ""},
		{"http://app.example.com", "GET", "http://api.example.com", CORS, "http://app.example.com", "", "http://app.example.com/"},
		{"https://x.github.io", "GET", "https://y.github.io", CORS, "https://x.github.io", "cross-site", "https://x.github.io/"},
		{"http://localhost:3000", "GET", "http://localhost:8080", CORS, "http://localhost:3000", "same-site", "http://localhost:3000/"},
		{"http://localhost:3000", "GET", "http://127.0.0.1:8080", CORS, "http://localhost:3000", "cross-site", "http://localhost:3000/"},
		{"capacitor://localhost", "GET", server, CORS, "capacitor://localhost", "cross-site", "capacitor://localhost/"},
	}
	for _, test := range tests {
		b := newBrowser(t, test.page, WithHandler(granting("Access-Control-Allow-Origin", "*")))
		if _, blocked := send(t, b, test.method, test.url, Init{Mode: test.mode}, "Content-Type", "text/plain"); blocked != nil {
			t.Fatal(blocked)
		}
		h := b.Log()[0].Header
		if h.Get("Origin") != test.origin || h.Get("Sec-Fetch-Site") != test.site || h.Get("Referer") != test.refers {
			t.Errorf("%s %s %s %s: origin %q, site %q, referer %q", test.page, test.method, test.url, test.mode, h.Get("Origin"), h.Get("Sec-Fetch-Site"), h.Get("Referer"))
		}
	}
}

// TestNewRefuses: what is not an origin, and options that cannot be met.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "app.example.com", page + "/", "HTTPS://app.example.com", "https://app.example.com:443", "https://u@app.example.com", page + "?q", "https://"} {
		if b, err := New(bad); err == nil || b != nil || !strings.Contains(err.Error(), "corsbrowser: the page: ") {
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
		t.Errorf("not every problem is named: %v", err)
	}
	for _, opt := range []Option{WithEngine(Engine{}), WithCredentials(""), WithDefaults(Init{}), WithEmbedder("null")} {
		b := newBrowser(t, page, WithHandler(granting("Access-Control-Allow-Origin", "*")), opt)
		if _, blocked := send(t, b, "PUT", page, Init{}); blocked != nil { // of the page's own origin
			t.Error(blocked)
		}
	}
}

// TestUnknownModes: a request whose context names one is not sent.
func TestUnknownModes(t *testing.T) {
	t.Parallel()
	for _, init := range []Init{{Mode: "x"}, {Credentials: "x"}, {Redirect: "x"}} {
		b := newBrowser(t, page, WithHandler(granting("Access-Control-Allow-Origin", "*")))
		r, err := http.NewRequestWithContext(WithInit(t.Context(), init), "GET", server, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.RoundTrip(r); err == nil || !strings.Contains(err.Error(), `"x" is not a`) || len(b.Log()) > 0 {
			t.Errorf("%+v: %v, sent %v", init, err, wire(b))
		}
	}
}

// TestZeroBrowser: a Browser that New did not make fails.
func TestZeroBrowser(t *testing.T) {
	t.Parallel()
	if _, err := new(Browser).Client().Get(server); err == nil || !strings.Contains(err.Error(), "New did not make it") {
		t.Error(err)
	}
}

// TestDropped: the log tells which of the script's fields did not go out.
func TestDropped(t *testing.T) {
	t.Parallel()
	open := granting("Access-Control-Allow-Origin", "*", "Access-Control-Allow-Headers", "*")
	tests := []struct {
		name    string
		engine  Engine
		handler http.Handler
		url     string
		init    Init
		header  []string
		want    string // of each exchange
	}{
		{"nothing", Standard, open, server, Init{}, []string{"X-A", "1"}, "map[] map[]"},
		{"a forbidden name, of the preflight's call too", Standard, open, server, Init{}, []string{"X-A", "1", "Date", "2", "Date", "3"}, "map[Date:[2 3]] map[Date:[2 3]]"},
		{"an override of a forbidden method", Standard, open, server, Init{}, []string{"X-Http-Method-Override", "TRACE"}, "map[X-Http-Method-Override:[TRACE]]"},
		{"one line of two", Standard, open, server, Init{}, []string{"X-Http-Method-Override", "TRACE", "X-Http-Method-Override", "PUT"}, "map[X-Http-Method-Override:[TRACE]] map[X-Http-Method-Override:[TRACE]]"},
		{"a User-Agent of the script's", Chromium, open, server, Init{ScriptSets: []string{"User-Agent"}}, []string{"User-Agent", "x"}, "map[User-Agent:[x]]"},
		{"a User-Agent that an engine takes", Firefox, open, server, Init{ScriptSets: []string{"User-Agent"}}, []string{"User-Agent", "x"}, "map[] map[]"},
		{"a User-Agent of the client's", Firefox, open, server, Init{}, []string{"User-Agent", "x"}, "map[User-Agent:[x]]"},
		{"what mode no-cors does not send", Standard, open, server, Init{Mode: NoCORS}, []string{"X-A", "1", "Accept", "text/plain"}, "map[X-A:[1]]"},
		{"what a redirect removes", Standard, redirecting(302, other, page, "null"), server + "/from", Init{}, []string{"Authorization", "a"}, "map[] map[] map[Authorization:[a]]"},
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

func TestExposedHeaders(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		exposed     []string
		credentials Credentials
		want        string
	}{
		{"none", nil, SameOrigin, "Cache-Control Content-Type"},
		{"by name, whatever the case", []string{"X-a"}, SameOrigin, "Cache-Control Content-Type X-A"},
		{"in lines", []string{"x-a", "x-b"}, SameOrigin, "Cache-Control Content-Type X-A X-B"},
		{"all", []string{"*"}, SameOrigin, "Access-Control-Allow-Credentials Access-Control-Allow-Origin Access-Control-Expose-Headers Cache-Control Content-Type X-A X-B"},
		{"a * is a name with credentials", []string{"*"}, Include, "Cache-Control Content-Type"},
		{"a cookie never", []string{"set-cookie"}, Include, "Cache-Control Content-Type"},
		{"one bad name spoils all", []string{"x-a, x b"}, SameOrigin, "Cache-Control Content-Type"},
		{"a prefix is a name", []string{"x-*"}, SameOrigin, "Cache-Control Content-Type"},
	}
	for _, test := range tests {
		header := []string{"Access-Control-Allow-Origin", page, "Access-Control-Allow-Credentials", "true", "X-A", "1", "X-B", "2", "Set-Cookie", "a=b", "Cache-Control", "no-store", "Content-Type", "text/plain"}
		for _, line := range test.exposed {
			header = append(header, "Access-Control-Expose-Headers", line)
		}
		response, blocked := send(t, newBrowser(t, page, WithHandler(granting(header...))), "GET", server, Init{Credentials: test.credentials})
		if blocked != nil {
			t.Fatal(blocked)
		}
		var names []string
		for name := range response.Header {
			names = append(names, name)
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != test.want {
			t.Errorf("%s: %s\nwant %s", test.name, got, test.want)
		}
	}
}

func TestOpaque(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, page, WithHandler(granting("X-A", "1", "Content-Type", "text/plain")))
	response, blocked := send(t, b, "GET", server, Init{Mode: NoCORS}, "X-A", "1", "Accept", "text/html")
	if blocked != nil || response.StatusCode != 0 || len(response.Header) != 0 {
		t.Fatalf("%+v %v", response, blocked)
	}
	if body, _ := io.ReadAll(response.Body); len(body) != 0 {
		t.Errorf("the script reads %q", body)
	}
	if sent := b.Log()[0].Header; sent.Get("X-A") != "" || sent.Get("Accept") != "text/html" {
		t.Errorf("sent %v", sent)
	}
}

// TestResourcePolicy: mode no-cors gets nothing of a resource that is for other pages
// (https://fetch.spec.whatwg.org/#concept-cross-origin-resource-policy-check).
func TestResourcePolicy(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		page, url, policy string
		want              Check
	}{
		{page, server, "", ""}, {page, server, "same-origin", CheckResourcePolicy}, {page, server, "same-site", ""}, {page, server, "cross-origin", ""},
		{page, other, "", ""}, {page, other, "same-origin", CheckResourcePolicy}, {page, other, "same-site", CheckResourcePolicy}, {page, other, "cross-origin", ""},
		{"http://app.example.com", server, "same-site", CheckResourcePolicy}, {"null", server, "same-site", CheckResourcePolicy},
	} {
		for _, engine := range Engines() {
			b := newBrowser(t, test.page, WithEngine(engine), WithHandler(granting("Cross-Origin-Resource-Policy", test.policy)))
			var got Check
			if _, blocked := send(t, b, "GET", test.url, Init{Mode: NoCORS}); blocked != nil {
				got = blocked.Check
			}
			if got != test.want {
				t.Errorf("%s: %s on %s, %q: blocked at %q, want %q", engine, test.url, test.page, test.policy, got, test.want)
			}
		}
	}
}

// TestBodyOfGET: GET and HEAD have no body (https://fetch.spec.whatwg.org/#dom-request).
func TestBodyOfGET(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"GET", "HEAD"} {
		for _, test := range []struct {
			body io.Reader
			want bool
		}{{strings.NewReader("{}"), false}, {http.NoBody, true}, {nil, true}} {
			b := newBrowser(t, page, WithHandler(granting("Access-Control-Allow-Origin", page)))
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

// TestGunzip: the script reads what the server compressed.
func TestGunzip(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, page, WithHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Content-Encoding", "gzip")
		if r.Method == http.MethodHead {
			return
		}
		z := gzip.NewWriter(w)
		io.WriteString(z, "body")
		z.Close()
	})))
	for method, want := range map[string]string{"GET": "body", "HEAD": ""} {
		response, blocked := send(t, b, method, server, Init{})
		if blocked != nil {
			t.Fatal(blocked)
		}
		if body, err := io.ReadAll(response.Body); string(body) != want || method == "GET" && err != nil {
			t.Errorf("%s: %q %v", method, body, err)
		}
	}
}

// TestTrailers: no script reads them, over HTTP/1.1 and HTTP/2.
func TestTrailers(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "http://localhost:3000")
		w.Header().Set("Access-Control-Expose-Headers", "x-a, trailer")
		w.Header().Set("Trailer", "X-A")
		io.WriteString(w, "body")
		w.Header().Set("X-A", "1")
		w.Header().Set(http.TrailerPrefix+"X-B", "1")
	})
	for _, http2 := range []bool{false, true} {
		s := httptest.NewUnstartedServer(handler)
		s.EnableHTTP2 = http2
		s.StartTLS()
		defer s.Close()
		response, blocked := send(t, newBrowser(t, "http://localhost:3000", WithTransport(s.Client().Transport)), "GET", s.URL, Init{})
		if blocked != nil || response.ProtoMajor == 2 != http2 {
			t.Fatalf("%v %+v", blocked, response)
		}
		if body, err := io.ReadAll(response.Body); string(body) != "body" || err != nil {
			t.Fatalf("%q %v", body, err)
		}
		if len(response.Trailer) != 0 || response.Header.Get("X-A") != "" {
			t.Errorf("HTTP/2 %v: %v %v", http2, response.Trailer, response.Header)
		}
	}
}

// TestBlockedErrors: they name the header, its value, what to send, and whether
// the call went out.
func TestBlockedErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		handler     http.Handler
		credentials Credentials
		header      []string
		want        BlockedError // but for its Reason
		text        string       // of the error, a part
	}{
		{
			name: "no grant", handler: granting(),
			want: BlockedError{
				Check: CheckOriginMissing, Sent: true, Header: "Access-Control-Allow-Origin", Fix: "Access-Control-Allow-Origin: " + page, Console: "MissingAllowOriginHeader",
			},
			text: "the call was sent",
		},
		{
			name: "a grant for another origin", handler: granting("Access-Control-Allow-Origin", other),
			want: BlockedError{
				Check: CheckOriginMismatch, Sent: true, Header: "Access-Control-Allow-Origin", Value: other, Fix: "Access-Control-Allow-Origin: " + page, Console: "AllowOriginMismatch",
			},
			text: "Access-Control-Allow-Origin is not " + page,
		},
		{
			name: "a * with credentials", handler: granting("Access-Control-Allow-Origin", "*"), credentials: Include,
			want: BlockedError{
				Check: CheckOriginWildcard, Sent: true, Header: "Access-Control-Allow-Origin", Value: "*", Fix: "Access-Control-Allow-Origin: " + page, Console: "WildcardOriginNotAllowed",
			},
			text: "grants nothing with credentials",
		},
		{
			name: "credentials that are not granted", handler: granting("Access-Control-Allow-Origin", page), credentials: Include,
			want: BlockedError{
				Check: CheckCredentials, Sent: true, Header: "Access-Control-Allow-Credentials", Fix: "Access-Control-Allow-Credentials: true", Console: "InvalidAllowCredentials",
			},
			text: "the call carries credentials",
		},
		{
			name: "a preflight without a grant", handler: granting(), header: []string{"X-A", "1"},
			want: BlockedError{
				Check: CheckOriginMissing, Preflight: true, Header: "Access-Control-Allow-Origin", Fix: "Access-Control-Allow-Origin: " + page, Console: "PreflightMissingAllowOriginHeader",
			},
			text: "of the preflight",
		},
		{
			name: "a header that is not granted", header: []string{"X-A", "1", "X-B", "1"},
			handler: granting("Access-Control-Allow-Origin", page, "Access-Control-Allow-Headers", "x-b"),
			want: BlockedError{
				Check: CheckHeaders, Preflight: true, Header: "Access-Control-Allow-Headers", Value: "x-b", Fix: "Access-Control-Allow-Headers: x-a, x-b", Console: "HeaderDisallowedByPreflightResponse",
			},
			text: "the call was not sent",
		},
		{
			name: "a list that does not parse", header: []string{"X-A", "1"},
			handler: granting("Access-Control-Allow-Origin", page, "Access-Control-Allow-Headers", "x y"),
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

// TestManyGoroutines: one browser, many calls at once.
func TestManyGoroutines(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, page, WithCredentials(Include), WithHandler(granting("Access-Control-Allow-Origin", page, "Access-Control-Allow-Credentials", "true",
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

// TestTransportFails: its error is there.
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

// TestBodyIsClosed: whatever becomes of the call.
func TestBodyIsClosed(t *testing.T) {
	t.Parallel()
	for _, url := range []string{server, "http://api.example.com", "ftp://api.example.com"} {
		body := &closing{Reader: bytes.NewReader([]byte("{}"))}
		r, err := http.NewRequestWithContext(t.Context(), "PUT", url, body)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := newBrowser(t, page, WithHandler(granting())).RoundTrip(r); err == nil || !body.closed {
			t.Errorf("%s: %v, closed %v", url, err, body.closed)
		}
	}
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

func TestForget(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, page, WithHandler(granting("Access-Control-Allow-Origin", page, "Access-Control-Allow-Headers", "x-a", "Access-Control-Max-Age", "60")))
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
		t.Error("the log stays")
	}
	_, _ = send(t, b, "GET", server, Init{}, "X-A", "1")
	if n := b.Preflights(); n != 1 {
		t.Errorf("%d preflights by a new browser", n)
	}
}

// TestLog: what went out and what came back, as the server sent it and as the
// script reads it.
func TestLog(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, page, WithHandler(granting("Access-Control-Allow-Origin", page, "Access-Control-Allow-Headers", "x-a", "X-B", "1", "Content-Type", "text/plain")), WithClock(func() time.Time { return time.Unix(0, 0) }))
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
			t.Error("the log can be changed")
		}
	}
}
