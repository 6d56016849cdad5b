package main

// fromGoFaults are faults of the policies that are made from the configurations of other libraries: each grants
// more than the configuration, or does not load.
var fromGoFaults = []fault{
	{name: "a pattern instead of a star may allow more", old: `subset && ok && len(problems) == 0`, new: `ok && len(problems) == 0`},
	{name: "an origin that a function replaces is allowed", old: `case decided:`, new: `case false:`},
	{name: "a variable that changes in a branch is known", old: `return c.block == block && block != nil && c.statement`, new: `return c.statement`},
	{name: "a variable of the package without a value is an empty list", old: `len(d.Values) == 0 && d.Type != nil && block == nil:`, new: `len(d.Values) == 0 && d.Type != nil && false:`},
	{name: "a list that changes by another name is known", old: `	r.shareElementChanges()
`, new: ``},
	{name: "the fallback of a variable in a branch always holds", old: `c.guardBlock == block && r.isFallbackFor`, new: `r.isFallbackFor`},
	{name: "an item that is not always added is always allowed", old: `r.notKnown(item, "which is not always added")`, new: `r.eval(item)`},
	{name: "a named result that a deferred function changes is known", old: `ok = ok && !hasNamedResults(f.Type)`, new: `ok = ok && true`},
	{name: "a configuration that other code may change is not named", old: `	if !c.unused {
		return nil
	}
	message`, new: `	if true {
		return nil
	}
	message`},
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
