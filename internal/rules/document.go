package rules

import (
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// Document is a policy that was read from text, with the position of each value. It is
// immutable and safe for concurrent use.
type Document struct {
	name   string
	policy *corsrpcv1.Policy
	file   *policyfile.File // nil if there is none
}

// Parse reads a policy from text, in the format that the extension of name stands for. It does
// not read a text of more than maxBytes, unless the format is binary. It returns the values
// that could be read together with the problems, or a nil document if nothing could be read.
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

// Name returns the name that was given to Parse.
func (d *Document) Name() string { return d.name }

// Policy returns the policy. The caller must not change it.
func (d *Document) Policy() *corsrpcv1.Policy { return d.policy }

// Position returns the position of the value at a field path. It returns false if the text does
// not set the value, or if its format has no positions (textproto and binary).
func (d *Document) Position(field string) (Position, bool) { return d.file.Position(field) }

// withoutPolicy returns a document that has the positions but not the policy, to free the
// policy's memory.
func (d *Document) withoutPolicy() *Document {
	if d == nil {
		return nil
	}
	return &Document{name: d.name, file: d.file}
}

// nearest returns the position of a field, or of the nearest field around it that has one.
func (d *Document) nearest(field string) Position {
	for field != "" {
		if p, ok := d.Position(field); ok {
			return p
		}
		field = field[:max(strings.LastIndexByte(field, '.'), 0)]
	}
	return Position{}
}
