package corsrpc_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// discard is a ResponseWriter that discards the response, with the same optional methods as that of net/http.
type discard struct{ header http.Header }

func (d discard) Header() http.Header                 { return d.header }
func (d discard) Write(p []byte) (int, error)         { return len(p), nil }
func (d discard) WriteString(s string) (int, error)   { return len(s), nil }
func (d discard) WriteHeader(int)                     {}
func (d discard) Flush()                              {}
func (d discard) ReadFrom(r io.Reader) (int64, error) { return 0, nil }

const costPolicy = `
defaults:
  allow_origins: [https://app.example.com, "https://*.example.org"]
  allow_credentials: true
rules:
  - path: /files/
    allow_methods: [GET]
  - path: /open/
    allow_origins: ["*"]
    allow_credentials: false
  - path: /timed/
    timing: true
`

// TestAllocations checks that requests without a browser allocate nothing, and that a browser's
// request takes one allocation, for the values of the response fields.
func TestAllocations(t *testing.T) {
	layer, _ := newLayer(t, costPolicy)
	from := func(origin string, more ...string) http.Header {
		header := http.Header{"Origin": {origin}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"cors"}, "Content-Type": {"application/json"}, "Cookie": {"a=b"}}
		for i := 0; i < len(more); i += 2 {
			header[more[i]] = []string{more[i+1]}
		}
		return header
	}
	preflight := func(origin, headers string) http.Header {
		return from(origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", headers)
	}
	const stranger = "https://evil.example"
	tests := []struct {
		name    string
		r       *http.Request
		exposed int // the number of exposed names
		allocs  float64
	}{
		{"a POST without Origin", newRequest(http.MethodPost, listRPC, nil), 20, 0},
		{"a POST of the same origin", newRequest(http.MethodPost, listRPC, http.Header{"Origin": {"https://api.example.com"}}), 20, 0},
		{"a path that is not governed", newRequest(http.MethodPost, "/assets/app.js", nil), 20, 0},
		{"a path that is not governed, of a page", newRequest(http.MethodPost, "/assets/app.js", from(page)), 20, 0},
		{"an allowed call that exposes nothing", newRequest(http.MethodPost, listRPC, from(page)), 0, 1},
		{"one header", newRequest(http.MethodPost, listRPC, from(page)), 1, 1},
		{"twenty headers", newRequest(http.MethodPost, listRPC, from(page)), 20, 1},
		{"below a pattern", newRequest(http.MethodPost, listRPC, from("https://a.b.example.org")), 5, 1},
		{"a refused call", newRequest(http.MethodPost, listRPC, from(stranger)), 0, 1},
		{"a refused call in gRPC-Web", newRequest(http.MethodPost, listRPC, from(stranger, "Content-Type", "application/grpc-web+proto")), 0, 1},
		{"a refused form", newRequest(http.MethodPost, listRPC, from(page, "Sec-Fetch-Mode", "navigate", "Content-Type", "text/plain")), 0, 1},
		{"an Origin of 1 MiB", newRequest(http.MethodPost, listRPC, from(strings.Repeat("a", 1<<20))), 0, 1},
		{"a preflight", newRequest(http.MethodOptions, listRPC, preflight(page, "connect-protocol-version,content-type")), 0, 1},
		{"a preflight that asks for no headers", newRequest(http.MethodOptions, listRPC, from(page, "Access-Control-Request-Method", "POST")), 0, 1},
		{"a preflight that asks for 1 MiB", newRequest(http.MethodOptions, listRPC, preflight(page, strings.Repeat("a,", 1<<19))), 0, 1},
		{"a refused preflight", newRequest(http.MethodOptions, listRPC, preflight(stranger, "content-type")), 0, 1},
		{"a GET that shows its timing", newRequest(http.MethodGet, "/timed/a", from(page)), 5, 1},
		{"twenty headers of gRPC-Web", newRequest(http.MethodPost, listRPC, from(page, "Content-Type", "application/grpc-web+proto")), 20, 1},
		{"a GET of a path", newRequest(http.MethodGet, "/files/a", from(page)), 5, 1},
		{"a refused GET of a path", newRequest(http.MethodGet, "/files/a", from(stranger)), 5, 1},
	}
	for _, test := range tests {
		values := []string{"1"}
		names := make([]string, test.exposed)
		for i := range names {
			names[i] = fmt.Sprintf("X-Header-%d", i)
		}
		h := layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			header := w.Header()
			header["Content-Type"] = test.r.Header["Content-Type"]
			for _, name := range names {
				header[name] = values
			}
			w.WriteHeader(http.StatusOK)
		}))
		w := discard{http.Header{}}
		got := testing.AllocsPerRun(100, func() {
			clear(w.header)
			h.ServeHTTP(w, test.r)
		})
		if got > test.allocs {
			t.Errorf("%s: %v allocations, want %v", test.name, got, test.allocs)
		}
		if len(w.header["Access-Control-Expose-Headers"]) == 0 && strings.HasPrefix(test.name, "tw") {
			t.Errorf("%s: nothing is exposed", test.name)
		}
	}
}

// TestDecisionsDoNotAllocate checks that a refusal allocates nothing before its response is written.
func TestDecisionsDoNotAllocate(t *testing.T) {
	plan := compilePolicy(t, costPolicy)
	for _, origin := range []string{page, "https://a.example.org", "https://evil.example", "null", "https://evil.example/" + strings.Repeat("a", 1<<20), "not an origin"} {
		for _, method := range []string{http.MethodPost, http.MethodOptions} {
			r := corsrpc.Request{Method: method, Host: "api.example.com", Path: listRPC, Header: http.Header{
				"Origin": {origin}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"content-type"}, "Content-Type": {"application/json"},
			}}
			if n := testing.AllocsPerRun(100, func() { plan.Decide(r) }); n > 0 {
				t.Errorf("%s of %.30s: %v allocations", method, origin, n)
			}
		}
	}
}
