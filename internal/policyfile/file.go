// Package policyfile parses the text of a policy, or of a policy test, into a protobuf message. It records the
// position of each value, and collects all problems of the text. It reads messages by
// reflection; only CutOrigins, which reads a binary policy, depends on the policy's fields. Its
// functions are safe for concurrent use.
package policyfile

import (
	"bytes"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
)

// The codes of problems.
const (
	CodeSyntax            = "SYNTAX"
	CodeUnknownField      = "UNKNOWN_FIELD"
	CodeDuplicateKey      = "DUPLICATE_KEY"
	CodeWrongType         = "WRONG_TYPE"
	CodeUnknownEnumValue  = "UNKNOWN_ENUM_VALUE"
	CodeEmptyList         = "EMPTY_LIST"
	CodeTooLarge          = "TOO_LARGE"
	CodeTooDeep           = "TOO_DEEP"
	CodeNotUTF8           = "NOT_UTF8"
	CodeAlias             = "YAML_ALIAS"
	CodeMultipleDocuments = "MULTIPLE_DOCUMENTS"
	CodeEmptyFile         = "EMPTY_FILE"
	CodeUnknownFormat     = "UNKNOWN_FORMAT"
)

// Position is a position in a text. Lines and columns count from 1, columns in characters. The
// zero value means that the position is unknown.
type Position struct {
	Line, Column int
}

// Problem is one mistake in a text.
type Problem struct {
	// Code is one of the codes above.
	Code string
	// Field is the path of the value, such as rules[1].allow_origins[0]; empty for the whole
	// text.
	Field string
	// Value is the refused text, shortened.
	Value string
	// Pos is the position of the value.
	Pos Position
	// Reason says why the value is refused, as the rest of a sentence whose subject is the
	// value.
	Reason string
	// Fix is the text to write instead; empty if none can be suggested.
	Fix string
}

// Format is a file format of policies and of their tests.
type Format int

// The formats.
const (
	FormatYAML   Format = iota + 1
	FormatJSON          // RFC 8259
	FormatText          // protobuf's text format
	FormatBinary        // protobuf's wire format
)

// FormatOf returns the format of a file, by the extension of its name. It returns false if the
// extension is unknown.
func FormatOf(name string) (Format, bool) {
	switch strings.ToLower(path.Ext(name)) {
	case ".yaml", ".yml":
		return FormatYAML, true
	case ".json":
		return FormatJSON, true
	case ".textproto", ".txtpb":
		return FormatText, true
	case ".binpb", ".pb":
		return FormatBinary, true
	}
	return 0, false
}

// File is the result of Parse.
type File struct {
	// Problems are the mistakes in the text, in file order.
	Problems []Problem
	// Fatal is true if the text could not be read at all.
	Fatal     bool
	format    Format
	subject   *subject // nil in a file that only scans
	positions map[string]Position
	omitted   int  // the number of problems after the first maxProblems
	trial     bool // whether the text is a changed one, whose syntax errors are not explained
}

// maxProblems is the maximum number of problems that are reported for one text. The others are
// counted.
const maxProblems = 100

// full reports whether maxProblems is reached.
func (f *File) full() bool { return len(f.Problems) >= maxProblems }

func (f *File) add(p Problem) {
	if f.full() {
		f.omitted++
		return
	}
	p.Value, p.Reason = shorten(p.Value), f.named(p.Reason)
	f.Problems = append(f.Problems, p)
}

// Position returns the position of the value at a field path.
func (f *File) Position(field string) (Position, bool) {
	p, ok := f.positions[field]
	return p, ok
}

// extensions are those of FormatOf.
const extensions = ".yaml, .yml, .json, .textproto, .txtpb, .binpb or .pb"

// Parse parses text into msg, which must be empty. The format is that of the extension of name.
// A text of more than maxTextBytes is refused without being parsed, unless its format is
// binary. If the file is Fatal, msg has no meaning; if there are other problems, msg holds the
// values that could be read.
func Parse(name string, text []byte, msg proto.Message, maxTextBytes int) *File {
	format, ok := FormatOf(name)
	f := newFile(format, msg)
	switch {
	case !ok && path.Ext(name) == "":
		return f.fail(CodeUnknownFormat, Position{}, path.Base(name), "has no file extension, which names the format of a {policy}", extensions)
	case !ok:
		return f.fail(CodeUnknownFormat, Position{}, path.Ext(name), "is not a file extension of a {policy}", extensions)
	case format == FormatBinary:
		f.parseBinary(text, msg)
		return f
	case len(text) > maxTextBytes:
		return f.fail(CodeTooLarge, Position{}, "", fmt.Sprintf("the text has more than %d bytes%s", maxTextBytes, f.subject.limit), "")
	}
	if p := encodingProblem(text); p.Code != "" {
		f.Fatal = true
		f.add(p)
		return f
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // the byte order mark of UTF-8
	if strings.TrimSpace(string(text)) == "" {
		return f.fail(CodeEmptyFile, Position{}, "", "the file is empty", f.example())
	}
	switch format {
	case FormatYAML:
		f.parseYAML(text, msg)
	case FormatJSON:
		f.parseJSON(text, msg)
	case FormatText:
		f.parseText(text, msg)
	}
	return f
}

// fail records the only problem of a text that cannot be read.
func (f *File) fail(code string, pos Position, value, reason, fix string) *File {
	f.Fatal = true
	f.Problems = append(f.Problems, Problem{Code: code, Pos: pos, Value: shorten(value), Reason: f.named(reason), Fix: fix})
	return f
}

// positionAt returns the position of a byte offset.
func positionAt(text []byte, offset int) Position {
	before := string(text[:min(offset, len(text))])
	line := strings.LastIndexByte(before, '\n') + 1
	return Position{strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[line:]) + 1}
}

// offsetAt returns the byte offset of a position.
func offsetAt(text []byte, p Position) int {
	offset := 0
	for range p.Line - 1 {
		n := bytes.IndexByte(text[offset:], '\n')
		if n < 0 {
			return len(text)
		}
		offset += n + 1
	}
	for range p.Column - 1 {
		_, size := utf8.DecodeRune(text[offset:])
		offset += size
	}
	return min(offset, len(text))
}

// shorten cuts a long value after 80 characters.
func shorten(s string) string {
	const maxValue = 80
	n := 0
	for i := range s {
		if n++; n > maxValue {
			return s[:i] + "…"
		}
	}
	return s
}
