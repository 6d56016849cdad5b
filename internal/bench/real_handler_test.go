package bench

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// handlerCases are the requests that reach, or do not reach, a handler of connect-go.
var handlerCases = []requestCase{
	{"call, allowed", oneOrigin, callFrom(page)},
	{"call, refused origin", oneOrigin, callFrom("https://evil.example")},
	{"preflight, allowed", oneOrigin, preflightFrom(page)},
	{"preflight, refused origin", oneOrigin, preflightFrom("https://evil.example")},
	{"call without Origin", oneOrigin, callFrom("")},
}

// withoutCORS is the handler alone.
var withoutCORS = implementation{name: "none", wrap: func(_ testing.TB, _ setting, next http.Handler) http.Handler { return next }}

// handlerContests returns a contest for each request, with every implementation around a real handler of connect-go,
// without a socket: the handler reads a message, and writes one that it compresses, as clients ask for.
func handlerContests() (all []contest) {
	for _, c := range handlerCases {
		one := contest{name: "Handler"}
		for _, i := range append([]implementation{withoutCORS}, implementations...) {
			one.contestants = append(one.contestants, contestant{"case=" + c.name + "/by=" + i.name, func(t testing.TB) func(int) {
				h, r := i.wrap(t, c.setting, catalog()), c.request()
				w, body := newWriter(), &sameBody{}
				r.ContentLength = int64(len(sentMessage))
				return func(n int) {
					for range n {
						clear(w.header)
						body.Reset(sentMessage)
						r.Body = body
						h.ServeHTTP(w, r)
					}
				}
			}})
		}
		all = append(all, one)
	}
	return all
}

// sentMessage is a StringValue in JSON.
const sentMessage = `"hello"`

// sameBody is the body of a request that is sent again and again.
type sameBody struct{ strings.Reader }

func (*sameBody) Close() error { return nil }

// TestRealHandler: the measured calls get the message back, the peers run the handler of a refused call, and the layer
// and the handler by hand do not.
func TestRealHandler(t *testing.T) {
	t.Parallel()
	for _, c := range handlerCases {
		if strings.HasPrefix(c.name, "preflight") {
			continue
		}
		for _, i := range append([]implementation{withoutCORS}, implementations...) {
			h := i.wrap(t, c.setting, catalog())
			for range 2 { // a request that is sent again gives the same response
				r := c.request()
				r.Header.Del("Accept-Encoding")
				r.Body = io.NopCloser(strings.NewReader(sentMessage))
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				ran := w.Code == http.StatusOK && w.Body.String() == sentMessage
				if wanted := i.name == "none" || i.peer || !strings.Contains(c.name, "refused"); ran != wanted {
					t.Errorf("%s, %s: the handler ran: %v, want %v: %d %q", c.name, i.name, ran, wanted, w.Code, w.Body)
				}
			}
		}
	}
}
