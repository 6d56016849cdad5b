package report

import (
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"
)

// WriteGitHub writes the problems as workflow commands of GitHub Actions, which annotate the lines of
// a pull request. Failures and notes are annotations without a place.
func (r *Report) WriteGitHub(w io.Writer) error {
	var b strings.Builder
	for _, p := range r.Problems {
		var properties []string
		if file, ok := r.inRepository(p.File); ok {
			properties = append(properties, "file="+property(file))
			if p.Line > 0 {
				properties = append(properties, fmt.Sprintf("line=%d", p.Line), fmt.Sprintf("col=%d", p.Column))
			}
		}
		properties = append(properties, "title="+property(Printable(p.Code)))
		fmt.Fprintf(&b, "::%s %s::%s\n", githubLevel(p.Severity), strings.Join(properties, ","), data(r.details(p)))
	}
	for _, failure := range r.Failures {
		fmt.Fprintf(&b, "::error title=corsrpc::%s\n", data(Printable(failure)))
	}
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "::notice title=corsrpc::%s\n", data(Printable(note)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func githubLevel(s Severity) string {
	if s == Note {
		return "notice"
	}
	return string(s)
}

// details returns the message with the field, the fix and the related places, one a line. A place
// that is not in the repository, which no annotation can show, is part of it.
func (r *Report) details(p Problem) string {
	message := p.sentence()
	if _, ok := r.inRepository(p.File); !ok {
		message = atPlace(p.Place, message)
	}
	if p.Fix != "" {
		message += "\nfix: " + Printable(p.Fix)
	}
	for _, other := range p.Related {
		message += "\nsee: " + atPlace(other.Place, inField(other.Field, other.Message))
	}
	return message
}

// atPlace returns a text with the place before it, if that is known.
func atPlace(p Place, text string) string {
	if p.File == "" {
		return text
	}
	return Printable(p.String()) + ": " + text
}

// inRepository returns the name of a file relative to the root of the repository, with slashes. It is
// false if the name is not that of a file there: it is empty, the standard input, or a file of a
// commit. An absolute name stays as it is.
func (r *Report) inRepository(name string) (string, bool) {
	name = filepath.ToSlash(name)
	switch {
	case name == "" || strings.HasPrefix(name, "git:") || name == "stdin.yaml" || name == "stdin.json":
		return "", false
	case path.IsAbs(name):
		return name, true
	}
	return path.Join(r.Folder, name), true
}

// The escapes of workflow commands. Their parser ends a command at a line end, a list of properties at
// "::", and a property at a comma; it decodes these escapes only.
var (
	dataEscapes     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// data returns the message of a workflow command.
func data(s string) string { return dataEscapes.Replace(s) }

// property returns the value of a property of a workflow command. Control characters other than line
// ends, which a terminal would execute, are escaped as in Go's literals.
func property(s string) string {
	return propertyEscapes.Replace(escape(s, func(r rune) bool { return unprintable(r) && r != '\r' && r != '\n' }))
}

// WithoutCommands returns a writer for the log of GitHub Actions, in which no text is a workflow command. The
// runner takes a line that begins with "::" for one, and text that begins with "##[" wherever it is in a line, in
// the standard error too. Each Write begins a line.
func WithoutCommands(w io.Writer) io.Writer { return withoutCommands{w} }

type withoutCommands struct{ w io.Writer }

// Write writes the lines, with a space in what would be a command.
func (c withoutCommands) Write(text []byte) (int, error) {
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		if rest := strings.TrimLeft(line, " \t"); strings.HasPrefix(rest, "::") {
			line = line[:len(line)-len(rest)] + ": " + rest[1:]
		}
		b.WriteString(strings.ReplaceAll(line, "##[", "## ["))
	}
	if _, err := io.WriteString(c.w, b.String()); err != nil {
		return 0, err
	}
	return len(text), nil
}
