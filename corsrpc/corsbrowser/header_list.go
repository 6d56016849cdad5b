package corsbrowser

import (
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// get implements https://fetch.spec.whatwg.org/#concept-header-list-get. It returns
// the combined values of a lower-case name, and false if the list does not contain
// the name.
func get(list http.Header, name string) (string, bool) {
	values := lines(list, name)
	return strings.Join(values, ", "), values != nil
}

// lines returns the values of a lower-case name, one for each field line.
func lines(list http.Header, name string) (values []string) {
	for key, all := range list {
		if fetch.Lower(key) == name {
			for _, line := range all {
				values = append(values, strings.Trim(line, " \t\r\n"))
			}
		}
	}
	return values
}

// extractHeaderListValues implements https://fetch.spec.whatwg.org/#extract-header-list-values
// for a lower-case name whose grammar is a list of tokens.
func extractHeaderListValues(name string, list http.Header) ([]string, bool) {
	return fetch.ExtractHeaderListValues(lines(list, name))
}

// corsUnsafeRequestHeaderNames implements
// https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names. The names are in
// lower case, sorted.
func (e Engine) corsUnsafeRequestHeaderNames(list http.Header) []string {
	var unsafe, potential []string
	size := 0
	check := func(name, value string) {
		if e.rangeUnitInAnyCase && fetch.Lower(name) == "range" {
			value = fetch.Lower(value)
		}
		high := e.nonASCIIIsUnsafe && strings.ContainsFunc(value, func(c rune) bool { return c >= 0x80 })
		if high || !fetch.SafelistedRequestHeader(name, value) {
			unsafe = append(unsafe, fetch.Lower(name))
			return
		}
		potential = append(potential, fetch.Lower(name))
		size += len(value)
	}
	for name, values := range list {
		if e.safelistedHints[fetch.Lower(name)] {
			continue
		}
		if e.checksLinesSeparately {
			for _, v := range values {
				check(name, v)
			}
		} else {
			check(name, strings.Join(values, ", "))
		}
	}
	if size > 1024 {
		unsafe = append(unsafe, potential...)
	}
	slices.Sort(unsafe)
	if !e.repeatsRequestedNames {
		unsafe = slices.Compact(unsafe)
	}
	return unsafe
}
