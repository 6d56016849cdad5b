package route

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// MaxReadings is the maximum number of readings of a path. A path with more readings is
// refused.
const MaxReadings = 16

// reading is the path as one of the servers in the chain may see it.
type reading struct {
	text      string
	undecoded bool // no step has decoded it, except for escapes of unreserved characters
}

// readings holds all results of applying the steps below to a path, in any order and number.
// Each step takes linear time, and makes a path shorter, leaves it unchanged, or adds one
// slash, so that the search ends.
type readings struct {
	prefixes []string
	all      [MaxReadings]reading
	n        int
}

// start adds the path as it was sent, and as net/http decoded it. Both are needed because a
// handler in between may have changed one of them. It returns false if the path is known to
// have too many readings.
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
	return !strings.Contains(escaped, nestedEscape)
}

// nestedEscape is an escape that was escaped so often that decoding it once, twice and so on
// results in too many readings.
var nestedEscape = "%" + strings.Repeat("25", MaxReadings)

// add adds a reading if it is new. It returns false if there are too many readings.
func (r *readings) add(text string, undecoded bool) bool {
	undecoded = undecoded || strings.IndexByte(text, '%') < 0 // without escapes, there is nothing to decode
	for i := range r.n {
		if r.all[i].text == text && r.all[i].undecoded == undecoded {
			return true
		}
	}
	if r.n == len(r.all) {
		return false
	}
	r.all[r.n] = reading{text, undecoded}
	r.n++
	return true
}

// derive adds the results of applying each step to a reading. It returns false if there are too
// many readings, or if dot segments climb too high.
func (r *readings) derive(i int) bool {
	text, undecoded := r.all[i].text, r.all[i].undecoded
	if !strings.HasPrefix(text, "/") && !r.add("/"+text, undecoded) { // "*", or the result of a step
		return false
	}
	if !r.addMissingSlashes(text, undecoded) {
		return false
	}
	if isSimple(text) {
		return true
	}
	if !r.add(decodeAll(text), false) {
		return false
	}
	for _, step := range steps {
		if !r.add(step(text), undecoded) {
			return false
		}
	}
	resolved, ok := r.resolveDots(text)
	if !ok || !r.add(resolved, undecoded) {
		return false
	}
	// Some servers write no slash for a dot segment at the end.
	bare := strings.TrimSuffix(resolved, "/")
	return bare == "" || strings.HasSuffix(text, "/") || bare == resolved || r.add(bare, undecoded)
}

// addMissingSlashes adds the reading with a slash after a prefix, or after some segments of
// one, if the path continues without a slash. http.StripPrefix, or a proxy that works like it,
// would cut off such a prefix.
func (r *readings) addMissingSlashes(text string, undecoded bool) bool {
	for _, prefix := range r.prefixes[1:] {
		for end := 1; end <= len(prefix); end++ {
			if end < len(prefix) && prefix[end] != '/' {
				continue
			}
			rest, ok := cutPrefixFold(text, prefix[:end])
			if ok && rest != "" && rest[0] != '/' && !r.add(text[:end]+"/"+rest, undecoded) {
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

// steps are the changes that servers, routers and proxies make to a path, other than decoding
// all of it and resolving its dot segments.
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
	func(s string) string { return strings.TrimSuffix(s, "\n") }, // as a regular expression with $ does
}

// isSimple reports whether no step changes a path. Such a path begins with a slash. It has no
// escape, no byte that ends a path or the name of a segment, no empty segment, and no segment
// that ends in a dot or a space.
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

// needsEscape reports whether package net/url might percent-encode a byte of the path.
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

// isUnreserved reports whether a byte has the same meaning with and without percent-encoding
// (RFC 3986, section 2.3).
func isUnreserved(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
		return true
	}
	return false
}

// decodeAll decodes each percent escape once, and leaves malformed escapes unchanged.
func decodeAll(s string) string { return decode(s, false) }

// decodeUnreserved decodes each escape of an unreserved character once.
func decodeUnreserved(s string) string { return decode(s, true) }

// decode decodes each percent escape once, of all characters or of unreserved ones only.
func decode(s string, unreservedOnly bool) string {
	var b []byte
	kept := 0 // the text before this index is in b
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

// unescape returns the byte that two hexadecimal digits encode.
func unescape(high, low byte) (c byte, ok bool) {
	h, l := hexDigits[high], hexDigits[low]
	return h<<4 | l&15, h|l < 16
}

// hexDigits maps each hexadecimal digit to its value, and any other byte to 255.
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

// dropParameters drops the part of each segment from its first semicolon on, as servlet
// containers do (RFC 3986, section 3.3, describes such parameters).
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

// cutAt cuts a path at a byte where some servers end it.
func cutAt(s string, end byte) string {
	if i := strings.IndexByte(s, end); i >= 0 {
		return s[:i]
	}
	return s
}

// mergeSlashes replaces consecutive slashes by one.
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

// trimSegments drops dots and spaces at the end of each segment, as the file systems of Windows
// do. Dot segments remain, and lose spaces after them.
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

// dropAuthority drops the part that a URL parser treats as a host: the text between two slashes
// at the start and the next slash (RFC 3986, section 4.2).
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

// resolveDots removes dot segments (RFC 3986, section 5.2.4). It returns false if they climb
// above the root, or above a prefix that the path begins with.
func (r *readings) resolveDots(s string) (string, bool) {
	if !strings.Contains(s, "/.") {
		return s, true
	}
	floor := 0 // the number of segments that dot segments must not remove
	for _, prefix := range r.prefixes[1:] {
		if rest, ok := cutPrefixFold(s, prefix); ok && strings.HasPrefix(rest, "/") {
			floor = max(floor, strings.Count(prefix, "/"))
		}
	}
	kept := make([]byte, 0, len(s))
	depth := 0
	rest, slash := strings.CutPrefix(s, "/")
	if !slash {
		return s, true // derive also adds the reading with a slash
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
