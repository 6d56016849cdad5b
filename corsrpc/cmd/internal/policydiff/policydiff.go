// Package policydiff compares two policies for people and programs: it says each difference as a
// sentence, replays its witness through both policies, and writes the result.
package policydiff

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
)

// Side is one of the two policies.
type Side struct {
	// Text is the text of the policy, and Settings is what it is compiled with.
	Text     []byte
	Settings input.Settings
	// Policy is the compiled policy.
	Policy *input.Policy

	unset   []string                 // the environment variables that are not set
	withEnv map[string]*corsrpc.Plan // the plans for environments of witnesses
}

// NewSide returns a side for a policy with the settings and the text that it was compiled from.
func NewSide(policy *input.Policy, settings input.Settings, text []byte) *Side {
	return &Side{Text: text, Settings: settings, Policy: policy, unset: policy.Rules.UnsetVariables(), withEnv: map[string]*corsrpc.Plan{}}
}

// planFor returns the plan with the environment variables and the origins of sources that a call
// needs.
func (s *Side) planFor(call analysis.Call) (*corsrpc.Plan, error) {
	plan := s.Policy.Plan
	if len(call.Env) > 0 {
		key, err := json.Marshal(call.Env)
		if err != nil {
			return nil, err
		}
		if s.withEnv[string(key)] == nil {
			settings := s.Settings
			settings.Env = maps.Clone(call.Env)
			maps.Copy(settings.Env, s.Settings.Env)
			policy, err := settings.Compile(s.Policy.Name, s.Text)
			if err != nil {
				return nil, fmt.Errorf("the policy %s with the environment of the witness: %w", s.Policy.Name, err)
			}
			s.withEnv[string(key)] = policy.Plan
		}
		plan = s.withEnv[string(key)]
	}
	return plan.WithSets(call.Sources), nil
}

// Result is the result of Compare.
type Result struct {
	// Verdict is the verdict on the differences. It does not cover what is Undecided.
	Verdict analysis.Verdict
	// Old and New are the two policies.
	Old, New *Side
	// Differences are what only one of the policies grants: first what the new one does.
	Differences []Difference
	// Undecided says what could not be compared, one sentence each.
	Undecided []string
	// Unknown says what is not known about each policy, one sentence each.
	Unknown []string
}

// Difference is a difference with what its reader needs.
type Difference struct {
	analysis.Difference
	// Sentence says the difference in English, with its places, and Clause without them.
	Sentence, Clause string
	// Witness is the call that shows the difference, replayed through both policies.
	Witness Witness
}

// Compare compares two policies and replays each witness through both of them.
func Compare(old, next *Side) *Result {
	compared := analysis.Compare(old.Policy.Rules, next.Policy.Rules)
	sentences := analysis.NewSentences(old.Policy.Rules, next.Policy.Rules)
	r := &Result{Verdict: compared.Verdict(), Old: old, New: next, Undecided: compared.Undecided, Unknown: unknownOf(old, next)}
	for _, d := range compared.Differences {
		r.Differences = append(r.Differences, Difference{
			Difference: d, Sentence: sentences.Of(d), Clause: sentences.Clause(d), Witness: replay(old, next, d),
		})
	}
	return r
}

// unknownOf says what is not known about two policies. A sentence that is true of both has no name.
func unknownOf(old, next *Side) (all []string) {
	of := map[string]bool{}
	for _, u := range old.Policy.Unknown {
		of[u] = true
	}
	both := map[string]bool{}
	for _, u := range next.Policy.Unknown {
		if of[u] {
			both[u] = true
			all = append(all, u)
		}
	}
	for _, side := range []*Side{old, next} {
		for _, u := range side.Policy.Unknown {
			if !both[u] {
				all = append(all, side.Policy.Name+": "+u)
			}
		}
	}
	return all
}

// Gained reports whether the new policy grants anything that the old one does not.
func (r *Result) Gained() bool { return r.Verdict == analysis.Wider || r.Verdict == analysis.Both }

// Differs reports whether either policy grants anything that the other one does not.
func (r *Result) Differs() bool { return r.Verdict != analysis.Same }

// Bugs returns the differences whose witness does not show them: the comparison or the simulation of
// browsers is wrong there.
func (r *Result) Bugs() (bugs []Difference) {
	for _, d := range r.Differences {
		if d.Witness.Bug != "" {
			bugs = append(bugs, d)
		}
	}
	return bugs
}

// part returns the differences that are gained, or those that are lost.
func (r *Result) part(gained bool) (part []Difference) {
	for _, d := range r.Differences {
		if d.Gained == gained {
			part = append(part, d)
		}
	}
	return part
}
