package main

import "slices"

// A fault is one change of the source that takes a protection away or breaks a
// promise. Old stands once in the file.
type fault struct {
	name, file, old, new string
}

const (
	decideGo         = "corsrpc/decide.go"
	applyGo          = "corsrpc/apply.go"
	grantGo          = "corsrpc/grant.go"
	effectiveGo      = "corsrpc/effective.go"
	optionsGo        = "corsrpc/schema_options.go"
	servicesGo       = "corsrpc/services.go"
	tableOfOriginsGo = "internal/origin/table.go"
	textsGo          = "internal/origin/texts.go"
	sourceGo         = "corsrpc/source.go"
	watchGo          = "corsrpc/watch.go"
	policyGo         = "corsrpc/load.go"
	provenanceGo     = "corsrpc/provenance.go"
	planGo           = "corsrpc/plan.go"
	namesGo          = "corsrpc/names.go"
	ruleGo           = "corsrpc/rule.go"
	compileGo        = "corsrpc/compile.go"
	layerGo          = "corsrpc/layer.go"
	checkOriginGo    = "corsrpc/check_origin.go"
	observeGo        = "corsrpc/observe.go"
	remedyGo         = "corsrpc/remedy.go"
	explainGo        = "corsrpc/explain.go"
	writerGo         = "corsrpc/writer.go"
	parseGo          = "internal/origin/parse.go"
	patternGo        = "internal/origin/pattern.go"
	setGo            = "internal/origin/set.go"
	hostGo           = "internal/origin/host.go"
	suffixGo         = "internal/origin/suffix.go"
	headersGo        = "internal/fetch/headers.go"
	tokenGo          = "internal/fetch/token.go"
	testFetchGo      = "corsrpc/corstest/fetch.go"
	testCheckGo      = "corsrpc/corstest/cors_check.go"
	testRequestGo    = "corsrpc/corstest/request.go"
	testCacheGo      = "corsrpc/corstest/preflight_cache.go"
	testListGo       = "corsrpc/corstest/header_list.go"
	safelistGo       = "internal/fetch/safelist.go"
	testCookiesGo    = "corsrpc/corstest/cookies.go"
	tableGo          = "internal/rpc/headers.go"
)

var faults = slices.Concat(layerFaults, routeFaults, liveFaults, inspectorFaults)

var layerFaults = []fault{
	// Who asks.
	{"the first of two Origin headers counts", decideGo, `len(origins) > 1`, `len(origins) > 9`},
	{"an Origin that no browser sends is a stranger's, not refused", decideGo, `if !from.read(origins[0], t.grant.origins) {`, `if !from.read(origins[0], t.grant.origins) && false {`},
	{"same-site counts as same-origin", decideGo, `site[0] == "same-origin" || site[0] == "none"`, `site[0] == "same-origin" || site[0] == "same-site" || site[0] == "none"`},
	{"a second Sec-Fetch-Site is not looked at", decideGo, `len(site) == 1 && (site[0]`, `len(site) >= 1 && (site[0]`},
	{"a Host that is the Origin's counts for more than Sec-Fetch-Site", decideGo, `	case len(site) > 0:
`, ``},
	{"same host, whatever the port", parseGo, `return port == o.Port
}

// isWeb`, `return true
}

// isWeb`},
	{"same host, a plain origin under TLS too", parseGo, `tls && o.Scheme == "http"`, `false`},
	{"hosts compare in Unicode case", parseGo, `!equalFold(name, o.Host)`, `!strings.EqualFold(name, o.Host)`},
	{"an upgrade needs no grant with credentials", decideGo, `case d.upgrade && !g.credentials:`, `case false:`},
	{"a websocket handshake is no upgrade", decideGo, `r.Method == http.MethodGet && len(r.Header["Upgrade"]) > 0`, `false`},

	// Requests that CORS does not guard.
	{"an image may call what is not open to everyone", decideGo, `case d.target.kind == targetProcedure && !g.anyOrigin:`, `case false:`},
	{"a no-cors POST without Origin passes", decideGo, `case !d.safe, d.upgrade:`, `case !d.safe && false, d.upgrade:`},
	{"an image may load a path with credentials", decideGo, `case d.target.kind == targetPath && g.credentials && !isOne(r.Header["Sec-Fetch-Mode"], "navigate"):`, `case false:`},
	{"disabled, but not for images", decideGo, `	case g.disabled:
		d.refuse(r, ReasonDisabled)
	case !d.safe, d.upgrade:`, `	case !d.safe, d.upgrade:`},
	{"a no-cors POST of an allowed origin passes", decideGo, `len(mode) > 0 && !isOne(mode, "cors") {
		d.refuse`, `len(mode) > 9 {
		d.refuse`},
	{"cookies where none are allowed", decideGo, `!d.target.grant.credentials && len(r.Header["Cookie"]) > 0`, `false`},

	// Who may call.
	{"disabled, but not for preflights", decideGo, `	case g.disabled:
		d.refuse(r, ReasonDisabled)
	case g.kind.unnamed`, `	case g.disabled && !d.preflight:
		d.refuse(r, ReasonDisabled)
	case g.kind.unnamed`},
	{"disabled, but not for calls", decideGo, `	case g.disabled:
		d.refuse(r, ReasonDisabled)
	case g.kind.unnamed`, `	case g.disabled && d.preflight:
		d.refuse(r, ReasonDisabled)
	case g.kind.unnamed`},
	{"the preflight of a stranger is answered", decideGo, `case !d.matchOrigin(p, from):`, `case !d.matchOrigin(p, from) && !d.preflight:`},
	{"the call of a stranger reaches the handler", decideGo, `case !d.matchOrigin(p, from):`, `case !d.matchOrigin(p, from) && d.preflight:`},
	{"a path rule's methods are not held", decideGo, `case !slices.Contains(g.methods, r.Method):`, `case false:`},
	{"a path that is read in two ways counts as what it says", decideGo, `	case t.kind == targetUnclear:
		d.refuse(r, ReasonPathNotCanonical)
	default:
		d.cross`, `	default:
		d.cross`},

	// Patterns.
	{"a suffix match without the dot", patternGo, `strings.HasSuffix(front, ".")`, `true`},
	{"only a few origins count", setGo, `	if s.exact.len <= mostFew {
		return 0, false`, `	if s.exact.len > 0 {
		return 0, false`},
	{"patterns of any port are no patterns", setGo, `	case p.kind == kindExact && p.port == "*":
		s.patterns = true`, `	case p.kind == kindExact && p.port == "*":`},
	{"a wildcard covers the host itself", setGo, `strings.Count(hostPort[:host], ".") - 1; n >= 0`, `strings.Count(hostPort[:host], "."); n >= 0`},
	{"a wildcard's port is skipped", setGo, `w.ports[hostPort]; ok`, `w.ports[hostPort[:host]]; ok`},
	{"a wildcard's scheme is skipped", setGo, `	if scheme == "https" {
		return &s.https`, `	if scheme != "" {
		return &s.https`},
	{"any port of one host is any port of all below it", setGo, `s.anyPort[raw[:len(o.Scheme)+len("://")+len(o.Host)]]`, `s.anyPort[o.Scheme+"://"+o.Host[strings.IndexByte(o.Host, '.')+1:]]`},
	{"everyone, where nobody is", setGo, `return s.any, s.any != 0`, `return s.any, true`},
	{"a value that no browser sends matches *", setGo, `	if !ok {
		return 0, false
	}
	return s.MatchParsed`, `	_ = ok
	return s.MatchParsed`},
	{"upper case in a host", hostGo, `case nameBytes[s[i]]:`, `case nameBytes[lowerByte(s[i])]:`},
	{"a trailing newline", hostGo, `case s[i] == '.' && label > 0:`, `case s[i] == '.' && label > 0, s[i] == '\n' && i == len(s)-1:`},
	{"an empty label", hostGo, `case s[i] == '.' && label > 0:`, `case s[i] == '.':`},
	{"a number for an IPv4 address", hostGo, `return !endsInNumber(s) || canonicalIPv4(s)`, `return true`},
	{"a default port that is spelled out", parseGo, `!ok || !validHost(host) || port == defaultPort(scheme)`, `!ok || !validHost(host)`},
	{"a port with leading zeros", parseGo, `len(s) > 5 || s[0] == '0'`, `len(s) > 5`},
	{"a port beyond 65535", parseGo, `return n <= 65535`, `return true`},
	{"an Origin of any length", parseGo, `if len(s) > MaxLen {`, `if len(s) > MaxLen<<9 {`},
	{"a wildcard over a public suffix", patternGo, `if reason := suffixReason(p.host); reason != "" {`, `if reason := suffixReason(p.host); reason != "" && false {`},
	{"a wildcard over the parent of public suffixes", suffixGo, `strings.Contains(suffixAncestors, "\n"+name+"\n")`, `false`},
	{"a trailing dot hides a public suffix", suffixGo, `name := strings.TrimSuffix(host, ".")`, `name := host`},
	{"plain http beyond loopback", patternGo, `p.scheme == "http" && !isLoopback(p.host)`, `false`},
	{"a host that begins with 127. is loopback", hostGo, `isIP(host) && strings.HasPrefix(host, "127.")`, `strings.HasPrefix(host, "127.")`},
	{"a host that ends in localhost is loopback", hostGo, `strings.HasSuffix(host, ".localhost")`, `strings.HasSuffix(host, "localhost")`},
	{"null without its risk", patternGo, `if p.kind == kindNull {
		problems`, `if false {
		problems`},

	// What a preflight grants.
	{"authorization by *", namesGo, `return name != "authorization" && !fetch`, `return !fetch`},
	{"metadata of grpc-gateway by *", namesGo, ` &&
		(!strings.HasPrefix(name, rpc.GatewayPrefix) || strings.HasPrefix(m.name, rpc.GatewayPrefix))`, ``},
	{"metadata of grpc-gateway in the family of gRPC-Web", tableGo, `return strings.HasPrefix(lower, GatewayPrefix)`, `return false`},
	{"trace contexts of gRPC in its family", tableGo, `case "grpc-trace-bin", "grpc-tags-bin":`, `case "grpc-tags-bin":`},
	{"the wider layer wins for headers", effectiveGo, `	slices.Reverse(e.request)
`, ``},
	{"a denied header is granted", namesGo, `				return m.yes, true`, `				return true, true`},
	{"a short prefix wins over a long one", namesGo, `return len(b.name) - len(a.name)`, `return len(a.name) - len(b.name)`},
	{"a prefix without its hyphen", namesGo, `case !strings.HasSuffix(prefix, "-"):`, `case false:`},
	{"a script can be granted cookies as a header", ruleGo, `case d == rpc.Request && m.name == "cookie":`, `case false:`},
	{"requested headers without end", headersGo, `if size > MaxRequestedBytes {`, `if size > MaxRequestedBytes<<9 {`},
	{"requested names without end", headersGo, `len(dst)-start == MaxRequestedNames`, `len(dst)-start == MaxRequestedNames<<9`},
	{"requested names that are none are granted", decideGo, `		d.reason = ReasonRequestedHeadersMalformed
		names = nil`, `		d.reason = ReasonRequestedHeadersMalformed`},
	{"a space in a token", tokenGo, "\"!#$%&'*+-.^_`|~\"", "\"!#$%&'*+-.^_`|~ \""},
	{"GET for a method with side effects", effectiveGo, `	case e.kind.get && e.protocols&rpc.Connect != 0:`, `	case e.protocols&rpc.Connect != 0:`},
	{"GET where Connect is not served", effectiveGo, `	case e.kind.get && e.protocols&rpc.Connect != 0:`, `	case e.kind.get:`},
	{"the protocols' headers on other paths", effectiveGo, `	if kind.path {
		e.protocols = 0
	}
`, ``},
	{"a preflight that is remembered as long as none says", effectiveGo, `	return e.maxAgeFrom.message.GetMaxAge().AsDuration()`, `	return defaultMaxAge`},

	// What an answer carries.
	{"a dropped Vary", applyGo, `	if e.safe {
		f.addVary(e.vary())
	}`, ``},
	{"Vary says Origin and not Sec-Fetch-Site", grantGo, `	case !kind.path:
		g.vary = varyBySite`, `	case !kind.path:
		g.vary = "Origin"`},
	{"no Vary where credentials are allowed", grantGo, `g.anyOrigin && !g.credentials && !g.disabled }`, `!g.credentials && !g.disabled }`},
	{"Vary of the handler is lost", applyGo, `append(lines[:len(lines):len(lines)], missing[2:])`, `[]string{missing[2:]}`},
	{"an answer to everyone lacks Vary where its method is not granted", decideGo, `d.safe && (t.kind != targetPath || slices`, `d.safe && (true || slices`},
	{"a cache may keep a 405", applyGo, `		f.set("Cache-Control", "no-store") // the handler`, `		f.set("X-Corsrpc", "no-store") // the handler`},
	{"a cache may keep a refusal", applyGo, `	f.set("Cache-Control", "no-store")
	f.set("X-Content`, `	f.set("X-Content`},
	{"the handler's own grant stays", applyGo, `	replaced = dropAccessControl(header)
`, `	replaced = false
`},
	{"the handler's own grant stays in another letter case", applyGo, `strings.EqualFold(key[:len(accessControl)], accessControl)`, `key[:len(accessControl)] == "Access-Control-"`},
	{"a refusal carries the grant", applyGo, `		d.applyRefusal(f)
`, `		d.applyRefusal(f)
		d.applyOrigin(f)
`},
	{"everyone's answer names the one who asks", applyGo, `	if e.target.grant.anyOrigin {`, `	if false {`},
	{"credentials for everyone", applyGo, `	if e.target.grant.credentials {`, `	if true {`},
	{"a 304 replaces what the stored answer exposes", applyGo, ` && status != http.StatusNotModified {`, ` {`},
	{"an informational answer is committed", writerGo, `if !isInformational(status) {
		c.commit`, `if true {
		c.commit`},
	{"an answer without a body is not committed", layerGo, `	c.commit(http.StatusOK) // net/http`, `	_ = c // net/http`},
	{"a flush is no commit", writerGo, `func (c *committer) flush() error {
	c.commit(http.StatusOK)`, `func (c *committer) flush() error {`},
	{"a layer within a layer writes too", layerGo, `!d.touchesAnswer(), isWrapped(w):`, `!d.touchesAnswer():`},
	{"a cookie's name is exposed", headersGo, `return lower == "set-cookie" || lower == "set-cookie2"`, `return false`},
	{"a hidden header's trailer is shown", applyGo, `	if plain, ok := strings.CutPrefix(name, rpc.TrailerPrefix); ok {`, `	if plain, ok := strings.CutPrefix(name, rpc.TrailerPrefix); ok && false {`},
	{"what Connection lists is shown", applyGo, ` && !lists(header["Connection"], name)`, ``},
	{"the server's own headers are shown", applyGo, `return !fetch.ConnectionHeader(name) && !isServersOwn(name)`, `return !fetch.ConnectionHeader(name)`},
	{"a name that is no token is exposed", applyGo, `len(values) == 0 || !fetch.IsToken(key)`, `len(values) == 0`},
	{"status headers where gRPC-Web is not served", applyGo, `		return g.protocols&rpc.GRPCWeb != 0`, `		return true`},
	{"a remembered set is as good as a larger one", "corsrpc/recent.go", `if len(header) != len(e.names) {`, `if len(header) < len(e.names) {`},
	{"a name without a value counts as carried", "corsrpc/recent.go", `if len(header[name]) == 0 {`, `if _, ok := header[name]; !ok {`},
	{"what Connection lists is remembered", "corsrpc/recent.go", `|| name == "Connection"`, ``},
	{"an answer with a grant of others' is remembered", "corsrpc/recent.go", `|| isAccessControl(name)`, ``},
	{"ever new sets drive out the ones in use", "corsrpc/recent.go", `!p.used.Swap(false)`, `true`},
	{"a set of any size is remembered", "corsrpc/recent.go", `len(header) > recentNames || `, ``},
	{"long names are remembered", "corsrpc/recent.go", `if size <= recentBytes {`, `if true {`},
	{"a preflight that asks for more is remembered as granted", decideGo, `case d.reason == ReasonOriginAllowed && d.moreHeaders == "" &&`, `case`},
	{"methods of any length are read", decideGo, ` || len(method[0]) > fetch.MaxRequestedBytes`, ``},
	{"what was granted before is granted to any method", decideGo, `if methodGranted && g.grantedBefore`, `if g.grantedBefore`},
	{"a long list of requested headers is remembered", decideGo, ` && len(lines[0]) <= recentBytes`, ``},
	{"a browser's request counts as a server's", layerGo, `r.Method == http.MethodPost && len(r.Header["Sec-Fetch-Site"]) == 0`, `r.Method == http.MethodPost`},
	{"an observer is not told of servers' calls", layerGo, `len(origins) == 0 && l.observers == nil &&`, `len(origins) == 0 &&`},
	{"a shadow is not asked of servers' calls", layerGo, `plan.shadow == nil && fromServer`, `fromServer`},
	{"refusals of all procedures share a line", "corsrpc/event_log.go", `((grant*spread)^target)*spread`, `grant*spread`},
	{"refusals for all reasons share a line", "corsrpc/event_log.go", `lineKey(reason.index()+1)<<6`, `0`},
	{"refusals by all rules share a line", "corsrpc/event_log.go", `((grant*spread)^target)*spread`, `target*spread`},
	{"differences share a line, whatever the shadow says", "corsrpc/event_log.go", ` | lineKey(shadow.index()+1)`, ``},
	{"a key is quiet for good", "corsrpc/event_log.go", `	delete(quiet, key)
`, ``},
	{"a header map shares the plan's memory", applyGo, `f.values[n-1 : n : n]`, `f.values[n-1 : n]`},

	// Which rule.
	{"the widest rule wins", compileGo, `slices.Backward(covering)`, `slices.All(covering)`},
	{"credentials with *", grantGo, `		case "*":
			c.failOnce`, `		case "none":
			c.failOnce`},
	{"credentials with null", grantGo, `		case "null":
			c.failOnce`, `		case "none":
			c.failOnce`},
	{"a rule below a disabled one opens it", effectiveGo, `if e.disabledFrom.rule().GetDisabled() && lifts && c.saysSomething(l) {`, `if false {`},
	{"a risk that one rule accepts holds for all", ruleGo, `slices.Contains(p.message.GetAcceptRisks(), risk)`, `true`},
	{"a field from a newer version is ignored", compileGo, `if len(m.GetUnknown()) > 0 {`, `if false {`},
	{"a selector that selects nothing", compileGo, `p.selector == "*" || p.accepts(corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS)`, `true`},
	{"two rules for one selector", compileGo, `if first, ok := seen[key+name]; ok {`, `if first, ok := seen[key+name]; ok && false {`},

	// The browser that judges the layer.
	{"the browser exposes all with credentials", testFetchGo, `all := credentials != Include && exposed["*"]`, `all := exposed["*"]`},
	{"the browser takes * with credentials", testCheckGo, `case request.credentials != Include && value == "*":`, `case value == "*":`},
	{"the browser takes credentials without a grant", testCheckGo, `value != "true"`, `value == "false"`},
	{"the browser takes two origins", testCheckGo, `case len(values) > 1 || strings.Contains(value, ","):`, `case len(values) > 9 && strings.Contains(value, ","):`},
	{"the browser keeps its origin through redirects", testRequestGo, `if !r.asFirst && r.redirectTaint() != "same-origin" {`, `if false {`},
	{"the browser keeps Authorization through redirects", testFetchGo, `		r.header.Del("Authorization")
`, ``},
	{"the browser does not check what a preflight grants", testFetchGo, `		if !granted {`, `		if !granted && false {`},
	{"the browser does not check the method", testFetchGo, `!slices.Contains(methods, r.method) && !isCORSSafelistedMethod(r.method)`, `false && !isCORSSafelistedMethod(r.method)`},
	{"the browser takes any status of a preflight", testFetchGo, `if response.StatusCode < 200 || response.StatusCode > 299 {`, `if response.StatusCode < 100 {`},
	{"the browser remembers for good", testCacheGo, `!now.Before(g.expires)`, `false`},
	{"the browser remembers for each page", testCacheGo, `g.url != r.currentURL().String()`, `false`},
	{"the browser sends what a script may not set", testListGo, `if fetch.ForbiddenRequestHeader(lower) {`, `if false {`},
	{"the browser asks for nothing", testListGo, `if high || !fetch.SafelistedRequestHeader(name, value) {`, `if high {`},
	{"a safelisted value may have 129 bytes", safelistGo, `len(value) > 128`, `len(value) > 129`},
	{"the browser shows trailers", testFetchGo, `	filtered.Trailer = nil
`, ``},
	{"the browser shows cookies", testFetchGo, `visible(lower) && !fetch.ForbiddenResponseHeader(lower)`, `visible(lower)`},
	{"cookies go wherever they are wanted", testCookiesGo, `if r.sameSiteAs(from) {`, `if r.sameSiteAs(from) || true {`},

	// What the schema says.
	{"any rule lifts what the schema disables", effectiveGo, `lifts := e.schemaDisables == nil || l.lifts(e.schemaDisables)`, `lifts := true`},
	{"lifting what the policy disables lifts what the schema does", effectiveGo, `		e.disabledFrom = e.schemaDisables
`, `		e.disabledFrom, e.schemaDisables = l, nil
`},
	{"a service's rule lifts what its method's option disables", effectiveGo, `l.selector == disabled.element || strings.HasPrefix(l.selector, disabled.element+".")`, `strings.HasPrefix(disabled.element, l.selector)`},
	{"an option has preflights remembered for longer", effectiveGo, `!(l.shapes && age.AsDuration() > e.maxAgeOrDefault())`, `true`},
	{"an option adds a protocol", effectiveGo, `	case !l.shapes:
`, `	case true:
`},
	{"an option leaves no protocol", effectiveGo, `	case e.protocols&l.protocols == 0:`, `	case false:`},
	{"a schema says who may call", optionsGo, `len(m.GetAllowOrigins())+len(m.GetAllowOriginsFrom()) > 0`, `false`},
	{"a schema grants all headers", optionsGo, `slices.Contains(m.GetAllowHeaders(), "*")`, `false`},
	{"a schema grants credentials", optionsGo, `	if m.GetAllowCredentials() {`, `	if false {`},
	{"a schema enables what the defaults disable", optionsGo, `m.Disabled != nil && !m.GetDisabled()`, `false`},
	{"a schema shows what is declared nowhere", optionsGo, `m.GetExpose() == corsrpcv1.Exposure_EXPOSURE_PRESENT`, `false`},
	{"options that are ignored count", optionsGo, `trust == corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_IGNORE`, `false`},
	{"an option of a newer version is ignored", optionsGo, `		c.checkUnknownFields(field, message.ProtoReflect())
`, ``},
	{"an option that cannot be read is none", optionsGo, `			c.fail(CheckSchemaOption, field, "", "is no corsrpc.v1.Rule: "+err.Error(), "")
`, ``},
	{"the second half of an option is lost", servicesGo, `append(s.options[element], value...) // messages merge`, `value`},
	{"an option of another type is none", servicesGo, `				value = unreadable`, `				return`},
	{"a method that the schema does not have goes without its service's options", compileGo, `if c.options[service] != nil && c.rules[service] == nil {`, `if false {`},

	// Profiles and the environment.
	{"a profile that the policy does not have is none", compileGo, `	if chosen == "" || c.profiles[chosen] != nil {`, `	if true {`},
	{"profiles that are not chosen are not checked", compileGo, `		if profile != chosen {`, `		if false {`},
	{"a profile adds everyone", compileGo, `		if item == "*" {`, `		if false {`},
	{"the environment says everyone", ruleGo, `		case "*":`, `		case "**":`},
	{"the environment accepts risks", ruleGo, `canAccept && holds == "" && !p.added`, `canAccept && !p.added`},
	{"a variable that is not set is nobody", ruleGo, `			if !c.otherProfile {
				c.fail`, `			if false {
				c.fail`},
	{"CORSRPC_PROFILE counts for more than the option", policyGo, `if !c.profileGiven {`, `if true {`},

	// Seeing and guarding.
	{"a handshake without Origin, from elsewhere", decideGo, `case !d.safe, d.upgrade:`, `case !d.safe:`},
	{"a handshake where no rule governs", checkOriginGo, `t = &target{grant: plan.nobody, answers: &plan.nobody.answers}`, `return true`},
	{"a handshake is judged as a call", checkOriginGo, `r.Header["Origin"], true)`, `r.Header["Origin"], false)`},
	{"a handshake that is granted as a call goes on", checkOriginGo, `d.outcome == OutcomePass`, `!d.refused()`},
	{"a refused handshake is not told", checkOriginGo, `	l.report(r, &d)
`, ``},
	{"an answer explains itself unasked", layerGo, `d.explained = l.explain`, `d.explained = true`},
	{"no answer explains itself", layerGo, `d.explained = l.explain`, `d.explained = false`},
	{"what is granted says a reason", applyGo, `	if !d.refused() {
		return
	}
	value`, `	value`},
	{"an explanation is no ASCII", applyGo, `r < ' ' || r > '~'`, `false`},
	{"an explanation breaks the JSON", applyGo, `strconv.Quote(m)`, `strconv.Quote("")[:1] + m + "\""`},
	{"a gRPC message is not escaped", applyGo, `strings.ReplaceAll(m, "%", "%25")`, `m`},
	{"null is advised without quotes", remedyGo, `case "", "null",`, `case "",`},
	{"an observer's panic reaches the request", observeGo, `defer func() { _ = recover() }()`, `defer func() {}()`},
	{"a log that is stuck holds up who logs", "corsrpc/event_log.go", `	case <-patience.C:
`, ``},
	{"lines pile up before a log that is stuck", "corsrpc/event_log.go", `l.stuck.Add(1) > logMostStuck`, `l.stuck.Add(1) < 0`},
	{"differences are counted as refusals", "corsrpc/event_log.go", `l.admit(lineDifference, `, `l.admit(lineRefused, `},
	{"a log that is stuck holds up every request", "corsrpc/event_log.go", `quiet || l.busy || l.inSecond`, `quiet || l.inSecond`},
	{"a log that panics ends the request", "corsrpc/event_log.go", `defer func() { _ = recover() }()`, `defer func() {}()`},
	{"after one line the log is silent", "corsrpc/event_log.go", `		l.busy = false
`, ``},
	{"only the first observer is told", observeGo, `for _, o := range all {`, `for _, o := range all[:1] {`},
	{"a remedy of an unknown name does not load", remedyGo, `withRisks("UNKNOWN_SELECTORS", risk)`, `withRisks(risk)`},
	{"a remedy is for a wider rule", remedyGo, `return "write " + line + " in a rule with selector: " + yamlList([]string{d.target.name}) + withRisks(risk)`, `return "write " + line + " in a rule with selector: " + yamlList([]string{parentName(d.target.name)}) + withRisks(risk)`},
	{"a remedy allows null credentials", remedyGo, `case d.origin == "null", anyOrigin && impossible != "":`, `case anyOrigin && impossible != "":`},
	{"a remedy forgets the risk", remedyGo, `risk = "PLAIN_HTTP"`, `risk = ""`},
	{"an explanation has no end", explainGo, `		if ends {
			break
		}
`, ``},
}
