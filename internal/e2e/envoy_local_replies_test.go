//go:build fleet

package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
	"github.com/corsrpc/corsrpc-go/internal/fleet/envoy"
)

// testJWKS is a key set for jwt_authn, which no test has a token of.
const testJWKS = `{"keys":[{"kty":"oct","alg":"HS256","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}]}`

// A localReply is an answer that Envoy makes to the right of the processor.
type localReply struct {
	name       string
	status     int
	code       string // in gRPC's table of HTTP statuses, which Envoy, Connect and nice-grpc-web use
	exact      string // in the table of grpc-web and protobuf-ts, from the codes to the statuses of google.rpc
	statusText string
	body       string
	change     func(t *testing.T, c *envoy.Config)
}

var localReplies = []localReply{
	{
		name: "jwt_authn", status: 401, code: "Unauthenticated", exact: "Unauthenticated", statusText: "Unauthorized",
		body:   "Jwt is missing",
		change: func(_ *testing.T, c *envoy.Config) { c.JWKS = testJWKS },
	},
	{
		name: "ext_authz", status: 403, code: "PermissionDenied", exact: "PermissionDenied", statusText: "Forbidden",
		body: "not for you",
		change: func(t *testing.T, c *envoy.Config) {
			denies := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusForbidden)
				_, _ = io.WriteString(w, "not for you")
			}))
			t.Cleanup(denies.Close)
			c.Authorization = denies.Listener.Addr().String()
		},
	},
	{
		name: "local_ratelimit", status: 429, code: "Unavailable", exact: "ResourceExhausted", statusText: "Too Many Requests",
		body:   "local_rate_limited",
		change: func(_ *testing.T, c *envoy.Config) { c.RateLimit = 1 },
	},
	{
		name: "upstream away", status: 503, code: "Unavailable", exact: "Unavailable", statusText: "Service Unavailable",
		body:   "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure",
		change: func(t *testing.T, c *envoy.Config) { c.Upstream = closedAddress(t) },
	},
	{
		name: "route timeout", status: 504, code: "Unavailable", exact: "DeadlineExceeded", statusText: "Gateway Timeout",
		body: "upstream request timeout",
		change: func(t *testing.T, c *envoy.Config) {
			c.Upstream = serveHTTP2(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
			c.Routes = []string{"match: {prefix: /}\nroute: {cluster: upstream, timeout: 0.3s}"}
		},
	},
}

// error returns the error that a client makes of the answer. Envoy translates it only to gRPC-Web, with grpc_web.
func (r localReply) error(transport string, translated bool) (code, message string) {
	switch {
	case transport == overConnect || transport == overGRPCWeb && !translated:
		return r.code, fmt.Sprintf("HTTP %d", r.status)
	case transport == withGRPCWebJS && translated:
		return r.exact, fmt.Sprintf("Http response at 400 or 500 level, http status code: %d", r.status)
	case translated:
		return r.code, r.body
	case transport == withGRPCWebJS:
		return "Unknown", "Unknown Content-type received."
	case transport == withProtobufTS:
		return r.exact, r.statusText
	default: // nice-grpc-web
		words := map[string]string{"Unauthenticated": "UNAUTHENTICATED", "PermissionDenied": "PERMISSION_DENIED", "Unavailable": "UNAVAILABLE"}
		return "Unknown", fmt.Sprintf("Transport error: %s %s: Received HTTP %d response: %s", greetPath, words[r.code], r.status, r.body)
	}
}

// start starts an Envoy that answers so, in front of a server.
func (r localReply) start(t *testing.T, server envoyServer, origin string, change func(*envoy.Config)) *envoy.Envoy {
	t.Helper()
	config := server.config(t)
	r.change(t, &config)
	change(&config)
	e := startEnvoy(t, origin, "defaults: {allow_origins: [ORIGIN]}", config)
	if config.RateLimit > 0 { // the first request passes
		resp, err := http.Get("http://" + e.Addr(envoy.Listener))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	return e
}

// closedAddress returns an address at which nothing listens.
func closedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestEnvoyLocalReplies: a page of an allowed origin reads Envoy's own answers, as far as its client understands them.
func TestEnvoyLocalReplies(t *testing.T) {
	inGatewayEngines(t, func(t *testing.T, page *browser.Page) {
		for _, reply := range localReplies {
			for _, server := range envoyServers[1:] {
				t.Run(reply.name+", "+server.name, func(t *testing.T) {
					e := reply.start(t, server, page.Origin, func(*envoy.Config) {})
					to := relayTo(t, e.Addr(envoy.Listener))
					for _, transport := range transports {
						got := runCalls(t, page, to, greet(transport))[0].seen()
						if code, message := reply.error(transport, server.translated); got.code != code || got.message != message {
							t.Errorf("over %s the script read %q, %q, want %q, %q", transport, got.code, got.message, code, message)
						}
					}
					got := fetchRaw(t, page, to.URL+greetPath, fetchInit{Method: http.MethodPost, Headers: jsonBody, Body: ada})
					if got.Status != reply.status || got.Body != reply.body {
						t.Errorf("the script read %+v, want status %d and %q", got, reply.status, reply.body)
					}
					if _, ok := got.Headers["www-authenticate"]; ok != (reply.status == http.StatusUnauthorized) {
						t.Errorf("the script read the headers %q, want www-authenticate only of a 401", got.Headers)
					}
				})
			}
		}
	})
}

// TestEnvoyLocalRepliesToOthers: a page of another origin reads none of Envoy's own answers. Envoy's configuration adds
// Access-Control-Allow-Origin to all answers, which the processor removes from those of procedures.
func TestEnvoyLocalRepliesToOthers(t *testing.T) {
	inGatewayEngines(t, func(t *testing.T, page *browser.Page) {
		for _, reply := range localReplies {
			t.Run(reply.name, func(t *testing.T) {
				const others = "https://app.example.com"
				plain := relayTo(t, reply.start(t, envoyServers[2], others, func(*envoy.Config) {}).Addr(envoy.Listener))
				open := relayTo(t, reply.start(t, envoyServers[2], others, func(c *envoy.Config) {
					c.VirtualHost = `response_headers_to_add: [{header: {key: access-control-allow-origin, value: "*"}}]`
				}).Addr(envoy.Listener))
				for _, c := range []struct {
					what string
					url  string
					init fetchInit
				}{
					{"GET of a page", plain.URL + "/page", fetchInit{}},
					{"call", plain.URL + greetPath, fetchInit{Method: http.MethodPost, Headers: jsonBody, Body: ada}},
					{"call without a preflight", plain.URL + greetPath, fetchInit{Method: http.MethodPost, Body: ada}},
					{"GET of a call", plain.URL + lookupPath + "?connect=v1&encoding=proto&message=", fetchInit{}},
					{"call, opened", open.URL + greetPath, fetchInit{Method: http.MethodPost, Headers: jsonBody, Body: ada}},
					{"call without a preflight, opened", open.URL + greetPath, fetchInit{Method: http.MethodPost, Body: ada}},
					{"GET of a call, opened", open.URL + lookupPath + "?connect=v1&encoding=proto&message=", fetchInit{}},
				} {
					if got := fetchRaw(t, page, c.url, c.init); got.Threw != "TypeError" {
						t.Errorf("%s: the script read %+v, want a TypeError", c.what, got)
					}
				}
			})
		}
	})
}
