package main

// guardFaults are faults of WithGuard, and of the command diff, which says what one policy grants and
// another does not.
var guardFaults = []fault{
	// WithGuard.
	{name: "a layer begins with a policy that the guard refuses", in: "newLayer", old: `if err := l.checkGuard(plan); err != nil {`, new: `if err := l.checkGuard(plan); false && err != nil {`},
	{name: "a reload puts a policy in force that the guard refuses", in: "(*Layer).reload", old: `if err := l.checkGuard(plan); err != nil {`, new: `if err := l.checkGuard(plan); false && err != nil {`},
	{name: "a layer has no guard", in: "newLayer", old: `guard: c.guard, `, new: ``},
	{name: "the guard is held against the policy", in: "(*Layer).checkGuard", old: `analysis.Compare(l.guard.rules, plan.rules)`, new: `analysis.Compare(plan.rules, l.guard.rules)`},
	{name: "a policy that cannot be compared with the guard is put in force", in: "guardError", old: `len(e.Wider) == 0 && len(e.Undecided) == 0`, new: `len(e.Wider) == 0`},
	{name: "a stricter policy is wider than the guard", in: "guardError", old: `case !d.Gained:`, new: `case false:`},
	{name: "the error of the guard has every difference", in: "guardError", old: `len(e.Wider) == maxGuardDifferences`, new: `false`},
	{name: "a policy that the guard refuses is tried again", in: "retryMaySucceed", old: `!errors.As(err, &wider)`, new: `(!errors.As(err, &wider) || true)`},
	{name: "a guard of no plan guards nothing", in: "WithGuard", old: `case guard.missing():`, new: `case false:`},
	{name: "the second of two guards is dropped", in: "WithGuard", old: `case c.guard != nil:`, new: `case c.guard != nil && false:`},

	// The sentences.
	{name: "a service is said as a whole without all of its methods", in: "(*Sentences).ofService", old: `len(methods) == all`, new: `len(methods) > 1`},
	{name: "all procedures are said although one is left out", in: "(*folding).all", old: `len(f.methods[name]) < n`, new: `n < 0`},
	{name: "all procedures are said although a selector is left out", in: "(*folding).all", old: `case !isService && !f.left[name] && f.services[name] == "":`, new: `case false:`},
	{name: "every procedure includes operational services", in: "within", old: `|| route.IsOperational(strings.TrimSuffix(name, ".*"))`, new: ``},
	{name: "a sentence has every target", in: "(*Sentences).Targets", old: `len(f.items)-maxTargetItems`, new: `0`},
	{name: "the place of the other policy comes first", in: "places", old: `here, there = d.Old, d.New`, new: `here, there = d.New, d.Old`},

	// diff.
	{name: "a witness that shows nothing is shown", in: "replay", old: `if more <= less {`, new: `if more < less {`},
	{name: "a witness is replayed in one direction only", in: "replay", old: `with, without = before, after`, new: `with, without = after, before`},
	{name: "a source of a witness is empty", in: "(*Side).planFor", old: `return plan.WithSets(call.Sources), nil`, new: `return plan, nil`},
	{name: "a case that passes with both policies is shown", in: "caseOf", old: `!passes(c, before)`, new: `(!passes(c, before) || true)`},
	{name: "the page of the server's host calls it", in: "serverFor", old: `u.Hostname() == "api.example.com"`, new: `u.Hostname() == ""`},
	{name: "the exit code ignores a bug of a witness", in: "(*diffFlags).exit", old: `len(bugs) > 0`, new: `len(bugs) > 1`},
	{name: "the exit code ignores undecided comparisons", in: "(*diffFlags).exit", old: `case len(result.Undecided) > 0:`, new: `case false:`},
	{name: "--fail-on wider is not for both", in: "(*Result).Gained", old: ` || r.Verdict == analysis.Both`, new: ``},
	{name: "the flags of OLD are those of NEW", in: "(*Flags).With", old: `with.Profile = *over.profile`, new: `_ = over.profile`},
	{name: "the schema of OLD is that of NEW", in: "(*Flags).With", old: `with.Descriptors, with.Reflect = over.flags.Descriptors, ""`, new: `with.Reflect = ""`},
}
