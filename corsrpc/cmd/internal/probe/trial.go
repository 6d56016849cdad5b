package probe

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// Result says how a call ends in an engine.
type Result string

// The results.
const (
	// Readable: the script can read the response.
	Readable Result = "readable"
	// PreflightPasses: the browser would send the call, which the probe did not send.
	PreflightPasses Result = "preflight_passes"
	// Refused: the script can read that a server with corsrpc refuses the call, which WithExplain makes
	// readable.
	Refused Result = "refused"
	// SameOrigin: the page and the server have the same origin, and the probe did not send the call.
	SameOrigin Result = "same_origin"
	// Blocked: the script gets a network error.
	Blocked Result = "blocked"
	// NotSent: the browser sends the call without a preflight, and the probe did not send it.
	NotSent Result = "not_sent"
	// NotFollowed: the server redirects the call to another server.
	NotFollowed Result = "not_followed"
	// TooMany: the probe has sent as many requests as it may.
	TooMany Result = "too_many"
	// Unreachable: a request got no response.
	Unreachable Result = "unreachable"
)

// Trial is a call with its outcome in each engine.
type Trial struct {
	Call     Call
	Outcomes []Outcome
}

// Outcome is the outcome of a call in an engine.
type Outcome struct {
	// Engine is the browser engine, and Result what its page gets.
	Engine corsbrowser.Engine
	Result Result
	// Blocked tells why the browser blocked the call, if Result is Blocked.
	Blocked *corsbrowser.BlockedError
	// Err is the error of the connection, if Result is Unreachable.
	Err error
	// Exchanges are the requests that the browser sent, in order.
	Exchanges []Exchange
	// Readable holds the response fields that the script can read, if Result is Readable, and Hidden the
	// names of the others, in lower case.
	Readable http.Header
	Hidden   []string
	// Dropped holds the fields of the call that browsers do not send, since scripts may not set them.
	Dropped http.Header
}

// Exchange is a request and its response. Status is 0 if there is none.
type Exchange struct {
	corsbrowser.Exchange
	// Sent is the body of the request.
	Sent []byte
	// Body is the begin of the response's body, decoded.
	Body []byte
	// Proto is the version of HTTP, and Elapsed the time until the response's header.
	Proto   string
	Elapsed time.Duration
}

// last returns the last exchange that got a response. It is the zero Exchange if there is none.
func (o *Outcome) last() Exchange {
	for _, e := range slices.Backward(o.Exchanges) {
		if e.Status != 0 {
			return e
		}
	}
	return Exchange{}
}

// Try makes a call in each engine. It returns an error if the call is not valid or the context ends.
func Try(ctx context.Context, w *Wire, call Call, engines []corsbrowser.Engine) (*Trial, error) {
	t := &Trial{Call: call}
	for _, engine := range engines {
		o, err := try(ctx, w, call, engine)
		if err != nil {
			return nil, err
		}
		t.Outcomes = append(t.Outcomes, *o)
	}
	return t, nil
}

// recorder keeps the answers that a wire gives to one page.
type recorder struct {
	wire    *Wire
	answers []*answer // nil for a request that the wire did not send
	// onlyPreflights keeps all other requests from the wire, even if it would send them.
	onlyPreflights bool
}

// RoundTrip implements http.RoundTripper.
func (c *recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	var have *answer
	err := ErrNotSent
	if isPreflight(r) || !c.onlyPreflights {
		have, err = c.wire.exchange(r)
	}
	c.answers = append(c.answers, have)
	if err != nil {
		return nil, err
	}
	return have.response(r)
}

func try(ctx context.Context, w *Wire, call Call, engine corsbrowser.Engine) (*Outcome, error) {
	recorded := &recorder{wire: w}
	page, err := call.page(w.server, engine, recorded)
	if err != nil {
		return nil, err
	}
	r, err := call.request(ctx, w.server)
	if err != nil {
		return nil, err
	}
	o, err := fetchIn(page, recorded, r, w.server.hasOrigin(call.Origin))
	if o != nil {
		o.Engine = engine
	}
	return o, err
}

// fetchIn makes a request in a page whose transport is the recorder. The argument sameOrigin is true if the page
// has the server's own origin.
func fetchIn(page *corsbrowser.Browser, recorded *recorder, r *http.Request, sameOrigin bool) (*Outcome, error) {
	o := &Outcome{}
	response, err := page.RoundTrip(r)
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	if r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	for i, sent := range page.Log() {
		o.Dropped = sent.Dropped
		e := Exchange{Exchange: sent}
		if i < len(recorded.answers) && recorded.answers[i] != nil {
			a := recorded.answers[i]
			e.Sent, e.Body, e.Proto, e.Elapsed = a.sent, a.decodedBody(), a.proto, a.elapsed
		}
		o.Exchanges = append(o.Exchanges, e)
	}
	if response != nil {
		o.Result, o.Readable, o.Hidden = Readable, response.Header, hidden(o.last().Answer, response.Header)
		if refusalOf(o.last()) != "" {
			o.Result = Refused
		}
		return o, nil
	}
	var blocked *corsbrowser.BlockedError
	if !errors.As(err, &blocked) {
		return nil, err
	}
	o.classify(blocked, sameOrigin)
	return o, nil
}

// classify sets the result of a call without a readable response.
func (o *Outcome) classify(blocked *corsbrowser.BlockedError, sameOrigin bool) {
	switch {
	case errors.Is(blocked, ErrNotSent) && sameOrigin:
		o.Result = SameOrigin
	case errors.Is(blocked, ErrNotSent) && slices.ContainsFunc(o.Exchanges, func(e Exchange) bool { return e.Preflight && e.Status != 0 }):
		o.Result = PreflightPasses
	case errors.Is(blocked, ErrNotSent):
		o.Result = NotSent
	case errors.Is(blocked, ErrOtherServer):
		o.Result = NotFollowed
	case errors.Is(blocked, ErrTooMany):
		o.Result = TooMany
	case blocked.Check == corsbrowser.CheckNetwork:
		o.Result, o.Err = Unreachable, blocked.Err
	default:
		o.Result, o.Blocked = Blocked, blocked
	}
}

// hidden returns the names of the fields of a response that a script cannot read, in lower case, sorted.
// It leaves out the fields of CORS, which are for the browser, and those that browsers never show.
func hidden(answer, readable http.Header) (names []string) {
	for name := range answer {
		lower := fetch.Lower(name)
		if _, ok := readable[http.CanonicalHeaderKey(name)]; !ok && !fetch.ForbiddenResponseHeader(lower) && !fetch.SafelistedResponseHeader(lower) && !strings.HasPrefix(lower, "access-control-") {
			names = append(names, lower)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
