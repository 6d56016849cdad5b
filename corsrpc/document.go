package corsrpc

import (
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// Document is a policy that was parsed from text, with the position of each value in the text. It
// is immutable and safe for concurrent use.
type Document struct{ document *rules.Document }

// Policy returns the parsed policy. The caller must not modify it.
func (d *Document) Policy() *corsrpcv1.Policy { return d.document.Policy() }

// Name returns the name that ParsePolicy was given.
func (d *Document) Name() string { return d.document.Name() }

// Position returns the position of the value at a field path, such as
// rules[1].allow_origins[0]. It is false if the text does not set the field, or if the format
// has no positions (textproto and binary).
func (d *Document) Position(field string) (Position, bool) {
	p, ok := d.document.Position(field)
	return Position(p), ok
}

// ParsePolicy parses a policy. The extension of name gives the format: .yaml or .yml, .json,
// .textproto or .txtpb, .binpb or .pb.
//
// The error is a *PolicyError that lists the problems of the text in file order; a syntax error
// ends the list. ParsePolicy checks the form of the text only: Compile checks the policy.
func ParsePolicy(name string, text []byte, opts ...ParseOption) (*Document, error) {
	c := newParseConfig(opts)
	doc, violations := rules.Parse(name, text, c.maxPolicyBytes)
	if violations = append(c.violations, violations...); len(violations) > 0 {
		return nil, policyError(violations)
	}
	return &Document{doc}, nil
}
