package corsrpc_test

import "github.com/corsrpc/corsrpc-go/corsrpc"

// These types are documented as comparable. If a field is not, this does not compile.
var (
	_ map[corsrpc.Position]struct{}
	_ map[corsrpc.Related]struct{}
	_ map[corsrpc.Provenance]struct{}
	_ map[corsrpc.EffectiveRule]struct{}
	_ map[corsrpc.EffectiveValue]struct{}
	_ map[corsrpc.GuardDifference]struct{}
)
