package main

// witnessFaults are faults of comparing sets of origins and tables of routes.
var witnessFaults = []fault{
	// Origins outside of a set.
	{name: "any port is the default port", in: "portsToTry", old: `			yield(port)
			return
`, new: `			_ = port
			return
`},
	{name: "a port that a pattern names is free", in: "freePort", old: `named == nil || named[n/64]>>(n%64)&1 == 0`, new: `n >= len(named)-len(named)`},
	{name: "a wildcard covers every port", in: "allBelow", old: `if x.port != "" {`, new: `if false {`},
	{name: "a star outside of a set matches punycode", in: "forward", old: `if chosen == "xn--" {`, new: `if false {`},
	{name: "a star of a set stands for nothing", in: "forward", old: `len(x.bytes) - n - 1`, new: `len(x.bytes) - n`},
	{name: "a star with a longer prefix decides about shorter ones", in: "forward", old: `case result == hopeless && opened:
				return exhausted`, new: `case result == hopeless && opened:
				return hopeless`},
	{name: "the end of a label does not depend on its begin", in: "backward", old: `x.overlap = true`, new: `x.overlap = false`},
	{name: "a label that all stars match is the last", in: "(*outsideSearch).label", old: `search.labels == 0 && n >= search.independent()`, new: `search.labels == 0`},
	{name: "labels below a long host are not punycode", in: "belowLong", old: `missed && strings.HasPrefix(label, "xn--")`, new: `missed && false`},
	{name: "a search that was given up covers all", in: "(*outsideSearch).label", old: `case x.steps < 0:
		return "", Undecided`, new: `case x.steps < 0:
		return "", Covered`},

	// Origins in common.
	{name: "a port of the other set is not tried", in: "instanceWithin", old: `if p.port == "*" {`, new: `if false {`},
	{name: "two ends of a label that differ are one", in: "overlapping", old: `strings.HasSuffix(label, suffix) && `, new: ``},
	{name: "stars meet in one direction only", in: "commonStar", old: `[...][2]*Set{{a, b}, {b, a}}`, new: `[...][2]*Set{{a, b}}`},
	{name: "sets that were not compared to the end are disjoint", in: "commonStar", old: `if steps < 0 {`, new: `if false {`},

	// Samples of paths.
	{name: "no sample has the shape of a procedure", in: "(*sampleWalk).add", old: `if names && (parts[n-1].text == "" || parts[n-2].text == "") {`, new: `if false {`},
	{name: "no sample ends in a slash", in: "(*sampleWalk).add", old: `range [...]string{"", "/"}`, new: `range [...]string{""}`},
	{name: "no sample is in other letter case", in: "Samples", old: `range [...]bool{false, true}`, new: `range [...]bool{false}`},
	{name: "a node that was left out has no segments", old: `return c.text, !hasLiteral(without.trees[:firstFolded], c.text)`, new: `return c.text, true`},
	{name: "a subtree ends at its first segment", old: `	next.multi = b.multi
`, new: ``},
	{name: "the path with the other end does not matter", in: "ends", old: `range [...]bool{false, true}`, new: `range [...]bool{false}`},
	{name: "samples are in the default encoding only", in: "spellings", old: `range w.written[n.literal[text]]`, new: `range w.written[n.literal[text+"/"]]`},
	{name: "a sample is longer than a path", in: "addPath", old: `if length > MaxPath {`, new: `if false {`},
}
