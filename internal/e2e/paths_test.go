package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// A spelling is a path as a script writes it, and as its browser sends it. In both, SECRET is a path that only the admin's page
// may call, and ESCAPED is that path with its first letter percent-encoded.
type spelling struct {
	path string
	sent string                    // empty if net/http refuses the request, as for an invalid escape
	but  map[browser.Engine]string // the path that an engine sends, if it differs
}

// spellings lists ways to write a path. Engines resolve backslashes and dot segments, also percent-encoded ones, remove tabs and
// line breaks, and percent-encode non-ASCII characters. They do not change other escapes, empty segments and parameters. WebKit's
// network library also decodes escapes that are not necessary, and writes the others in upper case.
var spellings = []spelling{
	{path: "/SECRET", sent: "/SECRET"},
	{path: "//SECRET", sent: "//SECRET"},
	{path: "///SECRET", sent: "///SECRET"},
	{path: "/public//../SECRET", sent: "/public/SECRET"},
	{path: "/./SECRET", sent: "/SECRET"},
	{path: "/%2e/SECRET", sent: "/SECRET"},
	{path: "/../SECRET", sent: "/SECRET"},
	{path: "/public/../SECRET", sent: "/SECRET"},
	{path: "/public/%2e%2e/SECRET", sent: "/SECRET"},
	{path: "/public/%2E%2e/SECRET", sent: "/SECRET"},
	{path: "/public/.%2e/SECRET", sent: "/SECRET"},
	{path: "/public/%2e./SECRET", sent: "/SECRET"},
	{path: "/public/..%2fSECRET", sent: "/public/..%2fSECRET", but: map[browser.Engine]string{browser.WebKit: "/public/..%2FSECRET"}},
	{path: "/public/%2e%2e%2fSECRET", sent: "/public/%2e%2e%2fSECRET", but: map[browser.Engine]string{browser.WebKit: "/public/..%2FSECRET"}},
	{path: "/public/%2e%2e%2FSECRET", sent: "/public/%2e%2e%2FSECRET", but: map[browser.Engine]string{browser.WebKit: "/public/..%2FSECRET"}},
	{path: "/public/%252e%252e%252fSECRET", sent: "/public/%252e%252e%252fSECRET"},
	{path: `/public/..\SECRET`, sent: "/SECRET"},
	{path: "/public/..%5cSECRET", sent: "/public/..%5cSECRET", but: map[browser.Engine]string{browser.WebKit: "/public/..%5CSECRET"}},
	{path: `\SECRET`, sent: "/SECRET"},
	{path: `\\SECRET`, sent: "//SECRET"},
	{path: "/%5cSECRET", sent: "/%5cSECRET", but: map[browser.Engine]string{browser.WebKit: "/%5CSECRET"}},
	{path: "/%2fSECRET", sent: "/%2fSECRET", but: map[browser.Engine]string{browser.WebKit: "/%2FSECRET"}},
	{path: "/public/..;/SECRET", sent: "/public/..;/SECRET"},
	{path: "/public/..;x=1/SECRET", sent: "/public/..;x=1/SECRET"},
	{path: "/;x=1/SECRET", sent: "/;x=1/SECRET"},
	{path: "/SECRET;x=1", sent: "/SECRET;x=1"},
	{path: "/SECRET%3bx=1", sent: "/SECRET%3bx=1", but: map[browser.Engine]string{browser.WebKit: "/SECRET%3Bx=1"}},
	{path: "/SECRET%00", sent: "/SECRET%00"},
	{path: "/SECRET\x00", sent: "/SECRET"},
	{path: "/SECRET%3f", sent: "/SECRET%3f", but: map[browser.Engine]string{browser.WebKit: "/SECRET%3F"}},
	{path: "/SECRET%3fx=1", sent: "/SECRET%3fx=1", but: map[browser.Engine]string{browser.WebKit: "/SECRET%3Fx=1"}},
	{path: "/SECRET%23", sent: "/SECRET%23"},
	{path: "/SECRET?x=1", sent: "/SECRET?x=1"},
	{path: "/SECRET#x", sent: "/SECRET"},
	{path: "/public?/../SECRET", sent: "/public?/../SECRET"},
	{path: "/public#/../SECRET", sent: "/public"},
	{path: "/public/%3f/../../SECRET", sent: "/SECRET"},
	{path: "/SECRET/", sent: "/SECRET/"},
	{path: "/SECRET//", sent: "/SECRET//"},
	{path: "/SECRET/.", sent: "/SECRET/"},
	{path: "/SECRET/%2e", sent: "/SECRET/"},
	{path: "/SECRET.", sent: "/SECRET."},
	{path: "/SECRET..", sent: "/SECRET.."},
	{path: "/SECRET%2e", sent: "/SECRET%2e", but: map[browser.Engine]string{browser.WebKit: "/SECRET."}},
	{path: "/SECRET%20", sent: "/SECRET%20"},
	{path: "/SECRET ", sent: "/SECRET"},
	{path: "/public/ /../../SECRET", sent: "/SECRET"},
	{path: "/public/ SECRET", sent: "/public/%20SECRET"},
	{path: "/SECRET\t", sent: "/SECRET"},
	{path: "/public/.\t./SECRET", sent: "/SECRET"},
	{path: "/public/.\n./SECRET", sent: "/SECRET"},
	{path: "/ESCAPED", sent: "/ESCAPED", but: map[browser.Engine]string{browser.WebKit: "/SECRET"}},
	{path: "/public/é/../../SECRET", sent: "/SECRET"},
	{path: "/public/é", sent: "/public/%C3%A9"},
	{path: "/public/%e9", sent: "/public/%e9", but: map[browser.Engine]string{browser.WebKit: "/public/%E9"}},
	{path: "/public/．．/SECRET", sent: "/public/%EF%BC%8E%EF%BC%8E/SECRET"},
	{path: "/public/..／SECRET", sent: "/public/..%EF%BC%8FSECRET"},
	{path: "/public/..%c0%afSECRET", sent: "/public/..%c0%afSECRET", but: map[browser.Engine]string{browser.WebKit: "/public/..%C0%AFSECRET"}},
	{path: "/public/..%u002fSECRET", sent: ""},
	{path: "/public/%zz", sent: ""},
	{path: "/public/%", sent: ""},
	{path: "/public/a|b^c", sent: "/public/a|b%5Ec", but: map[browser.Engine]string{browser.Chromium: "/public/a%7Cb%5Ec"}},
	{path: "/public/\"{}<>`'", sent: "/public/%22%7B%7D%3C%3E%60'"},
	{path: "/public/[]~!$&()*+,=:@", sent: "/public/[]~!$&()*+,=:@"},
	{path: "/public/\x01\x7f", sent: "/public/%01%7F"},
}

// sentBy returns the path that an engine sends.
func (s spelling) sentBy(engine browser.Engine) string {
	if sent, ok := s.but[engine]; ok {
		return sent
	}
	return s.sent
}

// spellingsPolicy allows the page one subtree, and the admin's page another subtree and a service.
const spellingsPolicy = `
rules:
  - {path: /public/, allow_origins: [ORIGIN]}
  - {path: /admin/, allow_origins: [https://admin.example.com]}
  - {selector: showcase.v1.ShowcaseService, allow_origins: [https://admin.example.com]}
`

// laxly returns a path as a lax server interprets it.
func laxly(p string) string {
	for range 2 {
		if decoded, err := url.PathUnescape(p); err == nil {
			p = decoded
		}
	}
	p, _, _ = strings.Cut(p, "\x00")
	p, _, _ = strings.Cut(p, "?")
	p, _, _ = strings.Cut(p, "#")
	segments := strings.Split(strings.ReplaceAll(p, `\`, "/"), "/")
	for i, s := range segments {
		s, _, _ = strings.Cut(s, ";")
		if strings.Trim(s, ".") != "" {
			s = strings.TrimRight(s, ". ")
		}
		segments[i] = s
	}
	return path.Clean("/" + strings.Join(segments, "/"))
}

// TestBrowsersPaths sends every spelling from a page that may only call the public paths. The path that arrives is that of the
// table. No path that a strict or a lax server interprets as the admin's passes the layer.
func TestBrowsersPaths(t *testing.T) {
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		for _, secret := range []string{"admin/x", greetPath[1:]} {
			t.Run(secret, func(t *testing.T) { testSpellings(t, page, secret) })
		}
	})
}

func testSpellings(t *testing.T, page *browser.Page, secret string) {
	var mu sync.Mutex
	var arrived, ran []string
	strict := http.NewServeMux()
	strict.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	strict.HandleFunc("/"+secret, func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		ran = append(ran, "strict")
	})
	layer := newLayer(t, page.Origin, spellingsPolicy).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if laxly(r.URL.Path) == "/"+secret {
			mu.Lock()
			ran = append(ran, "lax")
			mu.Unlock()
		}
		strict.ServeHTTP(w, r)
	}))
	server := serveAPI(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		arrived = append(arrived, r.RequestURI)
		mu.Unlock()
		layer.ServeHTTP(w, r)
	}))
	write := strings.NewReplacer("SECRET", secret, "ESCAPED", fmt.Sprintf("%%%x", secret[0])+secret[1:])
	for _, s := range spellings {
		// A redirect to the path without dot segments would be a separate request.
		page.Run(t, `await fetch(args.url, {method: "POST", body: "x", redirect: "manual"}).catch(() => {}); return null`,
			map[string]string{"url": server.on(crossSite) + write.Replace(s.path)}, nil)
		mu.Lock()
		if got := strings.Join(arrived, " "); got != write.Replace(s.sentBy(page.Engine)) {
			t.Errorf("%q is sent as %q, want %q", s.path, got, write.Replace(s.sentBy(page.Engine)))
		}
		if len(ran) > 0 {
			t.Errorf("%q, sent as %q, ran a handler that only the admin's page may call: %q", s.path, arrived, ran)
		}
		arrived, ran = nil, nil
		mu.Unlock()
	}
}
