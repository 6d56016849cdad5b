package bench

import (
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"
)

// BenchmarkRequests: each case, by every implementation, on one goroutine and on
// all.
func BenchmarkRequests(b *testing.B) {
	for _, c := range requestCases {
		for _, i := range implementations {
			b.Run("case="+c.name+"/by="+i.name, func(b *testing.B) {
				h := i.wrap(b, c.setting, newRPC(c.setting.expose))
				b.Run("goroutines=one", func(b *testing.B) { serve(b, h, c.request()) })
				b.Run("goroutines=all", func(b *testing.B) {
					b.ReportAllocs()
					b.RunParallel(func(p *testing.PB) {
						w, r := newWriter(), c.request()
						for p.Next() {
							clear(w.header)
							h.ServeHTTP(w, r)
						}
					})
				})
			})
		}
	}
}

// serve measures one request after another.
func serve(b *testing.B, h http.Handler, r *http.Request) {
	w := newWriter()
	request := func() {
		clear(w.header)
		h.ServeHTTP(w, r)
	}
	warmUp(request)
	b.ReportAllocs()
	for b.Loop() {
		request()
	}
}

// warmUp has the process hold as much as a small server does, which it never touches and
// the garbage collector does not look through: in one that holds next to nothing the
// collector runs every few thousand requests. And it makes requests for a while that are
// not measured, or whoever is measured first pays for memory that is new.
func warmUp(request func()) {
	heldByServer()
	for start := time.Now(); time.Since(start) < 100*time.Millisecond; {
		request()
	}
	runtime.GC()
}

var heldByServer = sync.OnceValue(func() []byte { return make([]byte, 64<<20) })
