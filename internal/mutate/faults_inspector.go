package main

const (
	inspectorGo  = "corsrpc/inspector.go"
	inspectionGo = "corsrpc/inspection.go"
	historyGo    = "corsrpc/history.go"
	decisionGo   = "corsrpc/decision.go"
	curlGo       = "corsrpc/curl.go"
	trialGo      = "corsrpc/trial.go"
	metricsGo    = "corsrpc/corsotel/attributes.go"
)

// inspectorFaults are those of what the layer shows: the inspector and the metrics.
var inspectorFaults = []fault{
	{"the inspector answers under any name", inspectorGo, `case !i.answersUnder(r.Host):`, `case false:`},
	{"the inspector answers under names that end in localhost", inspectorGo, `strings.HasSuffix(host, ".localhost")`, `strings.HasSuffix(host, "localhost")`},
	{"the inspector answers under an empty name", inspectorGo, `		slices.Contains(i.hosts, host)`, `		host == "" || slices.Contains(i.hosts, host)`},
	{"the dot that ends a host counts", inspectorGo, `strings.TrimSuffix(fetch.Lower(withoutPort(hostport)), ".")`, `fetch.Lower(withoutPort(hostport))`},
	{"the letter case of a host counts", inspectorGo, `fetch.Lower(withoutPort(hostport))`, `withoutPort(fetch.Lower("") + hostport)`},
	{"a URL is no host", inspectorGo, `		host = rest[:end]
`, `		_, _ = rest, end
`},
	{"what is no host name is one", inspectorGo, `return name, ok && !strings`, `return name, !strings`},
	{"a host may end in two dots", inspectorGo, `!strings.HasSuffix(name, ".") && `, ``},
	{"a host may have any port", inspectorGo, ` && strings.Trim(port, "0123456789") == ""`, ` && port != ":"`},
	{"the inspector answers other sites", inspectorGo, `case !fromItself(r):`, `case false:`},
	{"the inspector answers same-site pages", inspectorGo, `!isOne(site, "none")`, `!isOne(site, "none") && !isOne(site, "same-site")`},
	{"the inspector does not look at Origin", inspectorGo, `return len(origins) == 1 && isItself(origins[0], r)`, `return len(origins) == 1`},
	{"the inspector looks at the first Origin only", inspectorGo, `return len(origins) == 1 && isItself`, `return isItself`},
	{"the inspector does not look at Referer", inspectorGo, `from != "" && !isItself(originOf(from), r)`, `from != "" && false`},
	{"the inspector needs a Referer", inspectorGo, `from != "" && !isItself`, `!isItself`},
	{"a Referer counts for more than Sec-Fetch-Site", inspectorGo, `	if len(site) > 0 {
		return true
	}
`, ``},
	{"the inspector answers any origin", inspectorGo, `return ok && from.SameHost(r.Host, r.TLS != nil)`, `return ok && from.Host != ""`},
	{"the inspector takes any method", inspectorGo, `case r.Method != http.MethodGet && r.Method != http.MethodHead:`, `case false:`},
	{"the inspector may be framed", inspectorGo, `; frame-ancestors 'none'`, ``},
	{"the inspector may be kept by a cache", inspectorGo, `	header.Set("Cache-Control", "no-store")
`, ``},
	{"the inspector remembers every group", historyGo, `len(groups) >= mostGroups`, `false`},
	{"the inspector forgets the latest group", historyGo, `slices.MinFunc(`, `slices.MaxFunc(`},
	{"the inspector remembers every origin", historyGo, `len(g.origins) >= mostSamples`, `false`},
	{"the inspector shows paths as they are", historyGo, `g.path = sample(r.URL.Path)`, `g.path = r.URL.Path`},
	{"the inspector keeps origins as they are", historyGo, `from = sample(origin)`, `from = origin`},
	{"the inspector keeps all that a preflight asks for", historyGo, `g.missing = sample(d.missing)`, `g.missing = d.missing`},
	{"the inspector remembers every reload", historyGo, `len(h.reloads) >= mostReloads`, `false`},
	{"the inspector keeps errors of any length", historyGo, `cutText(err.Error(), mostReason)`, `err.Error()`},
	{"the inspector shows sources' errors of any length", inspectionGo, `cutText(from.last.Err.Error(), mostReason)`, `from.last.Err.Error()`},
	{"a text is cut within a character", historyGo, `strings.ToValidUTF8(s[:most], "")`, `strings.Clone(s[:most])`},
	{"an error that says nothing is none", historyGo, `, "an error that says nothing")`, `)`},
	{"requests wait for the text of a failed reload", historyGo, `	record := reloadRecord{at: time.Now()}
	if err != nil {
		record.failed = cmp.Or(cutText(err.Error(), mostReason), "an error that says nothing")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
`, `	h.mu.Lock()
	defer h.mu.Unlock()
	record := reloadRecord{at: time.Now()}
	if err != nil {
		record.failed = cmp.Or(cutText(err.Error(), mostReason), "an error that says nothing")
	}
`},
	{"the inspector shows every rule", inspectionGo, `left = max(len(grants)-mostRules, 0)`, `left = 0`},
	{"the inspector shows every procedure of a rule", inspectionGo, `max(len(names)-mostNames, 0)`, `0`},
	{"the inspector shows every origin of a rule", inspectionGo, `g.values(mostOrigins)`, `g.values(1 << 30)`},
	{"the inspector shows a policy of any size", inspectionGo, `size > mostPolicyBytes`, `false`},
	{"the inspector groups by names of the network's", historyGo, `target: d.knownTarget(),`, `target: d.target.name,`},
	{"the inspector groups by each origin that is listed", historyGo, `field: d.FieldWithoutIndex(),`, `field: d.Field(),`},
	{"the inspector groups by each origin that a shadow lists", historyGo, `shadow.FieldWithoutIndex()`, `shadow.Field()`},
	{"fields are told apart by their places in lists", decisionGo, `	return field[:list]`, `	return field`},
	{"rules are one field", decisionGo, ` || strings.HasSuffix(field[:list], "rules")`, ``},
	{"the command's brackets are ranges", curlGo, `"-i", "-g", `, `"-i", `},
	{"the command cleans up the path", curlGo, `, "--path-as-is"}`, `}`},
	{"the command awaits the body of an answer to HEAD", curlGo, `if r.Method == http.MethodHead {`, `if false {`},
	{"the command gives a body a type", curlGo, `if len(r.Header["Content-Type"]) == 0 {`, `if false {`},
	{"the command leaves out empty fields", curlGo, `			if value == "" {
				field = name + ";"
			}
`, ``},
	{"the command is not quoted", curlGo, "strings.ReplaceAll(s, \"'\", `'\\''`)", `s`},
	{"a trial forgets the query", trialGo, `	if hasQuery {
		sent`, `	if false && hasQuery {
		sent`},
	{"a trial forgets what is escaped", trialGo, "escaped(path, \"\\\"<>^`{}|\\\\\")", `path`},
	{"a trial sends the fragment", trialGo, `	target, _, _ = strings.Cut(target, "#")
`, ``},
	{"a trial takes header fields of several lines", trialGo, `strings.ContainsAny(value, "\x00\r")`, `false`},
	{"a trial shows no rule", trialGo, `	t.Rule = showRuleOf(plan.find(&call))
`, ``},
	{"a trial shows a rule where none governs", trialGo, `if t.kind != targetProcedure && t.kind != targetPath {`, `if t.kind == targetNone {`},
	{"a trial forgets the preflight", trialGo, `len(unsafe) > 0 || !safelistedMethod(call.Method)`, `false`},
	{"a trial does not look at credentials", trialGo, `case f.Credentials && !isOne(`, `case false && !isOne(`},
	{"a trial does not look at the preflight's headers", trialGo, `	for _, name := range unsafe {
		if !listsName(`, `	for _, name := range unsafe[:0] {
		if !listsName(`},
	{"a trial shows what the script cannot read", trialGo, `(!crossOrigin || fetch`, `(true || fetch`},
	{"a trial sends methods as the form has them", trialGo, `if method = normalizedMethod(method); method == "" {`, `if normalizedMethod(method) == "" {`},
	{"a trial sends every method in upper case", trialGo, `	return method
}`, `	return strings.ToUpper(method)
}`},
	{"a trial takes a method for another in upper case", trialGo, `!slices.Contains(methods, method)`, `!listsName(methods, fetch.Lower(method))`},
	{"a trial takes * for all with credentials", trialGo, `!f.Credentials && slices.Contains(items, "*")`, `slices.Contains(items, "*")`},
	{"a trial takes * for authorization", trialGo, `name != "authorization" && f`, `f`},
	{"a trial takes what is no list", trialGo, `				return nil, false
			}
			items`, `				return nil, true
			}
			items`},
	{"a trial uses methods that no script may", trialGo, `	case "CONNECT", "TRACE", "TRACK":`, `	case "TRACK":`},
	{"a trial sets what no script may", trialGo, `if fetch.ForbiddenRequestHeader(fetch.Lower(name)) {`, `if false {`},
	{"a trial takes a server's own page for another's", trialGo, `call.Header["Sec-Fetch-Site"] = []string{"same-origin"}`, `call.Header["Sec-Fetch-Site"] = []string{"same-site"}`},
	{"a metric for each origin that is listed", metricsGo, `d.FieldWithoutIndex()`, `d.Field()`},
	{"the metrics keep whatever was measured", metricsGo, ` || len(k.kept) >= mostKept`, ``},
}
