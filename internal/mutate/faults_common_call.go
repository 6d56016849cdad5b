package main

// commonCallFaults are faults of the decision on the calls that browsers send most, which is made without a Decision.
var commonCallFaults = []fault{
	{name: "a request by any method is a common call", in: "(*target).grantsCommonCall", old: `r.Method == http.MethodPost && `, new: ``},
	{name: "of several origins the first counts in a common call", in: "(*target).grantsCommonCall", old: `len(origins) == 1`, new: `len(origins) >= 1`},
	{name: "a request for a path is a common call", in: "(*target).grantsCommonCall", old: `t.kind == targetProcedure && `, new: ``},
	{name: "a common call comes from any origin", in: "(*target).grantsCommonCall", old: `from.match(g.origins) != 0`, new: `from.match(g.origins) < 1<<62`},
	{name: "a common call comes from the server's own origin", in: "(*target).grantsCommonCall", old: `isCrossOrigin(r.Header["Sec-Fetch-Site"]) && `, new: ``},
	{name: "a common call has any mode", in: "(*target).grantsCommonCall", old: ` && hasOnly(r.Header["Sec-Fetch-Mode"], "cors")`, new: ``},
	{name: "a common call has cookies that are not granted", in: "(*target).grantsCommonCall", old: `(g.credentials || len(r.Header["Cookie"]) == 0)`, new: `true`},
	{name: "no call is a common call", in: "(*target).grantsCommonCall", old: `return r.Method`, new: `return r.Method == "" && r.Method`},
	{name: "a disabled procedure has common calls", in: "newGrant", old: `g.common = !g.disabled && `, new: `g.common = `},
	{name: "an origin of many owners sends common calls", in: "newGrant", old: ` && !g.origins.HasShared()`, new: ``},
	{name: "a shadow does not see common calls", in: "(*Layer).onlyApplies", old: `p.shadow == nil && `, new: ``},
	{name: "a readable refusal does not see common calls", in: "(*Layer).onlyApplies", old: `l.readable == nil && `, new: ``},
	{name: "a common call does not end the wait for it", in: "(*Layer).onlyApplies", old: `l.awaited == nil && `, new: ``},
	{name: "an observer does not see common calls", in: "(*Layer).onlyApplies", old: ` && !l.observers.want(EventDecision)`, new: ``},
	{name: "a layer within a layer writes for common calls too", in: "(*handler).ServeHTTP", old: `!kind.wraps`, new: `kind != nil`},
	{name: "an origin that was read is well-formed", in: "(*requestOrigin).parse", old: `return s.named != 0 || !s.parsed.IsZero()`, new: `return true`},
	{name: "a repeated refusal is counted without the owner of a Host", in: "(*Layer).logRefused", old: `namedByHost || `, new: `namedByHost && `},
	{name: "hosts share a line", in: "lineOf", old: `if from == ""`, new: `if from == "null"`},
}
