package policyfile

import (
	"cmp"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// decode reads a tree of nodes into a message.
func (f *File) decode(root *node, msg proto.Message) {
	if root.kind == nullNode {
		f.fail(CodeEmptyFile, Position{}, "", "the file contains no {policy}", f.example())
		return
	}
	if kubernetes(root) {
		f.fail(CodeSyntax, root.pos, "", "the file is an object of Kubernetes, not a {policy}: load the text that it holds below data", "")
		return
	}
	if other := otherSubject(root, f.subject); other != "" {
		f.fail(CodeSyntax, root.pos, "", other, "")
		return
	}
	f.message(root, "", msg.ProtoReflect())
	sort.SliceStable(f.Problems, func(i, j int) bool {
		a, b := f.Problems[i].Pos, f.Problems[j].Pos
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
	f.countOmitted()
}

// countOmitted adds the number of the problems that are not reported.
func (f *File) countOmitted() {
	if f.omitted > 0 {
		last := f.Problems[len(f.Problems)-1]
		f.Problems = append(f.Problems, Problem{Code: last.Code, Pos: last.Pos, Reason: fmt.Sprintf("and %d more problems", f.omitted)})
	}
}

// kubernetes reports whether a text is an object of Kubernetes, such as a ConfigMap.
func kubernetes(root *node) bool {
	found := 0
	for _, p := range root.pairs {
		if p.key == "apiVersion" || p.key == "kind" {
			found++
		}
	}
	return found == 2
}

func (f *File) problem(n *node, field, code, reason, fix string) {
	f.add(Problem{Code: code, Field: field, Value: n.text, Pos: n.pos, Reason: reason, Fix: fix})
}

// wrongType reports a value whose type is not that of its field.
func (f *File) wrongType(n *node, field, want, fix string) {
	if n.kind == badNode {
		if n.problem > 0 { // reported already
			f.Problems[n.problem-1].Field = field
		}
		return
	}
	if n.kind == nullNode {
		reason := "has no value: leave the field out" + f.subject.inherit
		if strings.HasSuffix(field, "]") {
			reason = "is an empty item: leave it out"
		}
		f.problem(&node{pos: n.pos}, field, CodeWrongType, reason, "")
		return
	}
	f.problem(n, field, CodeWrongType, fmt.Sprintf("is %s, but the field takes %s", n.kind, want), fix)
}

func (f *File) message(n *node, path string, m protoreflect.Message) {
	if n.kind != mappingNode {
		f.notMapping(n, path, m.Descriptor())
		return
	}
	seen := map[protoreflect.FieldNumber]pair{}
	var owner protoreflect.FieldDescriptor // the last known field
	var empty *node                        // its value if that is missing, since the fields below it are not indented
	again := false                         // whether the key before is misplaced
	for i, p := range n.pairs {
		fd := fieldOf(m.Descriptor(), p.key)
		if fd == nil {
			if again = !f.full() && f.misplaced(p, path, m.Descriptor(), owner, empty != nil, again, n); !again {
				f.unknownField(p, path, m.Descriptor())
			}
			continue
		}
		owner, empty, again = fd, nil, false
		at := join(path, string(fd.Name()))
		if first, ok := seen[fd.Number()]; ok && i > 0 && f.format == FormatYAML && isItem(path) && fd == fieldOf(m.Descriptor(), n.pairs[0].key) {
			f.add(Problem{Code: CodeDuplicateKey, Field: at, Value: p.key, Pos: p.pos,
				Reason: fmt.Sprintf("is already set in line %d: keep one of the two, or begin an item of the list here", first.pos.Line), Fix: "- " + p.key + ":"})
			return // the fields below it are those of that item
		} else if ok {
			f.add(Problem{Code: CodeDuplicateKey, Field: at, Value: p.key, Pos: p.pos,
				Reason: fmt.Sprintf("is already set in line %d, as %s: keep one of the two", first.pos.Line, first.key)})
			continue
		}
		seen[fd.Number()] = p
		f.positions[at] = p.value.pos
		switch {
		case p.value.kind == nullNode && fd.Message() != nil && f.belowIsMisplaced(n.pairs[i+1:], fd, m.Descriptor()):
			empty = p.value
		case fd.IsMap():
			f.mapping(p.value, at, fd, m)
		case fd.IsList():
			f.list(p.value, at, fd, m)
		case fd.Message() != nil && fd.Message().FullName() == "google.protobuf.Duration":
			f.duration(p.value, at, m.Mutable(fd).Message())
		case fd.Message() != nil:
			f.message(p.value, at, m.Mutable(fd).Message())
		default:
			if v, ok := f.scalar(p.value, at, fd); ok {
				m.Set(fd, v)
			}
		}
	}
}

// belowIsMisplaced reports whether the next key belongs to the field, which has no value, and
// not to the message.
func (f *File) belowIsMisplaced(next []pair, fd protoreflect.FieldDescriptor, md protoreflect.MessageDescriptor) bool {
	switch {
	case len(next) == 0 || f.format != FormatYAML || fieldOf(md, visible(next[0].key)) != nil:
		return false
	case fd.IsMap():
		return f.isMessage(next[0].value, fd.MapValue().Message())
	}
	return fieldOf(fd.Message(), visible(next[0].key)) != nil
}

// isItem reports whether a path is that of an item of a list, and not of a map.
func isItem(path string) bool { return strings.HasSuffix(path, "]") && !strings.HasSuffix(path, `"]`) }

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (f *File) mapping(n *node, path string, fd protoreflect.FieldDescriptor, m protoreflect.Message) {
	if n.kind != mappingNode {
		fix := ""
		if fd.MapValue().Message() == nil {
			fix = f.meantEntries(n)
		}
		f.wrongType(n, path, "a mapping from names", fix)
		return
	}
	if fd.MapValue().Message() == nil {
		f.scalars(n, path, fd, m.Mutable(fd).Map())
		return
	}
	seen := map[string]Position{}
	values := m.Mutable(fd).Map()
	empty := "" // the last name if its value is missing, since the fields below it are not indented
	for i, p := range n.pairs {
		if field := fieldOf(fd.MapValue().Message(), p.key); empty != "" && field != nil {
			f.add(Problem{Code: CodeUnknownField, Field: join(path, p.key), Value: p.key, Pos: p.pos,
				Reason: fmt.Sprintf("is a field of %s, but is not indented below %s", fd.MapValue().Message().Name(), empty), Fix: "two spaces before it"})
			continue
		}
		if empty = ""; p.value.kind == nullNode && f.format == FormatYAML && i+1 < len(n.pairs) && fieldOf(fd.MapValue().Message(), n.pairs[i+1].key) != nil {
			empty = p.key
			continue
		}
		at := fmt.Sprintf("%s[%q]", path, p.key)
		if f.repeated(p, at, seen) {
			continue
		}
		f.positions[at] = p.value.pos
		f.message(p.value, at, values.Mutable(protoreflect.ValueOfString(p.key).MapKey()).Message())
	}
}

// repeated reports a key of a mapping from names that is among those before it, and adds it to these.
func (f *File) repeated(p pair, path string, seen map[string]Position) bool {
	first, ok := seen[p.key]
	if ok {
		f.add(Problem{Code: CodeDuplicateKey, Field: path, Value: p.key, Pos: p.pos,
			Reason: fmt.Sprintf("is already set in line %d: keep one of the two", first.Line)})
		return true
	}
	seen[p.key] = p.pos
	return false
}

// scalars reads a mapping from names to scalars.
func (f *File) scalars(n *node, path string, fd protoreflect.FieldDescriptor, values protoreflect.Map) {
	seen := map[string]Position{}
	for _, p := range n.pairs {
		at := fmt.Sprintf("%s[%q]", path, p.key)
		if f.repeated(p, at, seen) {
			continue
		}
		f.positions[at] = p.value.pos
		if p.value.kind == nullNode {
			f.problem(&node{pos: p.value.pos}, at, CodeWrongType, "has no value", `""`)
			continue
		}
		if v, ok := f.scalar(p.value, at, fd.MapValue()); ok {
			values.Set(protoreflect.ValueOfString(p.key).MapKey(), v)
		}
	}
}

func (f *File) list(n *node, path string, fd protoreflect.FieldDescriptor, m protoreflect.Message) {
	if n.kind != listNode {
		f.notList(n, path, fd)
		return
	}
	if len(n.items) == 0 {
		reason, fix := f.emptyList(fd.Name())
		f.problem(n, path, CodeEmptyList, reason, fix)
		return
	}
	list := m.Mutable(fd).List()
	for i, item := range n.items {
		at := fmt.Sprintf("%s[%d]", path, i)
		f.positions[at] = item.pos
		if fd.Message() != nil {
			v := list.AppendMutable()
			f.message(item, at, v.Message())
			continue
		}
		v, ok := f.scalar(item, at, fd)
		if !ok {
			v = fd.Default() // a placeholder, so that the next items keep their indices
			if fd.Kind() == protoreflect.EnumKind {
				continue
			}
			if fd.Kind() == protoreflect.StringKind {
				v = protoreflect.ValueOfString("")
			}
		}
		list.Append(v)
	}
}

// emptyList returns the problem of a list that is written but empty, and the likely fix.
func (f *File) emptyList(field protoreflect.Name) (reason, fix string) {
	if f.subject != &policySubject {
		return "is an empty list: leave the field out, which means the default", ""
	}
	reason = "is an empty list, which would keep the list of the wider level"
	switch field {
	case "allow_origins", "allow_origins_from":
		return reason + " instead of allowing no origin", "disabled: true"
	case "allow_headers":
		return reason + " instead of removing its names", `deny_headers: ["*"]`
	case "expose_headers":
		return reason + " instead of removing its names", `hide_headers: ["*"]`
	}
	return reason + ": leave the field out", ""
}

func (f *File) scalar(n *node, path string, fd protoreflect.FieldDescriptor) (v protoreflect.Value, ok bool) {
	switch fd.Kind() {
	case protoreflect.StringKind:
		if n.kind == stringNode {
			return protoreflect.ValueOfString(n.text), true
		}
		if n.kind == nullNode && n.text == "null" && f.subject == &testSubject {
			f.problem(n, path, CodeWrongType, "means that there is not a value; an opaque origin is the text null", `"null"`)
			return v, false
		}
		fix := ""
		switch {
		case n.kind == numberNode || n.kind == boolNode:
			fix = strconv.Quote(n.text)
		case n.kind == mappingNode && f.subject == &gatewaySubject && fd.Name() == "policy":
			fix = "the name of a file with these fields, such as cors.yaml"
		case n.kind == mappingNode && len(n.pairs) == 1 && n.pairs[0].value.kind == stringNode:
			fix = f.quote(n.pairs[0].value.text)
		case n.kind == listNode && len(n.items) > 0 && n.items[0].kind == stringNode:
			fix = f.quote(n.items[0].text)
		}
		f.wrongType(n, path, "a string", fix)
	case protoreflect.BoolKind:
		if n.kind == boolNode && (n.text == "true" || n.text == "false") {
			return protoreflect.ValueOfBool(n.text == "true"), true
		}
		fix := ""
		switch word := strings.ToLower(withoutQuotes(n.text)); {
		case yesWords[word], word == "include":
			fix = "true"
		case noWords[word], word == "omit":
			fix = "false"
		}
		f.wrongType(n, path, "true or false", fix)
	case protoreflect.Int32Kind, protoreflect.Int64Kind:
		return f.number(n, path, fd.Kind())
	case protoreflect.EnumKind:
		return f.enum(n, path, fd.Enum())
	default:
		f.wrongType(n, path, fd.Kind().String(), "")
	}
	return v, false
}

// enum reads the name of an enum value, with or without the enum's prefix.
func (f *File) enum(n *node, path string, ed protoreflect.EnumDescriptor) (v protoreflect.Value, ok bool) {
	var known []string
	for _, value := range EnumValues(ed) {
		known = append(known, value.Short)
		if n.kind == stringNode && (n.text == value.Short || n.text == value.Full) {
			return protoreflect.ValueOfEnum(value.Number), true
		}
	}
	if n.kind != stringNode {
		f.wrongType(n, path, "one of "+strings.Join(known, ", "), "")
		return v, false
	}
	name := strings.TrimPrefix(strings.ToUpper(withoutQuotes(n.text)), enumPrefix(ed))
	if name == "UNSPECIFIED" {
		f.problem(n, path, CodeUnknownEnumValue, "is not a choice: leave it out"+strings.Replace(f.subject.inherit, "its", "the", 1), "")
		return v, false
	}
	nearest, found := Nearest(cmp.Or(f.subject.values[fold(name)], name), known)
	if found {
		nearest = f.quote(nearest)
	}
	f.problem(n, path, CodeUnknownEnumValue, "is not one of "+strings.Join(known, ", "), nearest)
	return v, false
}

// EnumValue is a value of an enum with its names in a text.
type EnumValue struct {
	Number      protoreflect.EnumNumber
	Short, Full string // without the common prefix of the enum, and with it
}

// EnumValues returns the values of an enum that a text may have: all but the zero value.
func EnumValues(ed protoreflect.EnumDescriptor) []EnumValue {
	var values []EnumValue
	for i := range ed.Values().Len() {
		if v := ed.Values().Get(i); v.Number() != 0 {
			name := string(v.Name())
			values = append(values, EnumValue{v.Number(), strings.TrimPrefix(name, enumPrefix(ed)), name})
		}
	}
	return values
}

// enumPrefix returns the common prefix of the names of an enum's values: the name of its zero
// value without UNSPECIFIED.
func enumPrefix(ed protoreflect.EnumDescriptor) string {
	return strings.TrimSuffix(string(ed.Values().ByNumber(0).Name()), "UNSPECIFIED")
}

// DurationPattern is the regular expression of a duration in a text.
const DurationPattern = `^(-?)([0-9]{1,12})(?:\.([0-9]{1,9}))?s$`

var durationText = regexp.MustCompile(DurationPattern)

// duration reads a google.protobuf.Duration in its JSON form.
func (f *File) duration(n *node, path string, m protoreflect.Message) {
	if n.kind == stringNode {
		if parts := durationText.FindStringSubmatch(n.text); parts != nil {
			seconds, _ := strconv.ParseInt(parts[2], 10, 64)
			nanos, _ := strconv.ParseInt((parts[3] + "000000000")[:9], 10, 32)
			if parts[1] == "-" {
				seconds, nanos = -seconds, -nanos
			}
			m.Set(m.Descriptor().Fields().ByName("seconds"), protoreflect.ValueOfInt64(seconds))
			m.Set(m.Descriptor().Fields().ByName("nanos"), protoreflect.ValueOfInt32(int32(nanos)))
			return
		}
	}
	fix := ""
	if n.kind == numberNode || n.kind == stringNode {
		if fix = meantDuration(n.text); fix != "" {
			fix = f.quote(fix)
		}
	}
	if n.kind == stringNode {
		f.problem(n, path, CodeWrongType, "is not a duration in seconds such as 7200s", fix)
		return
	}
	f.wrongType(n, path, "a duration in seconds such as 7200s", fix)
}

// quote returns a string as the format writes it: in YAML without quotes if it needs none.
func (f *File) quote(s string) string {
	if f.format == FormatJSON || strings.ContainsAny(s, "*&!|>%@`\"'#{}[], \n") || strings.HasPrefix(s, "-") || strings.HasSuffix(s, ":") || s == "" || s == "null" || s == "true" || s == "false" {
		return strconv.Quote(s)
	}
	return s
}
