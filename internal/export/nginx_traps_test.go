//go:build nginx

package export_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/nginx"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
)

// exposedStatus are the fields that gRPC-Web clients read.
const exposedStatus = "grpc-message, grpc-status, grpc-status-details-bin"

// The procedures and pages of testdata/rich.yaml.
const (
	list   = "/acme.catalog.v1.CatalogService/List"
	change = "/acme.account.v1.AccountService/Update"
	app    = "https://app.example.com"
)

// fromPage are the fields of a script's request from a page.
func fromPage(page string, more ...string) []string {
	return append([]string{"Origin", page, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors"}, more...)
}

// preflightOf are the fields of a preflight from a page.
func preflightOf(page, method string) []string {
	return fromPage(page, "Access-Control-Request-Method", method)
}

// nginxCases are requests to an nginx with testdata/rich.yaml. The server behind it sends Access-Control-Allow-Origin: * and more, which no page may get.
// Fields that a case does not want must not be in the response.
var nginxCases = []struct {
	name           string
	method, target string
	fields         []string
	status         int // 200 if the request reaches the server
	want           map[string]string
}{
	{"a call that everyone may make", "POST", list, fromPage("https://evil.example"), 200, map[string]string{"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": exposedStatus + ", trailer-x-cost, x-cost", "Vary": "Origin"}},
	{"a call with credentials", "POST", change, fromPage(app, "Cookie", "a=1"), 200, map[string]string{"Access-Control-Expose-Headers": exposedStatus, "Access-Control-Allow-Origin": app, "Access-Control-Allow-Credentials": "true", "Vary": "Origin, Sec-Fetch-Site"}},
	{"a pattern", "POST", change, fromPage("https://pr-7.example.net:8443"), 200, map[string]string{"Access-Control-Expose-Headers": exposedStatus, "Access-Control-Allow-Origin": "https://pr-7.example.net:8443", "Access-Control-Allow-Credentials": "true", "Vary": "Origin, Sec-Fetch-Site"}},
	{"behind a prefix", "POST", "/api" + list, fromPage("https://evil.example"), 200, map[string]string{"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": exposedStatus + ", trailer-x-cost, x-cost", "Vary": "Origin"}},
	{"another origin", "POST", change, fromPage("https://evil.example"), 403, map[string]string{"Vary": "Origin, Sec-Fetch-Site", "Cache-Control": "no-store"}},
	{"the fields of a preflight's answer", "OPTIONS", change, preflightOf(app, "POST"), 204, map[string]string{
		"Access-Control-Allow-Origin": app, "Access-Control-Allow-Credentials": "true", "Access-Control-Allow-Methods": "POST", "Access-Control-Max-Age": "0", "Vary": "Origin, Sec-Fetch-Site",
		"Access-Control-Allow-Headers": "authorization, connect-accept-encoding, connect-content-encoding, connect-protocol-version, connect-timeout-ms, content-encoding, content-type, grpc-accept-encoding, grpc-encoding, grpc-message-type, grpc-timeout, user-agent, x-grpc-web, x-user-agent",
	}},
	{"a refused preflight", "OPTIONS", change, preflightOf("https://evil.example", "POST"), 403, map[string]string{"Vary": "Origin, Sec-Fetch-Site", "Cache-Control": "no-store"}},
	{"a preflight of the server's own page", "OPTIONS", change, []string{"Origin", "https://api.example.com", "Access-Control-Request-Method", "POST"}, 200, map[string]string{"Vary": "Origin, Sec-Fetch-Site"}},

	// Letter case.
	{"a path in another letter case", "GET", "/HEALTHZ", fromPage(app), 403, map[string]string{"Vary": "Origin, Sec-Fetch-Site", "Cache-Control": "no-store"}},
	{"a procedure in another letter case", "POST", strings.ToLower(list), fromPage(app), 403, map[string]string{"Vary": "Origin, Sec-Fetch-Site", "Cache-Control": "no-store"}},
	{"an origin in another letter case", "POST", change, fromPage("https://APP.example.com"), 403, map[string]string{"Vary": "Origin, Sec-Fetch-Site", "Cache-Control": "no-store"}},
	{"an app's origin in another letter case", "POST", "/v1/7", fromPage("capacitor://Localhost"), 403, map[string]string{"Vary": "Origin", "Cache-Control": "no-store"}},
	{"an app's origin", "POST", "/v1/7", fromPage("capacitor://localhost"), 200, map[string]string{"Access-Control-Allow-Origin": "capacitor://localhost", "Vary": "Origin"}},
	{"a method in another letter case", "post", "/v1/7", fromPage("capacitor://localhost"), 400, nil},
	{"Sec-Fetch-Site in another letter case", "POST", change, []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "Same-Origin"}, 403, map[string]string{"Vary": "Origin, Sec-Fetch-Site", "Cache-Control": "no-store"}},
	{"the own origin in another letter case", "POST", change, []string{"Origin", "https://API.example.com"}, 403, map[string]string{"Vary": "Origin, Sec-Fetch-Site", "Cache-Control": "no-store"}},

	// Programs and own pages.
	{"a program of native gRPC", "POST", change, []string{"Content-Type", "application/grpc", "Te", "trailers"}, 200, map[string]string{"Vary": "Origin, Sec-Fetch-Site"}},
	{"an own page", "POST", change, []string{"Origin", "https://api.example.com", "Sec-Fetch-Site", "same-origin", "Cookie", "a=1"}, 200, map[string]string{"Vary": "Origin, Sec-Fetch-Site"}},
	{"an own page of an old browser", "POST", change, []string{"Origin", "http://[::1]:8080", "Cookie", "a=1"}, 200, map[string]string{"Vary": "Origin, Sec-Fetch-Site"}},
	{"a page of another port", "POST", change, []string{"Origin", "https://api.example.com:8443"}, 403, map[string]string{"Vary": "Origin, Sec-Fetch-Site", "Cache-Control": "no-store"}},
	{"a host that begins as the own one", "POST", change, []string{"Origin", "https://api.example.com.evil.example"}, 403, map[string]string{"Vary": "Origin, Sec-Fetch-Site", "Cache-Control": "no-store"}},
	{"an empty Origin line counts as none", "POST", change, []string{"Origin", ""}, 200, map[string]string{"Vary": "Origin, Sec-Fetch-Site"}},

	// Requests without Origin of other pages.
	{"a form without Origin", "POST", change, []string{"Sec-Fetch-Site", "cross-site"}, 403, map[string]string{"Vary": "Origin, Sec-Fetch-Site", "Cache-Control": "no-store"}},
	{"an image of a procedure that everyone may call", "GET", list, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, 200, map[string]string{"Vary": "Origin"}},
	{"an image of a path with cookies", "GET", "/files/a", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, 403, map[string]string{"Vary": "Origin, Sec-Fetch-Site, Sec-Fetch-Mode", "Cache-Control": "no-store"}},
	{"a link to a path with cookies", "GET", "/files/a", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 200, map[string]string{"Vary": "Origin, Sec-Fetch-Site, Sec-Fetch-Mode"}},
	{"a link to a path without a rule", "GET", "/about", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 200, map[string]string{"Vary": "Origin, Sec-Fetch-Site"}},
	{"a link to an odd path without a rule", "GET", "/a//files/secret", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 403, map[string]string{"Vary": "Origin, Sec-Fetch-Site", "Cache-Control": "no-store"}},
	{"a link to a disabled path", "GET", "/files/secret", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 403, map[string]string{"Vary": "Origin, Sec-Fetch-Site", "Cache-Control": "no-store"}},
	{"a script on a path without a rule", "GET", "/about", fromPage(app), 403, map[string]string{"Vary": "Origin, Sec-Fetch-Site", "Cache-Control": "no-store"}},

	// Spellings of paths.
	{"a path that would be normalized", "GET", "/files/../healthz", fromPage(app), 403, map[string]string{"Vary": "Origin, Sec-Fetch-Site", "Cache-Control": "no-store"}},
	{"a path with escapes that would be decoded", "GET", "/health%7A", fromPage(app), 403, map[string]string{"Vary": "Origin, Sec-Fetch-Site", "Cache-Control": "no-store"}},
	{"a query", "GET", "/healthz?a=/files/secret", fromPage("https://evil.example"), 200, map[string]string{"Access-Control-Allow-Origin": "*", "Vary": "Origin"}},

	// Credentials.
	{"cookies with everyone", "POST", list, fromPage("https://evil.example", "Cookie", "a=1"), 403, map[string]string{"Vary": "Origin", "Cache-Control": "no-store"}},
	{"a password with everyone", "POST", list, fromPage("https://evil.example", "Authorization", "Basic YTpi"), 403, map[string]string{"Vary": "Origin", "Cache-Control": "no-store"}},
	{"a password that scripts may not send, of a named origin", "POST", "/v1/7", fromPage("capacitor://localhost", "Authorization", "Basic YTpi"), 403, map[string]string{"Vary": "Origin", "Cache-Control": "no-store"}},
	{"no cors", "POST", change, []string{"Origin", app, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, 403, map[string]string{"Vary": "Origin, Sec-Fetch-Site", "Cache-Control": "no-store"}},
	{"a method that the path does not list", "POST", "/files/a", fromPage(app), 403, map[string]string{"Vary": "Origin, Sec-Fetch-Site, Sec-Fetch-Mode", "Cache-Control": "no-store"}},
	{"a method that the path lists", "DELETE", "/files/a", fromPage(app), 200, map[string]string{"Access-Control-Allow-Origin": app, "Access-Control-Allow-Credentials": "true", "Vary": "Origin, Sec-Fetch-Site, Sec-Fetch-Mode"}},

	// Repeated lines: the first counts in nginx 1.22, and later versions join them.
	{"joined Origin lines", "POST", change, fromPage(app + ", https://evil.example"), 403, map[string]string{"Vary": "Origin, Sec-Fetch-Site", "Cache-Control": "no-store"}},
	{"a handshake with everyone", "GET", "/healthz", []string{"Origin", app, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "websocket", "Upgrade", "websocket", "Connection", "Upgrade"}, 403, map[string]string{"Vary": "Origin", "Cache-Control": "no-store"}},
	{"a handshake with credentials", "GET", "/files/a", []string{"Origin", app, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "websocket", "Upgrade", "websocket", "Connection", "Upgrade"}, 200, map[string]string{"Vary": "Origin, Sec-Fetch-Site, Sec-Fetch-Mode"}},
}

// policyFields are the fields that the cases look at.
var policyFields = []string{
	"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Max-Age",
	"Access-Control-Expose-Headers", "Access-Control-Allow-Private-Network", "Timing-Allow-Origin", "Vary", "Cache-Control",
}

// generousServer sends every field of the CORS protocol.
func generousServer(w http.ResponseWriter, _ *http.Request) {
	for _, name := range policyFields {
		if name != "Vary" && name != "Cache-Control" {
			w.Header().Set(name, "*")
		}
	}
	_, _ = io.WriteString(w, "read")
}

// checkNginxCases sends the requests of nginxCases, and returns how the answers differ from what they want.
func checkNginxCases(t testing.TB, b *backend, client http.RoundTripper) (wrong []string) {
	t.Helper()
	b.serve(generousServer)
	for _, c := range nginxCases {
		a := b.send(t, client, c.method, c.target, c.fields...)
		if a.status != c.status || (a.hits > 0) != (c.status == http.StatusOK) {
			wrong = append(wrong, fmt.Sprintf("%s: status %d and %d requests at the server, want %d", c.name, a.status, a.hits, c.status))
		}
		if c.want == nil {
			continue
		}
		for _, name := range policyFields {
			if got := a.lines(name); got != c.want[name] {
				wrong = append(wrong, fmt.Sprintf("%s: %s: %q, want %q", c.name, name, got, c.want[name]))
			}
		}
		if c.status == http.StatusNoContent && (a.body != "" || a.header.Get("Content-Length") != "" || a.header.Get("Transfer-Encoding") != "") {
			wrong = append(wrong, fmt.Sprintf("%s: the answer has a body: %q, %v", c.name, a.body, a.header))
		}
		if c.status == http.StatusForbidden && (a.body != "corsrpc refused this cross-origin request\n" || a.header.Get("Content-Type") != "text/plain") {
			wrong = append(wrong, fmt.Sprintf("%s: %q, %q", c.name, a.header.Get("Content-Type"), a.body))
		}
	}
	return wrong
}

// startRich starts an nginx with testdata/rich.yaml before a backend. The lines are the first of the http block.
func startRich(t *testing.T, lines string) (*backend, *nginx.Server, *http.Transport) {
	t.Helper()
	b := newBackend(t)
	m := richModel(t)
	m.Options.Upstream = b.url
	s := nginx.Start(t, lines+nginxText(t, m))
	client := s.Transport()
	t.Cleanup(client.CloseIdleConnections)
	return b, s, client
}

func TestNginxCases(t *testing.T) {
	t.Parallel()
	// Lines that users have: they must not change what the export does.
	b, _, client := startRich(t, "underscores_in_headers on; add_header X-Other 1; error_page 403 /about; proxy_buffering on; proxy_set_header X-Other 1;\n")
	for _, wrong := range checkNginxCases(t, b, client) {
		t.Error(wrong)
	}
	b.send(t, client, "POST", change)
	if _, ok := b.last.Load().Header["X-Other"]; ok {
		t.Error("the fields of the http block go to the server, so that Host of nginx may too")
	}
}

// TestNginxRaw sends requests that Go's client does not.
func TestNginxRaw(t *testing.T) {
	t.Parallel()
	b, s, _ := startRich(t, "underscores_in_headers on;\n")
	b.serve(generousServer)
	const rest = " HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n"
	for _, c := range []struct{ name, request, want string }{
		{"Sec-Fetch-Site with underscores, which a script may set", "POST " + change + rest + "Origin: https://evil.example\r\nSec_Fetch_Site: same-origin\r\n\r\n", "403"},
		{"the absolute form", "POST http://api.example.com" + change + rest + "Origin: https://evil.example\r\n\r\n", "403"},
		{"the absolute form of an allowed page", "POST http://api.example.com" + change + rest + "Origin: https://app.example.com\r\n\r\n", "200"},
		{"the absolute form of another host", "GET http://evil.example/healthz" + rest + "Origin: https://app.example.com\r\n\r\n", "200"},
		{"two Origin lines, the first allowed", "POST " + change + rest + "Origin: https://evil.example\r\nOrigin: https://app.example.com\r\n\r\n", "403"},
		{"a space in the path", "GET /healthz /healthz" + rest + "Origin: https://app.example.com\r\n\r\n", "400"},
		{"no Host, in HTTP/1.0", "POST " + change + " HTTP/1.0\r\nOrigin: https://evil.example\r\n\r\n", "403"},
		{"another host", "POST " + change + " HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\nOrigin: https://evil.example\r\n\r\n", "403"},
		{"a fragment", "GET /healthz#a" + rest + "Origin: https://app.example.com\r\n\r\n", "403"},
		{"a long path", "GET /files/" + strings.Repeat("a", 7900) + "; " + rest[1:] + "Origin: https://app.example.com\r\n\r\n", "403"},
		{"a long path that is allowed", "GET /files/" + strings.Repeat("%C3%A9/", 1000) + rest + "Origin: https://app.example.com\r\n\r\n", "200"},
		{"a long path of many labels", "GET /files/" + strings.Repeat("a/", 3900) + ";" + rest + "Origin: https://app.example.com\r\n\r\n", "403"},
		{"a long origin", "POST " + change + rest + "Origin: https://" + strings.Repeat("a.", 3000) + "evil.example\r\n\r\n", "403"},
	} {
		if got := raw(t, s, c.request); !strings.HasPrefix(got, "HTTP/1.1 "+c.want+" ") {
			t.Errorf("%s: %.300q, want %s", c.name, got, c.want)
		}
	}
	raw(t, s, "GET /a/..//%2e%2F/b%20?%zz"+rest+"\r\n")
	if got := b.last.Load().RequestURI; got != "/a/..//%2e%2F/b%20?%zz" {
		t.Errorf("the server gets the path %q", got)
	}
	if got := b.last.Load().Host; got != "api.example.com" {
		t.Errorf("the server gets the host %q", got)
	}
}

// TestNginxOwnErrors checks that pages read the errors that nginx makes itself, as they read the server's.
func TestNginxOwnErrors(t *testing.T) {
	t.Parallel()
	b, s, client := startRich(t, "client_max_body_size 10; proxy_read_timeout 200ms;\n")
	const rest = " HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\nOrigin: https://app.example.com\r\n"
	if got := raw(t, s, "POST "+change+rest+"Content-Length: 11\r\n\r\n12345678901"); !strings.HasPrefix(got, "HTTP/1.1 413 ") || strings.Count(got, "Access-Control-Allow-Origin: https://app.example.com\r\n") != 1 {
		t.Errorf("%q", got)
	}
	wait := make(chan struct{})
	defer close(wait)
	b.serve(func(http.ResponseWriter, *http.Request) { <-wait })
	if a := b.send(t, client, "POST", change, fromPage(app)...); a.status != http.StatusGatewayTimeout || a.lines("Access-Control-Allow-Origin") != app {
		t.Errorf("status %d, %v", a.status, a.header)
	}
	b.serve(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if a := b.send(t, client, "POST", change, fromPage(app)...); a.status != http.StatusBadGateway || a.lines("Access-Control-Allow-Origin") != app {
		t.Errorf("status %d, %v", a.status, a.header)
	}
	if a := b.send(t, client, "GET", "/about", "Sec-Fetch-Site", "same-origin"); a.status != http.StatusBadGateway || a.lines("Access-Control-Allow-Origin") != "" {
		t.Errorf("status %d, %v", a.status, a.header)
	}
}

// TestNginxHandshake opens a WebSocket through nginx.
func TestNginxHandshake(t *testing.T) {
	t.Parallel()
	b, s, _ := startRich(t, "")
	b.serve(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: %s\r\nConnection: %s\r\nAccess-Control-Allow-Origin: *\r\n\r\n", r.Header.Get("Upgrade"), r.Header.Get("Connection"))
		_ = rw.Flush()
		_, _ = io.CopyN(conn, rw, 4)
	})
	conn, err := new(net.Dialer).DialContext(t.Context(), "unix", s.Socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET /files/a HTTP/1.1\r\nHost: api.example.com\r\nOrigin: https://app.example.com\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: websocket\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	in := bufio.NewReader(conn)
	response, err := http.ReadResponse(in, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols || response.Header.Get("Upgrade") != "websocket" || response.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Fatalf("%v, %v", response, err)
	}
	_, _ = io.WriteString(conn, "echo")
	echo := make([]byte, 4)
	if _, err := io.ReadFull(in, echo); err != nil || string(echo) != "echo" {
		t.Errorf("%q, %v", echo, err)
	}
	b.serve(generousServer)
	raw(t, s, "GET /about HTTP/1.1\r\nHost: api.example.com\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings, close\r\nHTTP2-Settings: AAAA\r\n\r\n")
	if got := b.last.Load().Header.Get("Upgrade"); got != "" {
		t.Errorf("the server gets Upgrade: %s", got)
	}
}

// TestNginxNames checks names that have a meaning in nginx's configuration.
func TestNginxNames(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	doc, err := corsrpc.ParsePolicy("evil\nreturn 200;\u2028#"+strings.Repeat("long", 2000)+".yaml", []byte(`
rules:
  - path: /a$host
    allow_origins: [https://app.example.com]
    allow_headers: [x$y, "x'|z", x_under]
  - path: /default
    allow_origins: ["moz-extension://*", capacitor://a$host, ionic://A, ionic://a]
    accept_risks: [ANY_INSTALLATION]
  - path: "/{a}/b~c"
    allow_origins: [https://app.example.com]
  - path: /volatile
    allow_origins: [https://app.example.com]
  - path: /c/d/{$}
    allow_origins: [https://app.example.com]
  - path: /c/D
    allow_origins: [https://app.example.com]
  - path: /shared
    allow_origins: ["null"]
    allow_headers: [authorization]
    accept_risks: [NULL_ORIGIN]
`))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc))
	if err != nil {
		t.Fatal(err)
	}
	m, err := export.New(planaccess.Rules(plan), export.Options{OwnOrigins: []string{"https://api.example.com"}, Upstream: b.url})
	if err != nil {
		t.Fatal(err)
	}
	text := nginxText(t, m)
	client := nginx.Start(t, text).Transport()
	t.Cleanup(client.CloseIdleConnections)
	for _, c := range []struct {
		target, page string
		status       int
	}{
		{"/a$host", app, 200}, {"/a$hosT", app, 403}, {"/a", app, 403}, {"/default", "capacitor://a$host", 200}, {"/default", "capacitor://a", 403},
		{"/default", "ionic://A", 200}, {"/default", "ionic://a", 200}, {"/default", "moz-extension://a1-b2", 200}, {"/default", "https://app.example.com", 403},
		{"/x/b~c", app, 200}, {"/volatile", app, 200}, {"/DEFAULT", "ionic://a", 403},
		{"/c/d/", app, 200}, {"/c/D", app, 403}, // since some servers take the second for the first
	} {
		if a := b.send(t, client, "GET", c.target, fromPage(c.page)...); a.status != c.status || c.status == 200 && a.lines("Access-Control-Allow-Origin") != c.page {
			t.Errorf("%s from %s: status %d, %v", c.target, c.page, a.status, a.header)
		}
	}
	for mode, want := range map[string]int{"cors": 200, "no-cors": 403, "navigate": 403} { // a browser adds passwords of its own to the last two
		if a := b.send(t, client, "POST", "/shared", "Origin", "null", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", mode, "Authorization", "Basic YTpi"); a.status != want {
			t.Errorf("a password in mode %s: status %d", mode, a.status)
		}
	}
	if got := b.send(t, client, "OPTIONS", "/a$host", preflightOf(app, "GET")...).lines("Access-Control-Allow-Headers"); !strings.Contains(got, "x$y") {
		t.Errorf("the preflight grants %q", got)
	}
	for line := range strings.Lines(text) {
		if strings.Contains(line, "return 200") && !strings.Contains(line, "# ") || strings.ContainsFunc(line, func(r rune) bool { return r > '~' || r < ' ' && r != '\n' }) {
			t.Errorf("%q", line)
		}
	}
}

// TestNginxUpstreams checks which URLs can be those of the server.
func TestNginxUpstreams(t *testing.T) {
	t.Parallel()
	m := richModel(t)
	for upstream, want := range map[string]string{
		"": "proxy_pass http://127.0.0.1:8080;", "http://[::1]:9090": "proxy_pass http://[::1]:9090;", "https://backend.internal": "proxy_pass https://backend.internal;",
		"http://a/b": "", "http://a/": "", "http://a;b": "", "http://$host": "", "backend:8080": "", "http://a b": "", "http://u@a": "", "http://a?b": "", "http://a\nb": "", "ftp://a": "",
		"http://[::1%25a%3B%20return%20200%3B%24host]": "", "http://[::1%25eth0]": "", "http://a#": "", "http://a?": "", "HTTP://a": "proxy_pass http://a;",
	} {
		m.Options.Upstream = upstream
		x, err := export.Write(export.Nginx, m)
		if (err == nil) != (want != "") || err == nil && !strings.Contains(x.Text, want) || err != nil && !strings.Contains(err.Error(), "--upstream") {
			t.Errorf("%q: %v", upstream, err)
		}
	}
}
