package corsinspect

import (
	"fmt"
	"net/url"
	"strings"
)

// targetOf returns the URL of a target: a procedure's full name or a path, optionally with a
// query. Like a browser, it removes a fragment and percent-encodes characters.
func targetOf(target string, server *url.URL) (*url.URL, error) {
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
// For a path, targetOf adds two characters that browsers do not encode ("|" and "\"): if
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
