package probe

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// wireTo returns a Wire to a test server with a handler, and the number of requests that it has got.
func wireTo(t *testing.T, handler http.HandlerFunc) (w *Wire, url string, got func() int) {
	t.Helper()
	requests := make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- struct{}{}
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	u, err := ParseURL(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	w = NewWire(Server{URL: u})
	t.Cleanup(w.Close)
	return w, server.URL, func() int { return len(requests) }
}

func request(t *testing.T, method, url string, fields ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	return r
}

// TestWireSendsNoCalls: without SendCalls, only preflights and GETs that need none reach the server.
func TestWireSendsNoCalls(t *testing.T) {
	for _, c := range []struct {
		name, method string
		fields       []string
		sent         bool
	}{
		{"preflight", "OPTIONS", []string{"Origin", "https://a.example", "Access-Control-Request-Method", "POST"}, true},
		{"GET", "GET", []string{"Origin", "https://a.example", "Accept", "*/*"}, true},
		{"OPTIONS without a method", "OPTIONS", nil, false},
		{"POST", "POST", nil, false},
		{"HEAD", "HEAD", nil, false},
		{"GET with a field that needs a preflight", "GET", []string{"Authorization", "Bearer x"}, false},
		{"GET with a long value", "GET", []string{"Accept", strings.Repeat("x", 129)}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			wire, url, got := wireTo(t, func(http.ResponseWriter, *http.Request) {})
			_, err := wire.RoundTrip(request(t, c.method, url, c.fields...))
			if want := map[bool]int{true: 1}[c.sent]; got() != want {
				t.Errorf("the server got %d requests, want %d", got(), want)
			}
			if c.sent != (err == nil) || !c.sent && !errors.Is(err, ErrNotSent) {
				t.Errorf("error %v", err)
			}
			wire.SendCalls = true
			if _, err := wire.RoundTrip(request(t, c.method, url, c.fields...)); err != nil || got() != 1 {
				t.Errorf("with SendCalls: error %v, and the server got %d requests", err, got())
			}
		})
	}
}

// TestWireIsBounded: no more than MaxRequests are sent, and equal requests of two engines are one.
func TestWireIsBounded(t *testing.T) {
	wire, url, got := wireTo(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Add("X", "1") })
	wire.MaxRequests = 2
	for _, path := range []string{"/a", "/a", "/b", "/a"} {
		if _, err := wire.RoundTrip(request(t, "GET", url+path, "User-Agent", path)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := wire.RoundTrip(request(t, "GET", url+"/c")); !errors.Is(err, ErrTooMany) {
		t.Errorf("error %v, want ErrTooMany", err)
	}
	if got() != 2 || wire.Sent() != 2 {
		t.Errorf("the server got %d requests, and Sent is %d, want 2", got(), wire.Sent())
	}
}

// TestWireStaysAtItsServer: no request goes to another server.
func TestWireStaysAtItsServer(t *testing.T) {
	wire, _, got := wireTo(t, func(http.ResponseWriter, *http.Request) {})
	if _, err := wire.RoundTrip(request(t, "GET", "http://other.example/")); !errors.Is(err, ErrOtherServer) || got() != 0 {
		t.Errorf("error %v, want ErrOtherServer", err)
	}
}

// TestWireSendsNothingAgain: a server that closes a connection instead of answering gets the request once.
func TestWireSendsNothingAgain(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	requests := make(chan string, 100)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				in := bufio.NewReader(conn)
				for {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					requests <- r.URL.Path
					if r.URL.Path == "/b" {
						return
					}
					_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
				}
			}()
		}
	}()
	u, err := ParseURL("http://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	w := NewWire(Server{URL: u})
	defer w.Close()
	if _, err := w.RoundTrip(request(t, "GET", u.String()+"/a")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.RoundTrip(request(t, "GET", u.String()+"/b")); err == nil {
		t.Error("the second request got a response")
	}
	if len(requests) != 2 || w.Sent() != 2 {
		t.Errorf("the server got %d requests, and Sent is %d, want 2", len(requests), w.Sent())
	}
}

// TestWireReadsNoLongBodies: a body is kept up to a size, also where a small one grows by its content coding.
func TestWireReadsNoLongBodies(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	packed := gzip.NewWriter(&bomb)
	if _, err := packed.Write(make([]byte, 8*maxBodyBytes)); err != nil {
		t.Fatal(err)
	}
	if err := packed.Close(); err != nil {
		t.Fatal(err)
	}
	written := make(chan int, 1)
	for name, handler := range map[string]http.HandlerFunc{
		"plain": func(w http.ResponseWriter, _ *http.Request) {
			total := 0
			for range 256 {
				n, err := w.Write(make([]byte, maxBodyBytes))
				if total += n; err != nil {
					break
				}
			}
			written <- total
		},
		"gzip": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		},
	} {
		wire, url, _ := wireTo(t, handler)
		a, err := wire.exchange(request(t, "GET", url))
		if err != nil || a.err != nil {
			t.Fatal(err, a)
		}
		if len(a.body) > maxBodyBytes || len(a.decodedBody()) > maxBodyBytes || name == "plain" && !a.cut {
			t.Errorf("%s: %d bytes, and %d of text; cut: %t", name, len(a.body), len(a.decodedBody()), a.cut)
		}
	}
	if n := <-written; n > 64*maxBodyBytes { // the rest may be in buffers of the connection
		t.Errorf("the probe has read about %d bytes", n)
	}
}
