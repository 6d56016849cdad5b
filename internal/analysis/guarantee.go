package analysis

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// CallSet is a set of calls. A call is in the set if each field that is set contains it.
type CallSet struct {
	// Calls are selectors, and paths or patterns of paths; empty for "*". For Never, "*" is every
	// procedure and every path of a rule; for Always it is what the selector "*" of a policy covers.
	Calls []string
	// Origins are the origins of the pages; empty for every origin that exists.
	Origins []origin.Pattern
	// OriginsOutside are the origins that the set does not have. They count only if Origins is empty.
	OriginsOutside []origin.Pattern
	// ExceptSources are the origin sources, and the environment variables as ${NAME}, whose origins
	// are not in the set.
	ExceptSources []string
	// Credentials is whether the calls carry credentials; nil for both kinds under Never, and for those
	// without credentials under Always.
	Credentials *bool
	// RequestHeaders are names of request headers, in lower case, all of which each call has.
	RequestHeaders []string
	// ResponseHeaders are names of response headers, in lower case: Never is about calls that let the
	// script read any of them, Always about all.
	ResponseHeaders []string
	// Methods are the HTTP methods of the calls; empty for POST and GET of procedures and the methods of
	// the rules of paths.
	Methods []string
}

// Proof is the result of Never or Always.
type Proof struct {
	// Holds is true if the guarantee holds.
	Holds bool
	// Undecided says why it could not be decided; empty if it could.
	Undecided string
	// Reason says what contradicts the guarantee, as a sentence; empty if it holds.
	Reason string
	// Place is the place in the policy that contradicts the guarantee, if there is one.
	Place rules.Place
	// Target is the target of the counterexample, as in Difference.Targets.
	Target string
	// Counterexample is a call of the set that is granted (Never), or is not (Always).
	Counterexample Call
}

// Never proves that no call of a set is granted, or returns a counterexample. A path that no rule
// governs, and a policy that only observes, are counterexamples too, since calls reach the handler.
func Never(r *rules.Rules, set CallSet) Proof { return newProver(r, set, true).prove((*prover).never) }

// Always proves that every call of a set is granted, or returns a counterexample.
func Always(r *rules.Rules, set CallSet) Proof {
	return newProver(r, set, false).prove((*prover).always)
}

// prover proves one guarantee.
type prover struct {
	policy           *policy
	set              CallSet
	members          *members
	origins, outside *origin.Set // nil if the set does not have them
	undecided        string
	checked          map[checkedKey]bool

	// The results for the origins of a rule, since many rules share them.
	allowedBy map[allowedKey]allowedOrigin
	refusedBy map[*origin.Set]string
}

// allowedKey identifies the origins of a rule.
type allowedKey struct {
	origins *origin.Set
	atoms   string
}

// allowedOrigin is an origin of the set that a rule allows, with the index of its pattern or the atom that may
// have it. The origin is empty if there is none.
type allowedOrigin struct {
	witness string
	index   int
	atom    string
}

// checkedKey is equal for requests for which the guarantee has the same result.
type checkedKey struct {
	governedKey
	requests requestKind
}

func newProver(r *rules.Rules, set CallSet, never bool) *prover {
	p := &prover{policy: newPolicy(r), set: set, members: newMembers(set.Calls, r.Prefixes, never), checked: map[checkedKey]bool{}, allowedBy: map[allowedKey]allowedOrigin{}, refusedBy: map[*origin.Set]string{}}
	if len(set.Origins) > 0 {
		p.origins = origin.NewSet(set.Origins)
	}
	if len(set.OriginsOutside) > 0 {
		p.outside = origin.NewSet(set.OriginsOutside)
	}
	return p
}

// prove looks for a target that contradicts the guarantee.
func (p *prover) prove(contradicts func(*prover, *governed, sample, requestKind) (Proof, bool)) Proof {
	u := newUniverse()
	u.addRules(0, p.policy.Rules)
	p.members.addTo(u)
	samples, complete := u.samples()
	if !complete {
		p.undecided = "there are too many pairs of path patterns that overlap to look at each of them"
	}
	for _, s := range samples {
		for _, r := range kinds(s, p.policy) {
			g := r.sides[0]
			key := checkedKey{g.key(), r.requests}
			if !p.members.has(s, g, r.requests) || p.checked[key] {
				continue
			}
			p.checked[key] = true
			if proof, ok := contradicts(p, g, s, r.requests); ok {
				proof.Target = labelOf(s, r.sides)
				return proof
			}
		}
	}
	return Proof{Holds: p.undecided == "", Undecided: p.undecided}
}

// methodsOf returns the methods of the set's calls for a target, those with a simple meaning first.
func (p *prover) methodsOf(g *governed, requests requestKind) []string {
	methods := p.set.Methods
	switch {
	case len(methods) > 0:
	case g.rule != nil && g.path:
		methods = g.methods
	default:
		methods = []string{http.MethodPost, http.MethodGet}
	}
	return possible(methods, requests)
}

// never returns a call of the set that the policy grants, or that reaches the handler since no rule
// governs it.
func (p *prover) never(g *governed, s sample, requests requestKind) (Proof, bool) {
	methods := p.methodsOf(g, requests)
	if len(methods) == 0 {
		return Proof{}, false
	}
	if g.open {
		if witness, ok := p.anyOrigin(); ok {
			return p.openProof(g, newCall(s, requests, witness, methods[0], nil)), true
		}
	}
	if g.rule == nil || !p.grantsFeatures(g) {
		return Proof{}, false
	}
	if methods = intersection(methods, g.methods); len(methods) == 0 {
		return Proof{}, false
	}
	found := p.allowed(g.facts)
	if found.witness == "" {
		return Proof{}, false
	}
	var atoms []string
	at := atomPlace(g.rule, found.atom)
	if found.atom != "" {
		atoms = []string{found.atom}
	} else {
		at = g.rule.OriginPlace(found.index)
	}
	call := newCall(s, requests, found.witness, methods[0], atoms)
	call.RequestHeaders = p.set.RequestHeaders
	call.Credentials = p.set.Credentials != nil && *p.set.Credentials
	call.ResponseHeader = p.shown(g.facts)
	return Proof{Reason: p.grantedReason(call, found.atom), Place: at, Counterexample: call}, true
}

// grantsFeatures reports whether the rule grants calls with the credentials and headers of the set to the
// origins that it allows.
func (p *prover) grantsFeatures(g *governed) bool {
	if p.set.Credentials != nil && *p.set.Credentials && !g.credentials {
		return false
	}
	for _, name := range p.set.RequestHeaders {
		if !g.granted.Grants(name) {
			return false
		}
	}
	return len(p.set.ResponseHeaders) == 0 || p.shown(g.facts) != ""
}

// shown returns the first of the set's response headers that a script may read; empty if there is none.
func (p *prover) shown(f *facts) string {
	for _, name := range p.set.ResponseHeaders {
		if f.rule != nil && f.readable(name) {
			return name
		}
	}
	return ""
}

// anyOrigin returns an origin of the set.
func (p *prover) anyOrigin() (string, bool) {
	switch {
	case p.origins != nil:
		for _, pattern := range p.set.Origins { // one whose hosts would be too long matches none
			if witness, verdict := origin.NewSet(nil).Outside(pattern); verdict == origin.Missed {
				return witness, true
			}
		}
		return "", false
	case p.outside != nil:
		return foreignOrigin(p.outside), p.outside.Any() == 0
	}
	return foreignOrigin(origin.NewSet(nil)), true
}

// allowed returns an origin of the set that the rule allows.
func (p *prover) allowed(f *facts) allowedOrigin {
	key := allowedKey{f.origins, strings.Join(f.atoms, " ")}
	found, ok := p.allowedBy[key]
	if !ok {
		found = p.findAllowed(f)
		p.allowedBy[key] = found
	}
	return found
}

// findAllowed is allowed for origins that no rule had before.
func (p *prover) findAllowed(f *facts) allowedOrigin {
	if p.origins != nil {
		witness, verdict := origin.Common(f.origins, p.origins)
		if verdict == origin.OverlapUndecided {
			p.undecided = "the origins of a rule have too many stars to compare them with origins"
		}
		if id, ok := f.origins.Match(witness); ok && verdict == origin.Overlapping {
			return allowedOrigin{witness: witness, index: f.origins.Index(id)}
		}
	} else if found := p.findOutside(f.origins); found.witness != "" {
		return found
	}
	for _, atom := range f.atoms {
		if slices.Contains(p.set.ExceptSources, atom) {
			continue
		}
		if witness := p.rowOf(atom); witness != "" {
			return allowedOrigin{witness: witness, atom: atom}
		}
	}
	return allowedOrigin{}
}

// findOutside returns an origin of a rule that OriginsOutside does not have.
func (p *prover) findOutside(origins *origin.Set) allowedOrigin {
	outside := p.outside
	if outside == nil {
		outside = origin.NewSet(nil)
	}
	for i, text := range origins.Patterns().All {
		pattern, _ := origin.ParsePattern(text)
		switch witness, verdict := outside.Outside(pattern); verdict {
		case origin.Missed:
			return allowedOrigin{witness: witness, index: i}
		case origin.Undecided:
			p.undecided = "the pattern " + pattern.String() + " has too many stars to compare it with origins_outside"
		}
	}
	return allowedOrigin{}
}

// rowOf returns an origin of the set that an atom may have; empty if there is none.
func (p *prover) rowOf(atom string) string {
	switch {
	case p.origins != nil:
		return possibleRow(atom, p.origins)
	case p.outside == nil:
		return foreignOrigin(origin.NewSet(nil))
	case p.outside.Any() != 0:
		return ""
	}
	return foreignOrigin(p.outside)
}

// openProof is the proof of a call that reaches the handler although no rule grants it.
func (p *prover) openProof(g *governed, call Call) Proof {
	if g.rule != nil || g.byRule {
		return Proof{Reason: "enforcement: OBSERVE lets every call reach the handler", Place: p.policy.Place("enforcement"), Counterexample: call}
	}
	return Proof{Reason: "no rule governs " + call.Path + ", so that calls of every page reach the handler", Counterexample: call}
}

// grantedReason describes a call that is granted.
func (p *prover) grantedReason(c Call, atom string) string {
	text := "pages of " + c.Origin + " may call " + c.Path
	if atom != "" {
		text = fmt.Sprintf("pages of the origins of %s, which are not known, may call %s", strings.Trim(atom, "${}"), c.Path)
	}
	if c.Credentials {
		text += " with credentials"
	}
	if len(c.RequestHeaders) > 0 {
		text += " with " + strings.Join(c.RequestHeaders, ", ")
	}
	if c.ResponseHeader != "" {
		text += " and read " + c.ResponseHeader
	}
	return text
}

// always returns a call of the set that the policy does not grant.
func (p *prover) always(g *governed, s sample, requests requestKind) (Proof, bool) {
	methods := p.methodsOf(g, requests)
	if len(methods) == 0 {
		return Proof{}, false
	}
	at := rules.Place{}
	if g.rule != nil {
		at = originsPlace(g)
	}
	no := func(call Call, at rules.Place, format string, args ...any) (Proof, bool) {
		return Proof{Reason: fmt.Sprintf(format, args...), Place: at, Counterexample: call}, true
	}
	f := g.facts
	if witness := p.refused(f); witness != "" {
		return no(newCall(s, requests, witness, methods[0], nil), at, "pages of %s may not call %s", witness, s.path)
	}
	witness, ok := p.anyOrigin()
	if !ok {
		return Proof{}, false // the set has no origin
	}
	call := newCall(s, requests, witness, methods[0], nil)
	call.Credentials = p.set.Credentials != nil && *p.set.Credentials
	if call.Credentials && !g.credentials {
		return no(call, g.rule.Place(g.rule.ValueFieldOrNarrowest("allow_credentials")), "calls of %s may not carry credentials", s.path)
	}
	for _, method := range methods {
		if !slices.Contains(g.methods, method) {
			call.Method = method
			return no(call, g.rule.Place(g.rule.ValueFieldOrNarrowest("allow_methods")), "%s is not an allowed method of %s", method, s.path)
		}
	}
	for _, name := range p.set.RequestHeaders {
		if !f.granted.Grants(name) {
			call.RequestHeaders = []string{name}
			return no(call, g.rule.Place(g.rule.Narrowest()), "calls of %s may not have the header %s", s.path, name)
		}
	}
	if !p.readsPreflight(f) {
		call.RequestHeaders = p.set.RequestHeaders
		return no(call, g.rule.Place(g.rule.Narrowest()), "a preflight of calls of %s with all these headers asks for more than %d names or %d bytes, of which only the names of allow_headers are granted",
			s.path, fetch.MaxRequestedNames, fetch.MaxRequestedBytes)
	}
	for _, name := range p.set.ResponseHeaders {
		if !f.readable(name) {
			call.ResponseHeader = name
			return no(call, g.rule.Place(g.rule.Narrowest()), "scripts that call %s may not read the header %s", s.path, name)
		}
	}
	return Proof{}, false
}

// readsPreflight reports whether the answer to a preflight that asks for the set's request headers grants what the
// rule grants by a prefix or by "*". The layer grants nothing by these to one that asks for too much.
func (p *prover) readsPreflight(f *facts) bool {
	_, ok := fetch.AppendRequested(nil, []string{strings.Join(p.set.RequestHeaders, ",")})
	return ok || !slices.ContainsFunc(p.set.RequestHeaders, func(name string) bool { return !f.granted.InFixedList(name) })
}

// refused returns an origin of the set that the rule does not allow; empty if there is none. The origins
// of atoms are not known, so that they count for nothing.
func (p *prover) refused(f *facts) string {
	witness, ok := p.refusedBy[f.origins]
	if !ok {
		witness = p.findRefused(f.origins)
		p.refusedBy[f.origins] = witness
	}
	return witness
}

// findRefused is refused for origins that no rule had before.
func (p *prover) findRefused(origins *origin.Set) string {
	if origins.Any() != 0 {
		return ""
	}
	if p.origins == nil {
		patterns := slices.Clone(p.set.OriginsOutside)
		for _, text := range origins.Patterns().All {
			pattern, _ := origin.ParsePattern(text)
			patterns = append(patterns, pattern)
		}
		union := origin.NewSet(patterns)
		if union.Any() != 0 {
			return ""
		}
		return foreignOrigin(union)
	}
	for _, pattern := range p.set.Origins {
		witness, verdict := origins.Outside(pattern)
		switch verdict {
		case origin.Missed:
			return witness
		case origin.Undecided:
			p.undecided = "the pattern " + pattern.String() + " has too many stars to compare it with the origins of a rule"
		}
	}
	return ""
}

// readable reports whether a script may read a header that the response carries, listed or not.
func (f *facts) readable(name string) bool {
	return !fetch.ForbiddenResponseHeader(name) && !fetch.IsAccessControl(name) && (fetch.SafelistedResponseHeader(name) || f.shows(name))
}
