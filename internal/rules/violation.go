package rules

import (
	"cmp"
	"slices"

	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// Code identifies the check that found a violation.
type Code string

// The codes. Those about a text are policyfile's, and those about a single origin are origin's.
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

// Violation is one mistake in a policy.
type Violation struct {
	// Code identifies the check that found it.
	Code Code
	// Place is where the value is written. Its Field is empty if the violation is about the
	// whole policy.
	Place
	// Value is the refused value.
	Value string
	// Reason says why the value is refused, as the rest of a sentence whose subject is the
	// value.
	Reason string
	// Fix is the value to write instead; empty if none can be suggested.
	Fix string
	// Related are the places of other values that contribute to the violation.
	Related []Place
}

// sortViolations sorts violations by their position in the file. Those without a position keep
// their order after the others.
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

// withoutDuplicates removes violations that were found twice, as those of an option of the
// schema are: it is read for the policy and for its shadow policy.
func withoutDuplicates(all []Violation) (kept []Violation) {
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

// withoutFollowUps removes the violations of fields that could not be read: their values are
// placeholders.
func withoutFollowUps(all, unreadable []Violation) []Violation {
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
