package probe

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// add adds a difference. The first word of both values is a verb whose subject is the policy or the server.
func (c *comparison) add(p *pair, aspect Aspect, from corsrpc.Provenance, policy, server string) {
	d := Difference{
		Aspect: aspect, Target: p.call.Target, Origin: p.call.Origin, Policy: policy, Server: server, From: from,
		Curl: curlOf(c.wire.server, p.live.answer()),
	}
	i := slices.IndexFunc(c.Differences, func(have Difference) bool {
		return have.Aspect == d.Aspect && have.Target == d.Target && have.Origin == d.Origin && have.Policy == d.Policy && have.Server == d.Server
	})
	if i < 0 {
		i, c.Differences = len(c.Differences), append(c.Differences, d)
	}
	have := &c.Differences[i]
	if kind := kindOf(p.live); !slices.Contains(have.requests, kind) {
		have.requests = append(have.requests, kind)
	}
	have.Message = fmt.Sprintf("For %s of a page of %s, the policy %s, and the server %s.", strings.Join(have.requests, " and "), d.Origin, policy, server)
}

// grants compares whether the page gets what it wants. It reports whether both grant it.
func (c *comparison) grants(p *pair) bool {
	live, liveCredentialed := p.live.passes()
	policy, policyCredentialed := p.policy.passes()
	e := p.live.answer()
	if len(lines(e.Answer, allowOrigin)) > 1 || strings.Contains(valueOf(e.Answer, allowOrigin), ",") {
		c.repeated++
	}
	switch {
	case live != policy:
		if live && c.dependsOnUnknown(p) {
			return false
		}
		if policy {
			aspect, from := c.lost(p)
			c.add(p, aspect, from, "grants it", "does not: "+reasonOf(p.live.plain))
		} else {
			c.add(p, c.gained(p), p.decision.From(), "refuses it ("+string(p.decision.Reason())+")", "grants it")
		}
		return false
	case live && liveCredentialed != policyCredentialed:
		says := map[bool]string{true: "grants it with credentials too", false: "grants it without credentials only"}
		c.add(p, AspectCredentials, placeOf(p.rule, "allow_credentials"), says[policyCredentialed], says[liveCredentialed])
	}
	return live
}

// reasonOf says why a page does not get what it wants.
func reasonOf(o *Outcome) string {
	switch {
	case o.Blocked != nil:
		return o.Blocked.Reason
	case o.Result == NotFollowed:
		return "it redirects to another server"
	}
	return string(o.Result)
}

// lost returns what a grant that the server does not make is about, and its place in the policy.
func (c *comparison) lost(p *pair) (Aspect, corsrpc.Provenance) {
	if p.live.plain.Blocked != nil {
		switch p.live.plain.Blocked.Check {
		case corsbrowser.CheckHeaders, corsbrowser.CheckHeadersMalformed:
			return AspectRequestHeader, placeOf(p.rule, "allow_headers", "protocols")
		case corsbrowser.CheckMethods, corsbrowser.CheckMethodsMalformed:
			return AspectMethod, placeOf(p.rule, "allow_methods")
		}
	}
	return AspectOrigin, p.decision.From()
}

// gained returns what a grant that the policy does not make is about.
func (c *comparison) gained(p *pair) Aspect {
	switch p.decision.Reason() {
	case corsrpc.ReasonHeadersNotGranted:
		return AspectRequestHeader
	case corsrpc.ReasonMethodNotGranted, corsrpc.ReasonMethodNotAllowed:
		return AspectMethod
	}
	return AspectOrigin
}

// dependsOnUnknown reports whether the policy grants what the server grants, if a set of origins that is not
// known has the page's origin.
func (c *comparison) dependsOnUnknown(p *pair) bool {
	if c.options.With == nil {
		return false
	}
	for set, plan := range c.options.With(p.call.Origin) {
		s, _, err := c.underPolicy(plan, p.call, p.live.want, p.live.answer())
		if err != nil {
			continue
		}
		if passes, _ := s.passes(); passes {
			u := UnknownOrigin{Target: p.call.Target, Origin: p.call.Origin, Set: set}
			if !slices.Contains(c.Unknown, u) {
				c.Unknown = append(c.Unknown, u)
			}
			return true
		}
	}
	return false
}

// preflight compares the answers to a preflight, and to one that asks for everything that the policy grants.
func (c *comparison) preflight(p *pair) error {
	if e := p.live.answer(); e.Status != http.StatusNoContent && reasonOfRefusal(e) == "" {
		c.foreign++
	}
	if !c.grants(p) {
		return nil
	}
	live, policy := p.live.answer().Answer, p.policy.answer().Answer
	if err := c.methods(p, live, policy); err != nil {
		return err
	}
	c.ages(p, live, policy)
	return c.headers(p, itemsOf(live, allowHeaders), itemsOf(policy, allowHeaders))
}

// methods compares the methods that need a grant and that the answers to a preflight list.
func (c *comparison) methods(p *pair, live, policy http.Header) error {
	list := func(header http.Header) (names []string) {
		all, _ := fetch.ExtractHeaderListValues(lines(header, allowMethods))
		for _, m := range all {
			if !fetch.SafelistedMethod(m) {
				names = append(names, m)
			}
		}
		return names
	}
	liveNames, policyNames := list(live), list(policy)
	if slices.Contains(liveNames, "*") {
		c.add(p, AspectMethod, placeOf(p.rule, "allow_methods"), "allows "+orNone(policyNames)+" beyond GET, HEAD and POST", "allows every method")
		return nil
	}
	if more := without(liveNames, policyNames); len(more) > 0 {
		c.add(p, AspectMethod, placeOf(p.rule, "allow_methods"), "does not allow the method "+strings.Join(more, ", "), "allows it")
	}
	for _, m := range without(policyNames, liveNames) { // it may list only the one that was asked for
		if err := c.lostMethod(p, m); err != nil {
			return err
		}
	}
	return nil
}

// lostMethod asks for a method that the policy grants and that the server has not listed.
func (c *comparison) lostMethod(p *pair, method string) error {
	w := p.live.want
	w.method = method
	asked, err := c.look(p.call, w)
	if err != nil {
		return err
	}
	if live, _ := asked.live.passes(); !live {
		if policy, _ := asked.policy.passes(); policy {
			c.add(asked, AspectMethod, placeOf(p.rule, "allow_methods"), "allows the method "+method, "does not allow it")
		}
	}
	return nil
}

// ages compares the time for which browsers keep the answers.
func (c *comparison) ages(p *pair, live, policy http.Header) {
	liveAge, policyAge := corsbrowser.Standard.MaxAge(live), corsbrowser.Standard.MaxAge(policy)
	if liveAge != policyAge {
		c.add(p, AspectMaxAge, placeOf(p.rule, "max_age"), "lets browsers keep the answer for "+policyAge.String(), "for "+liveAge.String())
	}
}

// notGrantedByAny is a header that no policy allows by accident.
const notGrantedByAny = "x-corsrpc-probe"

// headers compares the request headers that preflights allow. It asks for all that the policy lists, and for
// those that only the server lists.
func (c *comparison) headers(p *pair, live, policy []string) error {
	more := without(live, policy)
	more = slices.DeleteFunc(more, func(n string) bool { return n == "*" })
	if len(more) > 0 {
		c.add(p, AspectRequestHeader, placeOf(p.rule, "allow_headers", "protocols"), "does not allow the headers "+strings.Join(more, ", "), "allows them")
	}
	if err := c.lostHeaders(p, without(policy, live)); err != nil {
		return err
	}
	other, err := c.look(p.call, c.asking(p, []string{notGrantedByAny}))
	if err != nil {
		return err
	}
	passes, _ := other.live.passes()
	if grants, _ := other.policy.passes(); passes && !grants {
		c.add(other, AspectRequestHeader, placeOf(p.rule, "allow_headers", "protocols"), "does not allow headers that it does not list", "allows any, such as "+notGrantedByAny)
	}
	return nil
}

// lostHeaders asks for headers that the policy lists and that the server has not listed.
func (c *comparison) lostHeaders(p *pair, names []string) error {
	if len(names) == 0 {
		return nil
	}
	asked, err := c.look(p.call, c.asking(p, names))
	if err != nil {
		return err
	}
	if passes, _ := asked.live.passes(); passes {
		return nil
	}
	var places []corsrpc.Provenance
	byPlace := map[corsrpc.Provenance][]string{}
	for _, name := range without(names, itemsOf(asked.live.answer().Answer, allowHeaders)) {
		from := placeOf(p.rule, "allow_headers="+name, "protocols")
		if byPlace[from] == nil {
			places = append(places, from)
		}
		byPlace[from] = append(byPlace[from], name)
	}
	for _, from := range places {
		c.add(asked, AspectRequestHeader, from, "allows the headers "+strings.Join(byPlace[from], ", "), "does not allow them")
	}
	return nil
}

// asking returns the preflight of a pair, with further header fields.
func (c *comparison) asking(p *pair, names []string) want {
	w := p.live.want
	w.header = slices.Clone(w.header)
	for _, name := range names {
		w.header = append(w.header, name, "1")
	}
	return w
}

// response compares the responses to a GET or to the call.
func (c *comparison) response(p *pair) {
	if p.live.plain.Result == NotFollowed {
		return
	}
	live, policy := p.live.answer(), p.policy.answer()
	if !c.grants(p) {
		if p.decision.Refused() && p.decision.Enforced() && live.Status >= 200 && live.Status <= 299 && reasonOfRefusal(live) == "" && !p.live.passedAny() {
			c.add(p, AspectRefusal, p.decision.From(), "refuses the request before the handler ("+string(p.decision.Reason())+")", fmt.Sprintf("answers it with %d", live.Status))
		}
		return
	}
	liveNames, policyNames := namesOf(p.live.plain.Readable), namesOf(p.policy.plain.Readable)
	has := func(name string) bool {
		return len(lines(live.Answer, name)) > 0 && len(lines(policy.Answer, name)) > 0
	}
	keep := func(names []string) []string {
		return slices.DeleteFunc(names, func(n string) bool { return !has(n) })
	}
	if more := keep(without(liveNames, policyNames)); len(more) > 0 {
		c.add(p, AspectResponseHeader, placeOf(p.rule, "expose_headers", "expose"), "does not let scripts read the headers "+strings.Join(more, ", "), "does")
	}
	if less := keep(without(policyNames, liveNames)); len(less) > 0 {
		c.add(p, AspectResponseHeader, placeOf(p.rule, "expose_headers="+less[0], "expose"), "lets scripts read the headers "+strings.Join(less, ", "), "does not")
	}
	if fetch.Lists(lines(policy.Answer, "Vary"), "origin") && mayConfuse(live.Answer) {
		c.add(p, AspectVary, corsrpc.Provenance{}, "names Origin in Vary", "does not, so a cache may give the response to pages of other origins")
	}
}

// passedAny reports whether the page gets what it wants, with credentials or without.
func (s *sight) passedAny() bool {
	plain, credentialed := s.passes()
	return plain || credentialed
}

// without returns the items of a list that another list does not have.
func without(list, other []string) (rest []string) {
	for _, item := range list {
		if !slices.Contains(other, item) && !slices.Contains(rest, item) {
			rest = append(rest, item)
		}
	}
	return rest
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

// causes says what probably causes the differences.
func (c *comparison) causes() {
	if len(c.Differences) == 0 {
		return
	}
	say := func(cause string) { c.Causes = append(c.Causes, cause) }
	count := map[Aspect]int{}
	lost := map[string]int{}
	for _, d := range c.Differences {
		count[d.Aspect]++
		if d.Aspect == AspectOrigin && d.Policy == "grants it" {
			for _, kind := range d.requests {
				lost[kind]++
			}
		}
	}
	if c.repeated > 0 {
		say("Access-Control-Allow-Origin is there more than once: a proxy in front of the layer, or another middleware, adds CORS fields of its own.")
	}
	switch {
	case c.foreign > 0:
		say("The server answers preflights in another way than a corsrpc layer: something in front of the layer answers them, or the server has no corsrpc layer.")
	case lost["the preflight"] > 0 && lost["a GET"]+lost["the call"] == 0, lost["the preflight"] == 0 && lost["a GET"]+lost["the call"] > 0:
		say("Preflights and responses differ: they are answered by different programs, or a proxy removes fields from one of them.")
	case count[AspectRefusal] > 0:
		say("Requests of refused pages reach the handler: no corsrpc layer with this policy is in front of it, or the layer only observes.")
	case c.repeated == 0:
		say("The server has other rules than the policy: it runs another version of it, another profile or other environment variables, or a CORS configuration that is not made from it.")
	}
}
