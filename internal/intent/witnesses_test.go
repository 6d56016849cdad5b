package intent

import (
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/analysis"
)

// witnessesFlip fails the test unless the call of each difference is granted by the policy that the
// difference names, and not by the other: in a browser, and according to the model.
func (p pair) witnessesFlip(t fataler, found []analysis.Difference) {
	t.Helper()
	for _, d := range found {
		more, less := p.next, p.old
		if !d.Gained {
			more, less = less, more
		}
		call := d.Witness
		got := [2]int{shows(t, less.bound(t, call), d.Aspect, call), shows(t, more.bound(t, call), d.Aspect, call)}
		model := [2]int{less.means(d.Aspect, call), more.means(d.Aspect, call)}
		if got[0] >= got[1] || model[0] >= model[1] {
			t.Fatalf("%s: the witness of %+v shows no difference: %v in the browser, %v according to the model\n%s", p.change, d, got, model, p)
		}
	}
}

// means returns how much of an aspect the model grants to a call: as shows does.
func (w *world) means(aspect analysis.Aspect, call analysis.Call) int {
	p := w.Policy
	p.Sources, p.Env = call.Sources, withEnv(p.Env, call.Env)
	s := &side{Policy: p, rules: map[callTarget]ruled{}}
	path := strings.TrimSuffix(pathOf(call), "?"+call.Query)
	r := s.ruleFor(callTarget{path, call.Method == http.MethodPost || call.Method == http.MethodGet && call.Query != ""})
	page := accessOf(r.list, call.Origin, nil)
	granted := r.known && page.allows && r.serves(call.Method) && (!call.Credentials || r.Credentials())
	switch aspect {
	case analysis.AspectMaxAge:
		if granted {
			return int(r.MaxAge()) + 1
		}
		return 0
	case analysis.AspectTiming:
		granted = granted && r.Timing()
	case analysis.AspectRequestHeader:
		granted = granted && !slices.ContainsFunc(call.RequestHeaders, func(name string) bool { return !r.AllowsHeader(name) })
	case analysis.AspectResponseHeader:
		granted = granted && r.Shows(call.ResponseHeader, http.StatusOK, nil)
	case analysis.AspectWithoutOrigin:
		granted = r.reachedWithoutOrigin(call.Navigation)
	case analysis.AspectOwnOrigin:
		granted = r.trustsOwn(call.Origin)
	case analysis.AspectUngoverned, analysis.AspectCookies:
		granted = !r.governed || page.allows && r.serves(call.Method) && (!call.Credentials || r.reachedWithCookies(call.Method, page))
	}
	return map[bool]int{true: 1}[granted]
}

// covered reports whether a difference is about the aspect, the target and the value of a gain.
func (g gain) covered(d analysis.Difference, gained bool, policies ...Policy) bool {
	if d.Gained != gained || d.Aspect != g.aspect || !slices.ContainsFunc(d.Targets, func(label string) bool { return g.target.within(label, policies) }) {
		return false
	}
	within := func(item string) bool {
		prefix, open := strings.CutSuffix(item, "*")
		value := g.value
		return value == prefix || open && strings.HasPrefix(value, prefix)
	}
	switch g.aspect {
	case analysis.AspectOrigin:
		return d.More > 0 || slices.ContainsFunc(d.Values, func(pattern string) bool { return covers(pattern, g.page) }) ||
			slices.ContainsFunc(d.Sources, func(set string) bool { return slices.Contains(g.sets, set) })
	case analysis.AspectResponseHeader:
		plain := g
		plain.value = strings.TrimPrefix(g.value, "trailer-")
		return d.More > 0 || slices.ContainsFunc(d.Values, within) || plain.value != g.value && plain.covered(d, gained, policies...)
	case analysis.AspectMethod, analysis.AspectRequestHeader:
		return d.More > 0 || slices.ContainsFunc(d.Values, within)
	}
	return true
}

// within reports whether the label of a difference is about the target.
func (target callTarget) within(label string, policies []Policy) bool {
	if strings.HasPrefix(label, "/") {
		return label == target.path || slices.ContainsFunc(policies, func(p Policy) bool { return p.pathPattern(target.path) == label })
	}
	if label == "*" {
		return true
	}
	pkg, isPackage := strings.CutSuffix(label, ".*")
	for _, p := range policies {
		for _, prefix := range append(p.Prefixes, "") {
			below, ok := strings.CutPrefix(target.path, prefix+"/")
			service, method, shaped := strings.Cut(below, "/")
			if ok && shaped && (label == service || label == service+"."+method || isPackage && strings.HasPrefix(service+".", pkg+".")) {
				return true
			}
		}
	}
	return false
}

// withEnv returns the environment with more variables.
func withEnv(env, more map[string]string) map[string]string {
	all := map[string]string{}
	for _, from := range []map[string]string{env, more} {
		for name, value := range from {
			all[name] = value
		}
	}
	return all
}
