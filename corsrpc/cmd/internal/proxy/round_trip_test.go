package proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/proxy"
)

// TestShortBodyThatBreaks checks that an upstream does not see a short request whose body never arrives whole.
func TestShortBodyThatBreaks(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 2)
	upstream := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		seen <- fmt.Sprintf("%d %q %v", r.ContentLength, body, err)
	}))
	address := gateway(t, newUpstream(t, "http://"+upstream), proxy.Options{})
	send := func(body string, declared int) net.Conn {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprintf(conn, "POST /acme.v1.CatalogService/Get HTTP/1.1\r\nHost: api\r\nContent-Type: application/proto\r\nContent-Length: %d\r\n\r\n%s", declared, body)
		return conn
	}
	broken := send("12345", 10)
	if err := broken.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(broken)
	if err != nil || len(text) > 0 && !strings.HasPrefix(string(text), "HTTP/1.1 400 ") {
		t.Errorf("the client gets %q, %v", text, err)
	}
	res, err := http.ReadResponse(bufio.NewReader(send("whole", 5)), nil)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", res, err)
	}
	if got := <-seen; got != `5 "whole" <nil>` {
		t.Errorf("the upstream saw %s first", got)
	}
}

// TestStalledBody checks that a client that stops within its request gets an answer in time, in front of any
// upstream, and that its connection then ends.
func TestStalledBody(t *testing.T) {
	t.Parallel()
	upstream := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	for _, scheme := range []string{"http", "h2c"} {
		u := newUpstream(t, scheme+"://"+upstream)
		bounded, unbounded := gateway(t, u, proxy.Options{ResponseTimeout: 100 * time.Millisecond}), gateway(t, u, proxy.Options{})
		for _, contentType := range []string{"application/json", "application/grpc-web+proto"} {
			for _, length := range []int{100, 10_000} { // one that is read first, and one that is streamed
				t.Run(fmt.Sprintf("%s, %s, %d bytes", scheme, contentType, length), func(t *testing.T) {
					t.Parallel()
					field, value := "Connect-Timeout-Ms", "100"
					if strings.Contains(contentType, "grpc") {
						field, value = "Grpc-Timeout", "100m"
					}
					for address, more := range map[string]string{bounded: "", unbounded: field + ": " + value + "\r\n"} {
						conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
						if err != nil {
							t.Fatal(err)
						}
						defer conn.Close()
						_ = conn.SetDeadline(time.Now().Add(15 * time.Second))
						fmt.Fprintf(conn, "POST /acme.v1.S/Get HTTP/1.1\r\nHost: api\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n\x00", contentType, length, more)
						text, err := io.ReadAll(conn)
						if err != nil || !strings.Contains(string(text), "has not got the whole request in time") {
							t.Errorf("%q, %v", text, err)
						}
					}
				})
			}
		}
	}
}

// TestStalledStreamOfHTTP2 is the same for a stream of HTTP/2, whose connection stays open.
func TestStalledStreamOfHTTP2(t *testing.T) {
	t.Parallel()
	upstream := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	address := gateway(t, newUpstream(t, "http://"+upstream), proxy.Options{ResponseTimeout: 100 * time.Millisecond})
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	body, writer := io.Pipe()
	defer writer.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "POST", "http://"+address+"/acme.v1.S/Get", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.ContentLength = 100
	res, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusGatewayTimeout || !strings.Contains(string(text), "has not got the whole request in time") {
		t.Errorf("%d %q, %v", res.StatusCode, text, err)
	}
}

// TestRequestAfterAnEarlyAnswer checks that an answer before the end of a request tells the client that the connection
// ends, so that the client sends its next request on another one.
func TestRequestAfterAnEarlyAnswer(t *testing.T) {
	t.Parallel()
	address := gateway(t, newUpstream(t, "http://"+answeringEarly(t)), proxy.Options{})
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(15 * time.Second))
	fmt.Fprintf(conn, "POST /any/x HTTP/1.1\r\nHost: api\r\nContent-Length: 10000\r\n\r\n%s", strings.Repeat("x", 5000))
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusForbidden || !res.Close {
		t.Errorf("%d, closes: %t", res.StatusCode, res.Close)
	}
}

// answeringEarly returns a server that answers the header of each request.
func answeringEarly(t *testing.T) string {
	t.Helper()
	address, _ := rawServer(t, func(conn net.Conn, r *bufio.Reader, _ *atomic.Int64) {
		if _, err := http.ReadRequest(r); err != nil {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
		_, _ = io.Copy(io.Discard, r)
	})
	return address
}

// TestStalledBodyOfARefusedCall checks that a client whose call is refused cannot keep its connection by not sending
// the rest.
func TestStalledBodyOfARefusedCall(t *testing.T) {
	t.Parallel()
	address := gateway(t, newUpstream(t, "http://127.0.0.1:1"), proxy.Options{})
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(15 * time.Second))
	fmt.Fprintf(conn, "POST /acme.v1.S/Get HTTP/1.1\r\nHost: api\r\nOrigin: https://evil.example\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	if text, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 403 ") {
		t.Errorf("%q, %v", text, err)
	}
}

// TestEmptyBody checks that a call with an empty message says its length: not every server takes an empty request
// in chunks.
func TestEmptyBody(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 1)
	upstream, _ := rawServer(t, func(conn net.Conn, r *bufio.Reader, _ *atomic.Int64) {
		var header strings.Builder
		for {
			line, err := r.ReadString('\n')
			if header.WriteString(line); err != nil || line == "\r\n" {
				break
			}
		}
		seen <- header.String()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	address := gateway(t, newUpstream(t, "http://"+upstream), proxy.Options{})
	if got, err := do(t, address, "POST", "/acme.v1.S/Get", "application/proto", ""); err != nil || got.status != http.StatusOK {
		t.Fatalf("%+v, %v", got, err)
	}
	if got := <-seen; !strings.Contains(got, "\r\nContent-Length: 0\r\n") || strings.Contains(got, "Transfer-Encoding") {
		t.Errorf("the upstream got %q", got)
	}
}
