package analysis

import (
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/route"
)

// members are the targets of a set of calls.
type members struct {
	everything bool // every procedure and every path of a rule
	star       bool // every procedure that the selector * covers
	selectors  []string
	patterns   []route.Pattern
	table      *route.Table[bool] // of the patterns
}

// newMembers returns the targets of CallSet.Calls. Patterns that are not valid, or conflict with one before
// them, are left out: the caller has checked them.
func newMembers(calls []string, never bool) *members {
	m := &members{table: route.New(route.Config[bool]{Same: func(_, _ bool) bool { return true }})}
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
			m.selectors = append(m.selectors, call)
		}
	}
	return m
}

// addTo adds the names and patterns to a universe, so that it has samples of them.
func (m *members) addTo(u *universe) {
	for _, selector := range m.selectors {
		u.selectors[selector] = true
	}
	u.patterns[1] = append(u.patterns[1], m.patterns...)
}

// has reports whether requests for a sample's path, with which a policy does what g says, are calls of the
// set. Requests for the path of a procedure that cannot be RPC calls are not.
func (m *members) has(s sample, g *governed, requests requestKind) bool {
	if s.service != "" && requests == noCalls {
		return false
	}
	if match, _, verdict := m.table.Find(s.path, s.escaped, false); verdict == route.Clear && match.Kind == route.Path {
		return true
	}
	if s.service == "" {
		return m.everything && g.pattern != ""
	}
	return m.everything || m.star && !route.IsOperational(s.procedure()) || m.selects(s)
}

// selects reports whether a selector covers the sample's procedure.
func (m *members) selects(s sample) bool {
	for _, selector := range m.selectors {
		pkg, isPackage := strings.CutSuffix(selector, ".*")
		if selector == s.service || selector == s.procedure() || isPackage && strings.HasPrefix(s.service, pkg+".") {
			return true
		}
	}
	return false
}
