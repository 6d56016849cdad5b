package fetch

import "strings"

// SafelistedMethod reports whether a script may use the method without a
// preflight's grant (https://fetch.spec.whatwg.org/#cors-safelisted-method).
func SafelistedMethod(method string) bool {
	return method == "GET" || method == "HEAD" || method == "POST"
}

// ForbiddenMethod reports whether no script may use the method, in any letter
// case (https://fetch.spec.whatwg.org/#forbidden-method).
func ForbiddenMethod(method string) bool {
	return strings.EqualFold(method, "CONNECT") || strings.EqualFold(method, "TRACE") || strings.EqualFold(method, "TRACK")
}

// NormalizeMethod returns the method as browsers send it: six of them in upper
// case, all others unchanged
// (https://fetch.spec.whatwg.org/#concept-method-normalize).
func NormalizeMethod(method string) string {
	for _, normalized := range []string{"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"} {
		if strings.EqualFold(method, normalized) {
			return normalized
		}
	}
	return method
}
