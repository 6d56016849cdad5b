package proxy_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/proxy"
)

// seen is what the layer and the upstream saw of a request.
type seen struct {
	Host, Client string // for the layer and the access log
	TLS          bool
	Upstream     http.Header // the header that the upstream got
	UpstreamHost string
}

// TestForwarded: fields of untrusted clients are dropped, those of trusted proxies are believed, and what is
// ambiguous is refused.
func TestForwarded(t *testing.T) {
	t.Parallel()
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"Upstream": r.Header, "UpstreamHost": r.Host})
	}))
	h := newUpstream(t, "http://"+upstream).Handler(proxy.Options{})
	front := func(trusted ...string) string {
		var prefixes []netip.Prefix
		for _, p := range trusted {
			prefixes = append(prefixes, netip.MustParsePrefix(p))
		}
		return serve(t, proxy.TrustedProxies(prefixes, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Seen", fmt.Sprintf(`{"Host": %q, "Client": %q, "TLS": %t}`, r.Host, proxy.ClientOf(r.Context()), r.TLS != nil))
			h.ServeHTTP(w, r)
		})))
	}
	strangers, trusting := front("10.0.0.0/8"), front("127.0.0.0/8", "10.0.0.0/8")
	tests := []struct {
		name    string
		trusted bool
		header  []string
		want    seen // Host "" stands for the gateway's address
		status  int  // 0 is 200
		forward string
		xff     string
	}{
		{"a stranger tells nothing", false, nil, seen{Client: "127.0.0.1"}, 0, "for=127.0.0.1", "127.0.0.1"},
		{"a stranger forges", false, []string{
			"X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "https", "X-Forwarded-For", "1.2.3.4", "Forwarded", "for=1.2.3.4;host=evil.example",
			"X-Real-Ip", "1.2.3.4", "X-Original-Url", "/admin", "X-Rewrite-Url", "/admin", "X-Forwarded-Prefix", "/x",
		}, seen{Client: "127.0.0.1"}, 0, "for=127.0.0.1", "127.0.0.1"},
		{"a proxy tells nothing", true, nil, seen{Client: "127.0.0.1"}, 0, "for=127.0.0.1", "127.0.0.1"},
		{"X-Forwarded-*", true, []string{"X-Forwarded-Host", "api.example.com", "X-Forwarded-Proto", "https", "X-Forwarded-For", "192.0.2.7"},
			seen{Host: "api.example.com", Client: "192.0.2.7", TLS: true}, 0, "for=127.0.0.1", "192.0.2.7, 127.0.0.1"},
		{"Forwarded", true, []string{"Forwarded", `for="[2001:db8::1]:4711";proto=https;host="api.example.com:8443"`},
			seen{Host: "api.example.com:8443", Client: "2001:db8::1", TLS: true}, 0, `for="[2001:db8::1]:4711";proto=https;host="api.example.com:8443", for=127.0.0.1`, "127.0.0.1"},
		{"a chain: the last untrusted address is the client", true, []string{"X-Forwarded-For", "6.6.6.6, 192.0.2.7, 10.1.2.3"},
			seen{Client: "192.0.2.7"}, 0, "for=127.0.0.1", "6.6.6.6, 192.0.2.7, 10.1.2.3, 127.0.0.1"},
		{"a chain in Forwarded: the element of the client counts", true, []string{"Forwarded", `for=6.6.6.6;host=evil.example, for=192.0.2.7;host=api.example.com;proto=https, for=10.1.2.3;host=inner.example`},
			seen{Host: "api.example.com", Client: "192.0.2.7", TLS: true}, 0, "for=127.0.0.1", "127.0.0.1"},
		{"both agree", true, []string{"Forwarded", "for=192.0.2.7;host=api.example.com", "X-Forwarded-Host", "API.example.com"},
			seen{Host: "api.example.com", Client: "192.0.2.7"}, 0, "for=127.0.0.1", "127.0.0.1"},
		{"both differ", true, []string{"Forwarded", "host=api.example.com", "X-Forwarded-Host", "evil.example"}, seen{}, 400, "", ""},
		{"the schemes differ", true, []string{"Forwarded", "proto=http", "X-Forwarded-Proto", "https"}, seen{}, 400, "", ""},
		{"two hosts", true, []string{"X-Forwarded-Host", "evil.example, api.example.com"}, seen{}, 400, "", ""},
		{"the same host twice", true, []string{"X-Forwarded-Host", "api.example.com, api.example.com"}, seen{Host: "api.example.com", Client: "127.0.0.1"}, 0, "for=127.0.0.1", "127.0.0.1"},
		{"a host that is none", true, []string{"X-Forwarded-Host", "api.example.com/x"}, seen{}, 400, "", ""},
		{"another scheme", true, []string{"X-Forwarded-Proto", "wss"}, seen{}, 400, "", ""},
		{"two schemes", true, []string{"X-Forwarded-Proto", "https, http"}, seen{}, 400, "", ""},
		{"a malformed Forwarded", true, []string{"Forwarded", "for"}, seen{}, 400, "", ""},
		{"a quote without an end", true, []string{"Forwarded", `host="a`}, seen{}, 400, "", ""},
		{"a parameter twice", true, []string{"Forwarded", "host=a;host=b"}, seen{}, 400, "", ""},
		{"an empty element", true, []string{"Forwarded", "host=a,,host=b"}, seen{}, 400, "", ""},
		{"an identifier that is hidden", true, []string{"Forwarded", "for=_hidden;proto=https"}, seen{Client: "127.0.0.1", TLS: true}, 0, "for=127.0.0.1", "127.0.0.1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			address := strangers
			if test.trusted {
				address = trusting
			}
			got, err := do(t, address, "GET", "/any/x", "", "", test.header...)
			if err != nil {
				t.Fatal(err)
			}
			if test.status != 0 {
				if got.status != test.status {
					t.Errorf("%d %s, want %d", got.status, got.body, test.status)
				}
				return
			}
			if test.want.Host == "" {
				test.want.Host = address
			}
			var is seen
			if err := json.Unmarshal([]byte(got.header.Get("X-Seen")), &is); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(got.body), &is); err != nil {
				t.Fatal(err)
			}
			if is.Host != test.want.Host || is.Client != test.want.Client || is.TLS != test.want.TLS {
				t.Errorf("%+v, want %+v", is, test.want)
			}
			if is.UpstreamHost != address {
				t.Errorf("the upstream got the Host %s, want that of the request, %s", is.UpstreamHost, address)
			}
			proto := map[bool]string{true: "https", false: "http"}[test.want.TLS]
			if f := is.Upstream.Get("Forwarded"); !strings.HasPrefix(f, test.forward) && !strings.Contains(f, ", for=127.0.0.1;host=") {
				t.Errorf("Forwarded: %s", f)
			}
			if v := is.Upstream.Get("Via"); !strings.HasPrefix(v, "1.1 corsrpc-") {
				t.Errorf("Via: %q", v)
			}
			for name, want := range map[string]string{
				"X-Forwarded-For": test.xff, "X-Forwarded-Host": test.want.Host, "X-Forwarded-Proto": proto,
				"X-Real-Ip": "", "X-Original-Url": "", "X-Rewrite-Url": "", "X-Forwarded-Prefix": "",
			} {
				if v := strings.Join(is.Upstream.Values(name), "|"); v != want {
					t.Errorf("%s: %q, want %q", name, v, want)
				}
			}
		})
	}
}

// TestUnderscores: servers that read _ as - do not get forged fields either.
func TestUnderscores(t *testing.T) {
	t.Parallel()
	h := proxy.TrustedProxies(nil, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if len(r.Header) != 1 {
			t.Errorf("%v", r.Header)
		}
	}))
	r, _ := http.NewRequest("GET", "/", nil)
	r.RemoteAddr = "192.0.2.1:1"
	r.Header = http.Header{"X_forwarded_for": {"1.2.3.4"}, "X_Forwarded-Host": {"a"}, "x-real-ip": {"1"}, "forwarded": {"for=a"}, "X-Other": {"1"}}
	h.ServeHTTP(nil, r)
	if len(r.Header) != 5 {
		t.Errorf("the request of the server was changed: %v", r.Header)
	}
}

// FuzzForwarded: the fields of a trusted proxy lead to a valid host, or are refused.
func FuzzForwarded(f *testing.F) {
	f.Add(`for="[2001:db8::1]:4711";proto=https;host="a:1", for=10.0.0.1`, "a, b", "https", "1.2.3.4, 10.0.0.1")
	f.Add(`host="\"`, "[::1]:80", "HTTP", ",")
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32")}
	f.Fuzz(func(t *testing.T, forwarded, host, proto, addresses string) {
		h := proxy.TrustedProxies(trusted, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if strings.ContainsAny(r.Host, " ,/\\\"@\r\n\t") {
				t.Errorf("host %q", r.Host)
			}
			if c := proxy.ClientOf(r.Context()); c != "" {
				if _, err := netip.ParseAddr(c); err != nil {
					t.Errorf("client %q", c)
				}
			}
		}))
		r, _ := http.NewRequest("GET", "/", nil)
		r.RemoteAddr, r.Host = "192.0.2.1:1", "gateway.example"
		r.Header = http.Header{"Forwarded": {forwarded}, "X-Forwarded-Host": {host}, "X-Forwarded-Proto": {proto}, "X-Forwarded-For": {addresses}}
		h.ServeHTTP(discard{}, r)
	})
}

// discard is a ResponseWriter that discards the response.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}
