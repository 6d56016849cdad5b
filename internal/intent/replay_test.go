package intent

import (
	"errors"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
)

// replayedServer is the server of replayed calls. No policy of the generators has its origin.
const replayedServer = "https://api.replayed.test"

// getCall is the query of a GET that is a call.
const getCall = "connect=v1&encoding=json&message=%7B%7D"

// call returns the call that shows a gain.
func (g gain) call() analysis.Call {
	call := analysis.Call{Origin: g.page, Path: g.target.path, Method: g.target.methods()[0], Sources: map[string][]string{}, Env: map[string]string{}}
	for _, set := range g.sets {
		if name, _, ok := variable(set); ok {
			call.Env[name] = g.page
		} else {
			call.Sources[set] = []string{g.page}
		}
	}
	switch g.aspect {
	case analysis.AspectMethod, analysis.AspectOrigin:
		call.Method = g.value
	case analysis.AspectCookies:
		call.Method, call.Credentials = g.value, true
	case analysis.AspectUngoverned, analysis.AspectCredentials:
		call.Credentials = true
	case analysis.AspectRequestHeader:
		call.RequestHeaders = []string{g.value}
	case analysis.AspectResponseHeader:
		call.ResponseHeader = g.value
	case analysis.AspectWithoutOrigin:
		call.Method, call.Navigation = http.MethodGet, g.value == "link"
	}
	if call.Method == http.MethodGet && g.target.canBeCall {
		call.Query = getCall
	}
	return call
}

// withMethod returns the call with a method that a target's rules serve, for a gain that is not about
// the method.
func (c *comparer) withMethod(g gain, call analysis.Call) analysis.Call {
	switch g.aspect {
	case analysis.AspectCredentials, analysis.AspectRequestHeader, analysis.AspectResponseHeader, analysis.AspectMaxAge, analysis.AspectTiming:
	default:
		return call
	}
	old, next := c.old.ruleFor(g.target), c.next.ruleFor(g.target)
	for _, method := range g.target.methods() {
		if old.serves(method) && next.serves(method) {
			if call.Method, call.Query = method, ""; method == http.MethodGet && g.target.canBeCall {
				call.Query = getCall
			}
			return call
		}
	}
	return call
}

// bound returns the plan with the origins that a call needs its unknown sets to have.
func (w *world) bound(t failer, call analysis.Call) *corsrpc.Plan {
	t.Helper()
	plan := w.plan
	if len(call.Env) > 0 {
		with := *w
		with.Env = maps.Clone(w.Env)
		maps.Copy(with.Env, call.Env)
		if err := with.compileAsTool(t); err != nil {
			t.Fatal(err)
		}
		plan = with.plan
	}
	return plan.WithSets(call.Sources)
}

// shows returns how much of an aspect a plan grants to a call: 0 for nothing. The time of a preflight is
// in seconds, plus one.
func shows(t fataler, plan *corsrpc.Plan, aspect analysis.Aspect, call analysis.Call) int {
	t.Helper()
	switch aspect {
	case analysis.AspectOwnOrigin:
		return map[bool]int{true: 1}[runsOnOwnHost(t, plan, call)]
	case analysis.AspectUngoverned, analysis.AspectWithoutOrigin, analysis.AspectCookies:
		return map[bool]int{true: 1}[runsByHand(t, plan, call)]
	}
	got := readByBrowser(t, plan, call)
	granted := got.Runs && got.Reads
	switch aspect {
	case analysis.AspectMaxAge:
		if !granted {
			return 0
		}
		return got.maxAge + 1
	case analysis.AspectTiming:
		granted = granted && got.Timing
	case analysis.AspectResponseHeader:
		granted = granted && slices.Contains(strings.Fields(strings.ToLower(got.Headers)), call.ResponseHeader)
	case analysis.AspectRequestHeader:
		granted = granted && got.sent
	}
	return map[bool]int{true: 1}[granted]
}

// runsOnOwnHost reports whether the handler gets a request of a page whose host name leads to the server.
func runsOnOwnHost(t failer, plan *corsrpc.Plan, call analysis.Call) (runs bool) {
	t.Helper()
	r := httptest.NewRequest(call.Method, call.Origin+pathOf(call), nil)
	r.Header.Set("Origin", call.Origin)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	plan.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { runs = true })).ServeHTTP(httptest.NewRecorder(), r)
	return runs
}

// runsByHand reports whether the handler gets a cross-site request as a browser sends it.
func runsByHand(t failer, plan *corsrpc.Plan, call analysis.Call) (runs bool) {
	t.Helper()
	r := httptest.NewRequest(call.Method, replayedServer+pathOf(call), nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.Header.Set("Sec-Fetch-Mode", "cors")
	if call.Origin != "" {
		r.Header.Set("Origin", call.Origin)
	} else if r.Header.Set("Sec-Fetch-Mode", "no-cors"); call.Navigation {
		r.Header.Set("Sec-Fetch-Mode", "navigate")
	}
	if call.Credentials {
		r.Header.Set("Cookie", "session=1")
	}
	plan.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { runs = true })).ServeHTTP(httptest.NewRecorder(), r)
	return runs
}

// pathOf returns the path and query of a call.
func pathOf(call analysis.Call) string {
	path := call.Path
	if call.Escaped != "" {
		path = call.Escaped
	}
	if i := strings.LastIndexByte(call.Procedure, '.'); path == "" {
		path = "/" + call.Procedure[:i] + "/" + call.Procedure[i+1:]
	}
	if call.Query != "" {
		path += "?" + call.Query
	}
	return path
}

// replayed is the outcome of a call in the browser.
type replayed struct {
	outcome
	maxAge int  // the seconds for which the preflight may be used
	sent   bool // the browser sent the header fields that the script set
}

// readByBrowser makes a call in a browser that sends a preflight in any case.
func readByBrowser(t fataler, plan *corsrpc.Plan, call analysis.Call) (got replayed) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	server, err := url.Parse(replayedServer)
	if err != nil {
		t.Fatal(err)
	}
	jar.SetCookies(server, []*http.Cookie{{Name: "session", Value: "1"}})
	init := corsbrowser.Init{Credentials: corsbrowser.Omit, ForcePreflight: true, ScriptSets: []string{"User-Agent"}}
	if call.Credentials {
		init.Credentials = corsbrowser.Include
	}
	handler := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		got.Runs = got.Runs || !(r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "")
		if call.ResponseHeader != "" {
			rw.Header().Set(call.ResponseHeader, "1")
		}
		rw.WriteHeader(http.StatusOK)
	})
	b, err := corsbrowser.New(call.Origin, corsbrowser.WithHandler(plan.Wrap(handler)), corsbrowser.WithCookieJar(jar), corsbrowser.WithDefaults(init))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(call.Method, replayedServer+pathOf(call), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range call.RequestHeaders {
		r.Header.Set(name, strings.Repeat("x", 129)) // no safelisted header has a longer value
	}
	response, err := b.RoundTrip(r)
	log := b.Log()
	if err != nil {
		var blocked *corsbrowser.BlockedError
		if !errors.As(err, &blocked) {
			t.Fatal(err)
		}
		return got
	}
	_ = response.Body.Close()
	got.Reads, got.Status, got.Headers = true, response.StatusCode, names(slices.Collect(maps.Keys(response.Header)))
	last := log[len(log)-1]
	got.Timing, got.sent, got.maxAge = last.TimingAllowed, true, -1
	for _, name := range call.RequestHeaders {
		got.sent = got.sent && last.Header.Get(name) != ""
	}
	if log[0].Preflight {
		got.maxAge, _ = strconv.Atoi(log[0].Answer.Get("Access-Control-Max-Age"))
	}
	return got
}
