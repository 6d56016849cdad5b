package bench

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
)

// Implementations whose cost grows with the number of origins are measured only up to these
// numbers, since larger benchmarks would take minutes.
const mostOfLinear = 100_000

// BenchmarkOrigins measures an allowed call with an increasing number of exact origins. The
// page's is the last in the list.
func BenchmarkOrigins(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000, 10_000, 100_000, 1_000_000} {
		s := setting{exact: origins(n), expose: oneOrigin.expose}
		for _, i := range implementations {
			if i.linear && n > mostOfLinear {
				continue
			}
			b.Run("origins="+strconv.Itoa(n)+"/by="+i.name, func(b *testing.B) {
				serve(b, i.wrap(b, s, newRPC(s.expose)), callFrom(page)())
			})
		}
	}
}

// BenchmarkOriginsInTurn is BenchmarkOrigins with each call from another origin, so that the
// entries are not in the processor's caches.
func BenchmarkOriginsInTurn(b *testing.B) {
	for _, n := range []int{1, 1000, 100_000, 1_000_000} {
		s := setting{exact: origins(n), expose: oneOrigin.expose}
		for _, i := range implementations {
			if i.linear {
				continue
			}
			b.Run("origins="+strconv.Itoa(n)+"/by="+i.name, func(b *testing.B) {
				h := i.wrap(b, s, newRPC(s.expose))
				w, r := newWriter(), callFrom(page)()
				at := 0
				request := func() {
					clear(w.header)
					at = (at + 7_919) % n // a prime, so that each origin is used once, not in memory order
					r.Header["Origin"][0] = s.exact[at]
					h.ServeHTTP(w, r)
				}
				warmUp(request)
				b.ReportAllocs()
				for b.Loop() {
					request()
				}
			})
		}
	}
}

// BenchmarkPatterns measures an allowed call with an increasing number of patterns. The
// page's is the last. gorilla has no patterns; it uses the lookup of the floor instead.
func BenchmarkPatterns(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000, 10_000, 100_000} {
		s := setting{patterns: patterns(n), expose: oneOrigin.expose}
		for _, i := range implementations {
			if i.linear && n > 10_000 {
				continue
			}
			b.Run("patterns="+strconv.Itoa(n)+"/by="+i.name, func(b *testing.B) {
				serve(b, i.wrap(b, s, newRPC(s.expose)), callFrom(page)())
			})
		}
	}
}

// BenchmarkProcedures measures calls with increasing numbers of procedures and rules: of
// always the same procedure, and of each in turn.
func BenchmarkProcedures(b *testing.B) {
	for _, procedures := range []int{1, 100, 10_000} {
		for _, rules := range []int{1, 100, 10_000} {
			s := setting{exact: []string{page}, expose: oneOrigin.expose, procedures: procedures, rules: min(rules, procedures), more: max(0, rules-procedures)}
			h := wrapLayer(b, s, newRPC(s.expose))
			name := fmt.Sprintf("procedures=%d/rules=%d/", procedures, rules)
			b.Run(name+"called=one", func(b *testing.B) { serve(b, h, callFrom(page)()) })
			b.Run(name+"called=in turn", func(b *testing.B) {
				all := make([]*http.Request, procedures)
				for i := range all {
					all[i] = callFrom(page)()
					all[i].URL.Path = fmt.Sprintf("/acme.v1.CatalogService/M%d", i)
					all[i].Header = all[0].Header // shared, so that only the layer's memory is not cached
				}
				w := newWriter()
				at := 0
				request := func() {
					clear(w.header)
					at = (at + 7_919) % procedures
					h.ServeHTTP(w, all[at])
				}
				warmUp(request)
				b.ReportAllocs()
				for b.Loop() {
					request()
				}
			})
		}
	}
}
