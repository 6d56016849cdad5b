package editors

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// object and list are values of JSON and YAML.
type (
	object = map[string]any
	list   = []any
)

// singles returns values of a field that is not a list or map, right ones and wrong ones.
func singles(fd protoreflect.FieldDescriptor) (right, wrong []any) {
	switch fd.Kind() {
	case protoreflect.StringKind:
		return []any{"x", "", "yes", "null", "https://*.example.com", "7"}, []any{nil, 7, 1.5, true, list{"x"}, object{"x": "y"}}
	case protoreflect.BoolKind:
		return []any{true, false}, []any{nil, "true", "yes", 1, 0, list{true}, object{}}
	case protoreflect.Int32Kind:
		return []any{0, 1, -1, 404, 1<<31 - 1, -1 << 31}, []any{nil, "1", 1.5, 1 << 31, -1<<31 - 1, true, list{1}, object{}}
	case protoreflect.Int64Kind: // validators in JavaScript round numbers beyond 53 bits
		return []any{0, 1, -1, 1 << 40, -1 << 40}, []any{nil, "1", 1.5, true, list{1}, object{}}
	case protoreflect.EnumKind:
		return enumNames(fd.Enum())
	case protoreflect.MessageKind:
		if fd.Message().FullName() == "google.protobuf.Duration" {
			return []any{"0s", "60s", "-1s", "1.5s", "0.123456789s", "999999999999s"},
				[]any{nil, 60, "60", "", "1m", "60 s", "s", "1.s", ".5s", "+1s", "0.1234567890s", "1000000000000s", " 60s", "60s\n", object{"seconds": 60}, list{"60s"}}
		}
		return []any{object{}}, []any{nil, "x", "", 7, true, list{}, list{object{}}, object{"unknown_field": "x"}, object{"": "x"}}
	}
	panic("unknown kind " + fd.Kind().String()) // a field of a new kind needs values here
}

// enumNames returns the names of the values of an enum in both spellings, and what is not such a name.
func enumNames(ed protoreflect.EnumDescriptor) (right, wrong []any) {
	wrong = []any{nil, 0, 1, "", "NONSENSE", true, list{}, object{}}
	prefix := strings.TrimSuffix(string(ed.Values().ByNumber(0).Name()), "UNSPECIFIED")
	for i := range ed.Values().Len() {
		v := ed.Values().Get(i)
		full := string(v.Name())
		short := strings.TrimPrefix(full, prefix)
		if v.Number() == 0 {
			wrong = append(wrong, short, full)
			continue
		}
		right = append(right, short, full)
		wrong = append(wrong, strings.ToLower(short), strings.ToLower(full), full+"S", prefix+full, short+"\n")
	}
	return right, wrong
}

// values returns values of a field, right ones and wrong ones.
func values(fd protoreflect.FieldDescriptor) (right, wrong []any) {
	single := fd
	if fd.IsMap() {
		single = fd.MapValue()
	}
	one, bad := singles(single)
	switch {
	case fd.IsMap():
		right, wrong = []any{object{}, object{"a": one[0], "": one[0], "a.b/c": one[0]}}, []any{nil, "x", list{}, list{object{"a": one[0]}}}
		for _, v := range one {
			right = append(right, object{"a": v})
		}
		for _, v := range bad {
			wrong = append(wrong, object{"a": v}, object{"a": one[0], "b": v})
		}
	case fd.IsList():
		right, wrong = []any{one}, append([]any{nil, list{}, object{}, object{"0": one[0]}}, one...)
		for _, v := range one {
			right = append(right, list{v})
		}
		for _, v := range bad {
			wrong = append(wrong, list{v}, list{one[0], v})
		}
	default:
		return one, bad
	}
	return right, wrong
}

// place is a message within a file: in wraps a value of it.
type place struct {
	md protoreflect.MessageDescriptor
	in func(any) any
}

// places returns each message of a kind of file once.
func places(md protoreflect.MessageDescriptor) []place {
	all := []place{{md, func(v any) any { return v }}}
	for next := 0; next < len(all); next++ {
		outer := all[next]
		for i := range outer.md.Fields().Len() {
			fd := outer.md.Fields().Get(i)
			inner, wrap := fd.Message(), func(v any) any { return v }
			switch {
			case fd.IsMap():
				inner, wrap = fd.MapValue().Message(), func(v any) any { return object{"a": v} }
			case fd.IsList():
				wrap = func(v any) any { return list{v} }
			}
			if inner == nil || inner.FullName() == "google.protobuf.Duration" || slices.ContainsFunc(all, func(p place) bool { return p.md == inner }) {
				continue
			}
			all = append(all, place{inner, func(v any) any { return outer.in(object{string(fd.Name()): wrap(v)}) }})
		}
	}
	return all
}

// TestFields sets each field of each message in turn, in both spellings, to right and wrong values. The layer
// and the schema accept the right ones and refuse the wrong ones.
func TestFields(t *testing.T) {
	t.Parallel()
	var texts []text
	var right []bool
	fields := 0
	for k := range kinds {
		add := func(v any, isRight bool) {
			for _, format := range []string{"json", "yaml"} {
				texts, right = append(texts, text{k, format, write(t, format, v), ""}), append(right, isRight)
			}
		}
		for _, p := range places(kinds[k].message().ProtoReflect().Descriptor()) {
			for i := range p.md.Fields().Len() {
				fields++
				fd := p.md.Fields().Get(i)
				good, bad := values(fd)
				snake, camel := string(fd.Name()), fd.JSONName()
				for _, name := range slices.Compact([]string{snake, camel}) {
					for _, v := range good {
						add(p.in(object{name: v}), true)
					}
					for _, v := range bad {
						add(p.in(object{name: v}), false)
					}
				}
				for _, name := range []string{strings.ToUpper(snake), strings.ReplaceAll(snake, "_", "-") + "-", snake + "s", "x" + camel, camel + "x", snake + "\n", "_" + snake, fmt.Sprint(fd.Number())} {
					if name != snake && p.md.Fields().ByName(protoreflect.Name(name)) == nil && p.md.Fields().ByJSONName(name) == nil {
						add(p.in(object{name: good[0]}), false)
					}
				}
				if snake != camel {
					add(p.in(object{snake: good[0], camel: good[0]}), false)
				}
			}
		}
	}
	for i, r := range validate(t, texts) {
		x := texts[i]
		if read := len(x.read().Problems) == 0; read != right[i] || r.accepted() != right[i] {
			t.Errorf("%s %s: read: %t; an editor: %q; want both to accept it: %t", kinds[x.Kind].name, x.Text, read, r, right[i])
		}
	}
	const leastFields, leastTexts = 65, 5000
	if fields < leastFields || len(texts) < leastTexts {
		t.Errorf("%d fields, %d texts", fields, len(texts))
	}
}

// write writes a value as JSON, or as YAML in block style.
func write(t *testing.T, format string, v any) string {
	t.Helper()
	marshal := json.Marshal
	if format == "yaml" {
		marshal = yaml.Marshal
	}
	out, err := marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// drawer draws random files.
type drawer struct {
	*rand.Rand
	wrong bool // whether a wrong value has been drawn
}

const wrongOneIn = 60 // values are wrong

// message draws a message with some of its fields.
func (d *drawer) message(md protoreflect.MessageDescriptor, depth int) object {
	m := object{}
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		if d.IntN(md.Fields().Len()) >= 4 || depth == 0 && fd.Message() != nil {
			continue
		}
		name := string(fd.Name())
		if d.IntN(2) == 0 {
			name = fd.JSONName()
		}
		m[name] = d.value(fd, depth)
	}
	if d.IntN(wrongOneIn) == 0 {
		m["unknown"], d.wrong = "x", true
	}
	return m
}

func (d *drawer) value(fd protoreflect.FieldDescriptor, depth int) any {
	right, wrong := values(fd)
	inner := fd.Message()
	if fd.IsMap() {
		inner = fd.MapValue().Message()
	}
	switch {
	case d.IntN(wrongOneIn) == 0:
		d.wrong = true
		return wrong[d.IntN(len(wrong))]
	case inner == nil || inner.FullName() == "google.protobuf.Duration" || depth == 0:
		return right[d.IntN(len(right))]
	case fd.IsMap():
		return object{"a": d.message(inner, depth-1), "b": d.message(inner, depth-1)}
	case fd.IsList():
		return list{d.message(inner, depth-1), d.message(inner, depth-1)}
	}
	return d.message(inner, depth-1)
}

// TestRandomFiles: the layer and the schema agree about random files with many fields, of which some have a
// mistake anywhere.
func TestRandomFiles(t *testing.T) {
	t.Parallel()
	const number, seed = 2000, 1
	var texts []text
	var wrong []bool
	for i := range number {
		d := drawer{Rand: rand.New(rand.NewPCG(seed, uint64(i)))}
		k := i % len(kinds)
		v := d.message(kinds[k].message().ProtoReflect().Descriptor(), 3)
		for _, format := range []string{"json", "yaml"} {
			texts, wrong = append(texts, text{k, format, write(t, format, v), ""}), append(wrong, d.wrong)
		}
	}
	refused := 0
	for i, r := range validate(t, texts) {
		x := texts[i]
		file := x.read()
		if read := len(file.Problems) == 0; read == wrong[i] || r.accepted() == wrong[i] {
			t.Errorf("%s: read: %v; an editor: %q; wrong: %t\n%s", kinds[x.Kind].name, file.Problems, r, wrong[i], x.Text)
		}
		if wrong[i] {
			refused++
		}
	}
	if refused < number/4 || refused > 2*number-number/4 {
		t.Errorf("%d of %d files are wrong", refused, len(texts))
	}
}
