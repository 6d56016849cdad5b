package policyfile

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
)

// explainYAML returns the mistake that makes a YAML text invalid. The library's error has the
// line of the surrounding block at best, so that the place is found here: by how far the library
// reads, and by trying what is usually meant, in a text of at most maxExplained bytes.
func explainYAML(text []byte, msg proto.Message) (mistake, bool) {
	read, err := readYAML(text)
	if err == nil {
		return mistake{}, false // not reached: the library is deterministic
	}
	if m, ok := foreignText(text, lineAt(text, read).end, yamlPatterns); ok {
		return m, true
	}
	y := newYAMLMistakes(text, read)
	if len(text) > maxExplained {
		return y.unexplained(read, err), true
	}
	if m, ok := choose(text, y.candidates(read), read, func(changed []byte) trial {
		if failedAt, err := readYAML(changed); err != nil {
			return trial{failedAt: failedAt}
		}
		f := newTrial(FormatYAML, msg)
		f.parseYAML(changed, msg.ProtoReflect().New().Interface())
		return trial{valid: true, problems: f.Problems}
	}); ok {
		return m, true
	}
	return y.unexplained(read, err), true
}

// unexplained returns the library's error in plain words, at the line where the library stops or
// at the quote that is not closed.
func (y *yamlMistakes) unexplained(read int, err error) mistake {
	words := strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n", " "), "yaml: ")
	if _, after, found := strings.Cut(words, ": "); found && strings.HasPrefix(words, "line ") {
		words = after
	}
	m := mistake{reason: "is not valid YAML in this line or before it: "}
	if n := len(y.lines); n > 0 {
		m.at = y.lines[n-1].body
	}
	for _, known := range yamlWords {
		if strings.Contains(words, known.words) {
			words = known.plain
			break
		}
	}
	if words == quoteNotClosed && y.quote >= 0 {
		m.at, m.reason = y.quote, "is not valid YAML: "
	}
	m.reason += words
	return m
}

const quoteNotClosed = "a quote is not closed"

// yamlWords holds what the errors of the library mean.
var yamlWords = []struct{ words, plain string }{
	{"found character that cannot start any token", "a value begins with a character that needs quotes"},
	{"did not find expected key", "a line does not fit the indentation of the lines above it, or something stands behind a value"},
	{"did not find expected '-' indicator", "a line of a list does not begin with a dash, or something stands behind a value"},
	{"did not find expected ',' or", "a bracket is not closed, or a comma is missing"},
	{"could not find expected ':'", "a key has no colon, or no space behind the colon"},
	{"mapping values are not allowed", "a line is indented too deep, or a value has a colon and needs quotes"},
	{"block sequence entries are not allowed", "a dash cannot stand here: an item of a list has a line of its own"},
	{"found unexpected end of stream", quoteNotClosed},
	{"found unexpected document indicator", quoteNotClosed},
	{"did not find expected alphabetic or numeric character", "a value begins with * or &, and needs quotes"},
	{"found unknown escape character", "a value in double quotes has a backslash: use single quotes"},
	{"did not find expected <document start>", "a line is indented less than the first line of the file, or something stands behind a value"},
	{"did not find expected node content", "a bracket is closed where a value should be, or a comma has no value before it"},
}

// yamlMistakes finds the likely mistakes of an invalid YAML text.
type yamlMistakes struct {
	text  []byte
	lines []contentLine // those up to the one with the error that have content
	open  []int         // the offsets of the brackets that are open at the error
	wrong []int         // the offsets of closing brackets without a matching opening one
	quote int           // the offset of the quote that is open at the error; -1 if there is none
	found []mistake
}

// near is the number of lines before the error that are looked at: the library reads two tokens
// ahead, and a missing character is often at the end of the line before.
const near = 4

// candidates returns the likely mistakes, the more specific ones first.
func (y *yamlMistakes) candidates(read int) []mistake {
	y.control(read)
	last := y.lines[max(0, len(y.lines)-near):]
	for _, check := range []func(contentLine){y.tabs, y.variables, y.indicators, y.quotes, y.colons, y.dashes, y.comments} {
		for _, l := range last {
			if l.inside == 0 {
				check(l)
			}
		}
	}
	y.quotesOverLines()
	y.brackets()
	for _, l := range last {
		if l.inside == 0 {
			y.commas(l)
		}
	}
	for i := range slices.Backward(y.lines) {
		if i >= len(y.lines)-near && y.lines[i].inside == 0 && y.lines[i].flow == 0 {
			y.indentation(i)
		}
	}
	return y.found
}

func (y *yamlMistakes) add(m mistake) { y.found = append(y.found, m) }

// replace adds a mistake whose culprit is text[start:end], and whose fix is the text to write
// instead.
func (y *yamlMistakes) replace(start, end int, with, reason string) {
	y.add(mistake{at: start, start: start, end: end, with: with, value: string(y.text[start:end]), reason: reason, fix: strings.TrimSpace(with)})
}

// control finds the control character at the place of the error.
func (y *yamlMistakes) control(read int) {
	for at := min(read, len(y.text)) - 1; at >= 0 && at >= read-near; at-- {
		if r, size := utf8.DecodeRune(y.text[at:]); r != utf8.RuneError && r != '\t' && unicode.IsControl(r) && r != '\n' && r != '\r' {
			y.add(mistake{at: at, start: at, end: at + size, value: string(r), reason: "is a control character, which YAML does not allow: remove it"})
		}
	}
}

// shortKey returns the key of a line, or the line if it has none.
func shortKey(line string) string {
	key, _, found := strings.Cut(line, ": ")
	if found {
		return key + ":"
	}
	return line
}
