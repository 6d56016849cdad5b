//go:build fleet

package fleet_test

import (
	"slices"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/fleet/envoy"
)

// normalizes has Envoy normalize paths, as its documentation advises for edges.
const normalizes = "normalize_path: true\nmerge_slashes: true\npath_with_escaped_slashes_action: UNESCAPE_AND_REDIRECT"

// The parts of a request that the processor and the upstream see.
func TestWhatTheProcessorSees(t *testing.T) {
	get := func(lines ...string) []string { return append([]string{"GET / HTTP/1.1"}, lines...) }
	for _, test := range []struct {
		name    string
		manager string
		lines   []string
		header  string
		values  []string
	}{
		{name: "two Origin lines", lines: get(fromA, "Origin: https://b.test"), header: "origin", values: []string{"https://a.test,https://b.test"}},
		{name: "an empty Origin beside another", lines: get(fromA, "Origin:"), header: "origin", values: []string{"https://a.test"}},
		{name: "an empty Origin", lines: get("Origin:"), header: "origin", values: []string{""}},
		{name: "blanks around Origin", lines: get("Origin:  https://a.test \t"), header: "origin", values: []string{"https://a.test"}},
		{name: "Origin as an option of the connection", lines: get("Connection: origin, close", fromA), header: "origin"},
		{name: "two Host lines", lines: get("Host: a.test", "Host: b.test", "Connection: close"), header: ":authority", values: []string{"a.test,b.test"}},
		{name: "an empty Host", lines: get("Host:", "Connection: close"), header: ":authority", values: []string{""}},
		{name: "Host as it was sent", lines: get("Host: A.Test:80", "Connection: close"), header: ":authority", values: []string{"A.Test:80"}},
		{name: "lines of Access-Control-Request-Method", lines: get("Access-Control-Request-Method: A", "Access-Control-Request-Method: B"),
			header: "access-control-request-method", values: []string{"A,B"}},
		{name: "lines of Access-Control-Request-Headers", lines: get("Access-Control-Request-Headers: a", "Access-Control-Request-Headers: b"),
			header: "access-control-request-headers", values: []string{"a,b"}},
		{name: "lines of Content-Type", lines: get("Content-Type: a/b", "Content-Type: c/d"), header: "content-type", values: []string{"a/b,c/d"}},
		{name: "lines of other names", lines: get("X-A: 1", "X-A: 2"), header: "x-a", values: []string{"1", "2"}},
		{name: "lines of Sec-Fetch-Site", lines: get("Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: none"),
			header: "sec-fetch-site", values: []string{"cross-site", "none"}},
		{name: "lines of Cookie", lines: get("Cookie: a=1", "Cookie: b=2"), header: "cookie", values: []string{"a=1", "b=2"}},
		{name: "underscores", lines: get("X_A: 1"), header: "x_a", values: []string{"1"}},
		{name: "underscores that are refused", manager: "common_http_protocol_options: {headers_with_underscores_action: DROP_HEADER}",
			lines: get("X_A: 1"), header: "x_a"},
		{name: "Latin-1 in a value", lines: get("X-A: \xe9"), header: "x-a", values: []string{"\xe9"}},
		{name: "x-envoy-internal", lines: get("X-Envoy-Internal: true"), header: "x-envoy-internal"},
		{name: "an upgrade to h2c", lines: get("Connection: upgrade", "Upgrade: h2c", "HTTP2-Settings: x", "Host: api.test"), header: "upgrade"},
		{name: "slashes", lines: []string{"GET //a//b/ HTTP/1.1"}, header: ":path", values: []string{"//a//b/"}},
		{name: "slashes, normalized", manager: normalizes, lines: []string{"GET //a//b/ HTTP/1.1"}, header: ":path", values: []string{"/a/b/"}},
		{name: "dots", lines: []string{"GET /a/../b/./c HTTP/1.1"}, header: ":path", values: []string{"/a/../b/./c"}},
		{name: "dots, normalized", manager: normalizes, lines: []string{"GET /a/../b/./c HTTP/1.1"}, header: ":path", values: []string{"/b/c"}},
		{name: "escapes", lines: []string{"GET /a%2Fb%41%00%zz HTTP/1.1"}, header: ":path", values: []string{"/a%2Fb%41%00%zz"}},
		{name: "an escaped letter, normalized", manager: normalizes, lines: []string{"GET /a%41 HTTP/1.1"}, header: ":path", values: []string{"/aA"}},
		{name: "a backslash", lines: []string{`GET /a\b HTTP/1.1`}, header: ":path", values: []string{`/a\b`}},
		{name: "a backslash, normalized", manager: normalizes, lines: []string{`GET /a\b HTTP/1.1`}, header: ":path", values: []string{"/a/b"}},
		{name: "the path of an absolute form", lines: []string{"GET http://b.test/x HTTP/1.1"}, header: ":path", values: []string{"/x"}},
		{name: "the authority of an absolute form", lines: []string{"GET http://b.test/x HTTP/1.1"}, header: ":authority", values: []string{"b.test"}},
		{name: "the scheme of an absolute form", lines: []string{"GET https://b.test/x HTTP/1.1"}, header: ":scheme", values: []string{"https"}},
		{name: "the scheme that was used, of an absolute form", lines: []string{"GET https://b.test/x HTTP/1.1"}, header: "x-forwarded-proto", values: []string{"http"}},
		{name: "the scheme of a client that claims one", lines: get("X-Forwarded-Proto: https"), header: ":scheme", values: []string{"https"}},
		{name: "the scheme of a client that claims one, at an edge", manager: "use_remote_address: true",
			lines: get("X-Forwarded-Proto: https"), header: ":scheme", values: []string{"http"}},
		{name: "TRACE", lines: []string{"TRACE / HTTP/1.1"}, header: ":method", values: []string{"TRACE"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			u := serveUpstream(t, nil)
			p := serveProcessor(t, proceed())
			addr, _ := start(t, u, p, func(c *envoy.Config) {
				c.Manager = test.manager
			})
			send(t, addr, test.lines...)
			if got := p.request(t).get(test.header); !slices.Equal(got, test.values) {
				t.Errorf("%s is %q, want %q", test.header, got, test.values)
			}
		})
	}
}

// Requests that Envoy answers before the processor sees them, if it normalizes paths.
func TestNormalizedPathsThatTheProcessorDoesNotSee(t *testing.T) {
	for _, test := range []struct {
		path   string
		status int
	}{
		{"/a%2Fb", 307},
		{"/a%5Cb", 307},
		{"/a%00", 400},
	} {
		t.Run(test.path, func(t *testing.T) {
			t.Parallel()
			u := serveUpstream(t, nil)
			p := serveProcessor(t, proceed())
			addr, _ := start(t, u, p, func(c *envoy.Config) { c.Manager = normalizes })
			resp := send(t, addr, "GET "+test.path+" HTTP/1.1")
			if resp.status != test.status || u.hits() != 0 {
				t.Errorf("status %d with %d hits, want %d with 0: %v", resp.status, u.hits(), test.status, resp.header)
			}
			if got, want := p.kinds(), []string{"response_headers"}; !slices.Equal(got, want) {
				t.Errorf("messages %q, want %q", got, want)
			}
		})
	}
}

func TestWhatTheProcessorSeesOfHTTP2(t *testing.T) {
	u := serveUpstream(t, nil)
	p := serveProcessor(t, proceed())
	addr, _ := start(t, u, p, nil)
	resp := send2(t, addr, "POST", "/a//b/..%2F",
		"origin", "https://a.test", "origin", "https://b.test",
		"x-a", "1", "x-a", "2",
		"cookie", "a=1", "cookie", "b=2",
		"sec-fetch-site", "cross-site",
		"x_a", "1",
	)
	if resp.status != 200 {
		t.Errorf("status %d", resp.status)
	}
	for name, want := range map[string][]string{
		":path":          {"/a//b/..%2F"},
		":authority":     {"api.test"},
		":scheme":        {"http"},
		"origin":         {"https://a.test,https://b.test"},
		"x-a":            {"1", "2"},
		"cookie":         {"a=1; b=2"},
		"sec-fetch-site": {"cross-site"},
		"x_a":            {"1"},
	} {
		if got := p.request(t).get(name); !slices.Equal(got, want) {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// The processor sees fields in the order of the request, after :authority, :path, :method and :scheme, in
// small letters.
func TestOrderOfFields(t *testing.T) {
	p := serveProcessor(t, proceed())
	addr, _ := start(t, serveUpstream(t, nil), p, nil)
	send(t, addr, "GET /x HTTP/1.1", "Z: 1", fromA, "B: 2", "Sec-Fetch-Mode: cors", "A: 3")
	got := p.request(t).list
	want := []string{":authority: api.test", ":path: /x", ":method: GET", ":scheme: http",
		"z: 1", "origin: https://a.test", "b: 2", "sec-fetch-mode: cors", "a: 3"}
	if len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
		t.Errorf("fields %q, want %q first", got, want)
	}
}

// forward_rules cut what the processor is sent, pseudo-headers included.
func TestForwardRules(t *testing.T) {
	p := serveProcessor(t, proceed())
	addr, _ := start(t, serveUpstream(t, nil), p, func(c *envoy.Config) {
		c.Processor.Fields = `forward_rules: {allowed_headers: {patterns: [{exact: origin}, {exact: ":path"}, {prefix: sec-fetch-}]}}`
	})
	send(t, addr, "GET /x HTTP/1.1", fromA, "Sec-Fetch-Mode: cors", "Authorization: secret")
	got := p.request(t).list
	slices.Sort(got)
	if want := []string{":path: /x", "origin: https://a.test", "sec-fetch-mode: cors"}; !slices.Equal(got, want) {
		t.Errorf("fields %q, want %q", got, want)
	}
	if got := p.response(t).list; len(got) != 0 {
		t.Errorf("fields of the answer %q: the same rules hold for it", got)
	}
}
