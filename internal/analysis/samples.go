package analysis

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// sample is a request path that stands for all paths to which the same rules apply.
type sample struct {
	// label is the target as in Difference.Targets; empty for a path, whose label is the pattern that
	// matches it.
	label string
	// service and method are those of the procedure; empty for a path.
	service, method string
	// path is the path of the request, and escaped its escaped form if that differs from the default.
	path, escaped string
}

// procedure returns the full name of the sample's procedure; empty for a path.
func (s sample) procedure() string {
	if s.service == "" {
		return ""
	}
	return s.service + "." + s.method
}

// universe holds the names and patterns that policies, or a question about one, tell apart.
type universe struct {
	methods   map[string]sample  // the procedures of the schemas
	services  map[string]bool    // of the schemas
	selectors map[string]bool    // other than *
	prefixes  map[string]int     // the number of sides that have each
	patterns  [2][]route.Pattern // of the first and of the second side
}

func newUniverse() *universe {
	return &universe{methods: map[string]sample{}, services: map[string]bool{}, selectors: map[string]bool{}, prefixes: map[string]int{"": 2}}
}

// addRules adds what the rules of one side tell apart.
func (u *universe) addRules(side int, r *rules.Rules) {
	for _, m := range r.Procedures {
		u.methods[m.Name] = sample{label: m.Name, service: m.Service, method: m.Method}
	}
	for _, service := range r.Services {
		u.services[service] = true
	}
	for _, s := range r.Selectors {
		u.selectors[s.Name] = true
	}
	for _, prefix := range r.Prefixes {
		u.prefixes[prefix]++
	}
	for _, p := range r.Paths {
		u.patterns[side] = append(u.patterns[side], p.Pattern)
	}
}

// samples returns a sample of each set of paths that the universe tells apart, the procedures first. It
// returns false if there are too many.
func (u *universe) samples() (all []sample, complete bool) {
	procedures := u.procedures()
	for _, prefix := range slices.Sorted(maps.Keys(u.prefixes)) {
		for _, s := range procedures {
			s.path = prefix + "/" + s.service + "/" + s.method
			if prefix != "" && u.prefixes[prefix] == 1 {
				s.label = s.path // procedures are served there under one of the two policies only
			}
			all = append(all, s)
		}
	}
	paths, complete := route.Samples(u.patterns[0], u.patterns[1], slices.Sorted(maps.Keys(u.prefixes)))
	for _, p := range paths {
		if p.LetterCase {
			continue // clients spell paths as patterns do
		}
		all = append(all, sample{path: p.Path, escaped: p.RawPath})
	}
	return all, complete
}

// procedures returns a sample of each set of procedures that the universe tells apart.
func (u *universe) procedures() (all []sample) {
	for _, name := range slices.Sorted(maps.Keys(u.methods)) {
		all = append(all, u.methods[name])
	}
	names := slices.Concat(slices.Collect(maps.Keys(u.services)), slices.Collect(maps.Keys(u.selectors)), slices.Collect(rpc.OperationalServices()))
	slices.Sort(names)
	fresh := u.freshName()
	for _, name := range slices.Compact(names) {
		if pkg, ok := strings.CutSuffix(name, ".*"); ok {
			all = append(all, sample{label: name, service: pkg + "." + fresh, method: fresh})
			continue
		}
		if _, known := u.methods[name]; known {
			continue // a method has no methods
		}
		parent := route.ParentName(name)
		asMethod := sample{label: name, service: parent, method: strings.TrimPrefix(name[len(parent):], ".")}
		isMethod := parent != "" && u.selectors[name] && !u.services[name] && !rpc.IsOperational(name)
		if isMethod && (u.services[parent] || rpc.IsOperational(parent)) {
			all = append(all, asMethod) // a name within a service is a method and not a service
			continue
		}
		if isMethod && u.selectors[parent] {
			all = append(all, asMethod) // first, since it is probably not a service
			isMethod = false
		}
		all = append(all, sample{label: name, service: name, method: fresh})
		if isMethod {
			all = append(all, asMethod)
		}
	}
	return append(all, sample{label: "*", service: "corsrpc." + fresh, method: fresh})
}

// freshName returns an identifier that is part of no name of the universe.
func (u *universe) freshName() string {
	used := func(name string) bool {
		for _, names := range []map[string]bool{u.services, u.selectors} {
			for n := range names {
				if strings.Contains(strings.ToLower(n), strings.ToLower(name)) {
					return true
				}
			}
		}
		for n := range u.methods {
			if strings.Contains(strings.ToLower(n), strings.ToLower(name)) {
				return true
			}
		}
		return false
	}
	name := "Witness"
	for i := 2; used(name); i++ {
		name = fmt.Sprintf("Witness%d", i)
	}
	return name
}
