package proxy_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/proxy"
)

// frame returns a message of gRPC.
func frame(message string) string {
	return string(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))) + message
}

// TestStreamsUnbuffered: each message reaches the client when the upstream sends it, and the upstream gets each
// message when the client sends it, over every version of HTTP.
func TestStreamsUnbuffered(t *testing.T) {
	t.Parallel()
	echo := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.EnableFullDuplex()
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		w.WriteHeader(http.StatusOK)
		_ = control.Flush()
		lines := bufio.NewReader(r.Body)
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			_, _ = io.WriteString(w, line)
			_ = control.Flush()
		}
	}))
	for _, scheme := range []string{"http", "h2c"} {
		for _, version := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s upstream, HTTP/%d client", scheme, version), func(t *testing.T) {
				t.Parallel()
				address := gateway(t, newUpstream(t, scheme+"://"+echo), proxy.Options{})
				protocols := new(http.Protocols)
				protocols.SetHTTP1(version == 1)
				protocols.SetUnencryptedHTTP2(version == 2)
				transport := &http.Transport{Protocols: protocols}
				defer transport.CloseIdleConnections()
				reader, writer := io.Pipe()
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				r, _ := http.NewRequestWithContext(ctx, "POST", "http://"+address+"/any/x", reader)
				res, err := transport.RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				lines := bufio.NewReader(res.Body)
				for n := range 3 {
					line := fmt.Sprintf("message %d\n", n)
					if _, err := io.WriteString(writer, line); err != nil {
						t.Fatal(err)
					}
					if got, err := lines.ReadString('\n'); got != line {
						t.Fatalf("%q, %v", got, err)
					}
				}
				writer.Close()
				if rest, err := io.ReadAll(lines); len(rest) > 0 || err != nil {
					t.Errorf("%q, %v", rest, err)
				}
			})
		}
	}
}

// rawGRPC serves one call of each HTTP/2 connection: it sends a message, and then lets end end the call.
func rawGRPC(t *testing.T, end func(conn net.Conn, f *http2.Framer, stream uint32)) string {
	t.Helper()
	address, _ := rawServer(t, func(conn net.Conn, r *bufio.Reader, _ *atomic.Int64) {
		preface := make([]byte, len(http2.ClientPreface))
		if _, err := io.ReadFull(r, preface); err != nil {
			return
		}
		f := http2.NewFramer(conn, r)
		_ = f.WriteSettings()
		for {
			got, err := f.ReadFrame()
			if err != nil {
				return
			}
			switch got := got.(type) {
			case *http2.SettingsFrame:
				if !got.IsAck() {
					_ = f.WriteSettingsAck()
				}
			case *http2.HeadersFrame:
				var block strings.Builder
				e := hpack.NewEncoder(&block)
				for _, field := range [][2]string{{":status", "200"}, {"content-type", "application/grpc+proto"}, {"x-meta", "m"}} {
					_ = e.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
				}
				_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: got.StreamID, BlockFragment: []byte(block.String()), EndHeaders: true})
				_ = f.WriteData(got.StreamID, false, []byte(frame("first")))
				end(conn, f, got.StreamID)
			}
		}
	})
	return address
}

// TestDiesInMidStream: a gRPC upstream that dies after the first message leads to a status that the page reads,
// behind the message; a message that is cut leads to an error too.
func TestDiesInMidStream(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(net.Conn, *http2.Framer, uint32){
		"the connection closes": func(conn net.Conn, _ *http2.Framer, _ uint32) { conn.Close() },
		"RST_STREAM":            func(_ net.Conn, f *http2.Framer, id uint32) { _ = f.WriteRSTStream(id, http2.ErrCodeInternal) },
		"GOAWAY, then it closes": func(conn net.Conn, f *http2.Framer, id uint32) {
			_ = f.WriteGoAway(id, http2.ErrCodeNo, nil)
			conn.Close()
		},
		"an invalid frame": func(conn net.Conn, _ *http2.Framer, _ uint32) { _, _ = conn.Write(make([]byte, 64)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := gateway(t, newUpstream(t, "grpc://"+rawGRPC(t, end)), proxy.Options{})
			got, err := do(t, address, "POST", "/acme.v1.S/Watch", "application/grpc-web+proto", frame(""))
			if err != nil {
				t.Fatal(err)
			}
			message, trailers, found := strings.Cut(got.body, "\x80")
			if got.err == nil && got.body == "" && got.header.Get("Grpc-Status") == "14" {
				return // net/http may notice the end before it has read the message
			}
			if got.err != nil || message != frame("first") || !found || !strings.Contains(trailers, "grpc-status: 14\r\n") {
				t.Errorf("%+v, want the message and the status 14", got)
			}
			if got.header.Get("Access-Control-Allow-Origin") != page {
				t.Errorf("%v", got.header)
			}
		})
	}
	cut := gateway(t, newUpstream(t, "grpc://"+rawGRPC(t, func(conn net.Conn, f *http2.Framer, id uint32) {
		_ = f.WriteData(id, false, []byte(frame("second")[:8]))
		conn.Close()
	})), proxy.Options{})
	if got, err := do(t, cut, "POST", "/acme.v1.S/Watch", "application/grpc-web+proto", frame("")); err == nil && got.err == nil && !strings.Contains(got.body, "\x80") {
		t.Errorf("a message that is cut looks complete: %+v", got)
	} else if strings.Contains(got.body, "grpc-status: 0") {
		t.Errorf("%+v", got)
	}
}

// TestCancellation: the upstream's call ends when the client goes away, before and in mid-stream.
func TestCancellation(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"http", "h2c"} {
		for _, begins := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, in mid-stream %t", scheme, begins), func(t *testing.T) {
				t.Parallel()
				arrived, ended := make(chan struct{}), make(chan struct{})
				upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					if begins {
						_, _ = io.WriteString(w, "first")
						_ = http.NewResponseController(w).Flush()
					}
					close(arrived)
					<-r.Context().Done()
					close(ended)
				}))
				address := gateway(t, newUpstream(t, scheme+"://"+upstream), proxy.Options{})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				r, _ := http.NewRequestWithContext(ctx, "POST", "http://"+address+"/any/x", strings.NewReader("x"))
				go func() {
					if res, err := (&http.Transport{}).RoundTrip(r); err == nil {
						_, _ = io.Copy(io.Discard, res.Body)
						res.Body.Close()
					}
				}()
				for _, event := range []chan struct{}{arrived, ended} {
					select {
					case <-event:
						cancel()
					case <-time.After(20 * time.Second):
						t.Fatal("the upstream's call does not end")
					}
				}
			})
		}
	}
}

// TestSlowReader: the gateway reads no more from an upstream than a client that does not read leaves room for.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	const offered = 256 << 20
	var sent atomic.Int64
	stalled := make(chan struct{})
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		chunk := make([]byte, 64<<10)
		control := http.NewResponseController(w)
		for sent.Load() < offered {
			_ = control.SetWriteDeadline(time.Now().Add(time.Second)) // nothing is read for that long
			if _, err := w.Write(chunk); err != nil {
				break
			}
			sent.Add(int64(len(chunk)))
		}
		close(stalled)
	}))
	address := gateway(t, newUpstream(t, "http://"+upstream), proxy.Options{})
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /any/x HTTP/1.1\r\nHost: %s\r\n\r\n", address)
	<-stalled
	if n := sent.Load(); n > offered/4 {
		t.Errorf("%d bytes were taken from the upstream", n)
	}
}

// TestAnswersEarly: a response that comes before the request was read reaches the client.
func TestAnswersEarly(t *testing.T) {
	t.Parallel()
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }))
	for _, scheme := range []string{"http", "h2c"} {
		address := gateway(t, newUpstream(t, scheme+"://"+upstream), proxy.Options{})
		got, err := do(t, address, "POST", "/any/x", "", strings.Repeat("x", 100<<10))
		if err != nil || got.status != http.StatusForbidden {
			t.Errorf("%s: %+v, %v", scheme, got, err)
		}
	}
}

// TestTooLarge: a request that exceeds the bound of its body fails in the protocol of the call.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	upstream := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	for _, scheme := range []string{"http", "h2c"} {
		h := newUpstream(t, scheme+"://"+upstream).Handler(proxy.Options{})
		address := serve(t, newLayer(t).Wrap(http.MaxBytesHandler(h, 1000)))
		for _, p := range protocols {
			body := strings.Repeat("x", 5000)
			if strings.HasPrefix(p.contentType, "application/grpc") {
				body = frame(body)
			}
			if p.name == "gRPC-Web text" {
				continue // the bound is that of the text
			}
			got, err := do(t, address, "POST", "/acme.v1.S/Get", p.contentType, body)
			if err != nil {
				t.Errorf("%s, %s: %v", scheme, p.name, err)
				continue
			}
			if strings.Contains(got.body, "grpc-status: 8\r\n") {
				continue // in trailers
			}
			checkError(t, p.contentType, got, http.StatusRequestEntityTooLarge, "resource_exhausted", "8")
		}
	}
}

// TestResponseTimeoutIsOfTheHeader: a response whose header has come in time may take longer.
func TestResponseTimeoutIsOfTheHeader(t *testing.T) {
	t.Parallel()
	const timeout = 200 * time.Millisecond
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-time.After(2 * timeout):
			_, _ = io.WriteString(w, "late")
		case <-r.Context().Done():
		}
	}))
	got, err := do(t, gateway(t, newUpstream(t, "h2c://"+upstream), proxy.Options{ResponseTimeout: timeout}), "POST", "/any/x", "", "x")
	if err != nil || got.err != nil || got.body != "late" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestStreamsBelowPrefixes checks that a stream below a path prefix is known as a stream: nothing bounds its header.
func TestStreamsBelowPrefixes(t *testing.T) {
	t.Parallel()
	const timeout = 100 * time.Millisecond
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(3 * timeout):
			_, _ = io.WriteString(w, "late")
		case <-r.Context().Done():
		}
	}))
	options := proxy.Options{ResponseTimeout: timeout, StripPrefix: "/api", Prefixes: []string{"/v1"}, Streams: func(_, method string) bool { return method == "Watch" }}
	address := serve(t, newUpstream(t, "http://"+upstream).Handler(options))
	for path, want := range map[string]int{"/api/v1/acme.v1.S/Watch": 200, "/api/acme.v1.S/Watch": 200, "/api/v1/acme.v1.S/Get": 504} {
		if got, err := do(t, address, "POST", path, "application/json", "{}"); err != nil || got.status != want {
			t.Errorf("%s: %+v, %v", path, got, err)
		}
	}
}
