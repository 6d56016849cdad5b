package bench

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
)

// exposureContest compares an allowed call whose response has 0 to many headers. The peers
// expose the same list in every response.
func exposureContest() contest {
	c := contest{name: "Exposure", slice: shortSlice}
	for _, n := range []int{0, 1, 2, 5, 10, 20} {
		s := setting{exact: []string{page}, expose: headerNames(n)}
		for _, i := range implementations {
			c.contestants = append(c.contestants, contestant{"headers=" + strconv.Itoa(n) + "/by=" + i.name, func(t testing.TB) func(int) {
				return serve(i.wrap(t, s, newRPC(s.expose)), callFrom(page)())
			}})
		}
	}
	return c
}

// newExposureContest compares responses that each have a new header name, so that no cached
// list helps, with the same handler with always the same name.
func newExposureContest() contest {
	c := contest{name: "NewExposure", slice: shortSlice}
	for _, n := range []int{1, 1000} {
		names := headerNames(n)
		c.contestants = append(c.contestants, contestant{"sets=" + strconv.Itoa(n), func(t testing.TB) func(int) {
			i := 0
			value := []string{"1"}
			h := wrapLayer(t, oneOrigin, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header()[names[i]] = value
				i = (i + 1) % n
				io.WriteString(w, "{}")
			}))
			return serve(h, callFrom(page)())
		}})
	}
	return c
}

func headerNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("X-Header-%d", i)
	}
	return names
}
