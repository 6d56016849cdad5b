package corsinspect

import (
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
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// Call is a request that nobody has sent: by a script of a page, or by a program. Fields
// may be added.
type Call struct {
	// Origin is the page's, as browsers write it; "null" for an opaque one. Empty: a
	// program, which is not a browser, sends the request as it is.
	Origin string
	// Server is the URL of the server, as the page calls it, such as
	// https://api.example.com; a path in it stands before Target.
	Server string
	// Target is a procedure's full name, such as acme.v1.CatalogService.Get, or a path,
	// with a query perhaps.
	Target string
	// Method is the HTTP method.
	Method string
	// Header holds the fields that the script sets, or the program.
	Header http.Header
	// Credentials says that the script calls in credentials mode "include", and that the
	// browser has a cookie for the server; otherwise it calls in mode "omit". A program
	// sends the cookie, unless its Header has one.
	Credentials bool
	// Response holds the fields that the handler sends, with status 200.
	Response http.Header
	// Engines are those whose pages make the call. Empty: all of corsbrowser.Engines.
	Engines []corsbrowser.Engine
}

// Trial is what becomes of a Call. Fields may be added.
type Trial struct {
	// Rule is the rule that governs the request; the zero EffectiveRule where none does.
	// See corsrpc.Plan.Rule.
	Rule corsrpc.EffectiveRule
	// Outcomes are what becomes of the call in each of the engines, in their order. For a
	// program there is one, whose Engine means nothing.
	Outcomes []Outcome

	nameIsKnown bool // that of Rule, to the schema or the policy
}

// Outcome is what becomes of a Call in one engine. Fields may be added.
type Outcome struct {
	// Engine is the engine whose page makes the call.
	Engine corsbrowser.Engine
	// Blocked says why the script gets a network error; nil where it reads the answer, as
	// a program always does.
	Blocked *corsbrowser.BlockedError
	// Readable holds the fields of the answer that the script may read.
	Readable http.Header
	// Dropped holds the fields of Call.Header that the browser does not send, without
	// telling the script: no script may set them. It is empty where nothing was sent.
	Dropped http.Header
	// Exchanges are the requests that reach the server, in order: the preflight, where the
	// browser sends one, and the call.
	Exchanges []Exchange
}

// Exchange is a request that reaches the server, and its answer. Fields may be added.
type Exchange struct {
	// Preflight tells a preflight from the call.
	Preflight bool
	// Request is what the server gets.
	Request corsrpc.Request
	// Steps are those of the decision on it, as of corsrpc.Plan.Explain.
	Steps []corsrpc.Step
	// Decision is the last step's. Its Remedy says what would grant the request.
	Decision corsrpc.Decision
	// Status is the answer's status, and Answer its header, as the server sends it.
	Status int
	Answer http.Header
	// Curl is the command, for a POSIX shell, that sends the request with all that a
	// decision depends on.
	Curl string
}

// Try says what becomes of a call under a plan, such as layer.Plan(): what a browser on
// that page does in front of plan.Wrap, around a handler that sends Call.Response. Nothing
// leaves the program, and neither a log nor an observer is told. The error says why the
// call cannot be made at all. The time that it takes grows with the size of the call's
// fields, which have no bound. It is safe for concurrent use.
func Try(plan *corsrpc.Plan, call Call) (*Trial, error) {
	if plan == nil {
		return nil, errors.New("corsinspect: Try was given no plan: pass layer.Plan()")
	}
	t, err := try(plan, call)
	if err != nil {
		return nil, fmt.Errorf("corsinspect: %w", err)
	}
	return t, nil
}

func try(plan *corsrpc.Plan, call Call) (*Trial, error) {
	r, err := call.request()
	if err != nil {
		return nil, err
	}
	t := &Trial{}
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

// isFraming reports whether a client writes the header field itself, so that the request that
// is tried would be another than the one that is sent.
func isFraming(name string) bool {
	switch fetch.Lower(name) {
	case "content-length", "transfer-encoding", "trailer", "te", "expect":
		return true
	}
	return false
}

// request returns the request as the script makes it.
func (c *Call) request() (*http.Request, error) {
	server, err := url.Parse(c.Server)
	if err != nil || server.Host == "" || server.Scheme != "https" && server.Scheme != "http" {
		return nil, errors.New("the server is not a URL such as https://api.example.com")
	}
	to, err := targetOf(c.Target, server)
	if err != nil {
		return nil, errors.New("the procedure or path cannot be requested: " + safetext.Sample(err.Error()))
	}
	if !fetch.IsToken(c.Method) {
		return nil, errors.New("the method is not a token such as POST")
	}
	if err := errors.Join(checkFields("script", c.Header), checkFields("handler", c.Response)); err != nil {
		return nil, err
	}
	if c.Origin == "" { // a browser drops them itself
		for name := range c.Header {
			if isFraming(name) {
				return nil, fmt.Errorf("the field %s is not the program's to set here: it follows from the body", http.CanonicalHeaderKey(name))
			}
		}
	}
	r, err := http.NewRequest(c.Method, to.String(), nil)
	if err != nil {
		return nil, errors.New("the request cannot be made: " + safetext.Sample(err.Error()))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Header)) { // in any letter case, as servers read them
		for _, value := range c.Header[name] {
			r.Header.Add(name, value)
		}
	}
	return r, nil
}

// checkFields refuses what no header may hold (RFC 9110, section 5.5).
func checkFields(whose string, header http.Header) error {
	for _, name := range slices.Sorted(maps.Keys(header)) {
		if !fetch.IsToken(name) {
			return fmt.Errorf("a header field of the %s cannot have the name \"%s\"", whose, safetext.Sample(name))
		}
		for _, value := range header[name] {
			if strings.ContainsAny(value, "\x00\r\n") {
				return fmt.Errorf("the value of the %s's header field %s holds NUL, CR or LF", whose, name)
			}
		}
	}
	return nil
}

// byPage makes the call by a script, in a browser.
func (c *Call) byPage(plan *corsrpc.Plan, r *http.Request, engine corsbrowser.Engine) (Outcome, error) {
	jar, _ := cookiejar.New(nil) // never fails
	credentials := corsbrowser.Omit
	if c.Credentials {
		credentials = corsbrowser.Include
		jar.SetCookies(r.URL, []*http.Cookie{{Name: cookieName, Value: cookieValue, Path: "/", Secure: r.URL.Scheme == "https"}})
	}
	server := &server{plan: plan, sends: c.Response}
	browser, err := corsbrowser.New(c.Origin, corsbrowser.WithEngine(engine), corsbrowser.WithHandler(server.handler()), corsbrowser.WithCookieJar(jar),
		corsbrowser.WithDefaults(corsbrowser.Init{Credentials: credentials, ScriptSets: []string{"User-Agent"}}))
	if err != nil {
		return Outcome{}, err
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
		o.Exchanges = append(o.Exchanges, exchangeOf(plan, server.got[i], sent))
	}
	for i := range o.Exchanges {
		o.Exchanges[i].Curl = curl(o.Exchanges[i], r)
	}
	return o, nil
}

const cookieName, cookieValue = "session", "1"

// byProgram makes the call as it is.
func (c *Call) byProgram(plan *corsrpc.Plan, r *http.Request) Outcome {
	if c.Credentials && len(r.Header["Cookie"]) == 0 {
		r.Header.Set("Cookie", cookieName+"="+cookieValue)
	}
	if host := r.Header["Host"]; len(host) > 0 {
		r.Host = host[0] // as curl sends it, in place of the URL's
	}
	server := &server{plan: plan, sends: c.Response}
	status, answer := answerOf(server.handler(), r)
	e := exchangeOf(plan, server.got[0], corsbrowser.Exchange{Status: status, Answer: answer})
	e.Curl = curl(e, r)
	return Outcome{Readable: answer, Exchanges: []Exchange{e}}
}

// exchangeOf explains an exchange.
func exchangeOf(plan *corsrpc.Plan, r *http.Request, sent corsbrowser.Exchange) Exchange {
	request := corsrpc.RequestOf(r)
	steps := plan.Explain(request)
	return Exchange{
		Preflight: sent.Preflight, Request: request, Steps: steps, Decision: steps[len(steps)-1].Decision,
		Status: sent.Status, Answer: sent.Answer,
	}
}

// lowerNames returns the names of a header's fields in lower case, sorted.
func lowerNames(header http.Header) []string {
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, fetch.Lower(name))
	}
	slices.Sort(names)
	return names
}
