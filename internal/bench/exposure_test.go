package bench

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
)

// BenchmarkExposure: a call that is allowed, whose answer carries ever more headers.
// The peers name the same ones on every answer, whatever it carries.
func BenchmarkExposure(b *testing.B) {
	for _, n := range []int{0, 1, 2, 5, 10, 20} {
		s := setting{exact: []string{page}, expose: headerNames(n)}
		for _, i := range implementations {
			b.Run("headers="+strconv.Itoa(n)+"/by="+i.name, func(b *testing.B) {
				serve(b, i.wrap(b, s, newRPC(s.expose)), callFrom(page)())
			})
		}
	}
}

// BenchmarkNewExposure: every answer carries a header whose name no answer carried
// lately, which no memory helps against. Without: the same handler, which always
// names the same one.
func BenchmarkNewExposure(b *testing.B) {
	for _, n := range []int{1, 1000} {
		names := make([][]string, n)
		for i := range names {
			names[i] = []string{fmt.Sprintf("X-Header-%d", i)}
		}
		b.Run("sets="+strconv.Itoa(n), func(b *testing.B) {
			i := 0
			value := []string{"1"}
			h := wrapLayer(b, oneOrigin, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header()[names[i][0]] = value
				i = (i + 1) % n
				io.WriteString(w, "{}")
			}))
			serve(b, h, callFrom(page)())
		})
	}
}

func headerNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("X-Header-%d", i)
	}
	return names
}
