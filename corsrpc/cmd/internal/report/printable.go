package report

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable returns a text in one line, as a terminal may show it: control characters, characters
// that are not visible or that change the direction of text, and bytes that are not UTF-8 are escaped
// as in Go's literals. Letters of every script stay as they are.
func Printable(s string) string { return escape(s, unprintable) }

// unprintable reports whether a character may not be shown.
func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// escape escapes the characters that isUnsafe reports, and bytes that are not UTF-8.
func escape(s string, isUnsafe func(rune) bool) string {
	if strings.IndexFunc(s, isUnsafe) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || isUnsafe(r) {
			quoted := strconv.QuoteToASCII(s[i : i+size])
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}
