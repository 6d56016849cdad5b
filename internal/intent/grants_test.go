package intent

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
)

// gain is an example of something that a policy grants and another does not.
type gain struct {
	aspect analysis.Aspect
	target callTarget
	page   string   // empty for a request without Origin
	sets   []string // the unknown sets that have the page
	value  string   // the method, the name of a header, or the kind of a request without Origin
}

// comparer finds what one of two policies grants and the other does not. It tries all requests of a
// universe that is closed for both.
type comparer struct {
	*universe
	old, next *side
	pages     map[[2]string][]bothAccess // by the keys of the lists of origins
}

// side is a policy, with the answers of the model.
type side struct {
	Policy
	rules                       map[callTarget]ruled
	requestNames, responseNames map[string][]bool // for each name of the universe, by the key of a rule
}

// newComparer returns a comparer of two policies with the same environment.
func newComparer(old, next Policy) *comparer {
	u := universeOf(old, next)
	return &comparer{u, newSide(u, old), newSide(u, next), map[[2]string][]bothAccess{}}
}

// reversed returns the comparer of the same policies that finds what the old one grants and the next one
// does not.
func (c *comparer) reversed() *comparer {
	return &comparer{c.universe, c.next, c.old, map[[2]string][]bothAccess{}}
}

// newSide returns a policy in which each unknown set has one origin: its marker.
func newSide(u *universe, p Policy) *side {
	p.Sources, p.Env = map[string][]string{}, maps.Clone(p.Env)
	for _, set := range u.unknown {
		if name, _, ok := variable(set); ok {
			p.Env[name] = marker(set)
		} else {
			p.Sources[set] = []string{marker(set)}
		}
	}
	return &side{p, map[callTarget]ruled{}, map[string][]bool{}, map[string][]bool{}}
}

// marker returns an origin that stands for those of an unknown set. No page has it.
func marker(set string) string {
	return "https://" + strings.ToLower(strings.Trim(set, "${}")) + ".unknown-set.test"
}

// ruled is a target with its rule in a policy.
type ruled struct {
	Rule
	governed bool // a rule, or a refusal because readings differ, is enforced
	known    bool // a rule exists
	key      string
	readings []ruled  // of a path whose readings have different rules
	origins  string   // the key of list
	list     []string // Rule.Origins
}

// ruleFor returns the rule of a target.
func (s *side) ruleFor(target callTarget) ruled {
	if r, ok := s.rules[target]; ok {
		return r
	}
	r := s.readingOf(target)
	if other, ok := s.OtherSlash(target.path); ok {
		if twin := s.readingOf(callTarget{other, target.canBeCall}); twin.key != r.key {
			r = ruled{governed: s.enforces(), key: "readings " + r.key + " and " + twin.key, readings: []ruled{r, twin}}
		}
	}
	s.rules[target] = r
	return r
}

// enforces reports whether the policy refuses requests.
func (s *side) enforces() bool {
	return s.GetEnforcement() != corsrpcv1.Enforcement_ENFORCEMENT_OBSERVE
}

// readingOf is ruleFor for a path that is read as it is.
func (s *side) readingOf(target callTarget) (r ruled) {
	if r.Rule, r.known = s.RuleFor(target.path, target.canBeCall); !r.known {
		return r
	}
	r.governed = s.enforces()
	if !r.Disabled() {
		r.list = r.Origins()
	}
	r.origins = strings.Join(r.list, " ")
	key := []byte(r.origins)
	for _, l := range r.levels {
		key = fmt.Appendf(key, " %p %t", l.Rule, l.narrows)
	}
	r.key = string(append(key, bit(r.isPath), bit(r.get)))
	return r
}

// bothAccess is what two lists of origins make of a page, with the sets that have it.
type bothAccess struct {
	old, next access
	example   string
	sets      []string
}

// access is what a list of origins makes of a page.
type access struct {
	allows    bool
	unrelated bool // no pattern names the page otherwise than unrelated owners have it
}

// accessOf returns what a list makes of a page that is in some unknown sets.
func accessOf(list []string, origin string, sets []string) (a access) {
	a.unrelated = true
	for _, pattern := range list {
		has := covers(pattern, origin)
		for _, set := range sets {
			has = has || pattern == marker(set)
		}
		a.allows = a.allows || has
		a.unrelated = a.unrelated && !(has && !isUnrelated(pattern))
	}
	a.unrelated = a.unrelated || isUnrelated(origin)
	return a
}

// accesses returns each combination of what two rules make of a page, over all pages and all contents
// of the unknown sets.
func (c *comparer) accesses(old, next ruled) []bothAccess {
	key := [2]string{old.origins, next.origins}
	all, ok := c.pages[key]
	if ok {
		return all
	}
	seen := map[[2]access]bool{}
	for _, p := range c.universe.pages {
		for subset := range 1 << len(p.sets) {
			var sets []string
			for i, set := range p.sets {
				if subset&(1<<i) != 0 {
					sets = append(sets, set)
				}
			}
			both := [2]access{accessOf(old.list, p.origin, sets), accessOf(next.list, p.origin, sets)}
			if !seen[both] {
				seen[both] = true
				all = append(all, bothAccess{both[0], both[1], p.origin, sets})
			}
		}
	}
	c.pages[key] = all
	return all
}

// gains calls yield with what the next policy grants and the old one does not, one example for each
// aspect, value and target, until yield returns false.
func (c *comparer) gains(yield func(gain) bool) {
	type rulePair struct {
		old, next string
		canBeCall bool
	}
	done := map[rulePair]bool{}
	for _, target := range c.targets {
		old, next := c.old.ruleFor(target), c.next.ruleFor(target)
		key := rulePair{old.key, next.key, target.canBeCall}
		if done[key] || !old.known && !next.known { // no rule, or a spelling of a path that no client sends
			continue
		}
		done[key] = true
		for _, g := range c.gainsOf(target, old, next) {
			if !yield(g) {
				return
			}
		}
	}
}

// gainsOf returns what the next rule of a target grants and the old one does not.
func (c *comparer) gainsOf(target callTarget, old, next ruled) (gains []gain) {
	add := func(aspect analysis.Aspect, value string, both bothAccess) {
		gains = append(gains, gain{aspect: aspect, target: target, page: both.example, sets: both.sets, value: value})
	}
	methods := target.methods()
	if old.governed && !next.governed {
		add(analysis.AspectUngoverned, methods[0], bothAccess{example: foreign[0]})
	}
	if value, ok := withoutOrigin(old, next); ok {
		add(analysis.AspectWithoutOrigin, value, bothAccess{})
	}
	if ownHost(old, next) {
		add(analysis.AspectOwnOrigin, methods[0], bothAccess{example: foreign[0]})
	}
	served := slices.IndexFunc(methods, next.serves)
	if served < 0 {
		return gains
	}
	shared := false // whether both allow some page
	for _, both := range c.accesses(old, next) {
		if !both.next.allows {
			continue
		}
		if value, ok := cookies(methods, old, next, both); ok {
			add(analysis.AspectCookies, value, both)
		}
		if !both.old.allows {
			add(analysis.AspectOrigin, methods[served], both)
			continue
		}
		if !shared {
			shared = true
			c.gainsOfPage(methods, old, next, func(aspect analysis.Aspect, value string) { add(aspect, value, both) })
		}
	}
	return gains
}

// gainsOfPage adds what the next rule grants to a page that both allow, and the old one does not.
func (c *comparer) gainsOfPage(methods []string, old, next ruled, add func(analysis.Aspect, string)) {
	common := func(method string) bool { return old.serves(method) && next.serves(method) }
	for _, method := range methods {
		if next.serves(method) && !old.serves(method) {
			add(analysis.AspectMethod, method)
		}
	}
	if !slices.ContainsFunc(methods, common) {
		return
	}
	if next.Credentials() && !old.Credentials() {
		add(analysis.AspectCredentials, "")
	}
	if next.Timing() && !old.Timing() {
		add(analysis.AspectTiming, "")
	}
	if next.MaxAge() > old.MaxAge() {
		add(analysis.AspectMaxAge, "")
	}
	each := func(aspect analysis.Aspect, names []string, have, want []bool) {
		for i, name := range names {
			if want[i] && !have[i] {
				add(aspect, name)
			}
		}
	}
	each(analysis.AspectRequestHeader, c.universe.requestNames, c.old.allowed(c.universe, old), c.next.allowed(c.universe, next))
	each(analysis.AspectResponseHeader, c.universe.responseNames, c.old.shown(c.universe, old), c.next.shown(c.universe, next))
}

// serves reports whether a page that the rule allows can read the response to a method. Browsers send
// GET, HEAD and POST without a preflight that grants them, and the layer does not refuse them on the
// path of a procedure.
func (r ruled) serves(method string) bool {
	return r.known && (r.AllowsMethod(method) || !r.isPath && isSafelisted(method))
}

// isSafelisted reports whether browsers send the method without a preflight that grants it.
func isSafelisted(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodPost
}

// allowed returns the model's answer for each request header of a universe.
func (s *side) allowed(u *universe, r ruled) []bool {
	return memo(s.requestNames, r.key, u.requestNames, r.AllowsHeader)
}

// shown returns the model's answer for each response header of a universe.
func (s *side) shown(u *universe, r ruled) []bool {
	return memo(s.responseNames, r.key, u.responseNames, func(name string) bool { return r.Shows(name, http.StatusOK, nil) })
}

// memo returns the answers of f for each name, which it keeps by key.
func memo(have map[string][]bool, key string, names []string, f func(string) bool) []bool {
	answers, ok := have[key]
	if !ok {
		for _, name := range names {
			answers = append(answers, f(name))
		}
		have[key] = answers
	}
	return answers
}

// withoutOrigin returns a request without an Origin field, of a page of another site, that reaches the
// handler under the next rule only: of an image or a link. It is not one if no rule is enforced or if
// everyone may call, which are aspects of their own.
func withoutOrigin(old, next ruled) (request string, ok bool) {
	if !old.governed || !next.governed || slices.Contains(next.list, "*") && !slices.Contains(old.list, "*") {
		return "", false
	}
	for _, request := range []string{"image", "link"} {
		if next.reachedWithoutOrigin(request == "link") && !old.reachedWithoutOrigin(request == "link") {
			return request, true
		}
	}
	return "", false
}

// reachedWithoutOrigin reports whether the handler gets a GET without an Origin field that is a
// navigation or not.
func (r ruled) reachedWithoutOrigin(navigation bool) bool {
	switch {
	case !r.governed:
		return true
	case len(r.readings) > 0:
		return !slices.ContainsFunc(r.readings, func(r ruled) bool { return !r.reachedWithoutOrigin(navigation) })
	case r.Disabled():
		return false
	case !r.OnlyCalls():
		return navigation || !r.Credentials()
	}
	return r.Everyone()
}

// ownHost reports whether a page of any host that the Host field names needs no grant under the next rule
// only. It is false if no rule is enforced or if everyone may call, which are aspects of their own.
func ownHost(old, next ruled) bool {
	if !old.governed || !next.governed || slices.Contains(next.list, "*") && !slices.Contains(old.list, "*") {
		return false
	}
	return next.trustsOwn(foreign[0]) && !old.trustsOwn(foreign[0])
}

// trustsOwn reports whether a page of the host that the Host field names needs no grant.
func (r ruled) trustsOwn(page string) bool {
	switch {
	case !r.governed:
		return true
	case len(r.readings) > 0: // the origins of a rule do not count
		return !slices.ContainsFunc(r.readings, func(r ruled) bool { return r.governed && r.MCP() && !slices.Contains(r.list, "*") })
	}
	return r.TrustsOwn(page)
}

// cookies returns a method with which a request that carries cookies reaches the handler under the next
// rule only, although both grant the page and the method, and the next one grants no credentials. Other
// methods than GET, HEAD and POST need a preflight, which then fails.
func cookies(methods []string, old, next ruled, both bothAccess) (method string, ok bool) {
	if !old.governed || !next.governed || !both.old.allows || !both.next.allows || next.Credentials() {
		return "", false
	}
	for _, method := range methods {
		if isSafelisted(method) && old.serves(method) && next.reachedWithCookies(method, both.next) && !old.reachedWithCookies(method, both.old) {
			return method, true
		}
	}
	return "", false
}

// reachedWithCookies reports whether the handler gets a request with cookies from a page that the rule
// allows.
func (r ruled) reachedWithCookies(method string, page access) bool {
	if r.OnlyCalls() {
		return r.Credentials()
	}
	writes := method != http.MethodGet && method != http.MethodHead
	return r.AllowsMethod(method) && !(writes && (page.unrelated || slices.Contains(r.list, "*")))
}
