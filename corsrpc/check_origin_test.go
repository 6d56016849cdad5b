package corsrpc_test

import (
	"net/http"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// TestCheckOrigin checks that a handshake may proceed from the server's own origin, from a
// program, and from an origin that is granted credentials, on every kind of path, whether the
// policy is enforced or observed.
func TestCheckOrigin(t *testing.T) {
	t.Parallel()
	const policy = `
rules:
  - selector: acme.account.v1.AccountService
    allow_origins: [https://app.example.com]
    allow_credentials: true
  - selector: acme.catalog.v1.*
    allow_origins: ["*"]
  - path: /live
    allow_origins: [https://app.example.com]
    allow_credentials: true
  - path: /public
    allow_origins: ["*"]
  - path: /off
    allow_origins: [https://app.example.com]
    allow_credentials: true
    disabled: true
`
	const own, evil = "https://api.example.com", "https://evil.example"
	h := func(pairs ...string) http.Header {
		header := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			header.Add(pairs[i], pairs[i+1])
		}
		return header
	}
	cases := []struct {
		name, path string
		header     http.Header
		want       bool
		reason     corsrpc.Reason // of the refusal
	}{
		{"a granted origin", "/live", h("Origin", page), true, ""},
		{"a granted origin, with cookies", "/live", h("Origin", page, "Cookie", "a=b", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "websocket"), true, ""},
		{"another origin", "/live", h("Origin", evil), false, corsrpc.ReasonOriginNotAllowed},
		{"a sandboxed frame", "/live", h("Origin", "null"), false, corsrpc.ReasonOriginNotAllowed},
		{"a sandboxed frame, where everyone may call", "/public", h("Origin", "null"), false, corsrpc.ReasonCredentialsNotAllowed},
		{"everyone may call, without credentials", "/public", h("Origin", page), false, corsrpc.ReasonCredentialsNotAllowed},
		{"disabled", "/off", h("Origin", page), false, corsrpc.ReasonDisabled},
		{"the server's own page", "/live", h("Origin", own), true, ""},
		{"the server's own page, as the browser says", "/live", h("Origin", evil, "Sec-Fetch-Site", "same-origin"), true, ""},
		{"a program", "/live", h(), true, ""},
		{"two origins", "/live", h("Origin", page, "Origin", page), false, corsrpc.ReasonOriginRepeated},
		{"no browser's origin", "/live", h("Origin", page+"/"), false, corsrpc.ReasonOriginMalformed},
		{"no origin, from elsewhere", "/public", h("Sec-Fetch-Site", "cross-site"), false, corsrpc.ReasonOriginMissing},
		{"no origin, from elsewhere, where a link may lead", "/live", h("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"), false, corsrpc.ReasonOriginMissing},
		{"no rule, another origin", "/ws", h("Origin", page), false, corsrpc.ReasonOriginNotAllowed},
		{"no rule, the server's own page", "/ws", h("Origin", own), true, ""},
		{"no rule, a program", "/ws", h(), true, ""},
		{"no rule, a site of the same domain", "/ws", h("Origin", "https://www.example.com", "Sec-Fetch-Site", "same-site"), false, corsrpc.ReasonOriginNotAllowed},
		{"no rule, no origin, from elsewhere", "/ws", h("Sec-Fetch-Site", "cross-site"), false, corsrpc.ReasonOriginMissing},
		{"a procedure, granted", "/acme.account.v1.AccountService/Get", h("Origin", page), true, ""},
		{"a procedure for everyone", listRPC, h("Origin", page), false, corsrpc.ReasonCredentialsNotAllowed},
		{"an unclear path", "/acme.account.v1.AccountService/get/", h("Origin", page), false, corsrpc.ReasonPathNotCanonical},
	}
	for _, enforcement := range []string{"", "enforcement: OBSERVE\n"} {
		for _, c := range cases {
			t.Run(enforcement+c.name, func(t *testing.T) {
				t.Parallel()
				seen := &events{}
				layer, _ := newLayer(t, policy+enforcement, corsrpc.WithObserver(seen))
				for _, method := range []string{http.MethodGet, http.MethodConnect} { // HTTP/1.1, and HTTP/2
					r := newRequest(method, c.path, c.header)
					if method == http.MethodGet {
						r.Header.Set("Upgrade", "websocket")
					}
					if got := layer.CheckOrigin(r); got != c.want {
						t.Errorf("%s: %t, want %t", method, got, c.want)
					}
				}
				reported := seen.of(corsrpc.EventDecision)
				if c.want != (len(reported) == 0) || !c.want && (len(reported) != 2 || reported[0].Decision.Reason() != c.reason || reported[1].Decision.Reason() != c.reason) {
					t.Errorf("observed %v, want %q", reported, c.reason)
				}
			})
		}
	}
}

// TestCheckOriginOfOtherRequests checks that a preflight, and a request that is not a handshake, are
// decided as if they were handshakes.
func TestCheckOriginOfOtherRequests(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, allowPage)
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions} {
		header := http.Header{"Origin": {page}, "Access-Control-Request-Method": {"GET"}}
		if layer.CheckOrigin(newRequest(method, "/files/a", header)) {
			t.Errorf("%s: an origin without credentials got through", method)
		}
	}
}
