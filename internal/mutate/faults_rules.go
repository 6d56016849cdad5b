package main

// rulesFaults are faults of compiling a policy: its checks, and its digest.
var rulesFaults = []fault{
	// Selectors.
	{name: "a selector is said to mean a wider one or another method", old: ` && isMisspelling(written, nearest) {`, new: ` {`},
	{name: "a selector of any length is read", in: "CheckSelector", old: `if len(selector) > MaxPath {`, new: `if false {`},
	{name: "a name of the schema is refused for its length", old: `if c.schema.has(l.selector) {`, new: `if len(l.selector) <= route.MaxPath && c.schema.has(l.selector) {`},
	{name: "a malformed selector gets a level", old: `if !c.checkSelector(l) {`, new: `if !c.checkSelector(l) && false {`},

	// Profiles that are not selected.
	{name: "the policy without its profiles is not checked", old: `if name == chosen {`, new: `if name == chosen || name == "" {`},
	{name: "of profiles that are wrong alike the first is told", old: `valid[key] = len(c.violations) == before`, new: `valid[key] = len(c.violations) >= before`},
	{name: "profiles for other selectors count as alike", old: `"%q %t %d %d %t ", l.selector,`, new: `"%q %t %d %d %t ", "",`},
	{name: "profiles with other protocols count as alike", old: `l.isRule, l.protocols, len(l.sharedOrigins())`, new: `l.isRule, 0, len(l.sharedOrigins())`},
	{name: "profiles with * and without it count as alike", old: `l.protocols, len(l.sharedOrigins())`, new: `l.protocols, 0`},
	{name: "profiles with credentials and without them count as alike", old: `[]*bool{l.credentials, l.disabled}`, new: `[]*bool{l.disabled}`},
	{name: "profiles that disable and that do not count as alike", old: `[]*bool{l.credentials, l.disabled}`, new: `[]*bool{l.credentials}`},
	{name: "profiles with origins and without them count as alike", in: "checkKey", old: `fmt.Fprintln(&b, l.setsOrigins())`, new: `fmt.Fprintln(&b)`},
	{name: "profiles with other defaults count as alike", old: `	write(p.defaults)
`, new: ``},
	{name: "profiles with another rule for * count as alike", old: `	write(p.wildcard)
`, new: ``},
	{name: "a profile's defaults are not held against the policy's rules", old: `return p.defaults.affectsChecks() || p.wildcard.affectsChecks()`, new: `return p.wildcard.affectsChecks()`},
	{name: "a profile's rule for * is not held against the policy's rules", old: `return p.defaults.affectsChecks() || p.wildcard.affectsChecks()`, new: `return p.defaults.affectsChecks()`},
	{name: "a profile's defaults that only allow credentials do not matter", old: ` || l.credentials != nil || `, new: ` || `},
	{name: "a profile's defaults that only disable do not matter", old: ` || l.disabled != nil || `, new: ` || `},
	{name: "a profile's defaults that only say protocols do not matter", old: ` || l.protocols != 0)`, new: `)`},
	{name: "a profile's defaults are held against its own selectors only", in: "mergedRules", old: `slices.Concat(v.sorted, v.profile.selectors())`, new: `v.profile.selectors()`},
	{name: "a profile's defaults are held against its own paths only", in: "mergedRules", old: `slices.Concat(v.base.usable, paths)`, new: `paths`},
	{name: "a profile's defaults are not held against the schema's options", in: "mergedRules", old: `range v.withOptions {`, new: `range v.withOptions[:0] {`},
	{name: "a profile's rule is not held against the selectors inside it", old: `append(below(v.sorted, name), selector)`, new: `[]string{selector}`},
	{name: "a profile's rule is not held against the options inside it", old: `range belowMethods(v.withOptions, name) {`, new: `range belowMethods(v.withOptions, name)[:0] {`},
	{name: "a profile's path rules are not held against the defaults", in: "checkBelow", old: `range v.profile.patterns {`, new: `range v.profile.patterns[:0] {`},
	{name: "a profile's own paths are not held against the defaults", in: "checkBelow", old: `range paths {`, new: `range paths[:0] {`},
	{name: "what the rule of a refused path would be is checked too", in: "checkBelow", old: ` && !v.base.unusable[text]`, new: ``},
	{name: "a policy that grants nothing is valid beside another profile's mistake", in: "Compile", old: `if valid && !rules[i].grantsSomething() && `, new: `if valid && len(found)+len(c.violations) == 0 && !rules[i].grantsSomething() && `},
	{name: "a profile's path conflicts with none of the policy's", old: `conflicts := v.base.conflicts.Overlay()`, new: `conflicts := &route.Patterns{}`},

	// Policy files.
	{name: "a key twice in a text loads", old: `		f.checkTextMaps(text, msg.ProtoReflect())
`, new: ``},
	{name: "a key twice in a list of a text loads", old: `		for s.i++; s.peek() != ']' && s.peek() != 0; {
			value()
		}`, new: `		for s.i++; s.peek() != ']' && s.peek() != 0; {
			s.value(inner, path)
		}`},
	{name: "a key twice in a message of a text loads", old: `return fd, textScope{message: s.message.NewField(fd).Message()}`, new: `return fd, textScope{}`},
	{name: "keys of a text are compared as they are written", old: `if prototext.Unmarshal(text, m.Interface()) != nil {`, new: `if prototext.Unmarshal(text, m.Interface()) != nil || true {`},
	{name: "an entry without a key takes the key of the one before it", old: `	s.key = -1
	s.value(scope`, new: `	s.value(scope`},
	{name: "a correction that does not help is suggested", old: `<= failedAt {
				continue`, new: `<= -1 {
				continue`},
	{name: "a line is moved to where it has another meaning", old: `if m.strict && (!result.valid ||`, new: `if m.strict && false && (!result.valid ||`},
	{name: "a correction is suggested that makes two lines one value", old: `if c.file.trial && n.Style == 0 && c.overLines(n) {`, new: `if false {`},
	{name: "the most likely of several corrections is not the one with the fewest problems", old: `		if cost < least {
			best,`, new: `		if least == math.MaxInt {
			best,`},
	{name: "a line of YAML that looks like a comment sets a field", in: "parseYAML", old: `name := oddBreak(text); i >= 0 {`, new: `name := oddBreak(text); i >= 0 && false {`},
	{name: "a line of the text format that looks like a field is a comment", in: "parseText", old: `name := oddBreak(text); i >= 0 {`, new: `name := oddBreak(text); i >= 0 && false {`},
	{name: "a line of YAML behind a carriage return sets a field", in: "oddBreak", old: `if i+1 == len(text) || text[i+1] != '\n' {`, new: `if false {`},
	{name: "a line of YAML behind U+0085 sets a field", in: "oddBreak", old: `case 0xc2, 0xe2:`, new: `case 0xe2:`},
	{name: "a line of YAML behind U+2028 sets a field", in: "oddBreak", old: `case 0xc2, 0xe2:`, new: `case 0xc2:`},
	{name: "a large text in YAML is explained", in: "explainYAML", old: `if len(text) > maxExplained {`, new: `if false {`},
	{name: "a large text in JSON is explained", in: "explainJSON", old: `if len(text) > maxExplained {`, new: `if false {`},
	{name: "a panic of an explanation ends the server", old: `		if recover() != nil {
			m, ok = mistake{}, false`, new: `		if false {
			m, ok = mistake{}, false`},
	{name: "an item with several origins is told to be several items of the environment", old: `if items := origin.Items(item); items != nil && source != "" {`, new: `if items := origin.Items(item); items != nil && false {`},
	{name: "a selector in another letter case is not found", old: `		case lower == name:
			same`, new: `		case false:
			same`},
	{name: "the end of a selector is not found", old: `case strings.HasSuffix(lower, "."+name) && len(ends) < maxMeant:`, new: `case false:`},

	// Header lists.
	{name: "* comes before the names", old: `	if grants, ok := l.names[name]; ok {
		return grants, true
	}
	if l.tracing != nil && rpc.IsTracing(name) {
		return *l.tracing, true
	}
	return l.lookupPrefix(name)`, new: `	if grants, mentioned = l.lookupPrefix(name); mentioned {
		return grants, true
	}
	grants, mentioned = l.names[name]
	return grants, mentioned`},
	{name: "tracing grants nothing", old: `if l.tracing != nil && rpc.IsTracing(name) {`, new: `if false {`},
	{name: "tracing decides over the names of its rule", old: `if grants, ok := l.names[name]; ok {
		return grants, true
	}
	if l.tracing`, new: `if grants, ok := l.names[name]; ok && !(l.tracing != nil && rpc.IsTracing(name)) {
		return grants, true
	}
	if l.tracing`},
	{name: "the names of tracing are not listed", old: `append(slices.Clip(l.ordered), rpc.TracingNames()...)`, new: `append(slices.Clip(l.ordered), rpc.TracingNames()[:0]...)`},
	{name: "a caller can change the names of tracing", old: `func TracingNames() []string { return slices.Clone(tracingNames) }`, new: `func TracingNames() []string { return slices.Clip(tracingNames) }`},
	{name: "a schema turns tracing on", old: `if m.GetTracing() {`, new: `if false {`},
	{name: "a schema turns timing on", old: `if m.GetTiming() {`, new: `if false {`},
	{name: "content-type where a path only reads", old: `return method != "GET" && method != "HEAD"`, new: `return method != ""`},
	{name: "a profile's origins that only the shadow policy takes are refused", old: `for _, b := range bases {
				t = t.or(`, new: `for _, b := range bases[:1] {
				t = t.or(`},
	{name: "null that a profile adds gets the credentials of another rule", old: `if credentials && added.origins.HasShared() {`, new: `if false {`},
	{name: "content-type for everyone where no methods are written", old: `if !e.kind.Path || e.ServesMCP() || e.Origins().Any() != 0 && e.methodsFrom == nil {`, new: `if !e.kind.Path || e.ServesMCP() {`},
	{name: "content-type where an item covers it", old: `if _, mentioned := e.request.Lookup("content-type"); mentioned {`, new: `if _, mentioned := e.request.Lookup("content-type"); mentioned && false {`},
	{name: "a path rule cannot deny content-type", in: "neededBy", old: `if path {`, new: `if path && serves != 0 {`},
	{name: "a header of the CORS protocol is granted", old: `case fetch.IsAccessControl(name), fetch.ForbiddenResponseHeader(name):`, new: `case fetch.ForbiddenResponseHeader(name):`},
	{name: "a header of requests is exposed", in: "RequestOnly", old: `return true`, new: `return false`},
	{name: "a family of requests' headers is exposed", in: "RequestOnly", old: `return strings.HasPrefix(lower, "sec-") || strings.HasPrefix(lower, "access-control-request-")`, new: `return false`},
	{name: "what browsers send themselves is not told", in: "SentByBrowser", old: `return true`, new: `return false`},
	{name: "what is denied by * is not denied to authorization", old: `return !grants || name != "authorization" &&`, new: `return name != "authorization" &&`},
	{name: "a name that a narrower rule denies is listed", old: `if grants, _ := r.Lookup(name); grants && own && !seen[name] {`, new: `if _, mentioned := r.Lookup(name); mentioned && own && !seen[name] {`},
	{name: "a name that only deny_headers has is listed", old: `grants && own && !seen[name] {`, new: `grants && (own || !own) && !seen[name] {`},
	{name: "prefixes grant what is listed only", in: "HeaderRules.Open", old: `			if grants {`, new: `			if grants && false {`},
	{name: "authorization is as all other names to a comparison", old: `names = append(fetch.RewritingHeaders(), "authorization")`, new: `names = fetch.RewritingHeaders()`},
	{name: "what rewrites a request is as all other names to a comparison", old: `names = append(fetch.RewritingHeaders(), "authorization")`, new: `names = append(fetch.RewritingHeaders()[:0], "authorization")`},
	{name: "metadata of grpc-gateway is as all other names to a comparison", old: `prefixes = []string{"", rpc.GatewayPrefix}`, new: `prefixes = []string{""}`},
	{name: "a header that is not mentioned is not one that is denied", old: `	if c.denyUnmentioned {
		return fmt.Sprint(grants)
	}
`, new: ``},

	// The digest.
	{name: "the digest leaves out the version", old: `"corsrpc rules", version, r.Profile,`, new: `"corsrpc rules", r.Profile,`},
	{name: "the digest leaves out the profile", old: `version, r.Profile, fmt`, new: `version, fmt`},
	{name: "the digest leaves out the enforcement", old: `fmt.Sprint(r.Observes))`, new: `"")`},
	{name: "the digest leaves out the path prefixes", old: `	d.set(r.Prefixes)
`, new: ``},
	{name: "the digest leaves out the schema's services", old: `	d.set(r.Services)
`, new: ``},
	{name: "the digest leaves out what no rule covers", old: `	d.effective("*", r.Uncovered)
`, new: ``},
	{name: "the digest leaves out the selectors", old: `		d.effective(s.Name, s.Rule)
`, new: ``},
	{name: "the digest leaves out the operational services", old: `		d.effective(s.Name, s.Operational)
`, new: ``},
	{name: "the digest leaves out the procedures", old: `		d.effective(p.Name, p.Rule)
`, new: `		_ = p
`},
	{name: "the digest leaves out the paths", old: `		d.effective(p.Pattern.String(), p.Rule)
`, new: `		_ = p
`},
	{name: "the digest leaves out the names", old: `d.strings(name, strconv`, new: `d.strings(strconv`},
	{name: "the digest leaves out which names share a rule", old: `d.strings(name, strconv.Itoa(d.rules[e].number), d.rules[e].sum)`, new: `_ = strconv.Itoa; d.strings(name, d.rules[e].sum)`},
	{name: "the digest leaves out the names that preflights are answered with", old: `of.set(e.request.Granted())`, new: `of.set(nil)`},
	{name: "the digest leaves out credentials", old: `e.Credentials(), e.Disabled(), e.MaxAge()`, new: `e.Disabled(), e.MaxAge()`},
	{name: "the digest leaves out what is disabled", old: `e.Credentials(), e.Disabled(), e.MaxAge()`, new: `e.Credentials(), e.MaxAge()`},
	{name: "the digest leaves out the age of preflights", old: `e.Credentials(), e.Disabled(), e.MaxAge()`, new: `e.Credentials(), e.Disabled()`},
	{name: "the digest leaves out the protocols", old: `e.protocols, e.Present()`, new: `e.Present()`},
	{name: "the digest leaves out whether all is exposed", old: `e.Present(), e.Timing()`, new: `e.Timing()`},
	{name: "the digest leaves out timing", old: `e.Present(), e.Timing(), `, new: `e.Present(), `},
	{name: "the digest leaves out content-type on paths", old: `e.Timing(), e.GrantsContentType())`, new: `e.Timing())`},
	{name: "the digest leaves out the origins", old: `d.originsOf(e.Origins()), e.request`, new: `e.request`},
	{name: "the digest leaves out the request headers", old: `e.request.Canonical(true), e.response`, new: `e.response`},
	{name: "the digest leaves out the response headers", old: `, e.response.Canonical(false))`, new: `)`},
	{name: "the digest leaves out the sources", old: `		of.set(e.Sources())
`, new: ``},
	{name: "the digest leaves out the methods", old: `		of.set(e.Methods())
`, new: ``},
	{name: "the digest runs texts into one another", old: `d.Write(binary.AppendUvarint(nil, uint64(len(text))))`, new: `d.Write(binary.AppendUvarint(nil, uint64(len(text)))[:0])`},
	{name: "the order of a list counts in the digest", old: `slices.Compact(slices.Sorted(slices.Values(all)))`, new: `slices.Compact(all)`},
	{name: "the order of path rules counts in the digest", old: `return slices.Compare([]byte(a.Pattern.String()), []byte(b.Pattern.String()))`, new: `return 0`},
}
