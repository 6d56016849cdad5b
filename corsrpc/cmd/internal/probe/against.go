package probe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// Aspect is what a live server and a policy differ in. Its values are stable: programs may compare them.
type Aspect string

// The aspects.
const (
	AspectOrigin         Aspect = "ORIGIN"          // which pages can call or read
	AspectCredentials    Aspect = "CREDENTIALS"     // whether they can with credentials
	AspectMethod         Aspect = "METHOD"          // which methods preflights allow
	AspectRequestHeader  Aspect = "REQUEST_HEADER"  // which request headers preflights allow
	AspectResponseHeader Aspect = "RESPONSE_HEADER" // which response headers scripts can read
	AspectMaxAge         Aspect = "MAX_AGE"         // how long browsers keep preflights
	AspectVary           Aspect = "VARY"            // whether caches know that the response depends on the origin
	AspectRefusal        Aspect = "REFUSAL"         // whether requests of refused pages reach the handler
)

// Difference is something that a live server does and the policy does not say, or the reverse.
type Difference struct {
	// Aspect is what differs.
	Aspect Aspect
	// Target is the procedure or path of the call, and Origin the page's origin.
	Target, Origin string
	// Policy is what the policy says, and Server what the server does.
	Policy, Server string
	// From is the place in the policy.
	From corsrpc.Provenance
	// Message is the difference as a sentence.
	Message string
	// Curl is the command that sends the request again.
	Curl string

	requests []string // the kinds of the requests: the preflight, a GET, the call
}

// UnknownOrigin is an origin of which the policy does not say whether it is allowed: that depends on a set of
// origins that is not known.
type UnknownOrigin struct {
	Target, Origin string
	// Set is a source or an environment variable, in words.
	Set string
}

// AgainstOptions says what is compared.
type AgainstOptions struct {
	// Plan is the policy.
	Plan *corsrpc.Plan
	// Calls are the calls of pages. Their Origin is replaced by each of the origins.
	Calls []Call
	// Origins are origins of pages, in addition to one that the policy refuses and to some that it allows.
	Origins []string
	// SendCalls allows the calls themselves. The Wire must allow them too.
	SendCalls bool
	// With returns a plan for each set of origins that is not known, by the name of the set in words. In each
	// plan the set has the origin. It may be nil if all sets are known.
	With func(origin string) map[string]*corsrpc.Plan
}

// Comparison is the result of a comparison.
type Comparison struct {
	// Differences are the differences, in the order in which they were found.
	Differences []Difference
	// Unknown is what the policy does not say.
	Unknown []UnknownOrigin
	// Incomplete says why something was not compared, one sentence each.
	Incomplete []string
	// Causes say what probably causes the differences, one sentence each.
	Causes []string
	// Compared are the origins that were sent.
	Compared []string
}

// Against compares the answers of a live server with those that the policy would give. It sends
// preflights and GETs without credentials, and calls only if they are allowed. It returns an error if a
// call is not valid or the context ends.
func Against(ctx context.Context, w *Wire, o AgainstOptions) (*Comparison, error) {
	c := &comparison{ctx: ctx, wire: w, options: o, live: &pages{server: w.server, wire: w}}
	for _, call := range o.Calls {
		if _, err := call.url(w.server); err != nil {
			return nil, err
		}
		if !o.governs(w.server, call) {
			c.incomplete(notGoverned(w.server, call))
			continue
		}
		for _, origin := range OriginsAgainst(w.server, o, call) {
			call.Origin = origin
			if err := call.Validate(w.server); err != nil {
				return nil, err
			}
			if !slices.Contains(c.Compared, origin) {
				c.Compared = append(c.Compared, origin)
			}
			switch err := c.compare(call); {
			case errors.Is(err, errIncomplete):
				c.causes()
				return &c.Comparison, nil
			case err != nil:
				return nil, err
			}
		}
	}
	c.causes()
	return &c.Comparison, nil
}

// governs reports whether the policy says something about a call.
func (o AgainstOptions) governs(s Server, call Call) bool {
	_, ok := o.Plan.Rule(requestOf(s, call))
	return ok
}

// notGoverned says that the policy says nothing about a call, and what to write.
func notGoverned(s Server, call Call) string {
	text := fmt.Sprintf("The policy has no rule for %s at this server, so nothing was sent", requestOf(s, call).Path)
	if prefix := strings.TrimRight(s.URL.EscapedPath(), "/"); prefix != "" {
		return text + fmt.Sprintf(": if the server's procedures are below %s, write --path-prefix %[1]s.", prefix)
	}
	return text + ": name a procedure or a path for which it has one."
}

// incomplete adds why something was not compared.
func (c *comparison) incomplete(why string) {
	if !slices.Contains(c.Incomplete, why) {
		c.Incomplete = append(c.Incomplete, why)
	}
}

// maxSamples is how many of the origins that a rule allows are sent.
const maxSamples = 3

// OriginsAgainst returns the origins of the pages whose call is compared: those that are given, those that
// the rule of the call allows as samples, and one that it refuses if there is any. The server's own
// origin is not among them, since its pages need no grant.
func OriginsAgainst(s Server, o AgainstOptions, call Call) (all []string) {
	all = slices.Clone(o.Origins)
	add := func(origin string) {
		if origin != "" && origin != s.origin() && !slices.Contains(all, origin) {
			all = append(all, origin)
		}
	}
	if rule, ok := o.Plan.Rule(requestOf(s, call)); ok {
		values, _ := rule.FirstValues(100)
		samples := 0
		for _, kind := range []bool{false, true} { // exact origins first, then those of patterns
			taken := 0
			for _, v := range values {
				if v.Field != "allow_origins" || strings.Contains(v.Value, "*") != kind || samples == maxSamples || taken == maxSamples-1 {
					continue
				}
				before := len(all)
				add(sampleOf(v.Value))
				taken += len(all) - before
				samples += len(all) - before
			}
		}
	}
	add("https://" + attacker)
	return all
}

// AgainstRequests returns the requests that a comparison sends at most, without those after a redirect.
func AgainstRequests(s Server, o AgainstOptions) (r Requests) {
	for _, call := range o.Calls {
		if !o.governs(s, call) {
			continue
		}
		preflights := 0
		if needsPreflight(wantOf(call)) {
			preflights = 3 // that of the call, and those with the headers of the policy and with one of no policy
			rule, _ := o.Plan.Rule(requestOf(s, call))
			values, _ := rule.FirstValues(0)
			for _, v := range values {
				if v.Field == "allow_methods" && !fetch.SafelistedMethod(v.Value) {
					preflights++
				}
			}
		}
		pages := len(OriginsAgainst(s, o, call))
		r.Preflights, r.SimpleGets = r.Preflights+pages*preflights, r.SimpleGets+pages
		if o.SendCalls && !call.isSimpleGet() {
			r.Calls += pages
		}
	}
	return r
}

// isSimpleGet reports whether the call is the GET that a comparison sends in any case.
func (c Call) isSimpleGet() bool {
	return c.Method == http.MethodGet && c.Target == c.simpleGetTarget() && !needsPreflight(wantOf(c))
}

// wantOf returns the request of a call.
func wantOf(call Call) want {
	return want{origin: call.Origin, method: call.Method, header: call.fields()}
}

// sampleOf returns an origin that a pattern allows; empty if the pattern allows every origin or is not valid.
func sampleOf(text string) string {
	pattern, _ := origin.ParsePattern(text)
	if pattern == (origin.Pattern{}) || pattern.IsAny() {
		return ""
	}
	witness, verdict := origin.NewSet(nil).Outside(pattern)
	if verdict != origin.Missed {
		return ""
	}
	return witness
}

// requestOf returns the request of a call as a server gets it.
func requestOf(s Server, call Call) corsrpc.Request {
	u, err := call.url(s)
	if err != nil {
		return corsrpc.Request{}
	}
	return corsrpc.Request{
		Method: call.Method, Host: u.Host, Path: u.Path, EscapedPath: u.RawPath, Query: u.RawQuery, TLS: u.Scheme == "https",
		Header: http.Header{"Origin": {call.Origin}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"cors"}},
	}
}

// comparison is a comparison that is under way.
type comparison struct {
	Comparison
	ctx     context.Context
	wire    *Wire
	options AgainstOptions
	live    *pages
	// foreign counts answers to preflights that no corsrpc layer gives.
	foreign, repeated int
}

// errIncomplete ends a comparison early. Comparison.Incomplete says why.
var errIncomplete = errors.New("the comparison is not complete")

// pair is the same request to the live server and to a server with the policy.
type pair struct {
	call         Call
	live, policy *sight
	decision     corsrpc.Decision // of the policy
	rule         corsrpc.EffectiveRule
}

// compare compares what a page gets from a call.
func (c *comparison) compare(call Call) error {
	w := wantOf(call)
	if needsPreflight(w) {
		asked := w
		asked.preflight = true
		p, err := c.look(call, asked)
		if err != nil {
			return err
		}
		if err := c.preflight(p); err != nil {
			return err
		}
	}
	p, err := c.look(call, want{origin: call.Origin, method: http.MethodGet, target: call.simpleGetTarget()})
	if err != nil {
		return err
	}
	c.response(p)
	if !c.options.SendCalls || call.isSimpleGet() {
		return nil
	}
	w.call, w.body = true, call.body()
	if p, err = c.look(call, w); err != nil {
		return err
	}
	c.response(p)
	return nil
}

// look makes a request in a page, at the live server and at one with the policy, whose handler sends what
// the live server has sent.
func (c *comparison) look(call Call, w want) (*pair, error) {
	p := &pair{call: call}
	var err error
	if p.live, err = c.live.look(c.ctx, call, w); err != nil {
		return nil, err
	}
	switch p.live.plain.Result {
	case Unreachable:
		if c.wire.Sent() == 1 && !NoAnswer(p.live.plain.Err) {
			return nil, errors.New(c.wire.server.Failure(p.live.plain.Err))
		}
		c.incomplete("The comparison ended early: " + c.wire.server.Failure(p.live.plain.Err) + ".")
		return nil, errIncomplete
	case TooMany:
		c.incomplete(fmt.Sprintf("The comparison ended after %d requests: allow more with --max-requests.", c.wire.Sent()))
		return nil, errIncomplete
	case Blocked:
		if p.live.plain.Blocked.Console == "MixedContent" {
			c.incomplete(fmt.Sprintf("Browsers block calls of a page of %s to a server without TLS: name the https URL of the server.", w.origin))
			return nil, errIncomplete
		}
	case NotFollowed:
		c.incomplete(fmt.Sprintf("The server redirects %s of %s to another server.", kindOf(p.live), call.Target))
	}
	if p.policy, p.decision, err = c.underPolicy(c.options.Plan, call, w, p.live.answer()); err != nil {
		return nil, err
	}
	p.rule, _ = c.options.Plan.Rule(requestOf(c.wire.server, call))
	return p, nil
}

// underPolicy makes a request in a page, at a server with a plan. It returns the decision on the request
// that decides.
func (c *comparison) underPolicy(plan *corsrpc.Plan, call Call, w want, answer Exchange) (*sight, corsrpc.Decision, error) {
	var decision corsrpc.Decision
	wrapped := plan.Wrap(replay(answer))
	handler := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if isPreflight := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""; isPreflight || !w.preflight {
			decision = plan.Decide(corsrpc.RequestOf(r))
		}
		wrapped.ServeHTTP(rw, r)
	})
	s, err := (&pages{server: c.wire.server, handler: handler}).look(c.ctx, call, w)
	return s, decision, err
}

// replay is a handler that sends an answer again, without the fields of CORS. A refusal by a layer is not
// the answer of a handler.
func replay(answer Exchange) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range answer.Answer {
			lower := fetch.Lower(name)
			if fetch.IsAccessControl(name) || lower == "vary" || lower == "timing-allow-origin" || lower == "content-length" || lower == "content-encoding" || fetch.ConnectionHeader(lower) {
				continue
			}
			w.Header()[name] = slices.Clone(values)
		}
		if answer.Status >= 200 && answer.Status <= 599 && !fetch.RedirectStatus(answer.Status) {
			w.WriteHeader(answer.Status)
		}
	})
}

// placeOf returns the place of the first of these fields that the rule has. A field may be followed by "="
// and the value of an item.
func placeOf(rule corsrpc.EffectiveRule, fields ...string) corsrpc.Provenance {
	for _, field := range fields {
		name, value, exact := strings.Cut(field, "=")
		values, _ := rule.FirstValues(0)
		for _, v := range values {
			if v.Field == name && (!exact || strings.EqualFold(v.Value, value)) {
				return v.From
			}
		}
	}
	return corsrpc.Provenance{}
}
