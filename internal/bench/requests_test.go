package bench

import (
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"
)

// BenchmarkRequests measures each case with every implementation, on one goroutine and on all
// processors.
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

// serve measures requests, one after another.
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

// warmUp allocates as much memory as a small server has, without pointers, since in a process
// with a tiny heap the garbage collector runs every few thousand requests. It also makes
// requests that are not measured, since the first requests pay for new memory.
func warmUp(request func()) {
	heldByServer()
	for start := time.Now(); time.Since(start) < 100*time.Millisecond; {
		request()
	}
	runtime.GC()
}

var heldByServer = sync.OnceValue(func() []byte { return make([]byte, 64<<20) })
