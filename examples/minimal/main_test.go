package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestMinimal: the example answers preflights, allows calls from its page, and refuses
// calls from other pages.
func TestMinimal(t *testing.T) {
	handler, err := newHandler("cors.yaml")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	send := func(method, body string, header http.Header) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/greet.v1.GreetService/Greet", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = header
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { res.Body.Close() })
		return res
	}

	preflight := send(http.MethodOptions, "", http.Header{
		"Origin":                         {"https://app.example.com"},
		"Access-Control-Request-Method":  {"POST"},
		"Access-Control-Request-Headers": {"connect-protocol-version,content-type"},
	})
	if preflight.StatusCode != http.StatusNoContent || preflight.Header.Get("Access-Control-Allow-Origin") != "https://app.example.com" {
		t.Errorf("preflight: %d %v", preflight.StatusCode, preflight.Header)
	}
	call := send(http.MethodPost, `{"name": "browser"}`, http.Header{
		"Origin":       {"https://app.example.com"},
		"Content-Type": {"application/json"},
	})
	body, err := io.ReadAll(call.Body)
	if err != nil || !strings.Contains(string(body), "Hello, browser!") || call.Header.Get("Access-Control-Allow-Origin") != "https://app.example.com" {
		t.Errorf("call: %d %v %s %v", call.StatusCode, call.Header, body, err)
	}
	refused := send(http.MethodPost, `{}`, http.Header{
		"Origin":       {"https://evil.example"},
		"Content-Type": {"application/json"},
	})
	if refused.StatusCode != http.StatusForbidden {
		t.Errorf("another origin: %d", refused.StatusCode)
	}
}
