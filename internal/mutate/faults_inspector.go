package main

// inspectorFaults are those of what the layer shows: the inspector and the metrics.
var inspectorFaults = []fault{
	{name: "the inspector answers under any name", old: `case !i.answersUnder(r.Host):`, new: `case false:`},
	{name: "the inspector answers under names that end in localhost", in: "answersUnder", old: `strings.HasSuffix(host, ".localhost")`, new: `strings.HasSuffix(host, "localhost")`},
	{name: "the inspector answers under an empty name", old: `		slices.Contains(i.hosts, host)`, new: `		host == "" || slices.Contains(i.hosts, host)`},
	{name: "the dot that ends a host counts", old: `strings.TrimSuffix(fetch.Lower(withoutPort(hostport)), ".")`, new: `fetch.Lower(withoutPort(hostport))`},
	{name: "the letter case of a host counts", old: `fetch.Lower(withoutPort(hostport))`, new: `withoutPort(fetch.Lower("") + hostport)`},
	{name: "a URL is no host", old: `		host = rest[:end]
`, new: `		_, _ = rest, end
`},
	{name: "what is no host name is one", old: `return name, ok && !strings`, new: `return name, !strings`},
	{name: "a host may end in two dots", old: `!strings.HasSuffix(name, ".") && `, new: ``},
	{name: "a host may have any port", old: ` && strings.Trim(port, "0123456789") == ""`, new: ` && port != ":"`},
	{name: "the inspector answers other sites", old: `case !fromItself(r):`, new: `case false:`},
	{name: "the inspector answers same-site pages", old: `!isOne(site, "none")`, new: `!isOne(site, "none") && !isOne(site, "same-site")`},
	{name: "the inspector does not look at Origin", old: `return len(origins) == 1 && isItself(origins[0], r)`, new: `return len(origins) == 1`},
	{name: "the inspector looks at the first Origin only", old: `return len(origins) == 1 && isItself`, new: `return isItself`},
	{name: "the inspector does not look at Referer", old: `from != "" && !isItself(originOf(from), r)`, new: `from != "" && false`},
	{name: "the inspector needs a Referer", old: `from != "" && !isItself`, new: `!isItself`},
	{name: "a Referer counts for more than Sec-Fetch-Site", old: `	if len(site) > 0 {
		return true
	}
`, new: ``},
	{name: "the inspector answers any origin", old: `return ok && from.SameHost(r.Host, r.TLS != nil)`, new: `return ok && from.Host != ""`},
	{name: "the inspector takes any method", old: `case r.Method != http.MethodGet && r.Method != http.MethodHead:`, new: `case false:`},
	{name: "the inspector may be framed", old: `; frame-ancestors 'none'`, new: ``},
	{name: "the inspector may be kept by a cache", old: `	header.Set("Cache-Control", "no-store")
`, new: ``},
	{name: "the inspector remembers every group", old: `len(groups) >= mostGroups`, new: `false`},
	{name: "the inspector forgets the latest group", old: `slices.MinFunc(`, new: `slices.MaxFunc(`},
	{name: "the inspector remembers every origin", old: `len(g.origins) >= mostSamples`, new: `false`},
	{name: "the inspector shows paths as they are", old: `g.path = sample(r.URL.Path)`, new: `g.path = r.URL.Path`},
	{name: "the inspector keeps origins as they are", old: `from = sample(origin)`, new: `from = origin`},
	{name: "the inspector keeps all that a preflight asks for", old: `g.missing = sample(d.missing)`, new: `g.missing = d.missing`},
	{name: "the inspector remembers every reload", old: `len(h.reloads) >= mostReloads`, new: `false`},
	{name: "the inspector keeps errors of any length", old: `cutText(err.Error(), mostReason)`, new: `err.Error()`},
	{name: "the inspector shows sources' errors of any length", old: `cutText(from.last.Err.Error(), mostReason)`, new: `from.last.Err.Error()`},
	{name: "a text is cut within a character", old: `strings.ToValidUTF8(s[:most], "")`, new: `strings.Clone(s[:most])`},
	{name: "an error that says nothing is none", old: `, "an error that says nothing")`, new: `)`},
	{name: "requests wait for the text of a failed reload", old: `	record := reloadRecord{at: time.Now()}
	if err != nil {
		record.failed = cmp.Or(cutText(err.Error(), mostReason), "an error that says nothing")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
`, new: `	h.mu.Lock()
	defer h.mu.Unlock()
	record := reloadRecord{at: time.Now()}
	if err != nil {
		record.failed = cmp.Or(cutText(err.Error(), mostReason), "an error that says nothing")
	}
`},
	{name: "the inspector shows every rule", old: `left = max(len(grants)-mostRules, 0)`, new: `left = 0`},
	{name: "the inspector shows every procedure of a rule", old: `max(len(names)-mostNames, 0)`, new: `0`},
	{name: "the inspector shows every origin of a rule", old: `g.values(mostOrigins)`, new: `g.values(1 << 30)`},
	{name: "the inspector shows a policy of any size", old: `size > mostPolicyBytes`, new: `false`},
	{name: "the inspector groups by names of the network's", old: `target: d.knownTarget(),`, new: `target: d.target.name,`},
	{name: "the inspector groups by each origin that is listed", old: `field: d.FieldWithoutIndex(),`, new: `field: d.Field(),`},
	{name: "the inspector groups by each origin that a shadow lists", old: `shadow.FieldWithoutIndex()`, new: `shadow.Field()`},
	{name: "fields are told apart by their places in lists", in: "FieldWithoutIndex", old: `return p.Field[:list]`, new: `return p.Field`},
	{name: "rules are one field", old: ` || strings.HasSuffix(p.Field[:list], "rules")`, new: ``},
	{name: "the command's brackets are ranges", old: `"-i", "-g", `, new: `"-i", `},
	{name: "the command cleans up the path", old: `, "--path-as-is"}`, new: `}`},
	{name: "the command awaits the body of an answer to HEAD", old: `if r.Method == http.MethodHead {`, new: `if false {`},
	{name: "the command gives a body a type", old: `if len(r.Header["Content-Type"]) == 0 {`, new: `if false {`},
	{name: "the command leaves out empty fields", old: `			if value == "" {
				field = name + ";"
			}
`, new: ``},
	{name: "the command is not quoted", old: "strings.ReplaceAll(s, \"'\", `'\\''`)", new: `s`},
	{name: "a trial forgets the query", old: `	if hasQuery {
		sent`, new: `	if false && hasQuery {
		sent`},
	{name: "a trial forgets what is escaped", old: "escaped(path, \"\\\"<>^`{}|\\\\\")", new: `path`},
	{name: "a trial sends the fragment", old: `	target, _, _ = strings.Cut(target, "#")
`, new: ``},
	{name: "a trial takes header fields of several lines", old: `strings.ContainsAny(value, "\x00\r")`, new: `false`},
	{name: "a trial shows no rule", old: `	t.Rule = showRuleOf(plan.find(&call))
`, new: ``},
	{name: "a trial shows a rule where none governs", old: `if t.kind != targetProcedure && t.kind != targetPath {`, new: `if t.kind == targetNone {`},
	{name: "a trial forgets the preflight", old: `len(unsafe) > 0 || !safelistedMethod(call.Method)`, new: `false`},
	{name: "a trial does not look at credentials", old: `case f.Credentials && !isOne(`, new: `case false && !isOne(`},
	{name: "a trial does not look at the preflight's headers", old: `	for _, name := range unsafe {
		if !listsName(`, new: `	for _, name := range unsafe[:0] {
		if !listsName(`},
	{name: "a trial shows what the script cannot read", old: `(!crossOrigin || fetch`, new: `(true || fetch`},
	{name: "a trial sends methods as the form has them", old: `if method = normalizedMethod(method); method == "" {`, new: `if normalizedMethod(method) == "" {`},
	{name: "a trial sends every method in upper case", in: "normalizedMethod", old: `	return method
}`, new: `	return strings.ToUpper(method)
}`},
	{name: "a trial takes a method for another in upper case", old: `!slices.Contains(methods, method)`, new: `!listsName(methods, fetch.Lower(method))`},
	{name: "a trial takes * for all with credentials", old: `!f.Credentials && slices.Contains(items, "*")`, new: `slices.Contains(items, "*")`},
	{name: "a trial takes * for authorization", old: `name != "authorization" && f`, new: `f`},
	{name: "a trial takes what is no list", old: `				return nil, false
			}
			items`, new: `				return nil, true
			}
			items`},
	{name: "a trial uses methods that no script may", old: `	case "CONNECT", "TRACE", "TRACK":`, new: `	case "TRACK":`},
	{name: "a trial sets what no script may", old: `if fetch.ForbiddenRequestHeader(fetch.Lower(name)) {`, new: `if false {`},
	{name: "a trial takes a server's own page for another's", old: `call.Header["Sec-Fetch-Site"] = []string{"same-origin"}`, new: `call.Header["Sec-Fetch-Site"] = []string{"same-site"}`},
	{name: "a metric for each origin that is listed", in: "decisionOf", old: `d.From().FieldWithoutIndex()`, new: `d.From().Field`},
	{name: "the metrics keep whatever was measured", old: ` || len(k.kept) >= mostKept`, new: ``},
}
