package cli

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// ruleSet holds effective rules: those of procedures of the schema, those of other procedures by
// selector, and those of paths.
type ruleSet struct{ procedures, selectors, paths []corsrpc.EffectiveRule }

// selected returns the rules that the arguments select, each once; all rules if there are none.
func (p *shownPolicy) selected(args []string) (*ruleSet, error) {
	all := &ruleSet{p.plan.Procedures(), p.plan.Unknown(), p.plan.Paths()}
	if len(args) == 0 {
		return all, nil
	}
	chosen := &ruleSet{}
	for _, arg := range args {
		if isPackage(all.procedures, arg) {
			return nil, usagef("%s is a package, and not a procedure or a service: write %s.*", report.Printable(arg), report.Printable(arg))
		}
		found := &ruleSet{}
		if strings.HasPrefix(arg, "/") {
			p.selectPath(found, all, arg)
		} else {
			p.selectName(found, all, arg)
		}
		if len(found.procedures)+len(found.selectors)+len(found.paths) == 0 {
			return nil, p.nothingSelected(all, arg)
		}
		chosen.add(found)
	}
	return chosen, nil
}

// add adds the rules of another set that are not yet in the set.
func (s *ruleSet) add(other *ruleSet) {
	s.procedures, s.selectors, s.paths = union(s.procedures, other.procedures), union(s.selectors, other.selectors), union(s.paths, other.paths)
}

func union(a, b []corsrpc.EffectiveRule) []corsrpc.EffectiveRule {
	have := map[corsrpc.EffectiveRule]bool{}
	for _, r := range a {
		have[r] = true
	}
	for _, r := range b {
		if !have[r] {
			a = append(a, r)
		}
	}
	slices.SortFunc(a, func(x, y corsrpc.EffectiveRule) int { return strings.Compare(x.Name, y.Name) })
	return a
}

// selectPath selects the path rule of a pattern, or the rule that governs requests to a path.
func (p *shownPolicy) selectPath(found, all *ruleSet, path string) {
	for _, r := range all.paths {
		if r.Name == path {
			found.paths = []corsrpc.EffectiveRule{r}
			return
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		request := corsrpc.Request{Method: method, Path: path}
		r, ok := p.plan.Rule(request)
		if !ok {
			continue
		}
		switch _, known := p.plan.Decide(request).Procedure(); {
		case strings.HasPrefix(r.Name, "/"):
			found.paths = []corsrpc.EffectiveRule{r}
		case known && p.schemaKnown:
			found.procedures = []corsrpc.EffectiveRule{r}
		default:
			found.selectors = []corsrpc.EffectiveRule{r}
		}
		return
	}
}

// selectName selects the procedures and selectors that a selector covers. Without a schema, any name
// of a procedure has a rule.
func (p *shownPolicy) selectName(found, all *ruleSet, selector string) {
	for _, r := range all.procedures {
		if covers(selector, r.Name) {
			found.procedures = append(found.procedures, r)
		}
	}
	for _, r := range all.selectors {
		if covers(selector, r.Name) {
			found.selectors = append(found.selectors, r)
		}
	}
	service, method, ok := cutLast(selector, ".")
	if p.schemaKnown || len(found.selectors) > 0 || !ok || strings.Contains(selector, "*") {
		return
	}
	if r, ok := p.plan.Rule(corsrpc.Request{Method: http.MethodPost, Path: "/" + service + "/" + method}); ok {
		found.selectors = []corsrpc.EffectiveRule{r}
	}
}

// isPackage reports whether a name is that of a package around services, and not of a service too.
func isPackage(procedures []corsrpc.EffectiveRule, name string) bool {
	below := false
	for _, r := range procedures {
		if rest, ok := strings.CutPrefix(r.Name, name+"."); ok {
			if !strings.Contains(rest, ".") {
				return false
			}
			below = true
		}
	}
	return below
}

// covers reports whether a selector is a name, or that of a service or a package around it.
func covers(selector, name string) bool {
	if prefix, ok := strings.CutSuffix(selector, "*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return name == selector || strings.HasPrefix(name, selector+".") && !strings.Contains(name[len(selector)+1:], ".")
}

// cutLast cuts a text around the last separator.
func cutLast(s, separator string) (before, after string, found bool) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(separator):], true
}

// nothingSelected is the error for an argument that selects nothing. It names the nearest name.
func (p *shownPolicy) nothingSelected(all *ruleSet, arg string) error {
	names := map[string]bool{}
	for _, r := range slices.Concat(all.procedures, all.selectors, all.paths) {
		names[r.Name] = true
		if service, _, ok := cutLast(r.Name, "."); ok && !strings.HasPrefix(r.Name, "/") {
			names[service] = true
		}
	}
	var known []string
	for name := range names {
		if strings.HasPrefix(name, "/") == strings.HasPrefix(arg, "/") {
			known = append(known, name)
		}
	}
	slices.Sort(known)
	what := "neither the schema nor a selector of the policy has this name"
	if strings.HasPrefix(arg, "/") {
		what = "no rule of the policy governs this path"
	}
	message := fmt.Sprintf("%s selects nothing, because %s", report.Printable(arg), what)
	if nearest, ok := policyfile.Nearest(arg, known); ok {
		return usagef("%s: write %s", message, nearest)
	}
	return usagef("%s: without this argument, all names are shown", message)
}

// ruleGroup is a rule with the names that have it.
type ruleGroup struct {
	names []string
	rule  corsrpc.EffectiveRule
}

// folded returns each distinct rule once, in the order of its first name.
func folded(rules []corsrpc.EffectiveRule) (groups []ruleGroup) {
	index := map[corsrpc.EffectiveRule]int{}
	for _, r := range rules {
		name := r.Name
		r.Name = ""
		i, ok := index[r]
		if !ok {
			i, index[r] = len(groups), len(groups)
			groups = append(groups, ruleGroup{rule: r})
		}
		groups[i].names = append(groups[i].names, name)
	}
	return groups
}
