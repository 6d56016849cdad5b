package proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/proxy"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

const page = "https://app.example.com"

// newUpstream returns an upstream for a URL.
func newUpstream(t *testing.T, url string) *proxy.Upstream {
	t.Helper()
	u, err := proxy.NewUpstream(&corsrpcv1.Upstream{
		Name: "api", Url: url, ConnectTimeout: durationpb.New(2 * time.Second), MaxResponseHeaderBytes: 64 << 10,
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	return u
}

// newLayer returns a layer that allows the page everything.
func newLayer(t *testing.T) *corsrpc.Layer {
	t.Helper()
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(`
defaults: {allow_origins: ["`+page+`"], allow_headers: ["*"]}
rules: [{path: /any/, allow_methods: [GET, POST, PUT]}]
`))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithFiles(new(protoregistry.Files)), corsrpc.WithDocument(doc))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := corsrpc.New(plan, corsrpc.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	return layer
}

// serve serves a handler over HTTP/1.1 and HTTP/2 without TLS, and returns its address.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// gateway serves a layer in front of an upstream, and returns its address.
func gateway(t *testing.T, u *proxy.Upstream, o proxy.Options) string {
	t.Helper()
	return serve(t, proxy.TrustedProxies(nil, newLayer(t).Wrap(proxy.NewRouter([]proxy.Route{{Handler: u.Handler(o)}}))))
}

// rawServer serves each connection by a function, and returns its address and the number of requests that
// the functions have counted.
func rawServer(t *testing.T, serve func(conn net.Conn, r *bufio.Reader, requests *atomic.Int64)) (string, *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	requests := &atomic.Int64{}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn, bufio.NewReader(conn), requests)
			}()
		}
	}()
	return l.Addr().String(), requests
}

// answering returns a raw server that answers each request with a text, and then closes the connection.
func answering(t *testing.T, text string) string {
	t.Helper()
	address, _ := rawServer(t, func(conn net.Conn, r *bufio.Reader, _ *atomic.Int64) {
		request, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		_, _ = io.WriteString(conn, text)
	})
	return address
}

// response is what a client got.
type response struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
}

// do sends a request of the page.
func do(t *testing.T, address, method, path, contentType, body string, header ...string) (response, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "http://"+address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	r.Header.Set("Origin", page)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(r)
	if err != nil {
		return response{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return response{res.StatusCode, res.Header, string(text), err}, nil
}

// protocols are the forms of a call.
var protocols = []struct{ name, contentType, body string }{
	{"Connect", "application/json", "{}"},
	{"Connect stream", "application/connect+json", "\x00\x00\x00\x00\x02{}"},
	{"gRPC-Web", "application/grpc-web+proto", "\x00\x00\x00\x00\x00"},
	{"gRPC-Web text", "application/grpc-web-text", "AAAAAAA="},
}

// checkError checks that a response is an error in the protocol of the call that the page can read.
func checkError(t *testing.T, contentType string, got response, status int, code, number string) {
	t.Helper()
	if got.header.Get("Access-Control-Allow-Origin") != page {
		t.Errorf("the page cannot read the response: %v", got.header)
	}
	switch {
	case strings.HasPrefix(contentType, "application/grpc"):
		exposed := strings.ToLower(got.header.Get("Access-Control-Expose-Headers"))
		if got.status != 200 || got.header.Get("Grpc-Status") != number || got.header.Get("Grpc-Message") == "" ||
			!strings.Contains(exposed, "grpc-status") || !strings.Contains(exposed, "grpc-message") {
			t.Errorf("%d %v %q, want grpc-status %s", got.status, got.header, got.body, number)
		}
	case strings.HasPrefix(contentType, "application/connect+"):
		if got.status != 200 || len(got.body) < 5 || got.body[0] != 2 || !strings.Contains(got.body, `"code":"`+code+`"`) {
			t.Errorf("%d %q, want %s at the end of the stream", got.status, got.body, code)
		}
	default:
		if got.status != status || !strings.Contains(got.body, `"code":"`+code+`"`) || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%d %q, want %d with %s", got.status, got.body, status, code)
		}
	}
}

// TestUpstreamAway: 502 is readable by the page in the protocol of its call, and names no address.
func TestUpstreamAway(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	away := l.Addr().String()
	l.Close()
	for _, scheme := range []string{"http", "h2c", "grpc", "https"} {
		address := gateway(t, newUpstream(t, scheme+"://"+away), proxy.Options{})
		for _, p := range protocols {
			if scheme == "grpc" && strings.HasPrefix(p.name, "Connect") {
				continue
			}
			t.Run(scheme+", "+p.name, func(t *testing.T) {
				got, err := do(t, address, "POST", "/acme.v1.S/Get", p.contentType, p.body)
				if err != nil {
					t.Fatal(err)
				}
				checkError(t, p.contentType, got, http.StatusBadGateway, "unavailable", "14")
				if text := fmt.Sprint(got); strings.Contains(text, "127.0.0.1") {
					t.Errorf("the response names the address: %s", text)
				}
			})
		}
	}
}

// TestNeverAnswers: an upstream that accepts and never answers leads to 504: after the response timeout, or
// after the deadline that the call carries.
func TestNeverAnswers(t *testing.T) {
	t.Parallel()
	silent, _ := rawServer(t, func(_ net.Conn, r *bufio.Reader, _ *atomic.Int64) { _, _ = io.Copy(io.Discard, r) })
	for _, scheme := range []string{"http", "h2c"} {
		u := newUpstream(t, scheme+"://"+silent)
		bounded, unbounded := gateway(t, u, proxy.Options{ResponseTimeout: 100 * time.Millisecond}), gateway(t, u, proxy.Options{})
		for _, p := range protocols {
			t.Run(scheme+", "+p.name, func(t *testing.T) {
				t.Parallel()
				got, err := do(t, bounded, "POST", "/acme.v1.S/Get", p.contentType, p.body)
				if err != nil {
					t.Fatal(err)
				}
				checkError(t, p.contentType, got, http.StatusGatewayTimeout, "deadline_exceeded", "4")
				name, value := "Connect-Timeout-Ms", "100"
				if strings.Contains(p.contentType, "grpc") {
					name, value = "Grpc-Timeout", "100m"
				}
				if got, err = do(t, unbounded, "POST", "/acme.v1.S/Get", p.contentType, p.body, name, value); err != nil {
					t.Fatal(err)
				}
				checkError(t, p.contentType, got, http.StatusGatewayTimeout, "deadline_exceeded", "4")
			})
		}
	}
}

// TestBrokenAnswers: what an upstream sends that is not a response is answered with 502. A response that
// ends early does not look complete.
func TestBrokenAnswers(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"nothing":                    "",
		"a status line that is cut":  "HTTP/1.1 20",
		"no status line":             "hello\r\n\r\n",
		"a header that is too large": "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 100<<10) + "\r\n\r\n",
		"two lengths":                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
		"a folded field":             "HTTP/1.1 200 OK\r\n folded\r\n\r\n",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := do(t, gateway(t, newUpstream(t, "http://"+answering(t, text)), proxy.Options{}), "POST", "/acme.v1.S/Get", "application/json", "{}")
			if err != nil {
				t.Fatal(err)
			}
			checkError(t, "application/json", got, http.StatusBadGateway, "unavailable", "14")
		})
	}
	for name, text := range map[string]string{
		"a body that is cut":     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
		"chunks that end early":  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
		"chunks that are broken": "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := do(t, gateway(t, newUpstream(t, "http://"+answering(t, text)), proxy.Options{}), "POST", "/acme.v1.S/Get", "application/json", "{}")
			if err == nil && got.err == nil {
				t.Errorf("the response looks complete: %+v", got)
			}
		})
	}
}

// TestUpstreamsCORS: the CORS fields of the upstream do not reach the page: neither doubled ones, nor those in
// other letter case, nor those of informational responses.
func TestUpstreamsCORS(t *testing.T) {
	t.Parallel()
	const fields = "Access-Control-Allow-Origin: *\r\naccess-control-allow-origin: https://evil.example\r\nACCESS-CONTROL-ALLOW-CREDENTIALS: true\r\n" +
		"Access-Control-Expose-Headers: *\r\nAccess-Control-Allow-Private-Network: true\r\n"
	for name, text := range map[string]string{
		"200":           "HTTP/1.1 200 OK\r\n" + fields + "Content-Length: 2\r\n\r\n{}",
		"103, then 200": "HTTP/1.1 103 Early Hints\r\n" + fields + "Link: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n" + fields + "Content-Length: 2\r\n\r\n{}",
		"500":           "HTTP/1.1 500 Internal Server Error\r\n" + fields + "Content-Length: 2\r\n\r\n{}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := do(t, gateway(t, newUpstream(t, "http://"+answering(t, text)), proxy.Options{}), "POST", "/acme.v1.S/Get", "application/json", "{}")
			if err != nil {
				t.Fatal(err)
			}
			for field, want := range map[string]string{"Access-Control-Allow-Origin": page, "Access-Control-Allow-Credentials": "", "Access-Control-Allow-Private-Network": ""} {
				if v := strings.Join(got.header.Values(field), "|"); v != want {
					t.Errorf("%s: %q, want %q", field, v, want)
				}
			}
			if strings.Contains(got.header.Get("Access-Control-Expose-Headers"), "*") {
				t.Errorf("exposed: %v", got.header)
			}
		})
	}
}

// TestNoRetries: a request arrives once, also if the connection that it uses breaks before the response.
func TestNoRetries(t *testing.T) {
	t.Parallel()
	upstream, requests := rawServer(t, func(conn net.Conn, r *bufio.Reader, requests *atomic.Int64) {
		for n := 0; ; n++ {
			request, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, request.Body)
			requests.Add(1)
			if n > 0 {
				return // the second request of a connection gets no response
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	for _, method := range []string{"GET", "PUT"} {
		before := requests.Load()
		address := gateway(t, newUpstream(t, "http://"+upstream), proxy.Options{})
		for n, want := range []int{http.StatusOK, http.StatusBadGateway} {
			got, err := do(t, address, method, "/any/x", "", "", "Idempotency-Key", "1")
			if err != nil || got.status != want {
				t.Fatalf("%s %d: %+v, %v", method, n, got, err)
			}
		}
		if n := requests.Load() - before; n != 2 {
			t.Errorf("%s: %d requests arrived, want 2", method, n)
		}
	}
}

// TestUpgrades: WebSocket passes in both directions; HTTP/2 and TLS, which would open a tunnel around the layer, do
// not.
func TestUpgrades(t *testing.T) {
	t.Parallel()
	upstream, _ := rawServer(t, func(conn net.Conn, r *bufio.Reader, _ *atomic.Int64) {
		request, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		protocol := request.Header.Get("Upgrade")
		if protocol == "" {
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\nX-Settings: %s\r\n\r\nplain", request.Header.Get("Http2-Settings"))
			return
		}
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", protocol)
		_, _ = io.Copy(conn, r)
	})
	address := gateway(t, newUpstream(t, "http://"+upstream), proxy.Options{})
	for _, test := range []struct {
		upgrade string
		passes  bool
	}{
		{"websocket", true}, {"WebSocket", true}, {"custom", true},
		{"h2c", false}, {"H2C", false}, {"websocket, h2c", false}, {"HTTP/2.0", false}, {"TLS/1.2", false}, {"h2", false},
	} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		fmt.Fprintf(conn, "GET /any/socket HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: %s\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", address, test.upgrade)
		r := bufio.NewReader(conn)
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatalf("%s: %v", test.upgrade, err)
		}
		if !test.passes {
			if res.StatusCode != http.StatusOK || res.Header.Get("X-Settings") != "" {
				t.Errorf("%s: %d %v, want the plain response", test.upgrade, res.StatusCode, res.Header)
			}
			continue
		}
		if res.StatusCode != http.StatusSwitchingProtocols {
			t.Errorf("%s: %d", test.upgrade, res.StatusCode)
			continue
		}
		for _, message := range []string{"first\n", "second\n"} {
			_, _ = io.WriteString(conn, message)
			if got, err := r.ReadString('\n'); got != message {
				t.Errorf("%s: %q, %v", test.upgrade, got, err)
			}
		}
	}
}

// TestMethods: CONNECT and TRACE, and requests without a path, are not forwarded.
func TestMethods(t *testing.T) {
	t.Parallel()
	upstream, requests := rawServer(t, func(conn net.Conn, r *bufio.Reader, requests *atomic.Int64) {
		if _, err := http.ReadRequest(r); err == nil {
			requests.Add(1)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	address := gateway(t, newUpstream(t, "http://"+upstream), proxy.Options{})
	for _, line := range []string{"TRACE /any/x HTTP/1.1", "CONNECT evil.example:443 HTTP/1.1", "CONNECT /any/x HTTP/1.1", "OPTIONS * HTTP/1.1"} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		fmt.Fprintf(conn, "%s\r\nHost: %s\r\nConnection: close\r\n\r\n", line, address)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s: %v", line, err)
		} else if line != "OPTIONS * HTTP/1.1" && res.StatusCode < 400 {
			t.Errorf("%s: %d", line, res.StatusCode) // net/http answers OPTIONS * itself
		}
		conn.Close()
	}
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}

// TestLoop checks that a gateway whose upstream leads back to it answers, and does not call itself on and on.
func TestLoop(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"http", "h2c"} {
		var h http.Handler
		var requests atomic.Int64
		address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			h.ServeHTTP(w, r)
		}))
		h = newLayer(t).Wrap(newUpstream(t, scheme+"://"+address).Handler(proxy.Options{}))
		got, err := do(t, address, "POST", "/acme.v1.S/Get", "application/json", "{}")
		if err != nil || got.status != http.StatusLoopDetected || requests.Load() != 2 {
			t.Errorf("%s: %+v, %v, %d requests", scheme, got, err, requests.Load())
		}
	}
}
