package policytest

import (
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

// Status is the status of a result.
type Status string

// The statuses.
const (
	// Passed: the outcome is the expected one, or the guarantee holds.
	Passed Status = "passed"
	// Failed: it is not.
	Failed Status = "failed"
	// Unknown: it depends on something that is not known, such as the origins of a source.
	Unknown Status = "unknown"
)

// Kind is the kind of an item of a test.
type Kind string

// The kinds.
const (
	KindCase      Kind = "case"
	KindGuarantee Kind = "guarantee"
)

// Result is the result of a case or a guarantee.
type Result struct {
	// Kind and Name tell the item, and Place is where it is written.
	Kind  Kind
	Name  string
	Place report.Place
	// Status is its status.
	Status Status

	// Expected says what the test expects, and Happened what happens. Happened is a sentence without
	// a period.
	Expected, Happened string
	// Engines are the engines in which a case fails; empty if it fails in all that it names.
	Engines []string
	// Reason is the layer's reason; empty if there is none.
	Reason string
	// Remedy says what to change so that the outcome is the expected one; empty if that is not known.
	Remedy string
	// From is the place in the policy that the outcome comes from; the zero Place if there is none.
	From report.Place
	// Curl is a command for a POSIX shell that sends the request; empty if there is none.
	Curl string
	// Counterexample is a case in YAML, an item of cases, that shows why a guarantee does not hold;
	// empty for a case, and if no script can make the request.
	Counterexample string
	// Add says what to add to the test if the status is Unknown.
	Add string
}
