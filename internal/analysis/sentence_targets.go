package analysis

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// Bounds on the targets in a sentence: how many methods of a service are listed by name, and how many
// items the list has in all.
const (
	maxMethodsByName = 3
	maxTargetItems   = 6
)

// folding folds targets into a list in English.
type folding struct {
	*Sentences
	left    map[string]bool     // the targets that no item covers yet
	targets []string            // sorted
	methods map[string][]string // the methods of each service among the targets
	items   []string
}

// Targets says the targets of a difference in English: procedures are folded by service, such as "all 14
// methods of acme.v1.S" or "3 of 14 methods of acme.v1.S (Get, List and Put)".
func (s *Sentences) Targets(targets []string) string {
	f := &folding{Sentences: s, left: map[string]bool{}, targets: slices.Sorted(slices.Values(targets)), methods: map[string][]string{}}
	for _, t := range targets {
		f.left[t] = true
		if service, ok := s.services[t]; ok {
			f.methods[service] = append(f.methods[service], strings.TrimPrefix(t, service+"."))
		}
	}
	f.all("*", "every procedure")
	for _, t := range targets {
		if strings.HasSuffix(t, ".*") && f.left[t] {
			f.all(t, "every procedure of "+t)
		}
	}
	f.belowPrefixes()
	for _, known := range []bool{true, false} { // procedures of the schema come first
		for _, t := range f.targets {
			if (f.services[t] != "") == known {
				f.one(t)
			}
		}
	}
	more := max(0, len(f.items)-maxTargetItems)
	return list(f.items[:len(f.items)-more], more, "", "")
}

// all adds one item for a selector of many procedures, if every service and selector within it is among
// the targets.
func (f *folding) all(selector, item string) {
	if !f.left[selector] {
		return
	}
	for _, name := range within(f.names, selector) {
		n, isService := f.Sentences.methods[name]
		switch {
		case isService && len(f.methods[name]) < n:
			return
		case !isService && !f.left[name] && f.services[name] == "":
			return // a selector of names that the schema does not have
		}
	}
	for _, t := range within(f.targets, selector) {
		delete(f.left, t)
	}
	delete(f.left, selector)
	f.items = append(f.items, item)
}

// within returns the sorted names of services, procedures and selectors that a selector of many procedures
// covers. The selector * does not reach operational services.
func within(names []string, selector string) []string {
	if prefix := strings.TrimSuffix(selector, "*"); prefix != "" {
		first, _ := slices.BinarySearch(names, prefix)
		n := 0
		for first+n < len(names) && strings.HasPrefix(names[first+n], prefix) {
			n++
		}
		return names[first : first+n]
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return strings.HasPrefix(name, "/") || route.IsOperational(strings.TrimSuffix(name, ".*"))
	})
}

// belowPrefixes adds items for the paths of procedures below path prefixes that only one of the policies has.
func (f *folding) belowPrefixes() {
	for _, prefix := range f.prefixes {
		found := map[string]bool{}
		for _, t := range f.targets {
			service, method, ok := strings.Cut(strings.TrimPrefix(t, prefix+"/"), "/")
			if !f.left[t] || !ok || !strings.HasPrefix(t, prefix+"/") || strings.Contains(method, "/") {
				continue
			}
			delete(f.left, t)
			if route.IsOperational(service) {
				found["operational services"] = true
			} else {
				found["procedures"] = true
			}
		}
		for _, what := range slices.Backward(slices.Sorted(maps.Keys(found))) {
			f.items = append(f.items, what+" below the path prefix "+prefix)
		}
	}
}

// one adds an item for a target and for those that are folded with it.
func (f *folding) one(target string) {
	if !f.left[target] {
		return
	}
	delete(f.left, target)
	service, ok := f.services[target]
	if !ok {
		if n, known := f.Sentences.methods[target]; !known || n == 0 || len(f.methods[target]) < n {
			f.items = append(f.items, f.other(target))
		}
		return
	}
	for _, method := range f.methods[service] {
		delete(f.left, service+"."+method)
	}
	f.items = append(f.items, f.ofService(service, f.methods[service]))
}

// ofService says methods of one service of the schema.
func (s *Sentences) ofService(service string, methods []string) string {
	all := s.methods[service]
	switch {
	case len(methods) == 1:
		return service + "." + methods[0]
	case len(methods) == all:
		return fmt.Sprintf("all %d methods of %s", all, service)
	case len(methods) <= maxMethodsByName:
		return fmt.Sprintf("%d of %d methods of %s (%s)", len(methods), all, service, list(methods, 0, "", ""))
	}
	return fmt.Sprintf("%d of %d methods of %s", len(methods), all, service)
}

// other says a target that is not a procedure of the schema.
func (s *Sentences) other(target string) string {
	if strings.HasPrefix(target, "/") {
		return "the path " + target
	}
	if target == "*" {
		return "every other procedure"
	}
	if _, ok := s.methods[target]; ok {
		return "methods of " + target + " that the schema does not have"
	}
	if strings.HasSuffix(target, ".*") {
		return "other procedures of " + target
	}
	return target
}

// places returns the places of a difference, in brackets: first that in the policy which grants it.
func (s *Sentences) places(d Difference) string {
	here, there, label := d.New, d.Old, "before"
	if !d.Gained {
		here, there = d.Old, d.New
		label = "now"
	}
	var parts []string
	if text := placeText(here); text != "" {
		parts = append(parts, text)
	}
	if text := placeText(there); text != "" {
		parts = append(parts, label+": "+text)
	}
	if parts == nil {
		return ""
	}
	return " (" + strings.Join(parts, "; ") + ")"
}

// placeText returns a place as file:line:column, or as a field if the file is not known; empty for a
// built-in value.
func placeText(p rules.Place) string {
	text := p.Field
	switch {
	case p.Field == "" && p.File == "":
		return ""
	case p.File != "" && p.Line > 0:
		text = fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	case p.File != "":
		text = p.File + ": " + p.Field
	}
	if p.Variable != "" {
		text += ", from the environment variable " + p.Variable
	}
	return text
}
