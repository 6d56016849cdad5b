package gateway

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestVirtualHosts: each Host is served by the virtual host whose name fits it best.
func TestVirtualHosts(t *testing.T) {
	t.Parallel()
	answer := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(name)) })
	}
	named := &virtualHosts{}
	named.add([]string{"api.example.com", "127.0.0.1", "::1"}, answer("exact"))
	named.add([]string{"*.example.com"}, answer("below"))
	named.add([]string{"*.api.example.com"}, answer("further below"))
	all := &virtualHosts{}
	all.add([]string{"api.example.com"}, answer("exact"))
	all.add(nil, answer("fallback"))
	only := &virtualHosts{}
	only.add(nil, answer("only"))
	tests := []struct {
		hosts      *virtualHosts
		host, want string // "" is 421
	}{
		{named, "api.example.com", "exact"},
		{named, "API.Example.com:8443", "exact"},
		{named, "api.example.com.", "exact"},
		{named, "127.0.0.1:8080", "exact"},
		{named, "[::1]:8080", "exact"},
		{named, "[0:0:0:0:0:0:0:1]", "exact"},
		{named, "www.example.com", "below"},
		{named, "a.b.example.com", "below"},
		{named, "v1.api.example.com", "further below"},
		{named, "a.v1.api.example.com:1", "further below"},
		{named, "example.com", ""},
		{named, "evilexample.com", ""},
		{named, "api.example.com.evil.example", ""},
		{named, "::1", ""},
		{named, "", ""},
		{all, "api.example.com", "exact"},
		{all, "other.example", "fallback"},
		{all, "", "fallback"},
		{only, "whatever.example", "only"},
	}
	for _, test := range tests {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = test.host
		test.hosts.ServeHTTP(w, r)
		switch {
		case test.want == "" && w.Code != http.StatusMisdirectedRequest:
			t.Errorf("%q: %d %s, want 421", test.host, w.Code, w.Body)
		case test.want != "" && w.Body.String() != test.want:
			t.Errorf("%q: %d %s, want %s", test.host, w.Code, w.Body, test.want)
		}
	}
}
