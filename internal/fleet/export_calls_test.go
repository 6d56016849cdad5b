//go:build fleet

package fleet_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
)

const ownOrigin = "https://api.example.com" // of the server whose policy is exported

// pageCall is a request that a browser sends for a page.
type pageCall struct {
	page, method, path string
	header             http.Header
	init               corsbrowser.Init
	engine             corsbrowser.Engine
	// raw is true for navigations, forms, handshakes and programs: header is sent as it is, and no script reads the response.
	raw bool
	// legacy is true for a browser without the headers Sec-Fetch-*.
	legacy bool
	cookie bool
}

// String returns the call for messages.
func (c pageCall) String() string {
	return fmt.Sprintf("%s: %s %s %v %+v %s raw %t legacy %t cookie %t", c.page, c.method, c.path, c.header, c.init, c.engine, c.raw, c.legacy, c.cookie)
}

// seen is what a page and the server saw of a call.
type seen struct {
	readable bool // by the page's script
	status   int
	header   http.Header // as the script reads it
	body     string
	timing   bool
	hits     int // of the server, without preflights
	origins  int // lines of Access-Control-Allow-Origin of the response that has most
	granted  bool
}

// exportPages are the origins of pages: allowed, refused, own and opaque ones.
var exportPages = append([]string{ownOrigin, "https://app.example.com", "https://app.example.com", "https://evil.example"}, pages...)

// otherSpellings are targets that no client writes so.
var otherSpellings = []string{
	"/files/%2e%2e/healthz", "/files//a", "//files/a", "/files/a%2fb", "/healthz/", "/HEALTHZ", "/health%7a", "/files/a;b=1", "/files", "/v1/7/", "/acme.catalog.v1.CatalogService/Lis%74", "/acme.catalog.v1.catalogservice/List",
	"/acme.catalog.v1.CatalogService/List/", "/acme.catalog.v1.CatalogService/Other", "/acme.unknown.v1.S/M", "/acme.unknown.v1.S/M?encoding=json",
}

// exportPaths are the targets of calls.
var exportPaths = slices.Concat(paths, paths, paths, otherSpellings, []string{"/files/", "/v1/7/x", "/healthz?a=b", "/files/caf%C3%A9", "/files/a/b.c"})

// drawCall draws a call.
func drawCall(r *rand.Rand) pageCall {
	one := func(list []string) string { return list[r.IntN(len(list))] }
	c := pageCall{page: one(exportPages), method: one([]string{"POST", "POST", "POST", "GET", "GET", "HEAD", "PUT", "DELETE"}), path: one(exportPaths), header: http.Header{}}
	engines := corsbrowser.Engines()
	c.engine, c.legacy, c.cookie = engines[r.IntN(len(engines))], r.IntN(5) == 0, r.IntN(3) == 0
	c.init.Credentials = []corsbrowser.Credentials{corsbrowser.Omit, corsbrowser.SameOrigin, corsbrowser.Include}[r.IntN(3)]
	switch r.IntN(10) {
	case 0: // a navigation
		c.raw, c.method = true, http.MethodGet
		c.browserFields(one([]string{"cross-site", "same-site", "none", "same-origin"}), "navigate", false)
	case 1: // a form, or an image
		c.raw, c.method = true, one([]string{"POST", "POST", "GET"})
		c.browserFields(one([]string{"cross-site", "same-site"}), one([]string{"navigate", "no-cors"}), c.method == http.MethodPost)
	case 2: // a handshake
		c.raw, c.method = true, http.MethodGet
		c.browserFields(one([]string{"cross-site", "same-site"}), "websocket", r.IntN(4) > 0)
		c.header.Set("Upgrade", "websocket")
		c.header.Set("Connection", "Upgrade")
	case 3: // a program
		c.raw, c.page = true, "program"
		c.header.Set("Content-Type", one([]string{"application/grpc", "application/json", ""}))
	default:
		if r.IntN(5) == 0 {
			c.init.Mode, c.method = corsbrowser.NoCORS, one([]string{"GET", "HEAD", "POST"})
		}
		c.init.ForcePreflight = c.init.Mode == "" && r.IntN(5) == 0
		for _, name := range []string{"X-A", "X-Tenant-Id", "Authorization", "Connect-Protocol-Version", "X-Grpc-Web"} {
			if r.IntN(8) == 0 {
				c.header.Set(name, "1")
			}
		}
		if c.method != http.MethodGet && c.method != http.MethodHead {
			c.header.Set("Content-Type", one([]string{"application/json", "text/plain", "application/grpc-web+proto"}))
		}
	}
	return c
}

// browserFields sets what a browser adds to a request that is not a script's.
func (c *pageCall) browserFields(site, mode string, origin bool) {
	if origin {
		c.header.Set("Origin", c.page)
	}
	if !c.legacy {
		c.header.Set("Sec-Fetch-Site", site)
		c.header.Set("Sec-Fetch-Mode", mode)
	}
	if c.cookie {
		c.header.Set("Cookie", "session=1")
	}
}

// server is the server whose policy is exported. It answers both programs.
type server struct {
	hits   atomic.Int32
	mu     sync.Mutex
	header http.Header // of its responses
}

// ServeHTTP answers with the header, and with the Origin header of the request in the body. Preflights do not reach it.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.hits.Add(1)
	s.mu.Lock()
	maps.Copy(w.Header(), s.header)
	s.mu.Unlock()
	_, _ = io.WriteString(w, "for "+r.Header.Get("Origin"))
}

// set sets the header of responses.
func (s *server) set(header http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.header = header
}

// drawAnswer draws the header of the server's response, with CORS fields of its own at times.
func drawAnswer(r *rand.Rand) http.Header {
	header := http.Header{"X-Secret": {"1"}}
	values := http.Header{
		"Access-Control-Allow-Origin": {"*", "https://evil.example", "https://app.example.com"}, "Access-Control-Allow-Credentials": {"true"}, "Access-Control-Expose-Headers": {"*", "x-secret"},
		"Vary": {"Accept", "origin"}, "Timing-Allow-Origin": {"*"}, "X-A": {"1"}, "X-B": {"1"}, "X-Tenant-Id": {"1"}, "X-Other": {"1"}, "Grpc-Status": {"7"}, "Grpc-Message": {"no"}, "Trailer-X-A": {"1"}, "Etag": {`"a"`},
	}
	for _, name := range sortedNames(values) {
		if r.IntN(3) == 0 {
			header[name] = []string{values[name][r.IntN(len(values[name]))]}
		}
	}
	return header
}

// throughHandler is a transport that leads to a handler.
type throughHandler struct{ http.Handler }

// RoundTrip answers by the handler.
func (h throughHandler) RoundTrip(r *http.Request) (*http.Response, error) {
	in := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.RequestURI(), r.Body)
	in.TLS = new(tls.ConnectionState)
	in.Host, in.Header, in.URL.RawPath = r.URL.Host, r.Header.Clone(), r.URL.RawPath
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, in)
	response := recorder.Result()
	if r.Method == http.MethodHead {
		response.Body = http.NoBody
	}
	return response, nil
}

// throughProgram is a transport that leads to a program at an address, without TLS.
func throughProgram(addr string) *http.Transport {
	return &http.Transport{
		DisableCompression: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", addr)
		},
	}
}

// plain is a transport that makes https requests without TLS, and drops Sec-Fetch-* for legacy browsers.
type plain struct {
	http.RoundTripper
	legacy bool
}

// RoundTrip sends the request.
func (p plain) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme = "http"
	if p.legacy {
		maps.DeleteFunc(r.Header, func(name string, _ []string) bool { return strings.HasPrefix(name, "Sec-Fetch-") })
	}
	return p.RoundTripper.RoundTrip(r)
}

// make makes the call through a transport to a program in front of the server.
func (c pageCall) make(t failer, s *server, transport http.RoundTripper) seen {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	var body io.Reader
	if c.method != http.MethodGet && c.method != http.MethodHead {
		body = strings.NewReader("{}")
	}
	r, err := http.NewRequestWithContext(ctx, c.method, ownOrigin+c.path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = c.header.Clone()
	before := s.hits.Load()
	through := plain{transport, c.legacy}
	if c.raw {
		response, err := through.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body) // only whether it reached the server counts
		return seen{hits: int(s.hits.Load() - before), origins: len(response.Header["Access-Control-Allow-Origin"])}
	}
	page, err := corsbrowser.New(c.page, corsbrowser.WithTransport(through), corsbrowser.WithEngine(c.engine), corsbrowser.WithCookieJar(jar(c.cookie)))
	if err != nil {
		t.Fatal(err)
	}
	result := seen{}
	if response, err := page.RoundTrip(r.WithContext(corsbrowser.WithInit(ctx, c.init))); err == nil {
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		result.readable, result.status, result.header, result.body = response.StatusCode != 0, response.StatusCode, response.Header, string(text)
	}
	for _, x := range page.Log() {
		result.origins = max(result.origins, len(x.Answer["Access-Control-Allow-Origin"]))
		result.timing = result.timing || x.TimingAllowed
		if x.Preflight && x.Status != 0 && x.Answer.Get("Access-Control-Allow-Origin") != "" {
			result.granted = true
		}
	}
	result.hits = int(s.hits.Load() - before)
	return result
}
