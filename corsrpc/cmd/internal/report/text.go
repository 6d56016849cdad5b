package report

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// WriteText writes the problems for a terminal: each with its place, its line of the file, a fix and
// the related places.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	paint := painter(r.Color)
	texts := lineIndex{texts: r.Texts, starts: map[string][]int{}}
	for i, p := range r.Problems {
		if i > 0 {
			b.WriteString("\n")
		}
		writeProblem(&b, p, texts, paint)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeProblem writes one problem.
func writeProblem(b *strings.Builder, p Problem, texts lineIndex, paint painter) {
	if at := p.Place.String(); at != "" {
		b.WriteString(paint.bold(Printable(at)) + ": ")
	}
	fmt.Fprintf(b, "%s: %s [%s]\n", paint.severity(p.Severity), p.sentence(), Printable(p.Code))
	if line, ok := texts.line(p.File, p.Line); ok {
		shown, caret := excerpt(line, p.Column)
		number := fmt.Sprint(p.Line)
		fmt.Fprintf(b, "  %s | %s\n  %*s | %s%s\n", number, shown, len(number), "", strings.Repeat(" ", caret), paint.green("^"))
	}
	if p.Fix != "" {
		fmt.Fprintf(b, "  %s %s\n", paint.green("fix:"), Printable(p.Fix))
	}
	for _, other := range p.Related {
		fmt.Fprintf(b, "  see: %s\n", atPlace(other.Place, inField(other.Field, other.Message)))
	}
}

// inField returns a message with the field that it is about.
func inField(field, message string) string {
	switch {
	case message == "":
		return Printable(field)
	case field == "":
		return Printable(message)
	}
	return Printable(field + ": " + message)
}

// maxExcerpt is the maximum number of characters of a line that is shown, and maxBefore that of those
// before the column if the line is longer.
const maxExcerpt, maxBefore = 120, 60

// excerpt returns the part of a line around a column, and the number of terminal cells before the
// column.
func excerpt(line string, column int) (shown string, before int) {
	runes := []rune(strings.ToValidUTF8(line, "\ufffd"))
	at := min(max(column-1, 0), len(runes))
	start, end := 0, len(runes)
	if end > maxExcerpt {
		start = max(0, min(at-maxBefore, end-maxExcerpt))
		end = start + maxExcerpt
	}
	left, right := "", ""
	if start > 0 {
		left = "..."
	}
	if end < len(runes) {
		right = "..."
	}
	head, tail := visible(runes[start:at]), visible(runes[at:end])
	return left + head + tail + right, cells(left + head)
}

// visible returns characters of a line as they are shown: a tab is one space.
func visible(runes []rune) string {
	return Printable(strings.ReplaceAll(string(runes), "\t", " "))
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

// lineIndex finds lines of texts. A text is split once.
type lineIndex struct {
	texts  map[string][]byte
	starts map[string][]int // the offset of each line, by file
}

// line returns a line of a file without its end. It is false if the text or the line is not known, or
// if the text is not UTF-8, which a terminal cannot show.
func (x lineIndex) line(file string, number int) (string, bool) {
	text, ok := x.texts[file]
	if !ok || number < 1 {
		return "", false
	}
	starts, ok := x.starts[file]
	if !ok {
		if utf8.Valid(text) {
			starts = lineStarts(text)
		}
		x.starts[file] = starts
	}
	if number > len(starts) {
		return "", false
	}
	line := string(text[starts[number-1]:])
	line, _, _ = strings.Cut(line, "\n")
	if number == 1 {
		line = strings.TrimPrefix(line, "\ufeff") // columns do not count the byte order mark
	}
	return strings.TrimSuffix(line, "\r"), true
}

// lineStarts returns the offsets at which the lines of a text start.
func lineStarts(text []byte) []int {
	starts := []int{0}
	for i, c := range text {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

// painter colours text if it is true.
type painter bool

func (p painter) paint(code, s string) string {
	if !p {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p painter) bold(s string) string  { return p.paint("1", s) }
func (p painter) green(s string) string { return p.paint("32", s) }

func (p painter) severity(s Severity) string {
	switch s {
	case Error:
		return p.paint("1;31", string(s))
	case Warning:
		return p.paint("1;33", string(s))
	}
	return p.paint("1", string(s))
}
