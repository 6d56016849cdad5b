package bench

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
)

// A requestCase is a request, as a browser sends it, and the setting of the handlers.
type requestCase struct {
	name    string
	setting setting
	request func() *http.Request
}

var (
	oneOrigin  = setting{exact: []string{page}, expose: []string{"X-Request-Id"}}
	withoutLog = setting{exact: []string{page}, expose: []string{"X-Request-Id"}, quiet: true}
)

// requestCases lists the requests with which every implementation is measured.
var requestCases = []requestCase{
	{"preflight, allowed", oneOrigin, preflightFrom(page)},
	{"preflight, refused origin", oneOrigin, preflightFrom("https://evil.example")},
	{"call, allowed, credentials", oneOrigin, callFrom(page)},
	{"call, refused origin", oneOrigin, callFrom("https://evil.example")},
	{"call without Origin", oneOrigin, callFrom("")},
	{"preflight, refused origin, without a log", withoutLog, preflightFrom("https://evil.example")},
	{"call, refused origin, without a log", withoutLog, callFrom("https://evil.example")},
	{"1,000 origins, call allowed", setting{moreOrigins: 1000, expose: oneOrigin.expose}, callFrom(page)},
	{"100,000 origins, call allowed", setting{moreOrigins: 100_000, expose: oneOrigin.expose}, callFrom(page)},
	{"1,000,000 origins, call allowed", setting{moreOrigins: 1_000_000, expose: oneOrigin.expose}, callFrom(page)},
	{"1,000 patterns, call allowed", setting{morePatterns: 1000, expose: oneOrigin.expose}, callFrom(page)},
	{"1,000 patterns, call refused", setting{morePatterns: 1000, expose: oneOrigin.expose}, callFrom("https://app.example.org")},
	{"preflight, Origin of 1 MiB", oneOrigin, preflightFrom("https://" + strings.Repeat("a", 1<<20) + ".example")},
}

// origins returns n origins. The last one is the page's.
func origins(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = originAt(i, n)
	}
	return all
}

func originAt(i, n int) string {
	if i == n-1 {
		return page
	}
	return fmt.Sprintf("https://tenant-%d.example.com", i)
}

// patterns returns n patterns. The last one matches the page.
func patterns(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("https://*.tenant-%d.example.net", i)
	}
	if n > 0 {
		all[n-1] = "https://*.example.com"
	}
	return all
}

// callFrom returns a call as connect-web in Chromium makes it from a page of the origin.
// Without an origin it returns a call from another server.
func callFrom(origin string) func() *http.Request {
	return func() *http.Request {
		r := httptest.NewRequest(http.MethodPost, "https://api.example.net"+procedure, nil)
		r.Header = http.Header{
			"Accept-Encoding":          {"gzip"},
			"Connect-Protocol-Version": {"1"},
			"Content-Length":           {"2"},
			"Content-Type":             {"application/json"},
			"User-Agent":               {"connect-go/1.18.1 (go1.26.8)"},
		}
		if origin != "" {
			browse(r, origin)
		}
		return r
	}
}

// preflightFrom returns the preflight for callFrom.
func preflightFrom(origin string) func() *http.Request {
	return func() *http.Request {
		r := httptest.NewRequest(http.MethodOptions, "https://api.example.net"+procedure, nil)
		r.Header = http.Header{
			"Access-Control-Request-Headers": {"connect-protocol-version,connect-timeout-ms,content-type"},
			"Access-Control-Request-Method":  {"POST"},
		}
		browse(r, origin)
		return r
	}
}

// browse adds the header fields that Chromium sends.
func browse(r *http.Request, origin string) {
	for name, value := range map[string]string{
		"Accept": "*/*", "Accept-Encoding": "gzip, deflate, br, zstd", "Accept-Language": "en-US,en;q=0.9",
		"Origin": origin, "Referer": page + "/",
		"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "cross-site",
		"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
	} {
		r.Header[name] = []string{value}
	}
	if r.Method == http.MethodPost {
		r.Header["Cookie"] = []string{"session=0123456789abcdef"}
		r.Header["Sec-Ch-Ua-Platform"] = []string{`"Linux"`}
	}
}

// fixed is a handler that responds like a generated one, with some headers and a body.
type fixed struct {
	names  []string
	values [][]string
	body   string
}

func newRPC(names []string) *fixed {
	h := &fixed{names: []string{"Content-Type"}, values: [][]string{{"application/json"}}, body: "{}"}
	for _, name := range names {
		h.names, h.values = append(h.names, http.CanonicalHeaderKey(name)), append(h.values, []string{"1"})
	}
	return h
}

func (h *fixed) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	header := w.Header()
	for i, name := range h.names {
		header[name] = h.values[i]
	}
	io.WriteString(w, h.body)
}

// writer is a ResponseWriter with the methods of net/http's, which discards everything.
type writer struct{ header http.Header }

func newWriter() *writer                                    { return &writer{header: http.Header{}} }
func (w *writer) Header() http.Header                       { return w.header }
func (w *writer) Write(p []byte) (int, error)               { return len(p), nil }
func (w *writer) WriteString(s string) (int, error)         { return len(s), nil }
func (w *writer) WriteHeader(int)                           {}
func (w *writer) Flush()                                    {}
func (w *writer) ReadFrom(r io.Reader) (n int64, err error) { return io.Copy(io.Discard, r) }
