package analysis

import (
	"fmt"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// sharedHost is origin.SharedHost. Tests replace it.
var sharedHost = origin.SharedHost

// origins reports on the origins of a level. If redundant is true, the level as a whole changes
// nothing, and its superfluous origins are not reported.
func (f *finder) origins(w *rules.Written, redundant bool) {
	set, use := w.Origins(), f.levels[w.Field]
	if set.Len() == 0 {
		return
	}
	if use.granting == nil && use.disabled != nil {
		f.unusedOrigins(w, use)
		return
	}
	if w.Added {
		f.notAdded(w)
		f.addedInVain(w)
	}
	if !redundant {
		f.coveredOrigins(w)
	}
	if use.granting == nil || set.Any() != 0 {
		return // the chosen profile replaces the list, or everyone is allowed
	}
	remedy := loopbackRemedy(w)
	for i, text := range set.Patterns().All {
		f.origin(w, use, i, text, remedy)
	}
}

// loopbackRemedy returns the remedy for a loopback origin in the list of a level. If the list has no
// other origins, they have to be replaced: without the list, the policy may not load, or the rule
// inherits other origins.
func loopbackRemedy(w *rules.Written) string {
	others := len(w.Message.GetAllowOriginsFrom()) > 0
	for i, text := range w.Origins().Patterns().All {
		if others = others || w.FromEnvironment(i) || !origin.IsLoopback(text); others {
			return "write it in add_origins of a profile, such as dev, unless an installed application has it"
		}
	}
	return "write the origins that call in production instead, or disabled: true if there are none, and this origin in a profile, such as dev, unless an installed application has it"
}

// origin reports on an origin by itself. remedy is the remedy if it is a loopback origin.
func (f *finder) origin(w *rules.Written, use *levelUse, i int, text, remedy string) {
	loopback := origin.IsLoopback(text)
	star, secret := strings.Contains(text, "*"), use.credentials != nil
	report := func(kind Kind, message, remedy string) {
		if f.full(kind) {
			f.left++
			return
		}
		at := w.OriginPlace(i)
		switch {
		case at.Variable != "" && loopback:
			message, remedy = message+", and is a value of the environment variable "+at.Variable, "set the variable so in development only"
		case at.Variable != "":
			message += ", and is a value of the environment variable " + at.Variable
		case loopback:
			message += ", in production too"
		}
		if e := use.credentials; e != nil {
			f.add(kind, at, strings.Clone(text), message, remedy, e.Place(e.ValueField("allow_credentials")))
			return
		}
		f.add(kind, at, strings.Clone(text), message, remedy)
	}
	switch {
	case loopback && w.Profile:
	case loopback:
		report(KindLoopbackOutsideProfile, "lets every page that a program on the visitor's machine serves call"+credentials("the visitor's", secret), remedy)
	case secret && star && strings.Contains(strings.TrimSuffix(text, ":*"), "*") && !origin.NeverWithCredentials(text):
		report(KindPatternWithCredentials, "lets pages of every host that it matches call with their visitors' credentials, and somebody else may take one of these hosts over",
			"list the origins that need credentials")
	case secret && star && !origin.NeverWithCredentials(text):
		report(KindPatternWithCredentials, "lets pages on every port of this host call with their visitors' credentials", "list the origins that need credentials")
	}
	if host := origin.WebHost(strings.TrimSuffix(text, ":*")); host != "" {
		if why, ok := sharedHost(host); ok {
			report(KindSharedHost, why+", so that unrelated people may call"+credentials("their visitors'", secret), "leave it out, or serve the page from a host of its own")
		}
	}
}

// credentials returns the end of a clause about calls: whose credentials they carry, if they do.
func credentials(whose string, secret bool) string {
	if !secret {
		return ""
	}
	return " with " + whose + " credentials"
}

// coveredOrigins reports the origins that others of the same list cover. Values of environment
// variables differ from server to server, and are not compared.
func (f *finder) coveredOrigins(w *rules.Written) {
	set := w.Origins()
	if any := set.Index(set.Any()); any >= 0 && set.Len() > 1 {
		others := fmt.Sprintf("the %d other origins of the list change", set.Len()-1)
		if set.Len() == 2 {
			others = "the other origin of the list changes"
		}
		f.add(KindOriginCovered, w.OriginPlace(any), "*", "allows every origin, so that "+others+" nothing", "leave out *, or every other origin")
		return
	}
	for c := range set.Covered {
		kind := KindOriginCovered
		if c.Equal {
			kind = KindDuplicateValue
		}
		switch {
		case w.FromEnvironment(c.Pattern) || w.FromEnvironment(c.By):
		case f.full(kind):
			f.left++
		case c.Equal:
			f.add(kind, w.OriginPlace(c.Pattern), set.Patterns().At(c.Pattern), "is listed twice", "leave one out", w.OriginPlace(c.By))
		default:
			f.add(kind, w.OriginPlace(c.Pattern), set.Patterns().At(c.Pattern), fmt.Sprintf("changes nothing, because %q in the same list matches it", set.Patterns().At(c.By)),
				"leave it out, or the wildcard if that allows too much", w.OriginPlace(c.By))
		}
	}
}

// unusedOrigins reports a list of origins that applies to disabled rules only. A profile may enable
// these, so it reports nothing if a profile does.
func (f *finder) unusedOrigins(w *rules.Written, use *levelUse) {
	enables := func(m *corsrpcv1.Rule) bool { return m != nil && m.Disabled != nil && !m.GetDisabled() }
	if !use.idle || w.Schema || w.Profile || w.Message == nil || f.anyProfile(enables) {
		return
	}
	e := use.disabled
	f.add(KindOriginsUnused, f.Place(w.Field+".allow_origins"), "", "has no effect, because every rule that takes its origins from this list is disabled",
		"leave it out, or write disabled: false in a rule", e.Place(e.ValueField("disabled")))
}

// notAdded reports the origins in add_origins that never go with credentials, if there are rules with
// credentials.
func (f *finder) notAdded(w *rules.Written) {
	if !w.Origins().HasShared() {
		return
	}
	first, fields := "", map[string]bool{}
	for _, e := range f.Effective() {
		if !e.RefusesAdded() {
			continue
		}
		field := e.ValueField("allow_credentials")
		if fields[field] = true; first == "" {
			first = field
		}
	}
	if first == "" {
		return
	}
	rules := "the rules of a level that allows credentials"
	if len(fields) > 1 {
		rules = fmt.Sprintf("the rules of the %d levels that allow credentials", len(fields))
	}
	for i, text := range w.Origins().Patterns().All {
		if !origin.NeverWithCredentials(text) {
			continue
		}
		f.add(KindOriginNotAdded, w.OriginPlace(i), strings.Clone(text),
			"is not added to "+rules+", because pages of unrelated owners have this origin", "add an origin that only your own pages have", f.Place(first))
	}
}

// addedInVain reports the exact origins in add_origins that every rule that they are added to allows
// without them. It reports none if there is a shadow policy: they are added to its rules as well. It
// reports none either if the list has origins that never go with credentials, since a profile where no
// rule takes the rest of add_origins does not load.
func (f *finder) addedInVain(w *rules.Written) {
	if f.whole.Shadow != nil || w.Origins().HasShared() {
		return
	}
	lists := f.listsWithAdded()
	if len(lists) == 0 {
		return
	}
	for i, text := range w.Origins().Patterns().All {
		if strings.Contains(text, "*") || w.FromEnvironment(i) {
			continue
		}
		allows := func(list *rules.Written) (at int, ok bool) {
			id, ok := list.Origins().Match(text)
			if !ok || list.Origins().IsShared(id) {
				return 0, false
			}
			at = list.Origins().Index(id)
			return at, !list.FromEnvironment(at)
		}
		if slices.ContainsFunc(lists, func(list *rules.Written) bool { _, ok := allows(list); return !ok }) {
			continue
		}
		if f.full(KindOriginCovered) {
			f.left++
			continue
		}
		at, _ := allows(lists[0])
		f.add(KindOriginCovered, w.OriginPlace(i), strings.Clone(text), "changes nothing, because every rule that it is added to allows it anyway", "leave it out", lists[0].OriginPlace(at))
	}
}

// listsWithAdded returns the levels whose lists of origins add_origins join, in the order of f.written.
func (f *finder) listsWithAdded() (lists []*rules.Written) {
	fields := map[string]bool{}
	for _, e := range f.Effective() {
		if e.HasAdded() {
			fields[e.OriginsLevel()] = true
		}
	}
	for _, w := range f.written {
		if fields[w.Field] {
			lists = append(lists, w)
		}
	}
	return lists
}
