package corsrpc_test

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestFirstMessageArrivesWhenSent checks that the layer does not buffer.
func TestFirstMessageArrivesWhenSent(t *testing.T) {
	t.Parallel()
	for _, wire := range wires {
		t.Run(wire.name, func(t *testing.T) {
			t.Parallel()
			layer, _ := newLayer(t, allowPage)
			read := make(chan struct{})
			server, client := wire.start(t, layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, "first\n")
				w.(http.Flusher).Flush()
				select {
				case <-read:
				case <-r.Context().Done():
				}
				io.WriteString(w, "second\n")
			})))
			res := send(t, client, http.MethodPost, server.URL+listRPC, fromPage())
			lines := bufio.NewReader(res.Body)
			if line, err := lines.ReadString('\n'); err != nil || line != "first\n" {
				t.Fatalf("%q, %v", line, err)
			}
			close(read)
			if line, err := lines.ReadString('\n'); err != nil || line != "second\n" {
				t.Fatalf("%q, %v", line, err)
			}
		})
	}
}

// TestHijackedConnectionIsLeftAlone checks that the layer writes nothing to a hijacked connection.
func TestHijackedConnectionIsLeftAlone(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, allowPage)
	server := httptest.NewServer(layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		rw.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
		rw.Flush()
	})))
	t.Cleanup(server.Close)
	res := send(t, server.Client(), http.MethodPost, server.URL+listRPC, fromPage())
	body, err := io.ReadAll(res.Body)
	if err != nil || string(body) != "ok" || len(res.Header["Access-Control-Allow-Origin"]) > 0 {
		t.Errorf("%q %v %v", body, err, res.Header)
	}
}

// bare is a ResponseWriter without optional methods.
type bare struct{ http.ResponseWriter }

// TestWriterOffersWhatIsBelow checks that the layer's writer has Flush and ReadFrom if the writer below
// has them, and always has Unwrap.
func TestWriterOffersWhatIsBelow(t *testing.T) {
	t.Parallel()
	type unwrapping struct {
		bare
		unwrapTo
	}
	type reading struct {
		bare
		io.ReaderFrom
	}
	recorder := httptest.NewRecorder()
	tests := []struct {
		name           string
		below          http.ResponseWriter
		flushes, reads bool
	}{
		{"nothing", bare{recorder}, false, false},
		{"Flush", recorder, true, false},
		{"Flush further down", unwrapping{bare{recorder}, unwrapTo{recorder}}, true, false},
		{"no Flush further down", unwrapping{bare{recorder}, unwrapTo{bare{recorder}}}, false, false},
		{"ReadFrom", reading{bare{recorder}, nil}, false, true},
		{"both", struct {
			reading
			http.Flusher
		}{reading{bare{recorder}, nil}, recorder}, true, true},
	}
	layer, _ := newLayer(t, allowPage)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, flushes := w.(http.Flusher)
				_, flushesWithError := w.(interface{ FlushError() error })
				_, reads := w.(io.ReaderFrom)
				_, unwraps := w.(interface{ Unwrap() http.ResponseWriter })
				if flushes != test.flushes || flushesWithError != test.flushes || reads != test.reads || !unwraps {
					t.Errorf("Flush %v, FlushError %v, ReadFrom %v, Unwrap %v", flushes, flushesWithError, reads, unwraps)
				}
			}))
			h.ServeHTTP(test.below, newRequest(http.MethodPost, listRPC, fromPage()))
		})
	}
}

type unwrapTo struct{ w http.ResponseWriter }

func (u unwrapTo) Unwrap() http.ResponseWriter { return u.w }

// TestUpgradeGetsTheOriginalWriter checks that the handler of an upgrade gets the writer below.
func TestUpgradeGetsTheOriginalWriter(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, `
rules:
  - path: /socket
    allow_origins: [https://app.example.com]
    allow_credentials: true
`)
	for _, origin := range []string{"", page, "https://api.example.com"} {
		header := http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Cookie": {"session=1"}}
		if origin != "" {
			header.Set("Origin", origin)
		}
		var got http.ResponseWriter
		w := httptest.NewRecorder()
		layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { got = w })).
			ServeHTTP(w, newRequest(http.MethodGet, "/socket", header))
		if got != http.ResponseWriter(w) {
			t.Errorf("origin %q: the handler got %T", origin, got)
		}
	}
}
