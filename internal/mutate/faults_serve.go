package main

// serveFaults are faults of what the gateway shares: policies that are kept in force, origin databases and the
// internal port.
var serveFaults = []fault{
	// Policies.
	{name: "requests pass before the policy is in force", in: "(*wrapped).ServeHTTP", old: `answerStarting(rw)`, new: `w.next.ServeHTTP(rw, r)`},
	{name: "a failure is reported at each attempt", in: "(*run).report", old: `text != r.reported && `, new: `text != "" && `},
	{name: "a change that is taken back is not reported", in: "(*run).put", old: `case !r.broken && bytes`, new: `case bytes`},
	{name: "a policy whose values have moved is not put in force", in: "(*run).put", old: `bytes.Equal(r.text, r.inForce) &&`, new: `(true || bytes.Equal(r.text, r.inForce)) &&`},
	{name: "files that change together are put in force one by one", old: `r.attempt.Reset(settle)`, new: `r.attempt.Reset(0)`},
	{name: "a policy is not tried again when its source was away", old: `			r.attempt.Reset(r.pause)
`, new: ``},
	{name: "a policy is ready without its sources", in: "(*Policy).Ready", old: `&& report.Loaded.IsZero()`, new: `&& false`},
	{name: "Reload does not read the sources", old: `r.tasks.Go(func() { r.loadSources(ctx, layer) })`, new: `_ = layer`},
	{name: "a dead connection is kept", old: `f.disconnect() // the`, new: `_ = 0 // the`},
	// Origin databases.
	{name: "a query may change a file of SQLite", old: `"?mode=ro&`, new: `"?`},
	{name: "a file of SQLite that was replaced is read on", old: `db.SetMaxIdleConns(0)`, new: `db.SetMaxIdleConns(1)`},
	{name: "errors of a URL show its password", in: "OpenOrigins", old: `return nil, o.secrets.remove(err)`, new: `return nil, err`},
	{name: "errors of a database show its password", old: `yield(origin, s.secrets.remove(err))`, new: `yield(origin, err)`},
	{name: "a password is not escaped in a URL", in: "expand", old: `return escape(value)`, new: `return value`},
	// The internal port.
	{name: "the internal port answers under any name", in: "(*internalPort).refusal", old: `case !pageguard.AnswersUnder(i.hosts, r.Host):`, new: `case false:`},
	{name: "the internal port answers other sites", in: "(*internalPort).refusal", old: `case !pageguard.FromItself(r):`, new: `case false:`},
	{name: "strangers read what a policy waits for", in: "(*internalPort).readyz", old: `if !details {`, new: `if false {`},
	{name: "the program is ready while it drains", in: "(*internalPort).readiness", old: `if i.Draining != nil && i.Draining() {`, new: `if false {`},
}
