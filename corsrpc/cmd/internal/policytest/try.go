package policytest

import (
	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// Try makes the call of a case under a plan, and returns what differs from the expected outcome; empty if
// nothing does. It does not read the profile, the environment and the sources of the case, which the plan
// has. The server is that of a test that names none.
func Try(plan *corsrpc.Plan, one *corsrpcv1.Case) (differs string, err error) {
	s := &Suite{test: &corsrpcv1.PolicyTest{}}
	a, err := s.try(plan, one)
	return a.differs, err
}
