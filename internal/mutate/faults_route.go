package main

// routeFaults are faults of finding the rule of a path.
var routeFaults = []fault{
	// Names.
	{name: "a package is as good as another that begins alike", old: `		if c, ok := in[pkg]; ok {
			return c, true
		}`, new: `		for have, c := range in {
			if strings.HasPrefix(pkg, have) {
				return c, true
			}
		}`},
	{name: "an unknown method gets what nobody's does", old: `	if c, ok := n.selectors[service]; ok {
		return set(c)
	}
`, new: ``},
	{name: "a selector of a method is none", old: `	if c, ok := n.selectors[name]; ok {
		m.Known = true
		return set(c)
	}
`, new: ``},
	{name: "a name of the network's is a key", old: `	m = Match[V]{Kind: Procedure, Name: name}`, new: `	m = Match[V]{Kind: Procedure, Name: name, Known: true}`},
	{name: "names that differ in letter case share what the last one has", old: `	if have && !same(c.value, v) {`, new: `	if have && false {`},
	{name: "operational services get what an application's do", old: `	if operational {
		in = n.operational
	}
`, new: ``},
	{name: "defaults reach reflection", old: `	if operational {
		m.Value = t.unnamed
	}
`, new: ``},
	{name: "a known service has a shape only", old: `if n.services[service] == "" {`, new: `if true {`},
	{name: "every name has more than a shape", old: `if n.services[service] == "" {`, new: `if false {`},
	{name: "an operational service in another letter case is an application's", old: `return operationalFolded[lower]`, new: `return false`},
	{name: "defaults reach what a package's rule covers", old: `s.Operational = r.intern(c.effective(v, c.selectorChain(v, selector, true)`, new: `s.Operational = r.intern(c.effective(v, c.selectorChain(v, selector, false)`},
	{name: "defaults reach the methods of operational services", old: `key := procedureKey{c.narrowest(v, m.name), m.noSideEffects, route.IsOperational(m.name), v`, new: `key := procedureKey{c.narrowest(v, m.name), m.noSideEffects, false, v`},
	{name: "an operational service is said to lack an origin", old: `case g.unnamed:`, new: `case false:`},

	// Which path.
	{name: "a path in one spelling is looked up in another", old: `ok && raw.decoded == path {`, new: `ok {`},
	{name: "a path rule takes a procedure's path", old: `named.Kind == Procedure {`, new: `named.Kind == Procedure && named.Known {`},
	{name: "a path rule that spells out what a selector covers comes first", old: `if !m.wild && !t.isProcedure(p.decodedPath()) {`, new: `if !m.wild {`},
	{name: "a shape comes before a path rule", old: `named.Kind == Procedure {`, new: `named.Kind != None {`},
	{name: "a page is a call", old: `if named.Kind == Shape && l.mayBeCall {`, new: `if named.Kind == Shape {`},
	{name: "a call is a page", old: `if named.Kind == Shape && l.mayBeCall {`, new: `if false {`},
	{name: "readings that lead to none do not count", old: `	if a.Kind == None || b.Kind == None {
		return a.Kind == b.Kind
	}
`, new: `	if a.Kind == None || b.Kind == None {
		return true
	}
`},
	{name: "readings that lead to another rule do not count", old: `return !a.Ambiguous && !b.Ambiguous && t.same(a.Value, b.Value)`, new: `return true`},
	{name: "names that differ in letter case are alike", old: `return !a.Ambiguous && !b.Ambiguous && t.same(a.Value, b.Value)`, new: `return t.same(a.Value, b.Value)`},
	{name: "paths of any length are read", old: `len(path) > t.longest || len(escaped) > t.longest ||`, new: ``},
	{name: "a procedure with a long name is none", old: `		t.longest = max(t.longest, len(prefix+path))
`, new: ``},
	{name: "a target without a slash is a path", old: ` || !isRooted(path) || !isRooted(escaped)`, new: ``},
	{name: "a URL within a URL is not looked at", in: "pathOf", old: `return u.Opaque`, new: `return u.Path`},
	{name: "letter case counts", old: `	return t.lookUpSlash(folded, lower, yield)
`, new: `	return true
`},
	{name: "letter case counts in patterns", old: `if lower == path && t.foldedTree == nil &&`, new: `if`},
	{name: "what a router redirects to is not looked up", old: `	return yield(toggled)
`, new: `	return true
`},
	{name: "a subtree covers what is redirected to it", old: `	if !yield(m) {
		return false
	}
	exact`, new: `	if m.Kind == Path && !yield(m) {
		return false
	}
	exact`},
	{name: "a wildcard is never empty", old: `comparison{segments: mode}, yield`, new: `comparison{segments: mode, nonEmpty: true}, yield`},
	{name: "a wildcard is always empty where it can be", old: `strings.Contains(r.text, "//") &&`, new: `false &&`},
	{name: "segments are not decoded one by one", old: `[]segmentMode{unescapedSegments, writtenSegments, decodedSegments}`, new: `[]segmentMode{writtenSegments, writtenSegments, decodedSegments}`},
	{name: "no router looks at the raw path", old: `[]segmentMode{unescapedSegments, writtenSegments, decodedSegments}`, new: `[]segmentMode{unescapedSegments, unescapedSegments, decodedSegments}`},
	{name: "no server decodes twice", old: `modes = modes[:2] // the path`, new: `modes = modes[:1] // the path`},
	{name: "the path of procedures is a path rule's in another letter case", old: `strings.CutPrefix(fetch.Lower(decoded), fetch.Lower(prefix)+"/")`, new: `strings.CutPrefix(decoded, prefix+"/")`},
	{name: "a pattern with an escaped slash has one reading", old: `if p.hasMultipleReadings() {`, new: `if false {`},
	{name: "a pattern with an escaped slash has none", old: `	return ok && decoded == path
`, new: `	return false && ok && decoded == path
`},
	{name: "a subtree's root is {$}'s no more", old: `if _, taken := ps.decoded[decoded]; !taken || written != p.text {`, new: `if _, taken := ps.decoded[decoded]; !taken {`},
	{name: "a subtree's root is {$}'s no more, in another spelling", old: `if _, taken := ps.raw[written]; !taken || written != p.text {`, new: `if true {`},
	{name: "a wildcard ends the search for the last slash", old: `if exact && !m.wild || m.Known`, new: `if exact || m.Known`},
	{name: "two patterns that differ in the slash get in each other's way", old: `withoutSlash(m.Name) == withoutSlash(toggled.Name)`, new: `m.Name == toggled.Name`},
	{name: "only the whole of a prefix is cut off", old: `			if end < len(prefix) && prefix[end] != '/' {`, new: `			if end < len(prefix) {`},
	{name: "a host in a path is none", old: `	dropAuthority,
`, new: ``},
	{name: "a newline at the end stays", old: `	func(s string) string { return strings.TrimSuffix(s, "\n") }, // as`, new: `	func(s string) string { return strings.TrimSuffix(s, "\r\r") }, // as`},
	{name: "a step that decodes nothing decodes", old: `if !r.add(step(text), undecoded) {`, new: `if !r.add(step(text), false) {`},
	{name: "a remedy does not load", old: `u.routes.Widened(m.Name, wide, u.path, u.escaped, u.calls)`, new: `u.routes != nil`},
	{name: "a link passes that a server which ignores letter case refuses", in: "passesInEachReading", old: `		if m.Ambiguous {
			return false
		}
`, new: ``},

	// Every reading.
	{name: "what net/http decoded is not read", old: `	if path != "" {
		r.add(path, false)
	}
`, new: ``},
	{name: "escapes are not decoded", old: `	if !r.add(decodeAll(text), false) {
		return false
	}
`, new: ``},
	{name: "escapes of letters alone are not decoded", old: `	decodeUnreserved,
`, new: ``},
	{name: "a backslash stays a backslash", old: "	func(s string) string { return strings.ReplaceAll(s, `\\`, \"/\") },\n", new: ``},
	{name: "parameters stay", old: `	dropParameters,
`, new: ``},
	{name: "a question mark does not end a path", old: `	func(s string) string { return cutAt(s, '?') },
`, new: ``},
	{name: "a hash does not end a path", old: `	func(s string) string { return cutAt(s, '#') },
`, new: ``},
	{name: "a NUL does not end a path", old: `	func(s string) string { return cutAt(s, 0) },
`, new: ``},
	{name: "slashes stay", old: `	mergeSlashes,
`, new: ``},
	{name: "dots and spaces at the end of a segment stay", old: `	trimSegments,
`, new: ``},
	{name: "dots with a space behind them are no dot segment", old: `		if dots := strings.TrimRight(name, " "); dots == "." || dots == ".." {
			kept = dots
		}
`, new: ``},
	{name: "dot segments are not resolved", old: `	if !strings.Contains(s, "/.") {
		return s, true
	}`, new: `	if true {
		return s, true
	}`},
	{name: "dots may climb above the root", old: `			if depth == floor {
				return "", false
			}
`, new: `			if depth == 0 {
				continue
			}
`},
	{name: "dots may climb above a prefix", old: `			floor = max(floor, strings.Count(prefix, "/"))
`, new: ``},
	{name: "behind dots there is always a slash", old: `bare == "" || strings.HasSuffix(text, "/") || bare == resolved || r.add(bare, undecoded)`, new: `bare == bare`},
	{name: "a prefix has its slash", old: `ok && rest != "" && rest[0] != '/' && !r.add(text[:end]+"/"+rest, undecoded)`, new: `false && ok && !r.add(rest, undecoded)`},
	{name: "a prefix counts in its own letter case only", old: `fetch.Lower(s[:len(prefix)]) != fetch.Lower(prefix)`, new: `fetch.Lower(s[:len(prefix)]) != fetch.Lower(prefix) || s[:len(prefix)] != prefix`},
	{name: "readings without end", old: `const MaxReadings = 16`, new: `const MaxReadings = 16 << 6`},
	{name: "a path with too many readings has the first ones", old: `	if r.n == len(r.all) {
		return false
	}`, new: `	if r.n == len(r.all) {
		return true
	}`},
	{name: "a simple path is one with escapes", old: `case '%', '\\', ';', '?', '#', '\n', 0:`, new: `case '\\', ';', '?', '#', '\n', 0:`},

	// Patterns.
	{name: "a wildcard wins over what is spelled out", old: `	if next := n.next(segment, how.segments); next != nil {`, new: `	if next := n.next(segment, how.segments); next != nil && n.single == nil {`},
	{name: "the rest is a segment", old: `		if l := n.single.find(after, slash, how); l != nil {
			return l
		}
	}
	return n.multi`, new: `		if l := n.single.find(after, slash, how); l != nil {
			return l
		}
	}
	if after != "" {
		return nil
	}
	return n.multi`},
	{name: "the end that {$} matches is a subtree", old: `if end := n.literal["/"]; end != nil && end.leaf != nil {`, new: `if end := n.literal["/"]; end != nil && n.multi == nil {`},
	{name: "patterns that differ in letter case only", old: `return &ConflictError{Other: other, LetterCase: true}`, new: `_ = other`},
	{name: "a dot segment in a pattern", old: `		case ".", "..":`, new: `		case "...":`},
	{name: "an empty segment in a pattern", old: `		case "":
			return s, "has an empty`, new: `		case "\x00":
			return s, "has an empty`},
	{name: "the star of another router", old: `case strings.Contains(part, "*"):`, new: `case false:`},
	{name: "the colon of another router", old: `case strings.HasPrefix(part, ":") && part != ":":`, new: `case false:`},
	{name: "a query in a pattern", old: `case strings.ContainsAny(text, "?#"):`, new: `case false:`},

	// Conflicts between patterns.
	{name: "a wildcard does not meet what is spelled out", old: `		p.wider.addTo(&fit, index)
`, new: ``},
	{name: "what is spelled out does not meet a wildcard", old: `		p.narrower.addTo(&fit, index)
`, new: ``},
	{name: "the same segments do not meet", old: `		p.same.addTo(&fit, index)
`, new: ``},
	{name: "no pattern is more general than another", old: `		s.places[i].wider.addTo(&general, index)
`, new: ``},
	{name: "no pattern is more specific than another", old: `		s.places[i].narrower.addTo(&specific, index)
`, new: ``},
	{name: "a subtree is not more general", old: `general, specific := s.before[len(s.multis)], blockBits{}`, new: `general, specific := blockBits{}, blockBits{}`},
	{name: "a subtree does not reach below its own segments", old: `if c.multi.count > 0 {`, new: `if false {`},
	{name: "a subtree is not above what has its segments", old: `p.same, p.narrower = &c.multi, &c.bounded`, new: `p.same = &c.multi`},
	{name: "a pattern ends where another goes on", old: `p.last = &c.last`, new: `p.last = nil`},
	{name: "a subtree does not reach where a pattern ends", old: `ends := s.before[p.multis]`, new: `ends := blockBits{}`},
	{name: "{$} is a segment that a wildcard meets", old: `		if s != end {
			p.wider = &c.single`, new: `		if true {
			p.wider = &c.single`},
	{name: "a wildcard meets {$}", old: `		if s != end {
			c.named.add(n)`, new: `		if true {
			c.named.add(n)`},
	{name: "a pattern is there twice", old: `if order, equal := x.equal[key.identity]; equal {`, new: `if order, equal := x.equal[key.identity]; equal && false {`},
	{name: "an equal pattern conflicts in its letter case", old: `ps.find(exactIndex, exact, &ps.search); conflicts {`, new: `ps.find(exactIndex, exact, &ps.search); conflicts && false {`},
	{name: "patterns of a frequent shape conflict with none", old: `range x.frequent {`, new: `range x.frequent[:0] {`},
	{name: "patterns of a rare shape conflict with none", old: `first = min(first, s.find(&x.shared, key.segments))`, new: `first = min(first, noConflict)`},
	{name: "blocks of subtrees are not compared", old: `append([]*bitmap{p.same, p.wider, p.narrower}, s.multis[:p.multis]...)`, new: `[]*bitmap{p.same, p.wider, p.narrower}`},
	{name: "an overlay does not conflict with what is below", old: `if ps.base != nil {`, new: `if false {`},
	{name: "overlays are one", old: `return &Patterns{base: ps}`, new: `return ps`},
	{name: "a block that fills forgets what it had", old: `		k.addTo(dense)
`, new: ``},
	{name: "a block that fills loses the next number", old: `		dense.set(within)
`, new: ``},
	{name: "a block that is missing is the next one", old: `at == len(b.blocks) || b.blocks[at].index != index`, new: `at == len(b.blocks)`},

	// Calls, not pages.
	{name: "a handshake is a page", old: `	case isUpgrade(r):
		return true
	case r.Method`, new: `	case r.Method`},
	{name: "a POST is a page", old: `return !(hasOnly(r.Header["Sec-Fetch-Mode"], "navigate") && rpc.IsForm(r.Header["Content-Type"]))`, new: `return false`},
	{name: "a form around the preflight is a page", old: `hasOnly(r.Header["Sec-Fetch-Mode"], "navigate") && rpc.IsForm`, new: `rpc.IsForm`},
	{name: "any navigation is a page", old: ` && rpc.IsForm(r.Header["Content-Type"]))`, new: `)`},
	{name: "no form is a page", in: "IsForm", old: `essence == "application/x-www-form-urlencoded" || essence == "multipart/form-data"`, new: `essence == "none"`},
	{name: "a form of text is a page", in: "IsForm", old: `|| essence == "multipart/form-data"`, new: `|| essence == "multipart/form-data" || essence == "text/plain"`},
	{name: "a GET is a page", old: `	case r.Method == http.MethodGet:
		return rpc.IsGetCall(r.Query)`, new: `	case r.Method == http.MethodGet:
		return false`},
	{name: "a link is a call", old: `	case r.Method == http.MethodGet:
		return rpc.IsGetCall(r.Query)`, new: `	case r.Method == http.MethodGet:
		return true`},
	{name: "a preflight for a POST is a page's", old: `preflight && (method == http.MethodPost || method`, new: `preflight && (method`},
	{name: "a preflight for a GET is a page's", old: `method == http.MethodGet && rpc.IsGetCall(r.Query))`, new: `false)`},
	{name: "an escaped name of a parameter is another", old: `case len(name) >= 3 && name[0] == '%' && hexIs(name[1:3], want[i]):`, new: `case false:`},
	{name: "a parameter that begins alike is encoding", old: `	return name == ""
`, new: `	return true
`},
	{name: "the middleware does not hand on the query", old: `, Query: r.URL.RawQuery,`, new: `,`},
	{name: "a link passes that one reading would refuse", old: `		return read.outcome == OutcomePass`, new: `		return true`},
	{name: "a link passes to no path with two readings", old: `case d.target.ambiguity != nil && p.passesInEachReading(r, d):`, new: `case false:`},
	{name: "an answer does not say that it depends on the mode", in: "varyOfReadings", old: `vary = varyByMode`, new: `vary = varyBySite`},

	// Ambient credentials.
	{name: "the browser's own password counts for nothing", old: `case d.isWriteOpenToAll() && d.hasAmbientCredentials(r):`, new: `case d.isWriteOpenToAll() && len(r.Header["Cookie"]) > 0:`},
	{name: "the browser's own password counts for nothing on procedures", old: ` || d.isWriteOpenToAll() && d.hasAmbientCredentials(r) {`, new: ` {`},
	{name: "a password in another mode is a script's", old: `	if mode := r.Header["Sec-Fetch-Mode"]; len(mode) > 0 && !hasOnly(mode, "cors") {
		return true
	}
`, new: ``},
	{name: "an Authorization that no rule grants is a script's", old: `d.unnamedAuthorization = !d.target.grant.granted.Grants("authorization")`, new: `d.unnamedAuthorization = false`},
	{name: "what rewrites a request is granted by *", in: "coversName", old: ` && !fetch.RewritesRequest(name)`, new: ``},
}
