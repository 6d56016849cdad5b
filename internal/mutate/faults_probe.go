package main

// probeFaults are faults of the command's probe: what it sends to a live server, and what it shows of the
// server's answers.
var probeFaults = []fault{
	{name: "the probe sends calls without --send", in: "exchange", old: `case !w.SendCalls && !isPreflight(r) && !isSimpleGet(r):`, new: `case false:`},
	{name: "the probe takes a GET with any header for a simple one", in: "isSimpleGet", old: `if !fetch.SafelistedRequestHeader(fetch.Lower(name), value) {`, new: `if value == "" && !fetch.SafelistedRequestHeader(fetch.Lower(name), value) {`},
	{name: "the probe follows a redirect to another server", in: "exchange", old: `case r.URL.Scheme != page.Scheme || !strings.EqualFold(r.URL.Host, page.Host):`, new: `case page == nil:`},
	{name: "the probe sends more requests than it may", old: `if w.sent >= w.MaxRequests {`, new: `if false {`},
	{name: "the probe sends more requests than it announces", in: "limited", old: `min(flags.maxRequests, total+probe.MaxRedirected)`, new: `flags.maxRequests`},
	{name: "the probe executes a call for each engine", in: "keyOf", old: `if name != "User-Agent" && !strings.HasPrefix(name, "Sec-Fetch-") {`, new: `{`},
	{name: "the probe sends a request again when a connection breaks", old: `DisableKeepAlives: true,`, new: `DisableKeepAlives: false,`},
	{name: "probe --all executes every procedure with --send", old: `case f.all && f.send:`, new: `case false:`},
	{name: "probe passes control characters of a server on", in: "writeView", old: `report.Printable(fmt.Sprintf(format, args...))`, new: `fmt.Sprintf(format, args...)`},
}
