package main

// analysisFaults are faults of the findings about a policy.
var analysisFaults = []fault{
	// Rules that change nothing.
	{name: "no rule changes nothing", in: "changing", old: `changing[l] = true`, new: `changing[l] = false`},
	{name: "a rule that changes something changes nothing", in: "changing", old: `sum(i) != sum(i+1)`, new: `sum(i) == "" || sum(i+1) == ""`},
	{name: "a rule at the end of many is compared", in: "changing", old: `len(e.levels) > maxCompared, `, new: ``},
	{name: "a rule that the shadow policy needs changes nothing", in: "Redundant", old: `if r == whole && r.Shadow != nil {`, new: `if false {`},
	{name: "a rule that another profile needs changes nothing", in: "Redundant", old: `(w.Profile || !precede.set(w))`, new: `(w.Profile || !precede.set(w) || true)`},
	{name: "a path that is governed changes nothing", old: `return !w.Profile || !paths[path]`, new: `return false`},
	{name: "a name that is not in the schema changes nothing", old: `return !known[selector] || w.level.risks`, new: `return w.level.risks`},
	{name: "a name that another server's schema lacks changes nothing", old: `w.level.risks[corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS] || route.IsOperational(selector)`, new: `route.IsOperational(selector)`},
	{name: "naming an operational service changes nothing", old: ` || route.IsOperational(selector)
	}`, new: `
	}`},
	{name: "a rule within a package is not compared", in: "Redundant", old: `, withinPackage(selectors, selector):`, new: `:`},
	{name: "values of the environment are compared", in: "(*summer).sum", old: `environment = l.field`, new: `environment = ""`},
	{name: "lists of equal length are equal", in: "fingerprint", old: `sum += maphash.String(s.seed, text)`, new: `sum += uint64(len(text[:0]))`},
	{name: "a profile's rule for all does not precede", in: "set", old: `(sets("*") || sets(route.ParentName(name)))`, new: `sets(route.ParentName(name))`},
	{name: "the lists of headers are not one value", in: "fieldsOf", old: `case "deny_headers", "tracing":`, new: `case "tracing":`},
	{name: "each kind of finding is told without end", in: "full", old: `f.count[kind] >= f.limit`, new: `false`},
	{name: "what is not listed is not counted", in: "add", old: `f.left++`, new: `_ = f`},

	// Values that change nothing.
	{name: "a header that a path needs is granted anyway", in: "alwaysGranted", old: `!needs(e.Protocols())`, new: `e.Protocols() != 0 && !needs(e.Protocols())`},
	{name: "a header that is hidden is shown anyway", in: "alwaysShown", old: `return e.WithholdsResponse(lower)`, new: `return false && e.WithholdsResponse(lower)`},
	{name: "a name beside its prefix changes nothing", in: "WiderItem", old: `h.kind == headerName && (grants || d`, new: `h.kind == headerName && (d`},
	{name: "a denied name that tracing grants changes nothing", in: "WiderItem", old: `d == rpc.Request && w.Message.Tracing != nil`, new: `false`},
	{name: "a prefix within a denied one changes nothing", in: "WiderItem", old: `covers := have == grants &&`, new: `covers := (have || !have) &&`},
	{name: "a name that tracing grants is not told", in: "alwaysGranted", old: `w.Message.GetTracing() && rpc.IsTracing(lower)`, new: `false && rpc.IsTracing(lower)`},
	{name: "a name beside tracing: false changes nothing", in: "alwaysGranted", old: `w.Message.GetTracing() && rpc.IsTracing(lower)`, new: `w.Message.Tracing != nil && rpc.IsTracing(lower)`},
	{name: "a risk that an origin has is not needed", in: "neededRisks", old: `need[riskOf[problem.Code]] = true`, new: `need[riskOf[problem.Code]] = false`},
	{name: "the risk of a selector is not needed", in: "neededRisks", old: `selector != "" && selector != "*"`, new: `false && selector != "*"`},
	{name: "a value is not told twice", in: "headers", old: `if twice[i] {`, new: `if false && twice[i] {`},

	// Origins.
	{name: "an origin within a wildcard is not told", in: "(*Set).Covered", old: `ok && !all.IsShared(id)`, new: `ok && false`},
	{name: "a named installation is within the others", in: "(*Set).Covered", old: `ok && !all.IsShared(id)`, new: `ok`},
	{name: "an origin that is listed twice is not told", in: "(*Set).Covered", old: `exact && id != patternIDAt(offset)`, new: `exact && false`},
	{name: "one match of two is within", in: "within", old: `range fillers {`, new: `range fillers[:1] {`},
	{name: "a port is within any host", in: "within", old: `text = strings.TrimSuffix(text, "*") + filler.port`, new: `text = strings.TrimSuffix(text, ":*")`},
	{name: "wildcards are not compared with each other", in: "covered", old: `len(classes) > 1 &&`, new: `false &&`},
	{name: "an origin of the environment is within others", in: "coveredOrigins", old: `case w.FromEnvironment(c.Pattern) || w.FromEnvironment(c.By):`, new: `case false:`},
	{name: "everyone beside others is not told", in: "coveredOrigins", old: `any >= 0 && set.Len() > 1`, new: `any >= 0 && set.Len() < 0`},
	{name: "a wildcard with credentials is not told", in: "origin", old: `case secret && star && strings.Contains(`, new: `case false && strings.Contains(`},
	{name: "any port with credentials is not told", in: "origin", old: `case secret && star && !origin.NeverWithCredentials(text):`, new: `case false:`},
	{name: "loopback in a rule is not told", in: "origin", old: `case loopback:
		report(`, new: `case false:
		report(`},
	{name: "loopback in a profile is told", in: "origin", old: `case loopback && w.Profile:`, new: `case false:`},
	{name: "a variable with loopback is not named", in: "origin", old: `case at.Variable != "" && loopback:`, new: `case false:`},
	{name: "nothing but loopback is to be moved", in: "loopbackRemedy", old: `!origin.IsLoopback(text); others {`, new: `text != ""; others {`},
	{name: "loopback beside everyone is told", in: "origins", old: ` || set.Any() != 0`, new: ``},
	{name: "a shared host with any port is not told", in: "origin", old: `origin.WebHost(strings.TrimSuffix(text, ":*"))`, new: `origin.WebHost(text)`},
	{name: "an added origin that one rule lacks is told", in: "addedInVain", old: `_, ok := allows(list); return !ok`, new: `_, ok := allows(list); return !ok && false`},
	{name: "added origins beside a shadow policy are told", in: "addedInVain", old: `f.whole.Shadow != nil || `, new: ``},
	{name: "added origins that a variable has are told", in: "addedInVain", old: `return at, !list.FromEnvironment(at)`, new: `return at, true`},
	{name: "a shared host is not told", in: "origin", old: `why, ok := sharedHost(host); ok`, new: `why, ok := sharedHost(host); ok && false`},
	{name: "origins of disabled rules are not told", in: "origins", old: `use.granting == nil && use.disabled != nil`, new: `false`},
	{name: "origins that a profile enables are told", in: "unusedOrigins", old: ` || f.anyProfile(enables)`, new: ` || f.anyProfile(enables) && false`},
	{name: "origins that keep others from credentials are told", in: "takesOrigins", old: ` && !e.Credentials()`, new: ``},
	{name: "an origin that is not added is not told", in: "notAdded", old: `if !e.RefusesAdded() {`, new: `if true || !e.RefusesAdded() {`},
	{name: "an origin that is added is told", in: "RefusesAdded", old: ` && !e.Disabled() && e.Credentials()`, new: ``},

	// The public face, and the log.
	{name: "a caller changes the findings of others", in: "(*Plan).Findings", old: `slices.Clone(p.findings().listed)`, new: `p.findings().listed`},
	{name: "a caller changes the related values of others", in: "(*Plan).Findings", old: `slices.Clone(all[i].Related)`, new: `all[i].Related`},
	{name: "the shadow policy has the findings of the policy", old: `findingsOf(compiled, analysis.ShadowFindings)`, new: `findingsOf(compiled, analysis.Findings)`},
	{name: "equal findings are logged again", in: "(*Layer).logFindings", old: `last != nil && equalFindings(*last, found)`, new: `last != nil && false`},
	{name: "findings after a reload are not logged", in: "reportReload", old: `			l.logFindings(ctx)
`, new: ``},
	{name: "findings at start are not logged", in: "newLayer", old: `	l.logFindings(ctx)
`, new: ``},
	{name: "all findings are logged", in: "found", old: `ordered[:min(len(ordered), maxFindingLines)]`, new: `ordered`},
	{name: "findings that grant too much are logged last", in: "found", old: `			return -1
`, new: `			return 1
`},
	{name: "the inspector shows no findings", in: "showPolicy", old: `shown.Findings = append(shown.Findings, findingShown`, new: `_ = append(shown.Findings, findingShown`},
}
