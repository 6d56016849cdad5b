package corsrpc_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// mcpPolicy is the policy of a server of MCP whose public origin is https://mcp.example.com.
const mcpPolicy = `
rules:
  - path: /mcp
    protocols: [MCP]
    allow_origins: [https://app.example.com, https://mcp.example.com]
  - path: /docs/
    allow_origins: [https://app.example.com]
`

// TestMCPOverSockets checks which requests reach the handler of a path that serves MCP.
func TestMCPOverSockets(t *testing.T) {
	t.Parallel()
	const ok, refused = http.StatusOK, http.StatusForbidden
	header := func(fields ...string) http.Header {
		h := http.Header{"Content-Type": {"application/json"}}
		for i := 0; i < len(fields); i += 2 {
			h[fields[i]] = []string{fields[i+1]}
		}
		return h
	}
	cases := []struct {
		name, method, host string // an empty host is that of the server, a loopback host
		header             http.Header
		status             int
	}{
		{"a client on a desktop", "POST", "", header(), ok},
		{"a client on a desktop, by a public name", "POST", "mcp.example.org", header(), ok},
		{"a client in Node.js", "POST", "", header("Sec-Fetch-Mode", "cors"), ok},
		{"a client on a desktop that ends its session", "DELETE", "", header("Mcp-Session-Id", "1"), ok},
		{"a page that is listed", "POST", "", header("Origin", page, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors"), ok},
		{"a page that is listed ends its session", "DELETE", "", header("Origin", page, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors"), ok},
		{"the server's own public page", "POST", "mcp.example.com", header("Origin", "https://mcp.example.com", "Sec-Fetch-Site", "same-origin", "Cookie", "a=b"), ok},
		{"the stream of the server's own public page", "GET", "mcp.example.com", header("Sec-Fetch-Site", "same-origin"), ok},
		{"a rebound host", "POST", "evil.example:8080", header("Origin", "http://evil.example:8080"), refused},
		{"a rebound host ends a session", "DELETE", "evil.example:8080", header("Origin", "http://evil.example:8080"), refused},
		{"a rebound host by https", "POST", "evil.example", header("Origin", "https://evil.example", "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors"), refused},
		{"the stream of a rebound host by https", "GET", "evil.example", header("Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors"), refused},
		{"a cross-site GET of the stream in mode no-cors", "GET", "", header("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"), refused},
		{"a link to the stream", "GET", "", header("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"), refused},
		{"a form", "POST", "", header("Origin", evil, "Content-Type", "text/plain", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"), refused},
		{"a form of a page that is listed", "POST", "", header("Origin", page, "Content-Type", "text/plain", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"), refused},
		{"a page that is not listed", "POST", "", header("Origin", evil, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors"), refused},
		{"a page of another port of the machine", "POST", "", header("Origin", "http://127.0.0.1:1"), refused},
		{"an opaque origin", "POST", "", header("Origin", "null"), refused},
		{"cookies", "POST", "", header("Origin", page, "Cookie", "a=b", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors"), refused},
		{"a method that no client of MCP uses", "PUT", "", header("Origin", page), http.StatusMethodNotAllowed},
	}
	for _, wire := range wires {
		t.Run(wire.name, func(t *testing.T) {
			t.Parallel()
			var ran atomic.Int32
			layer, _ := newLayer(t, mcpPolicy)
			server, client := wire.start(t, layer.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran.Add(1) })))
			for _, c := range cases {
				if got := sendTo(t, server, client, c.method, "/mcp", c.host, c.header); got != c.status || (ran.Swap(0) == 1) != (c.status == ok) {
					t.Errorf("%s: %d", c.name, got)
				}
			}
			// A page of the server's own loopback host needs no grant.
			own := header("Origin", server.URL)
			if got := sendTo(t, server, client, "POST", "/mcp", "", own); got != ok {
				t.Errorf("a page of the loopback host: %d", got)
			}
			for _, path := range []string{"/m%63p", "//mcp", "/docs/..%2fmcp", "/MCP", "/mcp/" + strings.Repeat("x", 3000)} {
				if got := sendTo(t, server, client, "POST", path, "evil.example:8080", header("Origin", strings.Split(server.URL, ":")[0]+"://evil.example:8080")); got != refused {
					t.Errorf("a rebound host and %.20s: %d", path, got)
				}
			}
			if got := sendTo(t, server, client, "POST", "/docs/a", "evil.example:8080", header("Origin", strings.Split(server.URL, ":")[0]+"://evil.example:8080")); got != ok {
				t.Errorf("a rebound host and a path that does not serve MCP: %d", got)
			}
		})
	}
}

// sendTo sends a request with this Host header, unless it is empty, and returns the status of the response.
func sendTo(t *testing.T, server *httptest.Server, client *http.Client, method, path, host string, header http.Header) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host, r.Header = host, header
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode
}
