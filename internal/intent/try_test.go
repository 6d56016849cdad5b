package intent

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"pgregory.net/rapid"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
)

// TestTry: the outcome of corsinspect.Try, on which the inspector's form is based, is that of
// the same call with corsbrowser, in each engine.
func TestTry(t *testing.T) {
	t.Parallel()
	rapid.Check(t, tryIsTheBrowser)
}

func tryIsTheBrowser(t *rapid.T) {
	w := drawWorld(t)
	for range callsPerPolicy {
		compareTry(t, w, drawTry(t, w))
	}
}

// forbiddenFields lists header fields that scripts may not set, and similar ones that they may.
var forbiddenFields = []string{
	"Host: x", "Cookie: a=b", "Origin: https://app.example.com", "Referer: x", "Sec-Fetch-Site: same-origin", "Proxy-X: 1", "Accept-Encoding: br",
	"Access-Control-Request-Method: GET", "X-HTTP-Method-Override: trace", "X-HTTP-Method: GET, connect", "X-Method-Override: PUT", "Proxy: x", "Secret: s", "User-Agent: mine",
}

// drawTry draws a call for corsinspect.Try.
func drawTry(t *rapid.T, w *world) corsinspect.Call {
	c := drawCall(t, w)
	call := corsinspect.Call{
		Origin: c.Page, Server: c.API, Target: c.Path, Method: c.Method, Header: http.Header{}, Response: http.Header{},
		Credentials: c.Credentials == corsbrowser.Include,
	}
	if chance(t, 10, "plain http") {
		call.Server = "http://" + strings.TrimPrefix(strings.TrimPrefix(c.API, "https://"), "http://")
	}
	if chance(t, 10, "its own page") {
		call.Origin = call.Server
	}
	switch {
	case chance(t, 15, "lower case"):
		call.Method = strings.ToLower(call.Method)
	case chance(t, 5, "forbidden method"):
		call.Method = pick(t, []string{"TRACE", "track", "Connect"}, "forbidden")
	}
	for _, name := range c.Header {
		for range 1 + index(t, 2, "more lines") {
			call.Header.Add(name, pick(t, []string{"1", "text/plain", "de", strings.Repeat("x", 100), "bytes=0-"}, "value"))
		}
	}
	for _, name := range some(t, []string{"Accept", "Accept-Language", "Content-Language", "Content-Type", "Range"}, 2, "safelisted") {
		for range 1 + index(t, 3, "lines") {
			call.Header.Add(name, pick(t, []string{"text/plain", "de", "a/b; c=d", "\"quoted\"", strings.Repeat("x", 100), "bytes=0-9", "é"}, "value"))
		}
	}
	for _, field := range some(t, forbiddenFields, 2, "forbidden") {
		name, value, _ := strings.Cut(field, ": ")
		call.Header.Add(name, value)
	}
	for name, values := range c.Answer {
		if !strings.ContainsAny(name, " :") { // Try refuses other names
			call.Response[http.CanonicalHeaderKey(name)] = append(call.Response[http.CanonicalHeaderKey(name)], values...)
		}
	}
	if _, governed := w.RuleFor(call.Target, c.canBeCall()); !governed && chance(t, 50, "the handler grants") {
		for _, field := range []struct {
			name   string
			values []string
		}{ // in an order, so that a seed draws the same calls again
			{"Access-Control-Allow-Origin", []string{"*", call.Origin, "https://app.example.com"}},
			{"Access-Control-Allow-Credentials", []string{"true", "TRUE"}},
			{"Access-Control-Allow-Methods", []string{"*", "PUT, PATCH", "put", "a b"}},
			{"Access-Control-Allow-Headers", []string{"*", "x-a, X-B", "authorization, *", "a b", "a b"}},
			{"Access-Control-Expose-Headers", []string{"*", "x-a, ETAG", "a b"}},
			{"Access-Control-Max-Age", []string{"0", "60", "x"}},
		} {
			for range index(t, 3, "lines of "+field.name) {
				call.Response.Add(field.name, pick(t, field.values, field.name))
			}
		}
	}
	return call
}

// compareTry fails the test unless Try has the outcomes of corsbrowser.
func compareTry(t fataler, w *world, call corsinspect.Call) *corsinspect.Trial {
	t.Helper()
	trial, err := corsinspect.Try(w.layer.Plan(), call)
	if err != nil {
		t.Fatalf("%+v: %v", call, err)
	}
	for i, engine := range corsbrowser.Engines() {
		got, want := describeOutcome(trial.Outcomes[i]), describeOutcome(tryByHand(t, w, call, engine))
		if got != want {
			t.Fatalf("%+v in %s\n%s\nin the browser\n%s\npolicy %s", call, engine, got, want, prototext.Format(w.Policy))
		}
	}
	return trial
}

// tryByHand makes the call with corsbrowser.
func tryByHand(t fataler, w *world, call corsinspect.Call, engine corsbrowser.Engine) (o corsinspect.Outcome) {
	t.Helper()
	r, err := http.NewRequest(call.Method, call.Server+call.Target, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = call.Header.Clone()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	init := corsbrowser.Init{Credentials: corsbrowser.Omit, ScriptSets: []string{"User-Agent"}}
	if call.Credentials {
		init.Credentials = corsbrowser.Include
		jar.SetCookies(r.URL, []*http.Cookie{{Name: "session", Value: "1", Path: "/"}})
	}
	browser, err := corsbrowser.New(call.Origin, corsbrowser.WithEngine(engine), corsbrowser.WithCookieJar(jar), corsbrowser.WithDefaults(init),
		corsbrowser.WithHandler(w.layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for name, values := range call.Response {
				w.Header()[name] = slices.Clone(values)
			}
		}))))
	if err != nil {
		t.Fatal(err)
	}
	response, err := browser.RoundTrip(r)
	if err == nil {
		_ = response.Body.Close()
		o.Readable = response.Header
	} else if !errors.As(err, &o.Blocked) {
		t.Fatal(err)
	}
	for _, e := range browser.Log() {
		o.Dropped = e.Dropped
		o.Exchanges = append(o.Exchanges, corsinspect.Exchange{Preflight: e.Preflight, Request: corsrpc.Request{Method: e.Method, Header: e.Header}, Status: e.Status, Answer: e.Answer})
	}
	return o
}

// describeOutcome formats the parts of an outcome that the tests compare.
func describeOutcome(o corsinspect.Outcome) string {
	text := fmt.Sprintf("readable %v, dropped %v", o.Readable, o.Dropped)
	if o.Blocked != nil {
		text = fmt.Sprintf("%+v, dropped %v", *o.Blocked, o.Dropped)
	}
	for _, e := range o.Exchanges {
		text += fmt.Sprintf("\n%t %s %v is answered %d %v", e.Preflight, e.Request.Method, e.Request.Header, e.Status, e.Answer)
	}
	return text
}

// TestTriesAreVaried: the generators draw the kinds of calls for which the inspector's form once
// gave another result than browsers.
func TestTriesAreVaried(t *testing.T) {
	t.Parallel()
	kinds, all := map[string]int{}, 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		for range callsPerPolicy {
			call := drawTry(t, w)
			trial := compareTry(t, w, call)
			all++
			first := describeOutcome(trial.Outcomes[0])
			for _, o := range trial.Outcomes {
				if o.Blocked != nil {
					kinds[string(o.Blocked.Check)]++
				} else {
					kinds[fmt.Sprintf("read after %d exchanges", len(o.Exchanges))]++
				}
				if len(o.Dropped) > 0 {
					kinds["drops fields"]++
				}
				if (o.Blocked == nil) != (trial.Outcomes[0].Blocked == nil) {
					kinds["engines differ"]++
				}
			}
			if strings.Contains(first, "text/plain, de") {
				kinds["several lines"]++
			}
		}
	})
	t.Log(all, kinds)
	for _, kind := range []corsbrowser.Check{
		corsbrowser.CheckMixedContent, corsbrowser.CheckForbiddenMethod, corsbrowser.CheckOriginMissing, corsbrowser.CheckOriginMismatch, corsbrowser.CheckOriginRepeated,
		corsbrowser.CheckOriginWildcard, corsbrowser.CheckCredentials, corsbrowser.CheckMethods, corsbrowser.CheckHeaders, corsbrowser.CheckMethodsMalformed, corsbrowser.CheckHeadersMalformed,
		"read after 1 exchanges", "read after 2 exchanges", "drops fields", "engines differ", "several lines",
	} {
		if n := kinds[string(kind)]; n*5000 < all {
			t.Errorf("%s occurs only %d times in %d calls", kind, n, all)
		}
	}
}
