package corsrpc

import (
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// Provenance says where a value of a plan comes from. It is comparable.
type Provenance struct {
	// Field is the path of the policy's field, such as rules[1].allow_origins[0],
	// or of an option in a .proto file, such as
	// option(acme.v1.CatalogService).allow_headers[0]. That GET is among a procedure's
	// methods comes from its "option idempotency_level". It is empty for what is built in.
	Field string
	// File is the name of the policy's text, or of the .proto file; empty where it
	// is not known.
	File string
	// Position is the place in that file, where it is known. Of a .proto file it is,
	// where the descriptors hold their source's places, as a buf image does.
	Position Position
	// Variable is the environment variable that holds the value; empty for none.
	Variable string
}

func provenanceOf(p rules.Place) Provenance {
	return Provenance{p.Field, p.File, Position(p.Position), p.Variable}
}

// String returns it in one line, such as
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

// FieldWithoutIndex returns Field without the place in a list at its end, such as
// rules[1].allow_origins for rules[1].allow_origins[7]. Such fields are bounded in number
// by the policy's rules, however many origins these list, so they are what metrics and
// groups of requests are kept by.
func (p Provenance) FieldWithoutIndex() string {
	list := strings.LastIndexByte(p.Field, '[')
	if list < 0 || !strings.HasSuffix(p.Field, "]") || strings.HasSuffix(p.Field[:list], "rules") {
		return p.Field
	}
	return p.Field[:list]
}
