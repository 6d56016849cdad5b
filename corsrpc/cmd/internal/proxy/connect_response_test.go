package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/proxy"
)

// TestConnectStreamBreaks: a Connect stream whose connection breaks between two messages ends with the error of the call. A message that is cut,
// and one that ends the stream, get nothing behind them.
func TestConnectStreamBreaks(t *testing.T) {
	t.Parallel()
	const ending = "\x02\x00\x00\x00\x02{}"
	for _, test := range []struct {
		name     string
		pieces   []string // each is sent by itself
		whole    bool     // whether the stream ends with the error
		complete bool     // whether the stream has its own end
	}{
		{"after two messages", []string{frame("first") + frame("second")}, true, false},
		{"after pieces", []string{frame("first")[:2], frame("first")[2:5], frame("first")[5:7], frame("first")[7:] + frame("")}, true, false},
		{"before a message", nil, true, false},
		{"in an envelope", []string{frame("first") + frame("second")[:3]}, false, false},
		{"behind an envelope", []string{frame("first")[:5]}, false, false},
		{"in a message", []string{frame("first")[:8]}, false, false},
		{"after the end", []string{frame("first") + ending}, false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			upstream, _ := rawServer(t, func(conn net.Conn, r *bufio.Reader, _ *atomic.Int64) {
				request, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, request.Body)
				fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/connect+json\r\nTransfer-Encoding: chunked\r\n\r\n")
				for _, piece := range test.pieces {
					fmt.Fprintf(conn, "%x\r\n%s\r\n", len(piece), piece)
				}
				conn.Close()
			})
			got, err := do(t, gateway(t, newUpstream(t, "http://"+upstream), proxy.Options{}), "POST", "/acme.v1.S/Watch", "application/connect+json", frame(""))
			if err != nil {
				t.Fatal(err)
			}
			sent := strings.Join(test.pieces, "")
			behind, found := strings.CutPrefix(got.body, sent)
			isError := strings.HasPrefix(behind, "\x02\x00\x00\x00") && strings.Contains(behind, `{"error":{"code":"unavailable",`)
			switch {
			case test.whole && (got.err != nil || !found || !isError):
				t.Errorf("%+v, want the messages and the error", got)
			case !test.whole && strings.Contains(got.body, "unavailable"):
				t.Errorf("%+v, want nothing behind %q", got, sent)
			case !test.whole && !test.complete && got.err == nil:
				t.Errorf("a message that is cut looks complete: %+v", got)
			}
		})
	}
}
