package bench

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
)

const mib = 1 << 20

// hostile lists requests with one large part, up to net/http's limit and beyond.
var hostile = []struct {
	name    string
	request func() *http.Request
}{
	{"preflight of usual size", preflightFrom(page)},
	{"one requested header of 1 MiB", asking(strings.Repeat("a", mib))},
	{"requested headers of one letter, 1 MiB", asking(strings.Repeat("a,", mib/2))},
	{"requested headers of 1 MiB, of a family that is granted", asking(strings.Repeat("grpc-a,", mib/7))},
	{"commas, 1 MiB", asking(strings.Repeat(",", mib))},
	{"requested headers on 1,000 lines", asking(strings.Split(strings.Repeat("content-type ", 1000), " ")[:1000]...)},
	{"requested headers of the longest length that is read", asking(strings.Repeat("grpc-"+strings.Repeat("a", 122)+",", 64)[:8<<10])},
	{"requested method of 1 MiB", with(preflightFrom(page), "Access-Control-Request-Method", strings.Repeat("A", mib))},
	{"refused call of usual size", callFrom("https://evil.example")},
	{"Origin of 1 MiB, a host", callFrom("https://" + strings.Repeat("a", mib))},
	{"Origin of 1 MiB, labels", callFrom("https://" + strings.Repeat("a.", mib/2))},
	{"Origin of 1 MiB, below a pattern", callFrom("https://" + strings.Repeat("a.", mib/2) + "example.org")},
	{"Origin of 1 MiB, no origin", callFrom(strings.Repeat("[", mib))},
	{"Origin of the longest length that is read", callFrom("https://" + strings.Repeat("a.", 121) + "example")},
	{"1,000 Origins", with(callFrom(page), "Origin", strings.Split(strings.Repeat(page+" ", 1000), " ")[:1000]...)},
	{"Content-Type of 1 MiB", with(callFrom("https://evil.example"), "Content-Type", "application/grpc-web+"+strings.Repeat("a", mib))},
	{"path of 1 MiB", to(procedure + strings.Repeat("a", mib))},
	{"path of 1 MiB, parts", to(strings.Repeat("/a", mib/2))},
	{"path of 1 MiB, escapes", to("/" + strings.Repeat("%25", mib/3))},
	{"path of the longest length that is read, escapes", to("/" + strings.Repeat("%25", 682))},
	{"path of the longest length that is read, parts", to(strings.Repeat("/a", 1023))},
	{"10,000 other headers", withMany(callFrom("https://evil.example"), 10_000)},
}

func asking(lines ...string) func() *http.Request {
	return with(preflightFrom(page), "Access-Control-Request-Headers", lines...)
}

func to(path string) func() *http.Request {
	return func() *http.Request {
		r := callFrom("https://evil.example")()
		r.URL.Path, r.URL.RawPath = path, ""
		if plain := strings.ReplaceAll(path, "%25", "%"); plain != path {
			r.URL.Path, r.URL.RawPath = plain, path
		}
		return r
	}
}

func withMany(request func() *http.Request, n int) func() *http.Request {
	return func() *http.Request {
		r := request()
		for i := range n {
			r.Header[fmt.Sprintf("X-Header-%d", i)] = []string{"1"}
		}
		return r
	}
}

var hostileSetting = setting{exact: []string{page}, patterns: []string{"https://*.example.org"}, expose: oneOrigin.expose}

// hostileContest compares large requests. Their cost is bounded, since the layer reads only
// a bounded part of them.
func hostileContest() contest {
	all := contest{name: "Hostile", slice: shortSlice}
	for _, c := range hostile {
		for _, i := range implementations {
			if i.name == "floor" {
				continue // it leaves what is unusual to the packages of the layer
			}
			all.contestants = append(all.contestants, contestant{"request=" + c.name + "/by=" + i.name, func(t testing.TB) func(int) {
				return serve(i.wrap(t, hostileSetting, newRPC(hostileSetting.expose)), c.request())
			}})
		}
	}
	return all
}

// TestHostileMemory: the memory of the layer for a request does not grow with the size of the
// request. The bound allows for a list of requested headers of 8 KiB.
func TestHostileMemory(t *testing.T) {
	const most, rounds = 16 << 10, 200
	h := wrapLayer(t, hostileSetting, newRPC(hostileSetting.expose))
	for _, c := range hostile {
		w, r := newWriter(), c.request()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range rounds {
			clear(w.header)
			h.ServeHTTP(w, r)
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / rounds; each > most {
			t.Errorf("%s: %d bytes", c.name, each)
		}
	}
}
