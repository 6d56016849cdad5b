package corsrpc_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// preflight sends a preflight of a page to a handler and returns the response.
func preflight(h http.Handler, path, origin, method, headers string) *httptest.ResponseRecorder {
	header := http.Header{"Origin": {origin}, "Access-Control-Request-Method": {method}}
	if headers != "" {
		header.Set("Access-Control-Request-Headers", headers)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, newRequest(http.MethodOptions, path, header))
	return w
}

// fetchFrom sends a cross-origin call of a page.
func fetchFrom(h http.Handler, method, path, origin string, more http.Header) {
	header := http.Header{"Origin": {origin}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"cors"}}
	for name, lines := range more {
		header[name] = lines
	}
	h.ServeHTTP(httptest.NewRecorder(), newRequest(method, path, header))
}

// TestUngovernedIsLogged checks that preflights and calls of pages that the policy names, and of
// loopback pages, are logged with the rule to write if no rule governs them and nothing answers them.
func TestUngovernedIsLogged(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		policy string
		sent   func(h http.Handler)
		want   string // a part of the only line; empty if there is none
	}{
		{"a preflight", allowPage, func(h http.Handler) { preflight(h, "/upload", page, "PUT", "content-type,x-a") },
			`msg="corsrpc: no rule governs a preflight, so the browser will not send the call; logged once for each path" origin=https://app.example.com method=PUT path=/upload remedy="write the rule {path: \"/upload\", allow_methods: [GET, HEAD, POST, PUT], allow_headers: [x-a]}"`},
		{"a call", allowPage, func(h http.Handler) { fetchFrom(h, "GET", "/v1/items/7", page, nil) },
			`msg="corsrpc: no rule governs a cross-origin call, so its page cannot read the response; logged once for each path" origin=https://app.example.com method=GET path=/v1/items/7 remedy="write the rule {path: \"/v1/items/7\"}"`},
		{"a loopback page", allowPage, func(h http.Handler) { fetchFrom(h, "GET", "/", "http://localhost:5173", nil) }, `remedy="write the rule {path: \"/{$}\", allow_origins: [\"http://localhost:5173\"]}"`},
		{"a call with cookies", allowPage, func(h http.Handler) { fetchFrom(h, "GET", "/a", page, http.Header{"Cookie": {"a=b"}}) }, `{path: \"/a\", allow_credentials: true}`},
		{"a path with the shape of a procedure's", allowPage, func(h http.Handler) { fetchFrom(h, "GET", "/other.v1.Files/Get", page, nil) }, `{selector: other.v1.Files, accept_risks: [UNKNOWN_SELECTORS]}`},
		{"an operational service", allowPage, func(h http.Handler) { fetchFrom(h, "GET", "/grpc.channelz.v1.Channelz/GetServers", page, nil) },
			`{selector: grpc.channelz.v1.Channelz, allow_origins: [\"https://app.example.com\"], accept_risks: [UNKNOWN_SELECTORS]}`},
		{"a path below an unknown prefix", allowPage, func(h http.Handler) {
			fetchFrom(h, "POST", "/api"+listRPC, page, nil)
			preflight(h, "/api"+getRPC, page, "POST", "")
		}, `remedy="give the layer WithPathPrefix(\"/api\"), or put it inside of http.StripPrefix; for corsrpc gateway and corsrpc extproc, write --path-prefix \"/api\", or path_prefixes into the virtual host"`},
		{"a path below an unknown prefix, of a service that a rule names", "defaults: {allow_origins: [https://app.example.com]}\nrules: [{selector: other.v1.Files, accept_risks: [UNKNOWN_SELECTORS]}]\n", func(h http.Handler) {
			fetchFrom(h, "POST", "/api/other.v1.Files/Put", page, nil)
			preflight(h, "/api/other.v1.Files/Get", page, "POST", "")
		}, `remedy="give the layer WithPathPrefix(\"/api\"), or put it inside of http.StripPrefix; for corsrpc gateway and corsrpc extproc, write --path-prefix \"/api\", or path_prefixes into the virtual host"`},
		{"a path that ends like a procedure's that only * covers", "defaults: {allow_origins: [https://app.example.com]}\nrules: [{selector: \"*\", accept_risks: [UNKNOWN_SELECTORS]}]\n", func(h http.Handler) {
			fetchFrom(h, "POST", "/api/other.v1.Files/Put", page, nil)
		}, `remedy="write the rule {path: \"/api/other.v1.Files/Put\"}"`},
		{"a disabled policy", "defaults: {disabled: true}\nrules: [{selector: acme.catalog.v1.CatalogService, disabled: false, allow_origins: [https://app.example.com]}]",
			func(h http.Handler) { fetchFrom(h, "GET", "/a", page, nil) }, `{path: \"/a\", disabled: false, allow_origins: [\"https://app.example.com\"]}`},
		{"a method in lower case", allowPage, func(h http.Handler) { preflight(h, "/a", page, "patch", "") }, `{path: \"/a\", allow_methods: [GET, HEAD, POST, PATCH]}; make the page write the method as PATCH`},
		{"a header that no script can send", allowPage, func(h http.Handler) { preflight(h, "/a", page, "GET", "origin,x-b") }, `{path: \"/a\", allow_headers: [x-b]}; leave origin out of the page's request`},
		{"a path with a space", allowPage, func(h http.Handler) { fetchFrom(h, "GET", "/a%20b", page, nil) }, `{path: \"/a%20b\"}`},
		{"a path with braces, which would be a wildcard", allowPage, func(h http.Handler) { fetchFrom(h, "GET", "/v1/%7Bid%7D", page, nil) }, `{path: \"/v1/%7Bid%7D\"}`},
		{"a path with braces that are not escaped", allowPage, func(h http.Handler) { fetchFrom(h, "GET", "/v1/{id...}", page, nil) }, `{path: \"/v1/%7Bid...%7D\"}`},
		{"a preflight of a client of MCP", allowPage, func(h http.Handler) {
			preflight(h, "/mcp", page, "POST", "authorization,content-type,mcp-param-region,mcp-session-id")
		}, `remedy="write the rule {path: \"/mcp\", protocols: [MCP], allow_headers: [authorization]}"`},
		{"a preflight of a client of MCP with another method", allowPage, func(h http.Handler) { preflight(h, "/mcp", page, "PUT", "mcp-session-id") },
			`{path: \"/mcp\", protocols: [MCP], allow_methods: [POST, GET, DELETE, PUT]}`},
		{"a call of a client of MCP", allowPage, func(h http.Handler) { fetchFrom(h, "POST", "/mcp", page, http.Header{"Mcp-Session-Id": {"1"}}) }, `{path: \"/mcp\", protocols: [MCP]}`},
		{"no Sec-Fetch headers", allowPage, func(h http.Handler) { refuse(h, "/a", page) }, `{path: \"/a\"}`},
		{"under OBSERVE", allowPage + "enforcement: OBSERVE\n", func(h http.Handler) { fetchFrom(h, "GET", "/a", page, nil) }, "its page cannot read the response"},

		{"a stranger", allowPage, func(h http.Handler) {
			fetchFrom(h, "GET", "/a", "https://evil.example", nil)
			preflight(h, "/a", "https://evil.example", "PUT", "")
		}, ""},
		{"the server's own page", allowPage, func(h http.Handler) {
			fetchFrom(h, "GET", "/a", page, http.Header{"Sec-Fetch-Site": {"same-origin"}})
		}, ""},
		{"the server's own page, by its Host", "defaults: {allow_origins: [https://api.example.com, https://app.example.com]}", func(h http.Handler) {
			refuse(h, "/a", "https://api.example.com")
		}, ""},
		{"the address bar", allowPage, func(h http.Handler) {
			fetchFrom(h, "GET", "/a", page, http.Header{"Sec-Fetch-Site": {"none"}})
		}, ""},
		{"no Origin", allowPage, func(h http.Handler) {
			h.ServeHTTP(httptest.NewRecorder(), newRequest("GET", "/a", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"cors"}}))
		}, ""},
		{"a form, an image and a handshake", allowPage, func(h http.Handler) {
			fetchFrom(h, "POST", "/a", page, http.Header{"Sec-Fetch-Mode": {"navigate"}})
			fetchFrom(h, "GET", "/a", page, http.Header{"Sec-Fetch-Mode": {"no-cors"}})
			fetchFrom(h, "GET", "/a", page, http.Header{"Sec-Fetch-Mode": {"websocket"}, "Upgrade": {"websocket"}})
			h.ServeHTTP(httptest.NewRecorder(), newRequest("GET", "/a", http.Header{"Origin": {page}, "Upgrade": {"websocket"}}))
		}, ""},
		{"two Origin headers", allowPage, func(h http.Handler) {
			h.ServeHTTP(httptest.NewRecorder(), newRequest("GET", "/a", http.Header{"Origin": {page, page}}))
		}, ""},
		{"everyone may call", "defaults: {allow_origins: [\"*\"]}", func(h http.Handler) { fetchFrom(h, "GET", "/a", page, nil) }, ""},
	} {
		layer, log := newLayer(t, test.policy)
		h := layer.Wrap(emptyHandler)
		for range 3 {
			test.sent(h)
		}
		lines := findingsOmitted(log.lines())
		if test.want == "" && len(lines) == 0 {
			continue
		}
		if len(lines) != 1 || test.want == "" || !strings.Contains(lines[0], test.want) {
			t.Errorf("%s: %d lines, want one with %s:\n%s", test.name, len(lines), test.want, strings.Join(lines, "\n"))
		}
	}
}

// findingsOmitted returns the lines of a log that are not about the policy's findings.
func findingsOmitted(lines []string) []string {
	return slices.DeleteFunc(lines, func(line string) bool { return line == "" || strings.Contains(line, "the policy loads with") })
}

// TestAnsweredIsNotLogged checks that a request that another CORS middleware answers is not logged, and
// that it is under OBSERVE.
func TestAnsweredIsNotLogged(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, value, key string
		answers          bool
	}{
		{"the origin, with credentials", page, "Access-Control-Allow-Origin", true},
		{"the origin", page, "Access-Control-Allow-Origin", true},
		{"everyone", "*", "Access-Control-Allow-Origin", true},
		{"in lower case", page, "access-control-allow-origin", true},
		{"another origin", "https://other.example.com", "Access-Control-Allow-Origin", false},
		{"a list", page + ", https://other.example.com", "Access-Control-Allow-Origin", false},
		{"another field", page, "Access-Control-Allow-Methods", false},
	} {
		for _, observes := range []bool{false, true} {
			policy := allowPage
			if observes {
				policy += "enforcement: OBSERVE\n"
			}
			layer, log := newLayer(t, policy)
			h := layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header()[test.key] = []string{test.value}
				w.WriteHeader(http.StatusNoContent)
			}))
			preflight(h, "/upload", page, "POST", "")
			if strings.HasSuffix(test.name, "with credentials") { // these need Access-Control-Allow-Credentials too
				fetchFrom(h, "GET", "/with-cookies", page, http.Header{"Cookie": {"a=b"}})
				if !strings.Contains(log.String(), "path=/with-cookies") || strings.Contains(log.String(), "answers it; logged once for each path\" origin=https://app.example.com method=GET path=/with-cookies") {
					t.Errorf("%s, OBSERVE %t: %s", test.name, observes, log)
				}
				continue
			}
			want := 1
			if test.answers && !observes {
				want = 0
			}
			if n := len(findingsOmitted(log.lines())); n != want {
				t.Errorf("%s, OBSERVE %t: %d lines, want %d:\n%s", test.name, observes, n, want, log)
			}
			const another = "no rule governs a cross-origin request, which the handler or another CORS middleware answers"
			if said := strings.Contains(log.String(), another); said != (test.answers && observes) {
				t.Errorf("%s, OBSERVE %t: %s", test.name, observes, log)
			}
		}
	}
}

// TestInnerLayerIsSilent checks that a layer inside another one does not report what the outer layer
// answers.
func TestInnerLayerIsSilent(t *testing.T) {
	t.Parallel()
	outer, _ := newLayer(t, "defaults: {allow_origins: [https://app.example.com]}\nrules: [{path: /a}]")
	inner, log := newLayer(t, allowPage)
	h := outer.Wrap(inner.Wrap(emptyHandler))
	fetchFrom(h, "GET", "/a", page, nil)
	if n := len(findingsOmitted(log.lines())); n != 0 {
		t.Errorf("the inner layer logs:\n%s", log)
	}
	fetchFrom(h, "GET", "/b", page, nil)
	if n := len(findingsOmitted(log.lines())); n != 1 {
		t.Errorf("no layer governs the request, and the inner layer logs:\n%s", log)
	}
}

// TestUngovernedIsBounded checks that 100 paths are logged once each, again after a reload and after an
// hour, and that other requests are counted: those of other origins, and those of further paths.
func TestUngovernedIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		events := &selective{wants: []corsrpc.EventKind{corsrpc.EventUngoverned}}
		layer, log := newLayer(t, allowPage, corsrpc.WithObserver(events))
		h := layer.Wrap(emptyHandler)
		send := func() {
			for i := range 150 {
				fetchFrom(h, "GET", fmt.Sprintf("/v1/items/%d", i), page, nil)
				fetchFrom(h, "GET", fmt.Sprintf("/invented/%d", i), "https://evil.example", nil)
			}
		}
		logged := func() (n int) {
			synctest.Wait()
			return strings.Count(log.String(), "corsrpc: no rule governs")
		}
		send()
		send()
		if n := logged(); n != 100 || strings.Contains(log.String(), "evil") || strings.Contains(log.String(), "/invented") {
			t.Errorf("%d lines of 150 paths of a page", n)
		}
		if n := layer.UngovernedOthers(); n != 2*(50+150) {
			t.Errorf("%d others are counted", n)
		}
		if n := len(events.kinds()); n != 200 {
			t.Errorf("%d events", n)
		}
		time.Sleep(time.Minute)
		if synctest.Wait(); strings.Count(log.String(), "count=400") != 1 {
			t.Errorf("the count of others is not logged:\n%s", log.lines()[len(log.lines())-1])
		}
		if err := layer.Reload(t.Context(), compilePolicy(t, allowPage)); err != nil {
			t.Fatal(err)
		}
		if send(); logged() != 200 {
			t.Errorf("%d lines after a reload", logged())
		}
		if err := layer.Reload(t.Context(), layer.Plan()); err != nil {
			t.Fatal(err)
		}
		if send(); logged() != 200 {
			t.Errorf("%d lines after a reload of the same plan", logged())
		}
		time.Sleep(time.Hour)
		if synctest.Wait(); true {
			send()
		}
		if logged() != 300 {
			t.Errorf("%d lines an hour later", logged())
		}
		time.Sleep(2 * time.Hour)
	})
}

// TestLongMethodIsCounted checks that a request whose origin, method and path have more than 2 KiB together
// is counted and not kept.
func TestLongMethodIsCounted(t *testing.T) {
	t.Parallel()
	layer, log := newLayer(t, allowPage)
	fetchFrom(layer.Wrap(emptyHandler), strings.Repeat("X", 5000), "/a", page, nil)
	if lines := findingsOmitted(log.lines()); len(lines) > 0 || layer.UngovernedOthers() != 1 {
		t.Errorf("%d requests are counted:\n%s", layer.UngovernedOthers(), log)
	}
}

// TestUngovernedIsFree checks that the layer allocates nothing for a request that no rule governs: of an
// origin that no rule names, and of a page whose path was reported or is answered.
func TestUngovernedIsFree(t *testing.T) {
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/answered" {
			w.Header()["Access-Control-Allow-Origin"] = r.Header["Origin"]
		}
	})
	layer, _ := newLayer(t, allowPage)
	h := layer.Wrap(answer)
	for _, r := range []*http.Request{
		newRequest("GET", "/a", http.Header{"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}}),
		newRequest("GET", "/a", http.Header{"Origin": {"https://evil.example"}}),
		newRequest("GET", "/a", http.Header{"Origin": {page}}),
		newRequest("GET", "/answered", http.Header{"Origin": {page}}),
		newRequest("GET", "/a", nil),
	} {
		w := discard{http.Header{}}
		if n := testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }); n > 0 {
			t.Errorf("%s from %v: %v allocations", r.URL.Path, r.Header, n)
		}
	}
}

// TestUngovernedOfNoOne checks that a layer without a log and an observer counts nothing, and that the
// zero Layer does not either.
func TestUngovernedOfNoOne(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, allowPage, quiet)
	fetchFrom(layer.Wrap(emptyHandler), "GET", "/a", "https://evil.example", nil)
	if layer.UngovernedOthers() != 0 || (&corsrpc.Layer{}).UngovernedOthers() != 0 {
		t.Error("requests are counted")
	}
}

// TestRemedyOfUngoverned checks that the rule of each remedy for a request that no rule governs loads,
// and grants that request.
func TestRemedyOfUngoverned(t *testing.T) {
	t.Parallel()
	policies := []string{
		"defaults:\n  allow_origins: [https://app.example.com]\nrules:\n  - path: /files/\n  - path: /users/{id}/photo\n",
		"defaults:\n  allow_origins: [https://app.example.com]\n  allow_credentials: true\n  allow_headers: [x-*]\n  deny_headers: [x-secret]\nrules:\n  - selector: acme.catalog.v1.*\n    allow_origins: [https://other.example.com]\n",
		"defaults:\n  disabled: true\nrules:\n  - selector: acme.catalog.v1.CatalogService\n    disabled: false\n    allow_origins: [https://app.example.com, \"https://*.example.org\"]\n",
		"defaults:\n  allow_origins: [\"*\"]\nrules:\n  - path: /named\n    allow_origins: [https://app.example.com, \"http://intra.example.com\"]\n    accept_risks: [PLAIN_HTTP]\n",
		"rules:\n  - path: /named/\n    allow_origins: [https://app.example.com]\n  - path: /a/{a}/c\n    allow_origins: [\"https://pr-*.example.com\"]\n",
		"defaults:\n  allow_origins_from: [tenants]\nrules:\n  - path: /named\n    allow_origins: [https://app.example.com]\n",
	}
	origins := []string{page, "http://localhost:5173", "https://127.0.0.1", "http://[::1]:8080", "https://a.example.org", "http://intra.example.com", "https://pr-7.example.com"}
	paths := []string{
		"/upload", "/v1/items/7", "/", "/a/", "/a/b/", "/a.b", "/grpc.health.v1.Health/Check", "/grpc.channelz.v1.Channelz/GetServers", "/other.v1.S/M", "/other.v1.S/M/", "/Greeter/Other", "/a%20b", "/a%2Fb", "/%C3%BC", "/a:b@c,d;e=f", "/a'b(c)*!$&+",
		"/a{b}", "/{id}", "/a%7Bb%7D", "/.well-known/x", "/a//b", "/a/../b", "/a/%2e%2e/b", "/A/b/c", "/x/B/c", "/UPLOAD", "/users/me", "/users/7/photos", "/named", "/named/x", "/a~b_c-d", "/" + strings.Repeat("x", 250), "/" + strings.Repeat("x", 400), "/null", "/true", "/[1]", "/a|b", "/api" + listRPC, "/acme.catalog.v1.CatalogService", listRPC + "/extra",
	}
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"}
	headers := []string{"", "content-type", "authorization,x-a", "x-secret", "accept,content-type,last-event-id,mcp-param-region,mcp-session-id", "authorization,mcp-session-id,x-secret", "connect-protocol-version,content-type", "x-grpc-web,x-user-agent,grpc-timeout", "if-none-match,range"}
	random := rand.New(rand.NewPCG(1, 2))
	granted, generic := 0, 0
	plans := map[string]*corsrpc.Plan{} // by the policy's text
	for range 6000 {
		policy := policies[random.IntN(len(policies))]
		if plans[policy] == nil {
			plans[policy] = compilePolicy(t, policy)
		}
		from, path, method := origins[random.IntN(len(origins))], paths[random.IntN(len(paths))], methods[random.IntN(len(methods))]
		header := http.Header{"Origin": {from}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"cors"}}
		sent := method
		switch random.IntN(3) {
		case 0:
			sent = "OPTIONS"
			header["Access-Control-Request-Method"] = []string{method}
			if names := headers[random.IntN(len(headers))]; names != "" {
				header["Access-Control-Request-Headers"] = []string{names}
			}
		case 1:
			header["Cookie"], header["Content-Type"] = []string{"a=b"}, []string{"application/json"}
		}
		events := &events{}
		layer, err := corsrpc.New(plans[policy], quiet, corsrpc.WithOriginSource("tenants", rowsOf("https://app.example.com")),
			corsrpc.WithObserver(&ungovernedOnly{events}))
		if err != nil {
			t.Fatal(err)
		}
		if err := layer.Refresh(t.Context(), "tenants"); err != nil {
			t.Fatal(err)
		}
		layer.Wrap(emptyHandler).ServeHTTP(httptest.NewRecorder(), newRequest(sent, path, header))
		if len(events.all) == 0 {
			continue
		}
		remedy := events.all[0].Remedy
		request := fmt.Sprintf("%s %s from %s with %v under\n%s\n%s", sent, path, from, header, policy, remedy)
		_, rule, ok := strings.Cut(remedy, "write the rule {")
		if !ok {
			if generic++; !strings.HasPrefix(remedy, "no rule can name this path") && !strings.Contains(remedy, "WithPathPrefix") {
				t.Errorf("%s", request)
			}
			continue
		}
		rule, _, _ = strings.Cut(rule, "; ")
		t.Log(request) // shown if the policy does not load
		if text := policy + "  - {" + rule + "\n"; plans[text] == nil {
			plans[text] = compilePolicy(t, text)
		}
		next := plans[policy+"  - {"+rule+"\n"]
		d := next.WithSets(map[string][]string{"tenants": {"https://app.example.com"}}).Decide(corsrpc.RequestOf(newRequest(sent, path, header)))
		if strings.Contains(remedy, "out of the page's request") {
			continue
		}
		if d.Refused() || d.Outcome() != corsrpc.OutcomeGrant && d.Outcome() != corsrpc.OutcomePreflight {
			t.Fatalf("%s: %s %s %s", request, d.Outcome(), d.Reason(), d.Missing())
		}
		granted++
	}
	t.Logf("%d granted, %d without a rule", granted, generic)
	if granted < 1000 || generic == 0 {
		t.Errorf("%d remedies were tried, and %d have no rule", granted, generic)
	}
}

// ungovernedOnly is an observer of EventUngoverned.
type ungovernedOnly struct{ *events }

func (ungovernedOnly) Enabled(kind corsrpc.EventKind) bool { return kind == corsrpc.EventUngoverned }

// TestUngovernedByPage checks that each page gets the rule that it needs, and that the events have the
// request and whether the handler answers it.
func TestUngovernedByPage(t *testing.T) {
	t.Parallel()
	o := &events{}
	layer, log := newLayer(t, allowPage+"enforcement: OBSERVE\n", corsrpc.WithObserver(&ungovernedOnly{o}))
	h := layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			w.Header().Set("Access-Control-Allow-Origin", "*")
		}
	}))
	for range 2 {
		fetchFrom(h, "GET", "/a", page, nil)
		fetchFrom(h, "GET", "/a", "http://localhost:5173", nil)
		preflight(h, "/a", page, "PUT", "")
	}
	var got []string
	for _, e := range o.all {
		got = append(got, fmt.Sprint(e.Kind, " ", e.Request.Method, " ", e.Request.Path, " ", e.Decision.Reason(), " ", e.Answered, " ", e.Remedy))
	}
	want := []string{
		`ungoverned GET /a NOT_GOVERNED false write the rule {path: "/a"}`,
		`ungoverned GET /a NOT_GOVERNED false write the rule {path: "/a", allow_origins: ["http://localhost:5173"]}`,
		`ungoverned OPTIONS /a NOT_GOVERNED true write the rule {path: "/a", allow_methods: [GET, HEAD, POST, PUT]}`,
	}
	if want = append(want, want...); !slices.Equal(got, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := len(findingsOmitted(log.lines())); n != 3 {
		t.Errorf("%d lines:\n%s", n, log)
	}
}

// TestUngovernedUpstream checks that the header of a proxied response counts as the answer.
func TestUngovernedUpstream(t *testing.T) {
	t.Parallel()
	layer, log := newLayer(t, allowPage)
	server := httptest.NewServer(layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/granted") {
			w.Header().Set("Access-Control-Allow-Origin", page)
		}
		_, _ = io.WriteString(w, strings.Repeat("x", 100_000))
	})))
	defer server.Close()
	for _, path := range []string{"/granted", "/not"} {
		r, err := http.NewRequest(http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", page)
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	server.Close()
	if lines := log.lines(); len(lines) != 1 || !strings.Contains(lines[0], "path=/not") {
		t.Errorf("%s", log)
	}
}
