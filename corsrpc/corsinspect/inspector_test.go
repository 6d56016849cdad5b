package corsinspect_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
)

// inspect sends a GET with an Accept header to an inspector, on localhost.
func inspect(h http.Handler, query url.Values, accept string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/?"+query.Encode(), nil)
	r.Host = "localhost:6060"
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// inspection holds the fields of the JSON that the tests check.
type inspection struct {
	Policy struct {
		YAML     string
		Digest   string
		Profile  string
		Observes bool
	}
	Shadow                *struct{ YAML, Digest string }
	Rules, Paths          []ruleOf
	Procedures            int
	RulesLeft             int `json:"rules_left"`
	PathsLeft             int `json:"paths_left"`
	Forgotten             int
	Refusals, Differences []struct {
		Count        int
		Target, Path string
		Origins      []string
		Missing      string
		Preflight    bool
		Decision     decisionOf
		Shadow       *decisionOf
		Remedy, Try  string
		Granted      bool
	}
	Ungoverned []pageOf
	Missing    []pageOf `json:"missing_calls"`
	Others     int      `json:"ungoverned_others"`
	Sources    []struct {
		Name, Loaded, Error, Sample string
		Origins, Skipped            int
		Expired                     bool
	}
	Reloads []struct{ Error, Digest string }
	Trial   struct {
		Problem  string
		Rule     *ruleOf
		Outcomes []struct {
			Engines, Headers, Dropped []string
			Verdict                   string
			Readable                  bool
			Exchanges                 []struct {
				Name, Body, Curl, Remedy string
				Verdict                  string
				Status                   int
				Header                   []string
				Steps                    []struct{ Code, Question, Found, From string }
			}
		}
	}
}

type pageOf struct {
	Count                                   int
	Method, Path, Origin, From, Remedy, Try string
	Preflight, Answered                     bool
}

type decisionOf struct {
	Outcome, Reason, From string
	Enforced              bool
}

type ruleOf struct {
	Names       []string
	NamesLeft   int `json:"names_left"`
	Values      []struct{ Field, Value, From string }
	OriginsLeft int `json:"origins_left"`
}

// TestInspectorAnswersAsAsked: the inspector answers with JSON if the Accept header contains
// application/json and not text/html, in any letter case.
func TestInspectorAnswersAsAsked(t *testing.T) {
	t.Parallel()
	_, h := newLayer(t, allowPage)
	const page, data = "text/html; charset=utf-8", "application/json"
	for accept, want := range map[string]string{
		"": page, "*/*": page, "text/html,application/json;q=0.9": page, "application/json": data, "Application/JSON; charset=utf-8": data, "application/json, TEXT/HTML": page,
	} {
		if got := inspect(h, nil, accept).Header().Get("Content-Type"); got != want {
			t.Errorf("%q: %q, want %q", accept, got, want)
		}
	}
}

// inspectJSON returns the JSON of an inspector.
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

// TestInspectorIsForItsOwnPage: the inspector refuses unknown hosts, requests of other
// origins, and methods other than GET and HEAD.
func TestInspectorIsForItsOwnPage(t *testing.T) {
	t.Parallel()
	_, h := layerOf(t, compilePolicy(t, allowPage), []corsinspect.Option{corsinspect.WithHosts("cors.internal.example", "Other.internal.example:6060")})
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
		// Browsers send no Sec-Fetch-Site over plain http to hosts other than loopback.
		{"GET", "10.1.2.3:6060", http.Header{"Referer": {"http://10.1.2.3:6060/?target=a"}}, 200},
		{"GET", "10.1.2.3", http.Header{"Referer": {"http://10.1.2.3/"}}, 200},
		{"GET", "10.1.2.3", http.Header{"Referer": {"https://10.1.2.3/"}}, 200}, // a proxy may have terminated TLS
		{"GET", "10.1.2.3", http.Header{"Referer": {""}}, 200},
		{"GET", "[fe80::1]:6060", http.Header{"Referer": {"http://[fe80::1]:6060/"}}, 200},
		{"GET", "cors.internal.example", http.Header{"Referer": {"http://cors.internal.example/"}}, 200},
		{"GET", "localhost:6060", http.Header{"Sec-Fetch-Site": {"none"}, "Referer": {"http://evil.example/"}}, 200}, // Sec-Fetch-Site takes precedence over Referer
		{"GET", "10.1.2.3", http.Header{"Origin": {"http://10.1.2.3"}, "Referer": {"http://10.1.2.3/"}}, 200},

		{"GET", "10.1.2.3", http.Header{"Referer": {"http://evil.example/"}}, 403},
		{"GET", "10.1.2.3", http.Header{"Referer": {"http://evil.example/?http://10.1.2.3/"}}, 403},
		{"GET", "10.1.2.3", http.Header{"Referer": {"http://10.1.2.3@evil.example/"}}, 403},
		{"GET", "10.1.2.3", http.Header{"Referer": {"http://10.1.2.3:8080/"}}, 403},
		{"GET", "10.1.2.3", http.Header{"Referer": {"http://10.1.2.3.evil.example/"}}, 403},
		{"GET", "10.1.2.3", http.Header{"Referer": {"about:blank"}}, 403},
		{"GET", "10.1.2.3", http.Header{"Referer": {"://"}}, 403},
		{"GET", "10.1.2.3", http.Header{"Referer": {"http://10.1.2.3/", "http://evil.example/"}}, 403},
		{"HEAD", "10.1.2.3", http.Header{"Referer": {"http://evil.example/"}}, 403},

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
		if allow := w.Header().Get("Allow"); (allow == "GET, HEAD") != (c.want == 405) {
			t.Errorf("%s, Host %q, %v: Allow: %q", c.method, c.host, c.header, allow)
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

// TestInspectorHasOneLayer: an inspector without a layer answers 503 with the remedy, and a
// second layer is an error.
func TestInspectorHasOneLayer(t *testing.T) {
	t.Parallel()
	inspector, err := corsinspect.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, accept := range []string{"text/html", "application/json"} {
		if w := inspect(inspector, nil, accept); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "corsrpc.WithObserver(inspector)") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Host = "evil.example"
	w := httptest.NewRecorder()
	if inspector.ServeHTTP(w, r); w.Code != http.StatusForbidden {
		t.Errorf("a request under another host gets %d before the inspector has a layer", w.Code)
	}
	for i, want := range []bool{true, false} {
		layer, err := corsrpc.New(compilePolicy(t, allowPage), quiet, corsrpc.WithObserver(inspector))
		if (err == nil) != want || (layer != nil) != want {
			t.Errorf("layer %d: %v", i, err)
		}
	}
	inspectJSON(t, inspector, nil)
	twice, err := corsinspect.New()
	if err != nil {
		t.Fatal(err)
	}
	for name, opts := range map[string][]corsrpc.LayerOption{
		"passed twice":     {corsrpc.WithObserver(twice), corsrpc.WithObserver(twice)},
		"made without New": {corsrpc.WithObserver(&corsinspect.Inspector{})},
	} {
		if _, err := corsrpc.New(compilePolicy(t, allowPage), append(opts, quiet)...); err == nil {
			t.Errorf("no error for an inspector %s", name)
		}
	}
}

// TestOptions: the error of New lists every option that is not valid.
func TestOptions(t *testing.T) {
	t.Parallel()
	i, err := corsinspect.New(nil, corsinspect.WithHosts("*", "good.example", "a b"), corsinspect.WithHosts("c d"))
	if i != nil || err == nil {
		t.Fatal(i, err)
	}
	var wrong *corsrpc.OptionError
	if !errors.As(err, &wrong) {
		t.Errorf("%T", err)
	}
	for _, want := range []string{"the option is nil", `"*" is not`, `"a b" is not`, `"c d" is not`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not contain %s: %v", want, err)
		}
	}
}

// TestInspectorLeavesPassingCallsAlone: the inspector is not notified of events that it does
// not show.
func TestInspectorLeavesPassingCallsAlone(t *testing.T) {
	t.Parallel()
	inspector, err := corsinspect.New()
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[corsrpc.EventKind]bool{
		corsrpc.EventDecision: false, corsrpc.EventRefresh: false, corsrpc.EventRefusal: true, corsrpc.EventShadow: true, corsrpc.EventReload: true,
		corsrpc.EventUngoverned: true, corsrpc.EventCallMissing: true, 200: false,
	} {
		if inspector.Enabled(kind) != want {
			t.Errorf("Enabled(%s) is %t", kind, !want)
		}
	}
}

// TestInspectorHosts: WithHosts accepts a host name, host:port or a URL, and New fails for
// other texts.
func TestInspectorHosts(t *testing.T) {
	t.Parallel()
	for given, matches := range map[string]string{
		"cors.internal.example":                        "cors.internal.example",
		"CORS.internal.example.":                       "cors.internal.example",
		"cors.internal.example:6060":                   "cors.internal.example",
		"cors.internal.example.:6060":                  "cors.internal.example",
		"https://cors.internal.example":                "cors.internal.example",
		"http://Cors.internal.example.:6060/a?b=c://d": "cors.internal.example",
		"https://cors.internal.example?a":              "cors.internal.example",
		"cors_admin":                                   "cors_admin",
		"xn--bcher-kva.example":                        "xn--bcher-kva.example",

		"":                             "",
		".":                            "",
		":6060":                        "",
		"https://":                     "",
		"https:///cors":                "",
		"*":                            "",
		"*.internal.example":           "",
		"cors.internal.example..":      "",
		"cors..internal.example":       "",
		"cors.internal.example:http":   "",
		"cors.internal.example/cors":   "",
		"me@cors.internal.example":     "",
		"cors.internal.example, other": "",
		"bücher.example":               "",
	} {
		if _, err := corsinspect.New(corsinspect.WithHosts("good.example", given)); (err != nil) != (matches == "") || err != nil && !strings.Contains(err.Error(), "is not a host name") {
			t.Errorf("%q: %v", given, err)
		}
		if matches == "" {
			continue
		}
		_, h := layerOf(t, compilePolicy(t, allowPage), []corsinspect.Option{corsinspect.WithHosts(given)})
		for _, host := range []string{"cors.internal.example", "cors_admin", "xn--bcher-kva.example", "internal.example", "a.internal.example", "bücher.example", ""} {
			for _, spelled := range []string{host, strings.ToUpper(host), host + ".", host + ":6060", host + ".:6060"} {
				r := httptest.NewRequest(http.MethodGet, "/", nil)
				r.Host = spelled
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if answers := w.Code == http.StatusOK; answers != (host == matches) {
					t.Errorf("%q: Host %q: %d", given, spelled, w.Code)
				}
			}
		}
	}
}

// TestInspectorShowsWhatHappened: the inspector shows the policies, groups of refusals and of
// differences, reloads, origin sources, and the rules with the places of their values.
func TestInspectorShowsWhatHappened(t *testing.T) {
	t.Parallel()
	layer, h := newBusyLayer(t)
	in := inspectJSON(t, h, nil)
	digest, shadowDigest := layer.Plan().Digest(), layer.Plan().Shadow().Digest()

	t.Run("policies", func(t *testing.T) {
		if !strings.Contains(in.Policy.YAML, "- https://old.example.com\n") || strings.Contains(in.Policy.YAML, "shadow") || in.Policy.Digest != digest {
			t.Errorf("the policy has the digest %q, want %q:\n%s", in.Policy.Digest, digest, in.Policy.YAML)
		}
		if in.Shadow == nil || strings.Contains(in.Shadow.YAML, "old") || !strings.Contains(in.Shadow.YAML, "https://app.example.com") || in.Shadow.Digest != shadowDigest || shadowDigest == digest {
			t.Errorf("the shadow policy, want the digest %q: %+v", shadowDigest, in.Shadow)
		}
	})
	t.Run("groups", func(t *testing.T) {
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
	})
	t.Run("samples of groups", func(t *testing.T) {
		latest := []string{"https://evil2.example", "https://evil3.example", "https://evil4.example", "https://evil5.example", "https://evil6.example"}
		for _, g := range in.Refusals {
			if g.Target != "" && !g.Preflight && !slices.Equal(g.Origins, latest) {
				t.Errorf("the latest origins are %s, want %s", g.Origins, latest)
			}
			if g.Target == "" && g.Path != "/other.v1.S/M6" {
				t.Errorf("the latest path is %s", g.Path)
			}
		}
	})
	t.Run("reloads, the latest first", func(t *testing.T) {
		if len(in.Reloads) != 2 || in.Reloads[0].Error == "" || in.Reloads[0].Digest != "" || in.Reloads[1].Error != "" || in.Reloads[1].Digest != digest {
			t.Errorf("%+v", in.Reloads)
		}
	})
	t.Run("origin sources", func(t *testing.T) {
		if len(in.Sources) != 1 || in.Sources[0].Origins != 1 || in.Sources[0].Skipped != 1 || in.Sources[0].Sample != "*" || in.Sources[0].Loaded == "" {
			t.Errorf("%+v", in.Sources)
		}
	})
	t.Run("rules", func(t *testing.T) {
		listed := 0
		for _, r := range in.Rules {
			listed += len(r.Names)
			if slices.Contains(r.Names, "acme.account.v1.AccountService.Get") {
				if v := r.Values[0]; v.Field != "allow_origins_from" || v.Value != "tenants" || v.From != "rules[0].allow_origins_from[0] at cors.yaml:6:26" {
					t.Errorf("the values of AccountService.Get are %+v", r.Values)
				}
			}
		}
		if listed != in.Procedures || listed != len(layer.Plan().Procedures()) || len(in.Paths) != 1 || in.Paths[0].Names[0] != "/files/" {
			t.Errorf("%d of %d procedures are listed; the paths are %v", listed, in.Procedures, in.Paths)
		}
	})
	t.Run("the page", func(t *testing.T) {
		page := inspect(h, nil, "text/html,application/xhtml+xml,*/*;q=0.8").Body.String()
		for _, want := range []string{"<!DOCTYPE html>", "x-tenant", "https://evil6.example", "failed: the previous policy stays in force", "acme.catalog.v1.CatalogService.List", `<code id="digest">` + digest + "</code>"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page does not contain %q", want)
			}
		}
		if strings.Contains(page, "<script") || strings.Contains(page, "http-equiv") {
			t.Error("the page has a script or an http-equiv")
		}
	})
}

// newBusyLayer returns an inspected layer with a shadow policy and an origin source, after
// refused requests, a difference of the shadow policy, a reload and a failed reload.
func newBusyLayer(t *testing.T) (*corsrpc.Layer, *corsinspect.Inspector) {
	t.Helper()
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
	layer, h := newLayer(t, text, corsrpc.WithOriginSource("tenants", rowsOf("https://a.example", "*")))
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
	refuse(api, listRPC, "https://old.example.com") // allowed by the policy, but not by its shadow
	if err := layer.Reload(t.Context(), compilePolicy(t, text)); err != nil {
		t.Fatal(err)
	}
	if err := layer.Reload(t.Context(), nil); err == nil {
		t.Fatal("a nil plan was put in force")
	}
	return layer, h
}

// TestInspectorShowsTimingAndTracing: the page and the JSON list timing and tracing among the values of a
// rule, tracing as one value.
func TestInspectorShowsTimingAndTracing(t *testing.T) {
	t.Parallel()
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte("defaults: {allow_origins: [https://app.example.com], tracing: true}\nrules: [{path: /files/, timing: true}]"))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc))
	if err != nil {
		t.Fatal(err)
	}
	_, h := layerOf(t, plan, nil)
	var got []string
	for _, v := range inspectJSON(t, h, nil).Paths[0].Values {
		if v.Field == "timing" || v.Field == "tracing" {
			got = append(got, v.Field+" "+v.Value+" "+v.From)
		}
	}
	if want := []string{"tracing true defaults.tracing at cors.yaml:1:63", "timing true rules[0].timing at cors.yaml:2:33"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if page := inspect(h, nil, "text/html").Body.String(); !strings.Contains(page, `<td class="short" data-label="Field">timing</td><td class="value" data-label="Value">true</td>`) {
		t.Errorf("the page does not list timing:\n%s", page)
	}
}

// TestInspectorEscapes: the page escapes texts of requests and of the form.
func TestInspectorEscapes(t *testing.T) {
	t.Parallel()
	const attack = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	layer, h := newLayer(t, allowPage)
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
			t.Errorf("%v: the page contains markup of the request", query)
		}
	}
}

// TestInspectorShowsSoMuch: the page shows a bounded part of a large policy, and the number
// of the parts that it leaves out.
func TestInspectorShowsSoMuch(t *testing.T) {
	t.Parallel()
	numbered := func(n int, line string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, line, i)
		}
		return b.String()
	}
	service := &descriptorpb.ServiceDescriptorProto{Name: proto.String("LargeService")}
	for i := range 250 {
		service.Method = append(service.Method, &descriptorpb.MethodDescriptorProto{
			Name: proto.String(fmt.Sprintf("M%03d", i)), InputType: proto.String(".large.v1.M"), OutputType: proto.String(".large.v1.M"),
		})
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("large.proto"), Package: proto.String("large.v1"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}}, Service: []*descriptorpb.ServiceDescriptorProto{service},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	files := &protoregistry.Files{}
	if err := files.RegisterFile(file); err != nil {
		t.Fatal(err)
	}
	shown := func(text string) inspection {
		doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithFiles(files), corsrpc.WithDocument(doc))
		if err != nil {
			t.Fatal(err)
		}
		_, h := layerOf(t, plan, nil)
		return inspectJSON(t, h, nil)
	}

	in := shown(allowPage)
	if len(in.Rules) != 1 || len(in.Rules[0].Names) != 200 || in.Rules[0].NamesLeft != 50 || in.Procedures != 250 {
		t.Errorf("a rule of 250 procedures: %d rules, of %d; %+v", len(in.Rules), in.Procedures, in.Rules)
	}
	in = shown("defaults:\n  allow_origins: [https://app.example.com]\nrules:\n" + numbered(250, "  - selector: large.v1.LargeService.M%03d\n    max_age: 60s\n") + numbered(230, "  - path: /p%03d\n    max_age: 60s\n"))
	if len(in.Rules) != 200 || in.RulesLeft != 50 || len(in.Paths) != 200 || in.PathsLeft != 30 {
		t.Errorf("%d rules of procedures and %d left, %d of paths and %d left", len(in.Rules), in.RulesLeft, len(in.Paths), in.PathsLeft)
	}
	in = shown("defaults:\n  allow_origins:\n" + numbered(180, "    - https://app%03d.example.com\n"))
	origins := 0
	for _, v := range in.Rules[0].Values {
		if v.Field == "allow_origins" {
			origins++
		}
	}
	if origins != 100 || in.Rules[0].OriginsLeft != 80 || !strings.Contains(in.Policy.YAML, "https://app179.example.com") {
		t.Errorf("%d origins and %d left of a rule; the policy:\n%s", origins, in.Rules[0].OriginsLeft, in.Policy.YAML)
	}
	in = shown("defaults:\n  allow_origins: [https://app.example.com]\nrules:\n" + numbered(2000, "  - path: /"+strings.Repeat("x", 150)+"%04d\n"))
	if len(in.Policy.YAML) > 200 || !strings.Contains(in.Policy.YAML, "too many to show") {
		t.Errorf("%d bytes of the policy: %.100s", len(in.Policy.YAML), in.Policy.YAML)
	}
}
