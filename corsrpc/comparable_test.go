package corsrpc_test

import "github.com/corsrpc/corsrpc-go/corsrpc"

// These are documented as comparable: a field that is not would not compile here.
var (
	_ map[corsrpc.Position]struct{}
	_ map[corsrpc.Related]struct{}
	_ map[corsrpc.Provenance]struct{}
	_ map[corsrpc.EffectiveRule]struct{}
	_ map[corsrpc.EffectiveValue]struct{}
)
