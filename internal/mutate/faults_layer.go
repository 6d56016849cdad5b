package main

var layerFaults = []fault{
	// The caller.
	{name: "the first of two Origin headers counts", in: "decideOn", old: `len(origins) > 1`, new: `len(origins) > 9`},
	{name: "an Origin that no browser sends is a stranger's, not refused", old: `if !from.parse(origins[0], t.grant.origins) {`, new: `if !from.parse(origins[0], t.grant.origins) && false {`},
	{name: "same-site counts as same-origin", old: `site[0] == "same-origin" || site[0] == "none"`, new: `site[0] == "same-origin" || site[0] == "same-site" || site[0] == "none"`},
	{name: "a second Sec-Fetch-Site is not looked at", in: "(*Plan).decideOn", old: `len(site) == 1 && (site[0]`, new: `len(site) >= 1 && (site[0]`},
	{name: "a Host that is the Origin's counts for more than Sec-Fetch-Site", in: "decideOn", old: `	case len(site) > 0:
`, new: ``},
	{name: "same host, whatever the port", in: "SameHost", old: `return port == o.Port`, new: `return true`},
	{name: "same host, a plain origin under TLS too", old: `tls && o.Scheme == "http"`, new: `false`},
	{name: "hosts compare in Unicode case", old: `!equalFold(name, o.Host)`, new: `!strings.EqualFold(name, o.Host)`},
	{name: "an upgrade needs no grant with credentials", old: `case d.upgrade && !g.credentials:`, new: `case false:`},
	{name: "a websocket handshake is no upgrade", old: `r.Method == http.MethodGet && len(r.Header["Upgrade"]) > 0`, new: `false`},

	// Requests that CORS does not restrict.
	{name: "an image may call what is not open to everyone", old: `case d.target.isRPC() && !g.anyOrigin:`, new: `case false:`},
	{name: "a no-cors POST without Origin passes", old: `case !d.safe, d.upgrade:`, new: `case !d.safe && false, d.upgrade:`},
	{name: "an image may load a path with credentials", old: `case d.target.kind == targetPath && g.credentials && !hasOnly(r.Header["Sec-Fetch-Mode"], "navigate"):`, new: `case false:`},
	{name: "disabled, but not for images", old: `	case g.disabled:
		d.refuse(r, reasonDisabled)
	case d.claimsOwn:`, new: `	case d.claimsOwn:`},
	{name: "a no-cors POST of an allowed origin passes", old: `len(mode) > 0 && !hasOnly(mode, "cors") {
		d.refuse`, new: `len(mode) > 9 {
		d.refuse`},
	{name: "cookies where none are allowed", in: "(*Decision).callRPC", old: `!d.target.grant.credentials && len(r.Header["Cookie"]) > 0`, new: `false`},

	// Allowed origins.
	{name: "disabled, but not for preflights", old: `	case g.disabled:
		d.refuse(r, reasonDisabled)
	case g.unnamed`, new: `	case g.disabled && !d.preflight:
		d.refuse(r, reasonDisabled)
	case g.unnamed`},
	{name: "disabled, but not for calls", old: `	case g.disabled:
		d.refuse(r, reasonDisabled)
	case g.unnamed`, new: `	case g.disabled && d.preflight:
		d.refuse(r, reasonDisabled)
	case g.unnamed`},
	{name: "the preflight of a stranger is answered", old: `case !d.matchOrigin(p, from):`, new: `case !d.matchOrigin(p, from) && !d.preflight:`},
	{name: "the call of a stranger reaches the handler", old: `case !d.matchOrigin(p, from):`, new: `case !d.matchOrigin(p, from) && d.preflight:`},
	{name: "a path rule's methods are not held", old: `case !slices.Contains(g.methods, r.Method):`, new: `case false:`},
	{name: "a path that is read in two ways counts as what it says", old: `	case t.kind == targetAmbiguous:
		d.refuse(r, reasonPathNotCanonical)
	default:`, new: `	default:`},

	// Patterns.
	{name: "a suffix match without the dot", old: `strings.HasSuffix(front, ".")`, new: `true`},
	{name: "only a few origins count", old: `	if s.exact.len <= maxSmall {
		return 0, false`, new: `	if s.exact.len > 0 {
		return 0, false`},
	{name: "patterns of any port are no patterns", old: `	case p.kind == kindExact && p.port == "*":
		s.patterns = true`, new: `	case p.kind == kindExact && p.port == "*":`},
	{name: "a wildcard covers the host itself", old: `strings.Count(hostPort[:host], ".") - 1; n >= 0`, new: `strings.Count(hostPort[:host], "."); n >= 0`},
	{name: "a wildcard's port is skipped", old: `w.ports[hostPort]; ok`, new: `w.ports[hostPort[:host]]; ok`},
	{name: "a wildcard's scheme is skipped", old: `	if scheme == "https" {
		return &s.https`, new: `	if scheme != "" {
		return &s.https`},
	{name: "any port of one host is any port of all below it", old: `s.anyPort[raw[:len(o.Scheme)+len("://")+len(o.Host)]]`, new: `s.anyPort[o.Scheme+"://"+o.Host[strings.IndexByte(o.Host, '.')+1:]]`},
	{name: "everyone, where nobody is", old: `return s.any, s.any != 0`, new: `return s.any, true`},
	{name: "a value that no browser sends matches *", old: `	if !ok {
		return 0, false
	}
	return s.MatchParsed`, new: `	_ = ok
	return s.MatchParsed`},
	{name: "upper case in a host", in: "nameLength", old: `if nameBytes[c] {`, new: `if nameBytes[lowerByte(c)] {`},
	{name: "a trailing newline", in: "nameLength", old: `if c != '.' {`, new: `if c == '\n' && i == len(s)-1 { continue }; if c != '.' {`},
	{name: "an empty label", old: `if i == start || i-start > maxLabel {`, new: `if i-start > maxLabel {`},
	{name: "a number for an IPv4 address", old: `return n, !endsInNumber(s[:n]) || canonicalIPv4(s[:n])`, new: `return n, true`},
	{name: "a default port that is spelled out", old: `!validPort(port) || port == defaultPort(scheme)`, new: `!validPort(port)`},
	{name: "any byte may follow a host", old: `rest[n] != ':' || !validPort(port)`, new: `!validPort(port)`},
	{name: "a label of any length", old: `return i, start, i-start <= maxLabel && i <= maxName`, new: `return i, start, i <= maxName`},
	{name: "a name of any length", old: `return i, start, i-start <= maxLabel && i <= maxName`, new: `return i, start, i-start <= maxLabel`},
	{name: "a name of any length before a dot at its end", old: `i > 0 && i-len(".") <= maxName`, new: `i > 0`},
	{name: "the set that was searched in vain is another one", old: `if set == from.notIn {`, new: `if from.notIn != nil {`},
	{name: "a port with leading zeros", old: `len(s) > 5 || s[0] == '0'`, new: `len(s) > 5`},
	{name: "a port beyond 65535", old: `return n <= 65535`, new: `return true`},
	{name: "an Origin of any length", in: "Parse", old: `if len(s) > MaxLen {`, new: `if len(s) > MaxLen<<9 {`},
	{name: "a wildcard over a public suffix", old: `if reason := suffixReason(p.host); reason != "" {`, new: `if reason := suffixReason(p.host); reason != "" && false {`},
	{name: "a wildcard over the parent of public suffixes", old: `strings.Contains(suffixAncestors, "\n"+name+"\n")`, new: `false`},
	{name: "a wildcard over hosts of unrelated owners that are no public suffix", old: `return strangerReason(withoutAddress(name))`, new: `return ""`},
	{name: "a wildcard over names with an address of everyone", old: `return strangerReason(withoutAddress(name))`, new: `return strangerReason(name)`},
	{name: "a wildcard over the parent of hosts of unrelated owners", in: "isAtOrAbove", old: `		if name == "" {
			return true`, new: `		if name == "" {
			return pattern == ""`},
	{name: "a wildcard over hosts of unrelated owners in one region", in: "isAtOrAbove", old: `label != want && want != "*"`, new: `label != want`},
	{name: "a name above a shared host is shared", in: "SharedHost", old: `strings.Count(host, ".") == strings.Count(s.Host, ".") && `, new: ``},
	{name: "a trailing dot hides a public suffix", old: `name := strings.TrimSuffix(host, ".")`, new: `name := host`},
	{name: "plain http beyond loopback", old: `p.scheme == "http" && !isLoopback(p.host)`, new: `false`},
	{name: "a host that begins with 127. is loopback", old: `isIP(host) && strings.HasPrefix(host, "127.")`, new: `strings.HasPrefix(host, "127.")`},
	{name: "a host that ends in localhost is loopback", in: "isLocalhost", old: `strings.HasSuffix(host, ".localhost")`, new: `strings.HasSuffix(host, "localhost")`},
	{name: "a star stands for a dot", old: `dot := strings.IndexByte(hostPort[:host], '.')`, new: `dot := strings.LastIndexByte(hostPort[:max(0, strings.LastIndexByte(hostPort[:host], '.'))], '.')`},
	{name: "a star stands for nothing", old: `p.total = min(n, bits`, new: `p.total = min(n+1, bits`},
	{name: "the text before a star overlaps the text behind it", old: `p.total = min(n, bits`, new: `p.total = min(63, bits`},
	{name: "a star stands for letters of punycode", in: "(*stars).match", old: `strings.HasPrefix(hostPort, "xn--")`, new: `false`},
	{name: "a star within punycode", old: `!strings.HasPrefix(p.prefix, "xn--")`, new: `true`},
	{name: "a star over hosts of plain http", old: `(p.scheme == "https" || isLocalhost(p.host))`, new: `true`},
	{name: "a star in the only label", old: `return p.host != "" && !strings`, new: `return !strings`},
	{name: "a star within a label below a public suffix", old: `p.kind == kindWildcard || p.kind == kindStar`, new: `p.kind == kindWildcard`},
	{name: "a pattern with a star is another's beginning", in: "isPattern", old: `return text == ""`, new: `return true`},
	{name: "a star with less text before it counts for more", old: `prefix = bits.Len64(p.left) - 1`, new: `prefix = bits.TrailingZeros64(p.left)`},
	{name: "a star with less text beside it counts for more", in: "(*starPairs).next", old: `p.total < 1`, new: `p.total < 5`},
	{name: "the byte before a star is not looked up", old: `p.prefixes |= l.lengths & at[l.class]`, new: `p.prefixes |= l.lengths`},
	{name: "the byte behind a star is not looked up", old: `p.suffixes |= l.lengths & (bits`, new: `p.suffixes |= l.lengths | (bits`},
	{name: "a host that no browser decodes", old: `isWeb(scheme) && invalidPunycode(o.Host) != ""`, new: `false`},
	{name: "punycode in more than one form", old: `punycode(name) != encoded`, new: `false`},
	{name: "punycode of ASCII", old: `!slices.ContainsFunc(name, isUnicode)`, new: `false`},
	{name: "punycode of upper case", old: `slices.ContainsFunc(name, isNeverInName)`, new: `false`},
	{name: "https for a host of the local network", old: `if isLocalNetwork(p.host) {`, new: `if false {`},
	{name: "an address or an address with a port, guessed", old: `case whole && hasPort:`, new: `case false:`},
	{name: "null without its risk", old: `if p.kind == kindNull {
		problems`, new: `if false {
		problems`},

	// Responses to preflights.
	{name: "authorization by *", old: `name != "authorization" && !fetch`, new: `!fetch`},
	{name: "metadata of grpc-gateway by *", old: ` &&
		(!strings.HasPrefix(name, rpc.GatewayPrefix) || strings.HasPrefix(prefix, rpc.GatewayPrefix))`, new: ``},
	{name: "metadata of grpc-gateway in the family of gRPC-Web", old: `return strings.HasPrefix(lower, GatewayPrefix)`, new: `return false`},
	{name: "trace contexts of gRPC in its family", old: `case "grpc-trace-bin", "grpc-tags-bin":`, new: `case "grpc-tags-bin":`},
	{name: "the wider level wins for headers", old: `for _, l := range slices.Backward(levels) {`, new: `for _, l := range levels {`},
	{name: "a denied header is granted", in: "HeaderRules.Lookup", old: `return grants, true`, new: `return true, true`},
	{name: "a short prefix wins over a long one", old: `			if grants, ok := l.prefixes[prefix]; ok && coversName(prefix, name, grants) {
				return grants, true
			}
		}`, new: `			if of, ok := l.prefixes[prefix]; ok && coversName(prefix, name, of) {
				grants, mentioned = of, true
			}
		}
		if mentioned {
			return grants, true
		}`},
	{name: "a rule lists short prefixes before long ones", old: `return len(b.name) - len(a.name)`, new: `return len(a.name) - len(b.name)`},
	{name: "a prefix without its hyphen", old: `case !strings.HasSuffix(prefix, "-"):`, new: `case false:`},
	{name: "a script can be granted cookies as a header", in: "cannotBeSent", old: `case name == "cookie", name == "cookie2":`, new: `case false:`},
	{name: "requested headers without end", old: `if size > times*MaxRequestedBytes {`, new: `if size > times*MaxRequestedBytes<<9 {`},
	{name: "requested names without end", old: `len(dst)-start == times*MaxRequestedNames`, new: `len(dst)-start == times*MaxRequestedNames<<9`},
	{name: "requested names that are none are granted", in: "(*grant).requested", old: `	if !ok {
		return "", "", false
	}
`, new: ``},
	{name: "a space in a token", old: "\"!#$%&'*+-.^_`|~\"", new: "\"!#$%&'*+-.^_`|~ \""},
	{name: "GET for a method with side effects", old: `	case e.kind.Get && e.protocols&rpc.Connect != 0:`, new: `	case e.protocols&rpc.Connect != 0:`},
	{name: "GET where Connect is not served", old: `	case e.kind.Get && e.protocols&rpc.Connect != 0:`, new: `	case e.kind.Get:`},
	{name: "the protocols' headers on other paths", old: `if m.protocols &= rpc.MCP; m.protocols == 0 {`, new: `if m.protocols == 0 {`},
	{name: "a preflight that is remembered as long as none says", old: `return *m.maxAgeFrom.maxAge`, new: `return DefaultMaxAge`},

	// Responses to calls.
	{name: "a dropped Vary", old: `	if e.safe {
		f.addVary(e.vary())
	}`, new: ``},
	{name: "Vary says Origin and not Sec-Fetch-Site", old: `	case !images:
		g.vary = varyBySite`, new: `	case !images:
		g.vary = "Origin"`},
	{name: "no Vary where credentials are allowed", old: `g.anyOrigin && !g.credentials && !g.disabled }`, new: `!g.credentials && !g.disabled }`},
	{name: "Vary of the handler is lost", old: `append(lines[:len(lines):len(lines)], missing[2:])`, new: `[]string{missing[2:]}`},
	{name: "an answer to everyone lacks Vary where its method is not granted", old: `d.safe && (t.kind != targetPath || slices`, new: `d.safe && (true || slices`},
	{name: "a cache may keep a 405", old: `		f.set("Cache-Control", "no-store") // another caller`, new: `		f.set("X-Corsrpc", "no-store") // another caller`},
	{name: "a cache may keep a refusal", old: `	f.set("Cache-Control", "no-store")
	f.set("X-Content`, new: `	f.set("X-Content`},
	{name: "the handler's own grant stays", old: `	replaced = dropAccessControl(header)
`, new: `	replaced = false
`},
	{name: "the handler's own grant stays in another letter case", in: "IsAccessControl", old: `strings.EqualFold(name[:len(prefix)], prefix)`, new: `name[:len(prefix)] == "Access-Control-"`},
	{name: "a refusal carries the grant", old: `		d.applyRefusal(f)
`, new: `		d.applyRefusal(f)
		f.origin = []string{d.origin}
		d.applyOrigin(f)
`},
	{name: "everyone's answer names the one who asks", in: "applyOrigin", old: `	if e.target.grant.anyOrigin {`, new: `	if false {`},
	{name: "credentials for everyone", old: `	if e.target.grant.credentials {`, new: `	if true {`},
	{name: "a 304 replaces what the stored answer exposes", old: ` && status != http.StatusNotModified {`, new: ` {`},
	{name: "an informational answer is committed", old: `if !isInformational(status) {
		c.commit`, new: `if true {
		c.commit`},
	{name: "an answer without a body is not committed", old: `	c.commit(http.StatusOK) // net/http`, new: `	_ = c // net/http`},
	{name: "a flush is no commit", old: `func (c *committer) flush() error {
	c.commit(http.StatusOK)`, new: `func (c *committer) flush() error {`},
	{name: "a response around the layer is not logged", old: `	if c.bypassed() {
		c.layer`, new: `	if false {
		c.layer`},
	{name: "a response that the router's writer reports is not seen", in: "(*committer).bypassed", old: `known {
		return written`, new: `known && !written {
		return written`},
	{name: "a response that the router has not sent yet counts as written", in: "(*committer).bypassed", old: `known {`, new: `known && written {`},
	{name: "fields that the handler sets by the layer's writer count as set around it", in: "(*committer).bypassed", old: `return !c.used && len`, new: `return len`},
	{name: "an answer without a field counts as written around the layer", in: "(*committer).bypassed", old: `> int(c.fields)`, new: `>= int(c.fields)`},
	{name: "each response around the layer is logged", old: `l.log == nil || !l.writers.bypassed.CompareAndSwap(false, true)`, new: `l.log == nil`},
	{name: "each stream that cannot be flushed is logged", old: `l.log == nil || !l.writers.cannotFlush.CompareAndSwap(false, true)`, new: `l.log == nil`},
	{name: "a unary call is taken for a stream that cannot be flushed", old: `	if mayStream(r) {`, new: `	if true {`},
	{name: "a stream that cannot be flushed is not logged", old: `	if mayStream(r) {`, new: `	if false {`},
	{name: "events are no stream", old: `return fetch.Lists(r.Header["Accept"], "text/event-stream")`, new: `return fetch.Lists(nil, "text/event-stream")`},
	{name: "TimeoutHandler is not named", in: "isTimeoutWriter", old: `t.String() == "*http.timeoutWriter"`, new: `false`},
	{name: "TimeoutHandler outside of another middleware is not named", in: "isTimeoutWriter", old: `responsewriter.Innermost(w)`, new: `w`},
	{name: "a layer within a layer writes too", in: "(*handler).decide", old: `if kind.isWrapped(w) {`, new: `if false {`},
	{name: "a cookie's name is exposed", old: `return lower == "set-cookie" || lower == "set-cookie2"`, new: `return false`},
	{name: "a hidden header's trailer is shown", old: `	if plain, ok := strings.CutPrefix(name, rpc.TrailerPrefix); ok {`, new: `	if plain, ok := strings.CutPrefix(name, rpc.TrailerPrefix); ok && false {`},
	{name: "what Connection lists is shown", old: ` && !fetch.Lists(header["Connection"], name)`, new: ``},
	{name: "the server's own headers are shown", old: `return !fetch.ConnectionHeader(name) && !isOperationalHeader(name)`, new: `return !fetch.ConnectionHeader(name)`},
	{name: "a name that is no token is exposed", old: `len(values) == 0 || !fetch.IsToken(key)`, new: `len(values) == 0`},
	{name: "status headers where gRPC-Web is not served", old: `		return h.protocols&rpc.GRPCWeb != 0`, new: `		return true`},
	{name: "status headers are listed only if the response carries them", old: `	if grpcWeb {
		names = append`, new: `	if false {
		names = append`},
	{name: "status headers are listed where gRPC-Web is not served", old: `g.present && g.protocols&rpc.GRPCWeb != 0 && len`, new: `g.present && len`},
	{name: "a list cached for JSON serves gRPC-Web", old: `len(values) == 0 || i == e.contentType && g.listsStatusOf(values) != e.grpcWeb {`, new: `len(values) == 0 || i < 0 {`},
	{name: "every type that begins like gRPC-Web's is gRPC-Web", old: `return ok && (format == "" || format[0] == '+')`, new: `return ok`},
	{name: "timing is not sent", old: `	if e.target.grant.timing {
		e.applyTiming`, new: `	if false {
		e.applyTiming`},
	{name: "timing is sent on the layer's own 405", old: `	e.applyOrigin(f)
	// A cache`, new: `	e.applyOrigin(f)
	if e.target.grant.timing {
		e.applyTiming(f)
	}
	// A cache`},
	{name: "timing is sent on preflights", old: `	f.set("Access-Control-Max-Age", g.maxAge)
	d.applyOrigin(f)`, new: `	f.set("Access-Control-Max-Age", g.maxAge)
	d.applyOrigin(f)
	if g.timing {
		d.applyTiming(f)
	}`},
	{name: "a handler's timing is left in another letter case", old: `		dropTiming(header, false)`, new: `		_ = dropTiming`},
	{name: "a refusal shows its timing to whom a middleware around the layer names", old: `	dropTiming(f.header, true)`, new: ``},
	{name: "everyone's timing names the one who asks", in: "applyTiming", old: `	if e.target.grant.anyOrigin {`, new: `	if false {`},
	{name: "timing shares its value with the origin", old: `f.set(timingHeader, f.origin[0])`, new: `f.header[timingHeader] = f.origin`},
	{name: "PRESENT exposes Timing-Allow-Origin", old: `"timing-allow-origin": true, "x-powered-by": true`, new: `"x-powered-by": true`},
	{name: "a remembered set is as good as a larger one", old: `if len(header) != len(e.names) {`, new: `if len(header) < len(e.names) {`},
	{name: "a name without a value counts as carried", old: `if len(values) == 0 || i ==`, new: `if values == nil || i ==`},
	{name: "what Connection lists is remembered", old: `|| name == "Connection"`, new: ``},
	{name: "an answer with a grant of others' is remembered", in: "rememberExposure", old: ` || fetch.IsAccessControl(name)`, new: ``},
	{name: "ever new sets drive out the ones in use", old: `!e.used.Swap(false)`, new: `true`},
	{name: "a set of any size is remembered", old: `len(header) > maxCachedNames || `, new: ``},
	{name: "long names are remembered", old: `if size <= maxCachedBytes {`, new: `if true {`},
	{name: "a preflight that asks for more is remembered as granted", old: `case d.reason == reasonOriginAllowed && d.moreHeaders == "" &&`, new: `case`},
	{name: "methods of any length are read", old: ` || len(method[0]) > fetch.MaxRequestedBytes`, new: ``},
	{name: "what was granted before is granted to any method", old: `if methodGranted && g.isCachedPreflight`, new: `if g.isCachedPreflight`},
	{name: "a long list of requested headers is remembered", old: ` && len(lines[0]) <= maxCachedBytes`, new: ``},
	{name: "a browser's request counts as a server's", old: `r.Method == http.MethodPost && len(r.Header["Sec-Fetch-Site"]) == 0`, new: `r.Method == http.MethodPost`},
	{name: "an observer is not told of servers' calls", old: `len(origins) == 0 && !l.observers.want(EventDecision) &&`, new: `len(origins) == 0 &&`},
	{name: "a shadow is not asked of servers' calls", old: `plan.shadow == nil && fromServer`, new: `fromServer`},
	{name: "refusals of all procedures share a line", old: ` + keyFactors[3]*d.target.id`, new: ``},
	{name: "refusals for all reasons share a line", old: `uint64(cause)<<8`, new: `0`},
	{name: "refusals by all rules share a line", old: `		key += keyFactors[4] * rule.id
`, new: ``},
	{name: "differences share a line, whatever the shadow says", old: `shadow.reason, d.reason, shadow.target.grant`, new: `reasonNone, d.reason, shadow.target.grant`},
	{name: "a key is quiet for good", old: `delete(quiet, key)`, new: `_ = key`},
	{name: "a header map shares the plan's memory", old: `f.values[n-1 : n : n]`, new: `f.values[n-1 : n]`},

	// Finding the rule.
	{name: "the widest rule wins", in: "merge", old: `for _, l := range levels {`, new: `for _, l := range slices.Backward(levels) {`},
	{name: "credentials with *", old: `for _, o := range m.originsFrom.sharedOrigins() {
`, new: `for _, o := range m.originsFrom.sharedOrigins() {
		if o.text == "*" {
			continue
		}
`},
	{name: "credentials with null", old: `for _, o := range m.originsFrom.sharedOrigins() {
`, new: `for _, o := range m.originsFrom.sharedOrigins() {
		if o.text == "null" {
			continue
		}
`},
	{name: "a rule below a disabled one opens it", old: `if l.disabled == nil && m.Disabled() && m.mayLift(l) && l.isRule && l.element == "" {`, new: `if false {`},
	{name: "a risk that one rule accepts holds for all", old: `canAccept && l.risks[risk]`, new: `canAccept`},
	{name: "a field from a newer version is ignored", in: "(*compiler).checkUnknownFields", old: `if len(m.GetUnknown()) > 0 {`, new: `if false {`},
	{name: "a selector that selects nothing", old: `l.selector == "*" || l.risks[corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS]`, new: `true`},
	{name: "two rules for one selector", old: `if first, ok := seen[key+name]; ok {`, new: `if first, ok := seen[key+name]; ok && false {`},

	// Options in the schema.
	{name: "any rule lifts what the schema disables", old: `return m.schemaDisables == nil || l.lifts(m.schemaDisables)`, new: `return true`},
	{name: "lifting what the policy disables lifts what the schema does", old: `		m.disabledFrom = m.schemaDisables
`, new: `		m.disabledFrom, m.schemaDisables = l, nil
`},
	{name: "a service's rule lifts what its method's option disables", old: `l.selector == disabled.element || strings.HasPrefix(l.selector, disabled.element+".")`, new: `strings.HasPrefix(disabled.element, l.selector)`},
	{name: "an option has preflights remembered for longer", old: `!(l.narrowsOnly && *l.maxAge > m.MaxAge())`, new: `true`},
	{name: "an option adds a protocol", old: `	case !l.narrowsOnly:
`, new: `	case true:
`},
	{name: "an option leaves no protocol", old: `	case m.protocols&l.protocols == 0:`, new: `	case false:`},
	{name: "a schema says who may call", in: "checkShape", old: `len(m.GetAllowOrigins()) > 0`, new: `false`},
	{name: "a schema says which source has those who may call", in: "checkShape", old: `len(m.GetAllowOriginsFrom()) > 0`, new: `false`},
	{name: "a schema grants all headers", old: `slices.Contains(m.GetAllowHeaders(), "*")`, new: `false`},
	{name: "a schema grants credentials", old: `	if m.GetAllowCredentials() {`, new: `	if false {`},
	{name: "a schema enables what the defaults disable", in: "checkShape", old: `m.Disabled != nil && !m.GetDisabled()`, new: `false`},
	{name: "a schema shows what is declared nowhere", old: `m.GetExpose() == corsrpcv1.Exposure_EXPOSURE_PRESENT`, new: `false`},
	{name: "options that are ignored count", old: `trust == corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_IGNORE`, new: `false`},
	{name: "an option of a newer version is ignored", old: `		c.checkUnknownFields(field, message.ProtoReflect())
`, new: ``},
	{name: "an option that cannot be read is none", old: `			c.fail(CodeSchemaOption, field, "", "is not a valid corsrpc.v1.Rule: "+err.Error(), "")
`, new: ``},
	{name: "the second half of an option is lost", old: `append(s.options[element], value...) // concatenated messages are merged`, new: `value`},
	{name: "an option of another type is none", old: `				value = unreadable`, new: `				return`},
	{name: "a method that the schema does not have goes without its service's options", old: `if c.schema.services[element] && b.names[element] == nil {`, new: `if false {`},

	// Profiles and the environment.
	{name: "a profile that the policy does not have is none", old: `	if chosen == "" || profiles[chosen] != nil {
		return chosen
	}`, new: `	if profiles[chosen] == nil {
		chosen = ""
	}
	if true {
		return chosen
	}`},
	{name: "profiles that are not chosen are not checked", old: `if name == chosen {`, new: `if name != "" {`},
	{name: "a profile adds everyone", in: "readAdded", old: `		if item == "*" {`, new: `		if false {`},
	{name: "the environment says everyone", in: "parseOriginItem", old: `		case "*":`, new: `		case "**":`},
	{name: "the environment accepts risks", old: `canAccept = canAccept && source == ""`, new: ``},
	{name: "a variable that is not set is nobody", old: `case c.allowUnsetEnv:`, new: `case true:`},
	{name: "CORSRPC_PROFILE counts for more than the option", old: `if !c.compile.profileGiven {`, new: `if true {`},

	// Seeing and guarding.
	{name: "a handshake without Origin, from elsewhere", old: `case !d.safe, d.upgrade:`, new: `case !d.safe:`},
	{name: "a handshake where no rule governs", old: `		t = plan.noOrigins
`, new: `		return true
`},
	{name: "a handshake is judged as a call", old: `r.Header["Origin"], &from, true)`, new: `r.Header["Origin"], &from, false)`},
	{name: "a handshake that is granted as a call goes on", in: "CheckOrigin", old: `d.outcome == OutcomePass`, new: `!d.refused()`},
	{name: "a refused handshake is not told", in: "CheckOrigin", old: `	l.report(r, &request, &d, &from)
`, new: ``},
	{name: "an explanation is no ASCII", in: "printableASCII", old: `r < ' ' || r > '~'`, new: `false`},
	{name: "an explanation breaks the JSON", old: `strconv.Quote(m)`, new: `strconv.Quote("")[:1] + m + "\""`},
	{name: "a gRPC message is not escaped", old: `strings.ReplaceAll(m, "%", "%25")`, new: `m`},
	{name: "null is advised without quotes", old: `case "", "null",`, new: `case "",`},
	{name: "an observer's panic reaches the request", in: "observe", old: `defer func() { _ = recover() }()`, new: `defer func() {}()`},
	{name: "a log that is stuck holds up who logs", old: `	case <-timeout.C:
`, new: ``},
	{name: "lines pile up before a log that is stuck", old: `l.unwritten.Add(1) > maxUnwritten`, new: `l.unwritten.Add(1) < 0`},
	{name: "differences are counted as refusals", old: `lineOf(lineDifference, `, new: `lineOf(lineRefused, `},
	{name: "a log that is stuck holds up every request", old: `same || c.busy.Load()`, new: `same`},
	{name: "a log that panics ends the request", in: "(*Log).write", old: `defer func() { _ = recover() }()`, new: `defer func() {}()`},
	{name: "after one line the log is silent", old: `l.classes[of].busy.Store(false)`, new: ``},
	{name: "only the first observer is told", old: `for _, o := range all[e.Kind] {`, new: `for _, o := range all[e.Kind][:1] {`},
	{name: "a remedy of an unknown name does not load", old: `if !c.exists && c.unknown && c.d.target.kind == targetProcedure {`, new: `if false {`},
	{name: "a remedy is for a wider rule", old: `c := &ruleChange{d: d, selector: d.target.name, unknown: !d.target.known && !d.target.rule.ByName()}`, new: `c := &ruleChange{d: d, selector: route.ParentName(d.target.name), unknown: !d.target.known}`},
	{name: "a remedy names a header that allow_headers refuses", old: `impossible := slices.DeleteFunc(slices.Clone(names), rules.CanAllowHeader)`, new: `impossible := names[:0]`},
	{name: "a remedy names a prefix that a page asks for", old: `reason == "" && h.kind == headerName && withheldFromScripts(h, rpc.Request)`, new: `reason == "" && withheldFromScripts(h, rpc.Request)`},
	{name: "a remedy enables a procedure that nobody may call", old: `if !d.target.rule.SetsOrigins() && d.origin != "" {`, new: `if false {`},
	{name: "a remedy enables null with credentials", in: "remedyOfDisabled", old: `if impossible != "" {`, new: `if false {`},
	{name: "a remedy adds a local file to a rule with credentials", in: "riskOfOrigin", old: `case d.target.grant.credentials && origin.NeverWithCredentials(d.origin):`, new: `case false:`},
	{name: "a remedy allows null credentials", in: "remedyOfCredentials", old: `origin.NeverWithCredentials(d.origin) || shared && !named`, new: `shared && !named`},
	{name: "credentials with file://", old: `return pattern == "*" || pattern == "null" || pattern == "file://" ||`, new: `return pattern == "*" || pattern == "null" ||`},
	{name: "credentials with every extension", old: `pattern == "file://" || ok && hasInstallations(scheme)`, new: `pattern == "file://" || ok && scheme == ""`},
	{name: "added origins that never go with credentials join a rule with credentials", old: `			if credentials && origin.NeverWithCredentials(text) {
				continue
			}
`, new: ``},
	{name: "a local file needs no accepted risk", old: `if p.kind == kindExact && p.scheme == "file" {`, new: `if false {`},
	{name: "every extension needs no accepted risk", old: `if p.kind == kindInstallation {`, new: `if false {`},
	{name: "every host of a custom scheme can be allowed", old: `	switch scheme {
	case "chrome-extension", "moz-extension", "safari-web-extension", "vscode-webview":
		return true
	}
	return false
`, new: `	return true
`},
	{name: "file has a host", old: `return (s == "") == (scheme == "file")`, new: `return s != "" || scheme == "file"`},
	{name: "a form in a local file carries cookies", old: `return !d.safe && (d.target.grant.anyOrigin || d.target.grant.origins.IsShared(d.matched))`, new: `return !d.safe && (d.target.grant.anyOrigin || d.origin == "null")`},
	{name: "a row may be plain http", old: `return ok && o.Scheme == "https" && !o.IsLoopback()`, new: `return ok && !o.IsLoopback()`},
	{name: "a source allows an IPv4 loopback address that is mapped to IPv6", in: "isOwnMachine", old: `addr = addr.Unmap()`, new: ``},
	{name: "a source allows the unspecified address", old: `err == nil && (addr.IsLoopback() || addr.IsUnspecified())
}`, new: `err == nil && addr.IsLoopback()
}`},
	{name: "a source allows loopback hosts", old: `return ok && o.Scheme == "https" && !o.IsLoopback()`, new: `return ok && o.Scheme == "https"`},
	{name: "a policy for nobody needs no words", old: `if valid && !rules[i].grantsSomething() && !c.defaultsDisabled(view{b, profiles[chosen]}) {`, new: `if valid && len(b.prefix) > 100 && len(rules) > i {`},
	{name: "added origins may join no rule", old: `if p.added != nil && !t.added {`, new: `if false {`},
	{name: "origins of a disabled profile are not reported", old: `if p.defaults.setsOrigins() && !t.defaults && p.defaults.disabled == nil`, new: `if false && !t.defaults && p.defaults.disabled == nil`},
	{name: "added origins join a disabled rule", in: "(*compiler).takersOf", old: `m.originsFrom == nil || m.Disabled()`, new: `m.originsFrom == nil`},
	{name: "profiles with * and null count as alike", old: `len(l.sharedOrigins()), l.origins.Any() != 0)`, new: `len(l.sharedOrigins()), false)`},
	{name: "a profile accepts unknown selectors", old: `if risk == corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS {`, new: `if risk < 0 {`},
	{name: "a remedy forgets the risk", old: `risk = "PLAIN_HTTP"`, new: `risk = ""`},
	{name: "an explanation has no end", old: `if a.ends != reasonNone {`, new: `if false {`},
}
