package corsrpc

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/route"
)

// Step is one step of a decision: a question that Decide asks of a request, and what
// it found.
type Step struct {
	// Question is what was asked, such as "is the origin allowed?".
	Question string
	// Found is the answer, in words. It may hold input from the network, made safe
	// to log.
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
	var steps []Step
	for _, q := range questions {
		if q.asked != nil && !q.asked(d, r) {
			continue
		}
		ends := slices.Contains(q.endsIn, d.reason)
		found, field := q.found(p, d, r, ends)
		steps = append(steps, Step{Question: q.text, Found: found, From: d.fromField(field)})
		if ends {
			break
		}
	}
	return append(steps, Step{Question: "what happens?", Found: d.summary(), From: d.From(), Decision: d})
}

// questions are those of Decide, in its order. A decision's reason says at which of
// them it was made; those before it were answered so that it went on.
var questions = []struct {
	text   string
	asked  func(d Decision, r Request) bool // nil for always
	endsIn []Reason                         // a decision for one of these is made here
	found  func(p *Plan, d Decision, r Request, ends bool) (found, field string)
}{
	{
		text: "whose path is it?", endsIn: []Reason{ReasonNotGoverned},
		found: func(p *Plan, d Decision, r Request, _ bool) (string, string) {
			name := sample(d.target.name)
			switch {
			case d.target.kind == targetNone && p.onlyCallsAreGoverned(r):
				return "it has the shape of a procedure's, which neither the schema nor the policy names, and the request is no RPC call: the handler gets it as it is", ""
			case d.target.kind == targetNone:
				return "no procedure's, and no rule names it: the handler gets it as it is", ""
			case d.target.unclear != nil:
				return "servers may read it in several ways: as " + describeMatch(d.target.unclear.first) + ", and as " + describeMatch(d.target.unclear.other), ""
			case d.target.kind == targetUnclear:
				return "it is too long, its dot segments climb too high, or servers may read it in too many ways", ""
			case d.target.kind == targetPath:
				return "that of the path rule " + name, d.target.rule.Narrowest()
			case d.target.known:
				return "that of the procedure " + name, d.target.rule.Narrowest()
			}
			return "that of a procedure " + name + ", which neither the schema nor the policy names", d.target.rule.Narrowest()
		},
	},
	{
		text: "is its Origin one that a browser sends?", endsIn: []Reason{ReasonOriginRepeated, ReasonOriginMalformed},
		found: func(_ *Plan, d Decision, r Request, ends bool) (string, string) {
			switch origins := r.Header["Origin"]; {
			case ends:
				return "no: " + d.reason.Text() + ": " + sample(strings.Join(origins, ", ")), ""
			case len(origins) == 0:
				return "there is none", ""
			}
			return "yes: " + d.origin, ""
		},
	},
	{
		text: "does it come from the server's own origin, or from no browser?", endsIn: []Reason{ReasonSameOrigin, ReasonNoOrigin},
		found: func(_ *Plan, d Decision, r Request, ends bool) (string, string) {
			site := "no Sec-Fetch-Site"
			if lines := r.Header["Sec-Fetch-Site"]; len(lines) > 0 {
				site = "Sec-Fetch-Site: " + sample(strings.Join(lines, ", "))
			}
			if ends {
				return "yes: " + d.reason.Text() + " (" + site + ", Host: " + sample(r.Host) + ")", ""
			}
			return "no (" + site + ", Host: " + sample(r.Host) + ")", ""
		},
	},
	{
		text: "is the path spelled as RPC clients spell it?", endsIn: []Reason{ReasonPathNotCanonical},
		asked: func(d Decision, _ Request) bool {
			return d.target.kind == targetProcedure || d.reason == ReasonPathNotCanonical
		},
		found: func(_ *Plan, _ Decision, _ Request, ends bool) (string, string) { return yesNo(!ends), "" },
	},
	{
		text: "may other origins call it at all?", endsIn: []Reason{ReasonDisabled},
		found: func(_ *Plan, d Decision, _ Request, ends bool) (string, string) {
			return yesNo(!ends), d.target.rule.Said("disabled")
		},
	},
	{
		text: "may other origins call it without a rule that names its service?", endsIn: []Reason{ReasonOperationalNotNamed},
		asked: func(d Decision, _ Request) bool { return d.reason == ReasonOperationalNotNamed },
		found: func(_ *Plan, d Decision, _ Request, _ bool) (string, string) { return "no: " + d.reason.Text(), "" },
	},
	{
		text: "may it come without naming an origin?", endsIn: []Reason{ReasonOriginMissing, ReasonOpenToAll},
		asked: func(_ Decision, r Request) bool { return len(r.Header["Origin"]) == 0 },
		found: func(_ *Plan, d Decision, _ Request, _ bool) (string, string) {
			return yesNo(d.reason == ReasonOpenToAll) + ": " + d.reason.Text(), ""
		},
	},
	{
		text: "is the origin allowed?", endsIn: []Reason{ReasonOriginNotAllowed},
		found: func(_ *Plan, d Decision, _ Request, ends bool) (string, string) {
			if ends {
				return "no: " + d.origin, d.field()
			}
			return "yes: " + d.origin, d.originField()
		},
	},
	{
		text: "is the method granted that the preflight asks for?", endsIn: []Reason{ReasonMethodNotGranted},
		asked: func(d Decision, _ Request) bool { return d.preflight },
		found: func(_ *Plan, d Decision, r Request, ends bool) (string, string) {
			method := sample(r.Header.Get("Access-Control-Request-Method"))
			return yesNo(!ends) + ": it asks for " + method + "; granted: " + d.target.grant.allowMethods, d.target.rule.Said("allow_methods")
		},
	},
	{
		text: "are the headers granted that the preflight asks for?", endsIn: []Reason{ReasonHeadersNotGranted, ReasonRequestedHeadersMalformed},
		asked: func(d Decision, _ Request) bool { return d.preflight },
		found: func(_ *Plan, d Decision, r Request, ends bool) (string, string) {
			switch {
			case ends && d.missing != "":
				return "no: not " + sample(d.missing), ""
			case ends:
				return "no: " + d.reason.Text(), ""
			case len(r.Header["Access-Control-Request-Headers"]) == 0:
				return "it asks for none", ""
			}
			return "yes", ""
		},
	},
	{
		text: "may a handshake of this origin use cookies?", endsIn: []Reason{ReasonCredentialsNotAllowed, ReasonOriginAllowed},
		asked: func(d Decision, _ Request) bool { return d.upgrade && !d.preflight },
		found: func(_ *Plan, d Decision, _ Request, _ bool) (string, string) {
			return yesNo(d.target.grant.credentials), d.target.rule.Said("allow_credentials")
		},
	},
	{
		text: "was it made in mode cors?", endsIn: []Reason{ReasonModeNotCORS},
		asked: func(d Decision, _ Request) bool { return d.target.kind == targetProcedure && !d.preflight },
		found: func(_ *Plan, _ Decision, r Request, ends bool) (string, string) {
			mode := r.Header["Sec-Fetch-Mode"]
			if len(mode) == 0 {
				return "the browser does not say", ""
			}
			return yesNo(!ends) + ": Sec-Fetch-Mode: " + sample(strings.Join(mode, ", ")), ""
		},
	},
	{
		text: "does the rule list the method?", endsIn: []Reason{ReasonMethodNotAllowed},
		asked: func(d Decision, _ Request) bool { return d.target.kind == targetPath && !d.preflight },
		found: func(_ *Plan, d Decision, r Request, ends bool) (string, string) {
			return yesNo(!ends) + ": " + d.target.grant.allowMethods, d.target.rule.Said("allow_methods")
		},
	},
	{
		text: "may it carry credentials?", endsIn: []Reason{ReasonCredentialsNotAllowed},
		asked: func(d Decision, _ Request) bool {
			return (d.target.kind == targetProcedure || d.isAnybodysWrite()) && !d.preflight
		},
		found: func(_ *Plan, d Decision, r Request, _ bool) (string, string) {
			found := yesNo(d.target.grant.credentials)
			if len(r.Header["Cookie"]) == 0 && len(r.Header["Authorization"]) == 0 {
				found += ", and it has none"
			}
			return found, d.target.rule.Said("allow_credentials")
		},
	},
}

// onlyCallsAreGoverned reports whether a path that is not governed would be for an RPC call.
func (p *Plan) onlyCallsAreGoverned(r Request) bool {
	first, _, _ := p.routes.Find(r.Path, r.EscapedPath, true)
	return first.Kind == route.Shape
}

// describeMatch names what a reading of a path leads to.
func describeMatch(m route.Match[*target]) string {
	switch {
	case m.Kind == route.None:
		return "one that no rule names"
	case m.Kind == route.Path:
		return "that of the path rule " + sample(m.Name)
	}
	return "that of the procedure " + sample(m.Name)
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
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
	return string(d.reason) + ": " + does
}
