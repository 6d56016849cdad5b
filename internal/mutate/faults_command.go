package main

// commandFaults are faults of the command: what its writers pass on to terminals and to services, what
// it leaves out, and its exit codes.
var commandFaults = []fault{
	// Reports.
	{name: "a report passes control characters on", in: "unprintable", old: `return !unicode.IsPrint(r)`, new: `return unicode.IsControl(r) && r < 0x20`},
	{name: "a report passes bytes on that are not UTF-8", in: "escape", old: `r == utf8.RuneError && size == 1 || isUnsafe(r)`, new: `isUnsafe(r)`},
	{name: "the JSON of a report has characters that a terminal executes", old: `w.Write(printableJSON(b.Bytes()))`, new: `w.Write(b.Bytes())`},
	{name: "a message ends a workflow command", old: `strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")`, new: `strings.NewReplacer("\r", "%0D", "\n", "%0A")`},
	{name: "the name of a file ends a property of a workflow command", old: `"\n", "%0A", ":", "%3A", ",", "%2C")`, new: `"\n", "%0A", ":", "%3A")`},
	{name: "a file of a commit is annotated in the work tree", old: `name == "" || strings.HasPrefix(name, "git:") ||`, new: `name == "" ||`},
	{name: "a name with a colon is taken for a scheme", old: `strings.ReplaceAll(uri, ":", "%3A")`, new: `uri`},
	{name: "SARIF calls a run with an unreadable file successful", old: `Successful: len(r.Failures) == 0`, new: `Successful: true`},

	// check.
	{name: "check ends at a file that it cannot read with the exit code of problems", in: "exitCode", old: `case c.failure != "":
			return exitUsage`, new: `case c.failure != "":
			code = exitFindings`},
	{name: "check --strict accepts findings", in: "reported", old: `if strict {`, new: `if false {`},
	{name: "check looks for findings without a profile only", in: "findingsOf", old: `if p.settings.Profile == "" {`, new: `if false {`},
	{name: "check has no findings about the shadow policy", in: "findingsOfPlan", old: `if shadow := plan.Shadow(); shadow != nil {`, new: `if shadow := plan.Shadow(); shadow != nil && false {`},
	{name: "check keeps to itself what is not known", in: "writeSummary", old: `slices.Concat(c.unknown, c.notes)`, new: `c.notes`},

	// init.
	{name: "a rule of a first policy does not open the service that an option turns off", in: "granted", old: `if w.closed || disabled {`, new: `if w.closed {`},
	{name: "a comment of a .proto file reaches a first policy as it is", in: "Comment", old: `strings.FieldsSeq(report.Printable(text))`, new: `strings.FieldsSeq(report.Printable("") + text)`},
	{name: "a selector of a first policy is not quoted", old: `w.off("  - selector: " + yamltext.Quoted(selector))`, new: `w.off("  - selector: " + selector)`},
	{name: "a rule of a first policy opens operational services", in: "groupsOf", old: `&& !holdsAny(s.pkg, operational)`, new: ``},
	{name: "a first policy replaces a file", in: "linkNew", old: `return os.Link(whole, name)`, new: `return os.Rename(whole, name)`},

	// show and explain.
	{name: "show takes an argument that selects nothing", in: "(*shownPolicy).selected", old: `if len(found.procedures)+len(found.selectors)+len(found.paths) == 0 {`, new: `if false {`},
	{name: "the beginning of a name selects a procedure", in: "covers", old: `strings.HasPrefix(name, selector+".")`, new: `strings.HasPrefix(name, selector) && len(name) > len(selector)`},
	{name: "explain does not see that an outcome depends on a source", in: "(*explanation).findDependences", old: `sets[name] = []string{e.origin()}`, new: `sets[name] = nil`},
	{name: "explain does not see that an outcome depends on a variable", in: "(*loadedPolicy).withVariable", old: `settings.Env[name] = origin`, new: `settings.Env[name] = "https://other.example"`},
	{name: "explain takes origins of a source that a server skips", in: "sourceSets", old: `if !origin.IsTenant(row) {`, new: `if false {`},
}
