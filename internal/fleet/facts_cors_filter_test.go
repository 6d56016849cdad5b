//go:build fleet

package fleet_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/fleet/envoy"
)

const corsFilter = `name: envoy.filters.http.cors
typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors}`

// corsPolicy returns the fields of a virtual host or a route with a policy of Envoy's own filter, in
// YAML, whose fields are in the flow style.
func corsPolicy(fields string) string {
	return `typed_per_filter_config:
  envoy.filters.http.cors:
    "@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy
    ` + fields
}

const (
	allowsA     = "allow_origin_string_match: [{exact: \"https://a.test\"}]\n    "
	fromA       = "Origin: https://a.test"
	fromEvil    = "Origin: https://evil.test"
	asksForPOST = "Access-Control-Request-Method: POST"
)

// Envoy's own filter "cors" under policies of a virtual host and of a route.
func TestCORSFilter(t *testing.T) {
	call := []string{"POST / HTTP/1.1", "Content-Type: text/plain", "Content-Length: 0", "Cookie: session=1"}
	preflight := []string{"OPTIONS / HTTP/1.1", asksForPOST}
	const absent = ""
	type row struct {
		name          string
		host, route   string // policies
		upstream      string // its Access-Control-Allow-Origin
		lines         []string
		status, hits  int
		origin        string // Access-Control-Allow-Origin
		header, value string // another field of the answer
	}
	for _, test := range []row{
		{name: "a refused call is forwarded", host: allowsA, lines: append(call, fromEvil), status: 200, hits: 1},
		{name: "a refused call is forwarded, not matching preflights are not",
			host: allowsA + "forward_not_matching_preflights: false", lines: append(call, fromEvil), status: 200, hits: 1},
		{name: "a permissive upstream's header stays for a refused origin",
			host: allowsA, upstream: "*", lines: []string{"GET / HTTP/1.1", fromEvil}, status: 200, hits: 1, origin: "*"},
		{name: "a permissive upstream's header is overwritten for an allowed origin",
			host: allowsA, upstream: "*", lines: []string{"GET / HTTP/1.1", fromA}, status: 200, hits: 1, origin: "https://a.test"},
		{name: "an allowed call has no Vary",
			host: allowsA, lines: []string{"GET / HTTP/1.1", fromA}, status: 200, hits: 1, origin: "https://a.test", header: "Vary", value: absent},
		{name: "an allowed preflight is 200 without Vary",
			host: allowsA, lines: append(preflight, fromA), status: 200, origin: "https://a.test", header: "Vary", value: absent},
		{name: "a refused preflight is forwarded by default", host: allowsA, lines: append(preflight, fromEvil), status: 200, hits: 1},
		{name: "a refused preflight is 200 if it is not forwarded",
			host: allowsA + "forward_not_matching_preflights: false", lines: append(preflight, fromEvil), status: 200},
		{name: "an empty list of a route falls through to the virtual host's",
			host: allowsA, route: "allow_origin_string_match: []", lines: []string{"GET / HTTP/1.1", fromA}, status: 200, hits: 1, origin: "https://a.test"},
		{name: "a list of a route replaces the virtual host's",
			host: allowsA, route: `allow_origin_string_match: [{exact: "https://b.test"}]`, lines: []string{"GET / HTTP/1.1", fromA}, status: 200, hits: 1},
		{name: "an empty string of a route falls through to the virtual host's",
			host: allowsA + "allow_methods: GET", route: allowsA + `allow_methods: ""`, lines: append(preflight, fromA), status: 200,
			origin: "https://a.test", header: "Access-Control-Allow-Methods", value: "GET"},
		{name: "exact * echoes every origin",
			host: `allow_origin_string_match: [{exact: "*"}]`, lines: []string{"GET / HTTP/1.1", fromEvil}, status: 200, hits: 1, origin: "https://evil.test"},
		{name: "regex .* echoes every origin",
			host: `allow_origin_string_match: [{safe_regex: {regex: ".*"}}]`, lines: []string{"GET / HTTP/1.1", fromEvil}, status: 200, hits: 1, origin: "https://evil.test"},
		{name: "a regex that matches only * echoes every origin",
			host: `allow_origin_string_match: [{safe_regex: {regex: "[*]"}}]`, lines: []string{"GET / HTTP/1.1", fromEvil}, status: 200, hits: 1, origin: "https://evil.test"},
		{name: "a prefix of * echoes every origin",
			host: `allow_origin_string_match: [{prefix: "*"}]`, lines: []string{"GET / HTTP/1.1", fromEvil}, status: 200, hits: 1, origin: "https://evil.test"},
		{name: "a regex has to match the whole origin",
			host: `allow_origin_string_match: [{safe_regex: {regex: "https://[a-z]+[.]test"}}]`, lines: []string{"GET / HTTP/1.1", "Origin: https://a.test:1"}, status: 200, hits: 1},
		{name: "credentials with * are taken and echo every origin",
			host: `allow_origin_string_match: [{exact: "*"}]` + "\n    allow_credentials: true", lines: []string{"GET / HTTP/1.1", fromEvil},
			status: 200, hits: 1, origin: "https://evil.test", header: "Access-Control-Allow-Credentials", value: "true"},
		{name: "allow_headers * echoes what is asked for, authorization included",
			host: allowsA + `allow_headers: "*"`, lines: append(preflight, fromA, "Access-Control-Request-Headers: authorization,x-a"), status: 200,
			origin: "https://a.test", header: "Access-Control-Allow-Headers", value: "authorization,x-a"},
		{name: "expose_headers is static",
			host: allowsA + "expose_headers: x-cost", lines: []string{"GET / HTTP/1.1", fromA}, status: 200, hits: 1,
			origin: "https://a.test", header: "Access-Control-Expose-Headers", value: "x-cost"},
		{name: "the origin null can be allowed",
			host: `allow_origin_string_match: [{exact: "null"}]`, lines: []string{"GET / HTTP/1.1", "Origin: null"}, status: 200, hits: 1, origin: "null"},
		{name: "two Origin lines are one value, which no exact origin matches",
			host: allowsA, lines: []string{"GET / HTTP/1.1", fromA, fromEvil}, status: 200, hits: 1},
		{name: "two Origin lines are echoed to everyone as one value",
			host: `allow_origin_string_match: [{exact: "*"}]`, lines: []string{"GET / HTTP/1.1", fromA, fromEvil}, status: 200, hits: 1,
			origin: "https://a.test,https://evil.test"},
		{name: "max_age 0", host: allowsA + `max_age: "0"`, lines: append(preflight, fromA), status: 200,
			origin: "https://a.test", header: "Access-Control-Max-Age", value: "0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			u := serveUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
				if test.upstream != "" {
					w.Header().Set("Access-Control-Allow-Origin", test.upstream)
				}
				_, _ = io.WriteString(w, "upstream")
			})
			config := envoy.Config{Upstream: u.addr, Before: []string{corsFilter}, VirtualHost: corsPolicy(test.host)}
			if test.route != "" {
				config.Route = corsPolicy(test.route)
			}
			e := envoy.Start(t, config.YAML(t))
			resp := send(t, e.Addr(envoy.Listener), test.lines...)
			if resp.status != test.status || u.hits() != test.hits {
				t.Errorf("status %d with %d hits, want %d with %d", resp.status, u.hits(), test.status, test.hits)
			}
			if got := resp.header.Get("Access-Control-Allow-Origin"); got != test.origin {
				t.Errorf("Access-Control-Allow-Origin is %q, want %q", got, test.origin)
			}
			if got := resp.header.Get(test.header); got != test.value {
				t.Errorf("%s is %q, want %q", test.header, got, test.value)
			}
		})
	}
}

// Errors that Envoy makes are readable behind its own filter.
func TestCORSFilterOnErrorsOfEnvoy(t *testing.T) {
	e := envoy.Start(t, envoy.Config{
		Upstream: closedAddr(t), Before: []string{corsFilter}, VirtualHost: corsPolicy(allowsA),
	}.YAML(t))
	resp := send(t, e.Addr(envoy.Listener), "GET / HTTP/1.1", fromA)
	if resp.status != 503 || resp.header.Get("Access-Control-Allow-Origin") != "https://a.test" {
		t.Errorf("%d %v", resp.status, resp.header)
	}
}

// A policy in shadow counts origins and adds no headers.
func TestCORSFilterInShadow(t *testing.T) {
	u := serveUpstream(t, nil)
	e := envoy.Start(t, envoy.Config{
		Upstream: u.addr, Before: []string{corsFilter}, VirtualHost: corsPolicy(allowsA + `filter_enabled: {default_value: {numerator: 0}, runtime_key: enabled}
    shadow_enabled: {default_value: {numerator: 100}, runtime_key: shadow}`),
	}.YAML(t))
	for _, origin := range []string{fromA, fromEvil, fromEvil} {
		if resp := send(t, e.Addr(envoy.Listener), "GET / HTTP/1.1", origin); resp.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", origin, resp.header)
		}
	}
	valid, invalid := e.Stats("http.public.cors.origin_valid"), e.Stats("http.public.cors.origin_invalid")
	if valid != 1 || invalid != 2 {
		t.Errorf("origin_valid %d, origin_invalid %d, want 1 and 2", valid, invalid)
	}
}

// The filter "csrf" refuses writes without Origin, which native gRPC clients send.
func TestCSRFFilter(t *testing.T) {
	const own = "Origin: https://api.test"
	for _, test := range []struct {
		lines  []string
		status int
	}{
		{[]string{"POST / HTTP/1.1", "Content-Length: 0", "Content-Type: application/grpc"}, 403},
		{[]string{"POST / HTTP/1.1", "Content-Length: 0", own}, 200},
		{[]string{"POST / HTTP/1.1", "Content-Length: 0", "Origin: http://api.test"}, 200}, // another scheme
		{[]string{"POST / HTTP/1.1", "Content-Length: 0", fromEvil}, 403},
		{[]string{"GET / HTTP/1.1", fromEvil}, 200},
	} {
		t.Run(fmt.Sprint(test.lines), func(t *testing.T) {
			t.Parallel()
			u := serveUpstream(t, nil)
			e := envoy.Start(t, envoy.Config{Upstream: u.addr, Before: []string{`name: envoy.filters.http.csrf
typed_config:
  "@type": type.googleapis.com/envoy.extensions.filters.http.csrf.v3.CsrfPolicy
  filter_enabled: {default_value: {numerator: 100}}`}}.YAML(t))
			resp := send(t, e.Addr(envoy.Listener), test.lines...)
			if resp.status != test.status && !(test.status == 403 && resp.header.Get("Grpc-Status") == "7") {
				t.Errorf("status %d %v, want %d", resp.status, resp.header, test.status)
			}
		})
	}
}

// The filter "rbac" can refuse what the filter "cors" lets pass: calls of a procedure from origins that
// it does not list, and writes of other sites without Origin.
func TestRBACFilter(t *testing.T) {
	const rbac = `name: envoy.filters.http.rbac
typed_config:
  "@type": type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC
  rules:
    action: DENY
    policies:
      origins:
        permissions: [{url_path: {path: {exact: /a}}}]
        principals:
        - and_ids:
            ids:
            - header: {name: origin, present_match: true}
            - not_id: {header: {name: origin, string_match: {exact: "https://a.test"}}}
      sites:
        permissions: [{header: {name: ":method", string_match: {exact: POST}}}]
        principals:
        - and_ids:
            ids:
            - header: {name: origin, present_match: false}
            - header: {name: sec-fetch-site, string_match: {exact: cross-site}}`
	u := serveUpstream(t, nil)
	e := envoy.Start(t, envoy.Config{Upstream: u.addr, Before: []string{corsFilter}, After: []string{rbac},
		VirtualHost: corsPolicy(allowsA)}.YAML(t))
	addr := e.Addr(envoy.Listener)
	for _, test := range []struct {
		lines  []string
		status int
	}{
		{[]string{"GET /a HTTP/1.1", fromA}, 200},
		{[]string{"GET /a HTTP/1.1"}, 200},
		{[]string{"GET /a HTTP/1.1", fromEvil}, 403},
		{[]string{"GET /a HTTP/1.1", fromA, fromEvil}, 403},
		{[]string{"GET /a?x HTTP/1.1", fromEvil}, 403},
		{[]string{"GET /b HTTP/1.1", fromEvil}, 200},
		{[]string{"POST /b HTTP/1.1", "Content-Length: 0", "Sec-Fetch-Site: cross-site"}, 403},
		{[]string{"POST /b HTTP/1.1", "Content-Length: 0"}, 200},
	} {
		if resp := send(t, addr, test.lines...); resp.status != test.status {
			t.Errorf("%q: status %d, want %d", test.lines, resp.status, test.status)
		}
	}
}
