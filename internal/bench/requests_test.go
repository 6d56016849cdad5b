package bench

import (
	"net/http"
	"runtime"
	"testing"
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
					defer holdMemory()()
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
	defer holdMemory()()
	w := newWriter()
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		h.ServeHTTP(w, r)
	}
}

// holdMemory holds as much as a small server does, until what it returns is called. In a
// process that holds next to nothing the garbage collector runs every few thousand
// requests, and whoever happens to hold a little more pays less.
func holdMemory() (release func()) {
	held := make([]byte, 64<<20) // never touched, nor looked through by the collector
	return func() { runtime.KeepAlive(held) }
}
