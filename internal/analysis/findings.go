// Package analysis answers questions about compiled policies. Findings reports what a policy that
// loads should not have, such as a rule that changes nothing or a wildcard with credentials. It
// works on the effective rules of internal/rules.
package analysis

import (
	"cmp"
	"math"
	"slices"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// Kind is the kind of a finding.
type Kind string

// The kinds. The first three grant more than the author of the policy may intend; the others change
// nothing.
const (
	KindPatternWithCredentials Kind = "PATTERN_WITH_CREDENTIALS"
	KindLoopbackOutsideProfile Kind = "LOOPBACK_OUTSIDE_PROFILE"
	KindSharedHost             Kind = "SHARED_HOST"
	KindRuleChangesNothing     Kind = "RULE_CHANGES_NOTHING"
	KindOriginCovered          Kind = "ORIGIN_COVERED"
	KindOriginsUnused          Kind = "ORIGINS_UNUSED"
	KindOriginNotAdded         Kind = "ORIGIN_NOT_ADDED"
	KindHeaderChangesNothing   Kind = "HEADER_CHANGES_NOTHING"
	KindRiskNotNeeded          Kind = "RISK_NOT_NEEDED"
	KindDuplicateValue         Kind = "DUPLICATE_VALUE"
)

// Finding is one part of a policy that loads and that its author should look at.
type Finding struct {
	// Kind is what was found.
	Kind Kind
	// Place is where the value is written.
	rules.Place
	// Value is the value; for a rule its selector or path.
	Value string
	// Message says what is the case, as the rest of a sentence whose subject is the value.
	Message string
	// Remedy says what to write instead.
	Remedy string
	// Related are the places of other values that contribute to the finding.
	Related []rules.Place
}

// maxOfKind is the maximum number of findings of one kind that Findings lists.
const maxOfKind = 20

// Findings returns the findings about a policy with its chosen profile, in the order of the file,
// and the number of those that it leaves out: it lists at most maxOfKind of each kind. It does not
// report on the shadow policy. Its time is about that of compiling the policy.
func Findings(r *rules.Rules) (all []Finding, left int) { return find(r, r) }

// ShadowFindings returns the findings about the shadow policy of a policy, which must have one.
// Profiles belong to the policy itself, and are not reported again.
func ShadowFindings(r *rules.Rules) (all []Finding, left int) { return find(r.Shadow, r) }

// OptionFindings returns the findings about the options of the schema that apply to procedures: those
// that change nothing under this policy, and the values with no effect, also of those options.
func OptionFindings(r *rules.Rules) []Finding {
	f := newFinder(r, r)
	f.limit = math.MaxInt
	f.written = r.Options()
	f.readUses()
	for _, w := range r.RedundantOptions() {
		f.redundantRule(w)
	}
	for _, w := range f.written {
		f.values(w)
	}
	f.sort()
	return f.found
}

func newFinder(r, whole *rules.Rules) *finder {
	return &finder{Rules: r, whole: whole, count: map[Kind]int{}, limit: maxOfKind, levels: map[string]*levelUse{}}
}

func find(r, whole *rules.Rules) ([]Finding, int) {
	f := newFinder(r, whole)
	for _, w := range r.Written() {
		if r == whole || !w.Profile {
			f.written = append(f.written, w)
		}
	}
	f.readUses()
	redundant := map[string]bool{}
	for _, w := range r.Redundant(whole) {
		if r == whole || !w.Profile {
			redundant[w.Field] = true
			f.redundantRule(w)
		}
	}
	for _, w := range f.written {
		f.origins(w, redundant[w.Field])
		if !redundant[w.Field] {
			f.values(w)
		}
	}
	f.sort()
	return f.found, f.left
}

// finder collects findings.
type finder struct {
	*rules.Rules
	whole   *rules.Rules // the rules of the policy, whose shadow Rules may be
	written []*rules.Written
	levels  map[string]*levelUse // by the field of the level
	found   []Finding
	count   map[Kind]int // of found
	limit   int          // the maximum of each count
	left    int
}

// levelUse holds the effective rules that a level applies to.
type levelUse struct {
	rules       []*rules.Effective // all of them
	granting    *rules.Effective   // the first that takes its origins from the level and is not disabled
	disabled    *rules.Effective   // the first that takes its origins from the level and is disabled
	credentials *rules.Effective   // the first like granting that allows credentials
	// idle is true if each one like disabled is disabled by the policy itself, and would be valid with
	// any other origins: credentials rule out some.
	idle bool
}

// readUses fills f.levels.
func (f *finder) readUses() {
	use := func(field string) *levelUse {
		if f.levels[field] == nil {
			f.levels[field] = &levelUse{idle: true}
		}
		return f.levels[field]
	}
	added := ""
	for _, w := range f.written {
		if use(w.Field); w.Added {
			added = w.Field
		}
	}
	for _, e := range f.Effective() {
		for _, field := range e.Levels() {
			u := use(field)
			u.rules = append(u.rules, e)
		}
		if field := e.OriginsLevel(); field != "" {
			use(field).takesOrigins(e)
		}
		if e.HasAdded() {
			use(added).takesOrigins(e)
		}
	}
}

// takesOrigins records an effective rule that takes its origins from the level.
func (u *levelUse) takesOrigins(e *rules.Effective) {
	first := func(to **rules.Effective) {
		if *to == nil {
			*to = e
		}
	}
	if e.Disabled() {
		first(&u.disabled)
		u.idle = u.idle && e.DisabledByPolicy() && !e.Credentials()
		return
	}
	first(&u.granting)
	if e.Credentials() {
		first(&u.credentials)
	}
}

// add adds a finding, or counts it if there are enough of its kind.
func (f *finder) add(kind Kind, at rules.Place, value, message, remedy string, related ...rules.Place) {
	if f.full(kind) {
		f.left++
		return
	}
	f.count[kind]++
	f.found = append(f.found, Finding{kind, at, value, message, remedy, related})
}

// full reports whether the next finding of a kind would only be counted.
func (f *finder) full(kind Kind) bool { return f.count[kind] >= f.limit }

// sort sorts the findings by their position in the file. Those without a position keep their order
// after the others.
func (f *finder) sort() {
	slices.SortStableFunc(f.found, func(a, b Finding) int {
		if unknownA, unknownB := a.Position == (rules.Position{}), b.Position == (rules.Position{}); unknownA != unknownB {
			if unknownA {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// redundantRule reports a rule that changes nothing.
func (f *finder) redundantRule(w *rules.Written) {
	targets := "its procedures have"
	switch {
	case w.Schema:
	case w.Message.GetPath() != "":
		targets = "its path has"
	case w.Message.GetSelector() == "":
		targets = "procedures and paths have"
	}
	f.add(KindRuleChangesNothing, f.Place(w.Field), w.Message.GetSelector()+w.Message.GetPath(),
		"changes nothing, because "+targets+" the same values without it", "leave it out")
}

// anyProfile reports whether a condition holds for a rule or the defaults of any profile.
func (f *finder) anyProfile(holds func(*corsrpcv1.Rule) bool) bool {
	for _, p := range f.whole.Profiles() {
		if holds(p.GetDefaults()) || slices.ContainsFunc(p.GetRules(), holds) {
			return true
		}
	}
	return false
}
