//go:build fleet

package fleet_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/corsrpc/corsrpc-go/internal/fleet/envoy"
)

// switchProtocols answers an upgrade with 101, and then each line with the same line.
func switchProtocols(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" {
		http.Error(w, "no upgrade", http.StatusBadRequest)
		return
	}
	conn, stream, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	_, _ = stream.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	for {
		_ = stream.Flush()
		line, err := stream.ReadString('\n')
		if err != nil {
			return
		}
		_, _ = stream.WriteString(line)
	}
}

// openTunnel sends a request, expects a status, and expects that a line comes back if it is that of an upgrade.
func openTunnel(t *testing.T, addr, request string, status int, echoes bool) {
	t.Helper()
	conn := dial(t, addr)
	defer conn.Close()
	if _, err := io.WriteString(conn, strings.ReplaceAll(request, "\n", "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	method, _, _ := strings.Cut(request, " ")
	resp, err := http.ReadResponse(reader, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != status {
		t.Fatalf("status %d, want %d", resp.StatusCode, status)
	}
	if !echoes {
		return
	}
	if resp.Header.Get("X-Seen") != "yes" {
		t.Errorf("the answer lacks the processor's header: %v", resp.Header)
	}
	if _, err := io.WriteString(conn, "hello\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := reader.ReadString('\n'); err != nil || line != "hello\n" {
		t.Errorf("the tunnel answers %q, error %v", line, err)
	}
}

// WebSocket handshakes and CONNECT pass the processor like other requests.
func TestUpgrades(t *testing.T) {
	const webSocket = "GET /x HTTP/1.1\nHost: a.test\nConnection: Upgrade\nUpgrade: websocket\nOrigin: https://a.test"
	const connect = "CONNECT b.test:443 HTTP/1.1\nHost: b.test:443\nOrigin: https://a.test"
	steps := []string{"request_headers", "response_headers"}
	for _, test := range []struct {
		name     string
		answer   answer
		upgrades []string
		request  string
		status   int
		kinds    []string
		has      []string
	}{
		{"WebSocket", proceed(overwrite("x-seen", "yes")), []string{"websocket"}, webSocket, 101, steps,
			[]string{":method: GET", ":path: /x", "upgrade: websocket", "connection: Upgrade", "origin: https://a.test"}},
		{"WebSocket, refused", always(immediate(403, "refused"), nil), []string{"websocket"}, webSocket, 403, steps[:1], nil},
		{"WebSocket, undecided", always(nil, nil), []string{"websocket"}, webSocket, 101, steps[:1], nil},
		{"WebSocket, not configured", proceed(), nil, webSocket, 403, steps[1:], nil},
		{"CONNECT", proceed(overwrite("x-seen", "yes")), []string{"CONNECT"}, connect, 200, steps,
			[]string{":method: CONNECT", ":authority: b.test:443", "origin: https://a.test"}},
		{"CONNECT, refused", always(immediate(403, "refused"), nil), []string{"CONNECT"}, connect, 403, steps[:1], nil},
		{"CONNECT, not configured", proceed(), nil, connect, 404, steps, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			u := serveUpstream(t, switchProtocols)
			if slices.Contains(test.upgrades, "CONNECT") {
				u = &upstream{addr: echoOverTCP(t)}
			}
			p := serveProcessor(t, test.answer)
			addr, _ := start(t, u, p, func(c *envoy.Config) {
				c.UpstreamHTTP1 = true
				c.Upgrades = test.upgrades
			})
			openTunnel(t, addr, test.request, test.status, test.has != nil)
			if got := p.kinds(); !slices.Equal(got, test.kinds) {
				t.Errorf("messages %q, want %q", got, test.kinds)
			}
			for _, field := range test.has {
				if seen := p.request(t).list; !slices.Contains(seen, field) {
					t.Errorf("the processor does not see %q in %q", field, seen)
				}
			}
		})
	}
}

// An extended CONNECT of HTTP/2 reaches the processor in the form of HTTP/1.1.
func TestWebSocketOverHTTP2(t *testing.T) {
	u := serveUpstream(t, switchProtocols)
	p := serveProcessor(t, proceed())
	addr, _ := start(t, u, p, func(c *envoy.Config) {
		c.UpstreamHTTP1 = true
		c.Upgrades = []string{"websocket"}
	})
	//nolint:staticcheck // net/http refuses the field :protocol
	transport := &http2.Transport{
		AllowHTTP: true,
		DialTLSContext: func(ctx context.Context, network, addr string, _ *tls.Config) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addr)
		},
	}
	defer transport.CloseIdleConnections() //nolint:staticcheck // the same
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	body, writer := io.Pipe()
	defer writer.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodConnect, "http://"+addr+"/x", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header[":protocol"] = []string{"websocket"}
	req.Header.Set("Origin", "https://a.test")
	resp, err := transport.RoundTrip(req) //nolint:staticcheck // the same
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("status %d", resp.StatusCode)
	}
	for _, field := range []string{":method: GET", ":path: /x", "upgrade: websocket", "connection: upgrade", "origin: https://a.test"} {
		if seen := p.request(t).list; !slices.Contains(seen, field) {
			t.Errorf("the processor does not see %q in %q", field, seen)
		}
	}
	if got := p.response(t).get(":status"); !slices.Equal(got, []string{"101"}) {
		t.Errorf("the processor sees the status %q, want 101", got)
	}
}

// echoOverTCP serves lines until the end of the test.
func echoOverTCP(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String()
}
