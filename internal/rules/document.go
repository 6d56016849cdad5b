package rules

import (
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// Document is a policy that was read from text, with the place of each value. It is
// immutable and safe for concurrent use.
type Document struct {
	name   string
	policy *corsrpcv1.Policy
	file   *policyfile.File // nil for none
}

// Parse reads a policy from text, in the format that the extension of name says. A text of
// more than maxBytes is refused unread, unless it is a binary one. It returns what could be
// read along with the problems; the document is nil where nothing can be made of the text.
func Parse(name string, text []byte, maxBytes int) (*Document, []Violation) {
	doc := &Document{name: name, policy: &corsrpcv1.Policy{}}
	doc.file = policyfile.Parse(name, text, doc.policy, maxBytes)
	violations := make([]Violation, len(doc.file.Problems))
	for i, p := range doc.file.Problems {
		violations[i] = Violation{
			Code: Code(p.Code), Place: Place{Field: p.Field, File: name, Position: p.Pos},
			Value: p.Value, Reason: p.Reason, Fix: p.Fix,
		}
	}
	if doc.file.Fatal {
		return nil, violations
	}
	return doc, violations
}

// Name returns the name that the text was parsed under.
func (d *Document) Name() string { return d.name }

// Policy returns the policy that the text says. The caller may not change it.
func (d *Document) Policy() *corsrpcv1.Policy { return d.policy }

// Position returns the place of the value at the field path, and false where the text does
// not set it or its format has no places (textproto and binary).
func (d *Document) Position(field string) (Position, bool) { return d.file.Position(field) }

// withoutPolicy returns the document without its policy, for whoever keeps the places only.
func (d *Document) withoutPolicy() *Document {
	if d == nil {
		return nil
	}
	return &Document{name: d.name, file: d.file}
}

// nearest finds the place of a field, or of the nearest field around it.
func (d *Document) nearest(field string) Position {
	for field != "" {
		if p, ok := d.Position(field); ok {
			return p
		}
		field = field[:max(strings.LastIndexByte(field, '.'), 0)]
	}
	return Position{}
}
