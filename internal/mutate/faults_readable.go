package main

// readableFaults are faults of refusals that scripts can read (WithExplain).
var readableFaults = []fault{
	{name: "the handler gets a call whose preflight was opened", old: `reason != reasonNone && (explained || before) {`, new: `false {`},
	{name: "the grant of an opened preflight is remembered", old: `f.set("Access-Control-Max-Age", "0")`, new: `f.set("Access-Control-Max-Age", "600")`},
	{name: "a stranger reads a refusal", old: `return p.ownerOf(&requestOrigin{raw: raw}) != ""`, new: `return true || p.ownerOf(&requestOrigin{raw: raw}) != ""`},
	{name: "loopback pages read no refusal", old: `return p.ownerOf(&requestOrigin{raw: raw}) != ""`, new: `owner := p.ownerOf(&requestOrigin{raw: raw}); return owner != "" && owner != loopbackOwner`},
	{name: "credentials are opened on a granted preflight", old: `if d.refused() && p.explainable(d.origin) {`, new: `if p.explainable(d.origin) {`},
	{name: "a stranger's preflight is opened", old: `if d.refused() && p.explainable(d.origin) {`, new: `if d.refused() {`},
	{name: "a call is held against names that its rule grants", in: "(*openedPreflights).missing", old: `if !g.granted.Grants(name) {`, new: `if name != "" {`},
	{name: "names are opened without end", old: `len(opened) > maxOpenedNames`, new: `false`},
	{name: "long names are opened", old: `return len(name) <= maxOpenedBytes && strings`, new: `return strings`},
	{name: "names that browsers and proxies add are opened", old: ` && !fetch.AddedInTransit(name) && !fetch`, new: ` && !fetch`},
	{name: "after a reload, an opened preflight is forgotten", old: `page.policy != o.policy && time.Since(page.at) < openedTime`, new: `page.at.IsZero()`},
	{name: "after a reload, a call has the cookies that an opened preflight allowed", old: `reason == reasonNone && before && `, new: `reason == reasonNone && false && `},
	{name: "a second policy hides the preflight that a first one opened", old: `		page.policy = 0
`, new: `		page.policy = o.policy
`},
	{name: "an opened preflight is remembered permanently", old: ` && time.Since(page.at) < openedTime`, new: ``},
	{name: "preflights of any number of origins are opened", in: "(*openedPreflights).openPage", old: `len(o.pages) >= maxOpenedPages`, new: `false`},
	{name: "origins of opened preflights are never forgotten", in: "(*openedPreflights).openPage", old: `time.Since(page.at) >= openedTime`, new: `false`},
	{name: "names that proxies act on are opened", old: ` && !fetch.RewritesRequest(name)
}`, new: `
}`},
	{name: "names that a proxy adds to the preflight are opened", old: `case !canBeOpened(name), len(header[http.CanonicalHeaderKey(name)]) > 0:`, new: `case !canBeOpened(name):`},
	{name: "a list that repeats names is opened", old: `if !wellFormed && !isOverlong(slices.Values(names)) {`, new: `if false {`},
	{name: "a list of safelisted values is never too large", in: "isLarge", old: `size > maxSafelistedBytes`, new: `false`},
	{name: "an inner layer refuses what the outer one grants", old: `	case inner:
`, new: ``},
	{name: "a media type is folded beyond ASCII", in: "SafelistedRequestHeader", old: `essence = Lower(strings.Trim(essence, " \t"))`, new: `essence = strings.ToLower(strings.TrimSpace(essence))`},
	{name: "a repeated mode is another mode than cors", in: "isCORS", old: `len(mode) != 1 || mode[0] == "cors"`, new: `len(mode) == 0 || hasOnly(mode, "cors")`},
	{name: "names that proxies drop are opened", old: ` && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && // nginx`, new: ` && // nginx`},
	{name: "names that scripts cannot set are opened", in: "canBeOpened", old: `!fetch.ForbiddenRequestHeader(name) && !fetch.ConnectionHeader(name)`, new: `!fetch.ConnectionHeader(name)`},
	{name: "names of one connection are opened", in: "canBeOpened", old: `!fetch.ForbiddenRequestHeader(name) && !fetch.ConnectionHeader(name)`, new: `!fetch.ForbiddenRequestHeader(name)`},
	{name: "a call with too many header names goes on", old: `if has && isOverlong(maps.Keys(r.Header)) {`, new: `if has && isOverlong(maps.Keys(r.Header)) && false {`},
	{name: "a call with few header names is taken for one with too many", old: `count > fetch.MaxRequestedNames ||`, new: `count > 0 ||`},
	{name: "a list that is too long is opened without a mark", old: `if len(missing) == 0 {
			return "", false
		}`, new: `if len(missing) == 0 {
			return more, true
		}`},
	{name: "a call with a method that was opened goes on", in: "(*openedPreflights).missing", old: `if !fetch.SafelistedMethod(r.Method) && !slices.Contains(g.methods, r.Method) {`, new: `if false {`},
	{name: "a call with a content type that is not granted goes on", old: `if !g.granted.Grants("content-type") && needsPreflight`, new: `if false && needsPreflight`},
	{name: "a call is held against values that need no preflight", in: "(*openedPreflights).missing", old: `if !needsPreflight(name, lines, large) {`, new: `if len(lines) == 0 {`},
	{name: "refusals are readable under OBSERVE", old: `case p.observes, d.origin == "", d.upgrade`, new: `case d.origin == "", d.upgrade`},
	{name: "a refused handshake is readable", old: `case p.observes, d.origin == "", d.upgrade, d`, new: `case p.observes, d.origin == "", d`},
	{name: "a refusal is readable in every mode", old: `case !isCORS(r):`, new: `case false:`},
	{name: "a preflight is opened for headers, not for the method", old: `if requested, _ := preflightMethod(r); !slices.Contains(g.methods, requested) {`, new: `if requested, _ := preflightMethod(r); slices.Contains(g.methods, requested) {`},
	{name: "a pattern over a public suffix explains", in: "(*Set).Owner", old: `p.Code == CodePublicSuffix })`, new: `p.Code == "" })`},
	{name: "a pattern of unrelated owners explains", in: "(*Set).Owner", old: `return pattern, !NeverWithCredentials(pattern) && !slices`, new: `return pattern, !slices`},
	{name: "gRPC-Web clients do not read the status of a refusal", in: "(*Decision).readableReply", old: `return http.StatusOK, ""`, new: `return http.StatusForbidden, ""`},
	{name: "streams of Connect do not read the error of a refusal", in: "(*Decision).readableReply", old: `case d.readable.stream:`, new: `case false:`},
	{name: "the end of a stream is a message", old: `const EndStream = 2`, new: `const EndStream = 0`},
	{name: "gRPC-Web scripts do not see the message of a refusal", old: `exposed += ", grpc-message, grpc-status"`, new: `exposed += ""`},
	{name: "a script with credentials does not read a refusal", in: "(*Decision).applyReader", old: `	f.set("Access-Control-Allow-Credentials", "true")
`, new: ``},
	{name: "long lists of origins explain nothing", old: `			merged = append(merged, set)
`, new: ``},
	{name: "short lists of origins explain nothing", in: "mergedSets", old: `			patterns = append(patterns, pattern)
`, new: `			_ = pattern
`},
	{name: "the form of an inspector learns of WithExplain", old: `if d.readable != nil {
		return newRefusalTexts(`, new: `if d.readable == nil {
		return newRefusalTexts(`},
	{name: "a refusal that is not of an RPC protocol is in its format", old: `if d.target.kind == targetAmbiguous && r.Method == http.MethodGet && !rpc.IsGetCall(r.Query) {`, new: `if false {`},
	{name: "a path with two readings is refused as text", in: "(*Decision).makeReadable", old: `d.target.kind == targetPath {`, new: `d.target.kind != targetProcedure {`},
	{name: "an Authorization header of the script is explained as one of a proxy", old: `			o.blameHeader(d, r)
`, new: ``},
	{name: "a refusal of cookies is explained by a header", in: "(*readableRefusals).blameHeader", old: `if !d.unnamedAuthorization {`, new: `if false {`},
	{name: "the handler of Wrap tells a refusal under OBSERVE", in: "(*handler).Refusal", old: `if !d.Refused() || !d.Enforced() {`, new: `if !d.Refused() {`},
	{name: "the handler of Wrap tells a refusal of what it grants", in: "(*handler).Refusal", old: `if !d.Refused() || !d.Enforced() {`, new: `if !d.Enforced() {`},
}
