package corsrpc

import (
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// Outcome is what becomes of a request.
type Outcome uint8

// The outcomes.
const (
	// OutcomeUntouched: the handler runs, and the layer does nothing at all.
	OutcomeUntouched Outcome = iota
	// OutcomePass: the handler runs; its answer gets Vary at most, or the
	// headers that every answer of a path open to all carries.
	OutcomePass
	// OutcomeGrant: the handler runs, and its answer gets CORS headers.
	OutcomeGrant
	// OutcomePreflight: the layer answers with the grant.
	OutcomePreflight
	// OutcomeRefuse: the layer answers 403.
	OutcomeRefuse
	// OutcomeMethodNotAllowed: the layer answers 405, readable by the caller.
	OutcomeMethodNotAllowed
)

var outcomeNames = [...]string{"untouched", "pass", "grant", "preflight", "refuse", "method_not_allowed"}

// String returns the outcome's name, in lower case.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "unknown"
}

// Reason is why a decision came out as it did. Its values are stable:
// programs may compare them.
type Reason string

// The reasons.
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
	ReasonDisabled                  Reason = "DISABLED"
	ReasonPathNotCanonical          Reason = "PATH_NOT_CANONICAL"
	ReasonModeNotCORS               Reason = "MODE_NOT_CORS"
	ReasonCredentialsNotAllowed     Reason = "CREDENTIALS_NOT_ALLOWED"
	ReasonOperationalNotNamed       Reason = "OPERATIONAL_NOT_NAMED"
)

// reasonID is a reason as a decision holds it: the row of reasonTable. The zero value is the
// zero Decision's.
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
	reasonDisabled
	reasonPathNotCanonical
	reasonModeNotCORS
	reasonCredentialsNotAllowed
	reasonOperationalNotNamed
)

// reasonTable is the one table of reasons: what happened, and what the person
// who wanted the call can do about it.
var reasonTable = [...]struct {
	reason       Reason
	text, remedy string
}{
	reasonNone:                      {},
	reasonNotGoverned:               {ReasonNotGoverned, "the path is no procedure's and no rule names it", ""},
	reasonSameOrigin:                {ReasonSameOrigin, "the request comes from the server's own origin, or from its user", ""},
	reasonNoOrigin:                  {ReasonNoOrigin, "the request comes from no browser page on another origin", ""},
	reasonOpenToAll:                 {ReasonOpenToAll, "a rule opens this to requests that do not name their origin", ""},
	reasonOriginAllowed:             {ReasonOriginAllowed, "a rule allows the origin", ""},
	reasonMethodNotGranted:          {ReasonMethodNotGranted, "the origin is allowed, but the method that the preflight asks for is not granted", "procedures take POST, and GET where they are declared NO_SIDE_EFFECTS; for a path, add the method to allow_methods"},
	reasonHeadersNotGranted:         {ReasonHeadersNotGranted, "the origin is allowed, but not every header that the preflight asks for is granted", "add the header to allow_headers"},
	reasonRequestedHeadersMalformed: {ReasonRequestedHeadersMalformed, "the list of requested headers is malformed or too long; only what is always granted was granted", ""},
	reasonMethodNotAllowed:          {ReasonMethodNotAllowed, "the rule of this path does not list the method", "add the method to allow_methods"},
	reasonOriginRepeated:            {ReasonOriginRepeated, "the request has several Origin headers", "a proxy in front must pass on exactly one"},
	reasonOriginMalformed:           {ReasonOriginMalformed, "its Origin is nothing that a browser sends", "a program that is no browser should send no Origin"},
	reasonOriginMissing:             {ReasonOriginMissing, "it comes from another site without naming an origin, which is no RPC call", "call with fetch in mode cors, as the RPC clients do"},
	reasonOriginNotAllowed:          {ReasonOriginNotAllowed, "its Origin is neither allowed by the policy nor this server's own", "add the origin to allow_origins; if it is this server's own, a proxy in front changes Host: keep Host, or allow the origin"},
	reasonDisabled:                  {ReasonDisabled, "the policy disables calls from other origins here", "disabled: false in a rule for this procedure or path"},
	reasonPathNotCanonical:          {ReasonPathNotCanonical, "servers may read its path in several ways, and the policy answers them differently", "request the path as the RPC client generates it, or as its rule spells it"},
	reasonModeNotCORS:               {ReasonModeNotCORS, "its Sec-Fetch-Mode is not cors, so that no browser would have checked it", "call with fetch in mode cors, as the RPC clients do"},
	reasonCredentialsNotAllowed:     {ReasonCredentialsNotAllowed, "it carries credentials, which the policy does not allow here", "allow_credentials: true, or call without credentials; if a proxy adds Authorization, name authorization in allow_headers of the rule"},
	reasonOperationalNotNamed:       {ReasonOperationalNotNamed, "its service is one that servers link in for their own operation, and no rule names it: defaults and * do not reach it", "allow_origins in a rule whose selector names the service"},
}

// public returns the reason that programs see.
func (r reasonID) public() Reason { return reasonTable[r].reason }

// text is Reason.Text.
func (r reasonID) text() string { return reasonTable[r].text }

// remedy is Reason.Remedy.
func (r reasonID) remedy() string { return reasonTable[r].remedy }

// Reasons returns every reason, in the order of the documents.
func Reasons() []Reason {
	var all []Reason
	for _, row := range reasonTable[1:] {
		all = append(all, row.reason)
	}
	return all
}

// Text says in words what the reason means; it is empty for a value that is
// not a reason.
func (r Reason) Text() string { return r.id().text() }

// Remedy says what would have allowed the request; it is empty where nothing
// was refused.
func (r Reason) Remedy() string { return r.id().remedy() }

// id returns the reason's row, and reasonNone for a value that is not a reason.
func (r Reason) id() reasonID {
	for i, row := range reasonTable {
		if row.reason == r {
			return reasonID(i)
		}
	}
	return reasonNone
}

// Decision is what becomes of one request. It is an immutable value. The zero
// value leaves a request untouched.
type Decision struct {
	effect
	reason    reasonID
	format    rpc.Format
	preflight bool
	explained bool // the answer says what to write into the policy
	// unnamedAuthorization: the credentials are an Authorization that the rule does not grant.
	unnamedAuthorization bool
	matched              origin.Ref // the pattern that allows the origin
	sourceItem           int32      // the index of the source that allows the origin, plus 1
	moreHeaders          string     // what a preflight adds to the grant's, each behind ", "
	missing              string
	contentType          string
	method               string
	origin               string
}

// effect is the part of a decision that the handler's answer depends on. A response
// writer holds it for as long as the answer takes, so that it is small.
type effect struct {
	outcome  Outcome
	upgrade  bool
	observed bool    // it would be refused, and is not: enforcement is OBSERVE
	safe     bool    // a GET or HEAD: caches may keep the answer
	serves   bool    // a GET or HEAD, and one that reaches the handler where it is granted
	target   *target // nil in the zero value
}

// Outcome returns what becomes of the request.
func (d Decision) Outcome() Outcome { return d.outcome }

// Enforced reports whether the decision is carried out. A refusal is not where
// the policy says enforcement: OBSERVE: the request reaches the handler, whose
// answer is left untouched.
func (d Decision) Enforced() bool { return !d.observed }

// Refused reports whether the browser will not make the call, or not hand on its
// answer: a refusal, and a preflight that asked for more than is granted. Where
// Enforced is false, it only would be so.
func (d Decision) Refused() bool { return d.refused() }

func (d *Decision) refused() bool {
	switch d.outcome {
	case OutcomeRefuse, OutcomeMethodNotAllowed:
		return true
	case OutcomePreflight:
		return d.reason != reasonOriginAllowed
	}
	return false
}

// Reason returns why.
func (d Decision) Reason() Reason { return d.reason.public() }

// Preflight reports whether the request is a preflight.
func (d Decision) Preflight() bool { return d.preflight }

// Origin returns the request's Origin, where it has one that a browser may
// send; empty otherwise.
func (d Decision) Origin() string { return d.origin }

// Missing names the method or the headers, separated by commas, that a
// preflight asked for and that are not granted: the browser will not send the
// call. It is input from the network.
func (d Decision) Missing() string { return d.missing }

// Procedure returns the full name of the procedure that the path names, such
// as acme.v1.CatalogService.Get, and whether the schema has its service. It is
// empty where the path is none. The name of an unknown service is input from
// the network.
func (d Decision) Procedure() (name string, known bool) {
	if d.target == nil || d.target.kind != targetProcedure {
		return "", false
	}
	return d.target.name, d.target.known
}

// knownTarget is the procedure or the path pattern, where the schema or the policy
// names it: such names are bounded in number. It is empty otherwise.
func (e effect) knownTarget() string {
	if e.target == nil || !e.target.known {
		return ""
	}
	return e.target.name
}

// PathPattern returns the pattern of the path rule that governs the request;
// empty where none does.
func (d Decision) PathPattern() string {
	if d.target == nil || d.target.kind != targetPath {
		return ""
	}
	return d.target.name
}

// From returns where the decision comes from in the policy: the origin that matched, such as
// rules[1].allow_origins[0]; what refuses, such as rules[1].disabled; or else the narrowest
// rule that governs the request. It is the zero Provenance where there is none.
func (d Decision) From() Provenance { return d.fromField(d.field()) }

// field is From's field.
func (d *Decision) field() string {
	if d.target == nil || d.target.rule == nil {
		return ""
	}
	rule := d.target.rule
	switch d.reason {
	case reasonDisabled:
		return rule.SaidOrNarrowest("disabled")
	case reasonCredentialsNotAllowed:
		return rule.SaidOrNarrowest("allow_credentials")
	case reasonMethodNotAllowed:
		return rule.SaidOrNarrowest("allow_methods")
	case reasonMethodNotGranted, reasonHeadersNotGranted:
		return rule.Narrowest()
	case reasonOriginNotAllowed:
		return rule.OriginsField()
	}
	return d.originField()
}

// originField is the field that allows the origin, or else that of the narrowest
// rule.
func (d *Decision) originField() string {
	switch {
	case d.matched > 0:
		return d.target.rule.OriginPlace(d.target.grant.origins.Index(d.matched)).Field
	case d.sourceItem > 0:
		return d.target.rule.SourceField(int(d.sourceItem) - 1)
	}
	return d.target.rule.Narrowest()
}

// fromField returns where a field of the rule that governs is written.
func (d *Decision) fromField(field string) Provenance {
	if field == "" {
		return Provenance{}
	}
	if d.matched > 0 {
		if at := d.target.rule.OriginPlace(d.target.grant.origins.Index(d.matched)); at.Field == field {
			return provenanceOf(at) // which knows the environment variable
		}
	}
	return provenanceOf(d.target.rule.Place(field))
}

// equivalent reports whether two plans decided alike, grant alike, and carry it out alike.
func (d Decision) equivalent(other Decision) bool {
	if d.outcome != other.outcome || d.reason != other.reason || d.observed != other.observed {
		return false
	}
	switch d.outcome {
	case OutcomeGrant, OutcomePreflight, OutcomeMethodNotAllowed: // what a script may read
		return d.target.grant.equivalent(other.target.grant)
	}
	return true
}
