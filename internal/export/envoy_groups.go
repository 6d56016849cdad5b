package export

import (
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/regexpsyntax"
)

const (
	// envoyRoutes is the number of granted procedures from which they share routes. Envoy tries routes one after the other, and
	// copies an answer for each of its aliases: 10,000 routes take 9 GB to load.
	envoyRoutes = 100
	// envoyGroup is the number of services in a route. It bounds the size of the regular expression.
	envoyGroup = 100
)

// routeGroup is a route for procedures of several services with one answer.
type routeGroup struct {
	answer   *Answer
	services []serviceGroup
}

// serviceGroup is the path of a service, with its prefix and the slash behind it, and names of its methods.
type serviceGroup struct {
	path    string
	methods []string
}

// isGrantedProcedure reports whether the route is that of a procedure that somebody may call.
func (r *Route) isGrantedProcedure() bool { return r.Path != "" && r.Answer != nil && !r.Answer.ToPath }

// grouped returns the routes of granted procedures by answer if there are many.
func (m *Model) grouped() (groups []routeGroup) {
	n := 0
	for i := range m.Routes {
		if m.Routes[i].isGrantedProcedure() {
			n++
		}
	}
	if n <= envoyRoutes {
		return nil
	}
	last := map[*Answer]int{} // the index of the answer's group that is not full
	for i := range m.Routes {
		r := &m.Routes[i]
		if !r.isGrantedProcedure() {
			continue
		}
		slash := strings.LastIndexByte(r.Path, '/') + 1
		path, method := r.Path[:slash], r.Path[slash:]
		at, ok := last[r.Answer]
		if !ok || len(groups[at].services) == envoyGroup && groups[at].services[envoyGroup-1].path != path {
			at = len(groups)
			last[r.Answer] = at
			groups = append(groups, routeGroup{answer: r.Answer})
		}
		services := &groups[at].services
		if n := len(*services); n == 0 || (*services)[n-1].path != path {
			*services = append(*services, serviceGroup{path: path})
		}
		s := &(*services)[len(*services)-1]
		s.methods = append(s.methods, method)
	}
	slices.SortStableFunc(groups, func(a, b routeGroup) int { return a.answer.ID - b.answer.ID })
	return groups
}

// group adds a route for procedures of several services: a line for each service.
func (t *envoyText) group(g *routeGroup) {
	t.large = true
	t.line(4, "- match:")
	t.line(8, "safe_regex:")
	t.line(10, `regex: "(?:\`)
	for i, s := range g.services {
		separator := "|"
		if i == len(g.services)-1 {
			separator = ""
		}
		t.line(12, `%s(?:%s)%s\`, regexpsyntax.Literal(s.path), strings.Join(s.methods, "|"), separator)
	}
	t.line(12, `)"`)
	t.answered(g.answer)
}
