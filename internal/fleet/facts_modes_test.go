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

// The layer decides on the path that the page calls, and a route rewrites it afterwards.
func TestLayerBeforeRewrite(t *testing.T) {
	for _, test := range []struct {
		policy string
		status int
		hits   int
	}{
		{"defaults: {allow_origins: [https://a.test]}", 200, 1}, // no rule governs the path: extproc --path-prefix does it
		{"rules: [{path: /api/, allow_origins: [https://a.test]}]", 403, 0},
	} {
		t.Run(test.policy, func(t *testing.T) {
			t.Parallel()
			u := serveUpstream(t, nil)
			e := envoy.Start(t, envoy.Config{
				Upstream:  u.addr,
				Processor: &envoy.Processor{Socket: serveLayer(t, test.policy)},
				Routes:    []string{"match: {prefix: /api/}\nroute: {cluster: upstream, prefix_rewrite: /}"},
			}.YAML(t))
			resp := send(t, e.Addr(envoy.Listener), "POST /api/test.Service/OK HTTP/1.1", fromEvil, "Content-Length: 0")
			if resp.status != test.status || u.hits() != test.hits {
				t.Errorf("status %d with %d hits, want %d with %d", resp.status, u.hits(), test.status, test.hits)
			}
		})
	}
}
