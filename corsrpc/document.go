package corsrpc

import (
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// Document is a policy that was read from text, with the place of each value.
// It is immutable and safe for concurrent use.
type Document struct {
	name   string
	policy *corsrpcv1.Policy
	file   *policyfile.File
}

// Policy returns the policy that the text says. The caller may not change it.
func (d *Document) Policy() *corsrpcv1.Policy { return d.policy }

// Name returns the name that the text was parsed under.
func (d *Document) Name() string { return d.name }

// Position returns the place of the value at the field path, such as
// rules[1].allow_origins[0], and false where the text does not set it or its
// format has no places (textproto and binary).
func (d *Document) Position(field string) (Position, bool) {
	if d.file == nil {
		return Position{}, false
	}
	p, ok := d.file.Position(field)
	return Position(p), ok
}

// ParsePolicy reads a policy from text, in the format that the extension of
// name says: .yaml or .yml, .json, .textproto or .txtpb, .binpb or .pb.
//
// The error is a *PolicyError that lists every problem of the text in file
// order; the document is then nil. What the policy says is checked by Compile.
// Of the options only WithMaxPolicyBytes has a meaning here.
func ParsePolicy(name string, text []byte, opts ...CompileOption) (*Document, error) {
	doc, violations := readDocument(name, text, newCompileConfig(opts))
	if len(violations) > 0 {
		return nil, &PolicyError{violations}
	}
	return doc, nil
}

// readDocument returns what could be read along with the problems, so that
// Load reports those of the text and those of its meaning together. The
// document is nil where nothing can be made of the text.
func readDocument(name string, text []byte, c *compileConfig) (*Document, []Violation) {
	doc := &Document{name: name, policy: &corsrpcv1.Policy{}}
	doc.file = policyfile.Parse(name, text, doc.policy, c.maxPolicyBytes)
	violations := make([]Violation, len(doc.file.Problems))
	for i, p := range doc.file.Problems {
		violations[i] = Violation{
			Check: Check(p.Code), Field: p.Field, Value: p.Value, File: name,
			Position: Position(p.Pos), Reason: p.Reason, Fix: p.Fix,
		}
	}
	if doc.file.Fatal {
		return nil, violations
	}
	return doc, violations
}

// places is the document without the policy.
func (d *Document) places() *Document {
	if d == nil {
		return nil
	}
	return &Document{name: d.name, file: d.file}
}

// position finds the place of a field, or of the nearest field around it.
func (d *Document) position(field string) Position {
	for d != nil && field != "" {
		if p, ok := d.Position(field); ok {
			return p
		}
		field = field[:max(strings.LastIndexByte(field, '.'), 0)]
	}
	return Position{}
}
