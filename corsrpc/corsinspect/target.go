package corsinspect

import (
	"fmt"
	"net/url"
	"strings"
)

// targetOf is the URL of a procedure's full name, or of a path, with a query perhaps: as
// it is sent, so without a fragment, and with escapes for what no request line holds.
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

// escaped escapes spaces, what is beyond ASCII, and these characters, as browsers do
// (https://url.spec.whatwg.org/#path-percent-encode-set and #special-query-percent-encode-set).
// A path has two more of them: for one that it finds unescaped, net/url forgets the
// escapes that are there.
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
