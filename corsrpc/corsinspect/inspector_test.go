package corsinspect_test

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

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
