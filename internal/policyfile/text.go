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

// textError is how prototext says where: "(line 3:5): unknown field: x".
var textError = regexp.MustCompile(`\(line (\d+):(\d+)\): (.*)$`)

// parseText reads protobuf's text format; its parser stops at the first
// problem.
func (f *File) parseText(text []byte, msg proto.Message) {
	if depth := strings.Count(string(text), "{") + strings.Count(string(text), "<"); depth > 0 {
		if pos, ok := tooDeepText(text); ok {
			f.fail(CodeTooDeep, pos, "", "is nested deeper than any policy is", "")
			return
		}
	}
	err := prototext.Unmarshal(text, msg)
	if err == nil {
		f.checkNumbers("", msg.ProtoReflect())
		return
	}
	said := strings.ReplaceAll(err.Error(), "\u00a0", " ") // protobuf varies its spaces on purpose
	code, pos, reason := CodeSyntax, Position{}, strings.TrimPrefix(said, "proto: ")
	if m := textError.FindStringSubmatch(said); m != nil {
		pos.Line, _ = strconv.Atoi(m[1])
		pos.Column, _ = strconv.Atoi(m[2])
		reason = m[3]
	}
	name := ""
	if rest, ok := strings.CutPrefix(reason, "unknown field: "); ok {
		code, name, reason = CodeUnknownField, rest, "is no field here"
	} else {
		reason = "is no text of a policy: " + reason
	}
	f.fail(code, pos, name, reason, "")
}

// tooDeepText bounds nesting before the parser, which recurses.
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

// parseBinary reads protobuf's wire format. Fields that this version does not
// know may narrow what the others grant, so they are problems.
func (f *File) parseBinary(b []byte, msg proto.Message) {
	if len(b) == 0 {
		f.fail(CodeEmptyFile, Position{}, "", "the file is empty", "")
		return
	}
	if err := (proto.UnmarshalOptions{RecursionLimit: maxDepth}).Unmarshal(b, msg); err != nil {
		f.fail(CodeSyntax, Position{}, "", "is no binary policy: it is truncated, or another message", "")
		return
	}
	f.checkNumbers("", msg.ProtoReflect())
}

// checkNumbers finds what names would have shown: unknown fields, and numbers
// that an enum does not have.
func (f *File) checkNumbers(path string, m protoreflect.Message) {
	if len(m.GetUnknown()) > 0 {
		f.add(Problem{Code: CodeUnknownField, Field: path,
			Reason: "holds fields that this version does not know, and they may narrow what the rest grants"})
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
			v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
				f.checkNumbers(fmt.Sprintf("%s[%q]", at, k.String()), v.Message())
				return true
			})
		case fd.IsList() && fd.Message() != nil:
			for j := range v.List().Len() {
				f.checkNumbers(fmt.Sprintf("%s[%d]", at, j), v.List().Get(j).Message())
			}
		case fd.Message() != nil && !fd.IsList():
			f.checkNumbers(at, v.Message())
		}
	}
}
