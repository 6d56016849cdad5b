package main

// auditFaults are faults of corsrpc probe --audit and --against: requests that they must not send, and
// what they must not keep to themselves.
var auditFaults = []fault{
	{name: "an audit sends calls in place of preflights", in: "(*recorder).RoundTrip", old: `if isPreflight(r) || !c.onlyPreflights {`, new: `if true {`},
	{name: "an audit sends calls without --send", in: "(*auditor).calls", old: `if !a.options.SendCalls {`, new: `if false {`},
	{name: "an audit that ends early does not say so", in: "Audit", old: `a.findings = append(a.findings, stop.Finding)`, new: `_ = stop`},
	{name: "an audit that ends early is fine", in: "(*shownAudit).exit", old: `code = max(code, exitUnknown)`, new: `code = max(code, exitFine)`},
	{name: "an audit takes a grant for everyone for the whole truth", in: "(*auditor).hostilePages", old: `if toStranger.credentialed || !credentialed {`, new: `if true {`},
	{name: "an audit lets one fault explain a worse one", in: "isExplained", old: `&& (other.credentialed || !g.credentialed)`, new: ``},
	{name: "a comparison sends calls without --send", in: "(*comparison).compare", old: `if !c.options.SendCalls ||`, new: `if`},
	{name: "an audit has a handler execute GETs without --send", in: "simpleGetTarget", old: `if !c.isProcedure() && !rpc.IsGetCall(query) {`, new: `if query != "" {`},
	{name: "an audit takes an explained refusal for a grant", in: "(*auditor).examine", old: `if mayExplain(s) {`, new: `if false {`},
	{name: "a comparison takes a server for right without a rule", in: "Against", old: `if !o.governs(w.server, call) {`, new: `if false {`},
	{name: "a comparison takes a grant to an origin that is not known for a difference", in: "(*comparison).grants", old: `if live && c.dependsOnUnknown(p) {`, new: `if false {`},
}
