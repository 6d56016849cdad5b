package corsrpc_test

import (
	"crypto/tls"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/figures"
)

// Values of the request fields that say where a request comes from. The server is
// api.example.com, over https, most often behind a proxy that speaks it.
var (
	crossSiteMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "CONNECT", "TRACE",
		"get", "head", "options", "post", "Delete"}
	crossSiteSites = [][]string{nil, {"same-origin"}, {"same-site"}, {"cross-site"}, {"none"}, {""}, {"SAME-ORIGIN"}, {"other"},
		{"same-origin", "cross-site"}, {"cross-site", "same-origin"}}
	crossSiteOrigins = [][]string{{"null"}, {"https://api.example.com"}, {"http://api.example.com"}, {"https://api.example.com:8443"}, {"https://api.example.com."},
		{"https://evil.example"}, {"https://api.example.com.evil.example"}, {"file://"}, {"chrome-extension://abc"}}
	// No rule grants these, not even a rule for everyone.
	crossSiteNobodys = [][]string{nil, {""}, {"https://api.example.com:443"}, {"https://API.example.com"}, {"https://api.example.com/"}, {"https://evil.example:443"},
		{"https://user@api.example.com"}, {"https://evil.example#api.example.com"}, {"//api.example.com"}, {"api.example.com"}, {"not an origin"},
		{"https://api.example.com", "https://evil.example"}, {"https://evil.example", "https://api.example.com"}}
	crossSiteHosts    = []string{"api.example.com", "api.example.com:443", "api.example.com:8443", "API.EXAMPLE.COM", "api.example.com.", "evil.example", "localhost", ""}
	crossSiteTypes    = []string{"", "application/json", "application/proto", "application/grpc-web+proto", "application/grpc-web-text", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"}
	crossSiteUpgrades = []string{"", "websocket"}
	crossSiteTargets  = []string{listRPC, getRPC, "/acme.account.v1.AccountService/Get", "/acme.catalog.v1.CatalogService/Unknown", unknownService,
		"/files/a", "/acme.catalog.v1.CatalogService/list", "/acme.catalog.v1.CatalogService/List/"}
	crossSiteOpenTargets = []string{"/open/a", "/acme.catalog.v1.StockService/Get"} // the policy allows everyone
)

// unknownService is a path that only has the shape of a procedure's. It is governed for requests
// that can be RPC calls.
const unknownService = "/other.v1.Service/Method"

// mayBeCall reports whether one of these requests can be an RPC call, or the preflight of one. None
// of them has a query or is a navigation.
func mayBeCall(r *http.Request) bool {
	return r.Method == http.MethodPost || r.Method == http.MethodConnect || r.Method == http.MethodGet && len(r.Header["Upgrade"]) > 0
}

// crossSiteRequests returns all combinations of the values above. Content types and upgrades vary
// for one Host only, and content types for POST only.
func crossSiteRequests() iter.Seq[*http.Request] {
	return func(yield func(*http.Request) bool) {
		for _, target := range slices.Concat(crossSiteTargets, crossSiteOpenTargets) {
			origins := crossSiteNobodys
			if !slices.Contains(crossSiteOpenTargets, target) {
				origins = slices.Concat(crossSiteNobodys, crossSiteOrigins)
			}
			for _, method := range crossSiteMethods {
				for i, host := range crossSiteHosts {
					upgrades, types := crossSiteUpgrades, crossSiteTypes
					if i > 0 {
						upgrades = upgrades[:1]
					}
					if i > 0 || method != http.MethodPost {
						types = types[:1]
					}
					for _, origin := range origins {
						for _, site := range crossSiteSites {
							for _, upgrade := range upgrades {
								for _, contentType := range types {
									for _, state := range []*tls.ConnectionState{nil, {}} {
										header := http.Header{}
										if origin != nil {
											header["Origin"] = origin
										}
										if site != nil {
											header["Sec-Fetch-Site"] = site
										}
										if upgrade != "" {
											header["Connection"], header["Upgrade"] = []string{"Upgrade"}, []string{upgrade}
										}
										if contentType != "" {
											header["Content-Type"] = []string{contentType}
										}
										if !yield(&http.Request{Method: method, URL: &url.URL{Path: target}, Host: host, Header: header, Body: http.NoBody, TLS: state}) {
											return
										}
									}
								}
							}
						}
					}
				}
			}
		}
	}
}

// sameOriginInAnotherSpelling reports whether the Origin is that of Host, but in another letter case
// or with the default port. The layer lets these pass; the standard library compares the texts and
// refuses them.
func sameOriginInAnotherSpelling(r *http.Request) bool {
	origins := r.Header["Origin"]
	if len(origins) != 1 || len(r.Header["Sec-Fetch-Site"]) > 0 {
		return false
	}
	scheme, from, _ := strings.Cut(origins[0], "://")
	port := map[string]string{"https": ":443", "http": ":80"}[scheme]
	plain := func(host string) string { return strings.TrimSuffix(strings.ToLower(host), port) }
	return port != "" && plain(from) == plain(r.Host)
}

// TestAtLeastAsStrictAsTheStandardLibrary checks, on every governed path and for origins that are not
// granted: if net/http.CrossOriginProtection refuses a request, the layer refuses it before the
// handler. It tries every combination of path, method, Sec-Fetch-Site, Origin, Host, TLS, upgrade and
// content type.
func TestAtLeastAsStrictAsTheStandardLibrary(t *testing.T) {
	t.Parallel()
	layer, err := corsrpc.New(compilePolicy(t, `
defaults:
  allow_origins: [https://app.example.com]
rules:
  - selector: acme.account.v1.AccountService
    allow_credentials: true
  - selector: acme.catalog.v1.StockService
    allow_origins: ["*"]
  - path: /files/
    allow_methods: [GET, HEAD, POST, PUT, PATCH, DELETE, QUERY]
  - path: /open/
    allow_origins: ["*"]
    allow_methods: [GET, HEAD, POST, PUT, PATCH, DELETE, QUERY]
`), quiet)
	if err != nil {
		t.Fatal(err)
	}
	guard := http.NewCrossOriginProtection()
	ran := false
	h := layer.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran = true }))
	tried, both, stricter, spelled := 0, 0, 0, 0
	for r := range crossSiteRequests() {
		if r.URL.Path == unknownService && !mayBeCall(r) {
			continue // no rule applies to it
		}
		refusedByGuard := guard.Check(r) != nil
		ran = false
		h.ServeHTTP(httptest.NewRecorder(), r)
		tried++
		switch {
		case refusedByGuard && !ran:
			both++
		case refusedByGuard && sameOriginInAnotherSpelling(r):
			spelled++
		case refusedByGuard:
			t.Fatalf("%s %s, Host %q, TLS %t, header %q: the standard library refuses, and the handler ran", r.Method, r.URL.Path, r.Host, r.TLS != nil, r.Header)
		case !ran:
			stricter++
		}
	}
	figures.Check(t, "cross-site.combinations", figures.Count(tried))
	t.Logf("%d requests: %d refused by both, %d by the layer only, %d are the same origin in another spelling", tried, both, stricter, spelled)
	if both == 0 || stricter == 0 || spelled == 0 {
		t.Errorf("of %d requests, %d refused by both, %d by the layer only, %d in another spelling", tried, both, stricter, spelled)
	}
}

// TestCrossSiteRequests checks requests that CORS alone would let reach the handler. A POST from
// another site never does, with any content type, with or without Origin. A GET of a procedure with
// NO_SIDE_EFFECTS does if everyone or its origin may call it. Requests that the browser's user
// started, and those of programs, always do.
func TestCrossSiteRequests(t *testing.T) {
	t.Parallel()
	const policy = `
defaults:
  allow_origins: [https://app.example.com]
rules:
  - selector: acme.catalog.v1.StockService
    allow_origins: ["*"]
  - path: /files/
  - path: /private/
    allow_credentials: true
`
	layer, _ := newLayer(t, policy)
	ran := false
	h := layer.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran = true }))
	const closed, open = getRPC, "/acme.catalog.v1.StockService/Get"
	// Each is the request that a browser sends, without credentials.
	for _, c := range []struct {
		what, method         string
		origin, site, mode   string
		dest, contentType    string
		closed, open         bool // whether it reaches the procedure
		file, filePrivate    bool // whether it reaches the path
		grantedReachesClosed bool // the same from the origin that is granted; where it has an Origin
	}{
		{"a form", "POST", "https://evil.example", "cross-site", "navigate", "document", "application/x-www-form-urlencoded", false, false, false, false, false},
		{"a form of text", "POST", "https://evil.example", "cross-site", "navigate", "document", "text/plain", false, false, false, false, false},
		{"a form with a file", "POST", "https://evil.example", "cross-site", "navigate", "document", "multipart/form-data; boundary=x", false, false, false, false, false},
		{"a form in a sandbox", "POST", "null", "cross-site", "navigate", "iframe", "text/plain", false, false, false, false, false},
		{"a form whose Origin a proxy drops", "POST", "", "cross-site", "navigate", "document", "text/plain", false, false, false, false, false},
		{"a form of an old browser", "POST", "https://evil.example", "", "", "", "text/plain", false, true, false, false, true},
		{"a fetch without CORS", "POST", "https://evil.example", "cross-site", "no-cors", "empty", "text/plain", false, false, false, false, false},
		{"a fetch without CORS, of JSON", "POST", "https://evil.example", "cross-site", "no-cors", "empty", "application/json", false, false, false, false, false},
		{"a fetch of a sister site", "POST", "https://www.example.com", "same-site", "cors", "empty", "text/plain", false, true, false, false, true},
		{"a fetch", "POST", "https://evil.example", "cross-site", "cors", "empty", "text/plain", false, true, false, false, true},
		{"a beacon", "POST", "https://evil.example", "cross-site", "no-cors", "empty", "text/plain", false, false, false, false, false},
		{"a ping of a link", "POST", "https://evil.example", "cross-site", "no-cors", "empty", "text/ping", false, false, false, false, false},

		{"a fetch without CORS, GET", "GET", "", "cross-site", "no-cors", "empty", "", false, true, true, false, false},
		{"an image", "GET", "", "cross-site", "no-cors", "image", "", false, true, true, false, false},
		{"a script", "GET", "", "cross-site", "no-cors", "script", "", false, true, true, false, false},
		{"a style sheet of a sister site", "GET", "", "same-site", "no-cors", "style", "", false, true, true, false, false},
		{"a link", "GET", "", "cross-site", "navigate", "document", "", false, true, true, true, false},
		{"a frame", "GET", "", "cross-site", "navigate", "iframe", "", false, true, true, true, false},
		{"a form, GET", "GET", "", "cross-site", "navigate", "document", "", false, true, true, true, false},
		{"a prefetch", "HEAD", "", "cross-site", "no-cors", "empty", "", false, true, true, false, false},
		{"an image with crossorigin", "GET", "https://evil.example", "cross-site", "cors", "image", "", false, true, false, false, true},
		{"a fetch, GET", "GET", "https://evil.example", "cross-site", "cors", "empty", "", false, true, false, false, true},
		{"a fetch from a sandbox", "GET", "null", "cross-site", "cors", "empty", "", false, true, false, false, false},

		{"the address bar", "GET", "", "none", "navigate", "document", "", true, true, true, true, false},
		{"the server's own page", "POST", "https://api.example.com", "same-origin", "cors", "empty", "application/json", true, true, true, true, false},
		{"the server's own page, GET", "GET", "", "same-origin", "cors", "empty", "", true, true, true, true, false},
		{"a program", "POST", "", "", "", "", "application/json", true, true, true, true, false},
	} {
		t.Run(c.what, func(t *testing.T) {
			send := func(path, origin string) bool {
				header := http.Header{}
				for name, value := range map[string]string{"Origin": origin, "Sec-Fetch-Site": c.site, "Sec-Fetch-Mode": c.mode, "Sec-Fetch-Dest": c.dest, "Content-Type": c.contentType} {
					if value != "" {
						header.Set(name, value)
					}
				}
				ran = false
				h.ServeHTTP(httptest.NewRecorder(), newRequest(c.method, path, header))
				return ran
			}
			for path, want := range map[string]bool{closed: c.closed, open: c.open, "/files/a": c.file, "/private/a": c.filePrivate} {
				if got := send(path, c.origin); got != want {
					t.Errorf("%s: the handler ran: %t, want %t", path, got, want)
				}
			}
			if c.origin == "" || c.origin == "null" || c.site == "same-origin" {
				return
			}
			if got := send(closed, page); got != c.grantedReachesClosed {
				t.Errorf("from the granted origin: the handler ran: %t, want %t", got, c.grantedReachesClosed)
			}
		})
	}
}

// TestEveryGETOfAProcedureIsGuarded: one whose method has side effects is no exception,
// though the handler would answer 405.
func TestEveryGETOfAProcedureIsGuarded(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, allowPage)
	for _, path := range []string{listRPC, getRPC, "/acme.catalog.v1.CatalogService/Unknown", "/other.v1.S/M?encoding=json"} {
		for _, mode := range []string{"no-cors", "navigate", "cors", ""} {
			header := http.Header{"Sec-Fetch-Site": {"cross-site"}}
			if mode != "" {
				header.Set("Sec-Fetch-Mode", mode)
			}
			w := httptest.NewRecorder()
			layer.Wrap(emptyHandler).ServeHTTP(w, newRequest(http.MethodGet, path, header))
			if w.Code != http.StatusForbidden {
				t.Errorf("%s, mode %q: %d", path, mode, w.Code)
			}
		}
	}
}
