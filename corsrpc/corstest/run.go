package corstest

import (
	"context"
	"errors"
	"fmt"
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
// new browser, and reports an error for each expectation that is not met, or if
// [corsbrowser.New] fails. The options set the server, with [corsbrowser.WithHandler]
// or [corsbrowser.WithTransport].
func Run(t *testing.T, cases []Case, opts ...corsbrowser.Option) {
	t.Helper()
	for _, c := range cases {
		name := c.Name
		if name == "" {
			name = "from " + c.From
			if c.Blocked != "" {
				name += " blocked"
			}
		}
		t.Run(name, func(t *testing.T) {
			for _, problem := range c.try(t.Context(), opts) {
				t.Error(problem)
			}
		})
	}
}

// try makes the call in each engine, and returns the expectations that are not met.
func (c Case) try(ctx context.Context, opts []corsbrowser.Option) (problems []string) {
	if c.Call == nil {
		return []string{"the case has no Call"}
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
			return []string{err.Error()}
		}
		for _, problem := range c.problems(b, c.Call(ctx, b.Client())) {
			problems = append(problems, "in "+engine.String()+": "+problem)
		}
	}
	return problems
}

// problems returns the expectations that a call with this error in b does not meet.
func (c Case) problems(b *corsbrowser.Browser, err error) (problems []string) {
	log := b.Log()
	var blocked *corsbrowser.BlockedError
	isBlocked := errors.As(err, &blocked)
	switch {
	case c.Blocked == "" && isBlocked:
		return []string{"the call should succeed: " + blocked.Error()}
	case c.Blocked == "" && err != nil:
		return []string{"the call should succeed: " + err.Error()}
	case c.Blocked != "" && err == nil:
		return []string{"the call should be blocked, but the script got the response"}
	case c.Blocked == AnyCheck && isBlocked && blocked.Check == corsbrowser.CheckNetwork:
		return []string{"the call should be blocked by the browser, but did not reach the server: " + blocked.Error()}
	case c.Blocked != "" && !isBlocked:
		return []string{"the call should be blocked by the browser, but failed with another error: " + err.Error()}
	case c.Blocked != "" && c.Blocked != AnyCheck && c.Blocked != blocked.Check:
		problems = append(problems, fmt.Sprintf("the call should be blocked at %s: %v", c.Blocked, blocked))
	}
	if c.NotSent && slices.ContainsFunc(log, func(e corsbrowser.Exchange) bool { return !e.Preflight }) {
		problems = append(problems, "the call should not be sent, but was")
	}
	if len(c.Readable)+len(c.Hidden) == 0 {
		return problems
	}
	i := slices.IndexFunc(log, func(e corsbrowser.Exchange) bool { return e.Readable != nil })
	if i < 0 {
		return append(problems, "the script got no response, so no header is readable or hidden")
	}
	answer := log[i]
	for _, name := range c.Readable {
		switch {
		case len(answer.Answer.Values(name)) == 0:
			problems = append(problems, "the response has no "+name+" to read")
		case len(answer.Readable.Values(name)) == 0:
			problems = append(problems, fmt.Sprintf("the script should be able to read %s: the server needs to send Access-Control-Expose-Headers: %s, but sent %q",
				name, strings.ToLower(name), answer.Answer.Values("Access-Control-Expose-Headers")))
		}
	}
	for _, name := range c.Hidden {
		switch {
		case len(answer.Answer.Values(name)) == 0:
			problems = append(problems, "the response has no "+name+" to hide")
		case len(answer.Readable.Values(name)) > 0:
			problems = append(problems, "the script should not be able to read "+name)
		}
	}
	return problems
}
