package corstest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
)

// Case is one row of a table for [Run]: a page, a call, and the expected outcome.
// Fields may be added.
type Case struct {
	// Name is the name of the subtest. Default: the page, and whether the call is
	// blocked.
	Name string
	// From is the page's origin, as for [corsbrowser.New].
	From string
	// Credentials is the credentials mode. Default: that of the options.
	Credentials corsbrowser.Credentials
	// Call is the call that the page's script makes. It is required.
	Call corsbrowser.Call

	// Blocked is the check that must block the call, or [AnyCheck]. If it is "", the
	// script must be able to read the response, and Call must return nil.
	Blocked corsbrowser.Check
	// NotSent requires that the call itself is never sent, since its preflight fails.
	NotSent bool
	// Readable lists headers that the first response which the script gets must have,
	// and that the script must be able to read. The trailers of Connect's unary calls
	// are such headers ("Trailer-X-Cost"). Trailers of streams and of gRPC-Web are in
	// the body, which is always readable.
	Readable []string
	// Hidden lists headers that the same response must have, and that the script must
	// not be able to read.
	Hidden []string

	// Engines lists the engines in which the case must hold. Default:
	// [corsbrowser.Engines].
	Engines []corsbrowser.Engine
}

// AnyCheck in [Case.Blocked] matches every check except [corsbrowser.CheckNetwork]: a
// call that cannot reach the server is not blocked by the browser.
const AnyCheck corsbrowser.Check = "ANY"

// Run runs each case as a subtest. A subtest makes the call in each engine, with a
// new browser, and fails if an expectation is not met in one of them, or if
// [corsbrowser.New] fails. It prints one block: the line of the case in the test's
// source, the call, each problem with the engines that have it, and the last request
// with its response. If the handler of [corsbrowser.WithHandler] tells why it refuses
// requests (see [corsbrowser.Exchange]), the block has that reason.
//
// The line is that of the case's literal in the file that calls Run. If the case is
// not written there, it is the line of the only literal in that file that has the
// case's Name as a string, such as a row of a table of your own. If there is none, it
// is the line of the call of Run.
//
// The options set the server, with [corsbrowser.WithHandler] or
// [corsbrowser.WithTransport].
func Run(t *testing.T, cases []Case, opts ...corsbrowser.Option) {
	t.Helper()
	call := callSite(1)
	for i, c := range cases {
		name := c.Name
		if name == "" {
			name = "from " + c.From
			if c.Blocked != "" {
				name += " blocked"
			}
		}
		t.Run(name, func(t *testing.T) {
			if failures := c.try(t.Context(), opts); len(failures) > 0 {
				io.WriteString(t.Output(), call.row(cases, i)+": "+c.report(failures)) // t.Error would print a line of this file
				t.Fail()
			}
		})
	}
}

// failure is the outcome of a case that fails in an engine.
type failure struct {
	engine   string // empty if the case fails before a call is made
	problems []problem
	log      []corsbrowser.Exchange
}

// problem is an expectation that is not met, and the response that would have met it; fix is empty
// if there is none.
type problem struct{ text, fix string }

// try makes the call in each engine, and returns the failures.
func (c Case) try(ctx context.Context, opts []corsbrowser.Option) (failures []failure) {
	if c.Call == nil {
		return []failure{{problems: []problem{{text: "the case has no Call"}}}}
	}
	engines := c.Engines
	if len(engines) == 0 {
		engines = corsbrowser.Engines()
	}
	for _, engine := range engines {
		own := append(slices.Clip(opts), corsbrowser.WithEngine(engine))
		if c.Credentials != "" {
			own = append(own, corsbrowser.WithCredentials(c.Credentials))
		}
		b, err := corsbrowser.New(c.From, own...)
		if err != nil {
			return []failure{{problems: []problem{{text: err.Error()}}}}
		}
		err = c.Call(ctx, b.Client())
		log := b.Log()
		if problems := c.problems(log, err); len(problems) > 0 {
			failures = append(failures, failure{engine.String(), problems, log})
		}
	}
	return failures
}

// problems returns the expectations that a call with these exchanges and this error does not meet.
func (c Case) problems(log []corsbrowser.Exchange, err error) (problems []problem) {
	var blocked *corsbrowser.BlockedError
	isBlocked := errors.As(err, &blocked)
	switch {
	case c.Blocked == "" && isBlocked:
		return []problem{blockedProblem("the call should succeed", blocked)}
	case c.Blocked == "" && err != nil:
		return []problem{{text: "the call should succeed, but failed: " + err.Error()}}
	case c.Blocked != "" && err == nil:
		return []problem{{text: "the call should be blocked, but the script got the response"}}
	case c.Blocked == AnyCheck && isBlocked && blocked.Check == corsbrowser.CheckNetwork:
		return []problem{{text: "the call should be blocked by the browser, but did not reach the server: " + blocked.Reason}}
	case c.Blocked != "" && !isBlocked:
		return []problem{{text: "the call should be blocked by the browser, but failed with another error: " + err.Error()}}
	case c.Blocked != "" && c.Blocked != AnyCheck && c.Blocked != blocked.Check:
		problems = append(problems, blockedProblem("the call should be blocked at "+string(c.Blocked), blocked))
		problems[0].fix = "" // the call should not pass
	}
	if c.NotSent && slices.ContainsFunc(log, func(e corsbrowser.Exchange) bool { return !e.Preflight }) {
		problems = append(problems, problem{text: "the call should not be sent, but was"})
	}
	if len(c.Readable)+len(c.Hidden) == 0 {
		return problems
	}
	i := slices.IndexFunc(log, func(e corsbrowser.Exchange) bool { return e.Readable != nil })
	if i < 0 {
		return append(problems, problem{text: "the script got no response, so no header is readable or hidden"})
	}
	return append(problems, c.headerProblems(log[i])...)
}

// blockedProblem returns the problem of a call that the browser blocked against an expectation.
func blockedProblem(want string, blocked *corsbrowser.BlockedError) problem {
	at, sent := "the call", "the call was not sent"
	if blocked.Preflight {
		at = "the preflight"
	}
	if blocked.Sent {
		sent = "the call was sent"
	}
	p := problem{text: fmt.Sprintf("%s, but was blocked at %s of %s: %s; %s", want, blocked.Check, at, blocked.Reason, sent)}
	if blocked.Fix != "" {
		p.fix = "the server needs to send " + blocked.Fix
	}
	return p
}

// headerProblems returns the expectations of Readable and Hidden that a response does not meet.
func (c Case) headerProblems(answer corsbrowser.Exchange) (problems []problem) {
	var absent, unreadable, unhidable, shown []string
	for _, name := range c.Readable {
		switch {
		case len(answer.Answer.Values(name)) == 0:
			absent = append(absent, name)
		case len(answer.Readable.Values(name)) == 0:
			unreadable = append(unreadable, name)
		}
	}
	for _, name := range c.Hidden {
		switch {
		case len(answer.Answer.Values(name)) == 0:
			unhidable = append(unhidable, name)
		case len(answer.Readable.Values(name)) > 0:
			shown = append(shown, name)
		}
	}
	add := func(names []string, text, fix string) {
		if len(names) > 0 {
			problems = append(problems, problem{text + " " + list(names), fix})
		}
	}
	add(absent, "the response does not have the header that the script should read:", "")
	add(unreadable, "the script should be able to read", "the server needs to send Access-Control-Expose-Headers: "+strings.ToLower(strings.Join(unreadable, ", ")))
	add(unhidable, "the response does not have the header that it should hide:", "")
	add(shown, "the script should not be able to read", "")
	return problems
}
