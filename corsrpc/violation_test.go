package corsrpc_test

import (
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// TestPolicyErrorText checks the first and the last line of a PolicyError by the number of its
// violations. An error that a program makes without any does not say that there are 0 problems.
func TestPolicyErrorText(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		violations  int
		first, last string
	}{
		{0, "corsrpc: the policy is not valid", "corsrpc: the policy is not valid"},
		{1, "corsrpc: the policy has a problem:", "\tis wrong [OPTION]"},
		{2, "corsrpc: the policy has 2 problems:", "\tis wrong [OPTION]"},
		{100, "corsrpc: the policy has 100 problems:", "\tis wrong [OPTION]"},
		{103, "corsrpc: the policy has 103 problems:", "\tand 3 more"},
	} {
		err := &corsrpc.PolicyError{}
		for range test.violations {
			err.Violations = append(err.Violations, corsrpc.Violation{Check: corsrpc.CheckOption, Reason: "is wrong"})
		}
		lines := strings.Split(err.Error(), "\n")
		if first, last := lines[0], lines[len(lines)-1]; first != test.first || last != test.last {
			t.Errorf("%d violations: %q ... %q", test.violations, first, last)
		}
	}
}
