package corsinspect_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
)

// TestTrialProblems: a form that means no request says so.
func TestTrialProblems(t *testing.T) {
	t.Parallel()
	_, h := newLayer(t, allowPage)
	good := url.Values{"origin": {page}, "server": {"https://api.example.com"}, "target": {listRPC}, "method": {"POST"}}
	for field, values := range map[string][]string{
		"server":  {"", "api.example.com", "ftp://api.example.com", "https://", "https://a b"},
		"target":  {"/%zz", "a b\x00"},
		"method":  {"", "PO ST"},
		"headers": {"bad name: 1", ": 1", "X-A: 1\r2", "X-A: 1\x002", "Host: x", "Cookie: a=b", "Sec-Fetch-Site: none", "Origin: https://a.example"},
	} {
		for _, value := range values {
			form := maps.Clone(good)
			form[field] = []string{value}
			if in := inspectJSON(t, h, form); in.Trial.Problem == "" || len(in.Trial.Exchanges) != 0 || in.Trial.Readable {
				t.Errorf("%s %q: %+v", field, value, in.Trial)
			}
		}
	}
	for _, method := range []string{"TRACE", "track", "CONNECT"} {
		form := maps.Clone(good)
		form["method"] = []string{method}
		if in := inspectJSON(t, h, form); in.Trial.Problem == "" {
			t.Errorf("a page's %s: %+v", method, in.Trial)
		}
		form["origin"] = nil // a program may
		if in := inspectJSON(t, h, form); in.Trial.Problem != "" || len(in.Trial.Exchanges) != 1 {
			t.Errorf("a program's %s: %+v", method, in.Trial)
		}
	}
	good["response"] = []string{"bad name: 1"}
	if in := inspectJSON(t, h, good); in.Trial.Problem == "" {
		t.Errorf("a field that the handler cannot send: %+v", in.Trial)
	}
	if in := inspectJSON(t, h, url.Values{"server": {"https://api.example.com"}}); in.Trial.Problem != "" || in.Trial.Verdict != "" {
		t.Errorf("nothing is asked: %+v", in.Trial)
	}
}

// TestTrialShowsTheRule: that of any procedure and path, those included that the page has
// no room for.
func TestTrialShowsTheRule(t *testing.T) {
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
		{"/acme.catalog.v1.CatalogService/list/", "", "", "", ""}, // read in two ways
	} {
		form := url.Values{"origin": {page}, "server": {"https://api.example.com"}, "target": {c.target}, "method": {"GET"}}
		in := inspectJSON(t, h, form)
		for _, shown := range in.Paths {
			if c.name != "" && shown.Names[0] == c.name {
				t.Errorf("%s is on the page anyway: the test shows nothing", c.name)
			}
		}
		body := inspect(h, form, "text/html").Body.String()
		if onPage := strings.Contains(body, "The rule of <code>"+c.name+"</code>"); onPage != (c.name != "") {
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
			t.Errorf("%s: the page does not say %q", c.target, c.from)
		}
	}
}

// TestTrialIsWhatTheBrowserDoes: the form's verdict, the exchanges and their header
// fields, and what the script may read are those of a browser on that page in front
// of that layer.
func TestTrialIsWhatTheBrowserDoes(t *testing.T) {
	t.Parallel()
	const text = `
defaults:
  allow_origins: [https://app.example.com]
rules:
  - selector: acme.account.v1.AccountService
    allow_credentials: true
    allow_headers: [authorization, x-tenant-*]
    hide_headers: [x-secret]
  - selector: acme.catalog.v1.StockService
    allow_origins: ["*"]
  - selector: acme.internal.v1.AdminService
    disabled: true
  - path: /files/
    expose_headers: [x-meta]
    allow_methods: [GET, PUT]
`
	const server = "https://api.example.com"
	const response = "Content-Type: application/json\nX-Meta: m\nX-Secret: s\nTrailer-X-Cost: 7"
	readable := 0
	for _, enforcement := range []string{"", "enforcement: OBSERVE\n"} {
		layer, h := newLayer(t, text+enforcement)
		api := layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for line := range strings.Lines(response) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
				w.Header().Set(name, value)
			}
		}))
		for _, from := range []string{page, "https://evil.example", "null", server} {
			for _, path := range []string{listRPC, getRPC, "/acme.account.v1.AccountService/Get", "/acme.catalog.v1.StockService/Get", "/acme.internal.v1.AdminService/Reset", "/files/a", "/elsewhere", "/other.v1.S/M", "/acme.catalog.v1.CatalogService/list/"} {
				for _, method := range []string{"GET", "POST", "PUT"} {
					for _, headers := range []string{"", "Content-Type: application/json\nConnect-Protocol-Version: 1", "Authorization: Bearer 1\nX-Tenant-Id: 7", "Accept: text/plain\nContent-Type: text/plain"} {
						for _, credentials := range []string{"", "on"} {
							name := fmt.Sprintf("%s%s %s from %s with %q %s", enforcement, method, path, from, headers, credentials)
							form := url.Values{"origin": {from}, "server": {server}, "target": {path}, "method": {method}, "headers": {headers}, "response": {response}}
							if credentials != "" {
								form.Set("credentials", credentials)
							}
							got := inspectJSON(t, h, form).Trial
							if got.Readable {
								readable++
							}
							compareTrial(t, name, got.Readable, got.Headers, got.Exchanges[0].Header, len(got.Exchanges), fetchAs(t, api, from, server+path, method, headers, credentials != ""))
							if t.Failed() {
								return
							}
						}
					}
				}
			}
		}
	}
	if readable < 100 {
		t.Errorf("only %d of the answers are readable: the test compares too little", readable)
	}
}

// TestTrialReadsAsFetchDoes: methods in any letter case, and lists that the handler writes
// itself, are to the form what they are to a browser.
func TestTrialReadsAsFetchDoes(t *testing.T) {
	t.Parallel()
	const text = `
defaults:
  allow_origins: [https://app.example.com]
rules:
  - path: /files/
    allow_methods: [GET, HEAD, PATCH]
`
	const server = "https://api.example.com"
	const open = "Access-Control-Allow-Origin: *\n"
	const granted = "Access-Control-Allow-Origin: " + page + "\nAccess-Control-Allow-Credentials: true\n"
	const stars = "Access-Control-Allow-Methods: *\nAccess-Control-Allow-Headers: *\nAccess-Control-Expose-Headers: *\n"
	verdicts := map[string]int{}
	for _, enforcement := range []string{"", "enforcement: OBSERVE\n"} {
		layer, h := newLayer(t, text+enforcement)
		for _, response := range []string{
			"",
			open + stars,
			granted + stars,
			open + stars + "Access-Control-Allow-Headers: Authorization\n",
			granted + "Access-Control-Allow-Methods: patch, PUT\nAccess-Control-Allow-Methods: DELETE\nAccess-Control-Allow-Headers: X-TENANT,, authorization\nAccess-Control-Expose-Headers: X-Meta, x-other\n",
			open + stars + "Access-Control-Allow-Methods: PATCH PUT\n",
			open + stars + "Access-Control-Allow-Headers: x tenant\n",
			open + stars + "Access-Control-Expose-Headers: x meta\n",
		} {
			response = "Content-Type: application/json\nX-Meta: m\n" + response
			api := layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for line := range strings.Lines(response) {
					name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
					w.Header().Add(name, value)
				}
			}))
			for _, path := range []string{"/files/a", "/elsewhere", listRPC} {
				for _, method := range []string{"get", "Head", "post", "pUt", "delete", "options", "patch", "PATCH", "purge"} {
					for _, headers := range []string{"", "X-Tenant: 7", "Authorization: Bearer 1"} {
						for _, credentials := range []string{"", "on"} {
							name := fmt.Sprintf("%s%s %s with %q %s, answered with %q", enforcement, method, path, headers, credentials, response)
							form := url.Values{"origin": {page}, "server": {server}, "target": {path}, "method": {method}, "headers": {headers}, "response": {response}, "credentials": {credentials}}
							got := inspectJSON(t, h, form).Trial
							verdicts[got.Verdict]++
							compareTrial(t, name, got.Readable, got.Headers, got.Exchanges[0].Header, len(got.Exchanges), fetchAs(t, api, page, server+path, method, headers, credentials != ""))
							if t.Failed() {
								return
							}
						}
					}
				}
			}
		}
	}
	const not = "the browser does not send the call, and the script gets a network error: "
	for _, verdict := range []string{
		"the script reads the answer: its status, its body, and the header fields below",
		not + "Access-Control-Allow-Methods does not list patch", not + "Access-Control-Allow-Methods is no list of methods",
		not + "Access-Control-Allow-Headers does not list authorization", not + "Access-Control-Allow-Headers is no list of header names",
	} {
		if verdicts[verdict] == 0 {
			t.Errorf("no case is answered by %q", verdict)
		}
	}
}

// fetched is what a browser did.
type fetched struct {
	readable  []string // names of fields; nil where the call failed
	exchanges []corsbrowser.Exchange
}

// fetchAs fetches in the browser of corsbrowser, whose jar has a cookie of the server's.
func fetchAs(t *testing.T, api http.Handler, from, target, method, headers string, credentials bool) (f fetched) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	jar.SetCookies(u, []*http.Cookie{{Name: "session", Value: "1", Secure: true, SameSite: http.SameSiteNoneMode}})
	mode := corsbrowser.Omit
	if credentials {
		mode = corsbrowser.Include
	}
	browser, err := corsbrowser.New(from, corsbrowser.WithHandler(api), corsbrowser.WithCredentials(mode), corsbrowser.WithCookieJar(jar))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(method, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(headers) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		r.Header.Set(name, value)
	}
	response, err := browser.RoundTrip(r)
	if err == nil {
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		f.readable = []string{}
		for name := range response.Header {
			f.readable = append(f.readable, strings.ToLower(name))
		}
		slices.Sort(f.readable)
	} else if blocked := (*corsbrowser.BlockedError)(nil); !errors.As(err, &blocked) {
		t.Fatal(err)
	}
	f.exchanges = browser.Log()
	return f
}

func compareTrial(t *testing.T, name string, readable bool, headers, first []string, exchanges int, want fetched) {
	t.Helper()
	if readable != (want.readable != nil) || readable && !slices.Equal(headers, want.readable) {
		t.Errorf("%s: the script reads %t %s; in the browser %s", name, readable, headers, want.readable)
	}
	if exchanges != len(want.exchanges) {
		t.Errorf("%s: %d exchanges, in the browser %d", name, exchanges, len(want.exchanges))
		return
	}
	var answer []string
	for field, values := range want.exchanges[0].Answer {
		for _, value := range values {
			answer = append(answer, field+": "+value)
		}
	}
	slices.Sort(answer)
	if !slices.Equal(first, answer) {
		t.Errorf("%s: the first answer has\n%s\nin the browser\n%s", name, strings.Join(first, "\n"), strings.Join(answer, "\n"))
	}
}
