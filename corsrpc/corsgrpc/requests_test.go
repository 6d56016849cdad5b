package corsgrpc_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsgrpc"
)

// TestMalformedRequests: a malformed request fails with INTERNAL and a message that
// describes the problem, unless the handler returned before it read the malformed part.
func TestMalformedRequests(t *testing.T) {
	t.Parallel()
	good := frame(t, "3")
	text := base64.StdEncoding.EncodeToString
	const (
		flags     = "grpc-message: the request is malformed: a message has reserved flags, grpc-status: 13"
		truncated = "grpc-message: the request is malformed: it ends within a message, grpc-status: 13"
		noBase64  = "grpc-message: the request is malformed: it is not valid base64, grpc-status: 13"
	)
	tests := []struct {
		name, body string
		text       bool
		want       string
	}{
		{"a trailer frame", string(rawFrame(0x80, []byte("a: b\r\n"))), false, flags},
		{"a trailer frame without a length", "\x80", false, flags},
		{"reserved flags", string(rawFrame(0x02, nil)), false, flags},
		{"all flags", string(rawFrame(0xff, nil)), false, flags},
		{"not framed", `{"name":"Ada"}`, false, flags},
		{"part of a length", string(good[:3]), false, truncated},
		{"a length alone", string(good[:5]), false, truncated},
		{"part of a message", string(good[:7]), false, truncated},
		{"a length of 4 GiB", "\x00\xff\xff\xff\xff", false, "grpc-message: grpc: received message larger than max (4294967295 vs. 4194304), grpc-status: 8"},
		{"a trailer frame, as text", text(rawFrame(0x80, nil)), true, flags},
		{"part of a message, as text", text(good[:7]), true, truncated},
		{"part of a message, as text without padding", text(good[:6]), true, truncated},
		{"frames that are not base64", string(good), true, noBase64},
		{"part of a base64 group", text(good)[:5], true, noBase64},
		{"a single character", "A", true, noBase64},
		{"padding first", "====", true, noBase64},
		{"padding within a group", "A=AA", true, noBase64},
		{"three padding characters", "A===", true, noBase64},
		{"a line break", text(good[:6]) + "\r\n" + text(good[6:]), true, noBase64},
		{"line breaks in place of a group", text(good[:6]) + "\r\n\r\n" + text(good[6:]), true, noBase64},
		{"a space", " " + text(good), true, noBase64},
		{"the URL alphabet of base64", strings.Repeat("-_", 4), true, noBase64},
		{"bits in the padding", "AB==", true, noBase64},
		{"1 MiB of invalid base64", strings.Repeat("\x00", 1<<20), true, noBase64},
	}
	onWires(t, func(t *testing.T, w wire) {
		url, client := w.start(t, webHandler(newService()))
		for _, test := range tests {
			for _, method := range []string{"Greet", "Count"} {
				for _, chunked := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s, %s, chunked %t", test.name, method, chunked), func(t *testing.T) {
						t.Parallel()
						m := binaryMode
						if test.text {
							m = textMode
						}
						r := m.request(t, url, method, nil)
						r.Body = io.NopCloser(strings.NewReader(test.body))
						r.ContentLength = int64(len(test.body))
						if chunked {
							r.ContentLength = -1
						}
						if got := send(t, client, r); lines(got.trailers) != test.want || len(got.messages) > 0 {
							t.Errorf("%q %q, want %q", got.messages, lines(got.trailers), test.want)
						}
					})
				}
			}
		}
	})
}

// TestPaddingInsideARequest: padding is accepted inside a request, since clients that
// stream encode each part separately.
func TestPaddingInsideARequest(t *testing.T) {
	t.Parallel()
	url, client := wires[0].start(t, webHandler(newService()))
	whole := frame(t, "padded inside")
	for at := range whole {
		body := base64.StdEncoding.EncodeToString(whole[:at]) + base64.StdEncoding.EncodeToString(whole[at:])
		r := textMode.request(t, url, "Greet", nil)
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		if got := send(t, client, r); len(got.messages) != 1 || got.messages[0] != "Hello, padded inside" {
			t.Fatalf("padded after %d bytes: %+v", at, got)
		}
	}
}

// TestUnfinishedRequest: a request that fails early is answered before the client has
// sent the rest of it. The server does not read another request from its connection.
func TestUnfinishedRequest(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, contentType, body, want string }{
		{"reserved flags", "application/grpc-web+proto", "\x80", "grpc-status: 13"},
		{"invalid base64", "application/grpc-web-text+proto", "====", "grpc-status: 13"},
		{"too large", "application/grpc-web+proto", "\x00\x7f\xff\xff\xff", "grpc-status: 8"},
		{"no such method", "application/grpc-web+proto", "", "grpc-status: 12"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			requests := make(chan string, 10)
			h := webHandler(newService())
			var log serverLog
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests <- r.Method + " " + r.URL.Path
				h.ServeHTTP(w, r)
			}))
			server.Config.ErrorLog = log.logger()
			server.Start()
			defer server.Close()
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			method := "Greet"
			if test.body == "" {
				method = "Nothing"
			}
			fmt.Fprintf(conn, "POST /test.v1.TestService/%s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 1000\r\n\r\n%s", method, test.contentType, test.body)
			reader := bufio.NewReader(conn)
			res, err := http.ReadResponse(reader, nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(test.contentType, "text") {
				if body, err = decodeText(string(body)); err != nil {
					t.Fatal(err)
				}
			}
			if !strings.Contains(string(body), test.want) {
				t.Errorf("the body is %q, want %s", body, test.want)
			}
			fmt.Fprintf(conn, "%sPOST /smuggled HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", strings.Repeat("x", 200))
			_ = conn.(*net.TCPConn).CloseWrite()
			if rest, _ := io.ReadAll(reader); len(rest) > 0 {
				t.Errorf("the server sent another response: %q", rest)
			}
			if <-requests; len(requests) > 0 {
				t.Errorf("the server got another request: %s", <-requests)
			}
			server.Close()
			if log.String() != "" {
				t.Errorf("the server logged %s", log.String())
			}
		})
	}
}

// TestMaxBytes: a request beyond the bound of http.MaxBytesHandler fails with
// RESOURCE_EXHAUSTED.
func TestMaxBytes(t *testing.T) {
	t.Parallel()
	onWires(t, func(t *testing.T, w wire) {
		url, client := w.start(t, http.MaxBytesHandler(webHandler(newService()), 10_000))
		for _, m := range modes {
			got := send(t, client, m.request(t, url, "Greet", frame(t, strings.Repeat("x", 5_000))))
			if len(got.messages) != 1 {
				t.Errorf("%s, within the bound: %+v", m.name, got)
			}
			got = send(t, client, m.request(t, url, "Greet", frame(t, strings.Repeat("x", 20_000))))
			if lines(got.trailers) != "grpc-message: the request is larger than the server allows, grpc-status: 8" {
				t.Errorf("%s, beyond it: %+v", m.name, got)
			}
		}
	})
}

// TestRequestTrailers: the handler does not get the Trailer map of a request, which
// net/http would fill while the handler reads it.
func TestRequestTrailers(t *testing.T) {
	t.Parallel()
	url, client := wires[0].start(t, corsgrpc.Text(corsgrpc.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Trailer != nil {
			t.Errorf("the handler saw %v", r.Trailer)
		}
		_, _ = io.Copy(io.Discard, r.Body)
	}))))
	for _, m := range modes {
		r := m.request(t, url, "Greet", frame(t, ""))
		r.ContentLength, r.Trailer = -1, http.Header{"X-Trail": {"t"}}
		send(t, client, r)
	}
}

// TestMessageTooLarge: a client that sends its whole request before it reads the
// response, as browsers do, gets the status of a message that is too large.
func TestMessageTooLarge(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		url, _ := wires[0].start(t, webHandler(newService()))
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		body := string(frame(t, strings.Repeat("x", 20<<20)))
		if m.text {
			body = base64.StdEncoding.EncodeToString([]byte(body))
		}
		if _, err := fmt.Fprintf(conn, "POST /test.v1.TestService/Greet HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", m.contentType, len(body), body); err != nil {
			t.Fatalf("%s: the request could not be sent: %v", m.name, err)
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		read, err := io.ReadAll(res.Body)
		if err == nil && m.text {
			read, err = decodeText(string(read))
		}
		if err != nil || !strings.Contains(string(read), "grpc-status: 8\r\n") {
			t.Errorf("%s: %q, %v", m.name, read, err)
		}
	}
}

// TestConnectionsAreReused: consecutive calls use the same connection.
func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	h := webHandler(newService())
	addresses := map[string]bool{}
	url, client := wires[0].start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		addresses[r.RemoteAddr] = true
		h.ServeHTTP(w, r)
	}))
	for range 20 {
		for _, m := range modes {
			for _, method := range []string{"Greet", "Count", "Fail"} {
				if got := send(t, client, m.request(t, url, method, frame(t, "3"))); got.trailers == nil {
					t.Fatalf("%+v", got)
				}
			}
		}
	}
	if len(addresses) != 1 {
		t.Errorf("120 calls one after another took %d connections, want 1", len(addresses))
	}
}

// TestHandlerThatReadsNothing: a handler that does not read the request body leaves no
// goroutine. Otherwise the synctest bubble would not end.
func TestHandlerThatReadsNothing(t *testing.T) {
	t.Parallel()
	bodies := map[string]func(io.Reader) io.Reader{
		"which ends with its last byte":  iotest.DataErrReader,
		"which ends after its last byte": func(r io.Reader) io.Reader { return r },
		"which fails":                    func(r io.Reader) io.Reader { return io.MultiReader(r, iotest.ErrReader(io.ErrClosedPipe)) },
	}
	for name, body := range bodies {
		for _, panics := range []bool{false, true} {
			t.Run(fmt.Sprintf("a body %s, panics %t", name, panics), func(t *testing.T) {
				synctest.Test(t, func(*testing.T) {
					defer func() { _ = recover() }()
					r, w := httptestRequest("POST", "application/grpc-web", "")
					r.Body = io.NopCloser(body(strings.NewReader(strings.Repeat("\x00", 5))))
					corsgrpc.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
						if panics {
							panic("on purpose")
						}
					})).ServeHTTP(w, r)
				})
			})
		}
	}
}

// TestRequestWithoutABody: a request whose Body is nil or http.NoBody has an empty
// body.
func TestRequestWithoutABody(t *testing.T) {
	t.Parallel()
	for _, body := range []io.ReadCloser{nil, http.NoBody} {
		r, w := httptestRequest("POST", "application/grpc-web", "")
		r.Body = body
		corsgrpc.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if n, err := r.Body.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Errorf("%d, %v", n, err)
			}
		})).ServeHTTP(w, r)
		if w.Header().Get("Connection") != "" {
			t.Errorf("%v", w.Header())
		}
	}
}
