package route

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// MaxReadings is how many readings a path may have. A path with more is refused.
const MaxReadings = 16

// A reading is the path as one of the servers in the chain may see it.
type reading struct {
	text string
	sent bool // no step has decoded it, but for unreserved characters
}

// readings are all that the steps below make of a path, in any order and number. Every
// step is linear in the length, and makes a path shorter, or leaves it alone, or adds
// one slash; so that the search ends.
type readings struct {
	prefixes []string
	all      [MaxReadings]reading
	n        int
}

// start begins with the path as it was sent, and with what net/http decoded of it. Both
// count: a handler in between may have changed one of them. It reports false where the path
// is known to have too many readings.
func (r *readings) start(path, escaped string) bool {
	if escaped == "" {
		escaped = path
		if needsEscape(path) {
			escaped = (&url.URL{Path: path}).EscapedPath()
		}
	}
	if escaped == "" {
		escaped = "/" // an empty path is the root (RFC 9110, section 4.2.3)
	}
	r.add(escaped, true)
	if path != "" {
		r.add(path, false)
	}
	return !strings.Contains(escaped, nested)
}

// nested is an escape that is escaped so often that each time it is decoded makes another
// reading, and too many of them.
var nested = "%" + strings.Repeat("25", MaxReadings)

// add adds a reading that is not there yet, and reports whether there was room.
func (r *readings) add(text string, sent bool) bool {
	sent = sent || strings.IndexByte(text, '%') < 0 // it makes no difference
	for i := range r.n {
		if r.all[i].text == text && r.all[i].sent == sent {
			return true
		}
	}
	if r.n == len(r.all) {
		return false
	}
	r.all[r.n] = reading{text, sent}
	r.n++
	return true
}

// derive adds what each step makes of a reading. It reports false where there are too
// many readings, or dot segments climb too high.
func (r *readings) derive(i int) bool {
	text, sent := r.all[i].text, r.all[i].sent
	if !strings.HasPrefix(text, "/") && !r.add("/"+text, sent) { // "*", or what a step has cut
		return false
	}
	if !r.derivePrefixes(text, sent) {
		return false
	}
	if isSimple(text) {
		return true
	}
	if !r.add(decodeAll(text), false) {
		return false
	}
	for _, step := range steps {
		if !r.add(step(text), sent) {
			return false
		}
	}
	resolved, ok := r.resolveDots(text)
	if !ok || !r.add(resolved, sent) {
		return false
	}
	// Behind a dot segment at the end, some leave the slash out.
	bare := strings.TrimSuffix(resolved, "/")
	return bare == "" || strings.HasSuffix(text, "/") || bare == resolved || r.add(bare, sent)
}

// derivePrefixes puts the slash behind a prefix, or the first segments of one, that
// http.StripPrefix, or a proxy in its manner, would cut off without one.
func (r *readings) derivePrefixes(text string, sent bool) bool {
	for _, prefix := range r.prefixes[1:] {
		for end := 1; end <= len(prefix); end++ {
			if end < len(prefix) && prefix[end] != '/' {
				continue
			}
			rest, ok := cutPrefixFold(text, prefix[:end])
			if ok && rest != "" && rest[0] != '/' && !r.add(text[:end]+"/"+rest, sent) {
				return false
			}
		}
	}
	return true
}

// cutPrefixFold is strings.CutPrefix without regard to ASCII letter case.
func cutPrefixFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || fetch.Lower(s[:len(prefix)]) != fetch.Lower(prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// steps are what servers, routers and proxies do to a path, besides decoding all of it and
// resolving its dot segments.
var steps = [...]func(string) string{
	decodeUnreserved,
	func(s string) string { return strings.ReplaceAll(s, `\`, "/") },
	dropParameters,
	func(s string) string { return cutAt(s, '?') },
	func(s string) string { return cutAt(s, '#') },
	func(s string) string { return cutAt(s, 0) },
	mergeSlashes,
	trimSegments,
	dropAuthority,
	func(s string) string { return strings.TrimSuffix(s, "\n") }, // as regular expressions with $ do
}

// isSimple reports whether no step changes a path that begins with a slash: it has no
// escape, no byte that ends a path or a segment's name, no empty segment, and no
// segment that ends in a dot or a space.
func isSimple(s string) bool {
	if s == "" || s[0] != '/' {
		return false
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '%', '\\', ';', '?', '#', '\n', 0:
			return false
		case '/':
			if last := s[i-1]; last == '/' || last == '.' || last == ' ' {
				return false
			}
		}
	}
	last := s[len(s)-1]
	return last != '.' && last != ' '
}

// needsEscape reports whether package net/url may write a byte of the path in another
// way than as it is.
func needsEscape(path string) bool {
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case isUnreserved(c), c == '/':
		default:
			return true
		}
	}
	return false
}

// isUnreserved reports whether a byte means the same escaped and as it is (RFC 3986,
// section 2.3).
func isUnreserved(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
		return true
	}
	return false
}

// decodeAll decodes each percent escape once, and leaves malformed ones as they are.
func decodeAll(s string) string { return decode(s, false) }

// decodeUnreserved decodes the escapes of unreserved characters once.
func decodeUnreserved(s string) string { return decode(s, true) }

func decode(s string, unreservedOnly bool) string {
	var b []byte
	kept := 0 // what is before this place is in b
	for i := strings.IndexByte(s, '%'); i >= 0 && i+2 < len(s); {
		next := i + 1
		if c, ok := unescape(s[i+1], s[i+2]); ok && (!unreservedOnly || isUnreserved(c)) {
			if b == nil {
				b = make([]byte, 0, len(s))
			}
			b = append(append(b, s[kept:i]...), c)
			next = i + 3
			kept = next
		}
		skip := strings.IndexByte(s[next:], '%')
		if skip < 0 {
			break
		}
		i = next + skip
	}
	if b == nil {
		return s
	}
	return string(append(b, s[kept:]...))
}

// unescape returns the byte that two hexadecimal digits stand for.
func unescape(high, low byte) (c byte, ok bool) {
	h, l := hexDigits[high], hexDigits[low]
	return h<<4 | l&15, h|l < 16
}

// hexDigits holds the value of each hexadecimal digit, and 255 for any other byte.
var hexDigits = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i, c := range []byte("0123456789abcdef") {
		t[c] = byte(i)
		t[strings.ToUpper(string(c))[0]] = byte(i)
	}
	return t
}()

// dropParameters drops what follows a semicolon in each segment, as servlet containers
// do (RFC 3986, section 3.3, has the form).
func dropParameters(s string) string {
	if strings.IndexByte(s, ';') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	dropping := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case ';':
			dropping = true
		case '/':
			dropping = false
		}
		if !dropping {
			b = append(b, s[i])
		}
	}
	return string(b)
}

// cutAt cuts a path at a byte where some servers take it to end.
func cutAt(s string, end byte) string {
	if i := strings.IndexByte(s, end); i >= 0 {
		return s[:i]
	}
	return s
}

// mergeSlashes makes one slash of several.
func mergeSlashes(s string) string {
	if !strings.Contains(s, "//") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '/' || i == 0 || s[i-1] != '/' {
			b = append(b, s[i])
		}
	}
	return string(b)
}

// trimSegments drops dots and spaces at the end of each segment, as Windows' file
// systems do. Dot segments stay, those that have spaces behind them too.
func trimSegments(s string) string {
	b := make([]byte, 0, len(s))
	for segment := range strings.SplitAfterSeq(s, "/") {
		name, slash := strings.CutSuffix(segment, "/")
		kept := strings.TrimRight(name, ". ")
		if dots := strings.TrimRight(name, " "); dots == "." || dots == ".." {
			kept = dots
		}
		b = append(b, kept...)
		if slash {
			b = append(b, '/')
		}
	}
	return string(b)
}

// dropAuthority drops what a parser of URLs takes for a host: what is between two slashes at
// the start and the next one (RFC 3986, section 4.2).
func dropAuthority(s string) string {
	rest, ok := strings.CutPrefix(s, "//")
	if !ok {
		return s
	}
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return rest[i:]
	}
	return "/"
}

// resolveDots removes dot segments (RFC 3986, section 5.2.4). It reports false where
// they climb above the root, or above a prefix that the path begins with.
func (r *readings) resolveDots(s string) (string, bool) {
	if !strings.Contains(s, "/.") {
		return s, true
	}
	floor := 0 // how many segments no dots may take away
	for _, prefix := range r.prefixes[1:] {
		if rest, ok := cutPrefixFold(s, prefix); ok && strings.HasPrefix(rest, "/") {
			floor = max(floor, strings.Count(prefix, "/"))
		}
	}
	kept := make([]byte, 0, len(s))
	depth := 0
	rest, slash := strings.CutPrefix(s, "/")
	if !slash {
		return s, true // it is read with its slash, too
	}
	for more := true; more; {
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		switch segment {
		case ".":
		case "..":
			if depth == floor {
				return "", false
			}
			depth--
			kept = kept[:bytes.LastIndexByte(kept, '/')]
		default:
			kept = append(append(kept, '/'), segment...)
			depth++
			continue
		}
		if !more {
			kept = append(kept, '/')
		}
	}
	return string(kept), true
}
