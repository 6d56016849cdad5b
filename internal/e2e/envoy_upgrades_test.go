//go:build fleet

package e2e

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
	"github.com/corsrpc/corsrpc-go/internal/fleet/envoy"
)

// TestEnvoyUpgrades: a WebSocket through Envoy opens from pages of origins that are allowed with credentials. The handshakes of
// other pages do not reach the server, which itself accepts every origin.
func TestEnvoyUpgrades(t *testing.T) {
	const policy = `
defaults:
  allow_origins: [ORIGIN]
rules:
  - path: /live
    allow_credentials: true
  - path: /plain
`
	inGatewayEngines(t, func(t *testing.T, page *browser.Page) {
		var handshakes atomic.Int32
		upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
		upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			handshakes.Add(1)
			if conn, err := upgrader.Upgrade(w, r, nil); err == nil {
				_, _, _ = conn.ReadMessage() // returns when the page closes the socket
				_ = conn.Close()
			}
		}))
		t.Cleanup(upstream.Close)
		config := envoy.Config{Upstream: upstream.Listener.Addr().String(), UpstreamHTTP1: true, Upgrades: []string{"websocket"}}
		granted := relayTo(t, startEnvoy(t, page.Origin, policy, config).Addr(envoy.Listener))
		strangers := relayTo(t, startEnvoy(t, "https://app.example.com", policy, config).Addr(envoy.Listener))
		for _, site := range sites {
			for _, c := range []struct {
				what   string
				server *api
				path   string
				want   string
			}{
				{"an origin granted with credentials", granted, "/live", "open"},
				{"an origin granted without", granted, "/plain", "failed"},
				{"a path that no rule names", granted, "/elsewhere", "open"}, // the policy does not govern it: the server has to check
				{"another origin", strangers, "/live", "failed"},
			} {
				t.Run(string(site)+", "+c.what, func(t *testing.T) {
					handshakes.Store(0)
					var got string
					page.Run(t, openSocket, map[string]string{"url": c.server.on(site) + c.path}, &got)
					_, sent := c.server.take()
					arrived := handshakes.Load()
					if got != c.want || len(sent) != 1 || (arrived == 1) != (c.want == "open") {
						t.Errorf("%s, and %d of %d handshakes arrived, want %s", got, arrived, len(sent), c.want)
					}
				})
			}
		}
	})
}
