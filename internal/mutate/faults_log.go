package main

// logFaults are faults of the log, and of the reports on requests that the layer does not refuse.
var logFaults = []fault{
	// Lines about refusals.
	{name: "the line of an origin that no rule names has the quotas of pages that the policy names", in: "lineOf", old: `if owner != "" {`, new: `if true {`},
	{name: "a page that the policy names has the quotas of other origins", in: "lineOf", old: `line.Class, first = boundedlog.Known, `, new: `line.Class, first = boundedlog.Other, `},
	{name: "pages that the policy names share a line", in: "lineOf", old: `line.Class, first = boundedlog.Known, keyFactors[8]*maphash.String(keySeed, owner)`, new: `line.Class = boundedlog.Known`},
	{name: "invented loopback origins and subdomains have the quota of pages that the policy names", in: "lineOf", old: `maphash.String(keySeed, owner)`, new: `maphash.String(keySeed, from)`},
	{name: "the loopback pages share a line", in: "lineOf", old: `line.Keys = `, new: `if owner == loopbackOwner { last = boundedlog.Key(governed + 1) }; line.Keys = `},
	{name: "origins that the policy does not name share a line", in: "lastKey", old: ` + keyFactors[2]*maphash.String(keySeed, from[:min(len(from), maxKeyBytes)])`, new: ``},
	{name: "missing headers share a line", in: "lastKey", old: `if d.missing != "" {`, new: `if false {`},
	{name: "the unknown procedures of a page share a line", in: "lineOf", old: `if !d.target.known {`, new: `if false {`},
	{name: "a repeated refusal is not counted", in: "(*Log).Repeats", old: `l.suppress(kind, of, cause, sample)`, new: ``},
	{name: "a repeated refusal counts for the other class", in: "(*Log).Repeats", old: `l.suppress(kind, of, cause, sample)`, new: `l.suppress(kind, 1-of, cause, sample)`},
	{name: "a refusal repeats every other one", in: "(*Log).Repeats", old: `; same {`, new: `; same || len(*l.classes[of].quiet.Load()) > 0 {`},
	{name: "lines of one class use up the quotas of the other", old: `if l.classes[line.Class].admit(line) {`, new: `if l.classes[Known].admit(line) {`},
	{name: "a quota has no bound for a minute", old: ` && q.inMinute.Load() < maxPerMinute`, new: ``},
	{name: "a minute's quota is used up permanently", old: `func() { q.inMinute.Store(0) }`, new: `func() {}`},
	{name: "a first line leaves its further keys alone", old: `slices.Clone(line.Keys[precision:])`, new: `slices.Clone(line.Keys[precision:precision+1])`},
	{name: "lines that are suppressed are counted regardless of their cause", old: `+int(of))*l.causes+cause]`, new: `+int(of))*l.causes]`},
	{name: "lines that are suppressed are counted regardless of their class", old: `(int(kind)*int(classes)+int(of))*l.causes`, new: `(int(kind)*int(classes))*l.causes`},
	{name: "a summary has no sample", old: `slog.Int64("count", c.count.Swap(0))}, attrs...)`, new: `slog.Int64("count", c.count.Swap(0))}, attrs[:0]...)`},

	// Requests that no rule governs.
	{name: "the path of an origin that no rule names is logged", in: "(*ungovernedRequests).report", old: `if q.plan.explainable(q.from) {`, new: `if true {`},
	{name: "any number of paths is logged", old: `len(u.paths) >= maxUngovernedPaths || `, new: ``},
	{name: "paths of any length are kept", old: `len(q.from)+len(q.method)+len(r.Path) > route.MaxPath`, new: `len(r.Path) > 100*route.MaxPath`},
	{name: "paths are logged once, also under another policy", in: "remedyOf", old: `		clear(u.paths)
`, new: ``},
	{name: "invented paths hide others permanently", old: `time.AfterFunc(ungovernedPeriod, u.forget)`, new: `_ = u.forget`},
	{name: "a request that is answered is logged", old: `if q.answered && !plan.observes || `, new: `if false && q.answered || `},
	{name: "a request that another middleware answers is not logged under OBSERVE", old: `if q.answered && !plan.observes || `, new: `if q.answered || `},
	{name: "a response for another origin counts as an answer", in: "allowsOrigin", old: `hasOnly(lines, "*") || hasOnly(lines, from)`, new: `hasOnly(lines, "*") || len(lines) == 1`},
	{name: "a response for everyone is not an answer", in: "allowsOrigin", old: `hasOnly(lines, "*") || `, new: ``},
	{name: "the letter case of a handler's field decides whether it answers", in: "fieldOf", old: `&& strings.EqualFold(key, name)`, new: `&& false`},
	{name: "a response without credentials answers a call with cookies", in: "allowsOrigin", old: ` && hasOnly(fieldOf(header, "Access-Control-Allow-Credentials"), "true")`, new: ``},
	{name: "an inner layer reports what the outer one answers", in: "passUngoverned", old: ` || isWrapped(w)`, new: ``},
	{name: "the server's own pages are reported", in: "isCrossOriginFetch", old: `return ok && !from.SameHost(r.Host, r.TLS)`, new: `return ok && from.Host != ""`},
	{name: "same-origin requests are reported", in: "isCrossOriginFetch", old: `!hasOnly(site, "same-origin") && `, new: ``},
	{name: "requests of the address bar are reported", in: "isCrossOriginFetch", old: ` && !hasOnly(site, "none")`, new: ``},
	{name: "handshakes are reported", in: "isCrossOriginFetch", old: ` || isUpgrade(r)`, new: ``},
	{name: "requests in other modes than cors are reported", in: "isCrossOriginFetch", old: ` || !isCORS(r)`, new: ``},
	{name: "requests of other origins without a rule are not counted", old: `	u.others.Add(1)
`, new: ``},
	{name: "each request of other origins is logged", in: "(*ungovernedRequests).count", old: `u.counted.Add(1) == 1`, new: `u.counted.Add(1) > 0`},
	{name: "a remedy is that of another page", old: `key := ungovernedPath{q.from, q.method, r.Path}`, new: `key := ungovernedPath{"", q.method, r.Path}`},

	// The rule to write.
	{name: "a new rule covers the paths below", old: `		path += "{$}" // without it, the rule would apply to every path below too
`, new: ``},
	{name: "a new rule has a path that does not load", old: ` || !p.routes.Added(path, p.newPath, r.Path, r.EscapedPath, canBeCall(r))`, new: ``},
	{name: "a new rule has the braces of a path as wildcards", old: `	path = withoutWildcards.Replace(path)
`, new: ``},
	{name: "a new rule leaves the path disabled", in: "(*newRule).grant", old: `if g.disabled {`, new: `if false {`},
	{name: "a new rule does not allow the origin", in: "(*newRule).grant", old: `case !matches, `, new: `case matches && false, `},
	{name: "a new rule does not name the origin of an operational service", old: `if route.IsOperational(service) {
			t =`, new: `if false {
			t =`},
	{name: "a new rule does not accept the risk of the origin", in: "(*newRule).grant", old: `if risk, _ := d.riskOfOrigin(); risk != "" {`, new: `if risk, _ := d.riskOfOrigin(); false {`},
	{name: "a new rule does not allow the cookies that the call has", in: "(*newRule).grant", old: `	if cookies {
		n.add`, new: `	if false {
		n.add`},
	{name: "a new rule does not allow the method", in: "(*newRule).grant", old: `if t.kind == targetPath && !slices`, new: `if false && !slices`},
	{name: "a new rule has a method in lower case", in: "(*newRule).grant", old: `upper := strings.ToUpper(q.method)`, new: `upper := q.method`},
	{name: "a new rule does not allow the headers", in: "(*newRule).grant", old: `	if q.preflight {
		n.grantHeaders`, new: `	if false {
		n.grantHeaders`},
	{name: "a new rule allows headers that no rule can", in: "grantHeaders", old: `case rules.CanAllowHeader(name):`, new: `case rules.CanAllowHeader(name), true:`},
	{name: "a pattern that matches a known service can be added", in: "Added", old: `if _, covers := t.Covers(p); covers {`, new: `if _, covers := t.Covers(p); covers && false {`},
	{name: "the rule that no path has adds problems to the policy", in: "newPath", old: `return silent.effective(`, new: `return c.effective(`},

	// Calls that do not come.
	{name: "a preflight with credentials awaits its call", in: "(*awaitedCalls).note", old: ` && !d.target.grant.credentials`, new: ``},
	{name: "a refused preflight awaits its call", in: "(*awaitedCalls).note", old: ` && d.reason == reasonOriginAllowed`, new: ``},
	{name: "a call after a reload is missing", in: "(*awaitedCalls).missed", old: `if a.layer.plan.Load().rules != p.rules {`, new: `if false {`},
	{name: "a preflight of an origin that no rule names awaits its call", in: "(*awaitedCalls).note", old: ` && p.explainable(d.origin)`, new: ``},
	{name: "a call that comes is awaited", in: "(*awaitedCalls).arrived", old: `	if timer := a.calls[key]; timer != nil {`, new: `	if timer := a.calls[key]; false {`},
	{name: "any number of calls is awaited", old: ` || len(a.calls) >= maxAwaited`, new: ``},
	{name: "calls of any size are awaited", in: "(*awaitedCalls).await", old: `if len(d.origin)+len(d.target.name) > maxAwaitedBytes {`, new: `if false {`},
	{name: "any number of calls that did not come is logged", old: ` || len(a.logged) >= maxLoggedCalls`, new: ``},
	{name: "a call that did not come is logged each time", old: `_, known := a.logged[key]; known || `, new: `_, known := a.logged[key]; known && false || `},
	{name: "calls that did not come are logged without WithExplain", in: "newAwaited", old: `logs := explains && l.log != nil`, new: `logs := l.log != nil`},
	{name: "the event of a call that did not come has all header fields", in: "(*awaitedCalls).await", old: `TLS: r.TLS, Header: http.Header{}}`, new: `TLS: r.TLS, Header: http.Header(r.Header).Clone()}`},
	{name: "the log advises to grant the requests of other origins", old: `if l.explains && owner != "" {`, new: `if l.explains {`},
	{name: "the log of production advises to grant requests", old: `if l.explains && owner != "" {`, new: `if owner != "" {`},
}
