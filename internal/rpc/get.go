package rpc

import "strings"

// IsGetCall reports whether a raw query has the parameter encoding, which every Connect call by
// GET must have. Semicolons separate parameters too, as on older servers.
//
// See https://connectrpc.com/docs/protocol#unary-get-request.
func IsGetCall(query string) bool {
	if !strings.Contains(query, "encoding") && !strings.Contains(query, "%") {
		return false
	}
	for query != "" {
		end := strings.IndexAny(query, "&;")
		pair := query
		if end >= 0 {
			pair, query = query[:end], query[end+1:]
		} else {
			query = ""
		}
		if name, _, _ := strings.Cut(pair, "="); isEncoding(name) {
			return true
		}
	}
	return false
}

// isEncoding reports whether the name of a query parameter is "encoding", with or without
// escapes.
func isEncoding(name string) bool {
	const want = "encoding"
	for i := range len(want) {
		switch {
		case name == "":
			return false
		case name[0] == want[i]:
			name = name[1:]
		case len(name) >= 3 && name[0] == '%' && hexIs(name[1:3], want[i]):
			name = name[3:]
		default:
			return false
		}
	}
	return name == ""
}

// hexIs reports whether two hexadecimal digits encode a byte.
func hexIs(digits string, c byte) bool {
	const hex = "0123456789abcdef"
	return strings.EqualFold(digits, string([]byte{hex[c>>4], hex[c&15]}))
}
