package corsinspect

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// Call describes a hypothetical request, of a script in a page or of a program. Fields may
// be added.
type Call struct {
	// Origin is the page's origin, as browsers serialize it; "null" is an opaque origin. If
	// it is empty, a program makes the request, not a browser.
	Origin string
	// Server is the URL of the server, such as https://api.example.com. If it has a path,
	// that is a prefix of the request's path.
	Server string
	// Target is a procedure's full name, such as acme.v1.CatalogService.Get, or a path;
	// both optionally with a query.
	Target string
	// Method is the HTTP method.
	Method string
	// Header holds the header fields that the script or the program sets.
	Header http.Header
	// Credentials selects the credentials mode "include" instead of "omit", with a cookie
	// for the server in the browser's jar. A program sends the cookie too, unless its Header
	// has a Cookie field.
	Credentials bool
	// ForcePreflight makes the browser send a preflight even if the call needs none, as for an
	// XMLHttpRequest with listeners on its upload object. It has no meaning for a program.
	ForcePreflight bool
	// Response holds the header fields of the handler's response.
	Response http.Header
	// Status is the status of the handler's response, from 200 to 599. Default: 200.
	Status int
	// Engines lists the browser engines to try. Default: corsbrowser.Engines.
	Engines []corsbrowser.Engine
}

// Trial is the result of [Try]. Fields may be added.
type Trial struct {
	// Rule is the effective rule of the request, as of corsrpc.Plan.Rule. It is the zero
	// EffectiveRule if there is none.
	Rule corsrpc.EffectiveRule
	// Outcomes holds the outcome in each engine, in the order of Call.Engines. For a
	// program there is one outcome, with the zero Engine.
	Outcomes []Outcome

	nameIsKnown bool // the name of Rule is in the schema or the policy
	byPage      bool // a browser makes the request
}

// Outcome is the outcome of a [Call] in one engine. Fields may be added.
type Outcome struct {
	// Engine is the browser engine.
	Engine corsbrowser.Engine
	// Verdict says in a sentence what the script or the program gets. The wording may change.
	Verdict string
	// Blocked tells why the browser blocked the call. It is nil if the script can read the
	// response, and for a program.
	Blocked *corsbrowser.BlockedError
	// Readable holds the response header fields that the script can read.
	Readable http.Header
	// Dropped holds the fields of Call.Header that the browser does not send, since scripts
	// may not set them; the script gets no error. Dropped is empty if no request was sent.
	Dropped http.Header
	// Exchanges holds the requests that reach the server, in order: the preflight, if the
	// browser sends one, and the call.
	Exchanges []Exchange
}

// Exchange is a request that reaches the server, and its response. Fields may be added.
type Exchange struct {
	// Preflight is true for a preflight, and false for the call.
	Preflight bool
	// Request is the request that the server gets.
	Request corsrpc.Request
	// Steps explains the decision on the request, as corsrpc.Plan.Explain does.
	Steps []corsrpc.Step
	// Decision is the decision of the last step. Its Remedy tells how to grant the request.
	Decision corsrpc.Decision
	// Status is the status of the response, and Answer its header, as the server sends it.
	Status int
	Answer http.Header
	// Verdict says in a sentence whether the browser goes on, or why not. It is empty for a
	// program. The wording may change.
	Verdict string
	// Curl is a command for a POSIX shell that sends the request with all header fields on
	// which the decision depends.
	Curl string
}

// Distinct is an outcome in all engines in which it is the same to the script. Fields may be added.
type Distinct struct {
	// Outcome is the outcome in the first of the engines.
	Outcome
	// Engines lists the engines. It is empty for a program.
	Engines []corsbrowser.Engine
	// Console holds the sentences in the consoles of these engines, as far as they are known.
	Console []ConsoleSentence
}

// ConsoleSentence is what the console of a browser says about a blocked call. Fields may be added.
type ConsoleSentence struct {
	// Engine is the browser engine, and Text the sentence: corsbrowser.BlockedError's ConsoleText.
	Engine corsbrowser.Engine
	Text   string
}

// Distinct returns the outcomes that differ to the script, in the order of Outcomes: those with
// different verdicts, readable or dropped fields, or numbers of requests.
func (t *Trial) Distinct() []Distinct {
	var all []Distinct
	for _, o := range t.Outcomes {
		i := slices.IndexFunc(all, func(have Distinct) bool { return sameToScript(have.Outcome, o) })
		if i < 0 {
			i, all = len(all), append(all, Distinct{Outcome: o})
		}
		if t.byPage {
			all[i].Engines = append(all[i].Engines, o.Engine)
		}
		if o.Blocked != nil && o.Blocked.ConsoleText != "" {
			all[i].Console = append(all[i].Console, ConsoleSentence{o.Engine, o.Blocked.ConsoleText})
		}
	}
	return all
}

// sameToScript reports whether a script cannot tell two outcomes apart.
func sameToScript(a, b Outcome) bool {
	return a.Verdict == b.Verdict && len(a.Exchanges) == len(b.Exchanges) &&
		slices.Equal(lowerNames(a.Readable), lowerNames(b.Readable)) && slices.Equal(lowerNames(a.Dropped), lowerNames(b.Dropped))
}

// Try returns the outcome of a call under a plan, such as layer.Plan(), in each engine. It
// simulates a browser that calls a handler which sends Call.Response, wrapped by plan.Wrap.
// It sends nothing over a network, writes no log, and notifies no observer. It returns an
// error if the call is not valid, or if Call.Header or Call.Response has more than 500 lines or
// 64 KiB. It is safe for concurrent use.
func Try(plan *corsrpc.Plan, call Call) (*Trial, error) {
	if plan == nil {
		return nil, errors.New("corsinspect: the plan is nil: pass layer.Plan()")
	}
	t, err := try(plan, call)
	if err != nil {
		return nil, fmt.Errorf("corsinspect: %w", err)
	}
	return t, nil
}

// try is Try without the prefix of its errors.
func try(plan *corsrpc.Plan, call Call) (*Trial, error) {
	r, err := call.request()
	if err != nil {
		return nil, err
	}
	t := &Trial{byPage: call.Origin != ""}
	request := corsrpc.RequestOf(r)
	if call.Origin != "" {
		request.Method = fetch.NormalizeMethod(request.Method)
	}
	t.Rule, _ = plan.Rule(request)
	procedure, known := plan.Decide(request).Procedure()
	t.nameIsKnown = known || procedure == ""
	if call.Origin == "" {
		t.Outcomes = []Outcome{call.byProgram(plan, r)}
		return t, nil
	}
	engines := call.Engines
	if len(engines) == 0 {
		engines = corsbrowser.Engines()
	}
	for _, engine := range engines {
		outcome, err := call.byPage(plan, r, engine)
		if err != nil {
			return nil, err
		}
		t.Outcomes = append(t.Outcomes, outcome)
	}
	return t, nil
}

// isFraming reports whether HTTP clients set the header field themselves. A trial with such a
// field would differ from the request that a client sends.
func isFraming(name string) bool {
	switch fetch.Lower(name) {
	case "content-length", "transfer-encoding", "trailer", "te", "expect":
		return true
	}
	return false
}

// request returns the request that the script or the program makes.
func (c *Call) request() (*http.Request, error) {
	server, err := url.Parse(c.Server)
	if err != nil || server.Host == "" || server.Scheme != "https" && server.Scheme != "http" {
		return nil, errors.New("the server is not an http or https URL: write one such as https://api.example.com")
	}
	to, err := rpc.TargetURL(c.Target, server)
	if err != nil {
		return nil, errors.New("the procedure or path is not valid: " + safetext.Sample(err.Error()))
	}
	if !fetch.IsToken(c.Method) {
		return nil, errors.New("the method is not a token: write a method such as POST")
	}
	if c.Status != 0 && (c.Status < 200 || c.Status > 599) {
		return nil, errors.New("the status of the handler is not from 200 to 599")
	}
	if err := cmp.Or(checkSize(c.Header), checkSize(c.Response)); err != nil {
		return nil, err
	}
	if err := errors.Join(checkFields("script", c.Header), checkFields("handler", c.Response)); err != nil {
		return nil, err
	}
	if c.Origin == "" { // a browser drops these fields
		for name := range c.Header {
			if isFraming(name) {
				return nil, fmt.Errorf("remove the header field %s: the HTTP client sets it from the body", http.CanonicalHeaderKey(name))
			}
		}
	}
	r, err := http.NewRequest(c.Method, to.String(), nil)
	if err != nil {
		return nil, errors.New("the request is not valid: " + safetext.Sample(err.Error()))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Header)) { // Add canonicalizes names, as servers do
		for _, value := range c.Header[name] {
			r.Header.Add(name, value)
		}
	}
	return r, nil
}

// Bounds on the header fields of a script, and on those of a handler. Servers refuse larger headers, or
// may be set to do so.
const (
	maxFields     = 500 // lines
	maxFieldBytes = 64 << 10
)

var errTooManyFields = fmt.Errorf("there are more than %d header fields: remove some", maxFields)

// checkSize returns an error if a header exceeds the bounds. It stops there.
func checkSize(header http.Header) error {
	count, size := 0, 0
	for name, values := range header {
		count += max(len(values), 1)
		if count > maxFields {
			return errTooManyFields
		}
		for _, value := range values {
			size += len(name) + len(value)
		}
		if size > maxFieldBytes {
			return fmt.Errorf("the header fields have more than %d KiB: shorten them", maxFieldBytes>>10)
		}
	}
	return nil
}

// checkFields returns an error if a name or a value is not allowed in a header (RFC 9110,
// section 5.5).
func checkFields(whose string, header http.Header) error {
	for _, name := range slices.Sorted(maps.Keys(header)) {
		if !fetch.IsToken(name) {
			return fmt.Errorf("\"%s\" is not a valid name of a header field of the %s", safetext.Sample(name), whose)
		}
		for _, value := range header[name] {
			if strings.ContainsAny(value, "\x00\r\n") {
				return fmt.Errorf("the value of the %s's header field %s contains NUL, CR or LF", whose, name)
			}
		}
	}
	return nil
}

// byPage makes the call with a script in a simulated browser.
func (c *Call) byPage(plan *corsrpc.Plan, r *http.Request, engine corsbrowser.Engine) (Outcome, error) {
	jar, _ := cookiejar.New(nil) // never fails
	credentials := corsbrowser.Omit
	if c.Credentials {
		credentials = corsbrowser.Include
		jar.SetCookies(r.URL, []*http.Cookie{{Name: cookieName, Value: cookieValue, Path: "/", Secure: r.URL.Scheme == "https"}})
	}
	server := &server{plan: plan, response: c.Response, status: c.Status}
	browser, err := corsbrowser.New(c.Origin, corsbrowser.WithEngine(engine), corsbrowser.WithHandler(server.handler()), corsbrowser.WithCookieJar(jar),
		corsbrowser.WithDefaults(corsbrowser.Init{Credentials: credentials, ForcePreflight: c.ForcePreflight, ScriptSets: []string{"User-Agent"}}))
	if err != nil {
		return Outcome{}, errors.New(strings.TrimPrefix(err.Error(), "corsbrowser: ")) // Try has its own prefix
	}
	o := Outcome{Engine: engine}
	response, err := browser.RoundTrip(r)
	if err == nil {
		_ = response.Body.Close()
		o.Readable = response.Header
	} else if !errors.As(err, &o.Blocked) {
		return Outcome{}, err
	}
	for i, sent := range browser.Log() {
		o.Dropped = sent.Dropped
		o.Exchanges = append(o.Exchanges, exchangeOf(plan, server.requests[i], sent))
	}
	o.Verdict = verdictOf(o)
	for i := range o.Exchanges {
		o.Exchanges[i].Curl, o.Exchanges[i].Verdict = curlOf(o.Exchanges[i], r), verdictOfExchange(o, o.Exchanges[i])
	}
	return o, nil
}

const cookieName, cookieValue = "session", "1"

// byProgram makes the call without a browser.
func (c *Call) byProgram(plan *corsrpc.Plan, r *http.Request) Outcome {
	if c.Credentials && len(r.Header["Cookie"]) == 0 {
		r.Header.Set("Cookie", cookieName+"="+cookieValue)
	}
	if host := r.Header["Host"]; len(host) > 0 {
		r.Host = host[0] // curl sends it instead of the URL's host
	}
	server := &server{plan: plan, response: c.Response, status: c.Status}
	status, answer := answerOf(server.handler(), r)
	e := exchangeOf(plan, server.requests[0], corsbrowser.Exchange{Status: status, Answer: answer})
	e.Curl = curlOf(e, r)
	return Outcome{
		Verdict:  "the program can read the whole response: CORS restricts only browsers",
		Readable: answer, Exchanges: []Exchange{e},
	}
}

// exchangeOf returns an exchange with the explanation of its decision.
func exchangeOf(plan *corsrpc.Plan, r *http.Request, sent corsbrowser.Exchange) Exchange {
	request := corsrpc.RequestOf(r)
	steps := plan.Explain(request)
	return Exchange{
		Preflight: sent.Preflight, Request: request, Steps: steps, Decision: steps[len(steps)-1].Decision,
		Status: sent.Status, Answer: sent.Answer,
	}
}

// lowerNames returns the field names of a header in lower case, sorted.
func lowerNames(header http.Header) []string {
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, fetch.Lower(name))
	}
	slices.Sort(names)
	return names
}
