package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/proxy"
)

// TestUnfinishedRequest: when an upstream answers before a client of HTTP/1.1 has ended its request, the client reads the
// whole response if its request is well-formed. The gateway does not take the rest for another request: the connection ends.
func TestUnfinishedRequest(t *testing.T) {
	t.Parallel()
	const request = "POST /any/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
	const smuggled = "GET /any/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/any/smuggled" {
			t.Error("the rest of a request was taken for another one")
		}
		control := http.NewResponseController(w)
		_ = control.EnableFullDuplex()
		if r.Method == http.MethodPost {
			if r.ProtoMajor == 1 {
				w.Header().Set("Connection", "close") // net/http itself does not survive a rest that was not read
			}
			if _, err := io.ReadFull(r.Body, make([]byte, 5)); err != nil {
				t.Error(err)
			}
		}
		_, _ = io.WriteString(w, "enough")
		_ = control.Flush()
	}))
	for _, scheme := range []string{"http", "h2c"} {
		for _, test := range []struct {
			name string
			rest []string // of the request, when the response has begun
			late string   // the rest of the request, when the response has ended
		}{
			{"that ends in time", []string{"4\r\nrest\r\n", "0\r\n\r\n"}, ""},
			{"that does not end", nil, ""},
			{"with a request as the rest", []string{smuggled}, ""},
			{"with a request in the middle of a chunk", []string{"4\r\nre", "st\r\n" + smuggled}, ""},
			{"with a long rest", []string{"f00000\r\n", strings.Repeat(smuggled, 20_000)}, ""},
			{"with a request as a chunk", []string{fmt.Sprintf("%x\r\n", len(smuggled))}, smuggled},
		} {
			t.Run(test.name+" to an upstream with "+scheme, func(t *testing.T) {
				t.Parallel()
				address := gateway(t, newUpstream(t, scheme+"://"+upstream), proxy.Options{})
				conn, err := net.Dial("tcp", address)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
				r := bufio.NewReader(conn)
				if _, err := io.WriteString(conn, request); err != nil {
					t.Fatal(err)
				}
				if _, err := r.Peek(1); err != nil {
					t.Fatal(err)
				}
				for _, part := range test.rest {
					_, _ = io.WriteString(conn, part) // the gateway may have closed the connection
				}
				response, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(response.Body)
				if wellFormed := !strings.Contains(strings.Join(test.rest, ""), smuggled); wellFormed && (string(body) != "enough" || err != nil) {
					t.Errorf("%q, %v", body, err)
				}
				_, _ = io.WriteString(conn, test.late+"GET /any/next HTTP/1.1\r\nHost: x\r\n\r\n")
				response, err = http.ReadResponse(r, nil)
				if err == nil {
					t.Errorf("another response: %d", response.StatusCode)
				}
			})
		}
	}
}
