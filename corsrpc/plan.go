package corsrpc

import (
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// Plan is a compiled policy: for every procedure and path, the finished
// answer. What it answers never changes; it holds caches that requests write. It is safe for
// concurrent use. Compile makes plans; the zero value is of no use, and most of its methods
// panic.
type Plan struct {
	rules     *rules.Rules // what the policy says, and where: for explanations, which no answer depends on
	profile   string       // the chosen one; empty for none
	routes    *route.Table[*target]
	noOrigins *target // of what no rule is about
	unbounded *target // of paths that are too long, or have too many readings

	sourceNames []string              // that rules name, sorted
	sets        map[string]*sourceSet // what they streamed; none before
	observes    bool                  // nothing is refused, only reported
	shadow      *Plan                 // the candidate; nil for none
	explain     bool                  // answers of refusals explain themselves: a layer that has the plan was made with WithExplain
	digest      func() string         // worked out once, when it is asked for
}

// missing reports whether Compile did not make the plan.
func (p *Plan) missing() bool { return p == nil || p.routes == nil }

// Policy returns a copy of the policy that the plan was compiled from.
// Compiling it again with the same options gives an equal plan.
func (p *Plan) Policy() *corsrpcv1.Policy { return p.rules.Policy() }

// Digest returns an identity of the plan, "sha256:" and 64 hexadecimal digits: plans with the
// same digest decide alike on every request, as long as their origin sources hold the same. It
// is over all that a decision depends on: the effective rules, environment values, the profile,
// the enforcement, path prefixes, the schema's services and procedures, and the version of
// corsrpc that the program was built with. It is not over the origins of sources, comments, the
// order of rules, or the shadow policy: Shadow has its own.
func (p *Plan) Digest() string { return p.digest() }

// PolicySize returns about how many bytes the policy has in protobuf's binary format. It
// makes no copy, so that tools can find out whether Policy returns more than they have
// room for.
func (p *Plan) PolicySize() int { return p.rules.PolicySize() }

// Profile returns the name of the policy's profile that was chosen; empty for none.
func (p *Plan) Profile() string { return p.profile }

// Enforced reports whether the plan refuses requests: it does not where the policy says
// enforcement: OBSERVE, and its refusals are reported only.
func (p *Plan) Enforced() bool { return !p.observes }

// Shadow returns the candidate plan that is decided next to this one and never applied:
// the policy's own shadow, or in a layer's plan the one of WithShadow. It is nil for none.
func (p *Plan) Shadow() *Plan { return p.shadow }

// Sources returns the names of the origin sources that the plan's rules, and its
// shadow's, have in allow_origins_from.
func (p *Plan) Sources() []string {
	names := slices.Clone(p.sourceNames)
	if p.shadow != nil {
		names = append(names, p.shadow.sourceNames...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// WithSets returns the plan with origins for its sources, by their names, as a layer
// reads them: rows that are not exact origins count for nothing. It is for deciding without
// a layer, in tests and tools.
func (p *Plan) WithSets(origins map[string][]string) *Plan {
	sets := map[string]*sourceSet{}
	for name, rows := range origins {
		set := &sourceSet{origins: origin.NewTable()}
		for _, row := range rows {
			if isTenantOrigin(row) {
				set.origins.Add(row)
			}
		}
		sets[name] = set
	}
	bound := *p
	bound.sets = sets
	return &bound
}

// find returns the target of a request's path. The path of a known procedure, spelled as
// generated clients spell it, takes one map lookup.
func (p *Plan) find(r *Request) *target {
	if t, ok := p.routes.Exact(r.Path, r.EscapedPath); ok {
		return t
	}
	calls := canBeCall(r)
	first, other, verdict := p.routes.Find(r.Path, r.EscapedPath, calls)
	switch {
	case verdict == route.Unbounded:
		return p.unbounded
	case verdict == route.Differs:
		t := *p.unbounded
		t.ambiguity = &ambiguousPath{
			first: first, other: other, vary: p.varyOfReadings(r, calls), routes: p.routes, path: r.Path, escaped: r.EscapedPath, calls: calls,
		}
		return &t
	case first.Kind == route.None:
		return ungoverned
	case first.Kind == route.Path || first.Value.known:
		return first.Value
	}
	t := *first.Value
	t.name, t.known = first.Name, first.Known
	return &t
}

// varyOfReadings returns what the answer to a GET or HEAD depends on, of a path whose
// readings differ.
func (p *Plan) varyOfReadings(r *Request, calls bool) string {
	vary := varyBySite
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return vary // which no answer says
	}
	p.routes.Each(r.Path, r.EscapedPath, calls, func(m route.Match[*target]) bool {
		if m.Kind != route.None && m.Value.grant.vary == varyByMode {
			vary = varyByMode
		}
		return true
	})
	return vary
}

// missingPrefix returns what stands before a known procedure's path in a
// path that is not governed.
func (p *Plan) missingPrefix(path string) (string, bool) {
	if len(path) > route.MaxPath {
		return "", false
	}
	method := strings.LastIndexByte(path, '/')
	if method <= 0 {
		return "", false
	}
	service := strings.LastIndexByte(path[:method], '/')
	if service <= 0 {
		return "", false
	}
	t, ok := p.routes.Exact(path[service:], "")
	return path[:service], ok && t.kind == targetProcedure
}
