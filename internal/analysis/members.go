package analysis

import (
	"maps"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/route"
)

// members are the targets of a set of calls.
type members struct {
	everything bool // every procedure and every path of a rule
	star       bool // every procedure that the selector * covers
	selectors  map[string]bool
	prefixes   []string // below which procedures are served too
	patterns   []route.Pattern
	table      *route.Table[bool] // of the patterns
}

// newMembers returns the targets of CallSet.Calls. Patterns that are not valid, or conflict with one before
// them, are left out: the caller has checked them.
func newMembers(calls, prefixes []string, never bool) *members {
	m := &members{prefixes: prefixes, selectors: map[string]bool{}, table: route.New(route.Config[bool]{Same: func(_, _ bool) bool { return true }})}
	if len(calls) == 0 {
		calls = []string{"*"}
	}
	for _, call := range calls {
		switch {
		case call == "*":
			m.everything, m.star = m.everything || never, m.star || !never
		case strings.HasPrefix(call, "/"):
			if pattern, problem := route.ParsePattern(call); problem == nil && m.table.AddPattern(pattern, true) == nil {
				m.patterns = append(m.patterns, pattern)
			}
		default:
			m.selectors[call] = true
		}
	}
	return m
}

// addTo adds the names and patterns to a universe, so that it has samples of them.
func (m *members) addTo(u *universe) {
	maps.Copy(u.selectors, m.selectors)
	u.patterns[1] = append(u.patterns[1], m.patterns...)
}

// has reports whether requests for a sample's path, with which a policy does what g says, are calls of the
// set. Requests for the path of a procedure that cannot be RPC calls are not, unless a path rule governs it.
func (m *members) has(s sample, g *governed, requests requestKind) bool {
	if match, _, verdict := m.table.Find(s.path, s.escaped, false); verdict == route.Clear && match.Kind == route.Path {
		return s.service == "" || requests != noCalls
	}
	if g.pattern != "" && m.everything {
		return true
	}
	service, method := s.service, s.method
	if service == "" {
		service, method = m.procedureOf(s.path)
	}
	if service == "" || requests == noCalls {
		return false
	}
	return s.service != "" && (m.everything || m.star && !route.IsOperational(s.procedure())) || m.selects(service, service+"."+method)
}

// procedureOf returns the service and the method of a path that has the form of a procedure's.
func (m *members) procedureOf(path string) (service, method string) {
	for _, prefix := range append([]string{""}, m.prefixes...) {
		below, _ := strings.CutPrefix(path, prefix+"/")
		service, method, _ = strings.Cut(below, "/")
		if reason, _ := route.CheckSelector(service); reason == "" && strings.Contains(service, ".") && !strings.HasSuffix(service, "*") && route.IsIdentifier(method) {
			return service, method
		}
	}
	return "", ""
}

// selects reports whether a selector covers a procedure.
func (m *members) selects(service, procedure string) bool {
	if m.selectors[service] || m.selectors[procedure] {
		return true
	}
	for pkg := service; pkg != ""; pkg = route.ParentName(pkg) {
		if m.selectors[pkg+".*"] {
			return true
		}
	}
	return false
}
