package corsrpc

import (
	"slices"

	"github.com/corsrpc/corsrpc-go/internal/analysis"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// FindingKind is the kind of a finding. Its values are stable: programs may compare them.
type FindingKind string

// The kinds of findings. FindingKind.Meaning says what each one reports. The first three report
// values that may grant more than the author of the policy intends, the others values that change
// nothing.
const (
	FindingPatternWithCredentials FindingKind = FindingKind(analysis.KindPatternWithCredentials)
	FindingLoopbackOutsideProfile FindingKind = FindingKind(analysis.KindLoopbackOutsideProfile)
	FindingSharedHost             FindingKind = FindingKind(analysis.KindSharedHost)
	FindingRuleChangesNothing     FindingKind = FindingKind(analysis.KindRuleChangesNothing)
	FindingOriginCovered          FindingKind = FindingKind(analysis.KindOriginCovered)
	FindingOriginsUnused          FindingKind = FindingKind(analysis.KindOriginsUnused)
	FindingOriginNotAdded         FindingKind = FindingKind(analysis.KindOriginNotAdded)
	FindingHeaderChangesNothing   FindingKind = FindingKind(analysis.KindHeaderChangesNothing)
	FindingRiskNotNeeded          FindingKind = FindingKind(analysis.KindRiskNotNeeded)
	FindingDuplicateValue         FindingKind = FindingKind(analysis.KindDuplicateValue)
)

// findingMeanings is the list of all kinds of findings, each with the part of a policy that it
// reports, and whether that part may grant more than its author intends.
var findingMeanings = []struct {
	kind    FindingKind
	meaning string
	grants  bool
}{
	{FindingPatternWithCredentials, "an origin with a star, in a rule that allows credentials", true},
	{FindingLoopbackOutsideProfile, "an origin of the visitor's own machine, outside of a profile", true},
	{FindingSharedHost, "an origin that unrelated people share", true},
	{FindingRuleChangesNothing, "a rule each of whose values is inherited anyway", false},
	{FindingOriginCovered, "an origin that is allowed without it, by a wildcard in its list or by every rule that it is added to", false},
	{FindingOriginsUnused, "a list of origins that only disabled rules have", false},
	{FindingOriginNotAdded, "an item of add_origins that does not join the rules with credentials", false},
	{FindingHeaderChangesNothing, "an item of a list of headers that has no effect", false},
	{FindingRiskNotNeeded, "an accepted risk that no value has", false},
	{FindingDuplicateValue, "an item that its list has twice", false},
}

// FindingKinds returns all kinds of findings, always in the same order.
func FindingKinds() []FindingKind {
	all := make([]FindingKind, len(findingMeanings))
	for i, row := range findingMeanings {
		all[i] = row.kind
	}
	return all
}

// Meaning returns the part of a policy that findings of this kind report, as a noun phrase in
// English; empty for a value that is not a kind. The wording may change.
func (k FindingKind) Meaning() string {
	for _, row := range findingMeanings {
		if row.kind == k {
			return row.meaning
		}
	}
	return ""
}

// mayGrantTooMuch reports whether findings of this kind are about values that may grant more than
// the author of the policy intends.
func (k FindingKind) mayGrantTooMuch() bool {
	for _, row := range findingMeanings {
		if row.kind == k {
			return row.grants
		}
	}
	return false
}

// Finding is a part of a policy that loads and that its author should look at: it may grant more
// than is intended, or it changes nothing. Fields may be added: use field names in literals.
type Finding struct {
	// Kind is the kind of the finding.
	Kind FindingKind
	// Field is the path of the value, such as rules[1].allow_origins[0] or rules[2].
	Field string
	// Value is the value, shortened if it is long; the selector or path if the finding is about a
	// whole rule.
	Value string
	// File is the name of the policy text or the .proto file; empty if it is not known.
	File string
	// Position is the position of the value in the file, if it is known.
	Position Position
	// Message says what is the case, as the rest of a sentence whose subject is the value.
	Message string
	// Remedy says what to write instead.
	Remedy string
	// Related are other values that the finding involves, such as the allow_credentials of a
	// wildcard with credentials.
	Related []Related
}

// String returns the finding in one line, in the form of a Violation:
// file:line:column: field: "value" message (related): remedy [KIND].
func (f Finding) String() string {
	return inOneLine(Violation{
		Check: Check(f.Kind), Field: f.Field, Value: f.Value, File: f.File, Position: f.Position, Reason: f.Message, Related: f.Related,
	}, f.Remedy)
}

// findings are the results of Findings and FindingsLeft.
type findings struct {
	listed []Finding
	left   int
}

// findingsOf returns the findings about compiled rules, as find returns them.
func findingsOf(r *rules.Rules, find func(*rules.Rules) ([]analysis.Finding, int)) findings {
	found, left := find(r)
	all := findings{left: left}
	for _, f := range found {
		finding := Finding{
			Kind: FindingKind(f.Kind), Field: f.Field, Value: shorten(f.Value), File: f.File, Position: Position(f.Position), Message: f.Message, Remedy: f.Remedy,
		}
		for _, r := range f.Related {
			finding.Related = append(finding.Related, Related{r.Field, r.File, Position(r.Position)})
		}
		all.listed = append(all.listed, finding)
	}
	return all
}

// Findings returns what deserves a look in the policy and the chosen profile although the policy
// loads, in the order of the file. It returns at most 20 findings of each kind; FindingsLeft counts
// the others. The findings of the shadow policy are those of the plan that Shadow returns. The first
// call takes about as long as Compile, later ones copy its result. Findings is safe for concurrent
// use.
func (p *Plan) Findings() []Finding {
	all := slices.Clone(p.findings().listed)
	for i := range all {
		all[i].Related = slices.Clone(all[i].Related)
	}
	return all
}

// FindingsLeft returns the number of findings that Findings leaves out. It is safe for concurrent
// use.
func (p *Plan) FindingsLeft() int { return p.findings().left }

// equalFindings reports whether two lists of findings say the same.
func equalFindings(a, b findings) bool {
	return a.left == b.left && slices.EqualFunc(a.listed, b.listed, func(a, b Finding) bool { return a.String() == b.String() })
}
