package fetch

import (
	"slices"
	"strings"
)

// forbiddenRequestHeaders are the names that no script can set
// (https://fetch.spec.whatwg.org/#forbidden-request-header), prefixes apart.
var forbiddenRequestHeaders = map[string]bool{
	"accept-charset": true, "accept-encoding": true,
	"access-control-request-headers": true, "access-control-request-method": true,
	"connection": true, "content-length": true, "cookie": true, "cookie2": true,
	"date": true, "dnt": true, "expect": true, "host": true, "keep-alive": true,
	"origin": true, "referer": true, "set-cookie": true, "te": true, "trailer": true,
	"transfer-encoding": true, "upgrade": true, "via": true,
}

// ForbiddenRequestHeader reports whether no script can set the header of this
// lower-case name, whatever its value, so that granting it would be without effect
// (https://fetch.spec.whatwg.org/#forbidden-request-header).
func ForbiddenRequestHeader(lower string) bool {
	return forbiddenRequestHeaders[lower] ||
		strings.HasPrefix(lower, "proxy-") || strings.HasPrefix(lower, "sec-")
}

// ForbiddenRequestField reports whether no script can set this field: its name is
// one of ForbiddenRequestHeader's, in any letter case, or it overrides the method
// with a forbidden one
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

// SafelistedResponseHeader reports whether every script may read the response
// header of this lower-case name without its being exposed
// (https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name).
func SafelistedResponseHeader(lower string) bool {
	switch lower {
	case "cache-control", "content-language", "content-length", "content-type",
		"expires", "last-modified", "pragma":
		return true
	}
	return false
}

// ForbiddenResponseHeader reports whether no script ever sees the response
// header of this lower-case name, exposed or not
// (https://fetch.spec.whatwg.org/#forbidden-response-header-name).
func ForbiddenResponseHeader(lower string) bool {
	return lower == "set-cookie" || lower == "set-cookie2"
}

// IsAccessControl reports whether a header field belongs to the CORS protocol, or would in a
// newer version of it, by its name in any letter case
// (https://fetch.spec.whatwg.org/#http-cors-protocol).
func IsAccessControl(name string) bool {
	const prefix = "access-control-"
	return len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}

// RewritesRequest reports whether servers and proxies take the method or the URL of a request
// from the header of this lower-case name, so that another handler may run than the request
// line says. The Fetch standard knows three of them
// (https://fetch.spec.whatwg.org/#forbidden-request-header, step 2); the others are those of
// IIS, Symfony and proxies that ask another server for permission.
func RewritesRequest(lower string) bool { return slices.Contains(rewriting, lower) }

// RewritingHeaders returns the names that RewritesRequest is about, sorted.
func RewritingHeaders() []string { return slices.Clone(rewriting) }

var rewriting = []string{
	"x-forwarded-method", "x-forwarded-prefix", "x-forwarded-uri", "x-http-method", "x-http-method-override",
	"x-method-override", "x-original-method", "x-original-uri", "x-original-url", "x-rewrite-url",
}

// ConnectionHeader reports whether the field of this lower-case name is about
// one connection, not about the message (RFC 9110, section 7.6.1).
func ConnectionHeader(lower string) bool {
	switch lower {
	case "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization",
		"te", "transfer-encoding", "upgrade", "http2-settings":
		return true
	}
	return false
}

// Bounds on what a preflight may ask for. A browser that asks for more has a
// page that sets out to waste the server's time.
const (
	MaxRequestedBytes = 8 << 10
	MaxRequestedNames = 64
	MaxRequestedLines = 16
)

// AppendRequested appends to dst, in lower case, the names that the lines of
// Access-Control-Request-Headers ask for. Empty items, spaces, tabs, upper
// case, repetitions and any order are accepted, as proxies and browsers
// produce them. It reports false, and the names are to be ignored, where the
// lines exceed a bound, which is checked first, or hold what is no token.
//
// See https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names.
func AppendRequested(dst []string, lines []string) ([]string, bool) {
	if len(lines) > MaxRequestedLines {
		return dst, false
	}
	size := 0
	for _, line := range lines {
		size += len(line)
	}
	if size > MaxRequestedBytes {
		return dst, false
	}
	start := len(dst)
	for name := range listItems(lines) {
		if !IsToken(name) || len(dst)-start == MaxRequestedNames {
			return dst, false
		}
		dst = append(dst, Lower(name))
	}
	return dst, true
}
