package corsinspect_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
)

// sampledPolicy refuses requests for many reasons.
const sampledPolicy = `
defaults:
  allow_origins: [https://app.example.com]
rules:
  - selector: acme.account.v1.AccountService
    allow_credentials: true
  - selector: acme.internal.v1.AdminService
    disabled: true
  - path: /files/{name}
    allow_methods: [GET]
  - path: /live
    allow_headers: [x-*]
`

// query returns the values that a link fills the form with.
func query(t *testing.T, link string) url.Values {
	t.Helper()
	encoded, ok := strings.CutSuffix(link, "#try")
	if !ok || !strings.HasPrefix(encoded, "?") {
		t.Fatalf("the link is %q", link)
	}
	values, err := url.ParseQuery(encoded[1:])
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// TestRefusalsHaveARemedyAndALink checks that each refusal in the list has the remedy of its latest
// request, and a link whose form decides on that request alike.
func TestRefusalsHaveARemedyAndALink(t *testing.T) {
	t.Parallel()
	asks := func(method, headers string) http.Header {
		header := http.Header{"Origin": {page}, "Access-Control-Request-Method": {method}}
		if headers != "" {
			header.Set("Access-Control-Request-Headers", headers)
		}
		return header
	}
	from := func(origin string, more ...string) http.Header {
		header := http.Header{"Origin": {origin}, "Content-Type": {"application/json"}}
		for i := 0; i < len(more); i += 2 {
			header[more[i]] = []string{more[i+1]}
		}
		return header
	}
	for _, test := range []struct {
		reason       corsrpc.Reason
		method, path string
		header       http.Header
		remedy       string
	}{
		{corsrpc.ReasonOriginNotAllowed, "POST", listRPC, from("http://localhost:5173"), `"http://localhost:5173"`},
		{corsrpc.ReasonOriginNotAllowed, "POST", "/other.v1.S/M", from("https://evil.example"), `"https://evil.example"`},
		{corsrpc.ReasonHeadersNotGranted, "OPTIONS", listRPC, asks("POST", "content-type,x-tenant"), "allow_headers: [x-tenant]"},
		{corsrpc.ReasonMethodNotGranted, "OPTIONS", "/files/a%20b", asks("PATCH", ""), "add PATCH to rules[2].allow_methods"},
		{corsrpc.ReasonMethodNotAllowed, "POST", "/files/a", http.Header{"Origin": {page}}, "add POST to rules[2].allow_methods"},
		{corsrpc.ReasonDisabled, "POST", "/acme.internal.v1.AdminService/Reset", from(page), "disabled"},
		{corsrpc.ReasonCredentialsNotAllowed, "GET", getRPC + "?encoding=json&message=secret", http.Header{"Origin": {page}, "Cookie": {"secret=1"}}, "allow_credentials: true"},
		{corsrpc.ReasonPathNotCanonical, "POST", "/acme.account.v1.AccountService/get", from(page), ""},
		{corsrpc.ReasonOperationalNotNamed, "POST", "/grpc.health.v1.Health/Check", from(page), "grpc.health.v1.Health"},
		{corsrpc.ReasonOriginMalformed, "POST", listRPC, from("not an origin", "Authorization", "Bearer secret"), ""},
		{corsrpc.ReasonModeNotCORS, "POST", listRPC, from(page, "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Site", "cross-site"), ""},
	} {
		name := fmt.Sprint(test.reason, " ", test.method, " ", test.path)
		layer, h := newLayer(t, sampledPolicy)
		layer.Wrap(nothing).ServeHTTP(httptest.NewRecorder(), newRequest(test.method, test.path, test.header))
		in := inspectJSON(t, h, nil)
		if len(in.Refusals) != 1 || in.Refusals[0].Decision.Reason != string(test.reason) {
			t.Fatalf("%s: %+v", name, in.Refusals)
		}
		g := in.Refusals[0]
		if g.Remedy == "" || !strings.Contains(g.Remedy, test.remedy) || g.Granted {
			t.Errorf("%s: the remedy is %q, want one with %s", name, g.Remedy, test.remedy)
		}
		if strings.Contains(inspect(h, nil, "application/json").Body.String(), "secret") || strings.Contains(inspect(h, nil, "text/html").Body.String(), "secret") {
			t.Errorf("%s: a secret of the request is shown", name)
		}
		if body := html.UnescapeString(inspect(h, nil, "text/html").Body.String()); !strings.Contains(body, `<a href="`+g.Try+`">`) {
			t.Errorf("%s: the page has no link to %s", name, g.Try)
		}
		form := query(t, g.Try)
		trial := inspectJSON(t, h, form).Trial
		switch test.reason {
		case corsrpc.ReasonOriginMalformed: // the form takes none
			if trial.Problem == "" {
				t.Errorf("%s: %+v", name, trial)
			}
			continue
		case corsrpc.ReasonModeNotCORS: // the form calls in mode cors
			continue
		}
		if len(trial.Outcomes) == 0 {
			t.Errorf("%s: %s: %s", name, g.Try, trial.Problem)
			continue
		}
		exchanges := trial.Outcomes[0].Exchanges
		steps := exchanges[len(exchanges)-1].Steps
		if last := steps[len(steps)-1]; !strings.HasPrefix(last.Found, string(test.reason)+": ") {
			t.Errorf("%s: the form of %s decides %s", name, g.Try, last.Found)
		}
	}
}

// TestRefusalIsNoLongerRefused checks that the list says of a refusal that the policy in force grants it
// after a reload, and shows the remedy that is true under another policy.
func TestRefusalIsNoLongerRefused(t *testing.T) {
	t.Parallel()
	layer, h := newLayer(t, allowPage)
	refuse(layer.Wrap(nothing), listRPC, "https://new.example.com")
	for _, test := range []struct {
		policy, remedy string
		granted        bool
	}{
		{"defaults: {allow_origins: [https://app.example.com]}\nrules: [{selector: acme.catalog.v1.*, allow_origins: [https://other.example.com]}]", "rules[0].allow_origins", false},
		{"defaults: {allow_origins: [https://new.example.com]}", "", true},
	} {
		if err := layer.Reload(t.Context(), compilePolicy(t, test.policy)); err != nil {
			t.Fatal(err)
		}
		g := inspectJSON(t, h, nil).Refusals[0]
		if g.Granted != test.granted || !strings.Contains(g.Remedy, test.remedy) || test.granted && g.Remedy != "" {
			t.Errorf("%s: granted %t, and the remedy is %q", test.policy, g.Granted, g.Remedy)
		}
		if said := strings.Contains(inspect(h, nil, "text/html").Body.String(), "The policy in force no longer refuses it."); said != test.granted {
			t.Errorf("%s: the page says that it is granted: %t", test.policy, said)
		}
	}
	if layer.CheckOrigin(newRequest("GET", "/elsewhere", http.Header{"Origin": {page}, "Upgrade": {"websocket"}})) {
		t.Fatal("a handshake on a path without a rule may proceed")
	}
	if g := inspectJSON(t, h, nil).Refusals[0]; g.Remedy == "" || g.Granted {
		t.Errorf("a handshake on a path without a rule: %+v", g)
	}
}

// TestSamplesAreBounded checks that the inspector keeps a bounded part of each request.
func TestSamplesAreBounded(t *testing.T) {
	t.Parallel()
	layer, h := newLayer(t, sampledPolicy)
	long := strings.Repeat("x", 100_000)
	r := newRequest("OPTIONS", "/files/"+long, http.Header{"Origin": {page}, "Content-Type": {long}, "Access-Control-Request-Method": {"PATCH"}, "Access-Control-Request-Headers": {long, long}, "Sec-Fetch-Site": {long}})
	r.Host = long
	layer.Wrap(nothing).ServeHTTP(httptest.NewRecorder(), r)
	fetched := newRequest("GET", "/"+strings.Repeat("y", 1500), http.Header{"Origin": {page}})
	layer.Wrap(nothing).ServeHTTP(httptest.NewRecorder(), fetched)
	in := inspectJSON(t, h, nil)
	if len(in.Refusals) != 1 || len(in.Refusals[0].Try) > 6<<10 || len(in.Refusals[0].Remedy) > 3<<10 {
		t.Errorf("%d refusals; %d bytes of a link, %d of a remedy", len(in.Refusals), len(in.Refusals[0].Try), len(in.Refusals[0].Remedy))
	}
	if len(in.Ungoverned) != 1 || len(in.Ungoverned[0].Try) > 6<<10 || len(in.Ungoverned[0].Path) > 110 {
		t.Errorf("%+v", in.Ungoverned)
	}
}

// TestInspectorShowsUngoverned checks that the page and the JSON list requests that no rule governs,
// with the rule to write and a link, and count those of other origins.
func TestInspectorShowsUngoverned(t *testing.T) {
	t.Parallel()
	layer, h := newLayer(t, allowPage)
	api := layer.Wrap(nothing)
	for range 2 {
		api.ServeHTTP(httptest.NewRecorder(), newRequest("OPTIONS", "/upload", http.Header{"Origin": {page}, "Access-Control-Request-Method": {"PUT"}, "Access-Control-Request-Headers": {"x-a"}}))
		api.ServeHTTP(httptest.NewRecorder(), newRequest("GET", "/v1/items/7", http.Header{"Origin": {"https://evil.example"}}))
	}
	in := inspectJSON(t, h, nil)
	if len(in.Ungoverned) != 1 || in.Others != 2 {
		t.Fatalf("%+v, and %d others", in.Ungoverned, in.Others)
	}
	g := in.Ungoverned[0]
	const remedy = `write the rule {path: "/upload", allow_methods: [GET, HEAD, POST, PUT], allow_headers: [x-a]}`
	if g.Count != 2 || g.Method != "PUT" || !g.Preflight || g.Path != "/upload" || g.Origin != page || g.Remedy != remedy {
		t.Errorf("%+v", g)
	}
	if form := query(t, g.Try); form.Get("method") != "PUT" || form.Get("target") != "/upload" || form.Get("headers") != "x-a: 1" || form.Get("origin") != page || form.Get("server") != "https://api.example.com" {
		t.Errorf("the form is %v", form)
	}
	body := inspect(h, nil, "text/html").Body.String()
	for _, want := range []string{`id="ungoverned"`, "2 other such requests are only counted", "write the rule {path: &#34;/upload&#34;, allow_methods: [GET, HEAD, POST, PUT], allow_headers: [x-a]}"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not contain %s", want)
		}
	}
	if strings.Contains(body, "evil.example") {
		t.Error("the page shows a stranger's request")
	}
}

// TestInspectorShowsMissingCalls checks that the page and the JSON list preflights without credentials
// that no call followed.
func TestInspectorShowsMissingCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		layer, h := newLayer(t, allowPage)
		api := layer.Wrap(nothing)
		for range 3 {
			api.ServeHTTP(httptest.NewRecorder(), newRequest("OPTIONS", listRPC, http.Header{"Origin": {page}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"content-type"}}))
			time.Sleep(11 * time.Second)
			synctest.Wait()
		}
		in := inspectJSON(t, h, nil)
		if len(in.Missing) != 1 {
			t.Fatalf("%+v", in.Missing)
		}
		if g := in.Missing[0]; g.Count != 3 || g.Origin != page || g.Path != listRPC || g.Method != "POST" || g.From != "defaults.allow_origins[0] at cors.yaml:3:19" || !strings.Contains(g.Remedy, "write allow_credentials: true in") {
			t.Errorf("%+v", g)
		}
		if body := inspect(h, nil, "text/html").Body.String(); !strings.Contains(body, "They may be waiting for allow_credentials") || !strings.Contains(body, "write allow_credentials: true in") {
			t.Error("the page does not show the call")
		}
	})
}

// TestInspectorForgetsQuietPages checks that the inspector keeps at most 256 groups of requests that no
// rule governs, the latest ones.
func TestInspectorForgetsQuietPages(t *testing.T) {
	t.Parallel()
	layer, h := newLayer(t, allowPage)
	api := layer.Wrap(nothing)
	for i := range 300 {
		if i%100 == 0 { // the layer reports 100 paths of each policy
			if err := layer.Reload(t.Context(), compilePolicy(t, allowPage)); err != nil {
				t.Fatal(err)
			}
		}
		api.ServeHTTP(httptest.NewRecorder(), newRequest("GET", fmt.Sprintf("/p%d", i), http.Header{"Origin": {page}}))
	}
	in := inspectJSON(t, h, nil)
	if len(in.Ungoverned) != 256 || in.Forgotten != 44 || in.Ungoverned[0].Path != "/p299" || in.Ungoverned[255].Path != "/p44" {
		t.Errorf("%d groups, %d forgotten", len(in.Ungoverned), in.Forgotten)
	}
}

// TestFormsFieldsAreBounded checks that a form with more than 500 header fields, or more than 64 KiB, has
// a problem, and that the inspector and Try do little work for it.
func TestFormsFieldsAreBounded(t *testing.T) {
	layer, h := newLayer(t, allowPage)
	form := func(field string, lines int, line string) url.Values {
		return url.Values{"origin": {page}, "server": {"https://api.example.com"}, "target": {listRPC}, "method": {"POST"}, field: {strings.Repeat(line+"\n", lines)}}
	}
	work := func(values url.Values) float64 {
		return testing.AllocsPerRun(1, func() { inspect(h, values, "application/json") })
	}
	for _, field := range []string{"headers", "response"} {
		if in := inspectJSON(t, h, form(field, 500, "a")); in.Trial.Problem != "" || len(in.Trial.Outcomes) == 0 {
			t.Errorf("%s: 500 lines: %s", field, in.Trial.Problem)
		}
		for _, line := range []string{"a", "accept: 1", ":"} {
			in := inspectJSON(t, h, form(field, 501, line))
			if in.Trial.Problem == "" || line != ":" && !strings.Contains(in.Trial.Problem, "more than 500 header fields") || len(in.Trial.Outcomes) != 0 {
				t.Errorf("%s: 501 lines of %s: %s", field, line, in.Trial.Problem)
			}
		}
		numbered := func(lines int) url.Values {
			var b strings.Builder
			for i := range lines {
				fmt.Fprintf(&b, "x%d\n", i)
			}
			return form(field, 1, b.String())
		}
		if few, many := work(numbered(501)), work(numbered(7000)); many > few+100 {
			t.Errorf("%s: %v allocations for a form of 501 lines, %v for one of 7,000", field, few, many)
		}
	}

	for name, header := range map[string]http.Header{
		"lines of a field": {"X-A": make([]string, 10_000)},
		"fields":           {},
		"bytes":            {"X-A": {strings.Repeat("a", 64<<10)}},
	} {
		if name == "fields" {
			for i := range 5000 {
				header[fmt.Sprintf("X-%d", i)] = []string{"1"}
			}
		}
		for _, call := range []corsinspect.Call{{Header: header}, {Response: header}} {
			call.Origin, call.Server, call.Target, call.Method = page, "https://api.example.com", listRPC, "POST"
			want := "more than 500 header fields"
			if name == "bytes" {
				want = "more than 64 KiB"
			}
			var err error
			if n := testing.AllocsPerRun(1, func() { _, err = corsinspect.Try(layer.Plan(), call) }); err == nil || !strings.Contains(err.Error(), want) || n > 100 {
				t.Errorf("%s: %v allocations, %v", name, n, err)
			}
		}
	}
}
