package main

const (
	tableOfRoutesGo = "internal/route/table.go"
	routeNamesGo    = "internal/route/names.go"
	readingsGo      = "internal/route/readings.go"
	routePatternGo  = "internal/route/pattern.go"
	treeGo          = "internal/route/tree.go"
	foreignGo       = "internal/route/foreign.go"
	getGo           = "internal/rpc/get.go"
	contentTypeGo   = "internal/rpc/content_type.go"
	operationalGo   = "internal/rpc/operational.go"
)

// routeFaults are those in which rule governs a path.
var routeFaults = []fault{
	// Names.
	{"a package is as good as another that begins alike", routeNamesGo, `		if c, ok := in[pkg]; ok {
			return c, true
		}`, `		for have, c := range in {
			if strings.HasPrefix(pkg, have) {
				return c, true
			}
		}`},
	{"an unknown method gets what nobody's does", routeNamesGo, `	if c, ok := n.selectors[service]; ok {
		return set(c)
	}
`, ``},
	{"a selector of a method is none", routeNamesGo, `	if c, ok := n.selectors[name]; ok {
		m.Known = true
		return set(c)
	}
`, ``},
	{"a name of the network's is a key", routeNamesGo, `	m = Match[V]{Kind: Procedure, Name: name}`, `	m = Match[V]{Kind: Procedure, Name: name, Known: true}`},
	{"names that differ in letter case share what the last one has", routeNamesGo, `	if have && !same(c.value, v) {`, `	if have && false {`},
	{"operational services get what an application's do", routeNamesGo, `	if operational {
		in = n.operational
	}
`, ``},
	{"defaults reach reflection", routeNamesGo, `	if operational {
		m.Value = t.unnamed
	}
`, ``},
	{"a known service has a shape only", routeNamesGo, `if n.services[service] == "" {`, `if true {`},
	{"every name has more than a shape", routeNamesGo, `if n.services[service] == "" {`, `if false {`},
	{"an operational service in another letter case is an application's", operationalGo, `return operationalFolded[lower]`, `return false`},
	{"defaults reach what a package's rule covers", compileGo, `operational = grantOf(true)`, `operational = grantOf(false)`},
	{"defaults reach the methods of operational services", compileGo, `key := grantKey{c.narrowest(m.name), m.noSideEffects, route.IsOperational(m.name), c.elementOf(m.name)}`, `key := grantKey{c.narrowest(m.name), m.noSideEffects, false, c.elementOf(m.name)}`},
	{"an operational service is said to lack an origin", decideGo, `case g.kind.unnamed && g.originRule == nil:`, `case false:`},

	// Which path.
	{"a path in one spelling is looked up in another", tableOfRoutesGo, `ok && raw.decoded == path {`, `ok {`},
	{"a path rule takes a procedure's path", tableOfRoutesGo, `named.Kind == Procedure {`, `named.Kind == Procedure && named.Known {`},
	{"a path rule that spells out what a selector covers comes first", routePatternGo, `if !m.wild && !t.isProcedure(p.decodedPath()) {`, `if !m.wild {`},
	{"a shape comes before a path rule", tableOfRoutesGo, `named.Kind == Procedure {`, `named.Kind != None {`},
	{"a page is a call", tableOfRoutesGo, `if named.Kind == Shape && l.calls {`, `if named.Kind == Shape {`},
	{"a call is a page", tableOfRoutesGo, `if named.Kind == Shape && l.calls {`, `if false {`},
	{"readings that lead to none do not count", tableOfRoutesGo, `	if a.Kind == None || b.Kind == None {
		return a.Kind == b.Kind
	}
`, `	if a.Kind == None || b.Kind == None {
		return true
	}
`},
	{"readings that lead to another rule do not count", tableOfRoutesGo, `return !a.Split && !b.Split && t.same(a.Value, b.Value)`, `return true`},
	{"names that differ in letter case are alike", tableOfRoutesGo, `return !a.Split && !b.Split && t.same(a.Value, b.Value)`, `return t.same(a.Value, b.Value)`},
	{"paths of any length are read", tableOfRoutesGo, `len(path) > t.longest || len(escaped) > t.longest ||`, ``},
	{"a procedure with a long name is none", tableOfRoutesGo, `		t.longest = max(t.longest, len(prefix+path))
`, ``},
	{"a target without a slash is a path", tableOfRoutesGo, ` || !isRooted(path) || !isRooted(escaped)`, ``},
	{"a URL within a URL is not looked at", decideGo, `		path = r.URL.Opaque // which`, `		path = "" // which`},
	{"letter case counts", tableOfRoutesGo, `	return t.lookSlash(folded, lower, yield)
`, `	return true
`},
	{"letter case counts in patterns", tableOfRoutesGo, `if lower == path && t.foldedTree == nil &&`, `if`},
	{"what a router redirects to is not looked up", tableOfRoutesGo, `	return yield(turned)
`, `	return true
`},
	{"a subtree covers what is redirected to it", tableOfRoutesGo, `	if !yield(m) {
		return false
	}
	spelt`, `	if m.Kind == Path && !yield(m) {
		return false
	}
	spelt`},
	{"a wildcard is never empty", tableOfRoutesGo, `comparison{segments: mode}, yield`, `comparison{segments: mode, filled: true}, yield`},
	{"a wildcard is always empty where it can be", tableOfRoutesGo, `strings.Contains(r.text, "//") &&`, `false &&`},
	{"segments are not decoded one by one", tableOfRoutesGo, `[]segmentMode{unescapedSegments, writtenSegments, decodedSegments}`, `[]segmentMode{writtenSegments, writtenSegments, decodedSegments}`},
	{"no router looks at the raw path", tableOfRoutesGo, `[]segmentMode{unescapedSegments, writtenSegments, decodedSegments}`, `[]segmentMode{unescapedSegments, unescapedSegments, decodedSegments}`},
	{"no server decodes twice", tableOfRoutesGo, `modes = modes[:2] // nothing`, `modes = modes[:1] // nothing`},
	{"the path of procedures is a path rule's in another letter case", tableOfRoutesGo, `strings.CutPrefix(fetch.Lower(decoded), fetch.Lower(prefix)+"/")`, `strings.CutPrefix(decoded, prefix+"/")`},
	{"a pattern with an escaped slash has one reading", routePatternGo, `if p.hasSeveralReadings() {`, `if false {`},
	{"a pattern with an escaped slash has none", routePatternGo, `	return ok && decoded == path
`, `	return false && ok && decoded == path
`},
	{"a subtree's root is {$}'s no more", routePatternGo, `if _, taken := ps.decoded[decoded]; !taken || written != p.text {`, `if _, taken := ps.decoded[decoded]; !taken {`},
	{"a subtree's root is {$}'s no more, in another spelling", routePatternGo, `if _, taken := ps.raw[written]; !taken || written != p.text {`, `if true {`},
	{"a wildcard ends the search for the last slash", tableOfRoutesGo, `if spelt && !m.wild || m.Known`, `if spelt || m.Known`},
	{"two patterns that differ in the slash get in each other's way", tableOfRoutesGo, `withoutSlash(m.Name) == withoutSlash(turned.Name)`, `m.Name == turned.Name`},
	{"only the whole of a prefix is cut off", readingsGo, `			if end < len(prefix) && prefix[end] != '/' {`, `			if end < len(prefix) {`},
	{"a host in a path is none", readingsGo, `	dropAuthority,
`, ``},
	{"a newline at the end stays", readingsGo, `	func(s string) string { return strings.TrimSuffix(s, "\n") }, // as`, `	func(s string) string { return strings.TrimSuffix(s, "\r\r") }, // as`},
	{"a step that decodes nothing decodes", readingsGo, `if !r.add(step(text), sent) {`, `if !r.add(step(text), false) {`},
	{"a remedy does not load", remedyGo, `ok && u.routes.Widened(m.Name, wide, u.path, u.escaped, u.calls)`, `ok`},
	{"a link passes that a server which ignores letter case refuses", planGo, `		if m.Split {
			return false
		}
`, ``},

	// Every reading.
	{"what net/http decoded is not read", readingsGo, `	if path != "" {
		r.add(path, false)
	}
`, ``},
	{"escapes are not decoded", readingsGo, `	if !r.add(decodeAll(text), false) {
		return false
	}
`, ``},
	{"escapes of letters alone are not decoded", readingsGo, `	decodeUnreserved,
`, ``},
	{"a backslash stays a backslash", readingsGo, "	func(s string) string { return strings.ReplaceAll(s, `\\`, \"/\") },\n", ``},
	{"parameters stay", readingsGo, `	dropParameters,
`, ``},
	{"a question mark does not end a path", readingsGo, `	func(s string) string { return cutAt(s, '?') },
`, ``},
	{"a hash does not end a path", readingsGo, `	func(s string) string { return cutAt(s, '#') },
`, ``},
	{"a NUL does not end a path", readingsGo, `	func(s string) string { return cutAt(s, 0) },
`, ``},
	{"slashes stay", readingsGo, `	mergeSlashes,
`, ``},
	{"dots and spaces at the end of a segment stay", readingsGo, `	trimSegments,
`, ``},
	{"dots with a space behind them are no dot segment", readingsGo, `		if dots := strings.TrimRight(name, " "); dots == "." || dots == ".." {
			kept = dots
		}
`, ``},
	{"dot segments are not resolved", readingsGo, `	if !strings.Contains(s, "/.") {
		return s, true
	}`, `	if true {
		return s, true
	}`},
	{"dots may climb above the root", readingsGo, `			if depth == floor {
				return "", false
			}
`, `			if depth == 0 {
				continue
			}
`},
	{"dots may climb above a prefix", readingsGo, `			floor = max(floor, strings.Count(prefix, "/"))
`, ``},
	{"behind dots there is always a slash", readingsGo, `bare == "" || strings.HasSuffix(text, "/") || bare == resolved || r.add(bare, sent)`, `bare == bare`},
	{"a prefix has its slash", readingsGo, `ok && rest != "" && rest[0] != '/' && !r.add(text[:end]+"/"+rest, sent)`, `false && ok && !r.add(rest, sent)`},
	{"a prefix counts in its own letter case only", readingsGo, `fetch.Lower(s[:len(prefix)]) != fetch.Lower(prefix)`, `fetch.Lower(s[:len(prefix)]) != fetch.Lower(prefix) || s[:len(prefix)] != prefix`},
	{"readings without end", readingsGo, `const MaxReadings = 16`, `const MaxReadings = 16 << 6`},
	{"a path with too many readings has the first ones", readingsGo, `	if r.n == len(r.all) {
		return false
	}`, `	if r.n == len(r.all) {
		return true
	}`},
	{"a simple path is one with escapes", readingsGo, `case '%', '\\', ';', '?', '#', '\n', 0:`, `case '\\', ';', '?', '#', '\n', 0:`},

	// Patterns.
	{"a wildcard wins over what is spelled out", treeGo, `	if next := n.next(segment, how.segments); next != nil {`, `	if next := n.next(segment, how.segments); next != nil && n.single == nil {`},
	{"the rest is a segment", treeGo, `		if l := n.single.find(after, slash, how); l != nil {
			return l
		}
	}
	return n.multi`, `		if l := n.single.find(after, slash, how); l != nil {
			return l
		}
	}
	if after != "" {
		return nil
	}
	return n.multi`},
	{"the end that {$} matches is a subtree", treeGo, `if end := n.literal["/"]; end != nil && end.leaf != nil {`, `if end := n.literal["/"]; end != nil && n.multi == nil {`},
	{"patterns that differ in letter case only", routePatternGo, `	if err != nil {
		return &ConflictError{Other: r.written[other], LetterCase: true}
	}
`, `	_, _ = other, err
`},
	{"a dot segment in a pattern", routePatternGo, `		case ".", "..":`, `		case "...":`},
	{"an empty segment in a pattern", routePatternGo, `		case "":
			return s, "has an empty`, `		case "\x00":
			return s, "has an empty`},
	{"the star of another router", foreignGo, `case strings.Contains(part, "*"):`, `case false:`},
	{"the colon of another router", foreignGo, `case strings.HasPrefix(part, ":") && part != ":":`, `case false:`},
	{"a query in a pattern", routePatternGo, `case strings.ContainsAny(text, "?#"):`, `case false:`},

	// Calls, not pages.
	{"a handshake is a page", planGo, `	case isUpgrade(r):
		return true
	case r.Method`, `	case r.Method`},
	{"a POST is a page", planGo, `return !(isOne(r.Header["Sec-Fetch-Mode"], "navigate") && rpc.IsForm(r.Header["Content-Type"]))`, `return false`},
	{"a form around the preflight is a page", planGo, `isOne(r.Header["Sec-Fetch-Mode"], "navigate") && rpc.IsForm`, `rpc.IsForm`},
	{"any navigation is a page", planGo, ` && rpc.IsForm(r.Header["Content-Type"]))`, `)`},
	{"no form is a page", contentTypeGo, `essence == "application/x-www-form-urlencoded" || essence == "multipart/form-data"`, `essence == "none"`},
	{"a form of text is a page", contentTypeGo, `|| essence == "multipart/form-data"`, `|| essence == "multipart/form-data" || essence == "text/plain"`},
	{"a GET is a page", planGo, `	case r.Method == http.MethodGet:
		return rpc.IsGetCall(r.Query)`, `	case r.Method == http.MethodGet:
		return false`},
	{"a link is a call", planGo, `	case r.Method == http.MethodGet:
		return rpc.IsGetCall(r.Query)`, `	case r.Method == http.MethodGet:
		return true`},
	{"a preflight for a POST is a page's", planGo, `preflight && (method == http.MethodPost || method`, `preflight && (method`},
	{"a preflight for a GET is a page's", planGo, `method == http.MethodGet && rpc.IsGetCall(r.Query))`, `false)`},
	{"an escaped name of a parameter is another", getGo, `case len(name) >= 3 && name[0] == '%' && hexIs(name[1:3], want[i]):`, `case false:`},
	{"a parameter that begins alike is encoding", getGo, `	return name == ""
`, `	return true
`},
	{"the middleware does not hand on the query", decideGo, `, Query: r.URL.RawQuery,`, `,`},
	{"a link passes that one reading would refuse", planGo, `		return read.outcome == OutcomePass`, `		return true`},
	{"a link passes to no path with two readings", decideGo, `case d.target.unclear != nil && p.passesInEachReading(r, d):`, `case false:`},
	{"an answer does not say that it depends on the mode", planGo, `vary = varyByMode`, `vary = varyBySite`},

	// Ambient credentials.
	{"the browser's own password counts for nothing", decideGo, `case d.isAnybodysWrite() && d.hasAmbientCredentials(r):`, `case d.isAnybodysWrite() && len(r.Header["Cookie"]) > 0:`},
	{"the browser's own password counts for nothing on procedures", decideGo, ` || d.isAnybodysWrite() && d.hasAmbientCredentials(r) {`, ` {`},
	{"a password in another mode is a script's", decideGo, `	if mode := r.Header["Sec-Fetch-Mode"]; len(mode) > 0 && !isOne(mode, "cors") {
		return true
	}
`, ``},
	{"an Authorization that no rule grants is a script's", decideGo, `d.unnamedAuthorization = !d.target.grant.grants("authorization")`, `d.unnamedAuthorization = false`},
	{"what rewrites a request is granted by *", namesGo, ` && !fetch.RewritesRequest(name)`, ``},
}
