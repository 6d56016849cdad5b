package rules

import (
	"cmp"
	"slices"

	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// Code names what is wrong with a policy.
type Code string

// The codes. Those of texts are policyfile's, and those of single origins are origin's.
const (
	CodeUnknownField            Code = policyfile.CodeUnknownField
	CodeUnknownEnumValue        Code = policyfile.CodeUnknownEnumValue
	CodeOriginSyntax            Code = Code(origin.CodeSyntax)
	CodeWildcardWithCredentials Code = "WILDCARD_WITH_CREDENTIALS"
	CodeNullWithCredentials     Code = "NULL_WITH_CREDENTIALS"
	CodeSelectorMissing         Code = "SELECTOR_MISSING"
	CodeSelectorMisplaced       Code = "SELECTOR_MISPLACED"
	CodeSelectorSyntax          Code = "SELECTOR_SYNTAX"
	CodeSelectorUnknown         Code = "SELECTOR_UNKNOWN"
	CodeSelectorDuplicate       Code = "SELECTOR_DUPLICATE"
	CodePathSyntax              Code = "PATH_SYNTAX"
	CodePathConflict            Code = "PATH_CONFLICT"
	CodePathIsProcedure         Code = "PATH_IS_PROCEDURE"
	CodeFieldMisplaced          Code = "FIELD_MISPLACED"
	CodeMethodSyntax            Code = "METHOD_SYNTAX"
	CodeHeaderSyntax            Code = "HEADER_SYNTAX"
	CodeHeaderForbidden         Code = "HEADER_FORBIDDEN"
	CodeHeaderContradiction     Code = "HEADER_CONTRADICTION"
	CodeProtocolHeader          Code = "PROTOCOL_HEADER"
	CodeMaxAgeRange             Code = "MAX_AGE_RANGE"
	CodeRuleIneffective         Code = "RULE_INEFFECTIVE"
	CodeProfileUnknown          Code = "PROFILE_UNKNOWN"
	CodeEnvironment             Code = "ENVIRONMENT"
	CodeOriginSource            Code = "ORIGIN_SOURCE"
	CodeSchemaOption            Code = "SCHEMA_OPTION"
	CodeNoOrigins               Code = "NO_ORIGINS"
	CodeOption                  Code = "OPTION"
)

// Violation is one thing that is wrong with a policy.
type Violation struct {
	// Code is the check that found it.
	Code Code
	// Place is where the value is written; its Field is empty where the violation is about
	// the whole policy.
	Place
	// Value is the offending value.
	Value string
	// Reason says why the value is refused, as the end of a sentence that begins with it.
	Reason string
	// Fix is what to write instead, where that can be said.
	Fix string
	// Related are the places of other values that are involved.
	Related []Place
}

// sortViolations puts violations in file order; those without a place keep
// their order, behind the others.
func sortViolations(vs []Violation) {
	slices.SortStableFunc(vs, func(a, b Violation) int {
		if unknownA, unknownB := a.Position == (Position{}), b.Position == (Position{}); unknownA || unknownB {
			switch {
			case unknownA && unknownB:
				return 0
			case unknownA:
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// withoutRepetitions drops what was found twice: an option of the schema is read for the
// policy and for its shadow.
func withoutRepetitions(all []Violation) (kept []Violation) {
	type key struct {
		code                                Code
		file, field, value, reason, related string
	}
	seen := map[key]bool{}
	for _, v := range all {
		k := key{code: v.Code, file: v.File, field: v.Field, value: v.Value, reason: v.Reason}
		for _, r := range v.Related {
			k.related += r.Field + "\x00"
		}
		if !seen[k] {
			seen[k] = true
			kept = append(kept, v)
		}
	}
	return kept
}

// withoutEchoes drops what was found of values that could not even be read:
// they stand for nothing.
func withoutEchoes(all, unreadable []Violation) []Violation {
	fields := map[string]bool{}
	for _, v := range unreadable {
		fields[v.Field] = v.Field != ""
	}
	kept := slices.Clone(unreadable)
	for _, v := range all[len(unreadable):] {
		if !fields[v.Field] {
			kept = append(kept, v)
		}
	}
	return kept
}
