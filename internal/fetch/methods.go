package fetch

import "strings"

// SafelistedMethod reports whether a method is a CORS-safelisted method, which needs no
// preflight (https://fetch.spec.whatwg.org/#cors-safelisted-method).
func SafelistedMethod(method string) bool {
	return method == "GET" || method == "HEAD" || method == "POST"
}

// ForbiddenMethod reports whether a method, in any letter case, is a forbidden method, which
// scripts cannot use (https://fetch.spec.whatwg.org/#forbidden-method).
func ForbiddenMethod(method string) bool {
	return strings.EqualFold(method, "CONNECT") || strings.EqualFold(method, "TRACE") || strings.EqualFold(method, "TRACK")
}

// NormalizeMethod returns a method as browsers send it: DELETE, GET, HEAD, OPTIONS, POST and
// PUT in upper case, all others unchanged
// (https://fetch.spec.whatwg.org/#concept-method-normalize).
func NormalizeMethod(method string) string {
	for _, normalized := range []string{"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"} {
		if strings.EqualFold(method, normalized) {
			return normalized
		}
	}
	return method
}
