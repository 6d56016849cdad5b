// Package policyfile turns the text of a policy into a protobuf message, keeps
// the place of every value, and lists everything that is wrong with the text.
// It knows the message by reflection, but for the lists of origins that it cuts
// out of a binary policy. Its functions are safe for concurrent use.
package policyfile

import (
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

// Position is a place in a text: lines and columns count from 1, columns in
// characters. The zero value means that the place is not known.
type Position struct {
	Line, Column int
}

// Problem is one thing that is wrong with a text.
type Problem struct {
	// Code is one of the codes above.
	Code string
	// Field is the path of the value: rules[1].allow_origins[0]; empty for the
	// whole text.
	Field string
	// Value is the offending text, shortened.
	Value string
	// Pos is its place.
	Pos Position
	// Reason says why, continuing a sentence that begins with the value.
	Reason string
	// Fix is what to write instead; empty where that cannot be said.
	Fix string
}

// Format is how a policy is written.
type Format int

// The formats.
const (
	FormatYAML   Format = iota + 1
	FormatJSON          // RFC 8259
	FormatText          // protobuf's text format
	FormatBinary        // protobuf's wire format
)

// FormatOf returns the format that the extension of a file's name says.
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

// File is what became of a text.
type File struct {
	// Problems are in file order.
	Problems []Problem
	// Fatal says that the text could not be read at all.
	Fatal     bool
	positions map[string]Position
	more      int // problems beyond maxProblems
}

// maxProblems bounds what is reported of one text.
const maxProblems = 100

// full reports whether another problem would only be counted.
func (f *File) full() bool { return len(f.Problems) >= maxProblems }

func (f *File) add(p Problem) {
	if f.full() {
		f.more++
		return
	}
	p.Value = shorten(p.Value)
	f.Problems = append(f.Problems, p)
}

// Position returns the place of the value at a field path.
func (f *File) Position(field string) (Position, bool) {
	p, ok := f.positions[field]
	return p, ok
}

// Parse reads text into msg, which has to be empty, in the format that the
// extension of name says. Text formats beyond maxTextBytes are not looked at.
// Where the file is Fatal, msg is of no use; with other problems it holds what
// could be read.
func Parse(name string, text []byte, msg proto.Message, maxTextBytes int) *File {
	f := &File{positions: map[string]Position{}}
	format, ok := FormatOf(name)
	switch {
	case !ok:
		return f.fail(CodeUnknownFormat, Position{}, path.Ext(name), "is no extension of a policy", ".yaml, .yml, .json, .textproto, .txtpb, .binpb or .pb")
	case format == FormatBinary:
		f.parseBinary(text, msg)
		return f
	case len(text) > maxTextBytes:
		return f.fail(CodeTooLarge, Position{}, "", fmt.Sprintf("the text has more than %d bytes, which is more than a policy needs (WithMaxPolicyBytes sets the limit; a binary policy has none)", maxTextBytes), "")
	}
	if i := firstInvalid(text); i >= 0 {
		return f.fail(CodeNotUTF8, positionAt(text, i), "", "the text is not UTF-8: this is the first byte that is not", "")
	}
	if strings.TrimSpace(string(text)) == "" {
		return f.fail(CodeEmptyFile, Position{}, "", "the file is empty", "defaults: with allow_origins")
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

// fail records the one problem of a text that cannot be read.
func (f *File) fail(code string, pos Position, value, reason, fix string) *File {
	f.Fatal = true
	f.Problems = append(f.Problems, Problem{Code: code, Pos: pos, Value: shorten(value), Reason: reason, Fix: fix})
	return f
}

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

// positionAt returns the place of a byte.
func positionAt(text []byte, offset int) Position {
	before := string(text[:min(offset, len(text))])
	line := strings.LastIndexByte(before, '\n') + 1
	return Position{strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[line:]) + 1}
}

// shorten cuts a value that would make a message unreadable.
func shorten(s string) string {
	const most = 80
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i] + "…"
		}
	}
	return s
}
