package corsinspect

import "github.com/corsrpc/corsrpc-go/corsrpc"

// verdictOf describes the result of a call to its script.
func verdictOf(o Outcome) string {
	switch {
	case o.Blocked == nil && refusesOwn(o):
		return "the layer refuses the call, and the script can read that, since its page claims the server's own origin"
	case o.Blocked == nil:
		return "the script can read the response: its status, its body, and the header fields below"
	case o.Blocked.Sent:
		return "the script gets a network error: " + reasonOf(o)
	}
	return "the browser does not send the call, and the script gets a network error: " + reasonOf(o)
}

// refusesOwn reports whether the layer refuses a call that the browser takes for same-origin.
func refusesOwn(o Outcome) bool {
	if len(o.Exchanges) == 0 {
		return false
	}
	d := o.Exchanges[len(o.Exchanges)-1].Decision
	return d.Outcome() == corsrpc.OutcomeRefuse && d.Enforced()
}

// verdictOfExchange describes how a browser treats the response of one of its requests.
func verdictOfExchange(o Outcome, e Exchange) string {
	switch {
	case o.Blocked != nil && o.Blocked.Preflight == e.Preflight:
		return reasonOf(o)
	case e.Preflight:
		return "the browser sends the call"
	}
	return "the script can read the response"
}

// reasonOf describes why a browser blocks a call, and which response would pass.
func reasonOf(o Outcome) string {
	reason := o.Blocked.Reason
	if o.Blocked.Fix != "" {
		reason += "; the server needs to send " + o.Blocked.Fix
	}
	return reason
}
