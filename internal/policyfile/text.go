package policyfile

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// textError matches the position in an error of prototext: "(line 3:5): unknown field: x".
var textError = regexp.MustCompile(`\(line (\d+):(\d+)\): (.*)$`)

// parseText parses protobuf's text format. The parser stops at the first problem.
func (f *File) parseText(text []byte, msg proto.Message) {
	if depth := strings.Count(string(text), "{") + strings.Count(string(text), "<"); depth > 0 {
		if pos, ok := tooDeepText(text); ok {
			f.fail(CodeTooDeep, pos, "", "is nested too deeply for a {policy}", "")
			return
		}
	}
	if i, name := oddBreak(text); i >= 0 {
		f.fail(CodeSyntax, positionAt(text, i), "", "the line contains "+name+", which ends a line in some editors but not a comment of the text format: replace it by a line break or a space", "")
		return
	}
	at, err := readText(text, msg)
	if err == "" {
		f.checkTextMaps(text, msg.ProtoReflect())
		f.countOmitted()
		f.checkUnknownFields("", msg.ProtoReflect())
		return
	}
	if f.trial {
		f.fail(CodeSyntax, Position{}, "", err, "")
		return
	}
	p := explainText(text, msg, at, err)
	f.fail(p.Code, p.Pos, p.Value, p.Reason, p.Fix)
}

// readText parses a text into msg. It returns the offset of the token that is refused, and the
// library's error without its position; "" if the text is valid.
func readText(text []byte, msg proto.Message) (at int, problem string) {
	err := prototext.Unmarshal(text, msg)
	if err == nil {
		return len(text), ""
	}
	message := strings.ReplaceAll(err.Error(), "\u00a0", " ") // protobuf varies the spaces of its messages on purpose
	m := textError.FindStringSubmatch(message)
	if m == nil {
		return len(text), strings.TrimSpace(strings.TrimPrefix(message, "proto: "))
	}
	line, _ := strconv.Atoi(m[1])
	column, _ := strconv.Atoi(m[2])
	return offsetAt(text, Position{line, column}), strings.TrimSpace(m[3])
}

// tooDeepText returns the position where the nesting is too deep. It runs before the parser,
// which is recursive.
func tooDeepText(text []byte) (Position, bool) {
	depth := 0
	for i, c := range text {
		switch c {
		case '{', '<':
			if depth++; depth > 4*maxDepth {
				return positionAt(text, i), true
			}
		case '}', '>':
			depth = max(depth-1, 0)
		}
	}
	return Position{}, false
}

// parseBinary parses protobuf's binary format. It reports fields that this version does not
// know, since they may narrow what the others grant.
func (f *File) parseBinary(b []byte, msg proto.Message) {
	if len(b) == 0 {
		f.fail(CodeEmptyFile, Position{}, "", "the file is empty", "")
		return
	}
	if err := (proto.UnmarshalOptions{RecursionLimit: maxDepth}).Unmarshal(b, msg); err != nil {
		f.fail(CodeSyntax, Position{}, "", "is not a valid binary {policy}: it is truncated, or not a "+f.subject.binary, "")
		return
	}
	f.checkUnknownFields("", msg.ProtoReflect())
}

// checkUnknownFields reports unknown fields in a message and its submessages.
func (f *File) checkUnknownFields(path string, m protoreflect.Message) {
	if len(m.GetUnknown()) > 0 {
		f.add(Problem{Code: CodeUnknownField, Field: path,
			Reason: "contains fields that this version of corsrpc does not know, and that may narrow what the other fields grant"})
	}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		if !m.Has(fd) {
			continue
		}
		at, v := join(path, string(fd.Name())), m.Get(fd)
		switch {
		case fd.IsMap():
			if fd.MapValue().Message() == nil {
				continue
			}
			v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
				f.checkUnknownFields(fmt.Sprintf("%s[%q]", at, k.String()), v.Message())
				return true
			})
		case fd.IsList() && fd.Message() != nil:
			for j := range v.List().Len() {
				f.checkUnknownFields(fmt.Sprintf("%s[%d]", at, j), v.List().Get(j).Message())
			}
		case fd.Message() != nil && !fd.IsList():
			f.checkUnknownFields(at, v.Message())
		}
	}
}
