package corstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Case is one row of a table for [Run]: a page, a call, and what becomes of it.
type Case struct {
	// Name names the subtest; "" for the page and what it expects.
	Name string
	// From is the page's origin, as of [NewBrowser].
	From string
	// Credentials is the credentials mode; the options' unless set.
	Credentials Credentials
	// Call is what the page's script calls.
	Call Call

	// Blocked is the check at which the browser blocks the call; [AnyCheck] for
	// whichever; "" where the script gets the answer, and Call no error.
	Blocked Check
	// NotSent says that a blocked call must not have reached the server: its
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

	// Engines are the engines that all of it holds in; all of [Engines] unless
	// set.
	Engines []Engine
}

// Call makes a call with a client in the page, under the test's context:
// [Connect], [ConnectGet], [GRPCWeb], [Fetch], or a function that calls a client
// of yours.
type Call func(ctx context.Context, page *http.Client) error

// AnyCheck stands for every check, in a [Case].
const AnyCheck Check = "ANY"

// Run runs each case as a subtest, in each engine: a new browser, one call, and
// what the case says of it. The options say where the server is; see
// [WithHandler] and [WithTransport].
func Run(t *testing.T, cases []Case, opts ...Option) {
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
			engines := c.Engines
			if engines == nil {
				engines = Engines()
			}
			for _, engine := range engines {
				b := NewBrowser(c.From, append(slices.Clip(opts), WithEngine(engine))...)
				if c.Credentials != "" {
					b.init.Credentials = c.Credentials
				}
				for _, problem := range c.problems(b, c.Call(t.Context(), b.Client())) {
					t.Errorf("in %s: %s", engine, problem)
				}
			}
		})
	}
}

// problems says where a call did not end as the case has it.
func (c Case) problems(b *Browser, err error) (problems []string) {
	log := b.Log()
	var blocked *BlockedError
	isBlocked := errors.As(err, &blocked)
	switch {
	case c.Blocked == "" && isBlocked:
		return []string{"the call should succeed: " + blocked.Error()}
	case c.Blocked == "" && err != nil:
		return []string{"the call should succeed: " + err.Error()}
	case c.Blocked != "" && err == nil:
		return []string{"the call should be blocked, and the script got the answer"}
	case c.Blocked != "" && !isBlocked:
		return []string{"the call should be blocked by the browser, and failed otherwise: " + err.Error()}
	case c.Blocked != "" && c.Blocked != AnyCheck && c.Blocked != blocked.Check:
		problems = append(problems, fmt.Sprintf("the call should be blocked at %s: %v", c.Blocked, blocked))
	}
	if c.NotSent && slices.ContainsFunc(log, func(e Exchange) bool { return !e.Preflight }) {
		problems = append(problems, "the call should not reach the server, and did")
	}
	if len(c.Readable)+len(c.Hidden) == 0 {
		return problems
	}
	i := slices.IndexFunc(log, func(e Exchange) bool { return e.Readable != nil })
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

// Connect is a unary call of the Connect protocol as connect-web makes it, with
// an empty message in JSON, to the procedure's URL. Names and values of further
// headers follow. Any answer that the script can read is a success, an RPC error
// too.
func Connect(procedure string, header ...string) Call {
	return call(http.MethodPost, procedure, "{}", append([]string{"Content-Type", "application/json", "Connect-Protocol-Version", "1"}, header...))
}

// ConnectGet is [Connect] by GET, for a method without side effects.
func ConnectGet(procedure string, header ...string) Call {
	query := url.Values{"connect": {"v1"}, "encoding": {"json"}, "message": {"{}"}}
	return call(http.MethodGet, procedure+"?"+query.Encode(), "", header)
}

// GRPCWeb is a call of the gRPC-Web protocol with an empty message; as
// [Connect].
func GRPCWeb(procedure string, header ...string) Call {
	return call(http.MethodPost, procedure, "\x00\x00\x00\x00\x00", append([]string{"Content-Type", "application/grpc-web+proto", "X-Grpc-Web", "1"}, header...))
}

// Fetch is a fetch without a body. Names and values of headers follow. Any
// answer that the script can read is a success, whatever its status.
func Fetch(method, url string, header ...string) Call {
	return call(method, url, "", header)
}

func call(method, url, body string, header []string) Call {
	if len(header)%2 != 0 {
		panic("corstest: a header name without a value: " + header[len(header)-1])
	}
	return func(ctx context.Context, page *http.Client) error {
		var content io.Reader
		if body != "" {
			content = bytes.NewReader([]byte(body))
		}
		r, err := http.NewRequestWithContext(ctx, method, url, content)
		if err != nil {
			return err
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Add(header[i], header[i+1])
		}
		response, err := page.Do(r)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, response.Body)
		return errors.Join(err, response.Body.Close())
	}
}
