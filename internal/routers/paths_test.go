package routers

import (
	"fmt"
	"strings"
)

// path draws a request target: the path of a route in another spelling.
func (d draws) path(p *policy) string {
	raw := d.spelling(p)
	if d.percent(25) {
		raw = d.through(raw, d.spelling(p))
	}
	for range d.IntN(4) {
		raw = d.mutate(raw)
	}
	if p.prefix == "" {
		return rooted(raw)
	}
	if d.percent(12) {
		return p.prefix + strings.TrimPrefix(raw, "/") // without a slash between
	}
	if d.percent(8) {
		return p.prefix + d.one("/..%2f", "%2f", "%2F", "/%2e%2e/", "//", "/./", "/../api/", "/..;/") + strings.TrimPrefix(raw, "/")
	}
	return p.prefix + rooted(raw)
}

// rooted adds a leading slash if there is none, since other request targets are not paths.
func rooted(raw string) string {
	if strings.HasPrefix(raw, "/") {
		return raw
	}
	return "/" + raw
}

// spelling draws a path of a route.
func (d draws) spelling(p *policy) string {
	value := func() string {
		return d.one("42", "x.y", "a%2Fb", "secret", "a-b", "%7Bid%7D", words[d.IntN(len(words))], "acme.v1.Admin")
	}
	rest := d.one("", "x", "x/y", value(), "acme.v1.Admin/Close", value()+"/"+value())
	return pick(d, p.routes).fill(value, rest)
}

// through returns a path that some servers resolve from one path to another, with dot segments.
func (d draws) through(from, to string) string {
	up := d.one("/..%2f", "/../", "/%2e%2e/", "%2f..%2f", ";%2f..%2f", "/..;/", "/.%2e/", `\..\`, "%5c..%5c", "/..%5c", "/..%252f", "%3b/../", "/..;x=1/", "/..%00/", "/..%20/")
	n := strings.Count(strings.Trim(from, "/"), "/") + d.IntN(2)
	return from + strings.Repeat(up, max(n, 1)) + strings.TrimPrefix(to, "/")
}

// mutate makes one change to a path.
func (d draws) mutate(raw string) string {
	switch d.IntN(16) {
	case 0:
		return d.atSlash(raw, d.one("%2f", "%2F", "%252f", "%5c", "%5C", `\`, "%255c"))
	case 1:
		return d.atSlash(raw, d.one("//", "/./", "/x/../", "/%2e/", "/x/%2e%2e/", "/x/..%2f", "/x%2f..%2f", "///", "/;/", "/%2f"))
	case 2:
		return d.atEnd(raw, d.one(";x=1", "%3bx=1", ";", "%3B", ";x=%2f..", ";%2fx"))
	case 3:
		return d.atEnd(raw, d.one("%3F", "%3fx=1", "%23", "%23x", "%00", "%00.png", "#x", "%253f"))
	case 4:
		return d.atEnd(raw, d.one(".", "%20", "..", "%2e", ".%20", "%2520", "%09"))
	case 5:
		return d.otherCase(raw)
	case 6, 7:
		return d.escapeOne(raw, "%%%02x")
	case 8:
		return d.escapeOne(raw, "%%25%02x")
	case 9:
		return raw + d.one("/", "%2f", "%2F", "//", "/.", "/x/..", "/%2e", `\`, "%5c")
	case 10:
		return strings.TrimSuffix(raw, "/")
	case 11:
		return d.one("/", "/.", "/x/..", "/%2e", "/..", "%2f", "/;", "/%2f", "/x%2f..", `/\`) + raw
	case 12:
		return strings.Replace(raw, "%", "%25", 1)
	case 13:
		return strings.TrimSuffix(raw, "/") + d.one("/x", "/..%2f", "/%2e%2e", "/..", "/acme.v1.Admin/Close")
	case 14:
		return strings.Replace(raw, "/", "/"+d.one("", "%20", ".", "%2e%2e", "%20.")+"/", 1)
	}
	return raw
}

// atSlash replaces a slash.
func (d draws) atSlash(raw, with string) string {
	i := d.indexOf(raw, "/")
	return raw[:i] + with + raw[min(i+1, len(raw)):]
}

// atEnd inserts a text after a segment.
func (d draws) atEnd(raw, what string) string {
	i := len(raw)
	if d.percent(50) {
		i = max(d.indexOf(raw, "/"), 1)
	}
	return raw[:min(i, len(raw))] + what + raw[min(i, len(raw)):]
}

// indexOf draws the index of a separator.
func (d draws) indexOf(raw, separator string) int {
	n := strings.Count(raw, separator)
	if n == 0 {
		return len(raw)
	}
	at := -1
	for range d.IntN(n) + 1 {
		at += 1 + strings.Index(raw[at+1:], separator)
	}
	return at
}

// letter draws the index of a letter, digit or dot that is not part of an escape. It returns
// -1 if it finds none.
func (d draws) letter(raw string) int {
	for range 8 {
		i := d.IntN(len(raw) + 1)
		if i == len(raw) || strings.ContainsRune(`/%;#\`, rune(raw[i])) || i > 0 && raw[i-1] == '%' || i > 1 && raw[i-2] == '%' {
			continue
		}
		return i
	}
	return -1
}

func (d draws) escapeOne(raw, format string) string {
	i := d.letter(raw)
	if i < 0 {
		return raw
	}
	return raw[:i] + fmt.Sprintf(format, raw[i]) + raw[i+1:]
}

func (d draws) otherCase(raw string) string {
	if d.percent(30) {
		return strings.ToLower(raw)
	}
	if i := d.letter(raw); i >= 0 {
		if c := raw[i] ^ 0x20; 'a' <= c|0x20 && c|0x20 <= 'z' {
			return raw[:i] + string(rune(c)) + raw[i+1:]
		}
	}
	return raw
}
