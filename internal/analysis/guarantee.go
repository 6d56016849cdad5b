package analysis

import (
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// CallSet is a set of calls. A call is in the set if each field that is set contains it.
type CallSet struct {
	// Calls are selectors, and paths or patterns of paths; empty for "*". For Never, "*" is every
	// procedure and every path of a rule; for Always it is what the selector "*" of a policy covers.
	Calls []string
	// Origins are the origins of the pages; empty for every origin that exists.
	Origins []origin.Pattern
	// OriginsOutside are the origins that the set does not have.
	OriginsOutside []origin.Pattern
	// ExceptSources are the origin sources, and the environment variables as ${NAME}, whose origins
	// are not in the set.
	ExceptSources []string
	// Credentials is whether the calls carry credentials; nil for both kinds.
	Credentials *bool
	// RequestHeaders are names of request headers, in lower case, all of which each call has.
	RequestHeaders []string
	// ResponseHeaders are names of response headers, in lower case: Never is about calls that let the
	// script read any of them, Always about all.
	ResponseHeaders []string
	// Methods are the HTTP methods of the calls; empty for POST and GET of procedures and the methods of
	// the rules of paths.
	Methods []string
}

// Proof is the result of Never or Always.
type Proof struct {
	// Holds is true if the guarantee holds.
	Holds bool
	// Undecided says why it could not be decided; empty if it could.
	Undecided string
	// Reason says what contradicts the guarantee, as a sentence; empty if it holds.
	Reason string
	// Place is the place in the policy that contradicts the guarantee, if there is one.
	Place rules.Place
	// Target is the target of the counterexample, as in Difference.Targets.
	Target string
	// Counterexample is a call of the set that is granted (Never), or is not (Always).
	Counterexample Call
}

// Never proves that no call of a set is granted, or returns a counterexample. A path that no rule
// governs, and a policy that only observes, are counterexamples too, since calls reach the handler.
func Never(r *rules.Rules, set CallSet) Proof { return Proof{} }

// Always proves that every call of a set is granted, or returns a counterexample.
func Always(r *rules.Rules, set CallSet) Proof { return Proof{} }
