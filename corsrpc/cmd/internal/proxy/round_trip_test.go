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
