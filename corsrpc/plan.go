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

// Plan is a compiled policy: it has the finished response fields for every procedure and path.
// Its decisions never change, but it holds caches that requests write. It is safe for concurrent
// use. Compile makes plans. The zero value is not usable: most of its methods panic.
type Plan struct {
	rules     *rules.Rules // the compiled policy with its positions, for explanations; decisions do not read it
	profile   string       // the name of the chosen profile; empty if there is none
	routes    *route.Table[*target]
	noOrigins *target // allows no other origin; for CheckOrigin on paths that no rule applies to
	unbounded *target // for paths that are too long or have too many readings
	servesMCP bool    // a path rule has protocols: [MCP]

	// For remedies of requests that no rule governs: the targets of a path, of a procedure and of an
	// operational one, outside the schema, that a rule would govern which sets nothing.
	newPath, newProcedure, newOperational *target

	sourceNames  []string              // the names of the sources that the rules use, sorted
	sets         map[string]*sourceSet // the current set of each source; nil for a source that was not loaded
	observes     bool                  // enforcement is OBSERVE: refusals are reported, not enforced
	shadow       *Plan                 // the candidate plan; nil if there is none
	namedOrigins func() []*origin.Set  // sets that together match the origins which the rules name or match by a pattern, computed once
	digest       func() string         // Digest, computed once
	findings     func() findings       // Findings, computed once
}

// missing reports whether the plan is nil or the zero Plan.
func (p *Plan) missing() bool { return p == nil || p.routes == nil }

// Policy returns a copy of the policy that the plan was compiled from. Compiling the copy with the
// same options gives an equal plan.
func (p *Plan) Policy() *corsrpcv1.Policy { return p.rules.Policy() }

// Digest returns an identifier of the plan: "sha256:" and 64 hexadecimal digits. Plans with equal
// digests decide every request alike, if their origin sources have the same origins. The digest
// covers everything else that decisions depend on: the effective rules, environment values, the
// profile, the enforcement, path prefixes, the services and procedures of the schema, and the
// version of corsrpc in the program. It does not cover the origins of sources, comments, the order
// of rules, or the shadow policy, which has a digest of its own (Shadow).
func (p *Plan) Digest() string { return p.digest() }

// PolicySize returns the approximate size of the policy in protobuf's binary format, in bytes. It
// does not copy the policy, so tools can call it before they call Policy.
func (p *Plan) PolicySize() int { return p.rules.PolicySize() }

// Profile returns the name of the profile that was chosen; empty if there is none.
func (p *Plan) Profile() string { return p.profile }

// Enforced reports whether the plan refuses requests. It is false if the policy has enforcement:
// OBSERVE: refusals are then reported only.
func (p *Plan) Enforced() bool { return !p.observes }

// Shadow returns the candidate plan, which decides every request too and is never applied: the
// policy's own shadow, which WithShadow replaces in the plan of a layer. It is nil if there is none.
func (p *Plan) Shadow() *Plan { return p.shadow }

// Sources returns the names of the origin sources that the rules of the plan and of its shadow
// have in allow_origins_from, sorted.
func (p *Plan) Sources() []string {
	names := slices.Clone(p.sourceNames)
	if p.shadow != nil {
		names = append(names, p.shadow.sourceNames...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// WithSets returns a copy of the plan with origins for its sources, by source name. Like a layer,
// it ignores rows that are not exact https origins. It is for tests and tools that decide without a
// layer.
func (p *Plan) WithSets(origins map[string][]string) *Plan {
	sets := map[string]*sourceSet{}
	for name, rows := range origins {
		set := &sourceSet{origins: origin.NewTable()}
		for _, row := range rows {
			if origin.IsTenant(row) {
				set.origins.Add(row)
			}
		}
		sets[name] = set
	}
	bound := *p
	bound.sets = sets
	return &bound
}

// findExact returns the target of a path that is spelled as a procedure or a path rule is; nil for all other paths.
func (p *Plan) findExact(r *http.Request) *target {
	t, _ := p.routes.Exact(pathOf(r.URL), r.URL.RawPath)
	return t
}

// find returns the target of a request's path. If the path is that of a known procedure, spelled
// as generated clients spell it, find takes one map lookup.
func (p *Plan) find(r *Request) *target {
	if t, ok := p.routes.Exact(r.Path, r.EscapedPath); ok {
		return t
	}
	return p.findInReadings(r)
}

// findInReadings is find for a path that findExact does not find.
func (p *Plan) findInReadings(r *Request) *target {
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

// varyOfReadings returns the request fields that the response to a GET or HEAD depends on if the
// readings of its path differ.
func (p *Plan) varyOfReadings(r *Request, calls bool) string {
	vary := varyBySite
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return vary // other methods get no Vary field
	}
	p.routes.Each(r.Path, r.EscapedPath, calls, func(m route.Match[*target]) bool {
		if m.Kind != route.None && m.Value.grant.vary == varyByMode {
			vary = varyByMode
		}
		return true
	})
	return vary
}

// missingPrefix returns the part of a path that precedes the path of a procedure of the schema, or of a
// service that a rule names, and false if there is none.
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
	prefix, procedure := path[:service], path[service:]
	if t, ok := p.routes.Exact(procedure, ""); ok {
		return prefix, t.kind == targetProcedure
	}
	m, _, verdict := p.routes.Find(procedure, "", true)
	if verdict != route.Clear || m.Kind != route.Procedure {
		return "", false
	}
	_, ok := m.Value.rule.NarrowestRule() // false for a name that only defaults or * cover
	return prefix, ok
}
