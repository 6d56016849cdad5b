package report

import (
	"fmt"
	"io"
	"strings"
)

// WriteText writes the problems for a terminal: each with its place, its line of the file, a fix and
// the related places.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	paint := painter(r.Color)
	texts := &excerpts{texts: r.Texts, files: map[string]*fileLines{}}
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
func writeProblem(b *strings.Builder, p Problem, texts *excerpts, paint painter) {
	if at := p.Place.String(); at != "" {
		b.WriteString(paint.bold(Printable(at)) + ": ")
	}
	fmt.Fprintf(b, "%s: %s [%s]\n", paint.severity(p.Severity), p.sentence(), Printable(p.Code))
	if shown, caret, ok := texts.around(p.Place); ok {
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

// painter colours text if it is true.
type painter bool

// Painted returns a text in a colour of a terminal, or as it is if color is false. The code is that of
// the colour: the parameters of the escape sequence SGR, such as "1;31".
func Painted(color bool, code, text string) string {
	if !color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p painter) paint(code, s string) string { return Painted(bool(p), code, s) }

func (p painter) bold(s string) string  { return p.paint("1", s) }
func (p painter) green(s string) string { return p.paint("32", s) }

func (p painter) severity(s Severity) string { return s.Painted(bool(p)) }

// Painted returns the severity in its colour, or as it is if color is false.
func (s Severity) Painted(color bool) string {
	switch s {
	case Error:
		return Painted(color, "1;31", string(s))
	case Warning:
		return Painted(color, "1;33", string(s))
	}
	return Painted(color, "1", string(s))
}
