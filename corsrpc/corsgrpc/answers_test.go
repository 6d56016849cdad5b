package corsgrpc_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsgrpc"
)

// TestAnswers: the gRPC-Web response to each kind of response that a gRPC handler
// can write.
func TestAnswers(t *testing.T) {
	t.Parallel()
	const trailerFrame = "\x80\x00\x00\x00\x10grpc-status: 0\r\n"
	set := func(h http.Header, pairs ...string) {
		h.Set("Content-Type", "application/grpc+proto")
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
	}
	unknown := string(rawFrame(0x80, []byte("grpc-status: 2\r\ngrpc-message: the server ended the call without a status\r\n")))
	tests := []struct {
		name   string
		handle func(w http.ResponseWriter, r *http.Request)
		body   string
		header string // the fields of the service and of gRPC in the response header
	}{
		{"declared trailers", func(w http.ResponseWriter, _ *http.Request) {
			set(w.Header(), "Trailer", "Grpc-Status, X-Later")
			_, _ = w.Write(rawFrame(0, nil))
			set(w.Header(), "Grpc-Status", "0", "X-Later", "l", "X-Undeclared", "u")
		}, string(rawFrame(0, nil)) + string(rawFrame(0x80, []byte("grpc-status: 0\r\nx-later: l\r\n"))), ""},
		{"declared trailers set before the header is sent", func(w http.ResponseWriter, _ *http.Request) {
			set(w.Header(), "Trailer", "grpc-status", "Grpc-Status", "0")
			w.WriteHeader(http.StatusOK)
		}, trailerFrame, ""},
		{"undeclared trailers, before and after", func(w http.ResponseWriter, _ *http.Request) {
			set(w.Header(), "Trailer:X-Before", "b")
			w.(http.Flusher).Flush()
			set(w.Header(), "Trailer:grpc-status", "0", "Trailer:X-AFTER", "a")
		}, string(rawFrame(0x80, []byte("grpc-status: 0\r\nx-after: a\r\nx-before: b\r\n"))), ""},
		{"nothing written", func(w http.ResponseWriter, _ *http.Request) { set(w.Header(), "Trailer:grpc-status", "0") }, trailerFrame, ""},
		{"the status in the headers", func(w http.ResponseWriter, _ *http.Request) {
			set(w.Header(), "Grpc-Status", "5", "Grpc-Message", "none", "X-Meta", "m")
		}, "", "grpc-message: none, grpc-status: 5, x-meta: m"},
		{"the status in the headers, flushed alone", func(w http.ResponseWriter, _ *http.Request) {
			set(w.Header(), "Grpc-Status", "5")
			w.(http.Flusher).Flush()
		}, "", "grpc-status: 5"},
		{"the status in the headers, in lower case", func(w http.ResponseWriter, _ *http.Request) {
			set(w.Header())
			w.Header()["grpc-status"] = []string{"5"}
		}, "", "grpc-status: 5"},
		{"a body after the status", func(w http.ResponseWriter, _ *http.Request) {
			set(w.Header(), "Grpc-Status", "0")
			if _, err := w.Write(rawFrame(0, nil)); err == nil {
				t.Error("Write returned no error")
			}
		}, "", "grpc-status: 0"},
		{"no status", func(w http.ResponseWriter, _ *http.Request) {
			set(w.Header())
			_, _ = w.Write(rawFrame(0, nil))
		}, string(rawFrame(0, nil)) + unknown, ""},
		{"no status and no message", func(w http.ResponseWriter, _ *http.Request) { set(w.Header()) }, unknown, ""},
		{"details without a status", func(w http.ResponseWriter, _ *http.Request) {
			set(w.Header(), "Trailer:grpc-status-details-bin", "AAAA", "Trailer:grpc-message", "m")
		}, unknown, ""},
		{"two statuses", func(w http.ResponseWriter, _ *http.Request) {
			set(w.Header())
			w.Header()["Trailer:Grpc-Status"] = []string{"0", "5"}
		}, unknown, ""},
		{"a status under two names", func(w http.ResponseWriter, _ *http.Request) {
			set(w.Header(), "Trailer:grpc-status", "0", "Trailer:Grpc-Status", "7")
		}, unknown, ""},
		{"a status that is not a number", func(w http.ResponseWriter, _ *http.Request) {
			set(w.Header(), "Trailer:grpc-status", "OK")
		}, unknown, ""},
		{"reserved flags", func(w http.ResponseWriter, _ *http.Request) {
			set(w.Header(), "Trailer:grpc-status", "0")
			_, _ = w.Write(rawFrame(0, []byte("a")))
			_, err := w.Write(append(rawFrame(1, []byte("b")), rawFrame(0x80, []byte("grpc-status: 0\r\n"))...))
			if err == nil {
				t.Error("Write returned no error")
			}
			if _, err := w.Write(rawFrame(0, []byte("c"))); err == nil {
				t.Error("the next Write returned no error")
			}
		}, string(rawFrame(0, []byte("a"))) + string(rawFrame(1, []byte("b"))) +
			string(rawFrame(0x80, []byte("grpc-status: 13\r\ngrpc-message: the server's response is malformed: a message has reserved flags\r\n"))), ""},
		{"values with line ends", func(w http.ResponseWriter, _ *http.Request) {
			set(w.Header(), "Trailer:grpc-status", "7", "Trailer:x", "1\r\ngrpc-status: 0", "Trailer:y", " 2\n\x00 ")
		}, string(rawFrame(0x80, []byte("grpc-status: 7\r\nx: 1  grpc-status: 0\r\ny: 2\r\n"))), ""},
		{"invalid names", func(w http.ResponseWriter, _ *http.Request) {
			set(w.Header(), "Trailer:grpc-status", "7", "Trailer:", "a", "Trailer:a b", "b", "Trailer:c\r\ngrpc-status: 0", "d", "Trailer:content-length", "1")
		}, string(rawFrame(0x80, []byte("grpc-status: 7\r\n"))), ""},
		{"a Content-Length", func(w http.ResponseWriter, _ *http.Request) {
			set(w.Header(), "Trailer:grpc-status", "0", "Content-Length", "0")
		}, trailerFrame, ""},
		{"a response that is not gRPC", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Grpc-Status", "0")
			http.Error(w, "no", http.StatusBadGateway)
		}, "no\n", "grpc-status: 0"},
		{"a gRPC Content-Type with an HTTP status other than 200", func(w http.ResponseWriter, _ *http.Request) {
			set(w.Header(), "Trailer:Grpc-Status", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, "", ""},
		{"informational responses first", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			set(w.Header(), "Trailer:grpc-status", "0")
		}, trailerFrame, ""},
		{"WriteHeader called twice", func(w http.ResponseWriter, _ *http.Request) {
			set(w.Header(), "Trailer:grpc-status", "0")
			w.WriteHeader(http.StatusOK)
			w.WriteHeader(http.StatusTeapot)
		}, trailerFrame, ""},
	}
	for _, test := range tests {
		for _, m := range modes {
			t.Run(test.name+", "+m.name, func(t *testing.T) {
				t.Parallel()
				url, client := wires[0].start(t, corsgrpc.Text(corsgrpc.Handler(http.HandlerFunc(test.handle))))
				res, err := client.Do(m.request(t, url, "Greet", frame(t, "")))
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				body, err := io.ReadAll(res.Body)
				if err != nil {
					t.Fatal(err)
				}
				if m.text && strings.HasPrefix(res.Header.Get("Content-Type"), "application/grpc-web-text") {
					if body, err = decodeText(string(body)); err != nil {
						t.Fatal(err)
					}
				}
				if string(body) != test.body {
					t.Errorf("the body is %q, want %q", body, test.body)
				}
				if contentType := res.Header.Get("Content-Type"); strings.HasPrefix(contentType, "application/grpc-web") != (res.StatusCode == http.StatusOK) ||
					res.StatusCode == http.StatusOK && contentType != m.contentType {
					t.Errorf("%d %s", res.StatusCode, contentType)
				}
				own := http.Header{}
				for _, name := range []string{"Grpc-Status", "Grpc-Message", "X-Meta", "X-Before", "X-Later", "Trailer"} {
					if v := res.Header[name]; v != nil {
						own[strings.ToLower(name)] = v
					}
				}
				if got := lines(own); got != test.header {
					t.Errorf("the headers are %q, want %q", got, test.header)
				}
				if len(res.Trailer) > 0 && res.StatusCode == http.StatusOK {
					t.Errorf("HTTP trailers %v", res.Trailer)
				}
			})
		}
	}
}

// TestBrokenAnswers: a response that ends within a message breaks the
// connection, so that a client does not take it for complete.
func TestBrokenAnswers(t *testing.T) {
	t.Parallel()
	tests := map[string]http.HandlerFunc{
		"the handler stops within a message": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/grpc")
			w.Header().Set("Trailer:Grpc-Status", "0")
			_, _ = w.Write([]byte{0, 0, 0, 0, 9, 'a'})
		},
		"the handler stops within a length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/grpc")
			_, _ = w.Write([]byte{0, 0})
		},
		"the handler panics": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/grpc")
			w.Header().Set("Trailer:Grpc-Status", "0")
			_, _ = w.Write(rawFrame(0, nil))
			panic(http.ErrAbortHandler)
		},
	}
	onWires(t, func(t *testing.T, w wire) {
		for name, handle := range tests {
			for _, m := range modes {
				url, client := w.start(t, corsgrpc.Text(corsgrpc.Handler(handle)))
				res, err := client.Do(m.request(t, url, "Greet", frame(t, "")))
				if err != nil {
					continue
				}
				if body, err := io.ReadAll(res.Body); err == nil {
					t.Errorf("%s, %s: the client read a complete body, %q", name, m.name, body)
				}
				res.Body.Close()
			}
		}
	})
}

// TestPanic: after a panic of the handler that a middleware recovers, the response
// has no trailer frame.
func TestPanic(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		r, w := httptestRequest("POST", m.contentType, "")
		func() {
			defer func() { _ = recover() }()
			corsgrpc.Text(corsgrpc.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/grpc")
				w.Header().Set("Trailer:Grpc-Status", "0")
				_, _ = w.Write(rawFrame(0, nil))
				panic("on purpose")
			}))).ServeHTTP(w, r)
		}()
		if body := w.Body.String(); body != map[bool]string{false: "\x00\x00\x00\x00\x00", true: "AAAA"}[m.text] {
			t.Errorf("%s: %q", m.name, body)
		}
	}
}

// TestWriterThatCannotFlush: grpc-go fails with its own error if the writer cannot
// flush.
func TestWriterThatCannotFlush(t *testing.T) {
	t.Parallel()
	h := webHandler(newService())
	url, client := wires[0].start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
	}))
	for _, m := range modes {
		got := send(t, client, m.request(t, url, "Greet", frame(t, "")))
		if got.status != http.StatusInternalServerError || !strings.Contains(got.messages[0], "http.Flusher") {
			t.Errorf("%s: %+v", m.name, got)
		}
	}
}
