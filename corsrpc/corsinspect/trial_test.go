package corsinspect_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
)

const api = "https://api.example.com"

// tryPolicy is a policy with rules of all kinds.
const tryPolicy = `
defaults:
  allow_origins: [https://app.example.com]
rules:
  - selector: acme.account.v1.AccountService
    allow_credentials: true
    allow_headers: [authorization, x-tenant-*, x-http-method-override]
    hide_headers: [x-secret]
  - selector: acme.catalog.v1.StockService
    allow_origins: ["*"]
  - selector: acme.internal.v1.AdminService
    disabled: true
  - path: /files/
    expose_headers: [x-meta]
    allow_methods: [GET, HEAD, PATCH]
`

// TestTry: a trial has the right outcome in each engine, and the right requests.
func TestTry(t *testing.T) {
	t.Parallel()
	const account = "acme.account.v1.AccountService.Get"
	plan := compilePolicy(t, tryPolicy)
	for _, c := range []struct {
		name  string
		call  corsinspect.Call
		check corsbrowser.Check // "" if the script can read the response
		reads string            // the names of the header fields that the script can read
		sends []string          // the requests, as of sentIn
	}{
		{"a call", corsinspect.Call{Origin: page, Target: account, Method: "POST", Header: http.Header{"Content-Type": {"application/json"}}}, "", "x-meta",
			[]string{"OPTIONS requests content-type", "POST"}},
		{"with cookies", corsinspect.Call{Origin: "https://www.example.com", Target: "/files/a", Method: "GET", Credentials: true}, corsbrowser.CheckOriginMissing, "", []string{"GET Cookie: session=1"}},
		{"a page on another origin", corsinspect.Call{Origin: "https://evil.example", Target: account, Method: "GET"}, corsbrowser.CheckOriginMissing, "", []string{"GET"}},
		{"the server's own page", corsinspect.Call{Origin: api, Target: account, Method: "POST", Header: http.Header{"X-Any": {"1"}}}, "", "x-meta x-secret", []string{"POST X-Any: 1"}},
		{"a method of a path", corsinspect.Call{Origin: page, Target: "/files/a", Method: "PATCH"}, "", "x-meta", []string{"OPTIONS", "PATCH"}},
		{"a method in lower case that browsers do not normalize", corsinspect.Call{Origin: page, Target: "/files/a", Method: "patch"}, corsbrowser.CheckMethods, "", []string{"OPTIONS"}},
		{"a method in lower case that browsers normalize", corsinspect.Call{Origin: page, Target: "/files/a", Method: "get"}, "", "x-meta", []string{"GET"}},
		{"a forbidden method", corsinspect.Call{Origin: page, Target: "/files/a", Method: "trace"}, corsbrowser.CheckForbiddenMethod, "", nil},
		{"an http server of an https page", corsinspect.Call{Origin: page, Server: "http://api.example.com", Target: "/files/a", Method: "GET"}, corsbrowser.CheckMixedContent, "", nil},
		{"an http server on loopback", corsinspect.Call{Origin: page, Server: "http://localhost:8080", Target: "/files/a", Method: "GET"}, "", "x-meta", []string{"GET"}},
		{"cookies over http", corsinspect.Call{Origin: "http://www.example.com", Server: "http://api.example.com", Target: "/files/a", Method: "GET", Credentials: true}, corsbrowser.CheckOriginMissing, "", []string{"GET Cookie: session=1"}},
		{"a field on two lines, each of them safelisted", corsinspect.Call{Origin: page, Target: "/files/a", Method: "GET", Header: http.Header{"Accept-Language": {strings.Repeat("d", 100), "e"}}}, "", "x-meta",
			[]string{"GET Accept-Language: " + strings.Repeat("d", 100) + ", e"}},
		{"a method override that is not forbidden", corsinspect.Call{Origin: page, Target: account, Method: "POST", Header: http.Header{"X-Http-Method-Override": {"PUT"}}}, "", "x-meta",
			[]string{"OPTIONS requests x-http-method-override", "POST X-Http-Method-Override: PUT"}},
		{"a forbidden method override", corsinspect.Call{Origin: page, Target: account, Method: "POST", Header: http.Header{"X-Http-Method-Override": {"trace"}}}, "", "x-meta",
			[]string{"POST drops X-Http-Method-Override"}},
		{"a forbidden name", corsinspect.Call{Origin: page, Target: "/files/a", Method: "GET", Header: http.Header{"Host": {"x"}}}, "", "x-meta", []string{"GET drops Host"}},
		{"a program", corsinspect.Call{Target: "/files/a", Method: "TRACE", Header: http.Header{"Host": {"x"}, "X-A": {"1", "2"}}, Credentials: true}, "", "set-cookie x-meta x-secret", []string{"TRACE Cookie: session=1 Host: x X-A: 1|2"}},
	} {
		if c.call.Server == "" {
			c.call.Server = api
		}
		c.call.Response = http.Header{"X-Meta": {"m"}, "X-Secret": {"s"}, "Set-Cookie": {"a=b"}}
		trial, err := corsinspect.Try(plan, c.call)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, o := range trial.Outcomes {
			var check corsbrowser.Check
			if o.Blocked != nil {
				check = o.Blocked.Check
			}
			if reads := strings.Join(lowerNames(o.Readable), " "); check != c.check || reads != c.reads {
				t.Errorf("%s in %s: check %q, readable %s, want %q and %s", c.name, o.Engine, check, reads, c.check, c.reads)
			}
			if sends := sentIn(o); !slices.Equal(sends, c.sends) {
				t.Errorf("%s in %s: the requests are %q, want %q", c.name, o.Engine, sends, c.sends)
			}
		}
		if n := len(trial.Outcomes); c.call.Origin != "" && n != 4 || c.call.Origin == "" && n != 1 {
			t.Errorf("%s: %d outcomes", c.name, n)
		}
	}
}

// sentIn returns a line for each request of an outcome: the method, the requested headers of a
// preflight, and the header fields that the tests set.
func sentIn(o corsinspect.Outcome) (lines []string) {
	for _, e := range o.Exchanges {
		line := e.Request.Method
		if requested := e.Request.Header.Get("Access-Control-Request-Headers"); requested != "" {
			line += " requests " + requested
		}
		for _, name := range []string{"Accept-Language", "Cookie", "Host", "X-A", "X-Any", "X-Http-Method-Override"} {
			if values := e.Request.Header[name]; len(values) > 0 {
				line += " " + name + ": " + strings.Join(values, "|")
			}
		}
		for name := range o.Dropped {
			line += " drops " + name
		}
		lines = append(lines, line)
	}
	return lines
}

func lowerNames(header http.Header) (names []string) {
	for name := range header {
		names = append(names, strings.ToLower(name))
	}
	slices.Sort(names)
	return names
}

// TestTryFindsTheRule: Try finds the rule by the method as the browser normalizes it, and by
// the scheme of the server.
func TestTryFindsTheRule(t *testing.T) {
	t.Parallel()
	plan := compilePolicy(t, tryPolicy)
	for _, c := range []struct {
		call   corsinspect.Call
		rule   string
		reason corsrpc.Reason
	}{
		{corsinspect.Call{Origin: page, Target: "/other.v1.S/M", Method: "post"}, "other.v1.S.M", corsrpc.ReasonOriginAllowed},
		{corsinspect.Call{Target: "/other.v1.S/M", Method: "post"}, "", corsrpc.ReasonNotGoverned},
		{corsinspect.Call{Target: "/other.v1.S/M", Method: "POST", Header: http.Header{"Origin": {"http://api.example.com"}}}, "other.v1.S.M", corsrpc.ReasonOriginNotAllowed},
		{corsinspect.Call{Server: "http://api.example.com", Target: "/other.v1.S/M", Method: "POST", Header: http.Header{"Origin": {"http://api.example.com"}}}, "other.v1.S.M", corsrpc.ReasonSameOrigin},
	} {
		if c.call.Server == "" {
			c.call.Server = api
		}
		trial, err := corsinspect.Try(plan, c.call)
		if err != nil {
			t.Fatal(err)
		}
		if reason := trial.Outcomes[0].Exchanges[0].Decision.Reason(); trial.Rule.Name != c.rule || reason != c.reason {
			t.Errorf("%+v: rule %q, reason %s", c.call, trial.Rule.Name, reason)
		}
	}
}

// TestTryExplains: each exchange has the steps of its decision, and the remedy.
func TestTryExplains(t *testing.T) {
	t.Parallel()
	plan := compilePolicy(t, tryPolicy)
	trial, err := corsinspect.Try(plan, corsinspect.Call{Origin: page, Server: api, Target: listRPC, Method: "POST", Header: http.Header{"X-Tenant": {"7"}}, Engines: []corsbrowser.Engine{corsbrowser.Firefox}})
	if err != nil {
		t.Fatal(err)
	}
	if len(trial.Outcomes) != 1 || trial.Outcomes[0].Engine != corsbrowser.Firefox || len(trial.Outcomes[0].Exchanges) != 1 || trial.Rule.Name != "acme.catalog.v1.CatalogService.List" {
		t.Fatalf("%+v", trial)
	}
	e := trial.Outcomes[0].Exchanges[0]
	want := plan.Explain(e.Request)
	if !e.Preflight || e.Status != http.StatusNoContent || e.Answer.Get("Access-Control-Allow-Origin") != page || !slices.Equal(questions(e.Steps), questions(want)) ||
		e.Decision.Reason() != corsrpc.ReasonHeadersNotGranted || e.Decision.Remedy() != "write allow_headers: [x-tenant] in a rule with selector acme.catalog.v1.CatalogService.List" ||
		!strings.HasPrefix(e.Curl, "curl -i -g --path-as-is -X OPTIONS "+api+listRPC+" ") {
		t.Errorf("%+v", e)
	}
}

// TestTryReadsNamesInAnyCase: the letter case of a program's header names does not matter.
func TestTryReadsNamesInAnyCase(t *testing.T) {
	t.Parallel()
	trial, err := corsinspect.Try(compilePolicy(t, tryPolicy), corsinspect.Call{Server: api, Target: listRPC, Method: "POST", Header: http.Header{"origin": {"https://evil.example"}}})
	if err != nil {
		t.Fatal(err)
	}
	if e := trial.Outcomes[0].Exchanges[0]; e.Decision.Reason() != corsrpc.ReasonOriginNotAllowed || e.Status != http.StatusForbidden {
		t.Errorf("%d %s", e.Status, e.Decision.Reason())
	}
}

func questions(steps []corsrpc.Step) (all []string) {
	for _, s := range steps {
		all = append(all, s.Question+s.Found+s.From.String())
	}
	return all
}

// TestTryFails: Try fails with one prefix for a call that is not valid.
func TestTryFails(t *testing.T) {
	t.Parallel()
	plan := compilePolicy(t, tryPolicy)
	for name, change := range map[string]func(*corsinspect.Call){
		"an origin":         func(c *corsinspect.Call) { c.Origin = "app.example.com" },
		"a server":          func(c *corsinspect.Call) { c.Server = "api.example.com" },
		"a path":            func(c *corsinspect.Call) { c.Target = "/%" },
		"a method":          func(c *corsinspect.Call) { c.Method = "" },
		"a field's name":    func(c *corsinspect.Call) { c.Header = http.Header{"X A": {"1"}} },
		"a field's value":   func(c *corsinspect.Call) { c.Header = http.Header{"X-A": {"1\n2"}} },
		"a handler's field": func(c *corsinspect.Call) { c.Response = http.Header{"X-A": {"1\x00"}} },
	} {
		call := corsinspect.Call{Origin: page, Server: api, Target: listRPC, Method: "POST"}
		if _, err := corsinspect.Try(plan, call); err != nil {
			t.Fatal(err)
		}
		change(&call)
		if trial, err := corsinspect.Try(plan, call); trial != nil || err == nil || !strings.HasPrefix(err.Error(), "corsinspect: ") || strings.Contains(err.Error(), "corsbrowser: ") {
			t.Errorf("%s: %v %v", name, trial, err)
		}
	}
	if _, err := corsinspect.Try(nil, corsinspect.Call{Server: api, Target: listRPC, Method: "POST"}); err == nil {
		t.Error("no error for a nil plan")
	}
}

// TestTryIsSilent: a trial uses the layer's plan and origin sources, and is not counted.
func TestTryIsSilent(t *testing.T) {
	t.Parallel()
	layer, h := newLayer(t, "defaults: {allow_origins_from: [tenants]}\nshadow: {defaults: {allow_origins: [https://new.example.com]}}",
		corsrpc.WithOriginSource("tenants", rowsOf("https://shop.example.com"), corsrpc.SourceWait(1e9)))
	for origin, readable := range map[string]bool{"https://shop.example.com": true, "https://evil.example": false} {
		form := url.Values{"origin": {origin}, "server": {api}, "target": {listRPC}, "method": {"POST"}}
		in := inspectJSON(t, h, form)
		if len(in.Trial.Outcomes) != 1 || in.Trial.Outcomes[0].Readable != readable {
			t.Errorf("%s: %+v", origin, in.Trial)
		}
	}
	if in := inspectJSON(t, h, nil); len(in.Refusals)+len(in.Differences) > 0 {
		t.Errorf("the trial was counted: %+v %+v", in.Refusals, in.Differences)
	}
	refuse(layer.Wrap(nothing), listRPC, "https://evil.example")
	if in := inspectJSON(t, h, nil); len(in.Refusals) != 1 {
		t.Errorf("the request was not counted: %+v", in.Refusals)
	}
}

// TestTryIsTheBrowser: for each engine, the outcome of a trial is that of the same call with
// corsbrowser to the layer.
func TestTryIsTheBrowser(t *testing.T) {
	t.Parallel()
	const open = "Access-Control-Allow-Origin"
	readable := 0
	for _, enforcement := range []string{"", "enforcement: OBSERVE\n"} {
		layer, _ := newLayer(t, tryPolicy+enforcement)
		for _, response := range []http.Header{
			{"X-Meta": {"m"}, "X-Secret": {"s"}, "Trailer-X-Cost": {"7"}, "Content-Type": {"application/json"}},
			{open: {"*"}, "Access-Control-Allow-Methods": {"*"}, "Access-Control-Allow-Headers": {"*"}, "Access-Control-Expose-Headers": {"*"}, "X-Meta": {"m"}},
			{open: {page}, "Access-Control-Allow-Credentials": {"true"}, "Access-Control-Allow-Methods": {"PATCH PUT"}, "Access-Control-Expose-Headers": {"x-meta", "x other"}, "X-Meta": {"m"}},
		} {
			wrapped := layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { maps.Copy(w.Header(), response) }))
			for _, from := range []string{page, "https://evil.example", "null", api} {
				for _, path := range []string{getRPC, "/acme.account.v1.AccountService/Get", "/acme.catalog.v1.StockService/Get", "/acme.internal.v1.AdminService/Reset", "/files/a", "/elsewhere", "/acme.catalog.v1.CatalogService/list/"} {
					for _, method := range []string{"GET", "post", "PATCH"} {
						for _, header := range []http.Header{{}, {"Content-Type": {"application/json"}, "Cookie": {"a=b"}}, {"Authorization": {"Bearer 1"}, "X-Tenant-Id": {"7", "8"}}, {"Accept": {"text/plain", strings.Repeat("a", 128)}}} {
							for _, credentials := range []bool{false, true} {
								call := corsinspect.Call{Origin: from, Server: api, Target: path, Method: method, Header: header, Credentials: credentials, Response: response}
								trial, err := corsinspect.Try(layer.Plan(), call)
								if err != nil {
									t.Fatal(err)
								}
								for i, engine := range corsbrowser.Engines() {
									got, want := outcomeText(trial.Outcomes[i]), fetchAs(t, wrapped, engine, call)
									if got != want {
										t.Fatalf("%s%s %s from %s in %s with %v, credentials %t, answered with %v\n%s\nin the browser\n%s", enforcement, method, path, from, engine, header, credentials, response, got, want)
									}
									if trial.Outcomes[i].Blocked == nil {
										readable++
									}
								}
							}
						}
					}
				}
			}
		}
	}
	if readable < 1000 {
		t.Errorf("only %d of the responses are readable: the test compares too few", readable)
	}
}

// outcomeText formats the parts of an outcome that the test compares.
func outcomeText(o corsinspect.Outcome) string {
	text := fmt.Sprintf("it reads %v", o.Readable)
	if o.Blocked != nil {
		text = fmt.Sprintf("%+v", *o.Blocked)
	}
	for _, e := range o.Exchanges {
		text += fmt.Sprintf("\n%t %s %v is answered %d %v", e.Preflight, e.Request.Method, e.Request.Header, e.Status, e.Answer)
	}
	return text
}

// fetchAs makes the call with corsbrowser, whose jar has a cookie of the server, and returns
// the outcome as outcomeText formats it.
func fetchAs(t *testing.T, h http.Handler, engine corsbrowser.Engine, call corsinspect.Call) string {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(call.Method, call.Server+call.Target, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = call.Header.Clone()
	jar.SetCookies(r.URL, []*http.Cookie{{Name: "session", Value: "1", Path: "/", Secure: true}})
	mode := corsbrowser.Omit
	if call.Credentials {
		mode = corsbrowser.Include
	}
	browser, err := corsbrowser.New(call.Origin, corsbrowser.WithHandler(h), corsbrowser.WithEngine(engine), corsbrowser.WithCredentials(mode), corsbrowser.WithCookieJar(jar))
	if err != nil {
		t.Fatal(err)
	}
	var o corsinspect.Outcome
	response, err := browser.RoundTrip(r)
	if err == nil {
		response.Body.Close()
		o.Readable = response.Header
	} else if !errors.As(err, &o.Blocked) {
		t.Fatal(err)
	}
	for _, e := range browser.Log() {
		o.Exchanges = append(o.Exchanges, corsinspect.Exchange{Preflight: e.Preflight, Request: corsrpc.Request{Method: e.Method, Header: e.Header}, Status: e.Status, Answer: e.Answer})
	}
	return outcomeText(o)
}

// TestTryTakesAProgramsHost: a program's Host header replaces the host of the URL. Header
// fields that HTTP clients set themselves are an error.
func TestTryTakesAProgramsHost(t *testing.T) {
	t.Parallel()
	plan := compilePolicy(t, tryPolicy)
	call := corsinspect.Call{Server: api, Target: listRPC, Method: "POST", Header: http.Header{"Host": {"evil.example"}, "Origin": {"https://evil.example"}}}
	trial, err := corsinspect.Try(plan, call)
	if err != nil {
		t.Fatal(err)
	}
	if reason := trial.Outcomes[0].Exchanges[0].Decision.Reason(); reason != corsrpc.ReasonSameOrigin {
		t.Error(reason)
	}
	for _, name := range []string{"Content-Length", "transfer-encoding", "Trailer", "TE", "Expect"} {
		call.Header = http.Header{name: {"1"}}
		if _, err := corsinspect.Try(plan, call); err == nil || !strings.Contains(err.Error(), "the HTTP client sets it") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTryStatus: the script sees the status of the handler's response, and a status that a handler cannot
// send is an error.
func TestTryStatus(t *testing.T) {
	t.Parallel()
	call := corsinspect.Call{Origin: "https://app.example.com", Server: "https://api.example.com", Target: "/healthz", Method: "GET", Status: 404}
	plan := compilePolicy(t, `rules: [{path: /healthz, allow_origins: [https://app.example.com]}]`)
	trial, err := corsinspect.Try(plan, call)
	if err != nil || trial.Outcomes[0].Blocked != nil || trial.Outcomes[0].Exchanges[0].Status != 404 {
		t.Errorf("%+v %v", trial, err)
	}
	for _, status := range []int{100, 199, 600, -1} {
		call.Status = status
		if _, err := corsinspect.Try(plan, call); err == nil {
			t.Errorf("status %d is not refused", status)
		}
	}
}
