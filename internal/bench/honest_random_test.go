package bench

import (
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// drawn is the number of requests of TestFloorIsHonestAtRandom under each setting.
const drawn = 6_000

// honestSettings are the settings under which the floor must give the layer's responses.
var honestSettings = []setting{
	oneOrigin,
	{exact: []string{page}},
	{exact: []string{page}, expose: oneOrigin.expose, anonymous: true},
	{exact: []string{page, "http://localhost:3000", "https://b.example.com:8443", "https://[2001:db8::1]"}, expose: headerNames(3)},
	{morePatterns: 3, expose: oneOrigin.expose},
	{exact: []string{page}, morePatterns: 100, expose: oneOrigin.expose, anonymous: true},
	{moreOrigins: 1000, expose: oneOrigin.expose},
	{exact: []string{page}, expose: oneOrigin.expose, quiet: true},
}

// TestFloorIsHonestAtRandom: the floor gives exactly the layer's responses to requests that are drawn at random, and to
// handlers that are: the status, every field of the header, and the body.
func TestFloorIsHonestAtRandom(t *testing.T) {
	t.Parallel()
	for n, s := range honestSettings {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(27, uint64(n)))
			behave, named := &drawnHandler{}, slices.Concat(s.allExact(), s.allPatterns())
			floor, layer := wrapFloor(t, s, behave), wrapLayer(t, s, behave)
			statuses, failures := map[int]int{}, 0
			for i := range drawn {
				draw := drawer{random, named}
				behave.draw(draw, s)
				request := draw.request()
				outer := draw.outerHeader()
				a, b := answerAfter(floor, request(), outer), answerAfter(layer, request(), outer)
				statuses[b.Code]++
				if a.Code == b.Code && a.Body.String() == b.Body.String() && maps.EqualFunc(a.Header(), b.Header(), slices.Equal) {
					continue
				}
				r := request()
				t.Errorf("request %d: %s %q %q, host %q, %q\nthe handler: %+v\nthe floor answers %d %q %q\nthe layer answers %d %q %q", i, r.Method, r.URL.Path, r.URL.RawPath, r.Host, r.Header, behave, a.Code, a.Header(), a.Body, b.Code, b.Header(), b.Body)
				if failures++; failures == 3 {
					break
				}
			}
			for status, least := range map[int]int{http.StatusOK: drawn / 20, http.StatusNoContent: drawn / 50, http.StatusForbidden: drawn / 10} {
				if statuses[status] < least && failures == 0 {
					t.Errorf("%d of %d responses have the status %d: the test covers too little", statuses[status], drawn, status)
				}
			}
		})
	}
}

// answerAfter is answerOf with fields that an outer middleware has written.
func answerAfter(h http.Handler, r *http.Request, outer http.Header) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	maps.Copy(w.Header(), outer.Clone())
	h.ServeHTTP(w, r)
	return w
}

// drawer draws parts of requests.
type drawer struct {
	*rand.Rand
	named []string // the origins and patterns of the setting
}

func (d drawer) one(of ...string) string { return of[d.IntN(len(of))] }

// usually returns the first value in most cases, and one of the others in the rest.
func (d drawer) usually(value string, others ...string) string {
	if d.IntN(4) > 0 {
		return value
	}
	return d.one(others...)
}

// lines returns the lines of a field: most often one, and also none or two.
func (d drawer) lines(value string) []string {
	switch d.IntN(16) {
	case 0:
		return nil
	case 1:
		return []string{value, value}
	}
	return []string{value}
}

// request draws a request. Each call of the function returns it anew.
func (d drawer) request() func() *http.Request {
	method := d.one("POST", "POST", "POST", "OPTIONS", "OPTIONS", "GET", "HEAD", "PUT", "DELETE", "CONNECT", "P OST", "post")
	header := http.Header{}
	set := func(name string, lines []string) {
		if lines != nil {
			header[name] = lines
		}
	}
	if d.IntN(8) > 0 {
		set("Origin", d.lines(d.origin()))
	}
	if d.IntN(5) > 0 {
		set("Sec-Fetch-Site", d.lines(d.usually("cross-site", "same-site", "same-origin", "none", "", "other")))
	}
	if d.IntN(5) > 0 {
		set("Sec-Fetch-Mode", d.lines(d.usually("cors", "no-cors", "navigate", "same-origin", "websocket", "")))
	}
	if method == http.MethodOptions || d.IntN(16) == 0 {
		set("Access-Control-Request-Method", d.lines(d.usually("POST", "GET", "PUT", "post", "P OST", "", "PÖST", strings.Repeat("A", 8<<10), strings.Repeat("A", 8<<10+1))))
		set("Access-Control-Request-Headers", d.requestedHeaders())
	}
	if d.IntN(2) == 0 {
		set("Content-Type", d.lines(d.one("application/json", "application/proto", "application/grpc-web+proto", "application/grpc-web-text", "application/grpc", "application/connect+json",
			"text/plain", "Application/JSON; charset=utf-8", "application/x-www-form-urlencoded", "", "multipart/form-data; boundary=x", "application/grpc-web+"+strings.Repeat("a", 200))))
	}
	if d.IntN(4) == 0 {
		set("Cookie", d.lines("session=1"))
	}
	if d.IntN(10) == 0 {
		set("Upgrade", d.lines("websocket"))
	}
	if d.IntN(10) == 0 {
		set("Authorization", d.lines("Bearer x"))
	}
	path, raw := d.path()
	u := url.URL{Path: path, RawPath: raw, RawQuery: d.one("", "", "encoding=json&message=%7B%7D", "a=b")}
	if d.IntN(50) == 0 {
		u.Opaque = d.one(procedure, "//elsewhere.example"+procedure, "x")
	}
	host := d.one("api.example.net", "api.example.net", "API.example.net:443", "app.example.com", "localhost:3000", "api.example.net:x", "")
	secure := d.IntN(2) == 0
	return func() *http.Request {
		r := httptest.NewRequest(http.MethodPost, "https://api.example.net/", nil)
		copied := u
		r.Method, r.URL, r.Host, r.Header = method, &copied, host, header.Clone()
		if r.TLS = nil; secure {
			r.TLS = &tls.ConnectionState{}
		}
		return r
	}
}

// origin draws the value of an Origin header: one that is allowed, one that resembles it, or bytes.
func (d drawer) origin() string {
	known := page
	if d.IntN(2) == 0 {
		known = d.named[d.IntN(len(d.named))]
	}
	known = strings.Replace(known, "*", d.one("a", "a.b", "", "a@b", "a b", "a/", "/", "x_y", "-", "1", "A", "é", "*", strings.Repeat("a", 63), strings.Repeat("a", 64), strings.Repeat("a.", 110)+"a"), 1)
	switch d.IntN(10) {
	case 0, 1, 2, 3:
		return known
	case 4:
		return known + d.one("/", ".", ":443", ":8443", ":0", ":99999", ":08", ":", " ", "@", "?", "\x00", ".evil.example")
	case 5:
		return d.one("http://", "https://", "HTTPS://", "https:/", "ws://", "capacitor://", "", "file://", "moz-extension://", "data://") + d.host()
	case 6: // one byte is another
		b := []byte(known)
		b[d.IntN(len(b))] = byte(d.IntN(256))
		return string(b)
	case 7: // one byte is missing, or doubled
		at := d.IntN(len(known))
		return known[:at] + known[at+d.IntN(2):] + known[at:at+d.IntN(2)]
	case 8:
		return "https://" + d.host() + d.one("", ".", ":1", ":65535", ":65536", ":443", ":80", ":a")
	}
	return d.one("null", "", "https://evil.example:99999", "https://evil.example", "https://.example.com", "https://a/.example.com", "https://a@b.example.com", "https://a b.example.com", "https://"+strings.Repeat("a.", 200)+"example.com", "file://", "page")
}

// host draws a host of random labels.
func (d drawer) host() string {
	if d.IntN(4) == 0 {
		return d.one("127.0.0.1", "1.2.3.999", "127.1", "[::1]", "[2001:db8::1]", "[2001:DB8::1]", "a.0x1", "a.0x", "a.1", "1.a", "a.1a", "localhost", "example.com", "a..b", "a.0xg")
	}
	var labels []string
	for range 1 + d.IntN(4) {
		var label strings.Builder
		for range d.IntN(5) {
			label.WriteByte("abcxyz0189-_.A@"[d.IntN(15)])
		}
		labels = append(labels, label.String())
	}
	return strings.Join(labels, ".") + d.one("", ".example.com", ".tenant-1.example.net")
}

// path draws the path of a request: that of the procedure in most cases, and also those of pages, of unknown
// procedures, and other spellings.
func (d drawer) path() (path, raw string) {
	switch d.IntN(12) {
	case 0:
		return d.one("/", "/index.html", "/assets/app.js", "", "*", "/acme.v1.CatalogService", "/a/b/c", "x"), ""
	case 1:
		return d.one("/acme.v1.CatalogService/Missing", "/acme.v1.Other/M0", "/other.v2.S/M", "/grpc.health.v1.Health/Check", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "/S/M"), ""
	case 2:
		return d.one("/acme.v1.catalogservice/m0", procedure+"/", "/"+procedure, procedure+"%", procedure+";a=b", procedure+"?", "/x/.."+procedure, "/acme.v1.CatalogService//M0", procedure+".", "/..", strings.Repeat("/a", 1500)), ""
	case 3:
		return procedure, d.one("/acme.v1.CatalogService/M%30", "/acme%2Ev1.CatalogService/M0", "/acme.v1.CatalogService%2FM0", procedure)
	case 4:
		return d.one("/pets/%2F", "/a b"), d.one("/pets/%252F", "/a%20b", "")
	}
	return procedure, ""
}

// requestedHeaders draws the lines of Access-Control-Request-Headers.
func (d drawer) requestedHeaders() []string {
	switch d.IntN(8) {
	case 0:
		return nil
	case 1, 2, 3:
		return []string{"connect-protocol-version,connect-timeout-ms,content-type"}
	case 4:
		return []string{d.one("", ",", "content-type", "a b", "x-tenant", "content-type\x00", strings.Repeat("grpc-a,", 65), strings.Repeat("grpc-a", 2000))}
	case 5:
		return slices.Repeat([]string{"grpc-next"}, 2+d.IntN(2)*15)
	}
	var names []string
	for range d.IntN(6) {
		names = append(names, d.one("content-type", "connect-next", "Grpc-Next", "grpc-metadata-a", "grpc-trace-bin", "x-tenant", "authorization", "user-agent", "connect-", "cookie", "é"))
	}
	return []string{strings.Join(names, d.one(",", ", ", ",,", " "))}
}

// outerHeader draws the fields that a middleware around the handler has written before.
func (d drawer) outerHeader() http.Header {
	switch d.IntN(12) {
	case 0:
		return http.Header{"Vary": {d.one("Accept-Encoding", "Origin", "*", "origin, Accept")}}
	case 1:
		return http.Header{"Access-Control-Allow-Origin": {"*"}, "Timing-Allow-Origin": {"*"}}
	case 2:
		return http.Header{"X-Frame-Options": {"DENY"}}
	}
	return nil
}

// A drawnHandler responds as it was drawn.
type drawnHandler struct {
	status int // 0 if the handler calls WriteHeader never
	early  bool
	header http.Header
	body   string
}

func (h *drawnHandler) draw(d drawer, s setting) {
	*h = drawnHandler{header: http.Header{"Content-Type": {d.usually("application/json", "application/proto", "application/grpc-web+proto", "application/grpc-web-text+json", "text/html")}}, body: "{}"}
	for _, name := range s.expose {
		if d.IntN(5) > 0 {
			h.header[http.CanonicalHeaderKey(name)] = []string{"1"}
		}
	}
	switch d.IntN(16) {
	case 0:
		h.header["Access-Control-Allow-Origin"] = []string{"*"}
	case 1:
		h.header["access-control-expose-headers"] = []string{"x"}
	case 2:
		h.header["Set-Cookie"] = []string{"a=b"}
	case 3:
		h.header["Vary"] = []string{d.one("Accept", "Origin")}
	case 4:
		h.header["X-Another"] = []string{}
	case 5:
		h.header["Trailer-X"], h.header["x-lower"] = []string{"1"}, []string{"2"}
	case 6:
		delete(h.header, "Content-Type")
	}
	h.status = []int{0, 0, 0, 0, 200, 204, 304, 404, 500}[d.IntN(9)]
	h.early = d.IntN(10) == 0
	if d.IntN(6) == 0 {
		h.body = ""
	}
}

func (h *drawnHandler) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if h.early {
		w.WriteHeader(http.StatusEarlyHints)
	}
	maps.Copy(w.Header(), h.header.Clone())
	if h.status != 0 {
		w.WriteHeader(h.status)
	}
	if h.body != "" {
		io.WriteString(w, h.body)
	}
}
