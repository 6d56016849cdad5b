//go:build fleet

package fleet_test

import (
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/fleet/envoy"
)

// Processing modes with which Envoy does not send what the layer needs.
func TestLayerWithOtherModes(t *testing.T) {
	const policy = "defaults: {allow_origins: [https://a.test]}"
	for _, test := range []struct {
		name          string
		old, modes    string // of processing_mode
		allowOverride bool
		from          string
		status        int
		allowed       string // Access-Control-Allow-Origin
	}{
		{"requests are not sent", "request_header_mode: SEND", "request_header_mode: SKIP", true, fromEvil, 500, ""},
		{"responses are not sent", "response_header_mode: SEND", "response_header_mode: SKIP", true, fromA, 200, "https://a.test"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			u := serveUpstream(t, permissive)
			config := envoy.Config{Upstream: u.addr, Processor: &envoy.Processor{Socket: serveLayer(t, policy), AllowOverride: test.allowOverride}}.YAML(t)
			if !strings.Contains(config, test.old) {
				t.Fatalf("no %q in the configuration", test.old)
			}
			e := envoy.Start(t, strings.Replace(config, test.old, test.modes, 1))
			resp := sendBody(t, e.Addr(envoy.Listener), "hello", "POST /test.Service/OK HTTP/1.1", test.from, "Content-Type: text/plain", "Content-Length: 5")
			if got := resp.header.Get("Access-Control-Allow-Origin"); resp.status != test.status || got != test.allowed {
				t.Errorf("%d with Access-Control-Allow-Origin %q, want %d with %q", resp.status, got, test.status, test.allowed)
			}
		})
	}
}
