package bench

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestFloorIsHonest: the floor gives exactly the layer's responses, in every case that is
// measured and in further cases, so that the comparison is fair.
func TestFloorIsHonest(t *testing.T) {
	t.Parallel()
	cases := append([]requestCase{
		{"a sandboxed page", oneOrigin, callFrom("null")},
		{"an Origin that is none", oneOrigin, callFrom("page")},
		{"an Origin with a path", oneOrigin, callFrom(page + "/")},
		{"headers of a newer client", oneOrigin, with(preflightFrom(page), "Access-Control-Request-Headers", "connect-next,connect-protocol-version,content-type,grpc-next")},
		{"a header that is not granted", oneOrigin, with(preflightFrom(page), "Access-Control-Request-Headers", "content-type,x-tenant")},
		{"no headers", oneOrigin, with(preflightFrom(page), "Access-Control-Request-Headers")},
		{"another port", oneOrigin, callFrom(page + ":8443")},
		{"an Origin of 1 MiB", oneOrigin, callFrom("https://" + string(make([]byte, 1<<20)))},
		{"a page of the server's own", oneOrigin, with(callFrom("https://api.example.net"), "Sec-Fetch-Site", "same-origin")},
		{"a page of the server's own, in an old browser", oneOrigin, with(callFrom("https://api.example.net"), "Sec-Fetch-Site")},
		{"a page in an old browser", oneOrigin, with(with(callFrom(page), "Sec-Fetch-Site"), "Sec-Fetch-Mode")},
		{"another site's, without an Origin", oneOrigin, with(callFrom(page), "Origin")},
		{"a form", oneOrigin, with(with(callFrom(page), "Sec-Fetch-Mode", "navigate"), "Content-Type", "text/plain")},
		{"two Origins", oneOrigin, with(callFrom(page), "Origin", page, "https://evil.example")},
		{"without cookies", oneOrigin, with(callFrom(page), "Cookie")},
		{"a body in protobuf, refused", oneOrigin, with(callFrom("https://evil.example"), "Content-Type", "application/proto")},
		{"below a pattern", setting{morePatterns: 3, expose: oneOrigin.expose}, callFrom("https://a.b.example.com")},
		{"above a pattern", setting{morePatterns: 3, expose: oneOrigin.expose}, callFrom("https://example.com")},
		{"a path that is no procedure's", oneOrigin, func() *http.Request {
			r := callFrom("https://evil.example")()
			r.URL.Path = "/index.html"
			return r
		}},
		{"nothing exposed", setting{exact: []string{page}}, callFrom(page)},
	}, requestCases...)
	for _, c := range cases {
		for carried := range len(c.setting.expose) + 1 { // all headers that the handler may write, or fewer
			handler := newRPC(c.setting.expose[:carried])
			floor, layer := answerOf(wrapFloor(t, c.setting, handler), c.request()), answerOf(wrapLayer(t, c.setting, handler), c.request())
			if floor.Code != layer.Code || floor.Body.String() != layer.Body.String() || !maps.EqualFunc(floor.Header(), layer.Header(), equalLines) {
				t.Errorf("%s:\nthe floor answers %d %v %q\nthe layer answers %d %v %q", c.name, floor.Code, floor.Header(), floor.Body, layer.Code, layer.Header(), layer.Body)
			}
		}
	}
}

func answerOf(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func equalLines(a, b []string) bool { return len(a) == 1 && len(b) == 1 && a[0] == b[0] }

// with returns the request with other values of a header.
func with(request func() *http.Request, name string, values ...string) func() *http.Request {
	return func() *http.Request {
		r := request()
		r.Header[name] = values
		return r
	}
}

// TestPeersAllow: the peers allow and refuse the same measured requests.
func TestPeersAllow(t *testing.T) {
	t.Parallel()
	for _, c := range requestCases {
		for _, i := range implementations {
			r := c.request()
			header := answerOf(i.wrap(t, c.setting, newRPC(c.setting.expose)), r).Header()
			want := ""
			if r.Header.Get("Origin") == page {
				want = page
			}
			if got := header.Get("Access-Control-Allow-Origin"); got != want {
				t.Errorf("%s, %s: Access-Control-Allow-Origin: %q, want %q", c.name, i.name, got, want)
			}
		}
	}
}
