package main

// gatewayAPIFaults are faults of the export for the Gateway API.
var gatewayAPIFaults = []fault{
	{name: "an HTTPRoute answers methods that a path rule does not allow", in: "(*gatewayText).route", old: `if !f.answer.ToPath {`, new: `if true {`},
	{name: "an HTTPRoute answers no preflights of path rules", in: "(*gatewayFilter).matchedMethods", old: `return append(slices.Clip(f.methods), "OPTIONS")`, new: `return f.methods`},
	{name: "the server's CORS fields stay where an HTTPRoute grants nothing", in: "(*gatewayText).rest", old: `t.modifier(serverFields)`, new: `t.modifier(nil)`},
	{name: "an HTTPRoute leaves fields of the server that its filter never writes", in: "(*gatewayText).route", old: `t.modifier(f.unusedFields())`, new: `t.modifier(nil)`},
	{name: "responses of an HTTPRoute have no Vary", in: "(*gatewayText).modifier", old: `t.line(8, "- {name: vary, value: Origin}")`, new: ``},
	{name: "an HTTPRoute allows every origin with credentials", in: "newGatewayFilter", old: `if a.Credentials {`, new: `if false {`},
	{name: "an HTTPRoute has an empty list of origins", in: "(*gatewayFilter).isEmpty", old: `len(f.origins) == 0 ||`, new: ``},
	{name: "an HTTPRoute has an empty list of methods", in: "(*gatewayFilter).isEmpty", old: `|| len(f.methods) == 0`, new: ``},
	{name: "an HTTPRoute has an origin that it cannot hold", in: "(*gatewayFilter).addOrigin", old: `!gatewayOrigin.MatchString(text)`, new: `false`},
	{name: "an HTTPRoute has a path that another rule refuses", in: "(*gatewayText).grants", old: `case shadowed[r], !gatewayTakesPath`, new: `case shadowed[r] && false, !gatewayTakesPath`},
	{name: "an HTTPRoute grants other spellings of a path", in: "(*gatewayText).grants", old: `case r.Answer == nil:`, new: `case false:`},
	{name: "an HTTPRoute has more origins than it takes", in: "newGatewayFilter", old: `if list.has > list.of {`, new: `if false {`},
	{name: "a rule of an HTTPRoute has too many matches", in: "gatewayRulesOf", old: `rule.matches()+g.filter.matchesPerPath() > gatewayMatches`, new: `false`},
	{name: "an HTTPRoute has too many matches", in: "gatewayRoutes", old: `last.matches()+rule.matches() > gatewayRouteMatches`, new: `false`},
	{name: "an HTTPRoute has too many rules", in: "gatewayRoutes", old: `len(last.rules) == gatewayRules ||`, new: ``},
	{name: "two services share the name of an HTTPRoute", in: "gatewayNames", old: `case used[name] > 1 ||`, new: `case`},
	{name: "answers that differ share a rule of an HTTPRoute", in: "(*gatewayFilter).key", old: `a.Credentials, a.MaxAge`, new: `false, a.MaxAge`},
	{name: "max_age of 0 is left out of an HTTPRoute", in: "newGatewayFilter", old: `maxAge: max(1,`, new: `maxAge: max(0,`},
	{name: "an HTTPRoute is for an address", in: "(*gatewayText).checkOptions", old: `net.ParseIP(p.Host) != nil`, new: `net.ParseIP(p.Host) != nil && false`},
	{name: "the Service of an HTTPRoute may be anything", in: "(*gatewayText).checkOptions", old: `|| !gatewayService.MatchString(name)`, new: ``},
	{name: "the losses of an HTTPRoute leave out refusal", in: "(*gatewayText).grants", old: `t.lose(LossRefusal, r.Name)`, new: ``},
	{name: "the losses of an HTTPRoute leave out the server's fields", in: "(*gatewayFilter).addLosses", old: `t.lose(LossServerFields, target)`, new: ``},
	{name: "the losses of an HTTPRoute leave out wildcards", in: "(*gatewayFilter).addLosses", old: `if f.wildcards {`, new: `if false {`},
}
