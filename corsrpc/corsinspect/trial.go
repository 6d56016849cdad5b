package corsinspect

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// A trial is what becomes of a request that nobody has sent: what a browser would do
// with it, what the layer would answer, and what the script could read.
type trial struct {
	Form      trialForm       `json:"form"`
	Problem   string          `json:"problem,omitempty"` // why nothing was tried
	Rule      *ruleShown      `json:"rule,omitempty"`    // that governs the target; nil where none does
	Exchanges []trialExchange `json:"exchanges,omitempty"`
	Verdict   string          `json:"verdict,omitempty"`
	Readable  bool            `json:"readable"`          // whether the script may read the answer
	Headers   []string        `json:"headers,omitempty"` // of the answer, which the script may read
}

// trialForm is what the form holds.
type trialForm struct {
	Origin      string `json:"origin"` // of the page; empty for a program that is no browser
	Server      string `json:"server"` // as the page calls it
	Target      string `json:"target"` // a procedure's full name, or a path
	Method      string `json:"method"`
	Headers     string `json:"headers"` // that the script sets, one a line
	Credentials bool   `json:"credentials"`
	Response    string `json:"response"` // header fields that the handler sends, one a line
}

// trialExchange is a preflight or the call.
type trialExchange struct {
	Name    string      `json:"name"`
	Curl    string      `json:"curl"`
	Steps   []trialStep `json:"steps"`
	Status  int         `json:"status"` // 0 where the handler decides on it
	Header  []string    `json:"header"` // of the answer
	Body    string      `json:"body,omitempty"`
	Remedy  string      `json:"remedy,omitempty"`
	Verdict string      `json:"verdict"` // the browser's

	answer http.Header
}

type trialStep struct {
	Question string `json:"question"`
	Found    string `json:"found"`
	From     string `json:"from,omitempty"`
}

// formOf reads the form; its fields have defaults where none was sent.
func formOf(query url.Values) trialForm {
	if len(query) == 0 {
		query = url.Values{
			"server": {"https://api.example.com"}, "method": {http.MethodPost},
			"headers":  {"Content-Type: application/json\nConnect-Protocol-Version: 1"},
			"response": {"Content-Type: application/json\nX-Request-Id: 1\nTrailer-X-Cost: 7"},
		}
	}
	text := func(name string) string { return strings.TrimSpace(query.Get(name)) }
	return trialForm{
		Origin: text("origin"), Server: text("server"), Target: text("target"), Method: text("method"),
		Headers: text("headers"), Response: text("response"), Credentials: query.Get("credentials") != "",
	}
}

// try tries what a form asks.
func try(plan *corsrpc.Plan, query url.Values) *trial {
	t := &trial{Form: formOf(query)}
	f := t.Form
	if f.Target == "" {
		return t
	}
	call, to, problem := f.request()
	sends, problemOfHandler := headerOf(f.Response)
	if t.Problem = cmp.Or(problem, problemOfHandler); t.Problem != "" {
		return t
	}
	t.Rule = showRuleOf(plan, call)
	unsafe := f.addOrigin(call)
	crossOrigin := len(call.Header["Origin"]) > 0 && !isOne(call.Header["Sec-Fetch-Site"], "same-origin")
	if crossOrigin && (len(unsafe) > 0 || !safelistedMethod(call.Method)) {
		preflight := exchange(plan, "preflight", preflightFor(call, unsafe), to, sends)
		preflight.Verdict = judgePreflight(f, preflight, call.Method, unsafe)
		t.Exchanges = append(t.Exchanges, preflight)
		if preflight.Verdict != "" {
			t.Verdict = "the browser does not send the call, and the script gets a network error: " + preflight.Verdict
			return t
		}
		t.Exchanges[0].Verdict = "the browser sends the call"
	}
	if f.Credentials {
		call.Header["Cookie"] = []string{"session=1"}
	}
	answer := exchange(plan, "call", call, to, sends)
	if crossOrigin {
		answer.Verdict = judgeOrigin(f, answer.answer)
	}
	t.Readable = answer.Verdict == ""
	if t.Readable {
		t.Verdict = "the script reads the answer: its status, its body, and the header fields below"
		t.Headers = visible(f, answer.answer, crossOrigin)
		answer.Verdict = "the script may read the answer"
	} else {
		t.Verdict = "the script gets a network error: " + answer.Verdict
	}
	t.Exchanges = append(t.Exchanges, answer)
	return t
}

// showRuleOf is the rule of a target: of any, since a page has room for a part of the
// schema only.
func showRuleOf(plan *corsrpc.Plan, call corsrpc.Request) *ruleShown {
	rule, ok := plan.Rule(call)
	if !ok {
		return nil
	}
	name := rule.Name
	if procedure, known := plan.Decide(call).Procedure(); procedure != "" && !known {
		name = safetext.Sample(name)
	}
	shown := showRule(rule, []string{name})
	return &shown
}

// request is the call that the form describes, as a server gets it, without what the
// browser adds; and where it goes.
func (f trialForm) request() (r corsrpc.Request, to *url.URL, problem string) {
	server, err := url.Parse(f.Server)
	if err != nil || server.Host == "" || server.Scheme != "https" && server.Scheme != "http" {
		return r, nil, "the server is no URL such as https://api.example.com"
	}
	if to, err = targetOf(f.Target, server); err != nil {
		return r, nil, "the procedure or path cannot be requested: " + safetext.Sample(err.Error())
	}
	if !fetch.IsToken(f.Method) {
		return r, nil, "the method is none"
	}
	method := f.Method
	if f.Origin != "" {
		if method = normalizedMethod(method); method == "" {
			return r, nil, "no script may use the method " + f.Method
		}
	}
	header, problem := headerOf(f.Headers)
	if problem != "" {
		return r, nil, problem
	}
	for name := range header {
		if fetch.ForbiddenRequestHeader(fetch.Lower(name)) {
			return r, nil, "no script may set " + name + ": the browser does"
		}
	}
	return corsrpc.Request{
		Method: method, Host: to.Host, Path: to.Path, EscapedPath: to.RawPath, Query: to.RawQuery,
		TLS: to.Scheme == "https", Header: header,
	}, to, ""
}

// targetOf is the URL of a procedure's full name, or of a path, with a query perhaps: as
// it is sent, so without a fragment, and with escapes for what no request line holds.
func targetOf(target string, server *url.URL) (*url.URL, error) {
	target, _, _ = strings.Cut(target, "#")
	path, query, hasQuery := strings.Cut(target, "?")
	if service := strings.LastIndexByte(path, '.'); !strings.Contains(path, "/") && service > 0 {
		path = path[:service] + "/" + path[service+1:]
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	sent := strings.TrimRight(server.EscapedPath(), "/") + escaped(path, "\"<>^`{}|\\")
	if hasQuery {
		sent += "?" + escaped(query, `"<>'`)
	}
	to, err := url.ParseRequestURI(sent)
	if err != nil {
		return nil, err
	}
	to.Scheme, to.Host = server.Scheme, server.Host
	return to, nil
}

// escaped escapes spaces, what is beyond ASCII, and these characters, as browsers do
// (https://url.spec.whatwg.org/#path-percent-encode-set and #special-query-percent-encode-set).
// A path has two more of them: for one that it finds unescaped, net/url forgets the
// escapes that are there.
func escaped(s, these string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c == ' ' || c >= 0x80 || strings.IndexByte(these, c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// normalizedMethod is the method as a browser sends it, which has six in upper case and
// leaves all others as they are; it is empty for those that no script may use.
//
// See https://fetch.spec.whatwg.org/#concept-method-normalize and
// https://fetch.spec.whatwg.org/#forbidden-method.
func normalizedMethod(method string) string {
	switch upper := strings.ToUpper(method); upper {
	case "DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT":
		return upper
	case "CONNECT", "TRACE", "TRACK":
		return ""
	}
	return method
}

// headerOf reads header fields, one a line.
func headerOf(lines string) (http.Header, string) {
	header := http.Header{}
	for line := range strings.Lines(lines) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !fetch.IsToken(name) {
			return nil, "the line " + strconv.Quote(safetext.Sample(line)) + " is no header field"
		}
		if strings.ContainsAny(value, "\x00\r") {
			return nil, "the value of " + name + " holds what no header field may"
		}
		header.Add(name, strings.TrimSpace(value))
	}
	return header, ""
}

// addOrigin adds what a browser does for a page of the form's origin, and returns the
// names of the headers that no page may send unasked, as the preflight lists them.
//
// See https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names.
func (f trialForm) addOrigin(call corsrpc.Request) (unsafe []string) {
	if f.Origin == "" {
		return nil
	}
	call.Header["Origin"] = []string{f.Origin}
	call.Header["Sec-Fetch-Mode"], call.Header["Sec-Fetch-Site"] = []string{"cors"}, []string{"cross-site"}
	if from, ok := origin.Parse(f.Origin); ok && from.SameHost(call.Host, call.TLS) && (from.Scheme == "https") == call.TLS {
		call.Header["Sec-Fetch-Site"] = []string{"same-origin"}
	}
	for name, values := range call.Header {
		lower := fetch.Lower(name)
		if !fetch.ForbiddenRequestHeader(lower) && slices.ContainsFunc(values, func(v string) bool { return !fetch.SafelistedRequestHeader(lower, v) }) {
			unsafe = append(unsafe, lower)
		}
	}
	slices.Sort(unsafe)
	return unsafe
}

// preflightFor is the preflight that a browser sends before the call
// (https://fetch.spec.whatwg.org/#cors-preflight-fetch).
func preflightFor(call corsrpc.Request, unsafe []string) corsrpc.Request {
	preflight := call
	preflight.Method = http.MethodOptions
	preflight.Header = http.Header{
		"Origin": call.Header["Origin"], "Sec-Fetch-Site": call.Header["Sec-Fetch-Site"], "Sec-Fetch-Mode": {"cors"},
		"Access-Control-Request-Method": {call.Method},
	}
	if len(unsafe) > 0 {
		preflight.Header["Access-Control-Request-Headers"] = []string{strings.Join(unsafe, ",")}
	}
	return preflight
}

// exchange decides on a request as Wrap does, and answers for the layer or for a handler
// that sends these fields.
func exchange(plan *corsrpc.Plan, name string, r corsrpc.Request, to *url.URL, sends http.Header) trialExchange {
	e := trialExchange{Name: name, Curl: curl(r, to)}
	steps := plan.Explain(r)
	for _, s := range steps {
		from := ""
		if s.From.Field != "" {
			from = s.From.String()
		}
		e.Steps = append(e.Steps, trialStep{s.Question, s.Found, from})
	}
	d := steps[len(steps)-1].Decision
	e.Remedy = d.Remedy()
	status, body, ok := d.Answer()
	e.Status, e.Body, e.answer = status, strings.TrimSpace(body), http.Header{}
	if !ok {
		status, e.answer = http.StatusOK, sends.Clone()
	}
	d.Apply(status, e.answer)
	for name, values := range e.answer {
		for _, value := range values {
			e.Header = append(e.Header, name+": "+value)
		}
	}
	slices.Sort(e.Header)
	return e
}

// judgeOrigin is the CORS check (https://fetch.spec.whatwg.org/#concept-cors-check):
// what is wrong, or nothing.
func judgeOrigin(f trialForm, answer http.Header) string {
	allowed := answer["Access-Control-Allow-Origin"]
	switch {
	case len(allowed) == 0:
		return "the answer has no Access-Control-Allow-Origin"
	case !f.Credentials && isOne(allowed, "*"):
		return ""
	case !isOne(allowed, f.Origin):
		return "Access-Control-Allow-Origin is " + strings.Join(allowed, ", ") + ", not the page's origin"
	case f.Credentials && !isOne(answer["Access-Control-Allow-Credentials"], "true"):
		return "the call is made with credentials, and Access-Control-Allow-Credentials is not true"
	}
	return ""
}

// judgePreflight says what of a preflight's answer keeps a browser from the call;
// nothing where it does not. The status is left out: the layer's is good where it allows
// the origin, and the handler's is not known.
func judgePreflight(f trialForm, e trialExchange, method string, unsafe []string) string {
	if problem := judgeOrigin(f, e.answer); problem != "" {
		return problem
	}
	methods, ok := tokens(e.answer["Access-Control-Allow-Methods"])
	if !ok {
		return "Access-Control-Allow-Methods is no list of methods"
	}
	names, ok := tokens(e.answer["Access-Control-Allow-Headers"])
	if !ok {
		return "Access-Control-Allow-Headers is no list of header names"
	}
	if !safelistedMethod(method) && !slices.Contains(methods, method) && !f.allListed(methods) {
		return "Access-Control-Allow-Methods does not list " + method
	}
	for _, name := range unsafe {
		if !listsName(names, name) && !(name != "authorization" && f.allListed(names)) {
			return "Access-Control-Allow-Headers does not list " + name
		}
	}
	return ""
}

// visible returns the names of the answer's fields that the script may read.
func visible(f trialForm, answer http.Header, crossOrigin bool) (names []string) {
	exposed, _ := tokens(answer["Access-Control-Expose-Headers"])
	for name := range answer {
		lower := fetch.Lower(name)
		if !fetch.ForbiddenResponseHeader(lower) &&
			(!crossOrigin || fetch.SafelistedResponseHeader(lower) || listsName(exposed, lower) || f.allListed(exposed)) {
			names = append(names, lower)
		}
	}
	slices.Sort(names)
	return names
}

// tokens are the items of a list; where one is no token, browsers take none.
//
// See https://fetch.spec.whatwg.org/#extract-header-list-values.
func tokens(lines []string) (items []string, ok bool) {
	for _, line := range lines {
		for item := range strings.SplitSeq(line, ",") {
			if item = strings.Trim(item, " \t"); item == "" {
				continue
			}
			if !fetch.IsToken(item) {
				return nil, false
			}
			items = append(items, item)
		}
	}
	return items, true
}

// listsName reports whether header names hold one in lower case.
func listsName(names []string, lower string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return fetch.Lower(name) == lower })
}

// allListed reports whether a list has a * that stands for all: with credentials it is
// a name like others.
func (f trialForm) allListed(items []string) bool {
	return !f.Credentials && slices.Contains(items, "*")
}

// safelistedMethod reports whether browsers send the method without a grant
// (https://fetch.spec.whatwg.org/#cors-safelisted-method).
func safelistedMethod(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodPost
}
