package main

// exportFaults are faults of the configurations that a policy is exported to: the model that all of them share, and the
// command.
var exportFaults = []fault{
	{name: "an export grants other paths of a service", in: "(*builder).addProcedures", old: `b.add(Route{Name: "other paths of " + service`, new: `_ = (Route{Name: "other paths of " + service`},
	{name: "an export ignores the letter case of services no longer", in: "(*builder).addProcedures", old: `+ "/.*", IgnoreCase: true}`, new: `+ "/.*"}`},
	{name: "a path rule covers procedures of a selector in an export", in: "(*builder).addSelectors", old: `b.add(Route{Name: "procedures of "`, new: `_ = (Route{Name: "procedures of "`},
	{name: "an export knows procedures without the prefix only", in: "(*builder).prefixes", old: `append([]string{""}, b.rules.Prefixes...)`, new: `[]string{""}`},
	{name: "a less specific path rule comes first in an export", in: "(*builder).addPaths", old: `return route.CompareSpecificity(a.Pattern, b.Pattern)`, new: `return route.CompareSpecificity(b.Pattern, a.Pattern)`},
	{name: "an export grants other spellings of a path", in: "(*builder).addPaths", old: `b.add(Route{Name: "other spellings of " + r.Name`, new: `_ = (Route{Name: "other spellings of " + r.Name`},
	{name: "an export grants a path with another last slash", old: `return strings.TrimSuffix(expression, "/") + "/?"`, new: `return p.expression()`},
	{name: "an export grants a subtree's path without its slash", old: `return bare + "(?:/" + multi + ")?"`, new: `return bare + "/" + multiExpression`},
	{name: "a wildcard of an export matches a slash that is escaped", in: "plainExpression", old: "`(?:[` + plainCharacters + `.]|%[89A-F][0-9A-F])*", new: "`(?:[` + plainCharacters + `.]|%[0-9A-F][0-9A-F])*"},
	{name: "a segment of an export ends in a dot", in: "plainExpression", old: "(?:[` + plainCharacters + `]|%[89A-F][0-9A-F])`", new: "(?:[` + plainCharacters + `.]|%[89A-F][0-9A-F])`"},
	{name: "an export takes a path that may be read in several ways", in: "Pattern.hasOneReading", old: `return !p.hasMultipleReadings()`, new: `return true`},
	{name: "an escape is not odd", in: "OddRegexp", old: "|%[0-7][0-9A-F]", new: ""},
	{name: "two slashes are not odd", in: "OddRegexp", old: "//|/[.]", new: "/[.]"},
	{name: "a dot at the end is not odd", in: "OddRegexp", old: "|[.](?:[/?]|$)", new: ""},
	{name: "a call by GET of a procedure without a rule passes", in: "New", old: `")|^" + b.anyPrefix() + route.ShapeRegexp + "/?[?](?:.*[&;])?" + escapable("encoding") + "(?:[=&;]|$)"`, new: `")"`},
	{name: "an export grants what is disabled", in: "(*builder).answer", old: `if rule.Disabled() || !rule`, new: `if !rule`},
	{name: "an export allows cookies", in: "(*builder).answer", old: `Credentials: rule.Credentials(),`, new: `Credentials: true,`},
	{name: "an export takes credentials from pages of unrelated owners", in: "(*builder).answer", old: `RefusesAmbient: rule.Origins().HasShared()`, new: `RefusesAmbient: false`},
	{name: "an export takes HTTP authentication that no script may send", in: "(*builder).answer", old: `GrantsAuthorization: granted.Grants("authorization")`, new: `GrantsAuthorization: true`},
	{name: "an export takes any row of a source", in: "(*builder).addOrigins", old: `if origin.IsTenant(row) {`, new: `if true {`},
	{name: "a star of an export matches punycode", in: "Pattern.starRegexp", old: `if !ok {`, new: `if !ok || true {`},
	{name: "a star of an export completes punycode by what follows", in: "Pattern.starRegexp", old: `if i > 0 && !strings.HasPrefix(rest[:i]+p.suffix, rest) {`, new: `if i > 0 {`},
	{name: "a dot of an origin is any character in an export", in: "Literal", old: "`.+*?()|[]{}$`", new: "`+*?()|[]{}$`"},
	{name: "an own origin of an export may be anything", in: "(*Options).check", old: `if p, ok := origin.Parse(own); !ok ||`, new: `if p, ok := origin.Parse(own); ok && false &&`},
	{name: "an export without own origins is written", in: "(*Options).check", old: `if len(o.OwnOrigins) == 0 {`, new: `if false {`},
	{name: "an export without a schema is written", in: "New", old: `if len(r.Services) == 0 &&`, new: `if false &&`},
	{name: "the losses leave out exposure", in: "(*builder).addLosses", old: `if a.Rule.Present() {`, new: `if false {`},
	{name: "the losses leave out patterns of headers", in: "(*builder).addLosses", old: `if granted.Open() || a.Rule.Protocols() != 0 {`, new: `if false && granted.Open() {`},
	{name: "the losses leave out sources", in: "(*builder).addLosses", old: `if len(p.Rule.Sources()) > 0 && !p.Rule.Disabled() {
			m.lose(LossSources, p.Pattern.String())`, new: `if false {
			m.lose(LossSources, p.Pattern.String())`},
	{name: "the losses leave out that the policy observes", in: "(*builder).addLosses", old: `if b.rules.Observes {`, new: `if false {`},
	{name: "the losses leave out paths that cannot be written", in: "(*builder).addPaths", old: `b.model.lose(LossPathPattern, r.Name)`, new: `_ = r`},
	{name: "a configuration is written although a loss is not accepted", in: "(*exported).refusedLosses", old: `slices.Contains(x.accepted, l.Name)`, new: `true`},
	{name: "origins of a variable that is not set are left out of an export", in: "(*exported).export", old: `len(names) > 0 {`, new: `len(names) > 0 && false {`},
	{name: "a loss that does not exist is accepted", in: "lossNames", old: `if slices.Contains(known, export.LossName(name)) {`, new: `if true {`},
	{name: "a server of MCP is exported", in: "checkMCP", old: `if p.Rule.ServesMCP() {`, new: `if p.Rule.ServesMCP() && false {`},
}
