package main

// faceFaults are faults of the public API: invalid options, zero values, errors that can be
// matched, observers, and the steps of an explanation.
var faceFaults = []fault{
	// Options.
	{name: "a nil source is taken", old: `if isNil(from) {`, new: `if false {`},
	{name: "a nil pointer is not nil", old: ` || (v.Kind() == reflect.Func || v.Kind() == reflect.Pointer) && v.IsNil()`, new: ``},
	{name: "a period of no length is taken", in: "durationOption", old: `if d <= 0 {`, new: `if d < 0 {`},
	{name: "a source has a name that no rule can have", old: `case !rules.IsSourceName(name):`, new: `case !rules.IsSourceName(name) && false:`},
	{name: "a source is given twice", old: `case c.sources[name] != nil:`, new: `case false:`},
	{name: "what is wrong with a source's options is forgotten", old: `		c.problems = append(c.problems, s.problems...)
`, new: ``},
	{name: "a nil observer is taken", in: "WithObserver", old: `if isNil(o) {`, new: `if false {`},
	{name: "a logger without a handler is taken", old: `if logger == nil || logger.Handler() == nil {`, new: `if logger == nil {`},
	{name: "a nil shadow is taken", old: `if candidate.missing() {`, new: `if false {`},
	{name: "a zero plan is a plan", old: `return p == nil || p.routes == nil`, new: `return p == nil`},
	{name: "Load takes a document", old: `if c.compile.document != nil {`, new: `if false {`},
	{name: "a nil option of Load is left out", old: `if slices.Contains(opts, nil) {`, new: `if false {`},
	{name: "options that are wrong are found behind the file", in: "LoadContext", old: `if err := errors.Join(c.layer.problems...); err != nil {`, new: `if err := errors.Join(c.layer.problems...); err != nil && false {`},

	// Zero values.
	{name: "a layer without a plan wraps", in: "(*Layer).Wrap", old: `if l.isZero() {`, new: `if false {`},
	{name: "a layer without a plan lets handshakes go on", in: "CheckOrigin", old: `if plan == nil { // the layer is its zero value
		return false`, new: `if plan == nil { // the layer is its zero value
		return true`},
	{name: "a layer without a plan takes one", in: "(*Layer).reload", old: `if l.isZero() {`, new: `if false {`},
	{name: "a plan that is none wraps", in: "(*Plan).Wrap", old: `if p.missing() {`, new: `if p == nil {`},

	// Errors and contexts.
	{name: "a refresh of an unknown source has an error of its own", old: `"%w %q: pass this source to`, new: `"%v %q: pass this source to`},
	{name: "a policy with an unknown source has an error of its own", old: `return []error{ErrUnknownSource, e.violations}`, new: `return []error{e.violations}`},
	{name: "the error of a second Watch cannot be matched", old: `return ErrWatching`, new: `return errors.New(ErrWatching.Error())`},
	{name: "the error of Watch without a file cannot be matched", old: `return ErrNoFile`, new: `return errors.New(ErrNoFile.Error())`},
	{name: "two Watches run at once", old: `if !l.watching.CompareAndSwap(false, true) {`, new: `if false {`},
	{name: "Watch runs once for a layer", old: `	defer l.watching.Store(false)
`, new: ``},
	{name: "New waits for longer than its context", old: `context.WithTimeout(ctx, s.wait)`, new: `context.WithTimeout(context.WithoutCancel(ctx), s.wait)`},

	// Observers.
	{name: "an observer is told of each refusal twice", old: `!ok && kind < EventRefusal`, new: `!ok`},
	{name: "an observer is told what it does not want", old: `ok && selective.Enabled(kind) ||`, new: `ok && (true || selective.Enabled(kind)) ||`},
	{name: "an observer is not told its layer", old: `if o, ok := o.(LayerObserver); ok {`, new: `if o, ok := o.(LayerObserver); ok && false {`},
	{name: "a layer goes on without an observer that does not take it", old: `if err := l.attach(c.observers); err != nil {`, new: `if err := l.attach(c.observers); err != nil && false {`},
	{name: "an observer does not see the request", old: `Event{Kind: kind, Decision: *d, Request: *request}`, new: `Event{Kind: kind, Decision: *d}`},
	{name: "an observer does not see the request that a shadow decides otherwise", old: `Shadow: *shadow, Request: *request}`, new: `Shadow: *shadow}`},
	{name: "a layer reports what its sources had when they were asked", in: "(*Layer).Sources", old: `		report.describe(plan.sets[name])
`, new: ``},
	{name: "the metrics show the youngest of a source's sets", old: `report.Loaded.Before(have.Loaded)`, new: `have.Loaded.Before(report.Loaded)`},
	{name: "the metrics keep a layer that the program dropped", old: `return l == nil`, new: `return false`},
	{name: "a sample is as long as the text", old: `if len(s) > MaxBytes {`, new: `if false {`},
	{name: "a sample holds what the text holds", old: `quoted := strconv.QuoteToASCII(s)`, new: `quoted := "\"" + s + strconv.Quote("")[1:]`},

	// The steps of an explanation.
	{name: "an explanation asks for the path behind the site", old: `	{StepOriginSyntax, "does the request have one well-formed Origin header?", nil, answerOriginSyntax},
	{StepSameOrigin, "is the request same-origin, or not sent by a page?", nil, answerSameOrigin},`, new: `	{StepSameOrigin, "is the request same-origin, or not sent by a page?", nil, answerSameOrigin},
	{StepOriginSyntax, "does the request have one well-formed Origin header?", nil, answerOriginSyntax},`},
	{name: "an explanation asks for the headers before the method", old: `		StepMethodGranted, "does the policy grant the method that the preflight asks for?",
		func(x *stepContext) bool { return x.d.preflight }, answerMethodGranted,
	},
	{
		StepHeadersGranted, "does the policy grant the headers that the preflight asks for?",
		func(x *stepContext) bool { return x.d.preflight }, answerHeadersGranted,`, new: `		StepHeadersGranted, "does the policy grant the headers that the preflight asks for?",
		func(x *stepContext) bool { return x.d.preflight }, answerHeadersGranted,
	},
	{
		StepMethodGranted, "does the policy grant the method that the preflight asks for?",
		func(x *stepContext) bool { return x.d.preflight }, answerMethodGranted,`},
	{name: "an explanation asks for the origin before it is enabled", old: `	{StepEnabled, "does the policy enable calls from other origins?", nil, answerEnabled},
	{
		StepOperationalNamed, "does a rule name this operational service?",
		func(x *stepContext) bool { return x.grant.unnamed && x.namesOrigin() }, answerOperationalNamed,
	},`, new: `	{
		StepOperationalNamed, "does a rule name this operational service?",
		func(x *stepContext) bool { return x.grant.unnamed && x.namesOrigin() }, answerOperationalNamed,
	},
	{StepEnabled, "does the policy enable calls from other origins?", nil, answerEnabled},`},
	{name: "an explanation forgets what comes from the address bar", in: "answerSameOrigin", old: ` || hasOnly(site, "none")`, new: ``},
	{name: "an observer given twice is told twice", old: `reflect.ValueOf(o).Comparable() && slices.Contains(c.observers, o)`, new: `reflect.ValueOf(o).Comparable() && slices.Contains(c.observers, o) && false`},
	{name: "an inspector takes the zero layer", in: "(*Inspector).Attach", old: `if l == nil || l.Plan() == nil {`, new: `if l == nil {`},
	{name: "a tried program's Host does not count", old: `r.Host = host[0]`, new: `_ = host[0]`},
	{name: "an explanation forgets links that pass in each reading", old: `case !x.namesOrigin() && x.passesInEachReading():`, new: `case false:`},
	{name: "an explanation forgets what is navigated to", in: "answerOriginPresent", old: `(!x.grant.credentials || hasOnly(x.header("Sec-Fetch-Mode"), "navigate"))`, new: `!x.grant.credentials`},
	{name: "an explanation forgets safelisted methods", in: "answerMethodGranted", old: `!fetch.SafelistedMethod(requested) && !slices`, new: `!fetch.SafelistedMethod("") && !slices`},
	{name: "an explanation forgets credentials that the browser adds", old: `x.d.isWriteOpenToAll() && asked.hasAmbientCredentials(x.request) {`, new: `x.d.isWriteOpenToAll() && asked.hasAmbientCredentials(x.request) && false {`},
	{name: "an explanation forgets cookies", old: `x.d.target.isRPC() && cookies && !x.grant.credentials || `, new: ``},
	{name: "an explanation lets any mode pass", in: "answerMode", old: `case !hasOnly(mode, "cors"):`, new: `case false:`},
	{name: "an explanation lets any handshake pass", in: "answerUpgrade", old: `if x.grant.credentials {`, new: `if true {`},
}
