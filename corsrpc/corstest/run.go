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

// Case is one row of a table for [Run]: a page, a call, and what becomes of it.
// Fields may be added.
type Case struct {
	// Name names the subtest; "" for the page and what it expects.
	Name string
	// From is the page's origin, as [corsbrowser.New] takes it.
	From string
	// Credentials is the credentials mode; the options' unless set.
	Credentials corsbrowser.Credentials
	// Call is what the page's script calls; a case needs one.
	Call corsbrowser.Call

	// Blocked is the check at which the browser blocks the call; [AnyCheck] stands
	// for each of them; "" says that the script gets the answer, and Call no error.
	Blocked corsbrowser.Check
	// NotSent says that a blocked call must not have reached the server, since its
	// preflight failed.
	NotSent bool
	// Readable names headers of the answer (of the first one, where Call makes
	// several calls) that the script reads, trailers of Connect's unary calls
	// ("Trailer-X-Cost") among them. Trailers of streams and of gRPC-Web are in the
	// body, which is readable as a whole.
	Readable []string
	// Hidden names headers that the same answer carries and the script does not
	// read.
	Hidden []string

	// Engines are the engines that all of it holds in; [corsbrowser.Engines] where
	// empty.
	Engines []corsbrowser.Engine
}

// AnyCheck stands for each check in [Case.Blocked] but [corsbrowser.CheckNetwork]: where the
// server cannot be reached, nothing has blocked the call.
const AnyCheck corsbrowser.Check = "ANY"

// Run runs each case as a subtest: one call in a new browser, for each engine, and
// a failure for each claim of the case that does not hold. The options say where
// the server is; see [corsbrowser.WithHandler] and [corsbrowser.WithTransport]. A
// case fails too where [corsbrowser.New] does.
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

// try makes the call in each engine, and says where it did not end as the case has
// it.
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

// problems says where a call did not end as the case has it.
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
		return []string{"the call should be blocked, and the script got the answer"}
	case c.Blocked == AnyCheck && isBlocked && blocked.Check == corsbrowser.CheckNetwork:
		return []string{"the call should be blocked by the browser, and did not reach the server: " + blocked.Error()}
	case c.Blocked != "" && !isBlocked:
		return []string{"the call should be blocked by the browser, and failed otherwise: " + err.Error()}
	case c.Blocked != "" && c.Blocked != AnyCheck && c.Blocked != blocked.Check:
		problems = append(problems, fmt.Sprintf("the call should be blocked at %s: %v", c.Blocked, blocked))
	}
	if c.NotSent && slices.ContainsFunc(log, func(e corsbrowser.Exchange) bool { return !e.Preflight }) {
		problems = append(problems, "the call should not reach the server, and did")
	}
	if len(c.Readable)+len(c.Hidden) == 0 {
		return problems
	}
	i := slices.IndexFunc(log, func(e corsbrowser.Exchange) bool { return e.Readable != nil })
	if i < 0 {
		return append(problems, "no answer was read, so that none of its headers is readable or hidden")
	}
	answer := log[i]
	for _, name := range c.Readable {
		switch {
		case len(answer.Answer.Values(name)) == 0:
			problems = append(problems, "the answer has no "+name+" to read")
		case len(answer.Readable.Values(name)) == 0:
			problems = append(problems, fmt.Sprintf("the script should read %s: the server would have had to send Access-Control-Expose-Headers: %s, and sent %q",
				name, strings.ToLower(name), answer.Answer.Values("Access-Control-Expose-Headers")))
		}
	}
	for _, name := range c.Hidden {
		switch {
		case len(answer.Answer.Values(name)) == 0:
			problems = append(problems, "the answer has no "+name+" to hide")
		case len(answer.Readable.Values(name)) > 0:
			problems = append(problems, "the script should not read "+name)
		}
	}
	return problems
}
