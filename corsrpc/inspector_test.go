package corsrpc_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corstest"
)

// inspect asks an inspector as a person's browser does, or as a program for JSON.
func inspect(h http.Handler, query url.Values, accept string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/?"+query.Encode(), nil)
	r.Host = "localhost:6060"
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// inspection is of the JSON what the tests look at.
type inspection struct {
	Policy struct {
		YAML     string
		Profile  string
		Observes bool
	}
	Shadow *struct{ YAML string }
	Rules  []struct {
		Names  []string
		Values []struct{ Field, Value, From string }
	}
	Procedures            int
	RulesLeft             int `json:"rules_left"`
	Forgotten             int
	Paths                 []struct{ Names []string }
	Refusals, Differences []struct {
		Count        int
		Target, Path string
		Origins      []string
		Missing      string
		Preflight    bool
		Decision     struct{ Outcome, Reason, From string }
		Shadow       *struct{ Outcome, Reason, From string }
	}
	Sources []struct {
		Name, Loaded, Error, Sample string
		Origins, Skipped            int
		Expired                     bool
	}
	Reloads []struct{ Error string }
	Trial   struct {
		Problem, Verdict string
		Readable         bool
		Headers          []string
		Exchanges        []struct {
			Name, Body, Curl, Remedy string
			Status                   int
			Header                   []string
			Steps                    []struct{ Question, Found, From string }
		}
	}
}

// inspectJSON asks for JSON.
func inspectJSON(t *testing.T, h http.Handler, query url.Values) (in inspection) {
	t.Helper()
	w := inspect(h, query, "application/json")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s: %s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &in); err != nil {
		t.Fatal(err)
	}
	return in
}

// TestInspectorIsForItsOwnPage: no site reads it, through a name of its own, by a call,
// by a frame, by a link; and it changes nothing.
func TestInspectorIsForItsOwnPage(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, allowPage)
	h := layer.Inspector(corsrpc.WithInspectorHosts("cors.internal.example", "Other.internal.example:6060"))
	for _, c := range []struct {
		method, host string
		header       http.Header
		want         int
	}{
		{"GET", "localhost:6060", nil, 200},
		{"HEAD", "localhost:6060", nil, 200},
		{"GET", "LOCALHOST.", nil, 200},
		{"GET", "a.localhost:1", nil, 200},
		{"GET", "127.0.0.1:6060", nil, 200},
		{"GET", "10.1.2.3", nil, 200},
		{"GET", "[::1]:6060", nil, 200},
		{"GET", "[fe80::1]", nil, 200},
		{"GET", "cors.internal.example:8443", nil, 200},
		{"GET", "other.internal.example.", nil, 200},
		{"GET", "localhost:6060", http.Header{"Sec-Fetch-Site": {"same-origin"}, "Sec-Fetch-Mode": {"navigate"}}, 200},
		{"GET", "localhost:6060", http.Header{"Sec-Fetch-Site": {"none"}, "Sec-Fetch-Mode": {"navigate"}}, 200},
		{"GET", "localhost:6060", http.Header{"Origin": {"http://localhost:6060"}}, 200},

		{"GET", "evil.example", nil, 403},
		{"GET", "evil.example:6060", nil, 403},
		{"GET", "127.0.0.1.evil.example", nil, 403},
		{"GET", "localhost.evil.example", nil, 403},
		{"GET", "notlocalhost", nil, 403},
		{"GET", "internal.example", nil, 403},
		{"GET", "sub.cors.internal.example", nil, 403},
		{"GET", "", nil, 403},
		{"GET", ":6060", nil, 403},
		{"GET", ".", nil, 403},
		{"GET", "localhost:6060", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}}, 403},
		{"GET", "localhost:6060", http.Header{"Sec-Fetch-Site": {"same-site"}}, 403},
		{"GET", "localhost:6060", http.Header{"Sec-Fetch-Site": {"same-origin", "cross-site"}}, 403},
		{"GET", "localhost:6060", http.Header{"Origin": {"https://evil.example"}}, 403},
		{"GET", "localhost:6060", http.Header{"Origin": {"http://localhost:7070"}}, 403},
		{"GET", "localhost:6060", http.Header{"Origin": {"null"}}, 403},
		{"GET", "localhost:6060", http.Header{"Origin": {"http://localhost:6060", "https://evil.example"}}, 403},
		{"GET", "localhost:6060", http.Header{"Origin": {""}}, 403},
		{"OPTIONS", "localhost:6060", http.Header{"Origin": {"https://evil.example"}, "Access-Control-Request-Method": {"GET"}}, 403},
		{"POST", "localhost:6060", nil, 405},
		{"OPTIONS", "localhost:6060", nil, 405},
	} {
		r := httptest.NewRequest(c.method, "/", nil)
		r.Host = c.host
		maps.Copy(r.Header, c.header)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s, Host %q, %v: %d, want %d", c.method, c.host, c.header, w.Code, c.want)
		}
		shows := strings.Contains(w.Body.String(), "app.example.com")
		if shows != (c.want == 200) {
			t.Errorf("%s, Host %q, %v: shows the policy: %t", c.method, c.host, c.header, shows)
		}
		for name := range w.Header() {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s, Host %q: %s", c.method, c.host, name)
			}
		}
		if c.want != 200 {
			continue
		}
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		policy := w.Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("Content-Security-Policy: %s", policy)
			}
		}
	}
}

// TestInspectorShowsWhatHappened: refusals and differences in groups with their counts,
// reloads, sources, the policy and where its values come from.
func TestInspectorShowsWhatHappened(t *testing.T) {
	t.Parallel()
	const text = `
defaults:
  allow_origins: [https://app.example.com, https://old.example.com]
rules:
  - selector: acme.account.v1.AccountService
    allow_origins_from: [tenants]
  - path: /files/
shadow:
  defaults:
    allow_origins: [https://app.example.com]
`
	layer, _ := newLayer(t, text, corsrpc.WithOriginSource("tenants", rowsOf("https://a.example", "*")))
	h := layer.Inspector()
	if err := layer.Refresh(t.Context(), "tenants"); err != nil {
		t.Fatal(err)
	}
	api := layer.Wrap(nothing)
	for i := range 7 {
		refuse(api, listRPC, fmt.Sprintf("https://evil%d.example", i))
		refuse(api, fmt.Sprintf("/other.v1.S/M%d", i), "https://evil.example")
	}
	api.ServeHTTP(httptest.NewRecorder(), newRequest(http.MethodOptions, listRPC, http.Header{
		"Origin": {page}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"x-tenant"},
	}))
	refuse(api, listRPC, "https://old.example.com") // granted, but not by the shadow
	if err := layer.Reload(t.Context(), compilePolicy(t, text)); err != nil {
		t.Fatal(err)
	}
	if err := layer.Reload(t.Context(), nil); err == nil {
		t.Fatal("no plan was put in force")
	}

	in := inspectJSON(t, h, nil)
	if !strings.Contains(in.Policy.YAML, "- https://old.example.com\n") || strings.Contains(in.Policy.YAML, "shadow") || in.Shadow == nil ||
		strings.Contains(in.Shadow.YAML, "old") || !strings.Contains(in.Shadow.YAML, "https://app.example.com") {
		t.Errorf("the policies:\n%s\n%+v", in.Policy.YAML, in.Shadow)
	}
	var got []string
	for _, g := range append(in.Refusals, in.Differences...) {
		shadow := ""
		if g.Shadow != nil {
			shadow = " " + g.Shadow.Reason + " " + g.Shadow.From
		}
		got = append(got, fmt.Sprintf("%d %s %q %s%s %s", g.Count, g.Decision.Reason, g.Target, g.Decision.From, shadow, g.Missing))
	}
	slices.Sort(got)
	want := []string{
		`1 HEADERS_NOT_GRANTED "acme.catalog.v1.CatalogService.List" defaults at cors.yaml:3:3 x-tenant`,
		`1 ORIGIN_ALLOWED "acme.catalog.v1.CatalogService.List" defaults.allow_origins[1] at cors.yaml:3:44 ORIGIN_NOT_ALLOWED shadow.defaults.allow_origins at cors.yaml:10:20 `,
		`7 ORIGIN_NOT_ALLOWED "" defaults.allow_origins at cors.yaml:3:18 `,
		`7 ORIGIN_NOT_ALLOWED "acme.catalog.v1.CatalogService.List" defaults.allow_origins at cors.yaml:3:18 `,
	}
	if !slices.Equal(got, want) {
		t.Errorf("groups:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, g := range in.Refusals {
		if g.Target != "" && !g.Preflight && !slices.Equal(g.Origins, []string{"https://evil2.example", "https://evil3.example", "https://evil4.example", "https://evil5.example", "https://evil6.example"}) {
			t.Errorf("the latest origins: %s", g.Origins)
		}
		if g.Target == "" && g.Path != "/other.v1.S/M6" {
			t.Errorf("the latest path: %s", g.Path)
		}
	}
	if len(in.Reloads) != 2 || in.Reloads[0].Error == "" || in.Reloads[1].Error != "" {
		t.Errorf("reloads, the latest first: %+v", in.Reloads)
	}
	if len(in.Sources) != 1 || in.Sources[0].Origins != 1 || in.Sources[0].Skipped != 1 || in.Sources[0].Sample != "*" || in.Sources[0].Loaded == "" {
		t.Errorf("sources: %+v", in.Sources)
	}
	listed := 0
	for _, r := range in.Rules {
		listed += len(r.Names)
		if slices.Contains(r.Names, "acme.account.v1.AccountService.Get") {
			if v := r.Values[0]; v.Field != "allow_origins_from" || v.Value != "tenants" || v.From != "rules[0].allow_origins_from[0] at cors.yaml:6:26" {
				t.Errorf("%+v", r.Values)
			}
		}
	}
	if listed != in.Procedures || listed != len(layer.Plan().Procedures()) || len(in.Paths) != 1 || in.Paths[0].Names[0] != "/files/" {
		t.Errorf("%d procedures of %d are listed; paths %v", listed, in.Procedures, in.Paths)
	}

	page := inspect(h, nil, "text/html,application/xhtml+xml,*/*;q=0.8")
	for _, want := range []string{"<!DOCTYPE html>", "x-tenant", "https://evil6.example", "not put in force", "acme.catalog.v1.CatalogService.List"} {
		if !strings.Contains(page.Body.String(), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page.Body.String(), "<script") || strings.Contains(page.Body.String(), "http-equiv") {
		t.Error("the page has a script")
	}
}

// TestInspectorIsBounded: what strangers send makes it remember no more than so much, and
// what was forgotten is counted.
func TestInspectorIsBounded(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, allowPage)
	h := layer.Inspector()
	api := layer.Wrap(nothing)
	for i := range 5000 {
		mark := fmt.Sprintf("mark%d%s", i, strings.Repeat("x", 150))
		refuse(api, "/"+mark+".v1.S/M", "https://"+mark+".example")
		refuse(api, "/acme.catalog.v1.CatalogService/"+mark, mark)
		api.ServeHTTP(httptest.NewRecorder(), newRequest(http.MethodOptions, "/files/"+mark, http.Header{
			"Origin": {page}, "Access-Control-Request-Method": {mark}, "Access-Control-Request-Headers": {mark},
		}))
	}
	if w := inspect(h, nil, "application/json"); w.Body.Len() > 100_000 {
		t.Errorf("%d bytes", w.Body.Len())
	}
	in := inspectJSON(t, h, nil)
	count := 0
	for _, g := range in.Refusals {
		count += g.Count
		if len(g.Origins) > 5 || len(g.Path) > 110 || len(g.Missing) > 110 {
			t.Errorf("%+v", g)
		}
	}
	if count+in.Forgotten != 15_000 || len(in.Refusals) > 10 {
		t.Errorf("%d refusals in %d groups, and %d forgotten", count, len(in.Refusals), in.Forgotten)
	}
}

// TestInspectorForgetsQuietGroups: where the policy itself has more groups than are
// kept, those that were quiet for the longest go.
func TestInspectorForgetsQuietGroups(t *testing.T) {
	t.Parallel()
	text := "defaults:\n  allow_origins: [https://app.example.com]\nrules:\n"
	for i := range 300 {
		text += fmt.Sprintf("  - path: /p%d\n", i)
	}
	layer, _ := newLayer(t, text)
	h := layer.Inspector()
	api := layer.Wrap(nothing)
	for i := range 300 {
		refuse(api, fmt.Sprintf("/p%d", i), "https://evil.example")
	}
	in := inspectJSON(t, h, nil)
	if len(in.Refusals) != 256 || in.Forgotten != 44 {
		t.Errorf("%d groups, %d forgotten", len(in.Refusals), in.Forgotten)
	}
	for _, g := range in.Refusals {
		if slices.Contains([]string{"/p0", "/p43"}, g.Target) {
			t.Errorf("%s is still there", g.Target)
		}
	}
}

// TestInspectorEscapes: what a stranger sends, or a form holds, is text on the page.
func TestInspectorEscapes(t *testing.T) {
	t.Parallel()
	const attack = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	layer, _ := newLayer(t, allowPage)
	h := layer.Inspector()
	api := layer.Wrap(nothing)
	refuse(api, listRPC, "https://"+attack)
	r := newRequest(http.MethodPost, "/", http.Header{"Origin": {"https://evil.example"}})
	r.URL.Path = "/other.v1.S/" + attack
	api.ServeHTTP(httptest.NewRecorder(), r)
	for _, query := range []url.Values{nil, {
		"origin": {attack}, "server": {"https://" + attack}, "target": {attack}, "method": {attack}, "headers": {attack + ": " + attack}, "response": {attack},
	}, {
		"origin": {attack}, "server": {"https://api.example.com"}, "target": {"/x.v1.S/" + url.PathEscape(attack)}, "method": {"POST"},
		"headers": {"X-A: " + attack}, "response": {"X-B: " + attack},
	}} {
		w := inspect(h, query, "text/html")
		if w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if body := w.Body.String(); strings.Contains(body, "<script") || strings.Contains(body, "<img") || strings.Contains(body, `""><`) {
			t.Errorf("%v: markup got through", query)
		}
	}
}

// TestTrialProblems: a form that means no request says so.
func TestTrialProblems(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, allowPage)
	h := layer.Inspector()
	good := url.Values{"origin": {page}, "server": {"https://api.example.com"}, "target": {listRPC}, "method": {"POST"}}
	for field, values := range map[string][]string{
		"server":  {"", "api.example.com", "ftp://api.example.com", "https://", "https://a b"},
		"target":  {"/%zz", "a b\x00"},
		"method":  {"", "PO ST"},
		"headers": {"bad name: 1", ": 1", "Host: x", "Cookie: a=b", "Sec-Fetch-Site: none", "Origin: https://a.example"},
	} {
		for _, value := range values {
			form := maps.Clone(good)
			form[field] = []string{value}
			if in := inspectJSON(t, h, form); in.Trial.Problem == "" || len(in.Trial.Exchanges) != 0 || in.Trial.Readable {
				t.Errorf("%s %q: %+v", field, value, in.Trial)
			}
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
		layer, _ := newLayer(t, text+enforcement)
		h := layer.Inspector()
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

// fetched is what a browser did.
type fetched struct {
	readable  []string // names of fields; nil where the call failed
	exchanges []corstest.Exchange
}

// fetchAs fetches in the browser of corstest, whose jar has a cookie of the server's.
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
	mode := corstest.Omit
	if credentials {
		mode = corstest.Include
	}
	browser := corstest.NewBrowser(from, corstest.WithHandler(api), corstest.WithCredentials(mode), corstest.WithCookieJar(jar))
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
	} else if blocked := (*corstest.BlockedError)(nil); !errors.As(err, &blocked) {
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
