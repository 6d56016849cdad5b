package main

// fromGoFaults are faults of the policies that are made from the configurations of other libraries: each grants
// more than the configuration, or does not load.
var fromGoFaults = []fault{
	{name: "a pattern instead of a star may allow more", old: `subset && ok && len(problems) == 0`, new: `ok && len(problems) == 0`},
	{name: "an origin that a function replaces is allowed", old: `case decided:`, new: `case false:`},
	{name: "a variable that changes in a branch is known", old: `straight := c.block == block && block != nil && c.statement != nil`, new: `straight := c.statement != nil`},
	{name: "a configuration without POST allows procedures", old: `w.disabled = !w.hasActive() || !g.post`, new: `w.disabled = !w.hasActive()`},
	{name: "a star that gin does not read is read", old: `		if wildcards {
			o.prefix`, new: `		if true {
			o.prefix`},
	{name: "credentials go with every origin", old: `case w.credentials && w.everyone:`, new: `case false:`},
	{name: "an origin with a risk is written as it is", in: "translateExact", old: `case len(problems) > 0:`, new: `case false:`},
	{name: "a value that a pointer may change is known", old: `add(n.X, change{})
		}
	case *ast.CallExpr:`, new: `_ = n.X
		}
	case *ast.CallExpr:`},
}
