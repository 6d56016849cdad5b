package corsrpc

import (
	"fmt"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// Outcome is what the layer does with a request.
type Outcome uint8

// The outcomes of a decision.
const (
	// OutcomeUntouched: the handler runs, and the layer does not change its response.
	OutcomeUntouched Outcome = iota
	// OutcomePass: the handler runs. Its response gets a Vary field at most; if everyone may
	// call without credentials, GET and HEAD responses also get the fields of OutcomeGrant.
	OutcomePass
	// OutcomeGrant: the handler runs, and its response gets CORS fields, and
	// Timing-Allow-Origin if the rule sets timing.
	OutcomeGrant
	// OutcomePreflight: the layer answers the preflight, status 204, with everything that the
	// rule grants.
	OutcomePreflight
	// OutcomeRefuse: the layer answers with status 403, and the handler does not run.
	OutcomeRefuse
	// OutcomeMethodNotAllowed: the layer answers with status 405, which the calling script may
	// read, and the handler does not run.
	OutcomeMethodNotAllowed
)

var outcomeNames = [...]string{"untouched", "pass", "grant", "preflight", "refuse", "method_not_allowed"}

// String returns the outcome's name, in lower case; "unknown" for a value that is not an outcome.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "unknown"
}

// Reason is why Decide came to its decision. Its values are stable: programs may compare them.
type Reason string

// The reasons. Reason.Text explains each.
const (
	ReasonNotGoverned               Reason = "NOT_GOVERNED"
	ReasonSameOrigin                Reason = "SAME_ORIGIN"
	ReasonNoOrigin                  Reason = "NO_ORIGIN"
	ReasonOpenToAll                 Reason = "OPEN_TO_ALL"
	ReasonOriginAllowed             Reason = "ORIGIN_ALLOWED"
	ReasonMethodNotGranted          Reason = "METHOD_NOT_GRANTED"
	ReasonHeadersNotGranted         Reason = "HEADERS_NOT_GRANTED"
	ReasonRequestedHeadersMalformed Reason = "REQUESTED_HEADERS_MALFORMED"
	ReasonMethodNotAllowed          Reason = "METHOD_NOT_ALLOWED"
	ReasonOriginRepeated            Reason = "ORIGIN_REPEATED"
	ReasonOriginMalformed           Reason = "ORIGIN_MALFORMED"
	ReasonOriginMissing             Reason = "ORIGIN_MISSING"
	ReasonOriginNotAllowed          Reason = "ORIGIN_NOT_ALLOWED"
	ReasonOwnOriginNotAllowed       Reason = "OWN_ORIGIN_NOT_ALLOWED"
	ReasonDisabled                  Reason = "DISABLED"
	ReasonPathNotCanonical          Reason = "PATH_NOT_CANONICAL"
	ReasonModeNotCORS               Reason = "MODE_NOT_CORS"
	ReasonCredentialsNotAllowed     Reason = "CREDENTIALS_NOT_ALLOWED"
	ReasonOperationalNotNamed       Reason = "OPERATIONAL_NOT_NAMED"
)

// reasonID is a Reason as an index into reasonTable. The zero Decision has the zero value.
type reasonID uint8

const (
	reasonNone reasonID = iota
	reasonNotGoverned
	reasonSameOrigin
	reasonNoOrigin
	reasonOpenToAll
	reasonOriginAllowed
	reasonMethodNotGranted
	reasonHeadersNotGranted
	reasonRequestedHeadersMalformed
	reasonMethodNotAllowed
	reasonOriginRepeated
	reasonOriginMalformed
	reasonOriginMissing
	reasonOriginNotAllowed
	reasonOwnOriginNotAllowed
	reasonDisabled
	reasonPathNotCanonical
	reasonModeNotCORS
	reasonCredentialsNotAllowed
	reasonOperationalNotNamed
)

// reasonTable holds, for each reasonID, the public code, the clause of Reason.Text and the advice
// of Reason.Remedy. Texts are printable ASCII, since header fields
// contain them.
var reasonTable = [...]struct {
	reason       Reason
	text, remedy string
}{
	reasonNone:                      {},
	reasonNotGoverned:               {ReasonNotGoverned, "no rule of the policy applies to the path of the request", ""},
	reasonSameOrigin:                {ReasonSameOrigin, "the request comes from the server's own origin, or the user started it, for example in the address bar", ""},
	reasonNoOrigin:                  {ReasonNoOrigin, "the request has neither Origin nor Sec-Fetch-Site, so it does not come from a page on another origin", ""},
	reasonOpenToAll:                 {ReasonOpenToAll, "the policy lets GET and HEAD requests without an Origin header pass here", ""},
	reasonOriginAllowed:             {ReasonOriginAllowed, "the policy allows the origin", ""},
	reasonMethodNotGranted:          {ReasonMethodNotGranted, "the origin is allowed, but the method that the preflight asks for is not granted", "call procedures by POST, or by GET if they are declared NO_SIDE_EFFECTS; for a path, add the method to allow_methods, in upper case, as the page has to spell it too"},
	reasonHeadersNotGranted:         {ReasonHeadersNotGranted, "the origin is allowed, but not every header that the preflight asks for is granted", "add the missing headers to allow_headers, or set tracing: true if a tracing client sends them"},
	reasonRequestedHeadersMalformed: {ReasonRequestedHeadersMalformed, "the list of requested headers is malformed or too long, so only the headers that are always granted are granted", fmt.Sprintf("call with at most %d headers, each with a valid name: no policy can grant such a list", fetch.MaxRequestedNames)},
	reasonMethodNotAllowed:          {ReasonMethodNotAllowed, "the rule of this path does not list the method in allow_methods", "add the method to allow_methods, in upper case, as the page has to spell it too"},
	reasonOriginRepeated:            {ReasonOriginRepeated, "the request has more than one Origin header", "make the proxy in front of the server pass on exactly one Origin header"},
	reasonOriginMalformed:           {ReasonOriginMalformed, "the Origin header is not a value that browsers send", "send no Origin header from programs other than browsers"},
	reasonOriginMissing:             {ReasonOriginMissing, "the request comes from another site and has no Origin header, so it is not an RPC call from a script", "call with fetch in mode cors, as the RPC clients do"},
	reasonOriginNotAllowed:          {ReasonOriginNotAllowed, "the policy does not allow the origin, and it is not this server's own", "add the origin to allow_origins; if it is this server's own, the proxy in front changes the Host header: make it keep Host, or allow the origin"},
	reasonOwnOriginNotAllowed:       {ReasonOwnOriginNotAllowed, "the path serves MCP, the policy does not allow the origin there, and the Host header does not prove that it is this server's own (DNS rebinding)", "if the page is this server's own, add the server's public origin to allow_origins of the path's rule"},
	reasonDisabled:                  {ReasonDisabled, "the policy disables calls from other origins to this procedure or path", "remove disabled: true, or set disabled: false in a rule for this procedure or path"},
	reasonPathNotCanonical:          {ReasonPathNotCanonical, "servers may interpret the path in several ways, and the policy grants different access to these", "request the path as the RPC client generates it, or as its rule spells it"},
	reasonModeNotCORS:               {ReasonModeNotCORS, "the request's Sec-Fetch-Mode is not cors, so the browser made no CORS check", "call with fetch in mode cors, as the RPC clients do"},
	reasonCredentialsNotAllowed:     {ReasonCredentialsNotAllowed, "the request carries credentials, which the policy does not allow here", "set allow_credentials: true in a rule that lists the origin and neither * nor null, or call without credentials; if a proxy adds Authorization, add authorization to allow_headers of the rule"},
	reasonOperationalNotNamed:       {ReasonOperationalNotNamed, "the service is for the server's own operation, and no rule names it: defaults and the selector * do not apply to it", "set allow_origins in a rule whose selector names the service"},
}

// public returns the exported Reason.
func (r reasonID) public() Reason { return reasonTable[r].reason }

// text returns the sentence of Reason.Text.
func (r reasonID) text() string { return reasonTable[r].text }

// remedy returns the advice of Reason.Remedy.
func (r reasonID) remedy() string { return reasonTable[r].remedy }

// Reasons returns all reasons, always in the same order.
func Reasons() []Reason {
	var all []Reason
	for _, row := range reasonTable[1:] {
		all = append(all, row.reason)
	}
	return all
}

// Text returns a clause in English that says what the reason means; empty for a value that is
// not a reason. The wording may change.
func (r Reason) Text() string { return r.id().text() }

// Remedy returns what the caller or the operator can do so that such a request is granted; empty
// if nothing was refused, or if there is nothing to do. Decision.Remedy is specific to a request.
// The wording may change.
func (r Reason) Remedy() string { return r.id().remedy() }

// id returns the index of the reason; reasonNone for a value that is not a reason.
func (r Reason) id() reasonID {
	for i, row := range reasonTable {
		if row.reason == r {
			return reasonID(i)
		}
	}
	return reasonNone
}

// Decision is the result of Decide for one request: what the layer does with it, and why. It is
// immutable. The zero Decision leaves a request untouched.
type Decision struct {
	effect
	reason    reasonID
	format    rpc.Format
	preflight bool
	// claimsOwn: the request is same-origin by its Host header or Sec-Fetch-Site, which its target does not trust.
	claimsOwn bool
	readable  *readableAnswer // nil unless the refusal is readable for the script (WithExplain)
	// unnamedAuthorization: the credentials are an Authorization header that the rule does not grant.
	unnamedAuthorization bool
	matched              origin.PatternID // the pattern that allows the origin; 0 if there is none
	sourceItem           int32            // the index in grant.sources of the source that allows the origin, plus 1; 0 if there is none
	moreHeaders          string           // header names that a preflight is granted beyond the fixed list, each preceded by ", "
	missing              string
	contentType          string
	method               string
	origin               string
}

// effect is the part of a decision that the handler's response depends on. The response writer
// holds it until the handler returns, so it is small.
type effect struct {
	outcome  Outcome
	upgrade  bool
	observed bool    // it would be a refusal, but enforcement is OBSERVE
	safe     bool    // the method is GET or HEAD, so caches may store the response
	serves   bool    // the method is GET or HEAD, and the target's rule allows it
	target   *target // nil in the zero value
}

// Outcome returns what the layer does with the request.
func (d Decision) Outcome() Outcome { return d.outcome }

// Enforced reports whether the layer enforces the decision. It is false for a refusal under
// enforcement: OBSERVE: the request reaches the handler, and the response is left untouched.
func (d Decision) Enforced() bool { return !d.observed }

// Refused reports whether the script cannot make the call or read its response: the layer
// refuses the request, or a preflight asked for more than is granted. If Enforced is false, it
// reports what enforcement would do.
func (d Decision) Refused() bool { return d.refused() }

// refused implements Refused.
func (d *Decision) refused() bool {
	switch d.outcome {
	case OutcomeRefuse, OutcomeMethodNotAllowed:
		return true
	case OutcomePreflight:
		return d.reason != reasonOriginAllowed
	}
	return false
}

// Reason returns why Decide came to the decision; empty for the zero Decision.
func (d Decision) Reason() Reason { return d.reason.public() }

// Preflight reports whether the request is a preflight. It is false if no rule applies to the
// request's path.
func (d Decision) Preflight() bool { return d.preflight }

// Origin returns the request's Origin header. It is empty if the request has none, if it is not a
// value that browsers send, or if no rule applies to the request's path. A same-origin GET has none: for
// a path that serves MCP, Origin then returns the origin that the Host header names.
func (d Decision) Origin() string { return d.origin }

// Missing returns the method, or the header names separated by commas, that a preflight asked for
// and that are not granted, so that the browser will not send the call. It is input from the
// network.
func (d Decision) Missing() string { return d.missing }

// Procedure returns the full name of the procedure that the path resolves to, such as
// acme.v1.CatalogService.Get, and whether it is known: the schema has it, or a selector names it.
// The name is empty if the path does not resolve to a procedure. The name of a procedure that is
// not known is input from the network.
func (d Decision) Procedure() (name string, known bool) {
	if d.target == nil || d.target.kind != targetProcedure {
		return "", false
	}
	return d.target.name, d.target.known
}

// knownTarget returns the name of the procedure or the path pattern if the schema or the policy
// has it; empty otherwise. The number of such names is bounded.
func (e effect) knownTarget() string {
	if e.target == nil || !e.target.known {
		return ""
	}
	return e.target.name
}

// PathPattern returns the pattern of the path rule that governs the request; empty if the path
// does not resolve to a path rule.
func (d Decision) PathPattern() string {
	if d.target == nil || d.target.kind != targetPath {
		return ""
	}
	return d.target.name
}

// From returns the place in the policy that the decision comes from: the origin that matched, such
// as rules[1].allow_origins[0]; the value that led to a refusal, such as rules[1].disabled; or else
// the narrowest rule that governs the request. It is the zero Provenance if there is none.
func (d Decision) From() Provenance { return d.fromField(d.field()) }

// field returns the field of From; empty if there is none.
func (d *Decision) field() string {
	if d.target == nil || d.target.rule == nil {
		return ""
	}
	rule := d.target.rule
	switch d.reason {
	case reasonDisabled:
		return rule.ValueFieldOrNarrowest("disabled")
	case reasonCredentialsNotAllowed:
		return rule.ValueFieldOrNarrowest("allow_credentials")
	case reasonMethodNotAllowed:
		return rule.ValueFieldOrNarrowest("allow_methods")
	case reasonMethodNotGranted, reasonHeadersNotGranted:
		return rule.Narrowest()
	case reasonOriginNotAllowed, reasonOwnOriginNotAllowed:
		return rule.OriginsField()
	}
	return d.originField()
}

// originField returns the field that allows the origin, or else the field of the narrowest rule.
func (d *Decision) originField() string {
	switch {
	case d.matched > 0:
		return d.target.rule.OriginPlace(d.target.grant.origins.Index(d.matched)).Field
	case d.sourceItem > 0:
		return d.target.rule.SourceField(int(d.sourceItem) - 1)
	}
	return d.target.rule.Narrowest()
}

// fromField returns the place of a field of the governing rule.
func (d *Decision) fromField(field string) Provenance {
	if field == "" {
		return Provenance{}
	}
	if d.matched > 0 {
		if at := d.target.rule.OriginPlace(d.target.grant.origins.Index(d.matched)); at.Field == field {
			return provenanceOf(at) // at holds the environment variable that the origin comes from
		}
	}
	return provenanceOf(d.target.rule.Place(field))
}

// equivalent reports whether the decisions of two plans have the same outcome, reason and
// enforcement, and lead to the same CORS fields.
func (d Decision) equivalent(other Decision) bool {
	if d.outcome != other.outcome || d.reason != other.reason || d.observed != other.observed {
		return false
	}
	switch d.outcome {
	case OutcomeGrant, OutcomePreflight, OutcomeMethodNotAllowed: // these write the fields of the grant
		return d.target.grant.equivalent(other.target.grant)
	}
	return true
}
