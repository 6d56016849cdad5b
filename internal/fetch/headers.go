package fetch

import (
	"slices"
	"strings"
)

// forbiddenRequestHeaders holds the forbidden request-headers that are not defined by a prefix
// or a value (https://fetch.spec.whatwg.org/#forbidden-request-header).
var forbiddenRequestHeaders = map[string]bool{
	"accept-charset": true, "accept-encoding": true,
	"access-control-request-headers": true, "access-control-request-method": true,
	"connection": true, "content-length": true, "cookie": true, "cookie2": true,
	"date": true, "dnt": true, "expect": true, "host": true, "keep-alive": true,
	"origin": true, "referer": true, "set-cookie": true, "te": true, "trailer": true,
	"transfer-encoding": true, "upgrade": true, "via": true,
}

// ForbiddenRequestHeader reports whether a header with this lower-case name is a forbidden
// request-header for every value, so that granting it would have no effect
// (https://fetch.spec.whatwg.org/#forbidden-request-header).
func ForbiddenRequestHeader(lower string) bool {
	return forbiddenRequestHeaders[lower] ||
		strings.HasPrefix(lower, "proxy-") || strings.HasPrefix(lower, "sec-")
}

// SentByBrowser reports whether browsers themselves send the forbidden request-header with this
// lower-case name, or those with this prefix. It is false for Cookie, which depends on the
// credentials mode.
//
// See https://fetch.spec.whatwg.org/#forbidden-request-header and
// https://fetch.spec.whatwg.org/#http-network-or-cache-fetch.
func SentByBrowser(lower string) bool {
	switch lower {
	case "accept-encoding", "access-control-request-headers", "access-control-request-method",
		"connection", "content-length", "dnt", "host", "origin", "referer", "te", "transfer-encoding", "upgrade":
		return true
	}
	return strings.HasPrefix(lower, "sec-") || strings.HasPrefix(lower, "access-control-request-")
}

// RequestOnly reports whether the header with this lower-case name has a meaning in requests only,
// so that no response has it. It is false for Authorization, Accept-* and Range, which some servers
// send in responses.
//
// See RFC 9110, sections 7.2, 7.6.2, 10.1, 11.7.2 and 13.1, RFC 6265, section 4.2, RFC 6454,
// section 7, and https://fetch.spec.whatwg.org/#http-requests.
func RequestOnly(lower string) bool {
	switch lower {
	case "cookie", "cookie2", "dnt", "expect", "host", "if-match", "if-modified-since", "if-none-match", "if-range",
		"if-unmodified-since", "max-forwards", "origin", "proxy-authorization", "referer", "te", "upgrade-insecure-requests":
		return true
	}
	return strings.HasPrefix(lower, "sec-") || strings.HasPrefix(lower, "access-control-request-")
}

// ForbiddenRequestField reports whether a header with this name and value is a forbidden
// request-header: either for every value, or because it overrides the method with a forbidden
// one. The name may be in any letter case
// (https://fetch.spec.whatwg.org/#forbidden-request-header).
func ForbiddenRequestField(name, value string) bool {
	lower := Lower(name)
	if ForbiddenRequestHeader(lower) {
		return true
	}
	switch lower {
	case "x-http-method", "x-http-method-override", "x-method-override":
		for method := range strings.SplitSeq(value, ",") {
			if ForbiddenMethod(strings.Trim(method, " \t")) {
				return true
			}
		}
	}
	return false
}

// SafelistedResponseHeader reports whether the lower-case name is a CORS-safelisted
// response-header name, which scripts may read without its being exposed
// (https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name).
func SafelistedResponseHeader(lower string) bool {
	switch lower {
	case "cache-control", "content-language", "content-length", "content-type",
		"expires", "last-modified", "pragma":
		return true
	}
	return false
}

// ForbiddenResponseHeader reports whether the lower-case name is a forbidden response-header
// name, which scripts cannot read even if it is exposed
// (https://fetch.spec.whatwg.org/#forbidden-response-header-name).
func ForbiddenResponseHeader(lower string) bool {
	return lower == "set-cookie" || lower == "set-cookie2"
}

// IsAccessControl reports whether a header name, in any letter case, begins with
// Access-Control-. All headers of the CORS protocol do
// (https://fetch.spec.whatwg.org/#http-cors-protocol), and those of newer versions would.
func IsAccessControl(name string) bool {
	const prefix = "access-control-"
	return len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}

// RewritesRequest reports whether some servers and proxies read the method or the URL of a
// request from the header with this lower-case name, so that the handler that runs may not be
// that of the request line. The Fetch standard lists three such headers
// (https://fetch.spec.whatwg.org/#forbidden-request-header, step 3). The others are used by
// IIS, by Symfony, by WSGI servers below a prefix, and by proxies: Envoy, Kong, and those that ask
// another server for authorization.
func RewritesRequest(lower string) bool { return slices.Contains(rewriting, lower) }

// RewritingHeaders returns the names for which RewritesRequest is true, sorted.
func RewritingHeaders() []string { return slices.Clone(rewriting) }

var rewriting = []string{
	"x-envoy-original-path", "x-forwarded-method", "x-forwarded-path", "x-forwarded-prefix", "x-forwarded-uri",
	"x-http-method", "x-http-method-override", "x-method-override", "x-original-method", "x-original-uri",
	"x-original-url", "x-rewrite-url", "x-script-name",
}

// ConnectionHeader reports whether the header with this lower-case name is specific to one
// connection rather than part of the message (RFC 9110, section 7.6.1).
func ConnectionHeader(lower string) bool {
	switch lower {
	case "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization",
		"te", "transfer-encoding", "upgrade", "http2-settings":
		return true
	}
	return false
}

// AddedInTransit reports whether browsers or proxies add the header with this lower-case name to
// requests themselves, although a script may set it too. So its presence does not show that the
// script has set it.
//
// See https://fetch.spec.whatwg.org/#http-network-or-cache-fetch, RFC 9110, sections 12.5 and 13.1,
// RFC 7239, and https://wicg.github.io/client-hints-infrastructure/.
func AddedInTransit(lower string) bool {
	switch lower {
	case "cache-control", "pragma", "range", "user-agent", "priority", "last-event-id", "upgrade-insecure-requests",
		"dpr", "save-data", "device-memory", "downlink", "ect", "rtt", "width", "viewport-width",
		"forwarded", "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "cdn-loop":
		return true
	}
	for _, prefix := range []string{"if-", "accept", "x-forwarded-", "x-envoy-", "cf-"} {
		if strings.HasPrefix(lower, prefix) {
			return true
		}
	}
	return false
}

// The maximum size of Access-Control-Request-Headers. Only a page that wants to waste the server's
// time makes a browser exceed it.
const (
	MaxRequestedBytes = 8 << 10
	MaxRequestedNames = 64
	MaxRequestedLines = 16
)

// AppendRequested appends to dst, in lower case, the names in the lines of
// Access-Control-Request-Headers. It accepts empty items, spaces, tabs, upper case, duplicates
// and any order, which browsers and proxies produce. It returns false if the lines exceed a
// bound, or if an item is not a token; the appended names must then be ignored. It checks the
// number of lines and bytes before it reads them.
//
// See https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names.
func AppendRequested(dst []string, lines []string) ([]string, bool) {
	return appendRequested(dst, lines, 1)
}

// AppendOverlong is AppendRequested with four times its bounds.
func AppendOverlong(dst []string, lines []string) ([]string, bool) {
	return appendRequested(dst, lines, 4)
}

// appendRequested is AppendRequested with a multiple of its bounds.
func appendRequested(dst []string, lines []string, times int) ([]string, bool) {
	if len(lines) > times*MaxRequestedLines {
		return dst, false
	}
	size := 0
	for _, line := range lines {
		size += len(line)
	}
	if size > times*MaxRequestedBytes {
		return dst, false
	}
	start := len(dst)
	for name := range listItems(lines) {
		if !IsToken(name) || len(dst)-start == times*MaxRequestedNames {
			return dst, false
		}
		dst = append(dst, Lower(name))
	}
	return dst, true
}
