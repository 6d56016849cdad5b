package corsbrowser

import (
	"net/http"
	"strconv"
	"time"
)

// MaxAge returns the time for which the engine reuses the response to a preflight. The argument answer is
// the header of that response, and names of fields may be in any letter case. The result is 5 seconds
// without Access-Control-Max-Age, and 0 if the engine does not reuse the response. The zero Engine is
// [Standard] (https://fetch.spec.whatwg.org/#cors-preflight-fetch, steps 7.8 to 7.10).
func (e Engine) MaxAge(answer http.Header) time.Duration {
	if e.differences == nil {
		e = Standard
	}
	maxAge, cached := e.parseMaxAge(lines(answer, "access-control-max-age"))
	if !cached {
		return 0
	}
	return e.capped(maxAge)
}

// capped returns a max-age, or the engine's longest one if that is shorter.
func (e Engine) capped(maxAge time.Duration) time.Duration {
	if e.maxMaxAge > 0 {
		return min(maxAge, e.maxMaxAge)
	}
	return maxAge
}

// defaultMaxAge is the time for which a preflight response without
// Access-Control-Max-Age is cached.
const defaultMaxAge = 5 * time.Second

// standardMaxAge parses the lines of Access-Control-Max-Age as delta-seconds, and
// returns the default if they are malformed
// (https://fetch.spec.whatwg.org/#cors-preflight-fetch, step 7.8).
func standardMaxAge(values []string) (time.Duration, bool) {
	if len(values) != 1 {
		return defaultMaxAge, true
	}
	for _, c := range []byte(values[0]) {
		if c < '0' || c > '9' {
			return defaultMaxAge, true
		}
	}
	seconds, err := strconv.ParseInt(values[0], 10, 32)
	if values[0] == "" {
		return defaultMaxAge, true
	}
	if err != nil {
		seconds = 1<<31 - 1
	}
	return time.Duration(seconds) * time.Second, true
}

// lenientMaxAge parses the lines as Chromium and WebKit do: it accepts a sign, and
// returns the default for a number that overflows.
func lenientMaxAge(values []string) (time.Duration, bool) {
	if len(values) != 1 {
		return defaultMaxAge, true
	}
	seconds, err := strconv.ParseInt(values[0], 10, 64)
	switch {
	case err != nil:
		return defaultMaxAge, true
	case seconds < 0:
		return 0, true
	}
	return time.Duration(min(seconds, 1<<31-1)) * time.Second, true
}

// strictMaxAge parses the lines as Firefox does: a response with a malformed value
// is not cached.
func strictMaxAge(values []string) (time.Duration, bool) {
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return defaultMaxAge, true
	}
	d, _ := standardMaxAge(values)
	if len(values) > 1 {
		return 0, false
	}
	for _, c := range []byte(values[0]) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	return d, true
}
