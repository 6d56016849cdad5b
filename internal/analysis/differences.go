package analysis

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"

	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// enforcement adds the difference between a policy that only observes and one that does not.
func (c *comparer) enforcement() {
	if c.old.Observes == c.next.Observes {
		return
	}
	strict := c.old
	if c.old.Observes {
		strict = c.next
	}
	u := newUniverse()
	u.addRules(0, strict.Rules)
	samples, _ := u.samples()
	for _, s := range samples {
		if g := strict.resolve(s, true); g.byRule {
			c.add(Difference{
				Gained: c.next.Observes, Aspect: AspectUngoverned, Targets: []string{"*"},
				Old: c.old.Place("enforcement"), New: c.next.Place("enforcement"), Witness: refusedCall(g, s, calls),
			})
			return
		}
	}
}

// grants compares what a pair's policies grant, in one direction: what to grants and from does not.
type grants struct {
	*comparer
	pair     *pair
	gained   bool // to is the new policy
	from, to *governed
	methods  []string // those that both allow
}

// compare adds what one policy of a pair grants and the other does not: the new one if gained is true.
func (c *comparer) compare(p *pair, gained bool) {
	g := &grants{comparer: c, pair: p, gained: gained, from: p.old, to: p.next}
	observes := c.old.Observes
	if !gained {
		g.from, g.to, observes = p.next, p.old, c.next.Observes
	}
	if g.from.facts == g.to.facts && g.from.open == g.to.open {
		return
	}
	g.scripts()
	if g.from.open || observes {
		return // all requests reach the handler already
	}
	if g.to.open {
		if toPolicy := g.side(g.to); !toPolicy.Observes { // enforcement has told that
			g.ungoverned()
		}
		return
	}
	g.withoutOrigin()
	g.ownOrigin()
}

// side returns the policy of one of the pair's sides.
func (g *grants) side(of *governed) *policy {
	if (of == g.to) == g.gained {
		return g.next
	}
	return g.old
}

// add adds a difference with its witness. The places are those of the side that grants, and of the other.
func (g *grants) add(d Difference, grants, other rules.Place) {
	d.Gained, d.Targets = g.gained, slices.Clone(g.pair.labels)
	if d.Old, d.New = other, grants; !g.gained {
		d.Old, d.New = grants, other
	}
	g.comparer.add(d)
}

// call returns a call for the pair's path.
func (g *grants) call(origin, method string, atoms []string) Call {
	return newCall(g.pair.sample, g.pair.requests, origin, method, atoms)
}

// scripts compares what pages' scripts may call and read.
func (g *grants) scripts() {
	methods := possible(g.to.methods, g.pair.requests)
	if !g.to.allowsAnyone() || len(methods) == 0 {
		return
	}
	d := g.originDifference(g.from.facts, g.to.facts)
	if d.undecided {
		g.undecided["the origins of a rule for "+g.pair.labels[0]+" are too many stars to compare"] = true
	}
	if !d.isEmpty() {
		var at rules.Place
		if d.index >= 0 {
			at = g.to.rule.OriginPlace(d.index)
		} else {
			at = atomPlace(g.to.rule, d.atoms[0])
		}
		var atoms []string
		if d.index < 0 {
			atoms = d.atoms[:1]
		}
		g.add(Difference{Aspect: AspectOrigin, Values: d.values, More: d.more, Sources: d.atoms, Witness: g.call(d.witness, methods[0], atoms)}, at, originsPlace(g.from))
	}
	if d.common == "" {
		return
	}
	if g.methods = intersection(methods, g.from.methods); len(g.methods) < len(methods) {
		g.method(d, methods)
	}
	if len(g.methods) == 0 {
		return
	}
	g.headers(d)
	g.values(d)
	g.cookies(d)
}

// method adds the methods that only one side allows.
func (g *grants) method(d *originDifference, methods []string) {
	var more []string
	for _, m := range methods {
		if !slices.Contains(g.methods, m) {
			more = append(more, m)
		}
	}
	g.add(Difference{Aspect: AspectMethod, Values: more, Witness: g.call(d.common, more[0], d.commonAtoms)}, g.valuePlace(g.to, "allow_methods"), g.valuePlace(g.from, "allow_methods"))
}

// headers adds the headers that only one side grants or exposes.
func (g *grants) headers(d *originDifference) {
	if values, name := grantedRequestHeaders(g.from.facts, g.to.facts); len(values) > 0 {
		call := g.call(d.common, g.methods[0], d.commonAtoms)
		call.RequestHeaders = []string{name}
		g.addHeaders(AspectRequestHeader, rpc.Request, values, name, call)
	}
	if values, name := exposedResponseHeaders(g.from.facts, g.to.facts); len(values) > 0 {
		call := g.call(d.common, g.methods[0], d.commonAtoms)
		call.ResponseHeader = name
		g.addHeaders(AspectResponseHeader, rpc.Response, values, name, call)
	}
}

func (g *grants) addHeaders(aspect Aspect, direction rpc.Direction, values []string, name string, call Call) {
	d := Difference{Aspect: aspect, Values: values, Witness: call}
	if len(values) > maxValues {
		d.Values, d.More = values[:maxValues], len(values)-maxValues
	}
	field := map[rpc.Direction]string{rpc.Request: "protocols", rpc.Response: "expose"}[direction]
	place := func(of *governed) rules.Place {
		if at := of.rule.HeaderPlace(direction, name); at.Field != "" {
			return at
		}
		return g.valuePlace(of, field)
	}
	g.add(d, place(g.to), place(g.from))
}

// values adds the other values that only one side has.
func (g *grants) values(d *originDifference) {
	call := g.call(d.common, g.methods[0], d.commonAtoms)
	if g.to.credentials && !g.from.credentials {
		withCredentials := call
		withCredentials.Credentials = true
		g.add(Difference{Aspect: AspectCredentials, Witness: withCredentials}, g.valuePlace(g.to, "allow_credentials"), g.valuePlace(g.from, "allow_credentials"))
	}
	if g.to.maxAge > g.from.maxAge {
		ages := []string{fmt.Sprintf("%ds", g.from.maxAge), fmt.Sprintf("%ds", g.to.maxAge)}
		if !g.gained {
			slices.Reverse(ages)
		}
		g.add(Difference{Aspect: AspectMaxAge, Values: ages, Witness: call}, g.valuePlace(g.to, "max_age"), g.valuePlace(g.from, "max_age"))
	}
	if g.to.timing && !g.from.timing {
		g.add(Difference{Aspect: AspectTiming, Witness: call}, g.valuePlace(g.to, "timing"), g.valuePlace(g.from, "timing"))
	}
}

// cookies adds requests with cookies that reach the handler of a path on one side only, although that side
// does not grant credentials.
func (g *grants) cookies(d *originDifference) {
	if g.from.open || !g.to.plain || g.to.credentials || g.from.credentials {
		return
	}
	for _, method := range g.methods {
		if witness, atoms := g.cookieOrigin(d, method); witness != "" {
			call := g.call(witness, method, atoms)
			call.Credentials = true
			g.add(Difference{Aspect: AspectCookies, Witness: call}, originsPlace(g.to), originsPlace(g.from))
			return
		}
	}
}

// cookieOrigin returns an origin that both sides allow, whose simple requests with cookies reach the
// handler under one side only, and the atoms that need to have it. It is empty if there is none.
func (g *grants) cookieOrigin(d *originDifference, method string) (witness string, atoms []string) {
	if !slices.Contains(simpleMethods, method) {
		return "", nil // needs a preflight, which grants no credentials
	}
	reads := method != http.MethodPost
	switch {
	case reads && g.from.plain, !reads && g.to.origins.Any() != 0:
		return "", nil
	case reads:
		return d.common, d.commonAtoms // neither a procedure nor MCP takes cookies without credentials
	case !g.from.plain:
		owned := *g.to.facts
		owned.origins = origin.NewSet(patternsOf(g.to.origins, false))
		both := &originDifference{}
		both.findCommon(g.from.facts, &owned)
		return both.common, both.commonAtoms
	}
	return ownedOrigin(g.from.facts, g.to.facts)
}

// patternsOf returns the patterns of a set whose origins unrelated owners share, or the others.
func patternsOf(set *origin.Set, shared bool) (patterns []origin.Pattern) {
	for _, text := range set.Patterns().All {
		if pattern, _ := origin.ParsePattern(text); origin.NeverWithCredentials(text) == shared {
			patterns = append(patterns, pattern)
		}
	}
	return patterns
}

// ownedOrigin returns an origin of one owner under the second rule, which the first rule allows together
// with those of unrelated owners, and the atom that needs to have it. It is empty if there is none.
func ownedOrigin(from, to *facts) (witness string, atoms []string) {
	if from.origins.Any() == 0 && !from.origins.HasShared() {
		return "", nil
	}
	none := origin.NewSet(nil)
	for _, pattern := range patternsOf(to.origins, false) {
		witness, verdict := none.Outside(pattern)
		if verdict != origin.Missed {
			continue
		}
		if id, ok := from.origins.Match(witness); from.origins.Any() != 0 || ok && from.origins.IsShared(id) {
			return witness, nil
		}
	}
	shared := origin.NewSet(patternsOf(from.origins, true))
	for _, atom := range to.atoms {
		if slices.Contains(from.atoms, atom) && from.origins.Any() == 0 {
			continue
		}
		if witness := possibleRow(atom, shared); witness != "" {
			return witness, []string{atom}
		}
	}
	return "", nil
}

// withoutOrigin adds the requests without Origin that reach the handler on one side only.
func (g *grants) withoutOrigin() {
	images, links := g.to.images && !g.from.images, g.to.links && !g.from.links
	if !images && !links || g.to.origins.Any() != 0 && g.from.origins.Any() == 0 {
		return // everyone may call: that is told as a difference of origins
	}
	call := g.call("", http.MethodGet, nil)
	call.Navigation = !images
	field := "disabled"
	if images && !links {
		field = "allow_credentials"
	}
	g.add(Difference{Aspect: AspectWithoutOrigin, Witness: call}, g.valuePlace(g.to, field), g.valuePlace(g.from, field))
}

// ownOrigin adds the requests that are same-origin by their Host header and that reach the handler on one
// side only, since the other one serves MCP. A page of a host name that an attacker has rebound can send
// them.
func (g *grants) ownOrigin() {
	if !g.to.host || g.from.host || g.to.origins.Any() != 0 && g.from.origins.Any() == 0 {
		return
	}
	method := http.MethodPost
	if g.pair.requests == noCalls {
		method = http.MethodGet
	}
	g.add(Difference{Aspect: AspectOwnOrigin, Witness: g.call(foreignOrigin(g.from.origins), method, nil)}, g.valuePlace(g.to, "protocols"), g.valuePlace(g.from, "protocols"))
}

// ungoverned adds that all requests reach the handler on one side only.
func (g *grants) ungoverned() {
	g.add(Difference{Aspect: AspectUngoverned, Witness: refusedCall(g.from, g.pair.sample, g.pair.requests)}, rules.Place{}, g.narrowestPlace(g.from))
}

// valuePlace returns the place of a value of a rule, or that of the rule if the value is built in.
func (g *grants) valuePlace(of *governed, field string) rules.Place {
	if of.rule == nil {
		return rules.Place{}
	}
	return of.rule.Place(of.rule.ValueFieldOrNarrowest(field))
}

func (g *grants) narrowestPlace(of *governed) rules.Place {
	if of.rule == nil {
		return rules.Place{}
	}
	return of.rule.Place(of.rule.Narrowest())
}

// originsPlace returns the place that says which origins a rule allows.
func originsPlace(g *governed) rules.Place {
	switch {
	case g.rule == nil:
		return rules.Place{}
	case g.rule.Disabled():
		return g.rule.Place(g.rule.ValueFieldOrNarrowest("disabled"))
	}
	return g.rule.Place(g.rule.OriginsField())
}

// atomPlace returns the place of a source or of an unset variable.
func atomPlace(e *rules.Effective, atom string) rules.Place {
	for i, name := range e.Sources() {
		if name == atom {
			return e.Place(e.SourceField(i))
		}
	}
	for _, v := range e.Unset() {
		if "${"+v.Name+"}" == atom {
			return e.Place(v.Field)
		}
	}
	return e.Place(cmp.Or(e.OriginsField(), e.Narrowest()))
}

// intersection returns the items of a that b has.
func intersection(a, b []string) (both []string) {
	for _, item := range a {
		if slices.Contains(b, item) {
			both = append(both, item)
		}
	}
	return both
}
