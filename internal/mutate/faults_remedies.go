package main

// Faults of the advice that a refusal gives.
var remedyFaults = []fault{
	// A rule or a value that exists already.
	{name: "a remedy names a selector that has a rule", old: `c.level, c.exists = d.target.rule.RuleOf(d.target.name)`, new: `c.level, _ = d.target.rule.RuleOf(d.target.name)`},
	{name: "a remedy writes a list that the rule has", in: "(*ruleChange).add", old: `if c.exists && c.level.Has(field) {`, new: `if false {`},
	{name: "a remedy writes a value that the rule has", in: "(*ruleChange).set", old: `if c.exists && c.level.Has(field) {`, new: `if false {`},
	{name: "a remedy writes accept_risks a second time", old: `case c.exists && c.level.Has("accept_risks"):`, new: `case false:`},
	{name: "a remedy accepts a risk a second time", old: `if risk != "" && !(c.exists && c.level.Accepts(risk)) {`, new: `if risk != "" {`},
	{name: "a remedy allows a header that the same rule denies", old: `case rule.exists && rule.level.Denies(name):`, new: `case false:`},
	{name: "a remedy opens for a service what its rule denies", old: ` && !slices.ContainsFunc(names, l.Denies)`, new: ``},
	{name: "a remedy replaces the methods of a path rule", old: `if l, ok := d.target.rule.LevelOf("allow_methods"); ok {`, new: `if l, ok := d.target.rule.LevelOf("allow_methods"); ok && false {`},

	// A rule that is disabled.
	{name: "a remedy removes disabled: true below a disabled rule", old: `!d.target.rule.DisabledWithout(rule.level)`, new: `true`},
	{name: "a remedy removes disabled: true that the policy needs without its profile", old: `return all.Disabled() || policy.Disabled()`, new: `return all.Disabled()`},
	{name: "a remedy adds a rule below what only a profile enables", old: `c.profile, _ = d.target.rule.EnabledByProfile()`, new: `c.profile = ""`},

	// Origins that never go with credentials.
	{name: "a remedy adds null to origins that another rule allows credentials", old: `case sets && l.WithCredentials() && origin.NeverWithCredentials(d.origin):`, new: `case false:`},
	{name: "a remedy allows credentials to the origins of the policy instead of those of its profile", in: "remedyOfCredentials", old: `if profile, ok := l.Profile(); ok {`, new: `if profile, ok := l.Profile(); ok && false {`},
	{name: "a remedy allows null where only a profile refuses credentials", old: `ok && origin.NeverWithCredentials(c.d.origin)`, new: `ok && false && origin.NeverWithCredentials(c.d.origin)`},
	{name: "the origins of a rule with credentials are not marked", old: `m.originsFrom.withCredentials = true`, new: `m.originsFrom.withCredentials = false`},
	{name: "a remedy says that a handshake may go without credentials", old: `if d.upgrade { // browsers send cookies with each handshake
		without = ""`, new: `if d.upgrade { // browsers send cookies with each handshake
		_ = ""`},

	// Requests that the page has to change.
	{name: "a remedy allows a method in lower case", old: `rule.add("allow_methods", upper)`, new: `rule.add("allow_methods", method)`},
	{name: "a remedy allows TRACE", old: `case fetch.ForbiddenMethod(method), !fetch.IsToken(method), method == "*":`, new: `case fetch.ForbiddenMethod(method) && false:`},
	{name: "a remedy names a path that is read in several ways too", old: `if verdict == route.Clear && m.Kind == route.Procedure {`, new: `if verdict < 9 && m.Kind < 9 {`},
	{name: "a remedy widens one of two rules with the path", old: `m.Value.rule.RulesOf(m.Name) == 1 && `, new: ``},
	{name: "a remedy names a header whose name is cut off", old: `if !isShort(names...) {`, new: `if false {`},

	// Fields that grant more names at once.
	{name: "a remedy names the headers of tracing clients one by one", old: `case rpc.IsTracing(name):
			tracing = true`, new: `case false:
			tracing = true`},
	{name: "a remedy names the headers of a protocol that is not served", old: `case protocol != 0:`, new: `case false:`},
}
