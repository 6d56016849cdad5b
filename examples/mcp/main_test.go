package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/examples/mcp/weather"
)

// listed is the origin that cors.yaml lists.
const listed = "http://localhost:8081"

// serve serves the tools behind the layer, and counts the requests that reach them.
func serve(t *testing.T) (server *httptest.Server, reached *atomic.Int64) {
	t.Helper()
	layer, err := corsrpc.Load("cors.yaml")
	if err != nil {
		t.Fatal(err)
	}
	reached = &atomic.Int64{}
	tools := weather.NewHandler("http://localhost")
	server = httptest.NewServer(layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		tools.ServeHTTP(w, r)
	})))
	t.Cleanup(server.Close)
	return server, reached
}

// mcpTypes is what a client accepts.
const mcpTypes = "application/json, text/event-stream"

// initialize is the first message of a client.
const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`

// TestRefused: requests that no script of a listed page sent do not reach the server. Each case has the fields that a browser sends.
func TestRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		method string
		host   string // instead of the server's own
		header map[string]string
	}{
		{name: "a page whose name leads to this machine", method: http.MethodPost, host: "rebound.example:8080", header: map[string]string{
			"Origin": "http://rebound.example:8080", "Content-Type": "application/json", "Accept": mcpTypes}},
		{name: "its stream", method: http.MethodGet, host: "rebound.example:8080", header: map[string]string{
			"Origin": "http://rebound.example:8080", "Accept": "text/event-stream"}},
		{name: "an image of another site", method: http.MethodGet, header: map[string]string{
			"Accept": "text/event-stream", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}},
		{name: "a navigation from another site", method: http.MethodGet, header: map[string]string{
			"Accept": "text/event-stream", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}},
		{name: "a form of another site", method: http.MethodPost, header: map[string]string{
			"Origin": "https://evil.example", "Content-Type": "text/plain", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}},
		{name: "a form of a sandboxed frame", method: http.MethodPost, header: map[string]string{
			"Origin": "null", "Content-Type": "text/plain", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}},
		{name: "a form of the listed page", method: http.MethodPost, header: map[string]string{
			"Origin": listed, "Content-Type": "text/plain", "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}},
		{name: "fetch without CORS", method: http.MethodPost, header: map[string]string{
			"Origin": listed, "Content-Type": "text/plain", "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "empty"}},
		{name: "a page that is not listed", method: http.MethodPost, header: map[string]string{
			"Origin": "https://evil.example", "Content-Type": "application/json", "Accept": mcpTypes, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}},
		{name: "an old browser's page that is not listed", method: http.MethodPost, header: map[string]string{
			"Origin": "https://evil.example", "Content-Type": "application/json", "Accept": mcpTypes}},
		{name: "its end of a session", method: http.MethodDelete, header: map[string]string{
			"Origin": "https://evil.example", "Mcp-Session-Id": "guessed"}},
		{name: "cookies", method: http.MethodPost, header: map[string]string{
			"Origin": listed, "Content-Type": "application/json", "Accept": mcpTypes, "Cookie": "session=1", "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}},
		{name: "cookies to the stream", method: http.MethodGet, header: map[string]string{
			"Origin": listed, "Accept": "text/event-stream", "Cookie": "session=1", "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			server, reached := serve(t)
			for _, path := range []string{"/mcp", "/members/mcp"} {
				r, err := http.NewRequestWithContext(t.Context(), test.method, server.URL+path, strings.NewReader(initialize))
				if err != nil {
					t.Fatal(err)
				}
				r.Host = test.host
				for name, value := range test.header {
					r.Header.Set(name, value)
				}
				res, err := server.Client().Do(r)
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
				if res.StatusCode != http.StatusForbidden || reached.Load() != 0 {
					t.Errorf("%s: status %d, and the server got %d requests, want 403 and none", path, res.StatusCode, reached.Load())
				}
			}
		})
	}
}

// TestRebound: over a loopback connection, the Go SDK itself refuses names that are not local. This covers the request that no CORS
// layer can tell from a program's: an old browser's GET of a page's own server has no Origin and no Sec-Fetch fields.
func TestRebound(t *testing.T) {
	server, _ := serve(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/mcp", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "rebound.example:8080"
	r.Header.Set("Accept", "text/event-stream")
	res, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusForbidden || !strings.Contains(string(body), "invalid Host header") {
		t.Errorf("%d %s %v, want the refusal of the SDK", res.StatusCode, body, err)
	}
}

// TestCrossOriginProtection: net/http's protection, in place of the SDK's deprecated option, refuses pages that the policy lists, until it
// trusts their origin too.
func TestCrossOriginProtection(t *testing.T) {
	layer, err := corsrpc.Load("cors.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, trusts := range []bool{false, true} {
		protection := http.NewCrossOriginProtection()
		if trusts {
			if err := protection.AddTrustedOrigin(listed); err != nil {
				t.Fatal(err)
			}
		}
		handler := corsbrowser.WithHandler(layer.Wrap(protection.Handler(weather.NewHandler("http://localhost"))))
		page, err := corsbrowser.New(listed, handler)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost:8080/mcp", strings.NewReader(initialize))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", mcpTypes)
		res, err := page.Client().Do(r)
		if err != nil {
			t.Fatal(err) // the page can read the refusal: the protection is inside of the layer
		}
		res.Body.Close()
		if want := map[bool]int{false: http.StatusForbidden, true: http.StatusOK}[trusts]; res.StatusCode != want {
			t.Errorf("trusted: %v: status %d, want %d", trusts, res.StatusCode, want)
		}
	}
}

// TestParamHeader: the SDK refuses a call of the newest revision without the header that repeats its argument.
func TestParamHeader(t *testing.T) {
	server, _ := serve(t)
	const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"forecast","arguments":{"region":"eu"},"_meta":{
		"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}`
	for region, want := range map[string]string{"": "missing Mcp-Param-Region header", "us": "does not match body value", "eu": "eu: rain"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/mcp", strings.NewReader(call))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{
			"Origin": listed, "Content-Type": "application/json", "Accept": mcpTypes, "Mcp-Protocol-Version": "2026-07-28",
			"Mcp-Method": "tools/call", "Mcp-Name": "forecast", "Mcp-Param-Region": region,
		} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		res, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || !strings.Contains(string(body), want) {
			t.Errorf("region %q: %d %s %v, want %q", region, res.StatusCode, body, err, want)
		}
	}
}

// withToken sends the bearer token with each request.
type withToken struct{}

func (withToken) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+weather.Token)
	return http.DefaultTransport.RoundTrip(r)
}

// TestDesktopClient: a program, which sends no Origin, uses the tools as if there was no layer.
func TestDesktopClient(t *testing.T) {
	server, reached := serve(t)
	for path, client := range map[string]*http.Client{"/mcp": nil, "/members/mcp": {Transport: withToken{}}} {
		session, err := mcp.NewClient(&mcp.Implementation{Name: "desktop", Version: "1.0.0"}, nil).
			Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: server.URL + path, HTTPClient: client}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := session.ListTools(t.Context(), nil); err != nil { // for Mcp-Param-Region
			t.Error(err)
		}
		result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "forecast", Arguments: map[string]any{"region": "eu"}})
		if err != nil || len(result.Content) != 1 || !strings.HasPrefix(result.Content[0].(*mcp.TextContent).Text, "eu: rain") {
			t.Errorf("%s: %v %v", path, result, err)
		}
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	}
	if reached.Load() == 0 {
		t.Error("the server got no request")
	}
}

// TestProgram: the program prints the addresses of its servers, and they work.
func TestProgram(t *testing.T) {
	dist := t.TempDir()
	if err := os.WriteFile(filepath.Join(dist, "index.html"), []byte("<!doctype html>the page"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"-policy", "cors.yaml", "-dist", dist, "-server", "localhost:0", "-page", "localhost:0"}, w)
		w.Close()
	}()
	addresses := map[string]string{}
	lines := bufio.NewScanner(r)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "Press Ctrl-C") {
		if m := regexp.MustCompile(`^(\w+) +(http://localhost:\d+\S*)`).FindStringSubmatch(lines.Text()); m != nil {
			addresses[m[1]] = m[2]
		}
	}
	for address, want := range map[string]string{
		addresses["page"]:                  "the page",
		addresses["page"] + "/server.json": `"mcp":"` + addresses["server"] + `"`,
		strings.TrimSuffix(addresses["server"], "/mcp") + "/.well-known/oauth-protected-resource/members/mcp": "https://login.example.com",
	} {
		res, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %s %v, want %s", address, res.StatusCode, body, err, want)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := run(t.Context(), []string{"-policy", "cors.yaml", "-dist", t.TempDir()}, io.Discard); err == nil || !strings.Contains(err.Error(), "make run-mcp") {
		t.Errorf("without the built page: %v", err)
	}
}
