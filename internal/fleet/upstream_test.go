//go:build fleet

package fleet_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// upstream is a server behind Envoy, in HTTP/1.1 and HTTP/2 without TLS. It counts requests.
type upstream struct {
	addr string

	mu       sync.Mutex
	requests []*http.Request
}

// serveUpstream serves a handler until the end of the test. nil answers 200 with the body "upstream".
func serveUpstream(t *testing.T, handler http.HandlerFunc) *upstream {
	t.Helper()
	u := new(upstream)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.mu.Lock()
		u.requests = append(u.requests, r)
		u.mu.Unlock()
		if handler != nil {
			handler(w, r)
			return
		}
		_, _ = io.WriteString(w, "upstream")
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	u.addr = server.Listener.Addr().String()
	return u
}

// hits returns the number of requests until now.
func (u *upstream) hits() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.requests)
}

// closedAddr returns an address where nothing listens.
func closedAddr(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// response is an answer that has been read to its end.
type response struct {
	status int
	header http.Header
	body   string
}

// send sends the lines of a request in HTTP/1.1, as they are, and reads the answer. It adds
// "Host: api.test" and "Connection: close" if lines does not hold "Host:".
func send(t *testing.T, addr string, lines ...string) response {
	t.Helper()
	return sendBody(t, addr, "", lines...)
}

// sendBody is send with a body.
func sendBody(t *testing.T, addr, body string, lines ...string) response {
	t.Helper()
	if !strings.Contains(strings.ToLower(strings.Join(lines, "\n")), "\nhost:") {
		lines = append([]string{lines[0], "Host: api.test", "Connection: close"}, lines[1:]...)
	}
	conn := dial(t, addr)
	defer conn.Close()
	if _, err := io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n\r\n"+body); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(lines[0], " ")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	return read(t, resp)
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(testTimeout)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// send2 sends a request in HTTP/2 with header fields, name and value in turns.
func send2(t *testing.T, addr, method, path string, fields ...string) response {
	t.Helper()
	transport := newHTTP2()
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+addr+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "api.test"
	for i := 0; i < len(fields); i += 2 {
		req.Header[fields[i]] = append(req.Header[fields[i]], fields[i+1])
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, resp)
}

// newHTTP2 returns a transport of HTTP/2 without TLS.
func newHTTP2() *http.Transport {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	return transport
}

func read(t *testing.T, resp *http.Response) response {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{resp.StatusCode, resp.Header, string(body)}
}

// permissive answers with CORS headers of its own, and several lines of Vary.
func permissive(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h["Access-Control-Allow-Origin"] = []string{"*", "https://evil.test"}
	h.Set("Access-Control-Allow-Credentials", "true")
	h["Vary"] = []string{"Accept", "Accept-Encoding"}
}

func badGateway(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(http.StatusBadGateway)
	_, _ = io.WriteString(w, "bad gateway")
}

// echo answers with each part of the body as it comes.
func echo(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	_ = control.EnableFullDuplex() // HTTP/2 has nothing else
	_ = control.Flush()
	buffer := make([]byte, 1024)
	for {
		n, err := r.Body.Read(buffer)
		_, _ = w.Write(buffer[:n])
		_ = control.Flush()
		if err != nil {
			return
		}
	}
}
