package corstest

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
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
	full := granting("Access-Control-Allow-Origin", page, "Access-Control-Allow-Headers", "content-type, x-a", "Access-Control-Allow-Methods", "PUT", "Access-Control-Max-Age", "0")
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
		{"same origin", "PUT", page, Init{}, []string{"X-A", "1"}, granting(), "PUT", ""},
		{"a header that is not granted", "GET", server, Init{}, []string{"X-B", "1"}, full, "preflight GET [x-b]", CheckHeaders},
		{"a method that is not granted", "DELETE", server, Init{}, nil, full, "preflight DELETE []", CheckMethods},
		{"no grant", "GET", server, Init{}, []string{"X-A", "1"}, granting(), "preflight GET [x-a]", CheckOriginMissing},
		{"a list that is none", "GET", server, Init{}, []string{"X-A", "1"}, granting("Access-Control-Allow-Origin", "*", "Access-Control-Allow-Headers", "x a"), "preflight GET [x-a]", CheckHeadersMalformed},
		{"a list of methods that is none", "PUT", server, Init{}, nil, granting("Access-Control-Allow-Origin", "*", "Access-Control-Allow-Methods", "P U T"), "preflight PUT []", CheckMethodsMalformed},
		{"mode same-origin", "GET", server, Init{Mode: SameOriginOnly}, nil, full, "", CheckMode},
		{"a method that no script has", "TRACE", server, Init{}, nil, full, "", CheckForbiddenMethod},
		{"plain HTTP", "GET", "http://api.example.com", Init{}, nil, full, "", CheckMixedContent},
		{"a user name", "GET", "https://user@api.example.com", Init{}, nil, full, "", CheckURL},
		{"no HTTP", "GET", "ftp://api.example.com", Init{}, nil, full, "", CheckURL},
		{"no-cors has three methods", "PUT", server, Init{Mode: NoCORS}, nil, full, "", CheckMode},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, engine := range Engines() {
				b := NewBrowser(page, WithHandler(test.handler), WithEngine(engine))
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

func TestPreflightStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]Check{200: "", 204: "", 299: "", 300: CheckPreflightStatus, 301: CheckPreflightRedirect, 307: CheckPreflightRedirect, 403: CheckPreflightStatus, 500: CheckPreflightStatus} {
		b := NewBrowser(page, WithHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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

// TestWhatGoesOut: what a Go client sets and a browser would not is gone, and
// what the browser sets is there.
func TestWhatGoesOut(t *testing.T) {
	t.Parallel()
	b := NewBrowser(page, WithHandler(granting("Access-Control-Allow-Origin", "*", "Access-Control-Allow-Headers", "*")), WithEngine(Firefox))
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
		b := NewBrowser(page, WithHandler(granting("Access-Control-Allow-Origin", "*", "Access-Control-Allow-Headers", "*")), WithEngine(engine))
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
		b := NewBrowser(test.page, WithHandler(granting("Access-Control-Allow-Origin", "*")))
		if _, blocked := send(t, b, test.method, test.url, Init{Mode: test.mode}, "Content-Type", "text/plain"); blocked != nil {
			t.Fatal(blocked)
		}
		h := b.Log()[0].Header
		if h.Get("Origin") != test.origin || h.Get("Sec-Fetch-Site") != test.site || h.Get("Referer") != test.refers {
			t.Errorf("%s %s %s %s: origin %q, site %q, referer %q", test.page, test.method, test.url, test.mode, h.Get("Origin"), h.Get("Sec-Fetch-Site"), h.Get("Referer"))
		}
	}
}

func TestNewBrowserRefuses(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "app.example.com", page + "/", "HTTPS://app.example.com", "https://app.example.com:443", "https://u@app.example.com", page + "?q", "https://"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q is taken for an origin", bad)
				}
			}()
			NewBrowser(bad)
		}()
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
		response, blocked := send(t, NewBrowser(page, WithHandler(granting(header...))), "GET", server, Init{Credentials: test.credentials})
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
	b := NewBrowser(page, WithHandler(granting("X-A", "1", "Content-Type", "text/plain")))
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

// TestGunzip: the script reads what the server compressed.
func TestGunzip(t *testing.T) {
	t.Parallel()
	b := NewBrowser(page, WithHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
		response, blocked := send(t, NewBrowser("http://localhost:3000", WithTransport(s.Client().Transport)), "GET", s.URL, Init{})
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

// TestBlockedErrors: they name the header, the value, what to send, and whether
// the call went out.
func TestBlockedErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		handler                           http.Handler
		credentials                       Credentials
		header                            []string
		check                             Check
		preflight, sent                   bool
		name, value, fix, console, inText string
	}{
		{granting(), SameOrigin, nil, CheckOriginMissing, false, true, "Access-Control-Allow-Origin", "", "Access-Control-Allow-Origin: " + page, "MissingAllowOriginHeader", "the call was sent"},
		{granting("Access-Control-Allow-Origin", other), SameOrigin, nil, CheckOriginMismatch, false, true, "Access-Control-Allow-Origin", other, "Access-Control-Allow-Origin: " + page, "AllowOriginMismatch", page},
		{granting("Access-Control-Allow-Origin", "*"), Include, nil, CheckOriginWildcard, false, true, "Access-Control-Allow-Origin", "*", "Access-Control-Allow-Origin: " + page, "WildcardOriginNotAllowed", "credentials"},
		{granting("Access-Control-Allow-Origin", page), Include, nil, CheckCredentials, false, true, "Access-Control-Allow-Credentials", "", "Access-Control-Allow-Credentials: true", "InvalidAllowCredentials", "credentials"},
		{granting(), SameOrigin, []string{"X-A", "1"}, CheckOriginMissing, true, false, "Access-Control-Allow-Origin", "", "Access-Control-Allow-Origin: " + page, "PreflightMissingAllowOriginHeader", "preflight"},
		{granting("Access-Control-Allow-Origin", page, "Access-Control-Allow-Headers", "x-b"), SameOrigin, []string{"X-A", "1", "X-B", "1"}, CheckHeaders, true, false, "Access-Control-Allow-Headers", "x-b", "Access-Control-Allow-Headers: x-a, x-b", "HeaderDisallowedByPreflightResponse", "the call was not sent"},
	}
	for _, test := range tests {
		_, e := send(t, NewBrowser(page, WithHandler(test.handler)), "GET", server, Init{Credentials: test.credentials}, test.header...)
		if e == nil || e.Check != test.check || e.Preflight != test.preflight || e.Sent != test.sent || e.Header != test.name || e.Value != test.value ||
			e.Fix != test.fix || e.Console != test.console || !strings.Contains(e.Error(), test.inText) {
			t.Errorf("%s: %+v", test.check, e)
		}
	}
}

// TestCredentials: which calls carry cookies, and whose cookies stay.
func TestCredentials(t *testing.T) {
	t.Parallel()
	for _, engine := range Engines() {
		for _, test := range []struct {
			url         string
			credentials Credentials
			want        bool
		}{
			{page, SameOrigin, true}, {page, Omit, false}, {page, Include, true},
			{server, SameOrigin, false}, {server, Omit, false}, {server, Include, true},
		} {
			b := NewBrowser(page, WithEngine(engine), WithHandler(granting("Access-Control-Allow-Origin", page, "Access-Control-Allow-Credentials", "true", "Set-Cookie", "a=b; Secure; SameSite=None")))
			for range 2 {
				if _, blocked := send(t, b, "GET", test.url, Init{Credentials: test.credentials}); blocked != nil {
					t.Fatal(blocked)
				}
			}
			if got := b.Log()[1].Header.Get("Cookie") == "a=b"; got != test.want {
				t.Errorf("%s %s %s: %v", engine, test.url, test.credentials, got)
			}
		}
	}
}

func TestSameSite(t *testing.T) {
	t.Parallel()
	const all = "the Fetch standard Chromium Firefox WebKit"
	tests := []struct{ url, attributes, want string }{
		{server, "SameSite=Strict", all}, {server, "SameSite=Lax", all}, {server, "", all}, {server, "SameSite=None; Secure", all},
		{other, "SameSite=Strict", ""}, {other, "SameSite=Lax", ""}, {other, "SameSite=None; Secure", "the Fetch standard Firefox"}, {other, "Secure", "the Fetch standard Firefox"},
		{server, "Domain=example.com; SameSite=Strict", all},
	}
	for _, test := range tests {
		var got []string
		for _, engine := range Engines() {
			b := NewBrowser(page, WithEngine(engine), WithCredentials(Include), WithHandler(granting("Access-Control-Allow-Origin", page, "Access-Control-Allow-Credentials", "true", "Set-Cookie", "a=b; "+test.attributes)))
			for range 2 {
				if _, blocked := send(t, b, "GET", test.url, Init{}); blocked != nil {
					t.Fatal(blocked)
				}
			}
			if b.Log()[1].Header.Get("Cookie") != "" {
				got = append(got, engine.String())
			}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s %s: %s, want %s", test.url, test.attributes, got, test.want)
		}
	}
	// A cookie of a whole domain is what it said wherever it is sent.
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	handler := WithHandler(granting("Access-Control-Allow-Origin", page, "Access-Control-Allow-Credentials", "true", "Set-Cookie", "a=b; Domain=example.com; SameSite=Lax"))
	b := NewBrowser(page, handler, WithCredentials(Include), WithCookieJar(jar))
	if _, blocked := send(t, b, "GET", server, Init{}); blocked != nil {
		t.Fatal(blocked)
	}
	elsewhere := NewBrowser(other, handler, WithCredentials(Include), WithCookieJar(jar))
	elsewhere.cookies.said = b.cookies.said
	_, _ = send(t, elsewhere, "GET", "https://shop.example.com", Init{})
	if got := elsewhere.Log()[0].Header.Get("Cookie"); got != "" {
		t.Errorf("a Lax cookie goes to another site: %s", got)
	}
}

// TestManyGoroutines: one browser, many calls at once.
func TestManyGoroutines(t *testing.T) {
	t.Parallel()
	b := NewBrowser(page, WithCredentials(Include), WithHandler(granting("Access-Control-Allow-Origin", page, "Access-Control-Allow-Credentials", "true",
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

// TestRealServer: over a network, with a client of net/http, messages arrive
// when they are sent.
func TestRealServer(t *testing.T) {
	t.Parallel()
	next := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "http://localhost:3000")
		io.WriteString(w, "first")
		w.(http.Flusher).Flush()
		select {
		case <-next:
			io.WriteString(w, "second")
		case <-r.Context().Done():
		}
	}))
	defer s.Close()
	streams(t, NewBrowser("http://localhost:3000"), s.URL, next)
}

// TestHandlerStreams: without a network too.
func TestHandlerStreams(t *testing.T) {
	t.Parallel()
	next := make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", page)
		io.WriteString(w, "first")
		select {
		case <-next:
			io.WriteString(w, "second")
		case <-r.Context().Done():
		}
	})
	streams(t, NewBrowser(page, WithHandler(handler)), server, next)
}

func streams(t *testing.T, b *Browser, url string, next chan<- struct{}) {
	t.Helper()
	response, err := b.Client().Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	first := make([]byte, 5)
	if _, err := io.ReadFull(response.Body, first); err != nil || string(first) != "first" {
		t.Fatalf("%q %v", first, err)
	}
	next <- struct{}{}
	if rest, err := io.ReadAll(response.Body); err != nil || string(rest) != "second" {
		t.Errorf("%q %v", rest, err)
	}
}

// TestHandlerTransport: what a handler may expect of a server, and a client of
// a transport.
func TestHandlerTransport(t *testing.T) {
	t.Parallel()
	get := func(ctx context.Context, handler http.HandlerFunc, method string, body io.Reader) (*http.Response, error) {
		r, err := http.NewRequestWithContext(ctx, method, "https://api.example.com/a%2Fb?q=1", body)
		if err != nil {
			t.Fatal(err)
		}
		return handlerTransport{handler}.RoundTrip(r)
	}
	t.Run("the request", func(t *testing.T) {
		response, err := get(t.Context(), func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprint(w, r.Method, " ", r.Host, " ", r.RequestURI, " ", r.URL.Path, " ", r.URL.RawPath, " ", r.TLS != nil, " ", string(body))
		}, "POST", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(response.Body); string(got) != "POST api.example.com /a%2Fb?q=1 /a/b /a%2Fb true x" {
			t.Errorf("%s", got)
		}
	})
	t.Run("a panic", func(t *testing.T) {
		if _, err := get(t.Context(), func(http.ResponseWriter, *http.Request) { panic("oops") }, "GET", nil); err == nil || !strings.Contains(err.Error(), "oops") {
			t.Error(err)
		}
		response, err := get(t.Context(), func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "half"); panic("oops") }, "GET", nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(response.Body); string(got) != "half" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q %v", got, err)
		}
	})
	t.Run("HEAD has no body", func(t *testing.T) {
		response, err := get(t.Context(), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "4")
			io.WriteString(w, "body")
		}, "HEAD", nil)
		if err != nil || response.ContentLength != 4 {
			t.Fatal(err, response)
		}
		if got, err := io.ReadAll(response.Body); len(got) != 0 || err != nil {
			t.Errorf("%q %v", got, err)
		}
	})
	t.Run("headers are final at the commit", func(t *testing.T) {
		response, err := get(t.Context(), func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Set("X-A", "1")
			w.Header()[http.TrailerPrefix+"X-T"] = []string{"1"}
			w.(http.Flusher).Flush()
			w.Header().Set("X-B", "1")
			w.WriteHeader(500)
			if _, err := w.Write(nil); err != nil {
				t.Error(err)
			}
		}, "GET", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadAll(response.Body)
		if response.StatusCode != 200 || response.Header.Get("X-A") != "1" || len(response.Header) != 1 {
			t.Errorf("%d %v", response.StatusCode, response.Header)
		}
	})
	t.Run("headers in any letter case, and what is none", func(t *testing.T) {
		response, err := get(t.Context(), func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["x-a"], w.Header()["X-A"], w.Header()["X B"], w.Header()["X-C"] = []string{"1"}, []string{"2"}, []string{"3"}, nil
			w.WriteHeader(http.StatusNoContent)
		}, "GET", nil)
		if err != nil || len(response.Header) != 1 || len(response.Header["X-A"]) != 2 {
			t.Errorf("%v %v", response.Header, err)
		}
	})
	t.Run("the script cancels", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		response, err := get(ctx, func(w http.ResponseWriter, r *http.Request) {
			defer close(ended)
			io.WriteString(w, "x")
			<-r.Context().Done()
		}, "GET", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(response.Body, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		cancel()
		<-ended
		if _, err := io.ReadAll(response.Body); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if _, err := get(ctx, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "GET", nil); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Run("a closed body ends the handler", func(t *testing.T) {
		ended := make(chan struct{})
		response, err := get(t.Context(), func(w http.ResponseWriter, r *http.Request) {
			defer close(ended)
			io.WriteString(w, "x")
			<-r.Context().Done()
		}, "GET", nil)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		<-ended
	})
	t.Run("a body that nobody reads is closed", func(t *testing.T) {
		body, upload := io.Pipe()
		response, err := get(t.Context(), func(http.ResponseWriter, *http.Request) {}, "POST", body)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if _, err := upload.Write([]byte("x")); err == nil {
			t.Error("it was read")
		}
	})
	t.Run("a status without a body", func(t *testing.T) {
		_, err := get(t.Context(), func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
			if _, err := io.WriteString(w, "x"); !errors.Is(err, http.ErrBodyNotAllowed) {
				t.Error(err)
			}
		}, "GET", nil)
		if err != nil {
			t.Error(err)
		}
	})
}

// TestTransportFails: its error is there.
func TestTransportFails(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	_, err := NewBrowser("http://localhost:3000").Client().Get(s.URL)
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
		if _, err := NewBrowser(page, WithHandler(granting())).RoundTrip(r); err == nil || !body.closed {
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
	b := NewBrowser(page, WithHandler(granting("Access-Control-Allow-Origin", page, "Access-Control-Allow-Headers", "x-a", "Access-Control-Max-Age", "60")))
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
	b := NewBrowser(page, WithHandler(granting("Access-Control-Allow-Origin", page, "Access-Control-Allow-Headers", "x-a", "X-B", "1", "Content-Type", "text/plain")), WithClock(func() time.Time { return time.Unix(0, 0) }))
	if _, blocked := send(t, b, "GET", server+"/a#f", Init{}, "X-A", "1"); blocked != nil {
		t.Fatal(blocked)
	}
	log := b.Log()
	if len(log) != 2 || !log[0].Preflight || log[1].Preflight || log[1].URL != server+"/a" || log[1].Method != "GET" || log[1].Status != 200 ||
		log[0].Readable != nil || log[1].Answer.Get("X-B") != "1" || len(log[1].Readable) != 1 {
		t.Errorf("%+v", log)
	}
	log[1].Header.Set("X-A", "changed")
	if b.Log()[1].Header.Get("X-A") != "1" {
		t.Error("the log can be changed")
	}
}
