package corsbrowser

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestCallWithoutValue: a call whose last header name has no value fails and is not sent.
func TestCallWithoutValue(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, page, WithHandler(respondWith("Access-Control-Allow-Origin", "*")))
	header := []string{"X-A"}
	err := Fetch("GET", server, header...)(t.Context(), b.Client())
	if err == nil || !strings.Contains(err.Error(), "X-A has no value") || len(b.Log()) > 0 {
		t.Errorf("%v, sent %v", err, sentLines(b))
	}
}

// TestMCP checks that a call of MCP asks for its headers in a preflight, and posts a request of JSON-RPC.
func TestMCP(t *testing.T) {
	t.Parallel()
	var body []byte
	b := newBrowser(t, page, WithHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
		if r.Method == http.MethodPost {
			body, _ = io.ReadAll(r.Body)
		}
	})))
	if err := MCP(server, "Mcp-Session-Id", "1")(t.Context(), b.Client()); err != nil {
		t.Fatal(err)
	}
	asked := b.Log()[0].Header.Get("Access-Control-Request-Headers")
	if asked != "content-type,mcp-protocol-version,mcp-session-id" || !json.Valid(body) || len(body) == 0 {
		t.Errorf("asked for %s, sent %s", asked, body)
	}
}
