package policyfile

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// encodingProblem returns the problem of a text that is not UTF-8 or has control characters; the
// zero value if there is none.
func encodingProblem(text []byte) Problem {
	p := Problem{Code: CodeNotUTF8}
	switch {
	case bytes.HasPrefix(text, []byte("\xff\xfe")), bytes.HasPrefix(text, []byte("\xfe\xff")):
		p.Reason = "the text is UTF-16, but a {policy} is UTF-8: save the file as UTF-8"
		return p
	case len(text) > 1 && (text[0] == 0) != (text[1] == 0):
		p.Reason = "the text seems to be UTF-16, but a {policy} is UTF-8: save the file as UTF-8"
		return p
	case bytes.HasPrefix(text, []byte("\x1f\x8b")):
		p.Reason = "the file is compressed by gzip: decompress it first"
		return p
	case bytes.HasPrefix(text, []byte("PK\x03\x04")):
		p.Reason = "the file is a ZIP archive, not a {policy}"
		return p
	}
	if i := firstInvalid(text); i >= 0 {
		p.Pos, p.Reason = positionAt(text, i), fmt.Sprintf("the text is not valid UTF-8, and the byte 0x%02x is the first invalid one: save the file as UTF-8", text[i])
		return p
	}
	return Problem{}
}

// firstInvalid returns the offset of the first byte that is not valid UTF-8; -1 if there is none.
func firstInvalid(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return -1
}

// oddBreak returns the offset of the first character that ends a line for some programs only, and its name; -1 if there
// is none. It ends a line of YAML 1.1, so that a line that looks like a comment could set a field behind it. It ends no
// comment of the text format, so that a line that looks like a field could be one.
func oddBreak(text []byte) (at int, name string) {
	for i, c := range text {
		switch c {
		case '\r':
			if i+1 == len(text) || text[i+1] != '\n' {
				return i, "a carriage return without a line feed"
			}
		case 0xc2, 0xe2: // the first byte of the others in UTF-8
			switch r, _ := utf8.DecodeRune(text[i:]); r {
			case '\u0085', '\u2028', '\u2029':
				return i, fmt.Sprintf("the character %U", r)
			}
		}
	}
	return -1, ""
}
