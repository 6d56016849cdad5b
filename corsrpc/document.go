package corsrpc

import (
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// Document is a policy that was read from text, with the place of each value.
// It is immutable and safe for concurrent use.
type Document struct{ document *rules.Document }

// Policy returns the policy that the text says. The caller may not change it.
func (d *Document) Policy() *corsrpcv1.Policy { return d.document.Policy() }

// Name returns the name that the text was parsed under.
func (d *Document) Name() string { return d.document.Name() }

// Position returns the place of the value at the field path, such as
// rules[1].allow_origins[0], and false where the text does not set it or its
// format has no places (textproto and binary).
func (d *Document) Position(field string) (Position, bool) {
	p, ok := d.document.Position(field)
	return Position(p), ok
}

// ParsePolicy reads a policy from text, in the format that the extension of
// name says: .yaml or .yml, .json, .textproto or .txtpb, .binpb or .pb.
//
// The error is a *PolicyError that lists every problem of the text in file
// order; the document is then nil. What the policy says is checked by Compile.
func ParsePolicy(name string, text []byte, opts ...ParseOption) (*Document, error) {
	c := newParseConfig(opts)
	doc, violations := rules.Parse(name, text, c.maxPolicyBytes)
	if violations = append(c.violations, violations...); len(violations) > 0 {
		return nil, policyError(violations)
	}
	return &Document{doc}, nil
}
