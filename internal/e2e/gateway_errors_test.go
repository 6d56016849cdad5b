package e2e

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// TestGatewayErrors: the page reads the gateway's own errors in the protocol of its call: an upstream that is away, and one that
// never answers.
func TestGatewayErrors(t *testing.T) {
	inGatewayEngines(t, func(t *testing.T, page *browser.Page) {
		const policy = "defaults: {allow_origins: [ORIGIN]}\n"
		away, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := away.Addr().String()
		away.Close()
		ended := make(chan struct{})
		t.Cleanup(func() { close(ended) }) // runs before the server's
		silent := serveHTTP2(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-ended:
			case <-time.After(time.Minute):
			}
		}))
		for _, test := range []struct{ name, upstream, code string }{
			{"away", "h2c://" + address, "unavailable"},
			{"never answers", "h2c://" + silent, "deadlineexceeded"},
		} {
			server := serveAPI(t, gatewayTo(t, test.upstream, page.Origin, policy, "--response-timeout", "300ms", "--descriptors", "image.binpb"))
			for _, transport := range []string{overConnect, overGRPCWeb, withGRPCWebJS, withProtobufTS, withNiceGRPCWeb} {
				reading := runCalls(t, page, server, call{Transport: transport, Method: "Greet", Requests: messages(`{"name":"Ada"}`)})[0]
				if got := reading.seen(); strings.ToLower(got.code) != test.code {
					t.Errorf("%s over %s: %+v, want %s", test.name, transport, got, test.code)
				}
			}
		}
	})
}
