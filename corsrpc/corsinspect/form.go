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
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// maxQuery bounds the form, in bytes of the query that it is sent in.
const maxQuery = 64 << 10

// trialShown is a form and what becomes of its call.
type trialShown struct {
	Form     form           `json:"form"`
	Problem  string         `json:"problem,omitempty"` // why nothing was tried
	Rule     *ruleShown     `json:"rule,omitempty"`    // that governs the target; nil where none does
	Outcomes []outcomeShown `json:"outcomes,omitempty"`
}

// form is what the form holds.
type form struct {
	Origin      string `json:"origin"` // of the page; empty for a program that is not a browser
	Server      string `json:"server"` // as the page calls it
	Target      string `json:"target"` // a procedure's full name, or a path
	Method      string `json:"method"`
	Headers     string `json:"headers"` // that the script sets, one a line
	Credentials bool   `json:"credentials"`
	Response    string `json:"response"` // header fields that the handler sends, one a line
}

// outcomeShown is what becomes of a call in engines that agree.
type outcomeShown struct {
	Engines   []string        `json:"engines,omitempty"` // none for a program
	Verdict   string          `json:"verdict"`
	Readable  bool            `json:"readable"`          // whether the script may read the answer
	Headers   []string        `json:"headers,omitempty"` // of the answer, which the script may read
	Dropped   []string        `json:"dropped,omitempty"` // header fields of the script's that the browser does not send
	Exchanges []exchangeShown `json:"exchanges,omitempty"`
}

// exchangeShown is a preflight or the call.
type exchangeShown struct {
	Name    string      `json:"name"`
	Curl    string      `json:"curl"`
	Steps   []stepShown `json:"steps"`
	Status  int         `json:"status"` // 0 where the handler decides on it
	Header  []string    `json:"header"` // of the answer
	Body    string      `json:"body,omitempty"`
	Remedy  string      `json:"remedy,omitempty"`
	Verdict string      `json:"verdict"` // the browser's
}

type stepShown struct {
	Code     string `json:"code"`
	Question string `json:"question"`
	Found    string `json:"found"`
	From     string `json:"from,omitempty"`
}

// formOf reads the form; its fields have defaults where none was sent.
func formOf(query url.Values) form {
	if len(query) == 0 {
		query = url.Values{
			"server": {"https://api.example.com"}, "method": {http.MethodPost},
			"headers":  {"Content-Type: application/json\nConnect-Protocol-Version: 1"},
			"response": {"Content-Type: application/json\nX-Request-Id: 1\nTrailer-X-Cost: 7"},
		}
	}
	text := func(name string) string { return strings.TrimSpace(query.Get(name)) }
	return form{
		Origin: text("origin"), Server: text("server"), Target: text("target"), Method: text("method"),
		Headers: text("headers"), Response: text("response"), Credentials: query.Get("credentials") != "",
	}
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

// parseFields reads header fields, one a line.
func parseFields(lines string) (http.Header, error) {
	header := http.Header{}
	for line := range strings.Lines(lines) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !fetch.IsToken(name) {
			return nil, fmt.Errorf("the line \"%s\" is not a header field", safetext.Sample(line))
		}
		header.Add(name, strings.TrimSpace(value))
	}
	return header, nil
}

// showTrial tries what a form asks.
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
	for _, o := range t.Outcomes {
		shown.add(o, call.Origin != "")
	}
	return shown
}

// add shows an outcome, together with an earlier one that is the same to the script.
func (t *trialShown) add(o Outcome, byPage bool) {
	shown := outcomeShown{
		Verdict: verdictOf(o, byPage), Readable: o.Blocked == nil,
		Headers: lowerNames(o.Readable), Dropped: lowerNames(o.Dropped),
	}
	i := slices.IndexFunc(t.Outcomes, func(have outcomeShown) bool {
		return have.Verdict == shown.Verdict && slices.Equal(have.Headers, shown.Headers) && slices.Equal(have.Dropped, shown.Dropped) &&
			len(have.Exchanges) == len(o.Exchanges)
	})
	if i >= 0 {
		t.Outcomes[i].Engines = append(t.Outcomes[i].Engines, o.Engine.String())
		return
	}
	if byPage {
		shown.Engines = []string{o.Engine.String()}
	}
	for _, e := range o.Exchanges {
		shown.Exchanges = append(shown.Exchanges, showExchange(o, e, byPage))
	}
	t.Outcomes = append(t.Outcomes, shown)
}

// verdictOf says what the caller gets.
func verdictOf(o Outcome, byPage bool) string {
	switch {
	case !byPage:
		return "the program reads the whole answer: no browser keeps anything from it"
	case o.Blocked == nil:
		return "the script reads the answer: its status, its body, and the header fields below"
	case o.Blocked.Sent:
		return "the script gets a network error: " + reasonOf(o)
	}
	return "the browser does not send the call, and the script gets a network error: " + reasonOf(o)
}

// reasonOf says why a browser blocks a call, and what would have it go on.
func reasonOf(o Outcome) string {
	reason := o.Blocked.Reason
	if o.Blocked.Fix != "" {
		reason += "; the server would have to send " + o.Blocked.Fix
	}
	return reason
}

func showExchange(o Outcome, e Exchange, byPage bool) exchangeShown {
	shown := exchangeShown{Name: "call", Curl: e.Curl, Remedy: e.Decision.Remedy()}
	if e.Preflight {
		shown.Name = "preflight"
	}
	switch {
	case !byPage:
	case o.Blocked != nil && o.Blocked.Preflight == e.Preflight:
		shown.Verdict = reasonOf(o)
	case e.Preflight:
		shown.Verdict = "the browser sends the call"
	default:
		shown.Verdict = "the script may read the answer"
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
