package corsrpc_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

const (
	page    = "https://app.example.com"
	listRPC = "/acme.catalog.v1.CatalogService/List"
	getRPC  = "/acme.catalog.v1.CatalogService/Get"
)

// allowPage is a policy that allows one origin to call everything.
const allowPage = `
defaults:
  allow_origins: [https://app.example.com]
rules:
  - path: /files/
    expose: PRESENT
`

// compilePolicy compiles a YAML policy with the schema of the corpus.
func compilePolicy(t testing.TB, text string, opts ...corsrpc.CompileOption) *corsrpc.Plan {
	t.Helper()
	files, err := vectors.Schema("acme")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	opts = append([]corsrpc.CompileOption{corsrpc.WithFiles(files), corsrpc.WithDocument(doc)}, opts...)
	plan, err := corsrpc.Compile(doc.Policy(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// quiet turns the log off.
var quiet = corsrpc.WithLogger(slog.New(slog.DiscardHandler))

// newLayer returns a layer for a YAML policy, and its log.
func newLayer(t testing.TB, text string, opts ...corsrpc.LayerOption) (*corsrpc.Layer, *logBuffer) {
	t.Helper()
	logger, log := newLog()
	opts = append([]corsrpc.LayerOption{corsrpc.WithLogger(logger)}, opts...)
	layer, err := corsrpc.New(compilePolicy(t, text), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return layer, log
}

// newLog returns a logger and its output.
func newLog() (*slog.Logger, *logBuffer) {
	log := &logBuffer{}
	return slog.New(slog.NewTextHandler(log, nil)), log
}

// allows reports whether a page of the origin may call, by the plan in force.
func allows(layer *corsrpc.Layer, origin string) bool {
	return layer.Plan().Decide(corsrpc.Request{Method: "POST", Host: "api.example.com", Path: listRPC, Header: http.Header{
		"Origin": {origin}, "Content-Type": {"application/json"},
	}}).Outcome() == corsrpc.OutcomeGrant
}

// logBuffer is a buffer that is safe for concurrent use.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSuffix(l.b.String(), "\n"), "\n")
}

func (l *logBuffer) String() string { return strings.Join(l.lines(), "\n") }

// wires are the HTTP versions that a server supports.
var wires = []struct {
	name  string
	start func(t *testing.T, h http.Handler) (*httptest.Server, *http.Client)
}{
	{"http1", func(t *testing.T, h http.Handler) (*httptest.Server, *http.Client) {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s, s.Client()
	}},
	{"h2c", func(t *testing.T, h http.Handler) (*httptest.Server, *http.Client) {
		s := httptest.NewUnstartedServer(h)
		s.Config.Protocols = new(http.Protocols)
		s.Config.Protocols.SetUnencryptedHTTP2(true)
		s.Start()
		t.Cleanup(s.Close)
		transport := &http.Transport{Protocols: new(http.Protocols)}
		transport.Protocols.SetUnencryptedHTTP2(true)
		t.Cleanup(transport.CloseIdleConnections)
		return s, &http.Client{Transport: transport}
	}},
	{"h2", func(t *testing.T, h http.Handler) (*httptest.Server, *http.Client) {
		s := httptest.NewUnstartedServer(h)
		s.EnableHTTP2 = true
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		s.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(io.Discard, nil), slog.LevelError)
		s.StartTLS()
		t.Cleanup(s.Close)
		return s, s.Client()
	}},
}

// send makes a request of a page on another origin.
func send(t *testing.T, c *http.Client, method, url string, header http.Header) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		r.Header[k] = v
	}
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

// fromPage returns the header of a call from the allowed page.
func fromPage() http.Header {
	return http.Header{
		"Origin": {page}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"cors"},
		"Content-Type": {"application/json"},
	}
}

// expectReadable checks that the page may read the response and its fields.
func expectReadable(t *testing.T, res *http.Response, exposed string) {
	t.Helper()
	if got := res.Header["Access-Control-Allow-Origin"]; len(got) != 1 || got[0] != page {
		t.Errorf("Access-Control-Allow-Origin: %q, want one line %q", got, page)
	}
	if got := strings.Join(res.Header["Access-Control-Expose-Headers"], "|"); got != exposed {
		t.Errorf("Access-Control-Expose-Headers: %q, want %q", got, exposed)
	}
}

// newProxy returns a reverse proxy in front of a server that runs the handler. The proxy has a transport of
// its own, since closing any httptest.Server closes the idle connections of the default transport.
func newProxy(t *testing.T, h http.Handler) http.Handler {
	t.Helper()
	upstream := httptest.NewServer(h)
	t.Cleanup(upstream.Close)
	u, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(u)
	proxy.Transport = upstream.Client().Transport
	return proxy
}
