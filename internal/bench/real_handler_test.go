package bench

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// realSetting is oneOrigin for a handler that compresses.
var realSetting = setting{exact: oneOrigin.exact, expose: oneOrigin.expose, others: []string{"Accept-Encoding", "Content-Encoding"}}

// handlerCases are the requests that reach, or do not reach, a handler of connect-go.
var handlerCases = []requestCase{
	{"call, allowed", realSetting, callFrom(page)},
	{"call, refused origin", realSetting, callFrom("https://evil.example")},
	{"preflight, allowed", realSetting, preflightFrom(page)},
	{"preflight, refused origin", realSetting, preflightFrom("https://evil.example")},
	{"call without Origin", realSetting, callFrom("")},
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
				w := send(h, c, "identity")
				ran := w.Code == http.StatusOK && w.Body.String() == sentMessage
				if wanted := i.name == "none" || i.peer || !strings.Contains(c.name, "refused"); ran != wanted {
					t.Errorf("%s, %s: the handler ran: %v, want %v: %d %q", c.name, i.name, ran, wanted, w.Code, w.Body)
				}
			}
		}
	}
	for _, c := range handlerCases {
		for _, encoding := range []string{"gzip", "identity"} {
			floor, layer := send(wrapFloor(t, c.setting, catalog()), c, encoding), send(wrapLayer(t, c.setting, catalog()), c, encoding)
			if floor.Code != layer.Code || floor.Body.String() != layer.Body.String() || !maps.EqualFunc(floor.Header(), layer.Header(), slices.Equal) {
				t.Errorf("%s, %s:\nthe floor answers %d %v\nthe layer answers %d %v", c.name, encoding, floor.Code, floor.Header(), layer.Code, layer.Header())
			}
		}
	}
}

// send sends a request of a case with a message.
func send(h http.Handler, c requestCase, encoding string) *httptest.ResponseRecorder {
	r := c.request()
	r.Header.Set("Accept-Encoding", encoding)
	r.Body = io.NopCloser(strings.NewReader(sentMessage))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
