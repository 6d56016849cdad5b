package corsrpc

import (
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// Provenance is the place that a value of a plan comes from. It is comparable.
type Provenance struct {
	// Field is the path of a field in the policy, such as rules[1].allow_origins[0], or in an
	// option of a .proto file, such as option(acme.v1.CatalogService).allow_headers[0]. It is
	// "option idempotency_level" for the method GET of a procedure, and empty for a built-in
	// value.
	Field string
	// File is the name of the policy text or of the .proto file; empty if it is not known.
	File string
	// Position is the position in that file, if it is known. The position in a .proto file is
	// known if its descriptors have source code info, as those in a buf image have.
	Position Position
	// Variable is the environment variable that the value comes from; empty if there is none.
	Variable string
}

// provenanceOf returns a place of internal/rules as a Provenance.
func provenanceOf(p rules.Place) Provenance {
	return Provenance{p.Field, p.File, Position(p.Position), p.Variable}
}

// String returns the provenance in one line, such as
// "rules[1].allow_origins[0] at cors.yaml:12:7", or "built in".
func (p Provenance) String() string {
	if p.Field == "" {
		return "built in"
	}
	s := p.Field
	if p.File != "" {
		s += " at " + place(p.File, p.Position)
	}
	if p.Variable != "" {
		s += ", from the environment variable " + p.Variable
	}
	return s
}

// FieldWithoutIndex returns Field without the index at its end, such as rules[1].allow_origins for
// rules[1].allow_origins[7]. The number of these fields is bounded by the number of rules and does
// not grow with their origins, so metrics can use them as labels.
func (p Provenance) FieldWithoutIndex() string {
	list := strings.LastIndexByte(p.Field, '[')
	if list < 0 || !strings.HasSuffix(p.Field, "]") || strings.HasSuffix(p.Field[:list], "rules") {
		return p.Field
	}
	return p.Field[:list]
}
