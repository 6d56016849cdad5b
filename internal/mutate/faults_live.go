package main

// liveFaults are faults of changes while a server runs: origin sources, the policy file, and
// shadow policies.
var liveFaults = []fault{
	// The policy file.
	{name: "a device is read as a policy file", old: `!info.Mode().IsRegular()`, new: `false`},
	{name: "opening a named pipe waits for a writer", old: `const openFlags = os.O_RDONLY | syscall.O_NONBLOCK`, new: `const openFlags = os.O_RDONLY | syscall.O_NONBLOCK&0`},
	// Sources.
	{name: "a row is not looked at", old: `		case !origin.IsTenant(row):`, new: `		case false:`},
	{name: "a set that failed halfway counts", old: `		case err != nil:
			return fail(err)
`, new: `		case err != nil:
`},
	{name: "a stream that the context ended is a set", old: `	if ctx.Err() != nil { // the source may`, new: `	if false { // the source may`},
	{name: "a mark is as good as a text", old: `if texts.text(x.slots[slot]) == s {`, new: `if true {`},
	{name: "a search ends at the index's end", old: `		if i == len(x.marks) {
			i = 0
		}
		switch`, new: `		if i == len(x.marks) {
			return -1
		}
		switch`},
	{name: "a larger index forgets", old: `x.insert(x.hash(x.seed, texts.text(slots[i])), slots[i])`, new: `x.insert(x.hash(x.seed, texts.text(slots[i])), slots[0])`},
	{name: "a table takes texts of any length", old: `	if n > MaxLen {`, new: `	if false {`},
	{name: "an index is off by one", old: `return t.checkpoints[i] > offset`, new: `return t.checkpoints[i] >= offset`},
	{name: "a list is read past its block", old: `if int(next&(blockSize-1)) >= len(`, new: `if int(next&(blockSize-1)) > len(`},
	{name: "a bad origin of a long list is left out", old: `if len(problems) > 0 && !accept(problems) {`, new: `if len(problems) > 0 && !accept(problems) && false {`},
	{name: "a risk of a long list is accepted", old: `!canAccept || !l.risks[risk]`, new: `!canAccept || false && l.risks[risk]`},
	{name: "variables in a long list are origins", old: `	if list.set == nil {
		c.parseOriginItems(l, field, list.texts.All)
		return
	}
`, new: ``},
	{name: "an item is known by the place of another", old: `!run.inOneItem && !next.inOneItem && next.item-run.item == next.first-run.first`, new: `!run.inOneItem && !next.inOneItem`},
	{name: "a list of a rule is that of another", old: `		c.rules[prefix]++
`, new: ``},
	{name: "the policy comes back without its lists", old: `if list := lists[own[i]]; list != nil {`, new: `if list := lists[own[i]]; list != nil && false {`},
	{name: "an added list is read as a rule's", old: `			if run.first = texts.Len(); len`, new: `			if len`},
	{name: "a full table writes over its first block", old: `if len(t.blocks) == maxBlocks {`, new: `if false {`},
	{name: "a set of any size is kept", old: `set.origins.Len() > s.maxOrigins`, new: `false`},
	{name: "a set of any age counts", old: ` && !s.expired()`, new: ``},
	{name: "the set of a source that answers grows too old", old: `half > 0 && (`, new: `half > 0 && false && (`},
	{name: "a period for longer than sets may grow old", old: `(s.every == 0 || s.every > half)`, new: `s.every == 0`},
	{name: "a set that was old when Watch began grows too old", old: `step.load = step.wait == 0`, new: `step.load = false`},
	{name: "the age of a set when Watch began is forgotten", old: `step.wait = max(0, set.loaded.Add(f.period).Sub(now))`, new: `step.wait = f.period`},
	{name: "a set that is too old is not told", old: `set.loaded, set.expired()`, new: `set.loaded, false`},
	{name: "a set that is too old is logged again and again", old: `report.Expired && !last.Expired`, new: `report.Expired`},
	{name: "a source has all the time", old: `context.WithTimeoutCause(ctx, s.timeout,`, new: `context.WithTimeoutCause(ctx, s.timeout*1000,`},
	{name: "a source that panics ends the server", old: `if r := recover(); r != nil { // a panic in`, new: `if r := error(nil); r != nil { // a panic in`},
	{name: "a reload forgets the sets", in: "(*livePlan).replace", old: `p.sets = maps.Clone(p.sets)`, new: `p.sets = maps.Clone(loaded)`},
	{name: "a set that nobody names is kept", in: "(*livePlan).replace", old: `return !slices.Contains(named, name) })`, new: `return false })`},
	{name: "a refresh brings back the policy before", old: `	p.keepNewer(name, set)
	p.bound.Store(p.bind(p.Load()))`, new: `	p.keepNewer(name, set)
	have := p.Load()
	p.mu.Unlock()
	p.mu.Lock()
	p.bound.Store(p.bind(have))`},
	{name: "a refresh brings back the policy from before it asked", old: `	set, report := s.load(ctx)
	if set != nil {
		l.plan.putSet(s.name, set)`, new: `	have := l.plan.Load()
	set, report := s.load(ctx)
	if set != nil {
		l.plan.putSet(s.name, set)
		l.plan.bound.Store(l.plan.bind(have))`},
	{name: "an older set takes the place of a younger one", old: `have != nil && set.loaded.Before(have.loaded)`, new: `have != nil && false`},
	{name: "reloads do not take turns", old: `	case l.reloading <- struct{}{}:
		defer func() { <-l.reloading }()
	case <-ctx.Done():
		return ctx.Err()
`, new: `	default:
`},
	{name: "a reload waits for its turn for ever", old: `		defer func() { <-l.reloading }()
	case <-ctx.Done():
		return ctx.Err()
`, new: `		defer func() { <-l.reloading }()
`},
	{name: "a source fails because Watch ends", old: `report.Err != nil && ctx.Err() != nil {`, new: `report.Err != nil && false {`},
	{name: "a new source is not asked before the swap", old: `		return true
	}
	onlyShadowNamed`, new: `		return false
	}
	onlyShadowNamed`},
	{name: "a shadow's source that fails holds up a reload", old: `		case own:
			return report.Err`, new: `		default:
			return report.Err`},
	{name: "a shadow's source that hangs holds up a reload", old: `if !own {
			load = s.loadForShadow`, new: `if false {
			load = s.loadForShadow`},
	{name: "a source that failed for a shadow is not asked for a policy", old: `return onlyShadowNamed && have`, new: `return false && onlyShadowNamed && have`},
	{name: "a reload waits for a source that failed before", old: `onlyShadowNamed := !slices.Contains(have.sourceNames, name)`, new: `onlyShadowNamed := true`},
	{name: "a shadow's source that failed before is asked at each reload", old: ` && slices.Contains(next.sourceNames, name)`, new: ``},
	{name: "a source that a policy and its shadow name is asked twice", old: `(&Plan{sourceNames: plan.sourceNames, shadow: p.shadow}).Sources()`, new: `append(slices.Clone(plan.sourceNames), p.shadow.sourceNames...)`},
	{name: "a policy with a source that nobody gave", old: `		if l.sources[name] != nil {
			continue`, new: `		if true {
			continue`},
	{name: "a source that nobody gave has no place in the policy", old: `v.Place, v.Related = places[0], places[1:]`, new: `v.Related = places[1:]`},
	{name: "a source that only a shadow policy names has no place", in: "sourcePlaces", old: `range []*Plan{p, p.shadow, shadow} {`, new: `range []*Plan{p} {`},
	{name: "a reload whose context has ended", old: `	if err := ctx.Err(); err != nil {
		return err`, new: `	if err := ctx.Err(); err != nil && false {
		return err`},
	{name: "a source that fails is asked without a pause", old: `wait, f.pause = f.pause, longer(f.pause)`, new: `wait = time.Nanosecond`},
	{name: "the pause after failures does not grow", old: `return min(2*pause, maxPause)`, new: `return pause`},
	{name: "the pause after failures grows without end", old: `return min(2*pause, maxPause)`, new: `return 2 * pause`},
	{name: "a notice that may have been missed", in: "(*Layer).listen", old: `		s.wakeUp()
`, new: `		if err == nil {
			s.wakeUp()
		}
`},
	{name: "a line that is cut as soon as it stands is good", old: `err == nil && connected ||`, new: `err == nil ||`},
	{name: "a line that tells of changes is never good", old: `err == nil && connected || time.Since(start) > maxPause`, new: `time.Since(start) > maxPause && connected == connected`},
	{name: "a line that stood for long is never good", old: ` || time.Since(start) > maxPause {`, new: ` && time.Since(start) >= 0 {`},
	{name: "a source that no rule names is asked", old: `slices.Contains(l.plan.sourceNames(plan), s.name)`, new: `true || slices.Contains(l.plan.sourceNames(plan), s.name)`},
	{name: "a source that a policy no longer names is listened to", old: `if step.begins || step.ends {`, new: `if step.begins {`},
	{name: "a source that a new policy names is not listened to", old: `l.sources[name].wakeUp() // Watch starts`, new: `_ = name // Watch starts`},
	{name: "a source that was asked is asked again when Watch begins", old: `case !step.begins || set == nil:`, new: `case true:`},
	{name: "a source is listened to twice at once", old: `		cancel()
		<-ended
`, new: `		cancel()
`},
	{name: "a source is asked after Watch has ended", old: `if ctx.Err() != nil { // select chooses`, new: `if false { // select chooses`},

	// Reloads.
	{name: "a bad file is told again and again", old: `if hash == f.known {`, new: `if false {`},
	{name: "a file that cannot be read is told again and again", old: `if f.lastReadError == err.Error() {`, new: `if false {`},
	{name: "a file that cannot be read for the second time is not told", old: `	f.lastReadError = ""
`, new: ``},
	{name: "nothing tells of a file's changes", old: `fsnotify.NewWatcher(); err == nil {`, new: `fsnotify.NewWatcher(); err != nil {`},
	{name: "the folder that a link leads to is not watched", old: `folders = append(folders, filepath.Dir(target))`, new: `_ = target`},
	{name: "a link that leads elsewhere is not followed", old: `			w.folder.follow(w.file.name)
`, new: ``},
	{name: "events that were lost are forgotten", old: `		case <-w.folder.errors: // events may be lost
			w.readSoon()`, new: `		case <-w.folder.errors: // events may be lost`},
	{name: "a file is not looked at where nothing tells of changes", old: `		case <-w.poll.C:
			if w.file.changed() {`, new: `		case <-w.poll.C:
			if false {`},
	{name: "a file that is written in place looks the same", old: ` && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())`, new: ``},
	{name: "half a file that another takes the place of is tried", old: `!sameFile(before, after) {`, new: `!sameFile(before, after) && false {`},
	{name: "a file whose read failed is not read again", old: `		f.info = nil // the next poll`, new: `		f.info = after // the next poll`},
	{name: "a file is put off as long as its folder changes", old: `max(0, min(debounce, maxDebounce-sinceFirst))`, new: `debounce`},
	{name: "a policy whose source failed is not tried again", old: `f.scheduleRetry(plan, firstRetry)`, new: `f.scheduleRetry(nil, firstRetry)`},
	{name: "a policy whose source fails is tried without a pause", old: `f.scheduleRetry(f.waiting, longer(f.pause))`, new: `f.scheduleRetry(f.waiting, 0)`},
	{name: "a policy whose source fails waits ever longer", old: `f.scheduleRetry(f.waiting, longer(f.pause))`, new: `f.scheduleRetry(f.waiting, 2*f.pause)`},
	{name: "a policy whose source fails is tried at the same pace", old: `f.scheduleRetry(f.waiting, longer(f.pause))`, new: `f.scheduleRetry(f.waiting, f.pause)`},
	{name: "a policy with a source that nobody gave is tried again", old: `return !errors.Is(err, ErrUnknownSource) && `, new: `return `},
	{name: "a policy that waits replaces the next one", old: `	f.scheduleRetry(nil, 0)
	plan, err := compileFile`, new: `	plan, err := compileFile`},
	{name: "a policy that waits goes before what is in the file", old: `		case <-alarm:
			if !w.file.changed() {`, new: `		case <-alarm:
			if true {`},
	{name: "a file that changes goes without its profile", old: `compileFile(f.name, text, f.config)`, new: `compileFile(f.name, text, fileConfig{f.config.parse, newCompileConfig(nil)})`},
	{name: "a form of any site brings cookies to an open path", old: `case d.isWriteOpenToAll() && d.hasAmbientCredentials(r):`, new: `case false:`},
	{name: "a fallback comes from the variable", old: `		run.variable = ""
`, new: ``},
	{name: "a shadow is applied", old: `l.compare(r, &request, from, compared)`, new: `l.compare(r, &request, from, compared)
		d = plan.shadow.Decide(request)`},
	{name: "the comparison with a shadow policy ignores what scripts read", old: `return d.target.grant.equivalent(other.target.grant)`, new: `return true`},
	{name: "the comparison with a shadow policy ignores enforcement", old: ` || d.observed != other.observed`, new: ``},
	{name: "the comparison with a shadow policy ignores max_age", old: `g.credentials, g.maxAge, g.protocols`, new: `g.credentials, g.protocols`},
	{name: "a shadow's credentials are no difference", old: `g.anyOrigin, g.credentials, g.maxAge`, new: `g.anyOrigin, g.maxAge`},
	{name: "a shadow's headers are no difference", old: `slices.Sorted(slices.Values(g.granted.Names())), asked,`, new: `"", asked,`},
	{name: "a shadow's prefixes are no difference", old: `slices.Sorted(slices.Values(g.granted.Names())), asked,`, new: `slices.Sorted(slices.Values(g.granted.Names())), asked[:0],`},
	{name: "a shadow's methods are no difference", old: `slices.Sorted(slices.Values(g.methods)), `, new: ``},
	{name: "a shadow's hidden headers are no difference", old: `g.exposed.Names(), exposes, g.timing)`, new: `g.exposed.Names(), exposes[:0], g.timing)`},
	{name: "the comparison with a shadow policy ignores timing", old: `g.exposed.Names(), exposes, g.timing)`, new: `g.exposed.Names(), exposes)`},
	{name: "levels count in a shadow's comparison", old: `exposes = g.response.Canonical(false)`, new: `exposes = fmt.Sprint(g.response)`},
	{name: "a shadow has no sets", old: `shadow.sets, shadow.shadow = p.sets, nil`, new: `shadow.sets, shadow.shadow = nil, nil`},
	{name: "what is observed is refused", old: `d.observed = p.observes && d.refused()`, new: `d.observed = false`},
	{name: "what is observed gets headers", old: `isInformational(status) || e.observed || e`, new: `isInformational(status) || e`},
	{name: "a preflight that asks for more is answered though it is observed", old: `p.observes && d.refused()`, new: `p.observes && d.outcome != OutcomePreflight && d.refused()`},
	{name: "a variable is not named", in: "(*Effective).OriginPlace", old: `	at.Variable = variable
`, new: `	_ = variable
`},
	{name: "a header that a narrower rule denies is said to be granted", old: `if !rules[:narrower].overrules(i.headerRule) {`, new: `if true || rules[:narrower].overrules(i.headerRule) {`},

	// The bounds of the log.
	{name: "every line of a key is written", old: `quiet[key] = struct{}{}`, new: `_ = key`},
	{name: "any number of lines is written in a second", old: `q.inSecond.Load() < q.perSecond`, new: `true`},
	{name: "ten lines are written in all", old: `func() { q.inSecond.Store(0) }`, new: `func() {}`},
	{name: "lines that are not written are not counted", old: `if c.count.Add(1) == 1 {`, new: `if c.count.Add(1) < 0 {`},
	{name: "lines that are not written are counted once only", old: `c.count.Swap(0)`, new: `c.count.Load()`},
	{name: "lines of all kinds are counted as one", old: `l.summaries[kind]`, new: `l.summaries[0]`},
	{name: "a line that is lost silences the log", old: `		l.unwritten.Add(-1)
		done()
		return`, new: `		l.unwritten.Add(-1)
		return`},
	{name: "a line that is written waits for good", old: `		defer l.unwritten.Add(-1)
`, new: ``},

	// The bounds of the cache.
	{name: "a value in use is driven out", old: `		e.used.Store(true)
`, new: `		e.used.Store(false)
`},
	{name: "the hand of a cache stands still", old: `c.hand.Add(1)%Size`, new: `c.hand.Load()%Size`},
	{name: "a cache that is full takes nothing", old: `!e.used.Swap(false)`, new: `!e.used.Swap(false) && false`},

	// Watching a file.
	{name: "a file of any size is read", old: `content.ReadFrom(io.LimitReader(f, max))`, new: `content.ReadFrom(io.LimitReader(f, math.MaxInt64))`},
	{name: "what changed before a file is watched is not read", old: `read: time.NewTimer(0)`, new: `read: time.NewTimer(time.Hour)`},
	{name: "a file is read after its watch has ended", old: `if ctx.Err() != nil { // content`, new: `if false { // content`},
	{name: "only the first change of a file is put off", old: `			w.since = time.Time{}
`, new: ``},
	{name: "each change of a file puts it off anew", old: `if w.since.IsZero() {`, new: `if true {`},
	{name: "a file that was written while it was read is not read again", old: `			case err == errTorn:
				w.readSoon()`, new: `			case err == errTorn:`},
	{name: "a time that has come while a file is read is forgotten", old: `err == ErrUnchanged && !isDue()`, new: `err == ErrUnchanged && (true || isDue())`},
	{name: "a file is polled as often as ever", old: `time.NewTicker(f.PollEvery)`, new: `time.NewTicker(DefaultPollEvery)`},
	{name: "a file that is polled only is told of by the system", old: `if !f.PollOnly {`, new: `if true {`},
}
