package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// handled records the requests that reach a handler behind a layer.
type handled struct {
	http.Handler

	mu   sync.Mutex
	seen []string
}

// newHandled returns a recorder around the showcase service and paths that respond with "the handler ran".
func newHandled() *handled {
	showcase := implementations[1].handler()
	return &handled{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == grantedPath {
			fmt.Fprint(w, "the handler ran")
			return
		}
		showcase.ServeHTTP(w, r)
	})}
}

// ServeHTTP records the method and the path of a request, and those of its headers that a call of refusals may have.
func (h *handled) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	got := r.Method + " " + r.URL.Path
	for _, name := range []string{"Authorization", "Cookie", "X-00", "X-Tenant-Id"} {
		if r.Header[name] != nil {
			got += " with " + name
		}
	}
	h.mu.Lock()
	h.seen = append(h.seen, got)
	h.mu.Unlock()
	h.Handler.ServeHTTP(w, r)
}

// take returns the requests since its last call.
func (h *handled) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	seen := h.seen
	h.seen = nil
	return seen
}

// assert asserts that the handler got these requests since the last call, and no others.
func (h *handled) assert(t *testing.T, want ...string) {
	t.Helper()
	if got := h.take(); !slices.Equal(got, want) {
		t.Errorf("the handler got %q, want %q", got, want)
	}
}

const grantedPath = "/files/granted"

// pathFetch is a fetch of a path.
type pathFetch struct {
	Path string    `json:"path"`
	Init fetchInit `json:"init"`
}

// fetchAll calls fetch for each path, one after another, and each time a path that the policy grants.
func fetchAll(t *testing.T, page *browser.Page, url string, cells []explainedCell) (refused, granted []rawReading) {
	t.Helper()
	var calls []pathFetch
	for _, c := range cells {
		path, init := c.fetch()
		calls = append(calls, pathFetch{path, init})
	}
	var got struct{ Refused, Granted []rawReading }
	page.Run(t, `
		const got = {Refused: [], Granted: []};
		for (const call of args.calls) {
			got.Refused.push(await e2e.fetchRaw(args.url + call.path, call.init));
			got.Granted.push(await e2e.fetchRaw(args.url + args.granted, {method: "GET"}));
		}
		return got;`, map[string]any{"url": url, "calls": calls, "granted": grantedPath}, &got)
	return got.Refused, got.Granted
}

// assertExplained asserts that fetch read the explanation of a refusal.
func (c explainedCell) assertExplained(t *testing.T, origin string, got rawReading) {
	t.Helper()
	delete(got.Headers, "content-length")
	if want := c.response(c.fill(origin)); !reflect.DeepEqual(got, want) {
		t.Errorf("%s: the script reads %+v\nwant %+v", c, got, want)
	}
}

// assertBlockedFetch asserts that fetch read nothing.
func assertBlockedFetch(t *testing.T, got rawReading) {
	t.Helper()
	if got.Threw != refused.Threw || got.Status != 0 || len(got.Headers) != 0 || got.Body != "" {
		t.Errorf("the script reads %+v, want %+v", got, refused)
	}
}

// explainedFetches returns the calls of fetch in explainedCells, or those of the kinds that are given.
func explainedFetches(kinds ...string) []explainedCell {
	return slices.DeleteFunc(explainedCells(), func(c explainedCell) bool {
		return c.transport != withFetch || len(kinds) > 0 && !slices.Contains(kinds, c.kind)
	})
}

// refusalOf returns the refusal with a name.
func refusalOf(t *testing.T, name string) refusal {
	t.Helper()
	i := slices.IndexFunc(refusals, func(r refusal) bool { return r.name == name })
	if i < 0 {
		t.Fatalf("no refusal is named %q", name)
	}
	return refusals[i]
}

// TestExplainedCalls: with WithExplain, each client shows the reason and the remedy in the message of its error, for each
// reason and kind of call, and fetch reads them as the text of the response. Without WithExplain, the browser stops these calls.
// The handler gets only the granted calls in between.
func TestExplainedCalls(t *testing.T) {
	tested := 0
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		setCookie(t, page)
		t.Run("with WithExplain", func(t *testing.T) { tested += testExplainedCalls(t, page, corsrpc.WithExplain()) })
		t.Run("without", func(t *testing.T) { tested += testExplainedCalls(t, page) })
	})
	if want := len(browser.Engines) * 2 * len(explainedCells()); tested != want && !t.Failed() && !filtered() {
		t.Errorf("%d calls were tested, want all %d", tested, want)
	}
	t.Logf("%d calls", tested)
}

func testExplainedCalls(t *testing.T, page *browser.Page, opts ...corsrpc.LayerOption) (tested int) {
	t.Helper()
	handler := newHandled()
	server := serveAPI(t, newLayer(t, page.Origin, explainedPolicy, opts...).Wrap(handler))
	fetches := explainedFetches()
	clients := slices.DeleteFunc(explainedCells(), func(c explainedCell) bool { return c.transport == withFetch })

	var calls []call
	var granted []string
	for _, c := range clients {
		between := greet(c.transport)
		between.OtherFormat = c.otherFormat
		calls = append(calls, c.call(), between)
		granted = append(granted, "POST "+greetPath)
	}
	readings := runCalls(t, page, server, calls...)
	for i, c := range clients {
		t.Run(c.String(), func(t *testing.T) {
			tested++
			code, shown := "PermissionDenied", c.shown(c.fill(page.Origin).message())
			if opts == nil {
				code, shown = "Unknown", c.blocked(page.Engine)
				if c.transport == withProtobufTS {
					code = "Internal"
				}
			}
			got := readings[2*i]
			if got.Error == nil || got.Error.Code != code || got.Error.Shown != shown || len(got.Messages) != 0 {
				t.Errorf("the script gets %+v, %s\nwant %s: %s", got.Error, got.Messages, code, shown)
			}
			if between := readings[2*i+1]; between.Error != nil || joined(between.Messages) != helloAda {
				t.Errorf("the granted call after it gets %+v, %s", between.Error, between.Messages)
			}
		})
	}
	handler.assert(t, granted...)

	read, between := fetchAll(t, page, server.URL, fetches)
	for i, c := range fetches {
		t.Run(c.String(), func(t *testing.T) {
			tested++
			if opts == nil {
				assertBlockedFetch(t, read[i])
			} else {
				c.assertExplained(t, page.Origin, read[i])
			}
			if between[i].Status != http.StatusOK || between[i].Body != "the handler ran" {
				t.Errorf("the granted call after it reads %+v", between[i])
			}
		})
	}
	handler.assert(t, slices.Repeat([]string{"GET " + grantedPath}, len(fetches))...)
	return tested
}

// TestOpenedPreflightIsForOneCall: no engine reuses the preflight of a refused call.
func TestOpenedPreflightIsForOneCall(t *testing.T) {
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		handler := newHandled()
		server := serveAPI(t, newLayer(t, page.Origin, explainedPolicy, corsrpc.WithExplain()).Wrap(handler))
		for _, c := range explainedFetches(unary, byPath) {
			path, init := c.fetch()
			if c.simple || c.kind == byPath && len(init.Headers) == 0 && init.Method == http.MethodGet {
				continue // a call without a preflight
			}
			for range 3 {
				c.assertExplained(t, page.Origin, fetchRaw(t, page, server.URL+path, init))
			}
			if preflights, calls := server.take(); len(preflights) != 3 || len(calls) != 3 {
				t.Errorf("%s: 3 calls are sent as %s after %s", c, describe(calls), describe(preflights))
			}
		}
		handler.assert(t)
	})
}

// callInTwoTabs calls args.first in this tab and args.second in a new one, after the server says that the first one arrived.
const callInTwoTabs = `
	const tab = window.open("/tab");
	await new Promise((done) => { tab.onload = done; });
	const read = async (how, call) => {
		const response = await how(args.url + call.path, call.init);
		return {Status: response.status, Headers: Object.fromEntries(response.headers), Body: await response.text()};
	};
	const first = read(fetch, args.first);
	await Promise.race([tab.fetch(args.url + "/arrived"), first]);
	const second = await read(tab.fetch, args.second);
	tab.close();
	return [await first, second];
`

// TestExplainedTabs: while a call waits that lacks the grant of a header, another tab's call of the same procedure without the
// header is served, and the other way round.
func TestExplainedTabs(t *testing.T) {
	tab := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
	})
	forEachEngine(t, func(t *testing.T, engine browser.Engine) {
		page := pool.PageBeside(t, engine, tab)
		warmUp(t, page)
		lacking := explainedCell{refusal: refusalOf(t, "header"), kind: unary, transport: withFetch}
		path, init := lacking.fetch()
		refusedCall, grantedCall := pathFetch{path, init}, pathFetch{path, fetchInit{Method: "POST", Headers: jsonBody, Body: ada}}
		for _, refusedFirst := range []bool{true, false} {
			handler := newHandled()
			layer := newLayer(t, page.Origin, explainedPolicy, corsrpc.WithExplain()).Wrap(handler)
			arrived, answered := make(chan struct{}), make(chan struct{})
			server := serveAPI(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				isFirst := r.Method == http.MethodPost && (r.Header.Get("X-Tenant-Id") != "") == refusedFirst
				switch {
				case r.URL.Path == "/arrived":
					await(r, arrived)
					w.Header().Set("Access-Control-Allow-Origin", page.Origin)
				case isFirst:
					close(arrived)
					await(r, answered)
					layer.ServeHTTP(w, r)
				default:
					layer.ServeHTTP(w, r)
					if r.Method == http.MethodPost {
						close(answered)
					}
				}
			}))
			args := map[string]any{"url": server.URL, "first": grantedCall, "second": refusedCall}
			if refusedFirst {
				args["first"], args["second"] = refusedCall, grantedCall
			}
			var read [2]rawReading
			page.Run(t, callInTwoTabs, args, &read)
			if refusedFirst {
				read[0], read[1] = read[1], read[0]
			}
			if read[0].Status != http.StatusOK || read[0].Body != helloAda {
				t.Errorf("the call without the header reads %+v", read[0])
			}
			lacking.assertExplained(t, page.Origin, read[1])
			handler.assert(t, "POST "+greetPath)
		}
	})
}

// await waits until a channel is closed, or the request ends.
func await(r *http.Request, c <-chan struct{}) {
	select {
	case <-c:
	case <-r.Context().Done():
	}
}

// besideProduction returns a handler that serves the responses of a layer with WithExplain. It asserts for each request that a
// layer without it has the same response, byte for byte, and that its handler runs if and only if the other one does.
func besideProduction(t *testing.T, origin string) http.Handler {
	t.Helper()
	ran, mayRun := newHandled(), newHandled()
	explained := newLayer(t, origin, explainedPolicy, corsrpc.WithExplain()).Wrap(ran)
	production := newLayer(t, origin, explainedPolicy).Wrap(mayRun)
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got, want := httptest.NewRecorder(), httptest.NewRecorder()
		explained.ServeHTTP(got, r)
		production.ServeHTTP(want, r)
		if got.Code != want.Code || !reflect.DeepEqual(got.Header(), want.Header()) || got.Body.String() != want.Body.String() {
			t.Errorf("%s %s from %s: %d %v %q\nwithout WithExplain: %d %v %q",
				r.Method, r.URL, r.Header.Get("Origin"), got.Code, got.Header(), got.Body, want.Code, want.Header(), want.Body)
		}
		if got, want := ran.take(), mayRun.take(); !slices.Equal(got, want) {
			t.Errorf("the handler got %q, and %q without WithExplain", got, want)
		}
		for name, lines := range got.Header() {
			w.Header()[name] = lines
		}
		w.WriteHeader(got.Code)
		_, _ = w.Write(got.Body.Bytes())
	})
}

// strangersFetches returns the calls of explainedFetches, and calls of a path whose rule allows every origin.
func strangersFetches(url string) (calls []oracleCall) {
	add := func(path string, init fetchInit) {
		made := oracleCall{URL: url + path, Method: init.Method, Credentials: init.Credentials, Body: init.Body}
		for name, value := range init.Headers {
			made.Headers = append(made.Headers, [2]string{name, value})
		}
		calls = append(calls, made)
	}
	for _, c := range explainedFetches() {
		add(c.fetch())
	}
	add("/open/a", fetchInit{Method: "GET", Headers: map[string]string{"x-tenant-id": "7"}})
	add("/open/a", fetchInit{Method: "PUT"})
	return calls
}

// TestExplainedStrangers: a page whose origin is neither on loopback nor named by a rule, and a sandboxed page, get the answers of
// production, and their scripts read nothing. A page whose origin a rule names reads the explanation.
func TestExplainedStrangers(t *testing.T) {
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		setCookie(t, page)
		server := serveAPI(t, besideProduction(t, page.Origin))
		behind := func(server *api, origin string) *api {
			target, err := url.Parse(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			return serveAPI(t, renamingProxy(target, page.Origin, origin))
		}
		stranger := behind(server, "https://evil.example")
		for name, url := range map[string]string{"callOracle": stranger.URL, "callOracleSandboxed": server.URL} {
			var read []struct {
				Threw  bool
				Status int
				Body   string
			}
			calls := strangersFetches(url)
			page.Run(t, "return e2e."+name+"(args)", calls, &read)
			for i, got := range read {
				if !got.Threw {
					t.Errorf("%s: %s %s reads %d %s", name, calls[i].Method, calls[i].URL, got.Status, got.Body)
				}
			}
			if len(read) != len(calls) {
				t.Errorf("%s: %d calls read %d responses", name, len(calls), len(read))
			}
		}

		const named = "https://app.example.com" // of the policy's defaults
		handler := newHandled()
		own := behind(serveAPI(t, newLayer(t, page.Origin, explainedPolicy, corsrpc.WithExplain()).Wrap(handler)), named)
		header := refusalOf(t, "header")
		header.service = "other.v1.Service"
		header.explanation.remedy = "write allow_headers: [x-tenant-id] in a rule with selector PROCEDURE, with accept_risks: [UNKNOWN_SELECTORS]"
		header.ofPath = explanation{
			"ORIGIN_NOT_ALLOWED", originNotAllowed.cause,
			`add "ORIGIN" to rules[4].allow_origins (cors.yaml:14); if it is this server's own origin, make the proxy in front keep the Host header`,
		}
		for _, kind := range []string{unary, stream, byGet, byPath} {
			c := explainedCell{refusal: header, kind: kind, transport: withFetch}
			path, init := c.fetch()
			c.assertExplained(t, named, fetchRaw(t, page, own.URL+path, init))
		}
		handler.assert(t)
	})
}

// TestExplainIsForgotten: the answers of a layer with WithExplain do not help a page after the server has been restarted without
// it, and the answers of production do not hinder it after a restart with it.
func TestExplainIsForgotten(t *testing.T) {
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		setCookie(t, page)
		handler := newHandled()
		var running atomic.Value
		server := serveAPI(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			running.Load().(http.Handler).ServeHTTP(w, r)
		}))
		fetches := explainedFetches()
		for i, opts := range [][]corsrpc.LayerOption{nil, {corsrpc.WithExplain()}, nil, {corsrpc.WithExplain()}, nil} {
			running.Store(newLayer(t, page.Origin, explainedPolicy, opts...).Wrap(handler))
			server.take()
			read, granted := fetchAll(t, page, server.URL, fetches)
			for j, c := range fetches {
				if opts == nil {
					assertBlockedFetch(t, read[j])
				} else {
					c.assertExplained(t, page.Origin, read[j])
				}
				if granted[j].Body != "the handler ran" {
					t.Errorf("after %d restarts, a granted call reads %+v", i, granted[j])
				}
			}
			handler.assert(t, slices.Repeat([]string{"GET " + grantedPath}, len(fetches))...)
			if opts != nil {
				continue
			}
			_, arrived := server.take()
			for _, r := range arrived {
				if r.Method != http.MethodGet && r.Path != "/open/a" || r.Header["Authorization"] != nil || r.Header["X-Tenant-Id"] != nil || r.Header["X-00"] != nil {
					t.Errorf("after %d restarts, the browser sent %s", i, describe([]request{r}))
				}
			}
		}
	})
}

// TestOnlyCredentialsAreMissing: a call that lacks only allow_credentials is not sent, also with WithExplain: a browser's
// preflight does not say whether cookies follow. The answer to the preflight is that of production.
func TestOnlyCredentialsAreMissing(t *testing.T) {
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		setCookie(t, page)
		server := serveAPI(t, besideProduction(t, page.Origin))
		granted := refusal{credentials: true}
		for _, kind := range []string{unary, stream} {
			for _, transport := range transports {
				c := explainedCell{refusal: granted, kind: kind, transport: transport}
				got := runCalls(t, page, server, c.call())[0]
				if got.Error == nil || got.Error.Shown != c.blocked(page.Engine) {
					t.Errorf("%s: the script gets %+v", c, got)
				}
			}
			path, init := explainedCell{refusal: granted, kind: kind, transport: withFetch}.fetch()
			assertBlockedFetch(t, fetchRaw(t, page, server.URL+path, init))
		}
		preflights, calls := server.take()
		if len(preflights) != 2*(len(transports)+1) || len(calls) > 0 {
			t.Errorf("the server got %s after %s", describe(calls), describe(preflights))
		}
	})
}
