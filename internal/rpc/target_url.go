package rpc

import (
	"fmt"
	"net/url"
	"strings"
)

// TargetURL returns the URL of a target at a server: a procedure's full name or a path, optionally with
// a query. A path of the server's URL is a prefix of the result's. Like a browser, TargetURL removes a
// fragment and percent-encodes characters.
func TargetURL(target string, server *url.URL) (*url.URL, error) {
	target, _, _ = strings.Cut(target, "#")
	path, query, hasQuery := strings.Cut(target, "?")
	if service := strings.LastIndexByte(path, '.'); !strings.Contains(path, "/") && service > 0 {
		path = path[:service] + "/" + path[service+1:]
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	sent := strings.TrimRight(server.EscapedPath(), "/") + escaped(path, "\"<>^`{}|\\")
	if hasQuery {
		sent += "?" + escaped(query, `"<>'`)
	}
	to, err := url.ParseRequestURI(sent)
	if err != nil {
		return nil, err
	}
	to.Scheme, to.Host = server.Scheme, server.Host
	return to, nil
}

// escaped percent-encodes spaces, non-ASCII bytes and the characters of these, as browsers do
// (https://url.spec.whatwg.org/#path-percent-encode-set and #special-query-percent-encode-set).
// For a path, TargetURL adds two characters that browsers do not encode ("|" and "\"): if
// net/url found them unencoded, it would lose the encoding of the rest of the path.
func escaped(s, these string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c == ' ' || c >= 0x80 || strings.IndexByte(these, c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
