package intent

import (
	"errors"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/remedies"
)

// TestFixes: if a policy that does not load is changed as the Fix of a violation says, or accepts the risk
// that the violation names, the violation is gone.
func TestFixes(t *testing.T) {
	t.Parallel()
	fixed := map[corsrpc.Check]int{}
	rapid.Check(t, func(t *rapid.T) { fixesHelpCounted(t, fixed) })
	t.Log(fixed)
}

// fixesHelp is fixesHelpCounted without the numbers.
func fixesHelp(t *rapid.T) { fixesHelpCounted(t, map[corsrpc.Check]int{}) }

func fixesHelpCounted(t *rapid.T, fixed map[corsrpc.Check]int) {
	from, set := drawPolicy(t)
	for _, r := range append(slices.Clip(from.GetRules()), from.GetDefaults()) {
		if r == nil {
			continue
		}
		if chance(t, 60, "fewer risks") {
			r.AcceptRisks = nil
		}
		if chance(t, 10, "disabled") {
			r.Disabled = proto.Bool(true)
		}
		for i, method := range r.GetAllowMethods() {
			if chance(t, 20, "lower case") {
				r.AllowMethods[i] = string(method[0]+'a'-'A') + method[1:]
			}
		}
	}
	w := &world{Policy: from, set: set}
	var problems *corsrpc.PolicyError
	if err := w.compile(t); !errors.As(err, &problems) {
		return
	}
	c := remedies.Case{Policy: w.Policy.Policy, Options: w.Options, Sources: w.Sources}
	for _, v := range problems.Violations {
		for i, change := range []func(remedies.Case, corsrpc.Violation) (remedies.Case, bool){remedies.Fix, remedies.AcceptRisk} {
			changed, ok := change(c, v)
			if !ok {
				continue
			}
			fixed[v.Check]++
			other := w.changed(changed)
			var left *corsrpc.PolicyError
			if err := other.compile(t); !errors.As(err, &left) {
				continue
			}
			for _, l := range left.Violations {
				if l.Check == v.Check && l.Field == v.Field && (i == 0 || l.Value == v.Value) {
					t.Fatalf("%v\nis still there:\n%v\npolicy %s", v, l, prototext.Format(changed.Policy))
				}
			}
		}
	}
}
