package policyfile

import (
	"bytes"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// checkTextMaps reports keys that occur twice in a map of a text, of which prototext keeps the
// last without an error. The text is valid.
func (f *File) checkTextMaps(text []byte, m protoreflect.Message) {
	s := &textScanner{file: f, text: text}
	s.message(textScope{message: m}, "", 0)
}

// textScanner reads a valid text in protobuf's text format to the end. It follows the fields, and
// skips the scalars.
type textScanner struct {
	file *File
	text []byte
	i    int
	key  int // the offset of the last key of a map entry; -1 if the entry has none
}

// textScope is what the braces of a text hold: the fields of a message, or an entry of a map. In
// a field that is not known, both are nil.
type textScope struct {
	message protoreflect.Message
	entries protoreflect.Map
}

// field returns the descriptor of a field of the scope, and the scope of its value.
func (s textScope) field(name string) (protoreflect.FieldDescriptor, textScope) {
	if s.entries != nil {
		if m, ok := s.entries.NewValue().Interface().(protoreflect.Message); ok && name == "value" {
			return nil, textScope{message: m}
		}
		return nil, textScope{}
	}
	if s.message == nil {
		return nil, textScope{}
	}
	fd := s.message.Descriptor().Fields().ByTextName(name)
	switch {
	case fd == nil || fd.Message() == nil:
		return fd, textScope{}
	case fd.IsMap():
		return fd, textScope{entries: s.message.NewField(fd).Map()}
	case fd.IsList():
		return fd, textScope{message: s.message.NewField(fd).List().NewElement().Message()}
	}
	return fd, textScope{message: s.message.NewField(fd).Message()}
}

// peek returns the next byte that is neither a space nor in a comment; 0 at the end.
func (s *textScanner) peek() byte {
	for s.i < len(s.text) {
		switch c := s.text[s.i]; c {
		case ' ', '\t', '\r', '\n', ',', ';':
			s.i++
		case '#':
			n := bytes.IndexByte(s.text[s.i:], '\n')
			if n < 0 {
				n = len(s.text) - s.i
			}
			s.i += n
		default:
			return c
		}
	}
	return 0
}

// message reads fields up to a closing byte, which is 0 for the end of the text.
func (s *textScanner) message(scope textScope, path string, closing byte) {
	maps := map[string]map[string]int{} // the offset of each key, by the field
	for {
		if c := s.peek(); c == closing || c == 0 {
			s.i++
			return
		}
		name := s.name()
		fd, inner := scope.field(name)
		if s.peek() == ':' {
			s.i++
		}
		if s.peek(); scope.entries != nil && name == "key" {
			s.key = s.i
		}
		value := func() { s.value(inner, join(path, name)) }
		if fd != nil && fd.IsMap() {
			if maps[name] == nil {
				maps[name] = map[string]int{}
			}
			value = func() { s.entry(scope.message, fd, inner, path, maps[name]) }
		}
		if s.peek() != '[' {
			value()
			continue
		}
		for s.i++; s.peek() != ']' && s.peek() != 0; {
			value()
		}
		s.i++
	}
}

// entry reads an entry of a map field of m, and reports its key if that is among the keys before
// it.
func (s *textScanner) entry(m protoreflect.Message, fd protoreflect.FieldDescriptor, scope textScope, path string, keys map[string]int) {
	start := s.i
	s.key = -1
	s.value(scope, join(path, string(fd.Name())))
	at := start
	if s.key >= 0 {
		at = s.key
	}
	key := textKey(m.New(), fd, s.text[start:s.i])
	first, ok := keys[key]
	switch {
	case !ok:
		keys[key] = at
	case s.file.full():
		s.file.omitted++
	default:
		s.file.add(Problem{Code: CodeDuplicateKey, Field: fmt.Sprintf("%s[%q]", join(path, string(fd.Name())), key), Value: key, Pos: positionAt(s.text, at),
			Reason: fmt.Sprintf("is already set in line %d: keep one of the two", positionAt(s.text, first).Line)})
	}
}

// textKey returns the key of an entry of a map field of m, which is empty.
func textKey(m protoreflect.Message, fd protoreflect.FieldDescriptor, entry []byte) (key string) {
	text := append([]byte(fd.TextName()+" "), entry...)
	if prototext.Unmarshal(text, m.Interface()) != nil {
		return string(entry) // not reached: the whole text is valid
	}
	m.Get(fd).Map().Range(func(k protoreflect.MapKey, _ protoreflect.Value) bool {
		key = k.String()
		return false
	})
	return key
}

// value reads one value of a field.
func (s *textScanner) value(scope textScope, path string) {
	switch c := s.peek(); c {
	case '{', '<':
		s.i++
		s.message(scope, path, c+2) // '{' and '}' differ by 2, and so do '<' and '>'
	case '[':
		for s.i++; s.peek() != ']' && s.peek() != 0; {
			s.value(scope, path)
		}
		s.i++
	case '"', '\'':
		for s.peek() == '"' || s.peek() == '\'' { // adjacent strings are one
			s.string()
		}
	case '-':
		s.i++
		s.value(scope, path)
	case 0:
	default:
		s.name()
	}
}

// string skips a string in quotes.
func (s *textScanner) string() {
	quote := s.text[s.i]
	for s.i++; s.i < len(s.text) && s.text[s.i] != quote; s.i++ {
		if s.text[s.i] == '\\' {
			s.i++
		}
	}
	s.i++
}

// name reads a name, a number or the name of an extension. It reads at least one byte.
func (s *textScanner) name() string {
	start := s.i
	if s.text[s.i] == '[' {
		for s.i < len(s.text) && s.text[s.i] != ']' {
			s.i++
		}
	}
	for s.i++; s.i < len(s.text) && strings.IndexByte(" \t\r\n,;#:{}<>[]\"'", s.text[s.i]) < 0; {
		s.i++
	}
	s.i = min(s.i, len(s.text))
	return string(s.text[start:s.i])
}
