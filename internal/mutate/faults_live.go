package main

// liveFaults are those of what changes while a server runs: sources, the policy's file,
// shadows.
var liveFaults = []fault{
	// Sources.
	{"a row is not looked at", sourceGo, `		case !isTenantOrigin(row):`, `		case false:`},
	{"a row may be plain http", sourceGo, `	return len(problems) == 0
`, `	return len(problems) <= 1
`},
	{"a set that failed halfway counts", sourceGo, `		case err != nil:
			return fail(err)
`, `		case err != nil:
`},
	{"a stream that the context ended is a set", sourceGo, `	if ctx.Err() != nil { // a stream that`, `	if false { // a stream that`},
	{"a mark is as good as a text", tableOfOriginsGo, `if texts.text(x.slots[i]) == s {`, `if true {`},
	{"a search ends at the index's end", tableOfOriginsGo, `		if i == len(x.marks) {
			i = 0
		}
		switch`, `		if i == len(x.marks) {
			return 0, false
		}
		switch`},
	{"a larger index forgets", tableOfOriginsGo, `x.place(maphash.String(x.seed, texts.text(slots[i])), slots[i])`, `x.place(maphash.String(x.seed, texts.text(slots[i])), slots[0])`},
	{"a table takes texts of any length", textsGo, `	if n > MaxLen {`, `	if false {`},
	{"an index is off by one", textsGo, `return t.every[i] > place`, `return t.every[i] >= place`},
	{"a list is read past its block", textsGo, `if int(next&(blockSize-1)) >= len(`, `if int(next&(blockSize-1)) > len(`},
	{"a bad origin of a long list is left out", setGo, `if len(problems) > 0 && !accept(problems) {`, `if len(problems) > 0 && !accept(problems) && false {`},
	{"a risk of a long list is accepted", ruleGo, `return !canAccept || !p.accepts(risk)`, `return !canAccept || false && p.accepts(risk)`},
	{"variables in a long list are origins", ruleGo, `	if list.set == nil {
		c.parseOriginItems(p, field, list.texts.All)
		return
	}
`, ``},
	{"an item is known by the place of another", ruleGo, `return !run.one && !next.one && next.item-run.item == next.first-run.first`, `return !run.one && !next.one`},
	{"a list of a rule is that of another", "internal/policyfile/origin_lists.go", `		c.rules[prefix]++
`, ``},
	{"the policy comes back without its lists", "corsrpc/origin_lists.go", `if list := lists[own[i]]; list != nil {`, `if list := lists[own[i]]; list != nil && false {`},
	{"an added list is read as a rule's", grantGo, `			run.first += l.origins.Len()
`, ``},
	{"a full table writes over its first block", textsGo, `if len(t.blocks) == maxBlocks {`, `if false {`},
	{"a set of any size is kept", sourceGo, `set.origins.Len() > s.maxOrigins`, `false`},
	{"a set of any age counts", sourceGo, ` && !s.expired()`, ``},
	{"the set of a source that answers grows too old", sourceGo, `half > 0 && (`, `half > 0 && false && (`},
	{"a period for longer than sets may grow old", sourceGo, `(s.every <= 0 || s.every > half)`, `s.every <= 0`},
	{"a set that was old when Watch began grows too old", watchGo, ` && now.Before(set.loaded.Add(next)):`, `:`},
	{"the age of a set when Watch began is forgotten", watchGo, `next = set.loaded.Add(next).Sub(now)`, `_ = now`},
	{"a set that is too old is not told", sourceGo, `time.Since(have.loaded), have.expired()`, `time.Since(have.loaded), false`},
	{"a set that is too old is logged again and again", layerGo, `report.Expired && !last.Expired`, `report.Expired`},
	{"a source has all the time", sourceGo, `context.WithTimeoutCause(ctx, s.timeout,`, `context.WithTimeoutCause(ctx, s.timeout*1000,`},
	{"a source that panics ends the server", sourceGo, `if r := recover(); r != nil { // in`, `if r := error(nil); r != nil { // in`},
	{"a reload forgets the sets", sourceGo, `	kept := maps.Clone(l.sets)`, `	kept := maps.Clone(loaded)`},
	{"a set that nobody names is kept", sourceGo, `return !slices.Contains(named, name) })`, `return false })`},
	{"a refresh brings back the policy before", sourceGo, `		l.keepYounger(name, set)
		l.plan.Store(l.bind(l.plan.Load()))`, `		l.keepYounger(name, set)
		have := l.plan.Load()
		l.writing.Unlock()
		l.writing.Lock()
		l.plan.Store(l.bind(have))`},
	{"a refresh brings back the policy from before it asked", sourceGo, `	set, report := s.load(ctx)
	l.writing.Lock()
	if set != nil {
		l.keepYounger(name, set)
		l.plan.Store(l.bind(l.plan.Load()))`, `	have := l.plan.Load()
	set, report := s.load(ctx)
	l.writing.Lock()
	if set != nil {
		l.keepYounger(name, set)
		l.plan.Store(l.bind(have))`},
	{"an older set takes the place of a younger one", sourceGo, `have == nil || !set.loaded.Before(have.loaded)`, `have == nil || set != nil`},
	{"reloads do not take turns", sourceGo, `	l.reloading.Lock()
	defer l.reloading.Unlock()
`, ``},
	{"a new source is not asked before the swap", sourceGo, `		if slices.Contains(before, name) && (`, `		if true || (`},
	{"a shadow's source that fails holds up a reload", sourceGo, `		case own:
			return report.Err`, `		default:
			return report.Err`},
	{"a shadow's source that hangs holds up a reload", sourceGo, `		set, report := l.sources[name].loadFor(ctx, own)`, `		set, report := l.sources[name].loadFor(ctx, true || own)`},
	{"a source that failed for a shadow is not asked for a policy", sourceGo, `have.sets[name] != nil || slices.Contains(have.sourceNames, name)`, `true`},
	{"a reload waits for a source that failed before", sourceGo, `have.sets[name] != nil || slices.Contains(have.sourceNames, name)`, `have.sets[name] != nil`},
	{"a source that a policy and its shadow name is asked twice", sourceGo, `(&Plan{sourceNames: plan.sourceNames, shadow: l.shadow}).Sources()`, `append(slices.Clone(plan.sourceNames), l.shadow.sourceNames...)`},
	{"a policy with a source that nobody gave", sourceGo, `		if l.sources[name] == nil {`, `		if false {`},
	{"a reload whose context has ended", sourceGo, `	if err := ctx.Err(); err != nil {
		return err`, `	if err := ctx.Err(); err != nil && false {
		return err`},
	{"a source that fails is asked without a pause", watchGo, `			pause = min(2*pause, longestPause)
		default:`, `			next = time.Nanosecond
		default:`},
	{"a notice that may have been missed", watchGo, `		s.notice()
`, `		if err == nil {
			s.notice()
		}
`},
	{"a line that is cut as soon as it stands is good", watchGo, `err == nil && connected ||`, `err == nil ||`},
	{"a line that tells of changes is never good", watchGo, `err == nil && connected || time.Since(start) > longestPause`, `time.Since(start) > longestPause && connected == connected`},
	{"a line that stood for long is never good", watchGo, ` || time.Since(start) > longestPause {`, ` && time.Since(start) >= 0 {`},
	{"a source that no rule names is asked", watchGo, `named := slices.Contains(l.sourceNames(plan), s.name);`, `named := plan != nil;`},
	{"a source that a policy no longer names is listened to", watchGo, `			stop()
			if named {`, `			if named {`},
	{"a source that a new policy names is not listened to", sourceGo, `			s.notice() // Watch begins`, `			_ = s // Watch begins`},
	{"a source that was asked is asked again when Watch begins", watchGo, `case began && set != nil && next == 0:`, `case began && false && next == 0:`},
	{"a source is listened to twice at once", watchGo, `		cancel()
		<-ended
`, `		cancel()
`},

	// What changes while the server runs.
	{"a bad file is told again and again", watchGo, `	if content == f.seen {`, `	if false {`},
	{"a file that cannot be read is told again and again", watchGo, `if f.unread != err.Error() {`, `if true {`},
	{"a file that cannot be read for the second time is not told", watchGo, `	f.unread = ""
`, ``},
	{"nothing tells of a file's changes", watchGo, `fsnotify.NewWatcher(); err == nil {`, `fsnotify.NewWatcher(); err != nil {`},
	{"the folder that a link leads to is not watched", watchGo, `folders = append(folders, filepath.Dir(target))`, `_ = target`},
	{"a link that leads elsewhere is not followed", watchGo, `			watcher.follow(l.file.name)
`, ``},
	{"events that were lost are forgotten", watchGo, `		case <-watcher.errors: // events were lost
			soon()`, `		case <-watcher.errors: // events were lost`},
	{"a file is not looked at where nothing tells of changes", watchGo, `			if l.file.changed() {
`, `			if false {
`},
	{"a file that is written in place looks the same", watchGo, ` && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())`, ``},
	{"half a file that another takes the place of is tried", watchGo, `!sameFile(before, after) {`, `!sameFile(before, after) && false {`},
	{"a file whose read failed is not read again", watchGo, `		f.info = nil // it is read`, `		f.info = after // it is read`},
	{"a file is put off as long as its folder changes", watchGo, `max(0, min(settle, longestSettle-since))`, `settle`},
	{"a policy whose source failed is not tried again", watchGo, `			f.await(plan, firstRetry)`, `			f.await(nil, firstRetry)`},
	{"a policy whose source fails is tried without a pause", watchGo, `min(2*f.pause, longestPause)`, `f.pause`},
	{"a policy whose source fails waits ever longer", watchGo, `min(2*f.pause, longestPause)`, `2*f.pause`},
	{"a policy with a source that nobody gave is tried again", watchGo, `err = l.missingSource(l.sourceNames(plan))`, `err = nil`},
	{"a policy that waits replaces the next one", watchGo, `	f.seen = content
	f.await(nil, 0)`, `	f.seen = content`},
	{"a policy that waits goes before what is in the file", watchGo, `if l.file.changed() { // what`, `if false { // what`},
	{"a file that changes goes without its profile", watchGo, `compileFile(f.name, text, *f.config)`, `compileFile(f.name, text, *newCompileConfig(nil))`},
	{"a form of any site brings cookies to an open path", decideGo, `case d.isAnybodysWrite() && d.hasAmbientCredentials(r):`, `case false:`},
	{"a fallback comes from the variable", "corsrpc/rule.go", `		run.variable = ""
`, ``},
	{"a shadow is applied", layerGo, `l.compare(r, d, plan.shadow.Decide(request))`, `d = plan.shadow.Decide(request)`},
	{"a shadow that shows less is no difference", layerGo, `return d.target.grant.answersLike(other.target.grant)`, `return true`},
	{"a shadow that enforces is no difference", layerGo, ` || d.observed != other.observed`, ``},
	{"a shadow's age is no difference", grantGo, `g.credentials, g.maxAge, g.protocols`, `g.credentials, g.protocols`},
	{"a shadow's credentials are no difference", grantGo, `g.anyOrigin, g.credentials, g.maxAge`, `g.anyOrigin, g.maxAge`},
	{"a shadow's headers are no difference", grantGo, `slices.Sorted(maps.Keys(g.headers)), asked,`, `slices.Sorted(maps.Keys(map[string]bool{})), asked,`},
	{"a shadow's prefixes are no difference", grantGo, `slices.Sorted(maps.Keys(g.headers)), asked,`, `slices.Sorted(maps.Keys(g.headers)), asked[:0],`},
	{"a shadow's methods are no difference", grantGo, `slices.Sorted(slices.Values(g.methods)), `, ``},
	{"a shadow's hidden headers are no difference", grantGo, `g.exposeNames, exposes)`, `g.exposeNames, exposes[:0])`},
	{"layers count in a shadow's comparison", grantGo, `exposes = g.response.normal(false)`, `exposes = fmt.Sprint(g.response)`},
	{"a shadow has no sets", sourceGo, `shadow.sets, shadow.shadow = l.sets, nil`, `shadow.sets, shadow.shadow = nil, nil`},
	{"what is observed is refused", decideGo, `d.observed = p.observes && d.refused()`, `d.observed = false`},
	{"what is observed gets headers", applyGo, `isInformational(status) || e.observed || e`, `isInformational(status) || e`},
	{"a preflight that asks for more is answered though it is observed", decideGo, `p.observes && d.refused()`, `p.observes && d.outcome != OutcomePreflight && d.refused()`},
	{"a variable is not named", provenanceGo, `	at.Variable = variable
`, ``},
	{"a header that a narrower rule denies is said to be granted", provenanceGo, `			if narrower.overrules(m) {`, `			if narrower.overrules(m) && false {`},
}
