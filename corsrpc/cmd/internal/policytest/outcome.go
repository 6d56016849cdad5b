package policytest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// seen is the outcome of a call in one engine, as a test sees it.
type seen struct {
	corsinspect.Outcome
	at          *corsinspect.Exchange // the exchange at which the call fails, or else the call; nil if nothing was sent
	reason      corsrpc.Reason        // why the call is blocked; empty if it is not, or if the layer was not asked
	preflights  int32
	handlerRuns bool
	// refused: the layer refuses the call although the script can read that, since its page claims the
	// server's own origin (OWN_ORIGIN_NOT_ALLOWED).
	refused bool
}

// stopped reports whether the script cannot make the call.
func (s seen) stopped() bool { return s.Blocked != nil || s.refused }

// seenOf returns an outcome as a test sees it.
func seenOf(o corsinspect.Outcome) seen {
	s := seen{Outcome: o}
	for i := range o.Exchanges {
		e := &o.Exchanges[i]
		if e.Preflight {
			s.preflights++
		} else {
			s.handlerRuns = !e.Decision.Refused() || !e.Decision.Enforced()
		}
		if s.at = e; o.Blocked != nil && o.Blocked.Preflight == e.Preflight {
			break
		}
	}
	if o.Blocked != nil && s.at != nil {
		s.reason = reasonOf(o.Blocked, s.at.Decision)
	}
	if d := lastDecision(o); o.Blocked == nil && d.Outcome() == corsrpc.OutcomeRefuse && d.Enforced() {
		s.refused, s.reason = true, d.Reason()
	}
	return s
}

// lastDecision returns the decision on the last request of an outcome; the zero Decision if there is none.
func lastDecision(o corsinspect.Outcome) corsrpc.Decision {
	if len(o.Exchanges) == 0 {
		return corsrpc.Decision{}
	}
	return o.Exchanges[len(o.Exchanges)-1].Decision
}

// reasonOf returns why a call is blocked: the layer's reason, unless only the browser blocks, since the call
// carries credentials that the answer does not allow.
func reasonOf(blocked *corsbrowser.BlockedError, d corsrpc.Decision) corsrpc.Reason {
	switch blocked.Check {
	case corsbrowser.CheckCredentials, corsbrowser.CheckOriginWildcard:
		if d.Reason() == corsrpc.ReasonOriginAllowed {
			return corsrpc.ReasonCredentialsNotAllowed
		}
	}
	return d.Reason()
}

// differs returns what is not as expected, as a clause; empty if all is.
func (s seen) differs(expect *corsrpcv1.Expect) string {
	blocked, readable := expect.GetBlocked(), expect.GetReadable()
	switch {
	case blocked != nil && !s.stopped():
		return "the script can read the response"
	case blocked != nil && blocked.GetReason() != "" && string(s.reason) != blocked.GetReason():
		return s.blockedClause()
	case blocked != nil && blocked.HandlerRuns != nil && *blocked.HandlerRuns && !s.handlerRuns:
		return s.blockedClause() + ", and the handler does not run"
	case blocked != nil && blocked.HandlerRuns != nil && !*blocked.HandlerRuns && s.handlerRuns:
		return s.blockedClause() + ", but the handler runs"
	case readable != nil && s.stopped():
		return s.blockedClause()
	case readable != nil && s.wrongHeader(readable) != "":
		return s.wrongHeader(readable)
	case expect.Preflights != nil && *expect.Preflights != s.preflights:
		return "the browser sends " + preflights(s.preflights)
	}
	return ""
}

// blockedClause says at which request a call is blocked, and why.
func (s seen) blockedClause() string {
	if s.at == nil {
		return "the browser blocks the call before it sends anything: " + s.Blocked.Reason
	}
	where := "the call is blocked"
	switch {
	case s.refused:
		where = "the call is refused"
	case s.Blocked.Preflight:
		where = "the preflight is blocked"
	}
	clause := fmt.Sprintf("%s (%s): %s", where, s.reason, s.reason.Text())
	if missing := s.at.Decision.Missing(); missing != "" {
		clause += " (" + missing + ")"
	}
	return clause
}

// wrongHeader says which header of the response is not as expected; empty if none is.
func (s seen) wrongHeader(readable *corsrpcv1.Readable) string {
	switch name, hides := s.firstWrong(readable); {
	case name == "":
		return ""
	case hides:
		return "the script can read the header " + name
	default:
		return "the script cannot read the header " + name
	}
}

// firstWrong returns the first header that is not as expected, in lower case, and whether it is one that the
// script should not read. The name is empty if all are.
func (s seen) firstWrong(readable *corsrpcv1.Readable) (name string, hides bool) {
	for _, name := range readable.GetHeaders() {
		if !s.reads(name) {
			return fetch.Lower(name), false
		}
	}
	for _, name := range readable.GetHiddenHeaders() {
		if s.reads(name) {
			return fetch.Lower(name), true
		}
	}
	return "", false
}

// reads reports whether the script can read a header.
func (s seen) reads(name string) bool {
	_, ok := s.Readable[http.CanonicalHeaderKey(name)]
	return ok
}

// preflights returns a number of preflights as part of a sentence.
func preflights(n int32) string {
	switch n {
	case 0:
		return "no preflight"
	case 1:
		return "one preflight"
	}
	return fmt.Sprintf("%d preflights", n)
}

// expected says what a case expects.
func expected(expect *corsrpcv1.Expect) string {
	var parts []string
	if b := expect.GetBlocked(); b != nil {
		text := "blocked"
		if b.GetReason() != "" {
			text += " (" + b.GetReason() + ")"
		}
		parts = append(parts, text)
		if b.HandlerRuns != nil {
			parts = append(parts, map[bool]string{true: "the handler runs", false: "the handler does not run"}[*b.HandlerRuns])
		}
	} else {
		r := expect.GetReadable()
		parts = append(parts, "readable")
		if len(r.GetHeaders()) > 0 {
			parts = append(parts, "with "+strings.Join(r.GetHeaders(), ", "))
		}
		if len(r.GetHiddenHeaders()) > 0 {
			parts = append(parts, "without "+strings.Join(r.GetHiddenHeaders(), ", "))
		}
	}
	if expect.Preflights != nil {
		parts = append(parts, preflights(*expect.Preflights))
	}
	return strings.Join(parts, ", ")
}

// names returns the names of engines.
func names(engines []corsbrowser.Engine) (all []string) {
	for _, e := range engines {
		if name := e.String(); !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}
