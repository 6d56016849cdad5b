package probe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

const page = "https://app.example.com"

// site is a test server that records its requests.
type site struct {
	Server
	mu   sync.Mutex
	seen []string
}

// requests returns the methods and paths of the requests.
func (s *site) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// newSite starts a server; start is a method of httptest.Server.
func newSite(t *testing.T, handler http.Handler, start func(*httptest.Server)) *site {
	t.Helper()
	s := &site{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, r.Method+" "+r.URL.Path)
		s.mu.Unlock()
		handler.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = nil
	start(server)
	t.Cleanup(server.Close)
	u, err := ParseURL(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	s.URL = u
	return s
}

// connectCall is a call of the Connect protocol, with further fields of the script.
func connectCall(target string, fields ...string) Call {
	header := http.Header{}
	fields = append(rpc.CallHeader(rpc.Connect), fields...)
	for f := range slices.Chunk(fields, 2) {
		header.Set(f[0], f[1])
	}
	return Call{Origin: page, Target: target, Method: http.MethodPost, Header: header}
}

// probeSite announces and makes a call, and checks that no more is sent than was announced.
func probeSite(t *testing.T, s *site, call Call, send bool) *Trial {
	t.Helper()
	engines := corsbrowser.Engines()
	announced, err := Announce(t.Context(), s.Server, []Call{call}, engines, send)
	if err != nil {
		t.Fatal(err)
	}
	if before := len(s.requests()); before != 0 {
		t.Fatalf("the announcement sent %d requests", before)
	}
	w := NewWire(s.Server)
	defer w.Close()
	w.SendCalls, w.MaxRequests = send, announced.Total()+MaxRedirected
	trial, err := Try(t.Context(), w, call, engines)
	if err != nil {
		t.Fatal(err)
	}
	got := s.requests()
	redirected := slices.ContainsFunc(trial.Outcomes, func(o Outcome) bool {
		return slices.ContainsFunc(o.Exchanges, func(e Exchange) bool { return e.Answer.Get("Location") != "" })
	})
	if len(got) != w.Sent() || len(got) > announced.Total() && !redirected || len(got) > announced.Total()+MaxRedirected {
		t.Errorf("%d requests were announced, and the server got %d: %q", announced.Total(), len(got), got)
	}
	if calls := slices.DeleteFunc(got, func(r string) bool { return !strings.HasPrefix(r, "POST ") && !strings.HasPrefix(r, "PUT ") }); !send && len(calls) > 0 {
		t.Errorf("calls were sent: %q", calls)
	}
	return trial
}

// answer returns a handler that answers preflights and calls with a status and fields.
func answers(preflight int, fields []string, call int, callFields []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := call
		if r.Method == http.MethodOptions {
			status = preflight
		} else {
			fields = callFields
		}
		for f := range slices.Chunk(fields, 2) {
			w.Header().Add(f[0], f[1])
		}
		w.WriteHeader(status)
	})
}

// grants are the fields of a preflight's answer that passes.
var grants = []string{"Access-Control-Allow-Origin", page, "Access-Control-Allow-Methods", "GET, POST, PUT", "Access-Control-Allow-Headers", "content-type, connect-protocol-version, authorization"}

// grantsBut returns the fields with another value of one; no values remove the field.
func grantsBut(name string, values ...string) (fields []string) {
	for f := range slices.Chunk(grants, 2) {
		if f[0] != name {
			fields = append(fields, f...)
		}
	}
	for _, v := range values {
		fields = append(fields, name, v)
	}
	return fields
}

// TestFaults: each fault of a server is found in each engine, with the header at fault and the cause.
func TestFaults(t *testing.T) {
	const acao, acac, acah, acam = "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Headers", "Access-Control-Allow-Methods"
	readable := []string{acao, page, "Content-Type", "application/json", "X-Cost", "7", "Grpc-Status", "0", "Access-Control-Expose-Headers", "grpc-status"}
	for _, c := range []struct {
		name    string
		handler http.Handler
		call    Call
		send    bool
		result  Result
		check   corsbrowser.Check
		cause   string // in a cause or the verdict
	}{
		{"sound", answers(204, grants, 200, readable), connectCall("a.v1.S.M"), false, PreflightPasses, "", "--send"},
		{"sound, sent", answers(204, grants, 200, readable), connectCall("a.v1.S.M"), true, Readable, "", "status 200"},
		{"sound, GET", answers(204, grants, 200, readable), Call{Origin: page, Target: "/x", Method: "GET"}, false, Readable, "", "status 200"},
		{"not sent", answers(204, grants, 200, readable), Call{Origin: page, Target: "/x", Method: "POST"}, false, NotSent, "", "--send"},
		{"missing", answers(204, grantsBut(acao), 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckOriginMissing, "a CORS layer that does not allow the origin"},
		{"missing on the call", answers(204, grants, 200, nil), connectCall("a.v1.S.M"), true, Blocked, corsbrowser.CheckOriginMissing, "to preflights only"},
		{"missing on an error page", answers(204, grants, 502, nil), connectCall("a.v1.S.M"), true, Blocked, corsbrowser.CheckOriginMissing, "error pages of a proxy"},
		{"missing on a GET", answers(204, grants, 200, nil), Call{Origin: page, Target: "/x", Method: "GET"}, false, Blocked, corsbrowser.CheckOriginMissing, "none covers this path"},
		{"twice", answers(204, grantsBut(acao, page, page), 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckOriginRepeated, "is there 2 times (\"" + page + "\" and \"" + page + "\")"},
		{"a list", answers(204, grantsBut(acao, page+", https://b.example"), 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckOriginRepeated, "a list"},
		{"another", answers(204, grantsBut(acao, "https://b.example"), 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckOriginMismatch, "names another page"},
		{"http", answers(204, grantsBut(acao, "http://app.example.com"), 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckOriginMismatch, "the scheme differs"},
		{"a port", answers(204, grantsBut(acao, page+":8443"), 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckOriginMismatch, "the port differs"},
		{"a slash", answers(204, grantsBut(acao, page+"/"), 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckOriginMismatch, "the slash at the end"},
		{"a pattern", answers(204, grantsBut(acao, "https://*.example.com"), 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckOriginMismatch, "patterns"},
		{"null", answers(204, grantsBut(acao, "null"), 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckOriginMismatch, "sandboxed frames"},
		{"upper case", answers(204, grantsBut(acao, "https://App.example.com"), 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckOriginMismatch, "letter case"},
		{"empty", answers(204, grantsBut(acao, ""), 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckOriginInvalid, "is empty"},
		{"no scheme", answers(204, grantsBut(acao, "app.example.com"), 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckOriginInvalid, "scheme://host"},
		{"wildcard with credentials", answers(204, grantsBut(acao, "*"), 200, nil), withCredentials(connectCall("a.v1.S.M")), false, Blocked, corsbrowser.CheckOriginWildcard, "not a wildcard"},
		{"credentials", answers(204, grants, 200, nil), withCredentials(connectCall("a.v1.S.M")), false, Blocked, corsbrowser.CheckCredentials, ""},
		{"credentials True", answers(204, append(slices.Clone(grants), acac, "True"), 200, nil), withCredentials(connectCall("a.v1.S.M")), false, Blocked, corsbrowser.CheckCredentials, ""},
		{"headers", answers(204, grantsBut(acah, "content-type"), 200, nil), connectCall("a.v1.S.M", "X-Tenant-Id", "7"), false, Blocked, corsbrowser.CheckHeaders, "does not grant connect-protocol-version, x-tenant-id"},
		{"wildcard headers with credentials", answers(204, append(grantsBut(acah, "*"), acac, "true"), 200, nil), withCredentials(connectCall("a.v1.S.M")), false, Blocked, corsbrowser.CheckHeaders, "not a wildcard"},
		{"malformed headers", answers(204, grantsBut(acah, "content-type; connect-protocol-version"), 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckHeadersMalformed, "separated by commas"},
		{"method", answers(204, grantsBut(acam, "GET, POST"), 200, nil), Call{Origin: page, Target: "/x", Method: "PUT"}, false, Blocked, corsbrowser.CheckMethods, ""},
		{"method in lower case", answers(204, grantsBut(acam, "GET, POST, PATCH"), 200, nil), Call{Origin: page, Target: "/x", Method: "patch"}, false, Blocked, corsbrowser.CheckMethods, "write PATCH in the script"},
		{"malformed methods", answers(204, grantsBut(acam, "GET POST"), 200, nil), Call{Origin: page, Target: "/x", Method: "PUT"}, false, Blocked, corsbrowser.CheckMethodsMalformed, "separated by commas"},
		{"405", answers(405, nil, 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckOriginMissing, "does not know OPTIONS"},
		{"404", answers(404, nil, 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckOriginMissing, "router"},
		{"401", answers(401, grants, 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckPreflightStatus, "preflights never carry credentials"},
		{"403", answers(403, nil, 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckOriginMissing, "firewall"},
		{"429", answers(429, nil, 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckOriginMissing, "rate limit"},
		{"500", answers(500, nil, 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckOriginMissing, "server's log"},
		{"502", answers(502, nil, 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckOriginMissing, "proxy whose server is down"},
		{"415", answers(415, nil, 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckOriginMissing, "does not expect a preflight"},
		{"redirect to a login", answers(302, []string{"Location", "https://login.example/?next=x"}, 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckOriginMissing, "leads to https://login.example/?next=x"},
		{"redirect to a slash", answers(308, append(slices.Clone(grants), "Location", "/x/"), 200, nil), Call{Origin: page, Target: "/x", Method: "PUT"}, false, Blocked, corsbrowser.CheckPreflightRedirect, "the slash at the end of the path differs"},
		{"redirect to https", answers(301, append(slices.Clone(grants), "Location", "https://api.example.com/x"), 200, nil), Call{Origin: page, Target: "/x", Method: "PUT"}, false, Blocked, corsbrowser.CheckPreflightRedirect, "leads to https://api.example.com/x, and a preflight may not be redirected: call that URL"},
		{"redirect without a place", answers(302, grants, 200, nil), connectCall("a.v1.S.M"), false, Blocked, corsbrowser.CheckPreflightRedirect, "call the URL that answers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, c.handler, (*httptest.Server).Start)
			trial := probeSite(t, s, c.call, c.send)
			views := trial.Views(s.Server)
			if len(views) != 1 || len(views[0].Engines) != 4 {
				t.Fatalf("%d outcomes: %+v", len(views), views)
			}
			v := views[0]
			if v.Result != c.result || c.check != "" && v.Blocked.Check != c.check {
				t.Errorf("%s (%v), want %s, %s", v.Result, v.Blocked, c.result, c.check)
			}
			if text := v.Verdict + "\n" + strings.Join(v.Causes, "\n"); !strings.Contains(text, c.cause) {
				t.Errorf("%s\ndoes not have %q", text, c.cause)
			}
			if v.Result == Blocked && (len(v.Console) != 3 || v.Blocked.Fix == "" || v.Blocked.Header != "" && len(v.AtFault()) == 0 && v.Blocked.Value != "") {
				t.Errorf("the view lacks a part: %+v", v)
			}
			if v.Result == Readable && (!slices.Contains(v.ReadableNames(), "content-type") || !slices.Equal(v.Hidden, []string{"date", "x-cost"})) {
				t.Errorf("readable %q, hidden %q", v.ReadableNames(), v.Hidden)
			}
		})
	}
}

func withCredentials(c Call) Call {
	c.Credentials = true
	return c
}

// TestRefusalsOfCorsrpc: the reason of a server with corsrpc is told, in production and under WithExplain.
func TestRefusalsOfCorsrpc(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		explain bool
		call    Call
		send    bool
		result  Result
		text    string
	}{
		{"preflight", false, connectCall("a.v1.S.M"), false, Blocked, "the server says: corsrpc refused this cross-origin request (ORIGIN_NOT_ALLOWED)"},
		{"call by GET", false, Call{Origin: page, Target: "a.v1.S.M?" + rpc.GetCallQuery, Method: "GET"}, false, Blocked, "ORIGIN_NOT_ALLOWED"},
		{"explained call", true, connectCall("a.v1.S.Closed"), true, Refused, "(DISABLED)"},
		{"explained stream", true, connectCall("a.v1.S.Closed", "Content-Type", "application/connect+json"), true, Refused, "(DISABLED)"},
		{"explained gRPC-Web", true, Call{Origin: page, Target: "a.v1.S.Closed", Method: "POST", Header: http.Header{"Content-Type": {"application/grpc-web+proto"}, "X-Grpc-Web": {"1"}}}, true, Refused, "(DISABLED)"},
		{"explained GET", true, Call{Origin: page, Target: "a.v1.S.Closed", Method: "GET"}, false, Refused, "(DISABLED)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			origin := "https://other.example"
			if c.explain {
				origin = page
			}
			s := newSite(t, policed(t, "defaults: {allow_origins: ["+origin+"]}\nrules: [{selector: a.v1.S.Closed, disabled: true, accept_risks: [UNKNOWN_SELECTORS]}]", c.explain), (*httptest.Server).Start)
			trial := probeSite(t, s, c.call, c.send)
			for _, v := range trial.Views(s.Server) {
				if text := v.Verdict + strings.Join(v.Causes, "\n"); v.Result != c.result || !strings.Contains(text, c.text) {
					t.Errorf("%s: %s", v.Result, text)
				}
			}
		})
	}
}

// policed returns a handler behind a layer of corsrpc.
func policed(t *testing.T, policy string, explain bool) http.Handler {
	t.Helper()
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc))
	if err != nil {
		t.Fatal(err)
	}
	var options []corsrpc.LayerOption
	if explain {
		options = append(options, corsrpc.WithExplain())
	}
	layer, err := corsrpc.New(plan, append(options, corsrpc.WithLogger(slog.New(slog.DiscardHandler)))...)
	if err != nil {
		t.Fatal(err)
	}
	return layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, "{}")
	}))
}

// TestSendsOnce: --send executes a call once, and not once for each engine.
func TestSendsOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, answers(204, grants, 200, grants), (*httptest.Server).Start)
	trial := probeSite(t, s, connectCall("a.v1.S.M"), true)
	if want := []string{"OPTIONS /a.v1.S/M", "POST /a.v1.S/M"}; !slices.Equal(s.requests(), want) {
		t.Errorf("the server got %q, want %q", s.requests(), want)
	}
	if len(trial.Outcomes) != 4 || Exit([]*Trial{trial}) != Fine {
		t.Errorf("%+v", trial)
	}
}

// TestRedirects: a call follows redirects within the server, and a redirect to another server gets no request.
func TestRedirects(t *testing.T) {
	t.Parallel()
	other := newSite(t, answers(204, grants, 200, grants), (*httptest.Server).Start)
	for _, c := range []struct {
		name, location string
		result         Result
		text           string
		requests       int
	}{
		{"within", "/end", Readable, "status 200", 2},
		{"to another server", other.URL.String() + "/y", NotFollowed, other.URL.String() + "/y", 1},
		{"in a loop", "/begin", Blocked, "more than 20 redirects", 1},
		{"without an end", "", Blocked, "more than 20 redirects", 1 + MaxRedirected},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Access-Control-Allow-Origin", "*")
				if r.URL.Path == "/end" {
					return
				}
				location := c.location
				if location == "" {
					location = "/begin?" + r.URL.RawQuery + "x"
				}
				w.Header().Set("Location", location)
				w.WriteHeader(http.StatusFound)
			}), (*httptest.Server).Start)
			trial := probeSite(t, s, Call{Origin: page, Target: "/begin", Method: "GET"}, false)
			if len(s.requests()) != c.requests {
				t.Errorf("the server got %d requests, want %d", len(s.requests()), c.requests)
			}
			for _, v := range trial.Views(s.Server) {
				if v.Result != c.result || !strings.Contains(v.Verdict, c.text) {
					t.Errorf("%s: %s", v.Result, v.Verdict)
				}
			}
		})
	}
	if len(other.requests()) != 0 {
		t.Errorf("the other server got %q", other.requests())
	}
}

// TestBefore: what a browser never sends is not sent.
func TestBefore(t *testing.T) {
	t.Parallel()
	u := &url.URL{Scheme: "http", Host: "api.example.com"}
	for _, c := range []struct {
		scheme, text string
	}{{"http", "an https page cannot call an http URL"}, {"h2c", "by its https URL"}} {
		u.Scheme = c.scheme
		s := &site{Server: Server{URL: u}}
		trial := probeSite(t, s, connectCall("a.v1.S.M"), true)
		for _, v := range trial.Views(s.Server) {
			if text := v.Verdict + strings.Join(v.Causes, ""); v.Result != Blocked || v.Blocked.Check != corsbrowser.CheckMixedContent || !strings.Contains(text, c.text) {
				t.Errorf("%s: %s", v.Result, text)
			}
		}
	}
	s := newSite(t, answers(204, nil, 200, nil), (*httptest.Server).Start)
	call := connectCall("a.v1.S.M")
	call.Origin = s.URL.String()
	if trial := probeSite(t, s, call, false); trial.Outcomes[0].Result != SameOrigin || len(s.requests()) != 0 {
		t.Errorf("%s, and %d requests", trial.Outcomes[0].Result, len(s.requests()))
	}
}

// TestCaching: one line says for how long each engine reuses the preflight.
func TestCaching(t *testing.T) {
	t.Parallel()
	for maxAge, want := range map[string]string{
		"":      "The preflight is reused for 5s in the Fetch standard, Chromium, Firefox, WebKit (without Access-Control-Max-Age).",
		"86400": "The preflight is reused for 24h in the Fetch standard, Firefox, 2h in Chromium, 10m in WebKit (Access-Control-Max-Age is 86400).",
		"0":     "The preflight is reused for 0s in the Fetch standard, Chromium, Firefox, WebKit (Access-Control-Max-Age is 0).",
	} {
		fields := slices.Clone(grants)
		if maxAge != "" {
			fields = append(fields, "Access-Control-Max-Age", maxAge)
		}
		s := newSite(t, answers(204, fields, 200, nil), (*httptest.Server).Start)
		if got := probeSite(t, s, connectCall("a.v1.S.M"), false).Caching(); got != want {
			t.Errorf("%q: %s", maxAge, got)
		}
	}
}

// TestEnginesDiffer: "*" grants Authorization in browsers, and not in the Fetch standard.
func TestEnginesDiffer(t *testing.T) {
	t.Parallel()
	s := newSite(t, answers(204, grantsBut("Access-Control-Allow-Headers", "*"), 200, nil), (*httptest.Server).Start)
	views := probeSite(t, s, connectCall("a.v1.S.M", "Authorization", "Bearer x"), false).Views(s.Server)
	if len(views) != 2 || views[0].Result != Blocked || len(views[0].Engines) != 1 || !strings.Contains(views[0].Causes[0], "does not grant authorization") ||
		views[1].Result != PreflightPasses || len(views[1].Engines) != 3 {
		t.Errorf("%+v", views)
	}
}

// TestInterrupt: the end of the context ends the run, also within a request.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := newSite(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}), (*httptest.Server).Start)
	w := NewWire(s.Server)
	defer w.Close()
	if _, err := Try(ctx, w, connectCall("a.v1.S.M"), corsbrowser.Engines()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if len(s.requests()) != 1 {
		t.Errorf("%q", s.requests())
	}
}

// TestCauseOfRedirect: the page is told to call another URL only if that can work.
func TestCauseOfRedirect(t *testing.T) {
	t.Parallel()
	const answer = "the server has to answer the preflight itself"
	for _, c := range []struct{ from, location, want string }{
		{"http://api.example.com/x", "https://api.example.com/x", "write https:// in the client"},
		{"http://api.example.com:8080/acme.auth.v1.S/Get", "https://api.example.com/acme.auth.v1.S/Get", "write https:// in the client"},
		{"http://api.example.com/x", "https://other.example/x", "call that URL"},
		{"http://api.example.com/x", "https://api.example.com/y", "call that URL"},
		{"http://api.example.com/x", "https://other.example/login?next=x", "a login in front"},
		{"http://api.example.com/x", "https://login.example/?next=x", "a login in front"},
		{"http://api.example.com/x", "/x/", "the slash at the end"},
		{"http://api.example.com/x", "//other.example/x/", "call that URL"},
		{"http://api.example.com/x", "/x", answer},
		{"http://api.example.com/x", "javascript:alert(1)", answer},
		{"http://api.example.com/x", "file:///etc/passwd", answer},
		{"http://api.example.com/x", "http://user:word@api.example.com/y", answer},
		{"http://api.example.com/x", "http://[::1/", "which is not a URL"},
		{"http://api.example.com/x", "", "call the URL that answers"},
	} {
		e := Exchange{Exchange: corsbrowser.Exchange{URL: c.from, Status: 307, Answer: http.Header{"Location": {c.location}}}}
		if got := redirectOfPreflight(e); !strings.Contains(got, c.want) {
			t.Errorf("%s to %q: %s, want %q", c.from, c.location, got, c.want)
		}
	}
}

// TestHidden: neither the fields of CORS, nor those that browsers always or never show, count as hidden.
func TestHidden(t *testing.T) {
	t.Parallel()
	answer := http.Header{"X-A": {"1"}, "X-B": {"1"}, "Content-Length": {"2"}, "Set-Cookie": {"a=b"}, "Access-Control-Allow-Origin": {"*"}, "Date": {"now"}}
	if got := hidden(answer, http.Header{"X-B": {"1"}}); !slices.Equal(got, []string{"date", "x-a"}) {
		t.Errorf("%q", got)
	}
}
