//go:build fleet

package fleet_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/fleet/envoy"
)

const testJWKS = `{"keys":[{"kty":"oct","alg":"HS256","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}]}`

// Answers that Envoy makes itself pass the processor's response step, if a filter to its right or the
// router makes them.
func TestLocalReplies(t *testing.T) {
	denies := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
	}))
	defer denies.Close()
	both := []string{"request_headers", "response_headers"}
	slow := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, test := range []struct {
		name    string
		change  func(*testing.T, *envoy.Config)
		handler http.HandlerFunc
		lines   []string
		status  int
		kinds   []string
	}{
		{name: "jwt_authn", status: 401, kinds: both,
			change: func(_ *testing.T, c *envoy.Config) { c.JWKS = testJWKS }},
		{name: "ext_authz", status: 403, kinds: both,
			change: func(_ *testing.T, c *envoy.Config) { c.Authorization = denies.Listener.Addr().String() }},
		{name: "ext_authz that is away", status: 403, kinds: both,
			change: func(t *testing.T, c *envoy.Config) { c.Authorization = closedAddr(t) }},
		{name: "local_ratelimit", status: 429, kinds: both,
			change: func(_ *testing.T, c *envoy.Config) { c.RateLimit = 1 },
			lines:  []string{"GET /twice HTTP/1.1"}},
		{name: "the upstream is away", status: 503, kinds: both,
			change: func(t *testing.T, c *envoy.Config) { c.Upstream = closedAddr(t) }},
		{name: "the upstream is late", status: 504, kinds: both, handler: slow,
			change: func(_ *testing.T, c *envoy.Config) {
				c.Routes = []string{"match: {prefix: /}\nroute: {cluster: upstream, timeout: 0.2s}"}
			}},
		{name: "no cluster", status: 503, kinds: both,
			change: func(_ *testing.T, c *envoy.Config) {
				c.Routes = []string{"match: {prefix: /}\nroute: {cluster_header: x-no-such-header}"}
			}},
		{name: "a direct response", status: 418, kinds: both,
			change: func(_ *testing.T, c *envoy.Config) {
				c.Routes = []string{"match: {prefix: /}\ndirect_response: {status: 418}"}
			}},
		{name: "a redirect", status: 301, kinds: both,
			change: func(_ *testing.T, c *envoy.Config) {
				c.Routes = []string{"match: {prefix: /}\nredirect: {https_redirect: true}"}
			}},
		{name: "an upgrade that is not configured", status: 403, kinds: []string{"response_headers"},
			lines: []string{"GET / HTTP/1.1", "Connection: upgrade", "Upgrade: websocket"}},
		{name: "a fragment in the path", status: 400, kinds: []string{"response_headers"},
			lines: []string{"GET /#a HTTP/1.1"}},
		{name: "OPTIONS *", status: 404, kinds: []string{"response_headers"},
			lines: []string{"OPTIONS * HTTP/1.1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			u := serveUpstream(t, test.handler)
			p := serveProcessor(t, proceed(overwrite("access-control-allow-origin", "https://a.test")))
			addr, _ := start(t, u, p, func(c *envoy.Config) {
				if test.change != nil {
					test.change(t, c)
				}
			})
			lines := test.lines
			if lines == nil {
				lines = []string{"GET / HTTP/1.1"}
			}
			if test.status == 429 {
				send(t, addr, lines...)
				p.mu.Lock()
				p.messages = nil
				p.mu.Unlock()
			}
			resp := send(t, addr, lines...)
			if resp.status != test.status {
				t.Errorf("status %d, want %d: %v", resp.status, test.status, resp.header)
			}
			if got := p.kinds(); !slices.Equal(got, test.kinds) {
				t.Errorf("messages %q, want %q", got, test.kinds)
			}
			if resp.header.Get("Access-Control-Allow-Origin") == "" {
				t.Errorf("the answer is not readable: %v", resp.header)
			}
		})
	}
}

// Answers to requests that Envoy's codec refuses are lost if there is a processor: the connection ends
// before its response step does.
func TestRequestsThatTheCodecRefuses(t *testing.T) {
	for _, test := range []struct {
		name, request string
		status        int // without a processor
	}{
		{"a malformed field", "GET / HTTP/1.1\r\nHost: a.test\r\nno colon\r\n\r\n", 400},
		{"a NUL in a value", "GET / HTTP/1.1\r\nHost: a.test\r\nOrigin: \x00\r\n\r\n", 400},
		{"a path without a slash", "GET a HTTP/1.1\r\nHost: a.test\r\n\r\n", 400},
		{"a path outside of ASCII", "GET /\xc3\xa9 HTTP/1.1\r\nHost: a.test\r\n\r\n", 400},
		{"a blank in Host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
		{"an unknown method", "get / HTTP/1.1\r\nHost: a.test\r\n\r\n", 400},
		{"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 426},
		{"a scheme that the connection does not have", "GET https://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", 403},
		{"headers that are too large", "GET / HTTP/1.1\r\nHost: a.test\r\nX-Large: " + strings.Repeat("x", 61<<10) + "\r\n\r\n", 431},
	} {
		for _, processed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, processor=%t", test.name, processed), func(t *testing.T) {
				t.Parallel()
				u := serveUpstream(t, nil)
				addr, _ := start(t, u, serveProcessor(t, proceed()), func(c *envoy.Config) {
					c.Manager = "use_remote_address: true"
					if !processed {
						c.Processor = nil
					}
				})
				conn := dial(t, addr)
				defer conn.Close()
				if _, err := io.WriteString(conn, test.request); err != nil {
					t.Fatal(err)
				}
				answer, err := io.ReadAll(conn)
				if err != nil {
					t.Fatal(err)
				}
				want := fmt.Sprintf("HTTP/1.1 %d ", test.status)
				if processed {
					want = ""
				}
				if len(answer) < len(want) || string(answer[:len(want)]) != want || processed && len(answer) > 0 || u.hits() != 0 {
					t.Errorf("%d hits, answer %q, want %q", u.hits(), answer, want)
				}
			})
		}
	}
}

// Preflights carry no token: a filter to the left of the processor refuses them.
func TestPreflightAtJWT(t *testing.T) {
	jwt := `name: envoy.filters.http.jwt_authn
typed_config:
  "@type": type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication
  providers: {test: {issuer: test, local_jwks: {inline_string: '` + testJWKS + `'}}}
  rules: [{match: {prefix: /}, requires: {provider_name: test}}]`
	for _, test := range []struct {
		name   string
		change func(*envoy.Config)
		status int
		kinds  []string
	}{
		{"to its right", func(c *envoy.Config) { c.After = []string{jwt} }, 204, []string{"request_headers"}},
		{"to its left", func(c *envoy.Config) { c.Before = []string{jwt} }, 401, []string{"response_headers"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := serveProcessor(t, answerPreflight)
			addr, _ := start(t, serveUpstream(t, nil), p, test.change)
			resp := send(t, addr, "OPTIONS / HTTP/1.1", fromA, asksForPOST)
			if resp.status != test.status || !slices.Equal(p.kinds(), test.kinds) {
				t.Errorf("status %d, messages %q, want %d, %q", resp.status, p.kinds(), test.status, test.kinds)
			}
		})
	}
}
