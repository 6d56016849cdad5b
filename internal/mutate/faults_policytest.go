package main

// policytestFaults are faults of tests of policies: mistakes of a test that are accepted, and failures that
// pass.
var policytestFaults = []fault{
	// The text of a test.
	{name: "a header of a case is set twice", in: "(*File).scalars", old: `if f.repeated(p, at, seen) {`, new: `if clear(seen); f.repeated(p, at, seen) {`},
	{name: "a number with a leading zero is decimal", old: "`^(0|-?[1-9][0-9]*)$`", new: "`^-?[0-9]+$`"},
	{name: "a policy is read as a test", in: "otherSubject", old: `case own || other == nil:`, new: `case own || true || other == nil:`},

	// The checks of a test.
	{name: "a test without cases and guarantees is valid", in: "checkTest", old: `len(t.GetCases()) == 0 && len(t.GetGuarantees()) == 0`, new: `false`},
	{name: "an outcome is blocked and readable", in: "checkExpect", old: `case blocked != nil && readable != nil:`, new: `case false:`},
	{name: "a guarantee is about procedures that the schema does not have", in: "(*checker).checkSelector", old: `call == "*" || !k.schema`, new: `true`},
	{name: "a case calls a procedure that the schema does not have", in: "checkProcedure", old: `k.schema && !k.procedures[call]`, new: `false`},
	{name: "a guarantee about no origin is valid", in: "checkCallSet", old: `if o == "*" {`, new: `if false {`},

	// Cases.
	{name: "a call that is blocked for another reason passes", in: "differs", old: `string(s.reason) != blocked.GetReason()`, new: `false`},
	{name: "a call passes although its handler runs", in: "differs", old: `!*blocked.HandlerRuns && s.handlerRuns`, new: `false`},
	{name: "a call passes with another number of preflights", in: "differs", old: `*expect.Preflights != s.preflights`, new: `false`},
	{name: "a header that the script cannot read passes", in: "firstWrong", old: `if !s.reads(name) {`, new: `if false {`},
	{name: "a header that the script can read passes as hidden", in: "firstWrong", old: `if s.reads(name) {`, new: `if false {`},
	{name: "a case is tried in one engine", in: "(*Suite).try", old: `i == 0 || differs != "" && a.differs == ""`, new: `i == 0`},
	{name: "an outcome that depends on a source is decided", in: "(*Suite).unknownOf", old: `!ok && !slices.Contains(sources, name)`, new: `!ok && false`},
	{name: "an outcome that depends on a variable is decided", in: "(*Suite).unknownOf", old: `!slices.Contains(variables, u.Name)`, new: `false`},
	{name: "the policy is compiled for each case", in: "(*plans).get", old: `if v, ok := p.variants[key]; ok {`, new: `if v, ok := p.variants[key]; ok && false {`},

	// Guarantees.
	{name: "a guarantee that could not be decided holds", in: "(*Suite).runGuarantee", old: `case proof.Holds:`, new: `case proof.Holds, proof.Undecided != "":`},
	{name: "a guarantee does not know the origins of a source", in: "rulesForProofs", old: `if len(p.sources) == 0 {`, new: `if true {`},
	{name: "a case without a contradiction is a counterexample", in: "addCounterexample", old: `if ok && a.differs != "" {`, new: `if ok {`},

	// The command.
	{name: "test exits with 0 although a case could not be decided", in: "exitCode", old: `code = exitUnknown`, new: `code = exitFine`},
	{name: "test exits with 3 although a case fails", in: "exitCode", old: `f.count(policytest.Unknown) > 0 && code == exitFine`, new: `f.count(policytest.Unknown) > 0`},
	{name: "test exits with 0 although it ran nothing", in: "nothingRan", old: `return true`, new: `return false`},
	{name: "JUnit's XML has characters that XML forbids", in: "problemOf", old: `xml.EscapeText(&b, []byte(Printable(line)))`, new: `xml.EscapeText(&b, []byte(line))`},
}
