package rules

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// Position is a position in a text. Lines and columns count from 1, columns in characters. The
// zero value means that the position is unknown.
type Position = policyfile.Position

// Place is where a value is written.
type Place struct {
	// Field is the path of a field of the policy, such as rules[1].allow_origins[0], or of an
	// option in a .proto file, such as option(acme.v1.CatalogService).allow_headers[0]. It is
	// empty for a built-in value.
	Field string
	// File is the name of the policy's text or of the .proto file; empty if it is unknown.
	File string
	Position
	// Variable is the environment variable that holds the value; empty if there is none.
	Variable string
}

// places finds where the fields of a policy and the options of a schema are written. It is
// immutable.
type places struct {
	document *Document        // nil if there is none
	options  map[string]Place // by the service or method that has the option
}

// of returns the place of a field, or of the nearest field around it that has one.
func (p *places) of(field string) Place {
	if element, ok := strings.CutPrefix(field, schemaField); ok {
		element, _, _ = strings.Cut(element, ")")
		at := p.options[element]
		at.Field = field
		return at
	}
	at := Place{Field: field}
	if p.document != nil {
		at.File, at.Position = p.document.name, p.document.nearest(field)
	}
	return at
}

// optionPlace returns the place of an option of a service or a method.
func optionPlace(d protoreflect.Descriptor, number protoreflect.FieldNumber) Place {
	const optionsField = 3 // in ServiceDescriptorProto; in MethodDescriptorProto it is 4
	at := Place{File: d.ParentFile().Path()}
	locations := d.ParentFile().SourceLocations()
	element := locations.ByDescriptor(d)
	if element.Path == nil {
		return at
	}
	field := int32(optionsField)
	if _, ok := d.(protoreflect.MethodDescriptor); ok {
		field++
	}
	option := append(slices.Clone(element.Path), field, int32(number))
	l := locations.ByPath(option)
	for i := 0; l.Path == nil && i < locations.Len(); i++ { // option (corsrpc.v1.method).disabled = true
		if part := locations.Get(i); len(part.Path) > len(option) && slices.Equal(part.Path[:len(option)], option) {
			l = part
		}
	}
	if l.Path == nil {
		l = element
	}
	at.Position = Position{Line: l.StartLine + 1, Column: l.StartColumn + 1}
	return at
}
