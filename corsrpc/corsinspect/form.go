package corsinspect

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// maxQuery is the size of the largest form, in bytes of the encoded query.
const maxQuery = 64 << 10

// trialShown is a form and the outcomes of its call.
type trialShown struct {
	Form     form           `json:"form"`
	Problem  string         `json:"problem,omitempty"` // why the call is not valid
	Rule     *ruleShown     `json:"rule,omitempty"`    // the effective rule of the target; nil if there is none
	Outcomes []outcomeShown `json:"outcomes,omitempty"`
}

// form holds the values of the form's fields.
type form struct {
	Origin      string `json:"origin"` // the page's origin; empty for a program that is not a browser
	Server      string `json:"server"` // the URL of the server
	Target      string `json:"target"` // a procedure's full name, or a path
	Method      string `json:"method"`
	Headers     string `json:"headers"` // header fields that the script sets, one per line
	Credentials bool   `json:"credentials"`
	Response    string `json:"response"` // header fields that the handler sends, one per line
}

// outcomeShown is the outcome of a call, in all engines with the same outcome.
type outcomeShown struct {
	Engines   []string        `json:"engines,omitempty"` // empty for a program
	Verdict   string          `json:"verdict"`
	Readable  bool            `json:"readable"`          // true if the script can read the response
	Headers   []string        `json:"headers,omitempty"` // the response header names that the script can read
	Dropped   []string        `json:"dropped,omitempty"` // the script's header names that the browser does not send
	Console   []sentenceShown `json:"console,omitempty"` // the sentences of the engines' consoles about a blocked call
	Exchanges []exchangeShown `json:"exchanges,omitempty"`
}

// sentenceShown is the sentence in the console of an engine.
type sentenceShown struct {
	Engine string `json:"engine"`
	Text   string `json:"text"`
}

// exchangeShown is a preflight or a call, and its response.
type exchangeShown struct {
	Name    string      `json:"name"` // "preflight" or "call"
	Curl    string      `json:"curl"`
	Steps   []stepShown `json:"steps"`
	Status  int         `json:"status"` // the status of the layer's own response; 0 if the handler responds
	Header  []string    `json:"header"` // the header fields of the response
	Body    string      `json:"body,omitempty"`
	Remedy  string      `json:"remedy,omitempty"`
	Verdict string      `json:"verdict"` // whether the browser shows the response to the script; empty for a program
}

// stepShown is a step of a decision.
type stepShown struct {
	Code     string `json:"code"`
	Question string `json:"question"`
	Found    string `json:"found"`
	From     string `json:"from,omitempty"`
}

// formOf returns the form that a query encodes. An empty query gives the default values.
func formOf(query url.Values) form {
	if len(query) == 0 {
		query = url.Values{
			"server": {"https://api.example.com"}, "method": {http.MethodPost},
			"headers":  {linesOf(rpc.CallHeader(rpc.Connect))},
			"response": {"Content-Type: application/json\nX-Request-Id: 1\nTrailer-X-Cost: 7"},
		}
	}
	text := func(name string) string { return strings.TrimSpace(query.Get(name)) }
	return form{
		Origin: text("origin"), Server: text("server"), Target: text("target"), Method: text("method"),
		Headers: text("headers"), Response: text("response"), Credentials: query.Get("credentials") != "",
	}
}

// linesOf returns header fields, given as names and values, one per line.
func linesOf(fields []string) string {
	var lines []string
	for field := range slices.Chunk(fields, 2) {
		lines = append(lines, strings.Join(field, ": "))
	}
	return strings.Join(lines, "\n")
}

// call returns the call that the form describes.
func (f form) call() (Call, error) {
	header, err := parseFields(f.Headers)
	response, errOfResponse := parseFields(f.Response)
	return Call{
		Origin: f.Origin, Server: f.Server, Target: f.Target, Method: f.Method, Header: header,
		Credentials: f.Credentials, Response: response,
	}, cmp.Or(err, errOfResponse)
}

// parseFields parses header fields, one per line. It stops after maxFields of them.
func parseFields(lines string) (http.Header, error) {
	header := http.Header{}
	count := 0
	for line := range strings.Lines(lines) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if count++; count > maxFields {
			return nil, errTooManyFields
		}
		name, value, _ := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !fetch.IsToken(name) {
			return nil, fmt.Errorf("the line \"%s\" is not a header field", safetext.Sample(line))
		}
		header.Add(name, strings.TrimSpace(value))
	}
	return header, nil
}

// showTrial tries the call of a form. A form without a target has no outcomes.
func showTrial(plan *corsrpc.Plan, query url.Values) *trialShown {
	shown := &trialShown{Form: formOf(query)}
	if shown.Form.Target == "" {
		return shown
	}
	call, err := shown.Form.call()
	var t *Trial
	if err == nil {
		t, err = try(plan, call)
	}
	if err != nil {
		shown.Problem = err.Error()
		return shown
	}
	if name := t.Rule.Name; name != "" {
		if !t.nameIsKnown {
			name = safetext.Sample(name)
		}
		rule := showRule(t.Rule, []string{name})
		shown.Rule = &rule
	}
	for _, d := range t.Distinct() {
		shown.Outcomes = append(shown.Outcomes, showOutcome(d))
	}
	return shown
}

// showOutcome returns an outcome as the page shows it.
func showOutcome(d Distinct) outcomeShown {
	shown := outcomeShown{
		Verdict: d.Verdict, Readable: d.Blocked == nil,
		Headers: lowerNames(d.Readable), Dropped: lowerNames(d.Dropped),
	}
	for _, engine := range d.Engines {
		shown.Engines = append(shown.Engines, engine.String())
	}
	for _, c := range d.Console {
		shown.Console = append(shown.Console, sentenceShown{c.Engine.String(), c.Text})
	}
	for _, e := range d.Exchanges {
		shown.Exchanges = append(shown.Exchanges, showExchange(e))
	}
	return shown
}

// showExchange returns an exchange as the page shows it.
func showExchange(e Exchange) exchangeShown {
	shown := exchangeShown{Name: "call", Curl: e.Curl, Remedy: e.Decision.Remedy(), Verdict: e.Verdict}
	if e.Preflight {
		shown.Name = "preflight"
	}
	for _, s := range e.Steps {
		from := ""
		if s.From.Field != "" {
			from = s.From.String()
		}
		shown.Steps = append(shown.Steps, stepShown{string(s.Code), s.Question, s.Found, from})
	}
	if status, body, ok := e.Decision.Answer(); ok {
		shown.Status, shown.Body = status, strings.TrimSpace(body)
	}
	for name, values := range e.Answer {
		for _, value := range values {
			shown.Header = append(shown.Header, fmt.Sprintf("%s: %s", name, value))
		}
	}
	slices.Sort(shown.Header)
	return shown
}
