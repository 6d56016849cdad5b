package main

import (
	"bytes"
	"encoding/json"

	"github.com/corsrpc/corsrpc-go/internal/protocomment"
)

// draft is the version of JSON Schema that all editors know.
const draft = "http://json-schema.org/draft-07/schema#"

// schema is a JSON Schema. Keywords beside $ref are ignored in this draft, so it stands alone, or
// within allOf.
type schema struct {
	Schema               string      `json:"$schema,omitempty"`
	Comment              string      `json:"$comment,omitempty"`
	Ref                  string      `json:"$ref,omitempty"`
	Description          string      `json:"description,omitempty"`
	MarkdownDescription  string      `json:"markdownDescription,omitempty"`
	Type                 string      `json:"type,omitempty"`
	Enum                 []string    `json:"enum,omitempty"`
	EnumDescriptions     []string    `json:"markdownEnumDescriptions,omitempty"`
	Pattern              string      `json:"pattern,omitempty"`
	Minimum              *int64      `json:"minimum,omitempty"`
	Maximum              *int64      `json:"maximum,omitempty"`
	MinItems             int         `json:"minItems,omitempty"`
	Items                *schema     `json:"items,omitempty"`
	AnyOf                []*schema   `json:"anyOf,omitempty"`
	AllOf                []*schema   `json:"allOf,omitempty"`
	Properties           schemas     `json:"properties,omitzero"`
	PatternProperties    schemas     `json:"patternProperties,omitzero"`
	Dependencies         schemas     `json:"dependencies,omitzero"`
	AdditionalProperties *additional `json:"additionalProperties,omitempty"`
	Definitions          schemas     `json:"definitions,omitzero"`
}

// schemas are schemas by name, in the order of the text.
type schemas []named

type named struct {
	name   string
	schema *schema // nil is the schema that accepts nothing
}

func (s *schemas) add(name string, value *schema) { *s = append(*s, named{name, value}) }

// MarshalJSON writes the schemas as an object.
func (s schemas) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, n := range s {
		if i > 0 {
			out.WriteByte(',')
		}
		name, err := marshal(n.name)
		if err != nil {
			return nil, err
		}
		value := []byte("false")
		if n.schema != nil {
			if value, err = marshal(n.schema); err != nil {
				return nil, err
			}
		}
		out.Write(name)
		out.WriteByte(':')
		out.Write(value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// additional is the schema of the properties that are not named; nil if there is none.
type additional struct{ *schema }

// MarshalJSON writes false if no other property is allowed.
func (a additional) MarshalJSON() ([]byte, error) {
	if a.schema == nil {
		return []byte("false"), nil
	}
	return marshal(a.schema)
}

// marshal writes a value without the escapes that only HTML needs.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// describe sets the descriptions of a schema to a comment. Editors show markdownDescription if
// they know it, and description as plain text.
func (s *schema) describe(comment string) {
	s.Description, s.MarkdownDescription = protocomment.Plain(comment), protocomment.Markdown(comment)
}
