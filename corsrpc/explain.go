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

// StepCode identifies a step of a decision. Its values are stable: programs may compare them.
type StepCode string

// The steps, in the order in which Decide takes them.
const (
	// StepPath: which procedure or path rule does the path resolve to?
	StepPath StepCode = "PATH"
	// StepOriginSyntax: does the request have one well-formed Origin header?
	StepOriginSyntax StepCode = "ORIGIN_SYNTAX"
	// StepSameOrigin: is the request same-origin, or not sent by a page?
	StepSameOrigin StepCode = "SAME_ORIGIN"
	// StepCanonicalPath: does the policy grant the same access in every reading of the path?
	StepCanonicalPath StepCode = "CANONICAL_PATH"
	// StepEnabled: does the policy enable calls from other origins?
	StepEnabled StepCode = "ENABLED"
	// StepOperationalNamed: does a rule name this operational service?
	StepOperationalNamed StepCode = "OPERATIONAL_NAMED"
	// StepOriginPresent: may the request come without an Origin header?
	StepOriginPresent StepCode = "ORIGIN_PRESENT"
	// StepOriginAllowed: does the policy allow the origin?
	StepOriginAllowed StepCode = "ORIGIN_ALLOWED"
	// StepMethodGranted: does the policy grant the method that the preflight asks for?
	StepMethodGranted StepCode = "METHOD_GRANTED"
	// StepHeadersGranted: does the policy grant the headers that the preflight asks for?
	StepHeadersGranted StepCode = "HEADERS_GRANTED"
	// StepUpgrade: may a handshake from this origin carry cookies?
	StepUpgrade StepCode = "UPGRADE"
	// StepMode: is the request mode cors?
	StepMode StepCode = "MODE"
	// StepMethodAllowed: does the path's rule allow the method?
	StepMethodAllowed StepCode = "METHOD_ALLOWED"
	// StepCredentials: may the request carry credentials?
	StepCredentials StepCode = "CREDENTIALS"
	// StepOutcome: what does the layer do? It is always the last step.
	StepOutcome StepCode = "OUTCOME"
)

// Step is one step of a decision: a check that Decide makes, and its result. Fields may be added:
// use field names in literals.
type Step struct {
	// Code identifies the step.
	Code StepCode
	// Question is the check as a question, such as "does the policy allow the origin?". The
	// wording may change.
	Question string
	// Found is the answer to the question. It may hold input from the network, made safe to
	// log. The wording may change.
	Found string
	// From is the place in the policy that the answer comes from; the zero Provenance if the
	// policy has no influence on it.
	From Provenance
	// Decision is the decision of Decide in the last step, and the zero Decision in the others.
	Decision Decision
}

// Explain returns the steps that Decide takes for a request, in order. The last step holds the
// decision itself. Explain is safe for concurrent use.
func (p *Plan) Explain(r Request) []Step {
	d := p.Decide(r)
	steps, _ := p.steps(questions, &r, &d)
	return append(steps, Step{Code: StepOutcome, Question: "what does the layer do?", Found: d.summary(), From: d.From(), Decision: d})
}

// steps asks the questions about a request until one ends the decision, and returns the reason.
// It does not share code with Decide: TestExplainAgreesWithDecide checks that they agree.
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

// stepContext holds a request and what the questions need to know of it.
type stepContext struct {
	plan    *Plan
	request *Request
	d       *Decision // for its target, and the facts about the request that it holds
	grant   *grant
	rule    *rules.Effective
}

// header returns the lines of a header field of the request.
func (x *stepContext) header(name string) []string { return x.request.Header[name] }

// namesOrigin reports whether the request has an Origin header.
func (x *stepContext) namesOrigin() bool { return len(x.header("Origin")) > 0 }

// isCall reports whether the request is a call with an Origin header, not a preflight or a
// handshake.
func (x *stepContext) isCall() bool { return x.namesOrigin() && !x.d.preflight && !x.d.upgrade }

// stepResult is the answer to a question.
type stepResult struct {
	found string
	field string   // the policy field that the answer comes from; empty if there is none
	ends  reasonID // the reason of the decision if it ends here; reasonNone if it goes on
}

// question is a check of Decide.
type question struct {
	code    StepCode
	text    string
	applies func(x *stepContext) bool // nil if the question applies to every request
	answer  func(x *stepContext) stepResult
}

// questions are the checks of Decide, in its order.
var questions = []question{
	{StepPath, "which procedure or path rule does the path resolve to?", nil, answerPath},
	{StepOriginSyntax, "does the request have one well-formed Origin header?", nil, answerOriginSyntax},
	{StepSameOrigin, "is the request same-origin, or not sent by a page?", nil, answerSameOrigin},
	{
		StepCanonicalPath, "does the policy grant the same access in every reading of the path?",
		func(x *stepContext) bool {
			return x.d.target.kind == targetProcedure || x.d.target.kind == targetAmbiguous
		},
		answerCanonicalPath,
	},
	{StepEnabled, "does the policy enable calls from other origins?", nil, answerEnabled},
	{
		StepOperationalNamed, "does a rule name this operational service?",
		func(x *stepContext) bool { return x.grant.unnamed && x.namesOrigin() }, answerOperationalNamed,
	},
	{
		StepOriginPresent, "may the request come without an Origin header?",
		func(x *stepContext) bool { return !x.namesOrigin() }, answerOriginPresent,
	},
	{StepOriginAllowed, "does the policy allow the origin?", nil, answerOriginAllowed},
	{
		StepMethodGranted, "does the policy grant the method that the preflight asks for?",
		func(x *stepContext) bool { return x.d.preflight }, answerMethodGranted,
	},
	{
		StepHeadersGranted, "does the policy grant the headers that the preflight asks for?",
		func(x *stepContext) bool { return x.d.preflight }, answerHeadersGranted,
	},
	{
		StepUpgrade, "may a handshake from this origin carry cookies?",
		func(x *stepContext) bool { return x.d.upgrade && !x.d.preflight }, answerUpgrade,
	},
	{
		StepMode, "is the request mode cors?",
		func(x *stepContext) bool { return x.isCall() && x.d.target.isRPC() }, answerMode,
	},
	{
		StepMethodAllowed, "does the path's rule allow the method?",
		func(x *stepContext) bool { return x.isCall() && x.d.target.kind == targetPath }, answerMethodAllowed,
	},
	{
		StepCredentials, "may the request carry credentials?",
		func(x *stepContext) bool {
			return x.isCall() && (x.d.target.isRPC() || x.d.isWriteOpenToAll())
		},
		answerCredentials,
	},
}

func answerPath(x *stepContext) stepResult {
	name := safetext.Sample(x.d.target.name)
	switch t := x.d.target; {
	case t.kind == targetNone && x.plan.wouldGovernCall(x.request):
		return stepResult{found: "none: the path has the shape of a procedure's, but neither the schema nor the policy has that procedure, and the request is not an RPC call", ends: reasonNotGoverned}
	case t.kind == targetNone:
		return stepResult{found: "none: no rule applies to the path", ends: reasonNotGoverned}
	case t.ambiguity != nil:
		return stepResult{found: "servers may interpret the path in several ways: as " + describeMatch(t.ambiguity.first) + ", and as " + describeMatch(t.ambiguity.other)}
	case t.kind == targetAmbiguous:
		return stepResult{found: "unclear: the path is too long, it has too many readings, or its dot segments go above the root or the path prefix"}
	case t.kind == targetPath:
		return stepResult{found: "the path rule " + name, field: x.rule.Narrowest()}
	case t.known:
		return stepResult{found: "the procedure " + name, field: x.rule.Narrowest()}
	}
	return stepResult{found: "the procedure " + name + ", which neither the schema nor the policy has", field: x.rule.Narrowest()}
}

func answerOriginSyntax(x *stepContext) stepResult {
	origins := x.header("Origin")
	no := func(reason reasonID) stepResult {
		return stepResult{found: "no: " + reason.text() + ": " + safetext.Sample(strings.Join(origins, ", ")), ends: reason}
	}
	switch {
	case len(origins) == 0:
		return stepResult{found: "there is no Origin header"}
	case len(origins) > 1:
		return no(reasonOriginRepeated)
	case !new(requestOrigin).parse(origins[0], x.grant.origins):
		return no(reasonOriginMalformed)
	}
	return stepResult{found: "yes: " + origins[0]}
}

func answerSameOrigin(x *stepContext) stepResult {
	site := x.header("Sec-Fetch-Site")
	evidence := "no Sec-Fetch-Site"
	if len(site) > 0 {
		evidence = "Sec-Fetch-Site: " + safetext.Sample(strings.Join(site, ", "))
	}
	evidence = " (" + evidence + ", Host: " + safetext.Sample(x.request.Host) + ")"
	yes := func(reason reasonID) stepResult {
		return stepResult{found: "yes: " + reason.text() + evidence, ends: reason}
	}
	var from requestOrigin
	switch {
	case x.d.claimsOwn:
		return stepResult{found: "not proven: the path serves MCP, where the server's own origin has to be allowed unless its host is a loopback host" + evidence}
	case hasOnly(site, "same-origin") || hasOnly(site, "none"):
		return yes(reasonSameOrigin)
	case len(site) > 0:
	case !x.namesOrigin():
		return yes(reasonNoOrigin)
	case from.parse(x.header("Origin")[0], x.grant.origins) && from.matchesHost(x.request):
		return yes(reasonSameOrigin)
	}
	return stepResult{found: "no" + evidence}
}

func answerCanonicalPath(x *stepContext) stepResult {
	switch {
	case x.d.target.kind != targetAmbiguous:
		return stepResult{found: "yes"}
	case !x.namesOrigin() && x.passesInEachReading():
		return stepResult{found: "no, but the request passes in every reading"}
	}
	return stepResult{found: "no", ends: reasonPathNotCanonical}
}

// passesInEachReading reports whether the request would pass in every reading of its path.
func (x *stepContext) passesInEachReading() bool {
	return x.d.target.ambiguity != nil && x.plan.passesInEachReading(x.request, x.d)
}

func answerEnabled(x *stepContext) stepResult {
	if x.grant.disabled {
		return stepResult{found: "no", field: x.rule.ValueField("disabled"), ends: reasonDisabled}
	}
	return stepResult{found: "yes", field: x.rule.ValueField("disabled")}
}

func answerOperationalNamed(*stepContext) stepResult {
	return stepResult{found: "no: " + reasonOperationalNotNamed.text(), ends: reasonOperationalNotNamed}
}

func answerOriginPresent(x *stepContext) stepResult {
	passes := x.d.safe && !x.d.upgrade
	switch {
	case x.d.target.kind == targetAmbiguous:
		passes = x.passesInEachReading()
	case x.d.claimsOwn:
		return stepResult{found: "no: " + reasonOwnOriginNotAllowed.text(), field: x.rule.OriginsField(), ends: reasonOwnOriginNotAllowed}
	case x.d.target.isRPC():
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
	reason := reasonOriginNotAllowed
	if x.d.claimsOwn {
		reason = reasonOwnOriginNotAllowed
	}
	return stepResult{found: "no: " + origin, field: x.rule.OriginsField(), ends: reason}
}

func answerMethodGranted(x *stepContext) stepResult {
	requested, _ := preflightMethod(x.request)
	a := stepResult{found: "yes", field: x.rule.ValueField("allow_methods")}
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
		return stepResult{found: "no: it does not grant " + safetext.Sample(missing), ends: reasonHeadersNotGranted}
	case len(lines) == 0:
		return stepResult{found: "the preflight asks for no headers"}
	}
	return stepResult{found: "yes"}
}

func answerUpgrade(x *stepContext) stepResult {
	if x.grant.credentials {
		return stepResult{found: "yes", field: x.rule.ValueField("allow_credentials"), ends: reasonOriginAllowed}
	}
	return stepResult{found: "no", field: x.rule.ValueField("allow_credentials"), ends: reasonCredentialsNotAllowed}
}

func answerMode(x *stepContext) stepResult {
	mode := x.header("Sec-Fetch-Mode")
	switch said := ": Sec-Fetch-Mode: " + safetext.Sample(strings.Join(mode, ", ")); {
	case len(mode) == 0:
		return stepResult{found: "the request has no Sec-Fetch-Mode header"}
	case !hasOnly(mode, "cors"):
		return stepResult{found: "no" + said, ends: reasonModeNotCORS}
	default:
		return stepResult{found: "yes" + said}
	}
}

func answerMethodAllowed(x *stepContext) stepResult {
	a := stepResult{found: "yes: allow_methods is " + x.grant.allowMethods, field: x.rule.ValueField("allow_methods")}
	if !slices.Contains(x.grant.methods, x.request.Method) {
		a.found, a.ends = "no: allow_methods is "+x.grant.allowMethods, reasonMethodNotAllowed
	}
	return a
}

func answerCredentials(x *stepContext) stepResult {
	a := stepResult{found: "no", field: x.rule.ValueField("allow_credentials")}
	if x.grant.credentials {
		a.found = "yes"
	}
	cookies := len(x.header("Cookie")) > 0
	if !cookies && len(x.header("Authorization")) == 0 {
		a.found += ", and it has none"
	}
	asked := *x.d
	if x.d.target.isRPC() && cookies && !x.grant.credentials || x.d.isWriteOpenToAll() && asked.hasAmbientCredentials(x.request) {
		a.ends = reasonCredentialsNotAllowed
	}
	return a
}

// wouldGovernCall reports whether a rule would govern the path if the request were an RPC call.
func (p *Plan) wouldGovernCall(r *Request) bool {
	first, _, _ := p.routes.Find(r.Path, r.EscapedPath, true)
	return first.Kind == route.Shape
}

// describeMatch describes the target of one reading of a path.
func describeMatch(m route.Match[*target]) string {
	switch {
	case m.Kind == route.None:
		return "a path that no rule applies to"
	case m.Kind == route.Path:
		return "the path rule " + safetext.Sample(m.Name)
	}
	return "the procedure " + safetext.Sample(m.Name)
}

// summary describes the reason and the outcome in one line.
func (d Decision) summary() string {
	does := map[Outcome]string{
		OutcomeUntouched:        "the handler gets the request, and the layer does not change the response",
		OutcomePass:             "the handler gets the request",
		OutcomeGrant:            "the handler gets the request, and the script may read the response",
		OutcomePreflight:        fmt.Sprintf("the layer answers %d with the grant", http.StatusNoContent),
		OutcomeRefuse:           fmt.Sprintf("the layer answers %d", http.StatusForbidden),
		OutcomeMethodNotAllowed: fmt.Sprintf("the layer answers %d", http.StatusMethodNotAllowed),
	}[d.outcome]
	if d.observed {
		does = "the handler gets the request, since enforcement is OBSERVE; under ENFORCE, " + does
	}
	return string(d.Reason()) + ": " + does
}
