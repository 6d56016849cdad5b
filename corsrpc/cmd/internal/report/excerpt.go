package report

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxExcerpt is the maximum number of characters of a line that is shown, and maxBefore that of those
// before the column if the line is longer.
const maxExcerpt, maxBefore = 120, 60

// excerpts finds the lines of problems in the texts of files. Its work is proportional to the size of
// the texts, and not to its product with the number of problems.
type excerpts struct {
	texts map[string][]byte
	files map[string]*fileLines
}

// fileLines is a text with the offsets at which its lines start, and the line that was asked for last.
type fileLines struct {
	text   []byte
	starts []int
	number int
	line   *indexedLine
}

// around returns the part of a line around a place, and the number of terminal cells before the
// place. It is false if the text or the line is not known, or if the text is not UTF-8, which a
// terminal cannot show.
func (x *excerpts) around(p Place) (shown string, before int, ok bool) {
	text, ok := x.texts[p.File]
	if !ok || p.Line < 1 {
		return "", 0, false
	}
	file, ok := x.files[p.File]
	if !ok {
		file = linesOf(text)
		x.files[p.File] = file
	}
	if p.Line > len(file.starts) {
		return "", 0, false
	}
	if file.number != p.Line {
		file.number, file.line = p.Line, file.index(p.Line)
	}
	shown, before = file.line.excerpt(p.Column)
	return shown, before, true
}

// linesOf returns a text with its lines; none if it is not UTF-8.
func linesOf(text []byte) *fileLines {
	f := &fileLines{text: text}
	if !utf8.Valid(text) {
		return f
	}
	f.starts = []int{0}
	for i, c := range text {
		if c == '\n' {
			f.starts = append(f.starts, i+1)
		}
	}
	return f
}

// index returns a line without its end. Columns do not count the byte order mark.
func (f *fileLines) index(number int) *indexedLine {
	line := f.text[f.starts[number-1]:]
	if end := bytes.IndexByte(line, '\n'); end >= 0 {
		line = line[:end]
	}
	line = bytes.TrimSuffix(line, []byte("\r"))
	if number == 1 {
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	return newIndexedLine(line)
}

// indexedLine is a line in which a character is found without reading all those before it.
type indexedLine struct {
	text    []byte
	offsets []int // of each stride-th character
	length  int   // in characters
}

const stride = 256

func newIndexedLine(text []byte) *indexedLine {
	l := &indexedLine{text: text}
	for i := range string(text) {
		if l.length%stride == 0 {
			l.offsets = append(l.offsets, i)
		}
		l.length++
	}
	return l
}

// offset returns the offset of a character, from 0 on.
func (l *indexedLine) offset(n int) int {
	if n >= l.length {
		return len(l.text)
	}
	at := l.offsets[n/stride]
	for range n % stride {
		_, size := utf8.DecodeRune(l.text[at:])
		at += size
	}
	return at
}

// excerpt returns the part of the line around a column, and the number of terminal cells before the
// column.
func (l *indexedLine) excerpt(column int) (shown string, before int) {
	at := min(max(column-1, 0), l.length)
	start, end := 0, l.length
	if end > maxExcerpt {
		start = max(0, min(at-maxBefore, end-maxExcerpt))
		end = start + maxExcerpt
	}
	left, right := "", ""
	if start > 0 {
		left = "..."
	}
	if end < l.length {
		right = "..."
	}
	from, middle, to := l.offset(start), l.offset(at), l.offset(end)
	head, tail := visible(l.text[from:middle]), visible(l.text[middle:to])
	return left + head + tail + right, cells(left + head)
}

// visible returns a part of a line as it is shown: a tab is one space.
func visible(text []byte) string {
	return Printable(strings.ReplaceAll(string(text), "\t", " "))
}

// wide are characters that take two cells of a terminal.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x1100, Hi: 0x115f, Stride: 1}, {Lo: 0x2e80, Hi: 0xa4cf, Stride: 1}, {Lo: 0xac00, Hi: 0xd7a3, Stride: 1},
		{Lo: 0xf900, Hi: 0xfaff, Stride: 1}, {Lo: 0xfe30, Hi: 0xfe6f, Stride: 1}, {Lo: 0xff00, Hi: 0xff60, Stride: 1}, {Lo: 0xffe0, Hi: 0xffe6, Stride: 1},
	},
	R32: []unicode.Range32{{Lo: 0x1f300, Hi: 0x1f64f, Stride: 1}, {Lo: 0x1f900, Hi: 0x1f9ff, Stride: 1}, {Lo: 0x20000, Hi: 0x3fffd, Stride: 1}},
}

// cells returns the number of terminal cells that a text takes.
func cells(s string) (n int) {
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r):
		case unicode.Is(wide, r):
			n += 2
		default:
			n++
		}
	}
	return n
}
