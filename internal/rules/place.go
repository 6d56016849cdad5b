package rules

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// Position is a place in a text. Lines and columns count from 1, columns in characters; the
// zero value means that the place is not known.
type Position = policyfile.Position

// Place is where a value is written.
type Place struct {
	// Field is the path of the policy's field, such as rules[1].allow_origins[0], or of an
	// option in a .proto file, such as option(acme.v1.CatalogService).allow_headers[0]. It is
	// empty for what is built in.
	Field string
	// File is the name of the policy's text, or of the .proto file; empty where it is not
	// known.
	File string
	Position
	// Variable is the environment variable that holds the value; empty for none.
	Variable string
}

// places finds where the fields of a policy and the options of a schema are
// written. It is immutable.
type places struct {
	document *Document        // nil for none
	options  map[string]Place // by the element that an option stands at
}

// of returns where a field is written, or the nearest field around it.
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

// optionPlace finds where an option of a service or method is written.
func optionPlace(d protoreflect.Descriptor, number protoreflect.FieldNumber) Place {
	const optionsField = 3 // of ServiceDescriptorProto, and of MethodDescriptorProto 4
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
	l := locations.ByPath(append(slices.Clone(element.Path), field, int32(number)))
	if l.Path == nil {
		l = element
	}
	at.Position = Position{Line: l.StartLine + 1, Column: l.StartColumn + 1}
	return at
}
