package main

// gatewayFaults are faults of the gateway: its proxy, its hosts and its drain.
var gatewayFaults = []fault{
	{name: "a GET is sent again where a connection breaks", old: `r.Body, r.GetBody = &emptyBody{}, nil`, new: `r.Body, r.GetBody = http.NoBody, nil`},
	{name: "an upgrade to HTTP/2 passes", old: `protocol == "h2c" || protocol == "h2" ||`, new: `protocol == "h2" ||`},
	{name: "an upgrade to TLS passes", old: `|| strings.HasPrefix(protocol, "tls/")`, new: ``},
	{name: "TRACE is forwarded", old: `r.Method == http.MethodConnect || r.Method == http.MethodTrace`, new: `r.Method == http.MethodConnect`},
	{name: "forwarded fields of strangers pass", old: `return slices.ContainsFunc(forwardedFields, func(f string) bool { return strings.EqualFold(f, name) })`, new: `return false`},
	{name: "forwarded fields with underscores pass", old: `	name = strings.ReplaceAll(name, "_", "-")
`, new: ``},
	{name: "every client is a trusted proxy", in: "isTrusted", old: `return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(a) })`, new: `return true`},
	{name: "the first host of several is believed", old: `if i > 0 && !strings.EqualFold(v, value) {`, new: `if i > 1000 {`},
	{name: "Forwarded and X-Forwarded-Host may differ", old: `case differ(e["host"], host), differ(e["proto"], proto):`, new: `case differ(e["proto"], proto):`},
	{name: "the first element of Forwarded is believed", old: `at := len(elements) - 1`, new: `at := 0`},
	{name: "the first address of a chain is believed", in: "firstUntrusted", old: `i == 0 || !isTrusted(prefixes, a)`, new: `i == 0`},
	{name: "a forwarded host may be anything", old: `return len(text) <= 300 && strings`, new: `return true || strings`},
	{name: "the upstream gets the forwarded Host", old: `r.Out.Host = c.sentHost`, new: `r.Out.Host = c.host`},
	{name: "a response may take any time", old: `timer = time.AfterFunc(d, expire(errResponseTimeout))`, new: `timer = time.AfterFunc(d, func() {})`},
	{name: "a call's deadline does not count", old: `timer = time.AfterFunc(d+deadlineGrace, expire(errDeadline))`, new: `timer = time.AfterFunc(d, func() {})`},
	{name: "the response timeout ends responses that have begun", in: "(*answered).WriteHeader", old: `w.timer.Stop()`, new: `_ = w.timer`},
	{name: "a gRPC response that breaks has no status", old: `	b.response.Trailer = http.Header{`, new: `	_ = http.Header{`},
	{name: "a request that is too large is an error of the upstream", old: `case errors.As(err, &tooLarge), errors.As(read, &tooLarge):`, new: `case errors.As(err, &tooLarge) && read == nil:`},
	{name: "streams wait for the end of the request", old: `e.duplex = http.NewResponseController(e.ResponseWriter).EnableFullDuplex() == nil`, new: `e.duplex = false`},
	{name: "a prefix need not end at a slash", old: `return prefix == "" || len(path) > len(prefix) && strings.HasPrefix(path, prefix) && path[len(prefix)] == '/'`, new: `return strings.HasPrefix(path, prefix)`},
	{name: "an escaped prefix fits", old: `!isBelow(u.Path, g.prefix) || !isBelow(u.EscapedPath(), g.prefix)`, new: `!isBelow(u.Path, g.prefix)`},
	{name: "the gateway's errors name no status", old: `		h.Set("Grpc-Status", code.number)
		h.Set("Grpc-Message"`, new: `		h.Set("Grpc-Message"`},
	{name: "a host that is not configured is served", old: `	if v.fallback == nil {
		return of, false
	}`, new: `	for _, of := range v.exact {
		return of, true
	}`},
	{name: "a host below another one counts as it", old: `if of, ok = v.exact[name]; ok {`, new: `if of, ok = v.exact[strings.TrimPrefix(name, "www.")]; ok {`},
	{name: "upgraded connections do not delay the end", old: `		err = g.calls.wait(ctx) // upgraded`, new: `		// upgraded`},
	{name: "the gateway is ready while it drains", old: `Draining: g.draining.Load,`, new: `Draining: nil,`},
	{name: "the drain has no timeout", old: `		ctx, cancel = context.WithTimeout(ctx, timeout)`, new: `		ctx, cancel = context.WithCancel(ctx)`},
	{name: "a configuration is in force before its policies", in: "(*Gateway).reconfigure", old: `if err = next.await(ctx); err != nil {`, new: `if err = ctx.Err(); err != nil {`},
	{name: "the access log has the query", old: `sample(r.URL.EscapedPath())`, new: `sample(r.URL.RequestURI())`},
	{name: "the access log is not opened again", old: `	return l.file.open()
`, new: `	return nil
`},
	{name: "everyone may be a trusted proxy", old: `case p.Bits() < leastBits(p.Addr()):`, new: `case false:`},
}
