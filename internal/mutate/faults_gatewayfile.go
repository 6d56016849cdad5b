package main

// gatewayFileFaults are faults of how gateway files and the flags of the gateway are checked.
var gatewayFileFaults = []fault{
	// The fields that clients may set.
	{name: "a prefix of trusted proxies has other bits", in: "(*checker).checkProxies", old: `case p.Masked() != p:`, new: `case false:`},
	{name: "two virtual hosts have the same host", in: "(*checker).checkVirtualHosts", old: `before, twice := hosts[host]; twice`, new: `before, twice := hosts[host]; twice && false`},
	{name: "two virtual hosts have all other hosts", in: "(*checker).checkVirtualHosts", old: `if fallback != "" {`, new: `if false {`},
	{name: "a host in upper case never fits", in: "(*checker).checkHost", old: `case ok && plain == host:`, new: `case ok:`},
	{name: "an address in another form never fits", in: "canonicalHost", old: `return a.String(), a.Zone() == ""`, new: `return text, a.Zone() == ""`},
	{name: "a route has wildcards in its path", in: "pathProblem", old: `"{}*?#%\\;"`, new: `"{}?#%\\;"`},
	{name: "a route has dot segments", in: "pathProblem", old: `if segment == "." || segment == ".." {`, new: `if false {`},
	{name: "a path prefix is one that the policy refuses", in: "(*checker).checkPrefix", old: `if route.IsPrefix(prefix) && pathProblem(prefix) == "" {`, new: `if pathProblem(prefix) == "" {`},
	// Upstreams.
	{name: "TLS is set for an upstream without TLS", in: "(*checker).checkUpstreams", old: `if !secure && !c.reported[field+".url"] {`, new: `if !secure && c.reported[field+".url"] {`},
	{name: "a user name in a URL of an upstream is dropped", in: "(*checker).checkURL", old: `case u.User != nil:`, new: `case false:`},
	{name: "the path of an upstream is dropped", in: "(*checker).checkURL", old: `case strings.ContainsAny(rest, "/?#"):`, new: `case false:`},
	{name: "an upstream without a route is read", in: "(*checker).checkUnused", old: `if !used[u.GetName()] && isName(u.GetName()) {`, new: `if false {`},
	{name: "a route to an unknown upstream is read", in: "(*checker).checkRoutes", old: `case !known[up] && len(names) > 0 && !c.unreadable("upstreams"):`, new: `case false:`},
	{name: "a key without its certificate is read", in: "(*checker).checkPair", old: `case certificate == "" && (required || key != ""):`, new: `case certificate == "" && required:`},
	// Files.
	{name: "a part of a large binary gateway file is read", old: `if len(text) > MaxBytes { // a part`, new: `if false { // a part`},
	{name: "the ports of the gateway overlap", in: "overlap", old: `return everywhere(hostA) || everywhere(hostB) || `, new: `return `},
	{name: "the name of a database behind a variable is changed", old: ` && !strings.HasPrefix(rest, "${") {`, new: ` {`},
	{name: "flags beside a gateway file are ignored", in: "(*sharedFlags).alone", old: `if len(others) > 0 {`, new: `if false {`},
	// Errors.
	{name: "errors of a gateway file show passwords", in: "withoutSecrets", old: `return maskedParts(mask(bare, mask(userInfo, text)))`, new: `return text`},
	{name: "lines of a gateway file show passwords", in: "maskedText", old: `return []byte(maskedParts(string(text)))`, new: `return text`},
	{name: "the log has no problems of a gateway file", in: "(*Error).Error", old: `for i, p := range e.Problems {`, new: `for i, p := range e.Problems[:0] {`},
	{name: "what could not be read is called missing", in: "(*checker).missing", old: `if c.parsed != nil {`, new: `if false {`},
}
