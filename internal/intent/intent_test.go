package intent

import (
	"encoding/binary"
	"errors"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/internal/figures"
)

func sorted(m map[string]bool) []string { return slices.Sorted(maps.Keys(m)) }

func protoName(s string) protoreflect.Name { return protoreflect.Name(s) }

func listValue(l protoreflect.List) protoreflect.Value { return protoreflect.ValueOfList(l) }

// callsPerPolicy is the number of calls for each policy.
const callsPerPolicy = 50

// TestIntentIsEffect: for random policies, schemas, calls and responses, the browser lets a
// script do and read exactly what the model allows. The flag -rapid.checks sets the number
// of policies.
func TestIntentIsEffect(t *testing.T) {
	t.Parallel()
	policies := 0
	rapid.Check(t, func(t *rapid.T) {
		policies++
		intentIsEffect(t)
	})
	figures.Measure(t, "intent.policies", figures.Count(policies))
	figures.Measure(t, "intent.calls", figures.Count(policies*callsPerPolicy))
}

func intentIsEffect(t *rapid.T) {
	w := drawWorld(t)
	for range callsPerPolicy {
		c := drawCall(t, w)
		compare(t, w, c)
	}
}

// FuzzProperties checks all properties with random draws from a seed.
func FuzzProperties(f *testing.F) {
	properties := []func(*testing.T, []byte){}
	for _, property := range []func(*rapid.T){
		intentIsEffect, preflightAndCallAgree, wideningNarrowsNothing, orderOfRules, otherOriginsDoNotShow, observeChangesNothing, handshakesAreGuarded, shadowsAreTold, remediesGrant, sharedCacheIsSafe, preflightsAreRemembered, tryIsTheBrowser, removedFindings, readableRefusalsRunNothing, fixesHelp,
		comparisonIsEffect, gainsAreSeen, nothingElseIsGained, func(t *rapid.T) { guaranteesAreProven(t) },
	} {
		properties = append(properties, rapid.MakeFuzz(property))
	}
	f.Add(uint64(0))
	f.Fuzz(func(t *testing.T, seed uint64) {
		draws := make([]byte, 2<<20) // more than any property uses; rapid stops a property that uses them up
		random := rand.NewChaCha8([32]byte(binary.LittleEndian.AppendUint64(make([]byte, 24), seed)))
		_, _ = random.Read(draws) // never fails
		for _, property := range properties {
			property(t, draws)
		}
	})
}

// TestCallsAreVaried: each kind of outcome occurs at least once in 2,000 generated calls, so
// that TestIntentIsEffect compares all kinds.
func TestCallsAreVaried(t *testing.T) {
	t.Parallel()
	kinds := map[string]int{}
	all := 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		for range callsPerPolicy {
			c := drawCall(t, w)
			got, log, _ := effect(t, w.layer.Wrap, c)
			rule, governed := w.RuleFor(c.Path, c.canBeCall())
			all++
			switch {
			case c.Page == c.API && got.Status == http.StatusForbidden && !got.Runs:
				kinds["a host that MCP does not trust"]++
			case c.Page == c.API:
				kinds["same origin"]++
			case governed && rule.MCP() && got.Reads:
				kinds["MCP, read"]++
			case !governed:
				kinds["not governed"]++
			case c.Mode == corsbrowser.NoCORS && got.Runs:
				kinds["no-cors, reaches the handler"]++
			case c.Mode == corsbrowser.NoCORS:
				kinds["no-cors, refused"]++
			case rule.Disabled():
				kinds["disabled"]++
			case !rule.AllowsOrigin(c.Page):
				kinds["origin refused"]++
			case got.Status == http.StatusMethodNotAllowed:
				kinds["405"]++
			case got.Reads && c.Credentials == corsbrowser.Include:
				kinds["read with credentials"]++
			case got.Reads && len(log) > 1:
				kinds["read after a preflight"]++
			case got.Reads:
				kinds["read without a preflight"]++
			case got.Runs:
				kinds["reaches the handler, unreadable"]++
			case len(log) > 0 && log[0].Preflight:
				kinds["preflight not enough"]++
			case len(log) > 0 && log[0].Header.Get("Cookie") != "":
				kinds["cookies refused"]++
			}
		}
	})
	t.Log(all, kinds)
	if len(kinds) < 15 {
		t.Errorf("a kind of outcome never occurs: %v", kinds)
	}
	for kind, n := range kinds {
		if n*2000 < all {
			t.Errorf("%s occurs only in %d of %d calls", kind, n, all)
		}
	}
}

// outcome is the result of a call.
type outcome struct {
	Runs    bool   // the handler gets the call
	Reads   bool   // the script can read the response
	Reaches bool   // the page gets an opaque response that is not a refusal, such as an image
	Status  int    // the status that the script reads
	Headers string // the header names that the script reads
	Status3 bool   // the three status headers of gRPC are exposed, in a readable gRPC-Web response
	Timing  bool   // the page sees the timing details of the response
}

// fataler is the part of testing.T and rapid.T that compare needs.
type fataler interface {
	failer
	Fatalf(format string, args ...any)
}

// compare fails the test unless the effect of a call equals its intent. It also checks
// that the handler's Vary is kept, that no rule for pages of unrelated owners allows credentials,
// and that responses to refused origins have no Access-Control fields.
func compare(t fataler, w *world, c call) {
	t.Helper()
	got, log, err := effect(t, w.layer.Wrap, c)
	want := w.intent(c, log)
	if got != want {
		t.Fatalf("%+v\ngot  %+v (%v)\nwant %+v\nlog %+v\npolicy %s", c, got, err, want, log, prototext.Format(w.Policy))
	}
	rule, governed := w.RuleFor(c.Path, c.canBeCall())
	if vary := c.Answer.Get("Vary"); got.Runs && !slices.Contains(log[len(log)-1].Answer["Vary"], vary) && vary != "" {
		t.Fatalf("%+v\nthe handler's Vary is lost: %+v", c, log)
	}
	if governed && rule.Credentials() && slices.ContainsFunc(rule.Origins(), isUnrelated) {
		t.Fatalf("%s allows credentials to pages of unrelated owners\npolicy %s", c.Path, prototext.Format(w.Policy))
	}
	if !governed || c.Page == c.API || rule.allowsCall(c.Page) {
		return
	}
	for _, e := range log {
		for name := range e.Answer {
			if strings.HasPrefix(strings.ToLower(name), "access-control-") && e.Header.Get("Origin") != "" {
				t.Fatalf("%+v\nthe response to a refused origin has %s: %+v\npolicy %s", c, name, e, prototext.Format(w.Policy))
			}
		}
	}
}

// effect makes the call in a browser, with the handler in wrap.
func effect(t fataler, wrap func(http.Handler) http.Handler, c call) (outcome, []corsbrowser.Exchange, error) {
	var got outcome
	handler := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !(r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "") {
			got.Runs = true
		}
		if c.Commit == "early hints" {
			rw.WriteHeader(http.StatusEarlyHints)
		}
		for name, values := range c.Answer {
			rw.Header()[name] = slices.Clone(values)
		}
		switch c.Commit {
		case "Write":
			_, _ = rw.Write(nil)
		case "Flush":
			rw.(http.Flusher).Flush()
		case "return":
			return
		default:
			rw.WriteHeader(c.Status)
		}
		rw.Header().Set("X-Too-Late", "v")
	})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.HasCookie {
		api, err := url.Parse(c.API)
		if err != nil {
			t.Fatal(err)
		}
		jar.SetCookies(api, []*http.Cookie{{Name: "session", Value: "1"}})
	}
	b, err := corsbrowser.New(c.Page, corsbrowser.WithHandler(wrap(handler)), corsbrowser.WithEngine(c.Engine), corsbrowser.WithCookieJar(jar),
		corsbrowser.WithDefaults(corsbrowser.Init{Mode: c.Mode, Credentials: c.Credentials, ForcePreflight: c.ForcePreflight}))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(c.Method, c.API+c.Path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range c.Header {
		r.Header.Set(name, "v")
		if name == "content-type" && c.SafeHeader {
			r.Header.Set(name, "text/plain")
		}
	}
	response, err := b.RoundTrip(r)
	if err != nil {
		var blocked *corsbrowser.BlockedError
		if !errors.As(err, &blocked) {
			t.Fatal(err)
		}
		return got, b.Log(), err
	}
	_ = response.Body.Close()
	last := b.Log()[len(b.Log())-1]
	got.Timing = last.TimingAllowed
	if c.Mode == corsbrowser.NoCORS && c.Page != c.API {
		got.Reaches = last.Status != http.StatusForbidden && last.Status != http.StatusMethodNotAllowed
		return got, b.Log(), nil
	}
	got.Reads, got.Status, got.Headers = true, response.StatusCode, names(slices.Collect(maps.Keys(response.Header)))
	exposed := last.Answer.Get("Access-Control-Expose-Headers")
	got.Status3 = c.Page != c.API && IsGRPCWeb(last.Answer.Get("Content-Type")) && strings.Contains(exposed, "grpc-message, grpc-status, grpc-status-details-bin")
	return got, b.Log(), nil
}

// names sorts a list and joins it.
func names(list []string) string {
	slices.Sort(list)
	return strings.Join(list, " ")
}

// allowsCall reports whether pages of an origin may call.
func (r Rule) allowsCall(page string) bool { return !r.Disabled() && r.AllowsOrigin(page) }

// intent returns the outcome of the call according to the model. From the log it only uses
// whether the browser sent a preflight and cookies, and the header of the response.
func (w *world) intent(c call, log []corsbrowser.Exchange) (o outcome) {
	defer func() { o.Reaches = o.Runs && c.Mode == corsbrowser.NoCORS && c.Page != c.API }()
	var preflighted, hadCookies bool
	answer := c.Answer
	for _, e := range log {
		preflighted = preflighted || e.Preflight
		hadCookies = hadCookies || e.Header.Get("Cookie") != ""
		if !e.Preflight {
			answer = e.Answer
		}
	}
	if strings.HasPrefix(c.Page, "https:") && strings.HasPrefix(c.API, "http:") {
		return outcome{} // mixed content
	}
	reads := func(status int, shows func(name string) bool) outcome {
		var readable []string
		for name := range answer {
			if shows(name) {
				readable = append(readable, name)
			}
		}
		return outcome{Runs: true, Reads: true, Status: status, Headers: names(readable)}
	}
	rule, governed := w.RuleFor(c.Path, c.canBeCall())
	fetchMetadata := strings.HasPrefix(c.API, "https:")
	if c.Page == c.API && governed && !rule.TrustsOwn(c.Page) && (fetchMetadata || c.Method != http.MethodGet && c.Method != http.MethodHead) {
		o := reads(http.StatusForbidden, func(string) bool { return true }) // the layer's answer, which the browser takes for the page's own
		o.Runs, o.Timing = false, true
		return o
	}
	if c.Page == c.API {
		o := reads(c.Status, func(name string) bool { return name != "Set-Cookie" })
		o.Timing = true
		return o
	}
	if !governed {
		return outcome{Runs: !preflighted, Timing: c.Mode == corsbrowser.NoCORS && c.handlerShowsTiming()}
	}
	timing := rule.Timing() || c.handlerShowsTiming() // of a response of the handler with the fields of the layer
	anySite := rule.Everyone() || rule.Unrelated(c.Page)
	if c.Mode == corsbrowser.NoCORS {
		runs := rule.allowsCall(c.Page) && !fetchMetadata && (rule.Credentials() || !hadCookies)
		switch {
		case c.Method != http.MethodPost && !fetchMetadata: // the request looks like that of a program
			runs = true
		case c.Method != http.MethodPost && !rule.OnlyCalls():
			runs = !rule.Disabled() && !rule.Credentials()
		case c.Method != http.MethodPost:
			runs = !rule.Disabled() && rule.Everyone()
		case rule.MCP():
			runs = runs && rule.AllowsMethod(c.Method)
		case rule.isPath:
			runs = rule.allowsCall(c.Page) && rule.AllowsMethod(c.Method) && !(hadCookies && anySite)
		}
		if open := rule.Everyone() && !rule.Disabled() && (!rule.isPath || rule.AllowsMethod(c.Method)); c.Method != http.MethodPost && !open {
			timing = c.handlerShowsTiming() // the request has no Origin, and its response no field of the layer
		}
		return outcome{Runs: runs, Timing: runs && timing}
	}
	if !rule.allowsCall(c.Page) {
		return outcome{}
	}
	readable := c.Credentials != corsbrowser.Include || rule.Credentials()
	if preflighted {
		safelisted := slices.Contains([]string{"GET", "HEAD", "POST"}, c.Method)
		granted := safelisted || rule.AllowsMethod(c.Method)
		for _, name := range c.Header {
			granted = granted && (name == "content-type" && c.SafeHeader || rule.AllowsHeader(name))
		}
		if !granted || !readable {
			return outcome{}
		}
	}
	shows := func(name string) bool { return rule.Shows(name, c.Status, c.Answer["Connection"]) }
	switch {
	case rule.isPath && !rule.AllowsMethod(c.Method):
		if !readable {
			return outcome{}
		}
		o := reads(http.StatusMethodNotAllowed, func(name string) bool { return rule.Shows(name, 405, nil) })
		o.Runs = false
		return o
	case rule.OnlyCalls() && hadCookies && !rule.Credentials():
		return outcome{}
	case rule.isPath && hadCookies && anySite && c.Method != http.MethodGet && c.Method != http.MethodHead:
		return outcome{}
	case !readable:
		return outcome{Runs: true}
	}
	o = reads(c.Status, shows)
	o.Timing = timing
	o.Status3 = IsGRPCWeb(c.Answer.Get("Content-Type")) && rule.ListsStatus(c.Status)
	return o
}

// handlerShowsTiming reports whether the handler's own Timing-Allow-Origin allows the page.
func (c call) handlerShowsTiming() bool {
	for name, values := range c.Answer {
		for _, value := range strings.Split(strings.Join(values, ","), ",") {
			if value = strings.TrimSpace(value); strings.EqualFold(name, "Timing-Allow-Origin") && (value == "*" || value == c.Page) {
				return true
			}
		}
	}
	return false
}
