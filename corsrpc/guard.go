package corsrpc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/analysis"
)

// WithGuard refuses every policy that grants more than a guard plan does. Compile the guard from a
// policy that only a new release of the program can change, such as an embedded file. New and Load
// then fail with a *GuardError if their policy grants more. Reload and Watch keep the policy in
// force and report the error: Reload returns it, the log has it at level ERROR, and the reload event
// has it in Err. Watch reports a refused file once, and tries it again when the file changes. A nil
// or zero plan is an error of New or Load. Default: none, and every valid policy is put in force.
//
// The guard itself decides on no request. A plan is compared with it as `corsrpc diff` compares
// policies, by what both grant in the end: with their profiles, environment values, enforcement,
// path prefixes and schemas. So compile the guard with the same schema and the same WithPathPrefix.
// A plan grants more if any of these is true:
//   - A page may call, send or read something that the guard does not grant it. Credentials, request
//     and response headers, methods and timing details count.
//   - Browsers may use the answer to a preflight for longer. Write the longest max_age in the guard.
//   - More requests reach the handler without a grant, for example under enforcement: OBSERVE, or on
//     a path that only the guard has a rule for.
//   - It cannot be decided whether the plan grants more.
//
// Origin sources are compared by name: a plan may name a source where the guard does, and the
// origins that the source has then do not matter. The layer does not load the sources of the guard.
// A shadow policy is not compared, neither that of the plan nor that of WithShadow, since it grants
// nothing. It is compared when it becomes the policy.
func WithGuard(guard *Plan) LayerOption {
	return layerOption(func(c *layerConfig) {
		switch {
		case guard.missing():
			c.fail("WithGuard", "the plan is nil or zero: pass a plan that Compile returns, or leave the option out")
		case c.guard != nil:
			c.fail("WithGuard", "the option is given twice: write one guard policy")
		default:
			c.guard = guard
		}
	})
}

// GuardError is the error of New, Load, Reload and of a reload event if the plan grants more than the
// guard (WithGuard), or if this cannot be decided. Use errors.As. Fields may be added: use field
// names in literals.
type GuardError struct {
	// Wider is what the plan grants and the guard does not: at most 20 differences. More is the
	// number of the others.
	Wider []GuardDifference
	More  int
	// Undecided says what could not be compared, one sentence each: at most 20. The plan may grant
	// more there. MoreUndecided is the number of the others.
	Undecided     []string
	MoreUndecided int
}

// GuardDifference is something that a plan grants and the guard does not. It is comparable. Fields
// may be added: use field names in literals.
type GuardDifference struct {
	// Sentence says what the plan grants, in English with the places. The wording may change.
	Sentence string
	// Plan is the place that leads to it in the policy of the plan, and Guard that in the guard's
	// policy, as far as there are any.
	Plan, Guard Provenance
}

// maxGuardDifferences is the maximum number of each list of a GuardError.
const maxGuardDifferences = 20

// Error returns the differences, one on each line.
func (e *GuardError) Error() string {
	var b strings.Builder
	b.WriteString("corsrpc: the policy grants more than the guard of WithGuard allows:")
	if len(e.Wider) == 0 {
		b.Reset()
		b.WriteString("corsrpc: it cannot be decided whether the policy grants more than the guard of WithGuard allows:")
	}
	for _, d := range e.Wider {
		b.WriteString("\n\t" + d.Sentence)
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "\n\tand %d more differences", e.More)
	}
	for _, u := range e.Undecided {
		b.WriteString("\n\tundecided: " + u)
	}
	if e.MoreUndecided > 0 {
		fmt.Fprintf(&b, "\n\tand %d more that are undecided", e.MoreUndecided)
	}
	return b.String()
}

// checkGuard returns a *GuardError if a plan grants more than the layer's guard, or if this cannot be
// decided. It may take long for large policies, so the caller holds no lock.
func (l *Layer) checkGuard(plan *Plan) error {
	if l.guard == nil {
		return nil
	}
	compared := analysis.Compare(l.guard.rules, plan.rules)
	return guardError(compared, analysis.NewSentences(l.guard.rules, plan.rules))
}

// guardError returns the *GuardError for the comparison of a guard with a plan; nil if the plan grants
// nothing more, and everything could be compared.
func guardError(compared *analysis.Comparison, sentences *analysis.Sentences) error {
	e := &GuardError{}
	for _, d := range compared.Differences {
		switch {
		case !d.Gained:
		case len(e.Wider) == maxGuardDifferences:
			e.More++
		default:
			e.Wider = append(e.Wider, GuardDifference{sentences.Of(d), provenanceOf(d.New), provenanceOf(d.Old)})
		}
	}
	e.Undecided = slices.Clone(compared.Undecided[:min(len(compared.Undecided), maxGuardDifferences)])
	e.MoreUndecided = len(compared.Undecided) - len(e.Undecided)
	if len(e.Wider) == 0 && len(e.Undecided) == 0 {
		return nil
	}
	return e
}
