package bench

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
)

// BenchmarkExposure measures an allowed call whose response has 0 to many headers. The peers
// expose the same list in every response.
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

// BenchmarkNewExposure measures responses that each have a new header name, so that no cached
// list helps. For comparison it measures the same handler with always the same name.
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
