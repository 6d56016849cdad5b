package policydiff

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/policytest"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
)

// Witness is a call that one policy grants and the other does not.
type Witness struct {
	// Curl is a command that sends the first request of the call which the two policies answer
	// differently.
	Curl string
	// Case is the call as a case of a policy test that passes with the new policy; nil if a case
	// cannot say it.
	Case *corsrpcv1.Case
	// Engine is the browser engine in which the two policies differ; empty for a request that no
	// script reads.
	Engine string
	// Bug says why the call does not show the difference; empty if it does. It is then a bug of
	// corsrpc.
	Bug string
}

// The servers of witnesses. The second one is for pages of the first.
const (
	server      = policytest.DefaultServer
	otherServer = "https://api.example.org"
)

// replay makes the call of a witness under both policies.
func replay(old, next *Side, d analysis.Difference) Witness {
	before, err := observe(old, d)
	if err != nil {
		return Witness{Bug: err.Error()}
	}
	after, err := observe(next, d)
	if err != nil {
		return Witness{Bug: err.Error()}
	}
	with, without := after, before
	if !d.Gained {
		with, without = before, after
	}
	for i := range with.Outcomes {
		more, less := granted(with.Outcomes[i], d), granted(without.Outcomes[i], d)
		if more <= less {
			continue
		}
		w := Witness{Curl: curlOf(with.Outcomes[i], without.Outcomes[i], d), Case: caseOf(old, next, d)}
		if onPage(d.Aspect) {
			w.Engine = with.Outcomes[i].Engine.String()
		}
		return w
	}
	return Witness{Bug: fmt.Sprintf("both policies treat the call of the witness alike: %s", describe(d.Witness))}
}

// observe makes the call of a difference under one policy.
func observe(side *Side, d analysis.Difference) (*corsinspect.Trial, error) {
	plan, err := side.planFor(d.Witness)
	if err != nil {
		return nil, err
	}
	t, err := corsinspect.Try(plan, callOf(d))
	if err != nil {
		return nil, fmt.Errorf("the witness is not a call that can be made: %w", err)
	}
	return t, nil
}

// onPage reports whether an aspect is about what a script can do. The other aspects are about requests
// that reach the handler.
func onPage(a analysis.Aspect) bool {
	switch a {
	case analysis.AspectUngoverned, analysis.AspectWithoutOrigin, analysis.AspectCookies, analysis.AspectOwnOrigin:
		return false
	}
	return true
}

// callOf returns the call of a witness.
func callOf(d analysis.Difference) corsinspect.Call {
	w := d.Witness
	call := corsinspect.Call{
		Origin: w.Origin, Server: serverFor(w.Origin), Target: w.RequestTarget(), Method: w.Method,
		Header: headerOf(w), Credentials: w.Credentials, ForcePreflight: d.Aspect == analysis.AspectMaxAge,
	}
	if w.ResponseHeader != "" {
		call.Response = http.Header{http.CanonicalHeaderKey(w.ResponseHeader): {"1"}}
	}
	if onPage(d.Aspect) {
		return call
	}
	// A browser may send these requests without a script that waits for the answer. So they are
	// made as if by a program, with the fields of a browser.
	call.Origin = ""
	if d.Aspect == analysis.AspectOwnOrigin {
		call.Server = w.Origin
		call.Header.Set("Origin", w.Origin)
		call.Header.Set("Sec-Fetch-Site", "same-origin")
		return call
	}
	call.Header.Set("Sec-Fetch-Site", "cross-site")
	mode := "no-cors"
	switch {
	case w.Origin != "":
		call.Header.Set("Origin", w.Origin)
		mode = "cors"
	case w.Navigation:
		mode = "navigate"
	}
	call.Header.Set("Sec-Fetch-Mode", mode)
	return call
}

// serverFor returns the URL of a server that is not that of the page.
func serverFor(origin string) string {
	if u, err := url.Parse(origin); err == nil && u.Hostname() == "api.example.com" {
		return otherServer
	}
	return server
}

// headerOf returns the header that the script of a call sets. Clients send a content type with each call of a
// procedure by POST.
func headerOf(w analysis.Call) http.Header {
	header := w.Header()
	if w.Procedure != "" && w.Method == http.MethodPost && header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/json")
	}
	return header
}

// granted returns whether an outcome has what a difference is about: 1 or 0; for the time of a
// preflight's answer, the number of seconds.
func granted(o corsinspect.Outcome, d analysis.Difference) int {
	if len(o.Exchanges) == 0 {
		return 0
	}
	last := o.Exchanges[len(o.Exchanges)-1]
	switch d.Aspect {
	case analysis.AspectMaxAge:
		first := o.Exchanges[0]
		seconds, err := strconv.Atoi(first.Answer.Get("Access-Control-Max-Age"))
		if !first.Preflight || err != nil {
			return -1
		}
		return seconds
	case analysis.AspectResponseHeader:
		return number(o.Blocked == nil && o.Readable.Get(d.Witness.ResponseHeader) != "")
	case analysis.AspectTiming:
		allowed := last.Answer.Get("Timing-Allow-Origin")
		return number(!last.Preflight && (allowed == "*" || allowed == d.Witness.Origin))
	case analysis.AspectUngoverned, analysis.AspectWithoutOrigin, analysis.AspectCookies, analysis.AspectOwnOrigin:
		return number(!last.Decision.Refused() || !last.Decision.Enforced())
	}
	// A script can read the layer's answer 405 to a POST, which needs no preflight: it is not granted.
	refused := last.Decision.Outcome() == corsrpc.OutcomeMethodNotAllowed
	return number(o.Blocked == nil && !refused)
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// curlOf returns the command that sends the request which shows a difference: the last one that a
// browser sends under both policies.
func curlOf(with, without corsinspect.Outcome, d analysis.Difference) string {
	i := min(len(with.Exchanges), len(without.Exchanges)) - 1
	if d.Aspect == analysis.AspectMaxAge {
		i = 0
	}
	return with.Exchanges[max(i, 0)].Curl
}

// describe says a call in one line, for a report of a bug.
func describe(c analysis.Call) string {
	text := fmt.Sprintf("%s %s from %q", c.Method, c.RequestTarget(), c.Origin)
	if len(c.RequestHeaders) > 0 {
		text += " with " + strings.Join(c.RequestHeaders, ", ")
	}
	if c.Credentials {
		text += " with credentials"
	}
	if c.ResponseHeader != "" {
		text += ", reading " + c.ResponseHeader
	}
	return text
}
