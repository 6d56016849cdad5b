package analysis

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// policy is one of the policies that are analysed, with the table that resolves paths to its rules.
type policy struct {
	*rules.Rules
	table *route.Table[*rules.Effective]
	facts map[*rules.Effective]*facts
}

func newPolicy(r *rules.Rules) *policy {
	return &policy{
		Rules: r, facts: map[*rules.Effective]*facts{},
		table: rules.Routes(r, func(a, b *rules.Effective) bool { return a == b }, func(t rules.Target) *rules.Effective { return t.Rule }),
	}
}

// governed is what a policy does with the requests for a path.
type governed struct {
	*facts         // of the rule; those of a rule without origins if no rule applies or readings of the path differ
	byRule  bool   // a rule applies
	open    bool   // no rule applies, or the policy only observes: requests that are not granted reach the handler
	pattern string // of the path rule; empty if there is none
	images  bool   // a GET without Origin that is not a navigation reaches the handler
	links   bool   // a GET without Origin that is a navigation reaches the handler
	host    bool   // every request that is same-origin by its Host header reaches the handler
}

// key is equal for requests with which the policy does the same.
func (g *governed) key() governedKey {
	return governedKey{g.facts, g.byRule, g.open, g.images, g.links, g.host}
}

type governedKey struct {
	*facts
	byRule, open, images, links, host bool
}

// resolve returns what the policy does with requests for a path. mayBeCall is as in route.Table.Find.
func (p *policy) resolve(s sample, mayBeCall bool) *governed {
	if e, ok := p.table.Exact(s.path, s.escaped); ok {
		g := p.byRule(e)
		if e.Kind().Path {
			g.pattern = s.path
		}
		return g
	}
	first, _, verdict := p.table.Find(s.path, s.escaped, mayBeCall)
	switch {
	case verdict == route.Clear && first.Kind == route.None:
		return &governed{facts: noFacts, open: true, images: true, links: true, host: true}
	case verdict == route.Clear:
		g := p.byRule(first.Value)
		if first.Kind == route.Path {
			g.pattern = first.Name
		}
		return g
	}
	g := &governed{facts: noFacts, open: p.Observes, images: true, links: true, host: true}
	verdict = p.table.Each(s.path, s.escaped, mayBeCall, func(m route.Match[*rules.Effective]) bool {
		if m.Ambiguous {
			return false
		}
		if m.Kind != route.None {
			read := p.byRule(m.Value)
			g.images, g.links = g.images && read.images, g.links && read.links
			g.host = g.host && !m.Value.ServesMCP() // the layer does not look at the rule of one reading
		}
		return true
	})
	if verdict != route.Clear {
		g.images, g.links = false, false
		g.host = !slices.ContainsFunc(p.Paths, func(path rules.Path) bool { return path.Rule.ServesMCP() })
	}
	g.images, g.links, g.host = g.images || g.open, g.links || g.open, g.host || g.open
	return g
}

// byRule returns what the policy does with the requests that a rule governs.
func (p *policy) byRule(e *rules.Effective) *governed {
	f := p.facts[e]
	if f == nil {
		f = newFacts(e)
		p.facts[e] = f
	}
	g := &governed{facts: f, byRule: true, open: p.Observes, links: !e.Disabled() && (f.plain || f.origins.Any() != 0), host: !e.ServesMCP() || f.origins.Any() != 0}
	g.images = g.links && !(f.plain && f.credentials)
	g.images, g.links, g.host = g.images || g.open, g.links || g.open, g.host || g.open
	return g
}

// facts are what an effective rule grants.
type facts struct {
	rule        *rules.Effective // nil for noFacts
	path        bool
	plain       bool        // of a path that does not serve MCP, so that its requests need not be calls of RPC clients
	origins     *origin.Set // empty if the rule is disabled
	atoms       []string    // the sources and the unset variables (as ${NAME}) whose origins are allowed, sorted
	credentials bool
	timing      bool
	maxAge      int64 // seconds
	methods     []string
	granted     rules.GrantedHeaders
	exposed     rules.ExposedHeaders
	present     bool
	requestKey  string // equal for rules that grant the same request headers
	exposedKey  string // equal for rules that expose the same response headers
}

// noFacts are the facts of a rule that grants nothing.
var noFacts = &facts{origins: origin.NewSet(nil)}

// simpleMethods are the methods that browsers send without a preflight, so that a procedure, whose
// handler decides about methods, gets them.
var simpleMethods = []string{http.MethodPost, http.MethodGet, http.MethodHead}

func newFacts(e *rules.Effective) *facts {
	f := &facts{
		rule: e, path: e.Kind().Path, plain: e.Kind().Path && !e.ServesMCP(), origins: e.Origins(), credentials: e.Credentials(), timing: e.Timing(), maxAge: int64(e.MaxAge().Seconds()),
		methods: e.Methods(), granted: e.GrantedHeaders(), exposed: e.ExposedHeaders(), present: e.Present(),
	}
	if !f.path {
		f.methods = simpleMethods
	}
	if e.Disabled() {
		f.origins = noFacts.origins
	} else {
		f.atoms = slices.Clone(e.Sources())
		for _, v := range e.Unset() {
			f.atoms = append(f.atoms, "${"+v.Name+"}")
		}
		slices.Sort(f.atoms)
		f.atoms = slices.Compact(f.atoms)
	}
	f.requestKey = fmt.Sprint(f.granted.Names(), e.Protocols(), e.RequestHeaders().Canonical(true))
	f.exposedKey = fmt.Sprint(f.exposed.Names(), e.Protocols(), f.present, e.ResponseHeaders().Canonical(false))
	return f
}

// allowsAnyone reports whether the rule allows an origin.
func (f *facts) allowsAnyone() bool { return f.origins.Len() > 0 || len(f.atoms) > 0 }
