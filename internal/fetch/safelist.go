package fetch

import (
	"slices"
	"strconv"
	"strings"
)

// SafelistedRequestHeader reports whether a header is a CORS-safelisted request-header, which
// needs no preflight. The name may be in any letter case.
//
// See https://fetch.spec.whatwg.org/#cors-safelisted-request-header.
func SafelistedRequestHeader(name, value string) bool {
	if len(value) > 128 {
		return false
	}
	unsafe := slices.ContainsFunc([]byte(value), unsafeRequestHeaderByte)
	switch Lower(name) {
	case "accept":
		return !unsafe
	case "accept-language", "content-language":
		return strings.Trim(value, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz *,-.;=") == ""
	case "content-type":
		if unsafe {
			return false
		}
		// Not mime.ParseMediaType, which also trims and folds characters beyond ASCII.
		essence, _, _ := strings.Cut(value, ";")
		essence = Lower(strings.Trim(essence, " \t"))
		return essence == "application/x-www-form-urlencoded" || essence == "multipart/form-data" || essence == "text/plain"
	case "range":
		return isSimpleRange(value)
	}
	return false
}

// NoCORSSafelistedRequestHeader reports whether a header is a no-CORS-safelisted
// request-header, which a script may set in mode no-cors. The name may be in any letter case.
//
// See https://fetch.spec.whatwg.org/#no-cors-safelisted-request-header.
func NoCORSSafelistedRequestHeader(name, value string) bool {
	switch Lower(name) {
	case "accept", "accept-language", "content-language", "content-type":
		return SafelistedRequestHeader(name, value)
	}
	return false
}

// unsafeRequestHeaderByte reports whether a byte is a CORS-unsafe request-header byte
// (https://fetch.spec.whatwg.org/#cors-unsafe-request-header-byte).
func unsafeRequestHeaderByte(c byte) bool {
	return c < 0x20 && c != '\t' || strings.IndexByte("\"():<>?@[\\]{}\x7f", c) >= 0
}

// isSimpleRange reports whether a value is a simple range header value with a start position
// (https://fetch.spec.whatwg.org/#simple-range-header-value).
func isSimpleRange(value string) bool {
	spec, ok := strings.CutPrefix(value, "bytes=")
	if !ok {
		return false
	}
	from, to, ok := strings.Cut(spec, "-")
	if !ok || from == "" || strings.Trim(from+to, "0123456789") != "" {
		return false
	}
	if to == "" {
		return true
	}
	start, errStart := strconv.ParseUint(from, 10, 64)
	end, errEnd := strconv.ParseUint(to, 10, 64)
	return errStart == nil && errEnd == nil && start <= end
}
