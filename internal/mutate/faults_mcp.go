package main

// mcpFaults are faults of paths that serve MCP.
var mcpFaults = []fault{
	// The rule.
	{name: "MCP in defaults and for procedures", old: `			if place != forPath {
				c.fail(CodeFieldMisplaced, at, "MCP"`, new: `			if place > forPath {
				c.fail(CodeFieldMisplaced, at, "MCP"`},
	{name: "MCP beside another protocol", in: "parseProtocols", old: `case place != forPath || l.protocols&rpc.OfProcedures == 0:`, new: `case place != forPath || l.protocols&rpc.OfProcedures == 0 || l.protocols&rpc.MCP != 0:`},
	{name: "other protocols on a path", in: "parseProtocols", old: `	case l.protocols&rpc.MCP == 0:
		c.fail`, new: `	case l.protocols == 0:
		c.fail`},
	{name: "no DELETE for MCP", old: `[]string{"POST", "GET", "DELETE"}`, new: `[]string{"POST", "GET"}`},
	{name: "a path that serves MCP has the methods of others", in: "Methods", old: `	case e.ServesMCP():
		return defaultMethodsOfMCP
`, new: ``},
	{name: "a rule of MCP may deny its headers", in: "neededBy", old: `return serves & rpc.MCP`, new: `return 0`},
	{name: "Mcp-Param headers are not granted", old: `	{"mcp-", true, MCP, Request, "clients from`, new: `	{"mcp-method-", true, MCP, Request, "clients from`},
	{name: "Last-Event-ID is not granted", old: `	{"last-event-id", false, MCP, Request,`, new: `	{"last-event-id", false, Connect, Request,`},
	{name: "Mcp-Session-Id is not exposed", old: `	{"mcp-session-id", false, MCP, Response,`, new: `	{"mcp-session-id", false, Connect, Response,`},
	{name: "WWW-Authenticate is not exposed", old: `	{"www-authenticate", false, MCP, Response,`, new: `	{"www-authenticate", false, Connect, Response,`},
	{name: "MCP's newer headers are not exposed", in: "DependOnResponse", old: ` || rpc.HasResponseFamily(h.protocols)`, new: ``},
	{name: "MCP exposes every header", in: "ExposesPresent", old: `	case !h.present:
		return false
`, new: ``},
	{name: "hide_headers of defaults hides what MCP needs", in: "ExposesPresent", old: `	case h.protocols&rpc.MCP != 0 && rpc.Needs(rpc.MCP, rpc.Response, name):
		return true
`, new: `	case !h.present && rpc.InResponseFamily(h.protocols, name):
		return true
`},

	// Requests of other origins.
	{name: "requests for MCP are those of any path", in: "isRPC", old: `t.kind == targetProcedure || t.servesMCP()`, new: `t.kind == targetProcedure`},
	{name: "any method reaches MCP", in: "callRPC", old: `d.target.kind == targetPath && !slices.Contains`, new: `d.target.kind == targetAmbiguous && !slices.Contains`},
	{name: "Vary of MCP is that of other paths", old: `g.setVary(rule.Kind().Path && !g.mcp)`, new: `g.setVary(rule.Kind().Path)`},

	// The server's own origin.
	{name: "MCP trusts Host", in: "distrustsHost", old: `return t.servesMCP()`, new: `return false`},
	{name: "MCP trusts Host where a path has several readings", in: "distrustsHost", old: `return p.servesMCP && route.Clear`, new: `return false && route.Clear`},
	{name: "no path with several readings trusts Host", in: "distrustsHost", old: `return p.servesMCP && route.Clear != p.routes.Each(`, new: `return p.servesMCP || route.Clear != p.routes.Each(`},
	{name: "only the first readings count for MCP", in: "distrustsHost", old: `!m.Ambiguous && !m.Value.servesMCP()`, new: `!m.Ambiguous`},
	{name: "MCP takes every Host for a loopback host", in: "isOwnOrigin", old: `own.matchesHost(r) && own.parts().IsLoopback()`, new: `own.matchesHost(r)`},
	{name: "MCP takes a loopback origin for its own whatever Host is", in: "isOwnOrigin", old: `if own.matchesHost(r) && own.parts().IsLoopback() {`, new: `if _ = own.matchesHost(r); own.parts().IsLoopback() {`},
	{name: "a page of a loopback host has to be allowed", in: "isOwnOrigin", old: `if own.matchesHost(r) && own.parts().IsLoopback() {`, new: `if own.matchesHost(r) && own.parts().IsLoopback() && false {`},
	{name: "a disabled path of MCP is open to its own origin", in: "isOwnOrigin", old: `return !d.target.grant.disabled && d.matchOrigin`, new: `return d.matchOrigin`},
	{name: "the server's own public origin cannot be allowed", in: "isOwnOrigin", old: `return !d.target.grant.disabled && d.matchOrigin(p, &own)`, new: `return false && d.matchOrigin(p, &own)`},
	{name: "a same-origin GET of MCP is not checked", in: "isOwnOrigin", old: `if hasOnly(r.Header["Sec-Fetch-Site"], "none") {`, new: `if len(r.Header["Sec-Fetch-Site"]) > 0 {`},
	{name: "the address bar does not reach MCP", in: "isOwnOrigin", old: `if hasOnly(r.Header["Sec-Fetch-Site"], "none") {`, new: `if hasOnly(r.Header["Sec-Fetch-Site"], "none") && false {`},
	{name: "an extension with access to the host reaches MCP", in: "isOwnOrigin", old: `if d.origin == "" {`, new: `if d.origin == "" || hasOnly(r.Header["Sec-Fetch-Site"], "none") {`},
	{name: "the default port is part of the own origin", in: "ownOrigin", old: `strings.TrimSuffix(r.Host, ":443")`, new: `strings.TrimSuffix(r.Host, "")`},

	// Advice and comparisons.
	{name: "headers of MCP are allowed by name", in: "allowHeaders", old: `slices.ContainsFunc(names, isOfMCP) && !`, new: `slices.ContainsFunc(names, isOfMCP) && false && !`},
	{name: "MCP is advised where its headers are denied", in: "allowHeaders", old: ` && !(rule.exists && rule.level.DeniesNeeded(rpc.MCP))`, new: ``},
	{name: "a new rule for MCP lists its headers", in: "asksForMCP", old: `return ok && slices.ContainsFunc(names, isOfMCP)`, new: `return ok && false && slices.ContainsFunc(names, isOfMCP)`},
	{name: "a rule that no longer checks Host is not compared", in: "ownOrigin", old: `if !g.to.host || g.from.host ||`, new: `if !g.to.host || true ||`},
	{name: "a comparison takes everyone's MCP for one that checks Host", in: "byRule", old: `host: !e.ServesMCP() || f.origins.Any() != 0`, new: `host: !e.ServesMCP()`},
	{name: "a test may call a procedure by MCP", in: "checkCall", old: `case one.GetProtocol() == corsrpcv1.Protocol_PROTOCOL_MCP:`, new: `case false:`},
	{name: "a test takes a refusal of its own origin for an answer", in: "stopped", old: `s.Blocked != nil || s.refused`, new: `s.Blocked != nil`},
}
