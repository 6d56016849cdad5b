package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/corsrpc/corsrpc-go/internal/policyfile"
	"github.com/corsrpc/corsrpc-go/internal/protocomment"
)

// documentOf returns the text of the schema of files with a message. The message itself is the root.
func documentOf(md protoreflect.MessageDescriptor) ([]byte, error) {
	c := converter{root: md.FullName(), defined: map[protoreflect.FullName]bool{}}
	root, err := c.message(md)
	if err != nil {
		return nil, err
	}
	root.describe(protocomment.Of(md))
	root.Schema = draft
	root.Comment = "Generated from proto/" + md.ParentFile().Path() + " by internal/jsonschema; make generate writes it anew."
	root.Definitions = c.definitions
	text, err := marshal(root)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// converter converts messages and enums. Each but the root becomes a definition, in the order in
// which it is first used.
type converter struct {
	root        protoreflect.FullName
	definitions schemas
	defined     map[protoreflect.FullName]bool
}

// message returns the schema of a message. The names of fields in lowerCamelCase are patterns,
// since editors suggest properties only.
func (c *converter) message(md protoreflect.MessageDescriptor) (*schema, error) {
	s := &schema{Type: "object", AdditionalProperties: &additional{}}
	ref := c.ref(md)
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		field, err := c.field(fd)
		if err != nil {
			return nil, err
		}
		snake, camel := string(fd.Name()), fd.JSONName()
		s.Properties.add(snake, field)
		if camel == snake {
			continue
		}
		s.PatternProperties.add("^"+camel+"$", &schema{Ref: ref + "/properties/" + snake})
		s.Dependencies.add(snake, &schema{Properties: schemas{{camel, nil}}}) // both spellings of one field are an error
	}
	return s, nil
}

// ref returns the reference to a message or an enum.
func (c *converter) ref(d protoreflect.Descriptor) string {
	if d.FullName() == c.root {
		return "#"
	}
	return "#/definitions/" + string(d.Name())
}

// define adds the definition of a message or an enum, and returns a schema that refers to it.
func (c *converter) define(d protoreflect.Descriptor) (*schema, error) {
	reference := &schema{Ref: c.ref(d)}
	if d.FullName() == c.root || c.defined[d.FullName()] {
		return reference, nil
	}
	c.defined[d.FullName()] = true
	at := len(c.definitions)
	c.definitions.add(string(d.Name()), nil)
	var s *schema
	var err error
	switch d := d.(type) {
	case protoreflect.EnumDescriptor:
		s, err = enum(d)
	case protoreflect.MessageDescriptor:
		s, err = c.message(d)
	}
	c.definitions[at].schema = s
	return reference, err
}

// field returns the schema of a field with its description.
func (c *converter) field(fd protoreflect.FieldDescriptor) (*schema, error) {
	comment := protocomment.Of(fd)
	if comment == "" {
		return nil, fmt.Errorf("%s does not have a comment", fd.FullName())
	}
	var s *schema
	switch {
	case fd.IsMap():
		value, err := c.element(fd.MapValue())
		if err != nil {
			return nil, err
		}
		s = &schema{Type: "object", AdditionalProperties: &additional{value}}
	case fd.IsList():
		item, err := c.element(fd)
		if err != nil {
			return nil, err
		}
		s = &schema{Type: "array", MinItems: 1, Items: item}
	default:
		value, err := c.value(fd)
		if err != nil {
			return nil, err
		}
		if s = value; s.Ref != "" {
			s = &schema{AllOf: []*schema{value}}
		}
	}
	s.describe(comment)
	if fd.Kind() == protoreflect.EnumKind && !fd.IsList() {
		s.Description = protocomment.Plain(comment + choicesOf(fd.Enum()))
	}
	return s, nil
}

// element returns the schema of an item of a list, or of a value of a map. Its description is that of its message or
// enum: editors show the first description of a place, so a definition has none.
func (c *converter) element(fd protoreflect.FieldDescriptor) (*schema, error) {
	s, err := c.value(fd)
	if err != nil || s.Ref == "" {
		return s, err
	}
	s = &schema{AllOf: []*schema{s}}
	if fd.Kind() == protoreflect.EnumKind {
		s.describe(protocomment.Of(fd.Enum()))
		s.Description = protocomment.Plain(protocomment.Of(fd.Enum()) + choicesOf(fd.Enum()))
	} else {
		s.describe(protocomment.Of(fd.Message()))
	}
	return s, nil
}

// value returns the schema of a single value of a field.
func (c *converter) value(fd protoreflect.FieldDescriptor) (*schema, error) {
	switch fd.Kind() {
	case protoreflect.StringKind:
		return &schema{Type: "string"}, nil
	case protoreflect.BoolKind:
		return &schema{Type: "boolean"}, nil
	case protoreflect.Int32Kind:
		least, most := int64(math.MinInt32), int64(math.MaxInt32)
		return &schema{Type: "integer", Minimum: &least, Maximum: &most}, nil
	case protoreflect.Int64Kind:
		least, most := int64(math.MinInt64), int64(math.MaxInt64)
		return &schema{Type: "integer", Minimum: &least, Maximum: &most}, nil
	case protoreflect.EnumKind:
		return c.define(fd.Enum())
	case protoreflect.MessageKind:
		if fd.Message().FullName() == "google.protobuf.Duration" {
			return &schema{Type: "string", Pattern: policyfile.DurationPattern}, nil
		}
		return c.define(fd.Message())
	}
	return nil, fmt.Errorf("%s has the type %s, which internal/policyfile does not read", fd.FullName(), fd.Kind())
}

// enum returns the schema of an enum. The full names of its values are a pattern, since editors
// suggest the values of enum only.
func enum(ed protoreflect.EnumDescriptor) (*schema, error) {
	short := &schema{Type: "string"}
	var full []string
	for _, v := range policyfile.EnumValues(ed) {
		comment := protocomment.Of(ed.Values().ByNumber(v.Number))
		if comment == "" {
			return nil, fmt.Errorf("%s does not have a comment", v.Full)
		}
		short.Enum = append(short.Enum, v.Short)
		short.EnumDescriptions = append(short.EnumDescriptions, protocomment.Markdown(comment))
		full = append(full, v.Full)
	}
	return &schema{AnyOf: []*schema{short, {Type: "string", Pattern: "^(" + strings.Join(full, "|") + ")$"}}}, nil
}

// choicesOf returns the values of an enum as a list, for editors that do not know the descriptions of values.
func choicesOf(ed protoreflect.EnumDescriptor) string {
	var list strings.Builder
	list.WriteByte('\n')
	for _, v := range policyfile.EnumValues(ed) {
		lines := strings.Split(protocomment.Of(ed.Values().ByNumber(v.Number)), "\n")
		fmt.Fprintf(&list, "\n  - %s: %s", v.Short, strings.Join(lines, " "))
	}
	return list.String()
}
