package corsrpc

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rules"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// StepCode names a step of a decision. Its values are stable: programs may compare them.
type StepCode string

// The steps, in the order of Decide.
const (
	// StepPath: whose path is it?
	StepPath StepCode = "PATH"
	// StepOriginSyntax: is its Origin one that a browser sends?
	StepOriginSyntax StepCode = "ORIGIN_SYNTAX"
	// StepSameOrigin: does it come from the server's own origin, or from no browser?
	StepSameOrigin StepCode = "SAME_ORIGIN"
	// StepCanonicalPath: do all readings of the path lead to one answer?
	StepCanonicalPath StepCode = "CANONICAL_PATH"
	// StepEnabled: may other origins call it at all?
	StepEnabled StepCode = "ENABLED"
	// StepOperationalNamed: does a rule name the operational service?
	StepOperationalNamed StepCode = "OPERATIONAL_NAMED"
	// StepOriginPresent: may it come without naming an origin?
	StepOriginPresent StepCode = "ORIGIN_PRESENT"
	// StepOriginAllowed: is the origin allowed?
	StepOriginAllowed StepCode = "ORIGIN_ALLOWED"
	// StepMethodGranted: is the method granted that the preflight asks for?
	StepMethodGranted StepCode = "METHOD_GRANTED"
	// StepHeadersGranted: are the headers granted that the preflight asks for?
	StepHeadersGranted StepCode = "HEADERS_GRANTED"
	// StepUpgrade: may a handshake of this origin use cookies?
	StepUpgrade StepCode = "UPGRADE"
	// StepMode: was it made in mode cors?
	StepMode StepCode = "MODE"
	// StepMethodAllowed: does the rule list the method?
	StepMethodAllowed StepCode = "METHOD_ALLOWED"
	// StepCredentials: may it carry credentials?
	StepCredentials StepCode = "CREDENTIALS"
	// StepOutcome: what happens? It is the last step.
	StepOutcome StepCode = "OUTCOME"
)

// Step is one step of a decision: a question that Decide asks of a request, and what
// it found. Fields may be added: use field names in literals.
type Step struct {
	// Code names the step.
	Code StepCode
	// Question is what was asked, such as "is the origin allowed?". The wording may change.
	Question string
	// Found is the answer, in words. It may hold input from the network, made safe
	// to log. The wording may change.
	Found string
	// From is where the policy says so; it is the zero Provenance where the policy
	// has no say.
	From Provenance
	// Decision is Decide's, in the last step; in the ones before, it is the zero
	// Decision.
	Decision Decision
}

// Explain returns the steps of Decide for a request, in their order. The last one
// holds what Decide returns. It depends on the same as Decide, and is safe for
// concurrent use.
func (p *Plan) Explain(r Request) []Step {
	d := p.Decide(r)
	steps, _ := p.steps(questions, &r, &d)
	return append(steps, Step{Code: StepOutcome, Question: "what happens?", Found: d.summary(), From: d.From(), Decision: d})
}

// steps asks questions of a request until one ends the decision, and returns the reason. It
// asks on its own what Decide asks: TestExplainDecidesAsDecide holds the two together.
func (p *Plan) steps(questions []question, r *Request, d *Decision) (steps []Step, reason reasonID) {
	x := &stepContext{p, r, d, d.target.grant, d.target.rule}
	for _, q := range questions {
		if q.applies != nil && !q.applies(x) {
			continue
		}
		a := q.answer(x)
		steps = append(steps, Step{Code: q.code, Question: q.text, Found: a.found, From: d.fromField(a.field)})
		if a.ends != reasonNone {
			return steps, a.ends
		}
	}
	return steps, reasonOriginAllowed
}

// stepContext is a request of which questions are asked.
type stepContext struct {
	plan    *Plan
	request *Request
	d       *Decision // for its target, and for what it found about the request
	grant   *grant
	rule    *rules.Effective
}

// header returns the lines of a request header field.
func (x *stepContext) header(name string) []string { return x.request.Header[name] }

// namesOrigin reports whether the request has an Origin.
func (x *stepContext) namesOrigin() bool { return len(x.header("Origin")) > 0 }

// isCall reports whether it is a call that names its origin, and not a handshake.
func (x *stepContext) isCall() bool { return x.namesOrigin() && !x.d.preflight && !x.d.upgrade }

// stepResult is what was found of a request.
type stepResult struct {
	found string
	field string   // which says so; empty where the policy has no say
	ends  reasonID // the decision's, where it is made here; empty where it goes on
}

// question is one that Decide asks.
type question struct {
	code    StepCode
	text    string
	applies func(x *stepContext) bool // nil for always
	answer  func(x *stepContext) stepResult
}

// questions are those of Decide, in its order.
var questions = []question{
	{StepPath, "whose path is it?", nil, answerPath},
	{StepOriginSyntax, "is its Origin one that a browser sends?", nil, answerOriginSyntax},
	{StepSameOrigin, "does it come from the server's own origin, or from no browser?", nil, answerSameOrigin},
	{
		StepCanonicalPath, "is the path spelled as RPC clients spell it?",
		func(x *stepContext) bool {
			return x.d.target.kind == targetProcedure || x.d.target.kind == targetAmbiguous
		},
		answerCanonicalPath,
	},
	{StepEnabled, "may other origins call it at all?", nil, answerEnabled},
	{
		StepOperationalNamed, "may other origins call it without a rule that names its service?",
		func(x *stepContext) bool { return x.grant.unnamed && x.namesOrigin() }, answerOperationalNamed,
	},
	{
		StepOriginPresent, "may it come without naming an origin?",
		func(x *stepContext) bool { return !x.namesOrigin() }, answerOriginPresent,
	},
	{StepOriginAllowed, "is the origin allowed?", nil, answerOriginAllowed},
	{
		StepMethodGranted, "is the method granted that the preflight asks for?",
		func(x *stepContext) bool { return x.d.preflight }, answerMethodGranted,
	},
	{
		StepHeadersGranted, "are the headers granted that the preflight asks for?",
		func(x *stepContext) bool { return x.d.preflight }, answerHeadersGranted,
	},
	{
		StepUpgrade, "may a handshake of this origin use cookies?",
		func(x *stepContext) bool { return x.d.upgrade && !x.d.preflight }, answerUpgrade,
	},
	{
		StepMode, "was it made in mode cors?",
		func(x *stepContext) bool { return x.isCall() && x.d.target.kind == targetProcedure }, answerMode,
	},
	{
		StepMethodAllowed, "does the rule list the method?",
		func(x *stepContext) bool { return x.isCall() && x.d.target.kind == targetPath }, answerMethodAllowed,
	},
	{
		StepCredentials, "may it carry credentials?",
		func(x *stepContext) bool {
			return x.isCall() && (x.d.target.kind == targetProcedure || x.d.isWriteOpenToAll())
		},
		answerCredentials,
	},
}

func answerPath(x *stepContext) stepResult {
	name := safetext.Sample(x.d.target.name)
	switch t := x.d.target; {
	case t.kind == targetNone && x.plan.wouldGovernCall(x.request):
		return stepResult{found: "it has the shape of a procedure's, which neither the schema nor the policy names, and the request is no RPC call: the handler gets it as it is", ends: reasonNotGoverned}
	case t.kind == targetNone:
		return stepResult{found: "no procedure's, and no rule names it: the handler gets it as it is", ends: reasonNotGoverned}
	case t.ambiguity != nil:
		return stepResult{found: "servers may read it in several ways: as " + describeMatch(t.ambiguity.first) + ", and as " + describeMatch(t.ambiguity.other)}
	case t.kind == targetAmbiguous:
		return stepResult{found: "it is too long, its dot segments climb too high, or servers may read it in too many ways"}
	case t.kind == targetPath:
		return stepResult{found: "that of the path rule " + name, field: x.rule.Narrowest()}
	case t.known:
		return stepResult{found: "that of the procedure " + name, field: x.rule.Narrowest()}
	}
	return stepResult{found: "that of a procedure " + name + ", which neither the schema nor the policy names", field: x.rule.Narrowest()}
}

func answerOriginSyntax(x *stepContext) stepResult {
	origins := x.header("Origin")
	no := func(reason reasonID) stepResult {
		return stepResult{found: "no: " + reason.text() + ": " + safetext.Sample(strings.Join(origins, ", ")), ends: reason}
	}
	switch {
	case len(origins) == 0:
		return stepResult{found: "there is none"}
	case len(origins) > 1:
		return no(reasonOriginRepeated)
	case !new(requestOrigin).parse(origins[0], x.grant.origins):
		return no(reasonOriginMalformed)
	}
	return stepResult{found: "yes: " + origins[0]}
}

func answerSameOrigin(x *stepContext) stepResult {
	site := x.header("Sec-Fetch-Site")
	says := "no Sec-Fetch-Site"
	if len(site) > 0 {
		says = "Sec-Fetch-Site: " + safetext.Sample(strings.Join(site, ", "))
	}
	says = " (" + says + ", Host: " + safetext.Sample(x.request.Host) + ")"
	yes := func(reason reasonID) stepResult {
		return stepResult{found: "yes: " + reason.text() + says, ends: reason}
	}
	var from requestOrigin
	switch {
	case hasOnly(site, "same-origin") || hasOnly(site, "none"):
		return yes(reasonSameOrigin)
	case len(site) > 0:
	case !x.namesOrigin():
		return yes(reasonNoOrigin)
	case from.parse(x.header("Origin")[0], x.grant.origins) && from.matchesHost(x.request):
		return yes(reasonSameOrigin)
	}
	return stepResult{found: "no" + says}
}

func answerCanonicalPath(x *stepContext) stepResult {
	switch {
	case x.d.target.kind != targetAmbiguous:
		return stepResult{found: "yes"}
	case !x.namesOrigin() && x.passesInEachReading():
		return stepResult{found: "no, but the request passes whichever way it is read"}
	}
	return stepResult{found: "no", ends: reasonPathNotCanonical}
}

// passesInEachReading reports whether the request would pass, whichever way its path is read.
func (x *stepContext) passesInEachReading() bool {
	return x.d.target.ambiguity != nil && x.plan.passesInEachReading(x.request, x.d)
}

func answerEnabled(x *stepContext) stepResult {
	if x.grant.disabled {
		return stepResult{found: "no", field: x.rule.Said("disabled"), ends: reasonDisabled}
	}
	return stepResult{found: "yes", field: x.rule.Said("disabled")}
}

func answerOperationalNamed(*stepContext) stepResult {
	return stepResult{found: "no: " + reasonOperationalNotNamed.text(), ends: reasonOperationalNotNamed}
}

func answerOriginPresent(x *stepContext) stepResult {
	passes := x.d.safe && !x.d.upgrade
	switch {
	case x.d.target.kind == targetAmbiguous:
		passes = x.passesInEachReading()
	case x.d.target.kind == targetProcedure:
		passes = passes && x.grant.anyOrigin
	default:
		passes = passes && (!x.grant.credentials || hasOnly(x.header("Sec-Fetch-Mode"), "navigate"))
	}
	if passes {
		return stepResult{found: "yes: " + reasonOpenToAll.text(), ends: reasonOpenToAll}
	}
	return stepResult{found: "no: " + reasonOriginMissing.text(), ends: reasonOriginMissing}
}

func answerOriginAllowed(x *stepContext) stepResult {
	origin := x.header("Origin")[0]
	matching := *x.d
	var from requestOrigin
	if from.parse(origin, x.grant.origins) && matching.matchOrigin(x.plan, &from) {
		return stepResult{found: "yes: " + origin, field: matching.originField()}
	}
	return stepResult{found: "no: " + origin, field: x.rule.OriginsField(), ends: reasonOriginNotAllowed}
}

func answerMethodGranted(x *stepContext) stepResult {
	requested, _ := preflightMethod(x.request)
	a := stepResult{found: "yes", field: x.rule.Said("allow_methods")}
	if !fetch.SafelistedMethod(requested) && !slices.Contains(x.grant.methods, requested) {
		a.found, a.ends = "no", reasonMethodNotGranted
	}
	a.found += ": it asks for " + safetext.Sample(requested) + "; granted: " + x.grant.allowMethods
	return a
}

func answerHeadersGranted(x *stepContext) stepResult {
	lines := x.header("Access-Control-Request-Headers")
	_, missing, wellFormed := x.grant.requested(lines)
	switch {
	case !wellFormed:
		return stepResult{found: "no: " + reasonRequestedHeadersMalformed.text(), ends: reasonRequestedHeadersMalformed}
	case missing != "":
		return stepResult{found: "no: not " + safetext.Sample(missing), ends: reasonHeadersNotGranted}
	case len(lines) == 0:
		return stepResult{found: "it asks for none"}
	}
	return stepResult{found: "yes"}
}

func answerUpgrade(x *stepContext) stepResult {
	if x.grant.credentials {
		return stepResult{found: "yes", field: x.rule.Said("allow_credentials"), ends: reasonOriginAllowed}
	}
	return stepResult{found: "no", field: x.rule.Said("allow_credentials"), ends: reasonCredentialsNotAllowed}
}

func answerMode(x *stepContext) stepResult {
	mode := x.header("Sec-Fetch-Mode")
	switch said := ": Sec-Fetch-Mode: " + safetext.Sample(strings.Join(mode, ", ")); {
	case len(mode) == 0:
		return stepResult{found: "the browser does not say"}
	case !hasOnly(mode, "cors"):
		return stepResult{found: "no" + said, ends: reasonModeNotCORS}
	default:
		return stepResult{found: "yes" + said}
	}
}

func answerMethodAllowed(x *stepContext) stepResult {
	a := stepResult{found: "yes: " + x.grant.allowMethods, field: x.rule.Said("allow_methods")}
	if !slices.Contains(x.grant.methods, x.request.Method) {
		a.found, a.ends = "no: "+x.grant.allowMethods, reasonMethodNotAllowed
	}
	return a
}

func answerCredentials(x *stepContext) stepResult {
	a := stepResult{found: "no", field: x.rule.Said("allow_credentials")}
	if x.grant.credentials {
		a.found = "yes"
	}
	cookies := len(x.header("Cookie")) > 0
	if !cookies && len(x.header("Authorization")) == 0 {
		a.found += ", and it has none"
	}
	asked := *x.d
	if x.d.target.kind == targetProcedure && cookies && !x.grant.credentials || x.d.isWriteOpenToAll() && asked.hasAmbientCredentials(x.request) {
		a.ends = reasonCredentialsNotAllowed
	}
	return a
}

// wouldGovernCall reports whether a path that is not governed would be for an RPC call.
func (p *Plan) wouldGovernCall(r *Request) bool {
	first, _, _ := p.routes.Find(r.Path, r.EscapedPath, true)
	return first.Kind == route.Shape
}

// describeMatch names what a reading of a path leads to.
func describeMatch(m route.Match[*target]) string {
	switch {
	case m.Kind == route.None:
		return "one that no rule names"
	case m.Kind == route.Path:
		return "that of the path rule " + safetext.Sample(m.Name)
	}
	return "that of the procedure " + safetext.Sample(m.Name)
}

// summary says in words what becomes of the request.
func (d Decision) summary() string {
	does := map[Outcome]string{
		OutcomeUntouched:        "the handler gets it, and its answer is left as it is",
		OutcomePass:             "the handler gets it",
		OutcomeGrant:            "the handler gets it, and the script may read the answer",
		OutcomePreflight:        fmt.Sprintf("the layer answers %d with the grant", http.StatusNoContent),
		OutcomeRefuse:           fmt.Sprintf("the layer answers %d", http.StatusForbidden),
		OutcomeMethodNotAllowed: fmt.Sprintf("the layer answers %d", http.StatusMethodNotAllowed),
	}[d.outcome]
	if d.observed {
		does = "the handler gets it, since enforcement is OBSERVE; otherwise " + does
	}
	return string(d.Reason()) + ": " + does
}
