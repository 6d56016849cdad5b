package corsinspect_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestFormProblems: a form that does not describe a valid call has a problem and no outcomes.
func TestFormProblems(t *testing.T) {
	t.Parallel()
	_, h := newLayer(t, allowPage)
	good := url.Values{"origin": {page}, "server": {"https://api.example.com"}, "target": {listRPC}, "method": {"POST"}}
	for field, values := range map[string][]string{
		"origin":   {"app.example.com", "https://app.example.com/", "https://APP.example.com", "https://app.example.com:443", "https://", "a b"},
		"server":   {"", "api.example.com", "ftp://api.example.com", "https://", "https://a b"},
		"target":   {"/%zz", "a b\x00"},
		"method":   {"", "PO ST"},
		"headers":  {"bad name: 1", ": 1", "X-A: 1\r2", "X-A: 1\x002"},
		"response": {"bad name: 1", "X-A: 1\x002"},
	} {
		for _, value := range values {
			form := maps.Clone(good)
			form[field] = []string{value}
			if in := inspectJSON(t, h, form); in.Trial.Problem == "" || len(in.Trial.Outcomes) != 0 {
				t.Errorf("%s %q: %+v", field, value, in.Trial)
			}
		}
	}
	if in := inspectJSON(t, h, url.Values{"server": {"https://api.example.com"}}); in.Trial.Problem != "" || len(in.Trial.Outcomes) != 0 {
		t.Errorf("a form without a target: %+v", in.Trial)
	}
}

// TestFormShowsTheRule: the form shows the rule of any procedure and path, also of those that
// the page leaves out.
func TestFormShowsTheRule(t *testing.T) {
	t.Parallel()
	text := "defaults:\n  allow_origins: [https://app.example.com]\nrules:\n  - selector: acme.account.v1.AccountService\n    allow_credentials: true\n"
	for i := range 300 {
		text += fmt.Sprintf("  - path: /p%03d/{id}\n    max_age: %ds\n", i, i+1)
	}
	_, h := newLayer(t, text)
	for _, c := range []struct{ target, name, field, value, from string }{
		{"acme.account.v1.AccountService.Get", "acme.account.v1.AccountService.Get", "allow_credentials", "true", "rules[0].allow_credentials at cors.yaml:5:24"},
		{listRPC, "acme.catalog.v1.CatalogService.List", "allow_credentials", "false", "built in"},
		{"/other.v1.S/M?encoding=json", "other.v1.S.M", "allow_origins", page, "defaults.allow_origins[0] at cors.yaml:2:19"},
		{"/p299/7?a=b", "/p299/{id}", "max_age", "300s", "rules[300].max_age at cors.yaml:605:14"},
		{"/elsewhere", "", "", "", ""},
		{"/acme.catalog.v1.CatalogService/list/", "", "", "", ""}, // the path has two readings
	} {
		form := url.Values{"origin": {page}, "server": {"https://api.example.com"}, "target": {c.target}, "method": {"GET"}}
		in := inspectJSON(t, h, form)
		for _, shown := range in.Paths {
			if c.name != "" && shown.Names[0] == c.name {
				t.Errorf("the page lists %s, so the test proves nothing", c.name)
			}
		}
		body := inspect(h, form, "text/html").Body.String()
		if onPage := strings.Contains(body, "Rule of <code>"+c.name+"</code>"); onPage != (c.name != "") {
			t.Errorf("%s: the page shows its rule: %t", c.target, onPage)
		}
		rule := in.Trial.Rule
		if (rule != nil) != (c.name != "") {
			t.Errorf("%s: the rule: %+v", c.target, rule)
		}
		if rule == nil || c.name == "" {
			continue
		}
		found := slices.ContainsFunc(rule.Values, func(v struct{ Field, Value, From string }) bool {
			return v.Field == c.field && v.Value == c.value && v.From == c.from
		})
		if !slices.Equal(rule.Names, []string{c.name}) || !found {
			t.Errorf("%s: %+v, want %s with %s %s: %s", c.target, rule, c.name, c.field, c.value, c.from)
		}
		if !strings.Contains(body, c.from) {
			t.Errorf("%s: the page does not contain %q", c.target, c.from)
		}
	}
}

// TestFormCutsNamesOfTheNetwork: the form shortens the name of a procedure that is neither in
// the schema nor in the policy, and shows the name of a rule in full.
func TestFormCutsNamesOfTheNetwork(t *testing.T) {
	t.Parallel()
	long := "/" + strings.Repeat("x", 150) + "/{id}"
	_, h := newLayer(t, allowPage+"  - path: "+long+"\n")
	for target, want := range map[string]string{
		"/other.v1.S/" + strings.Repeat("M", 1000): "other.v1.S." + strings.Repeat("M", 89) + "...",
		strings.Replace(long, "{id}", "7", 1):      long,
		"/acme.catalog.v1.CatalogService/List":     "acme.catalog.v1.CatalogService.List",
	} {
		form := url.Values{"server": {"https://api.example.com"}, "method": {"POST"}, "target": {target}}
		if in := inspectJSON(t, h, form); in.Trial.Rule == nil || in.Trial.Rule.Names[0] != want {
			t.Errorf("%+v, want %s", in.Trial.Rule, want)
		}
	}
}

// TestFormSaysWhatBrowsersDoWithEachAnswer: the form shows what a browser does with the
// response to the preflight and to the call.
func TestFormSaysWhatBrowsersDoWithEachAnswer(t *testing.T) {
	t.Parallel()
	_, h := newLayer(t, allowPage)
	const goesOn = "the browser sends the call"
	for name, c := range map[string]struct {
		form url.Values
		want []string
	}{
		"both are good":        {url.Values{"origin": {page}, "target": {listRPC}, "headers": {"Content-Type: application/json"}}, []string{goesOn, "the script can read the response"}},
		"the preflight is not": {url.Values{"origin": {page}, "target": {listRPC}, "headers": {"X-A: 1"}}, []string{"x-a is not granted; the server needs to send Access-Control-Allow-Headers: x-a"}},
		"the call is not":      {url.Values{"origin": {page}, "target": {listRPC}, "credentials": {"on"}}, []string{"the response has no Access-Control-Allow-Origin; the server needs to send Access-Control-Allow-Origin: https://app.example.com"}},
		"there is no browser":  {url.Values{"target": {listRPC}}, []string{""}},
	} {
		c.form.Set("server", "https://api.example.com")
		c.form.Set("method", "POST")
		var got []string
		in := inspectJSON(t, h, c.form)
		for _, e := range in.Trial.Outcomes[0].Exchanges {
			got = append(got, e.Verdict)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestFormShowsEachEngine: the form shows an outcome once for all engines that have it, and
// separately for an engine that differs.
func TestFormShowsEachEngine(t *testing.T) {
	t.Parallel()
	_, h := newLayer(t, allowPage)
	const blocked = "the browser does not send the call, and the script gets a network error: "
	star := "Access-Control-Allow-Origin: *\nAccess-Control-Allow-Methods: *\nAccess-Control-Allow-Headers: *"
	for _, c := range []struct {
		name  string
		form  url.Values
		wants []string // engines, verdict, readable and dropped header fields of each outcome
	}{
		{"the same in all", url.Values{"origin": {page}, "target": {listRPC}, "headers": {"Content-Type: application/json"}, "response": {"X-Meta: m\nSet-Cookie: a=b"}},
			[]string{"the Fetch standard, Chromium, Firefox, WebKit: the script can read the response: its status, its body, and the header fields below: x-meta"}},
		{"a wildcard covers Authorization in engines", url.Values{"origin": {page}, "target": {"/elsewhere"}, "headers": {"Authorization: Bearer 1"}, "response": {star}},
			[]string{
				"the Fetch standard: " + blocked + "authorization is not granted; the server needs to send Access-Control-Allow-Headers: authorization",
				"Chromium, Firefox, WebKit: the script can read the response: its status, its body, and the header fields below",
			}},
		{"a field on two lines, each of them safelisted", url.Values{"origin": {page}, "target": {"/files/a"}, "method": {"GET"}, "headers": {"Accept: " + strings.Repeat("a", 100) + "\nAccept: " + strings.Repeat("b", 100)}},
			[]string{
				"the Fetch standard, Chromium, WebKit: " + blocked + "accept is not granted; the server needs to send Access-Control-Allow-Headers: accept",
				"Firefox: the script can read the response: its status, its body, and the header fields below",
			}},
		{"a User-Agent, which Chromium drops", url.Values{"origin": {page}, "target": {"/elsewhere"}, "headers": {"Content-Type: application/json\nUser-Agent: x"}, "response": {star}},
			[]string{
				"the Fetch standard, Firefox, WebKit: the script can read the response: its status, its body, and the header fields below",
				"Chromium: the script can read the response: its status, its body, and the header fields below; without user-agent",
			}},
		{"an http server of an https page", url.Values{"origin": {page}, "server": {"http://api.example.com"}, "target": {listRPC}},
			[]string{"the Fetch standard, Chromium, Firefox, WebKit: " + blocked + "an https page cannot call an http URL; the server needs to send the response over https"}},
		{"a program", url.Values{"target": {listRPC}, "response": {"X-Meta: m\nSet-Cookie: a=b"}},
			[]string{": the program can read the whole response: CORS restricts only browsers: set-cookie, x-meta"}},
	} {
		for name, value := range map[string]string{"server": "https://api.example.com", "method": "POST"} {
			if !c.form.Has(name) {
				c.form.Set(name, value)
			}
		}
		var got []string
		in := inspectJSON(t, h, c.form)
		for _, o := range in.Trial.Outcomes {
			line := strings.Join(o.Engines, ", ") + ": " + o.Verdict
			if len(o.Headers) > 0 {
				line += ": " + strings.Join(o.Headers, ", ")
			}
			if len(o.Dropped) > 0 {
				line += "; without " + strings.Join(o.Dropped, ", ")
			}
			got = append(got, line)
		}
		if !slices.Equal(got, c.wants) {
			t.Errorf("%s: %s\n%s\nwant\n%s", c.name, in.Trial.Problem, strings.Join(got, "\n"), strings.Join(c.wants, "\n"))
		}
		page := inspect(h, c.form, "text/html").Body.String()
		for _, o := range in.Trial.Outcomes {
			engines := "In " + strings.Join(o.Engines, ", ") + ":"
			if len(in.Trial.Outcomes) == 1 {
				engines = "The same in " + strings.Join(o.Engines, ", ") + ":"
			}
			if has := strings.Contains(page, engines); has != (len(o.Engines) > 0) {
				t.Errorf("%s: the page contains %q: %t", c.name, engines, has)
			}
		}
		if n := strings.Count(page, `id="verdict"`); n != 1 {
			t.Errorf("%s: %d elements have one id", c.name, n)
		}
	}
}

// TestFormSaysWhatIsDropped: the form shows the header fields that the browser drops without
// telling the script.
func TestFormSaysWhatIsDropped(t *testing.T) {
	t.Parallel()
	_, h := newLayer(t, allowPage)
	form := url.Values{"origin": {page}, "server": {"https://api.example.com"}, "target": {"/files/a"}, "method": {"GET"}, "headers": {"Host: x\nCookie: a=b\nSec-Fetch-Site: none\nAccept: text/html"}}
	in := inspectJSON(t, h, form)
	if len(in.Trial.Outcomes) != 1 || !slices.Equal(in.Trial.Outcomes[0].Dropped, []string{"cookie", "host", "sec-fetch-site"}) || !in.Trial.Outcomes[0].Readable {
		t.Errorf("%+v", in.Trial)
	}
	if page := inspect(h, form, "text/html").Body.String(); !strings.Contains(page, `<code id="dropped">cookie, host, sec-fetch-site</code>`) {
		t.Error("the page does not show the dropped fields")
	}
	form.Del("origin") // a program sends all fields
	in = inspectJSON(t, h, form)
	if len(in.Trial.Outcomes) != 1 || len(in.Trial.Outcomes[0].Dropped) != 0 || !strings.Contains(in.Trial.Outcomes[0].Exchanges[0].Curl, "Cookie: a=b") {
		t.Errorf("%+v", in.Trial)
	}
}

// TestFormIsBounded: a form of 64 KiB is answered, and a larger one gets the status 414.
func TestFormIsBounded(t *testing.T) {
	t.Parallel()
	_, h := newLayer(t, allowPage)
	form := url.Values{"origin": {page}, "server": {"https://api.example.com"}, "target": {listRPC}, "method": {"POST"}}.Encode() + "&headers=X-A:"
	for size, want := range map[int]int{64 << 10: http.StatusOK, 64<<10 + 1: http.StatusRequestURITooLong, 1 << 20: http.StatusRequestURITooLong} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = "localhost"
		r.URL.RawQuery = form + strings.Repeat("a", size-len(form))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if len(r.URL.RawQuery) != size || w.Code != want {
			t.Errorf("%d bytes: %d, want %d", len(r.URL.RawQuery), w.Code, want)
		}
		if want != http.StatusOK && (w.Body.Len() > 200 || w.Header().Get("Content-Type") != "text/plain; charset=utf-8") {
			t.Errorf("%d bytes: %s %s", size, w.Header().Get("Content-Type"), w.Body)
		}
	}
}
