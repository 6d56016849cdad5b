package main

// inspectorFaults are faults of the inspector and of the metrics.
var inspectorFaults = []fault{
	{name: "the inspector answers under any name", in: "(*Inspector).refusal", old: `case !pageguard.AnswersUnder(i.hosts, r.Host):`, new: `case false:`},
	{name: "the inspector answers under names that end in localhost", in: "AnswersUnder", old: `strings.HasSuffix(host, ".localhost")`, new: `strings.HasSuffix(host, "localhost")`},
	{name: "the inspector answers under an empty name", old: `		slices.Contains(hosts, host)`, new: `		host == "" || slices.Contains(hosts, host)`},
	{name: "the dot that ends a host counts", old: `strings.TrimSuffix(fetch.Lower(withoutPort(hostport)), ".")`, new: `fetch.Lower(withoutPort(hostport))`},
	{name: "the letter case of a host counts", old: `fetch.Lower(withoutPort(hostport))`, new: `withoutPort(fetch.Lower("") + hostport)`},
	{name: "a URL is no host", old: `		host = rest[:end]
`, new: `		_, _ = rest, end
`},
	{name: "what is no host name is one", old: `return name, ok && !strings`, new: `return name, !strings`},
	{name: "a host may end in two dots", old: `!strings.HasSuffix(name, ".") && `, new: ``},
	{name: "a host may have any port", old: ` && strings.Trim(port, "0123456789") == ""`, new: ` && port != ":"`},
	{name: "the inspector answers other sites", in: "(*Inspector).refusal", old: `case !pageguard.FromItself(r):`, new: `case false:`},
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
	{name: "the inspector may be framed", in: "inspectorPage", old: `; frame-ancestors 'none'`, new: ``},
	{name: "the inspector may be kept by a cache", in: "(*Inspector).ServeHTTP", old: `	header.Set("Cache-Control", "no-store")
`, new: ``},
	{name: "the inspector remembers every group", in: "groupOf", old: `len(groups) >= maxGroups`, new: `false`},
	{name: "the inspector forgets the latest group", in: "evictOldest", old: `t.last.Before(quietest.last)`, new: `quietest.last.Before(t.last)`},
	{name: "the inspector remembers every origin", old: `len(g.origins) >= maxSamples`, new: `false`},
	{name: "the inspector shows paths as they are", old: `g.path = safetext.Sample(r.Path)`, new: `g.path = r.Path`},
	{name: "the inspector keeps origins as they are", old: `from = safetext.Sample(origin)`, new: `from = origin`},
	{name: "the inspector keeps all that a preflight asks for", old: `missing := safetext.Sample(d.Missing())`, new: `missing := d.Missing()`},
	{name: "the inspector remembers every reload", old: `len(h.reloads) >= maxReloads`, new: `false`},
	{name: "the inspector keeps errors of any length", old: `cutText(err.Error(), maxError)`, new: `err.Error()`},
	{name: "the inspector shows sources' errors of any length", old: `cutText(r.Err.Error(), maxError)`, new: `r.Err.Error()`},
	{name: "a text is cut within a character", old: `strings.ToValidUTF8(s[:maxBytes], "")`, new: `strings.Clone(s[:maxBytes])`},
	{name: "an error that says nothing is none", old: `, "an error with an empty text")`, new: `)`},
	{name: "requests wait for the text of a failed reload", old: `	record := reloadRecord{at: time.Now()}
	if err != nil {
		record.failed = cmp.Or(cutText(err.Error(), maxError), "an error with an empty text")
	} else {
		record.digest = plan.Digest()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
`, new: `	h.mu.Lock()
	defer h.mu.Unlock()
	record := reloadRecord{at: time.Now()}
	if err != nil {
		record.failed = cmp.Or(cutText(err.Error(), maxError), "an error with an empty text")
	} else {
		record.digest = plan.Digest()
	}
`},
	{name: "the inspector shows every rule", old: `left = max(len(distinct)-maxRules, 0)`, new: `left = 0`},
	{name: "the inspector shows every procedure of a rule", old: `max(len(names)-maxNames, 0)`, new: `0`},
	{name: "the inspector shows every origin of a rule", old: `r.FirstValues(maxOrigins)`, new: `r.FirstValues(1 << 30)`},
	{name: "the inspector shows a policy of any size", old: `size > maxPolicyBytes`, new: `false && size > 0`},
	{name: "the inspector groups by names of the network's", old: `	if !known {
		target = d.PathPattern()`, new: `	if !known && target == "" {
		target = d.PathPattern()`},
	{name: "the inspector groups by each origin that is listed", in: "keyOf", old: `field: from.FieldWithoutIndex()`, new: `field: from.Field`},
	{name: "the inspector groups by each origin that a shadow lists", old: `shadowFrom.FieldWithoutIndex()`, new: `shadowFrom.Field`},
	{name: "fields are told apart by their places in lists", in: "FieldWithoutIndex", old: `return p.Field[:list]`, new: `return p.Field`},
	{name: "rules are one field", old: ` || strings.HasSuffix(p.Field[:list], "rules")`, new: ``},
	{name: "the command's brackets are ranges", old: `"-i", "-g", `, new: `"-i", `},
	{name: "the command cleans up the path", old: `, "--path-as-is"}`, new: `}`},
	{name: "the command awaits the body of an answer to HEAD", in: "Command", old: `if method == http.MethodHead {`, new: `if false {`},
	{name: "the command gives a body a type", old: `if len(header["Content-Type"]) == 0 {`, new: `if false {`},
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
	{name: "a trial takes header fields of several lines", in: "checkFields", old: `strings.ContainsAny(value, "\x00\r\n")`, new: `strings.ContainsAny(value, "\x00")`},
	{name: "a trial shows no rule", old: `	t.Rule, _ = plan.Rule(request)
`, new: ``},
	{name: "one rule is said to govern a path that is read in several ways", old: `if t.kind != targetProcedure && t.kind != targetPath {`, new: `if t.kind == targetNone {`},
	{name: "a trial does not look at credentials", in: "byPage", old: `credentials = corsbrowser.Include`, new: `credentials = corsbrowser.Omit`},
	{name: "a trial has no cookie", old: `		jar.SetCookies(r.URL, []*http.Cookie{{Name: cookieName, Value: cookieValue, Path: "/", Secure: r.URL.Scheme == "https"}})
`, new: ``},
	{name: "a trial shows what the script cannot read", old: `o.Readable = response.Header`, new: `o.Readable = browser.Log()[len(browser.Log())-1].Answer`},
	{name: "a trial's rule is that of the method as the script writes it", old: `request.Method = fetch.NormalizeMethod(request.Method)`, new: `_ = request.Method`},
	{name: "browsers send every method in upper case", in: "NormalizeMethod", old: `	return method
}`, new: `	return strings.ToUpper(method)
}`},
	{name: "a browser takes a list with a malformed item", in: "ExtractHeaderListValues", old: `		if !IsToken(item) {
			return nil, false`, new: `		if !IsToken(item) {
			return tokens, true`},
	{name: "a script may use CONNECT", in: "ForbiddenMethod", old: `strings.EqualFold(method, "CONNECT") || `, new: ``},
	{name: "a trial does not say what the browser drops", in: "byPage", old: `		o.Dropped = sent.Dropped
`, new: ``},
	{name: "a metric for each origin that is listed", in: "decisionOf", old: `d.From().FieldWithoutIndex()`, new: `d.From().Field`},
	{name: "the metrics keep whatever was measured", old: ` || len(c.entries) >= maxCached`, new: ``},
	{name: "an inspector takes a second layer", old: `if !i.layer.CompareAndSwap(nil, l) {`, new: `if i.layer.Store(l); false {`},
	{name: "a form of any size is tried", old: `len(r.URL.RawQuery) > maxQuery`, new: `false`},
	{name: "the inspector is loaded by other origins' pages", in: "(*Inspector).ServeHTTP", old: `	header.Set("Cross-Origin-Resource-Policy", "same-origin")
`, new: ``},
	{name: "the inspector's window is held by the page that opened it", old: `	header.Set("Cross-Origin-Opener-Policy", "same-origin")
`, new: ``},
	{name: "the inspector wants what passes", in: "(*Inspector).Enabled", old: `	return false
`, new: `	return true
`},
	{name: "a reload is shown without its digest", old: `		record.digest = plan.Digest()
`, new: ``},
	{name: "a trial has headers under any name", in: "checkFields", old: `if !fetch.IsToken(name) {`, new: `if false {`},
	{name: "a trial is made in one engine", old: `for _, engine := range engines {
		outcome`, new: `for _, engine := range engines[:1] {
		outcome`},
	{name: "a program sends no cookie", old: `if c.Credentials && len(r.Header["Cookie"]) == 0 {`, new: `if false {`},
	{name: "the letter case of a program's header fields counts", in: "(*Call).request", old: `r.Header.Add(name, value)`, new: `r.Header[name] = append(r.Header[name], value)`},
	{name: "engines that differ are shown as one", old: `slices.Equal(lowerNames(a.Readable), lowerNames(b.Readable)) && slices.Equal(lowerNames(a.Dropped), lowerNames(b.Dropped))`, new: `true`},
	{name: "a name that nobody knows is shown as it is", old: `if !t.nameIsKnown {`, new: `if false {`},
	{name: "the inspector keeps every group of requests that no rule governs", in: "reported", old: `len(groups) >= maxGroups`, new: `false`},
	{name: "the inspector keeps fields of requests of any length", old: `value[:min(len(value), maxSampleField)]`, new: `value`},
	{name: "a link has the method of the preflight", old: `		form["method"] = asked
`, new: ``},
	{name: "a link does not ask for the headers", old: `headers = append(headers, name+": "+value)`, new: `_ = name + value`},
	{name: "a link has no credentials", old: `form.Set("credentials", "on")`, new: ``},
	{name: "the inspector shows the remedy of a policy that is replaced", old: `		s.Remedy = cutText(d.Remedy(), maxRemedy)
`, new: `		s.Remedy = g.remedy
`},
	{name: "the inspector shows a remedy for a request that is granted", old: `		s.Granted = true
`, new: `		s.Remedy = g.remedy
`},
	{name: "a handshake without a rule has no remedy", old: `d.Refused() || g.policies == policies`, new: `d.Refused()`},
	{name: "a form has any number of header fields", old: `if count++; count > maxFields {`, new: `if count++; false {`},
	{name: "a trial has any number of header fields", old: `		if count > maxFields {
			return errTooManyFields`, new: `		if false {
			return errTooManyFields`},
	{name: "a trial has header fields of any size", old: `if size > maxFieldBytes {`, new: `if false {`},
}
