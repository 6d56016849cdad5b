package intent

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// passes reports whether a response passes the CORS check of a call
// (https://fetch.spec.whatwg.org/#concept-cors-check).
func passes(header http.Header, c call) bool {
	from, credentials := header["Access-Control-Allow-Origin"], header["Access-Control-Allow-Credentials"]
	if c.Credentials == corsbrowser.Include {
		return slices.Equal(from, []string{c.Page}) && slices.Equal(credentials, []string{"true"})
	}
	return slices.Equal(from, []string{c.Page}) || slices.Equal(from, []string{"*"})
}

// TestPreflightAndCallAgree: the response to a preflight passes the CORS check if and only
// if the response to its call does.
func TestPreflightAndCallAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, preflightAndCallAgree)
}

func preflightAndCallAgree(t *rapid.T) {
	w := drawWorld(t)
	for range callsPerPolicy {
		c := drawCall(t, w)
		rule, governed := w.RuleFor(c.Path, c.canBeCall())
		if !governed || c.Page == c.API {
			continue
		}
		if !rule.AllowsHeader("Authorization") { // a browser does not send it, so the layer takes it for a program's
			c.Header = slices.DeleteFunc(c.Header, func(name string) bool { return name == "Authorization" })
		}
		send := func(method string, header http.Header) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, c.API+c.Path, nil)
			r.Header = header
			r.Header.Set("Origin", c.Page)
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Sec-Fetch-Mode", "cors")
			rec := httptest.NewRecorder()
			w.layer.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(rec, r)
			return rec
		}
		preflight := send(http.MethodOptions, http.Header{
			"Access-Control-Request-Method": {c.Method}, "Access-Control-Request-Headers": {strings.ToLower(strings.Join(c.Header, ","))},
		})
		header := http.Header{}
		if c.Credentials == corsbrowser.Include && c.HasCookie {
			header.Set("Cookie", "session=1")
		}
		for _, name := range c.Header {
			header.Set(name, "v")
		}
		call := send(c.Method, header)
		if (preflight.Code == http.StatusNoContent && passes(preflight.Header(), c)) != passes(call.Header(), c) {
			t.Fatalf("%+v\npreflight %d %v\ncall %d %v\npolicy %s", c, preflight.Code, preflight.Header(), call.Code, call.Header(), prototext.Format(w.Policy))
		}
	}
}

// TestWideningNarrowsNothing: a rule that grants more does not block any call, or hide any
// header, that the original rule allowed.
func TestWideningNarrowsNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, wideningNarrowsNothing)
}

func wideningNarrowsNothing(t *rapid.T) {
	w := drawWorld(t)
	wider := drawWider(t, w)
	for range callsPerPolicy {
		c := drawCall(t, w)
		rule, _ := w.RuleFor(c.Path, c.canBeCall())
		if !rule.Everyone() && rule.allowsCall(c.Page) && rule.Unrelated(c.Page) {
			continue // a profile does not add such an origin to a rule with allow_credentials
		}
		if widened, _ := wider.RuleFor(c.Path, c.canBeCall()); rule.isPath && !rule.Everyone() && widened.Everyone() {
			continue // where everyone may call, a path needs allow_methods to grant content-type, and refuses cookies
		}
		before, _, _ := effect(t, w.layer.Wrap, c)
		after, _, _ := effect(t, wider.layer.Wrap, c)
		if before.Status == http.StatusMethodNotAllowed || before.Status == http.StatusForbidden && !before.Runs {
			before = outcome{} // the wider policy may allow the method, or the server's own origin
		}
		lost := before.Reads && (!after.Reads || before.Status != after.Status) ||
			before.Runs && !after.Runs && c.Mode == corsbrowser.CORS // allow_credentials protects the path from requests in mode no-cors
		for _, name := range strings.Fields(before.Headers) {
			if name == "Vary" && c.Answer["Vary"] == nil || strings.HasPrefix(name, "Access-Control-") {
				continue // the layer sets these headers
			}
			lost = lost || !slices.Contains(strings.Fields(after.Headers), name)
		}
		if lost {
			t.Fatalf("%+v\nbefore %+v\nafter  %+v\npolicy %s\nwider %s", c, before, after, prototext.Format(w.Policy), prototext.Format(wider.Policy))
		}
	}
}

// drawWider returns a copy of the world with one rule that grants more.
func drawWider(t *rapid.T, w *world) *world {
	for first, i := index(t, len(widenings), "widening"), 0; i < len(widenings); i++ {
		wider := w.with(proto.CloneOf(w.Policy.Policy))
		if wider.Defaults == nil {
			wider.Defaults = &corsrpcv1.Rule{}
		}
		rules := append(slices.Clip(wider.GetRules()), wider.Defaults)
		widen := widenings[(first+i)%len(widenings)]
		if widen(t, pick(t, rules, "rule")) && wider.compile(t) == nil {
			return wider
		}
	}
	t.Fatalf("no widening of this policy compiles: %s", prototext.Format(w.Policy))
	return nil
}

// widenings are functions that change a rule so that it grants more. They return false if
// they cannot. The changed policy may still not be valid.
var widenings = []func(t *rapid.T, r *corsrpcv1.Rule) bool{
	func(t *rapid.T, r *corsrpcv1.Rule) bool {
		r.AllowOrigins = append(r.AllowOrigins, pick(t, originPatterns, "origin"))
		return len(r.AllowOrigins) > 1 // a first origin would replace the inherited ones
	},
	func(t *rapid.T, r *corsrpcv1.Rule) bool {
		r.AllowHeaders = append(r.AllowHeaders, pick(t, requestItems, "allowed"))
		return true
	},
	func(t *rapid.T, r *corsrpcv1.Rule) bool {
		r.ExposeHeaders = append(r.ExposeHeaders, pick(t, responseItems, "exposed"))
		return true
	},
	func(t *rapid.T, r *corsrpcv1.Rule) bool { return drop(t, &r.DenyHeaders) },
	func(t *rapid.T, r *corsrpcv1.Rule) bool { return drop(t, &r.HideHeaders) },
	func(_ *rapid.T, r *corsrpcv1.Rule) bool {
		r.AllowCredentials = proto.Bool(true)
		return true
	},
	func(_ *rapid.T, r *corsrpcv1.Rule) bool {
		r.AllowMethods = append(r.AllowMethods, "PUT", "GET")
		return len(r.AllowMethods) > 2
	},
	func(_ *rapid.T, r *corsrpcv1.Rule) bool {
		r.Expose = corsrpcv1.Exposure_EXPOSURE_PRESENT
		return true
	},
	func(_ *rapid.T, r *corsrpcv1.Rule) bool {
		r.Tracing = proto.Bool(true)
		return true
	},
}

// drop removes an item of a list, and returns false if the list is empty.
func drop(t *rapid.T, list *[]string) bool {
	if len(*list) == 0 {
		return false
	}
	i := index(t, len(*list), "dropped")
	*list = slices.Delete(slices.Clone(*list), i, i+1)
	return true
}

// TestOrderOfRules: the order of rules does not matter.
func TestOrderOfRules(t *testing.T) {
	t.Parallel()
	rapid.Check(t, orderOfRules)
}

func orderOfRules(t *rapid.T) {
	w := drawWorld(t)
	shuffled := proto.CloneOf(w.Policy.Policy)
	for i := range shuffled.Rules {
		j := i + index(t, len(shuffled.Rules)-i, "swap")
		shuffled.Rules[i], shuffled.Rules[j] = shuffled.Rules[j], shuffled.Rules[i]
	}
	other := w.with(shuffled)
	if err := other.compile(t); err != nil {
		t.Fatal(err)
	}
	for range callsPerPolicy {
		sameAnswers(t, w, other, drawCall(t, w))
	}
}

// sameAnswers fails the test unless two policies give the same responses to a call. The layer's reasons
// are not compared, since they name the place of a rule in its policy.
func sameAnswers(t *rapid.T, a, b *world, c call) {
	t.Helper()
	first, logFirst, _ := effect(t, a.layer.Wrap, c)
	second, logSecond, _ := effect(t, b.layer.Wrap, c)
	for _, log := range [][]corsbrowser.Exchange{logFirst, logSecond} {
		for i := range log {
			log[i].Refusal = ""
		}
	}
	if first != second || !reflect.DeepEqual(logFirst, logSecond) {
		t.Fatalf("%+v\none   %+v %+v\nother %+v %+v\npolicy %s\nother %s", c, first, logFirst, second, logSecond, prototext.Format(a.Policy), prototext.Format(b.Policy))
	}
}

// TestOtherOriginsDoNotShow: the response to an allowed origin does not depend on the other
// allowed origins.
func TestOtherOriginsDoNotShow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, otherOriginsDoNotShow)
}

func otherOriginsDoNotShow(t *rapid.T) {
	w := drawWorld(t)
	for range callsPerPolicy {
		c := drawCall(t, w)
		rule, governed := w.RuleFor(c.Path, c.canBeCall())
		if !governed || rule.Everyone() || !rule.allowsCall(c.Page) {
			continue
		}
		pattern := c.Page
		if scheme, _, _ := split(c.Page); rule.Unrelated(c.Page) && !isUnrelated(c.Page) {
			pattern = scheme + "://*" // a page that is named may send what such a page may not
		}
		alone := proto.CloneOf(w.Policy.Policy)
		for _, r := range append(alone.GetRules(), alone.GetDefaults()) {
			if r != nil && slices.Equal(r.GetAllowOrigins(), rule.Origins()) {
				r.AllowOrigins = []string{pattern}
			}
		}
		other := w.with(alone)
		if err := other.compile(t); err != nil {
			t.Fatal(err)
		}
		sameAnswers(t, w, other, c)
	}
}

// TestObserveChangesNothing: with enforcement: OBSERVE, the response to a request that would
// be refused is that of the handler without a layer. Other responses are those of the
// enforced policy.
func TestObserveChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, observeChangesNothing)
}

func observeChangesNothing(t *rapid.T) {
	w := drawWorld(t)
	observing := w.with(proto.CloneOf(w.Policy.Policy))
	observing.Enforcement = corsrpcv1.Enforcement_ENFORCEMENT_OBSERVE
	if err := observing.compile(t); err != nil {
		t.Fatal(err)
	}
	for range callsPerPolicy {
		c := drawCall(t, w)
		effect(t, func(handler http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				answer := func(h http.Handler) *httptest.ResponseRecorder {
					rec := httptest.NewRecorder()
					h.ServeHTTP(rec, r)
					return rec
				}
				want := answer(w.layer.Wrap(handler))
				d := w.layer.Plan().Decide(corsrpc.RequestOf(r))
				refused := d.Outcome() == corsrpc.OutcomeRefuse || d.Outcome() == corsrpc.OutcomeMethodNotAllowed ||
					d.Outcome() == corsrpc.OutcomePreflight && d.Reason() != corsrpc.ReasonOriginAllowed
				if refused {
					want = answer(handler)
				}
				got := answer(observing.layer.Wrap(handler))
				if got.Code != want.Code || !reflect.DeepEqual(got.Result().Header, want.Result().Header) || got.Body.String() != want.Body.String() {
					t.Fatalf("%+v\nrefused %v (%s)\ngot  %d %v\nwant %d %v\npolicy %s", c, refused, d.Reason(), got.Code, got.Header(), want.Code, want.Header(), prototext.Format(w.Policy))
				}
				maps.Copy(rw.Header(), got.Header())
				rw.WriteHeader(got.Code)
			})
		}, c)
	}
}

// TestWrapCarriesOutDecide: the handler of Wrap responds as Decide says, although it decides on most calls by a
// shorter way.
func TestWrapCarriesOutDecide(t *testing.T) {
	t.Parallel()
	rapid.Check(t, wrapCarriesOutDecide)
}

func wrapCarriesOutDecide(t *rapid.T) {
	w := drawWorld(t)
	for range callsPerPolicy {
		c := drawCall(t, w)
		effect(t, func(handler http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				d := w.layer.Plan().Decide(corsrpc.RequestOf(r))
				want, got := httptest.NewRecorder(), httptest.NewRecorder()
				if status, body, answered := d.Answer(); answered {
					d.Apply(status, want.Header())
					want.WriteHeader(status)
					want.WriteString(body)
				} else {
					a := &applying{ResponseRecorder: want, decision: d}
					handler.ServeHTTP(a, r)
					a.commit(http.StatusOK)
				}
				w.layer.Wrap(handler).ServeHTTP(got, r)
				if got.Code != want.Code || !reflect.DeepEqual(got.Result().Header, want.Result().Header) || got.Body.String() != want.Body.String() {
					t.Fatalf("%+v\n%s (%s)\ngot  %d %v\nwant %d %v\npolicy %s", c, d.Outcome(), d.Reason(), got.Code, got.Header(), want.Code, want.Header(), prototext.Format(w.Policy))
				}
				maps.Copy(rw.Header(), got.Header())
				rw.WriteHeader(got.Code)
			})
		}, c)
	}
}

// applying is a ResponseWriter that applies a decision when the response commits.
type applying struct {
	*httptest.ResponseRecorder
	decision  corsrpc.Decision
	committed bool
}

func (a *applying) commit(status int) {
	if !a.committed && status >= 200 {
		a.committed = true
		a.decision.Apply(status, a.Header())
	}
}

func (a *applying) WriteHeader(status int) {
	a.commit(status)
	a.ResponseRecorder.WriteHeader(status)
}

func (a *applying) Write(p []byte) (int, error) {
	a.commit(http.StatusOK)
	return a.ResponseRecorder.Write(p)
}

func (a *applying) Flush() {
	a.commit(http.StatusOK)
	a.ResponseRecorder.Flush()
}

// sharedCache is a shared cache in front of the layer that respects Vary (RFC 9111,
// section 4.1).
type sharedCache struct {
	next   http.Handler
	stored []storedAnswer
}

// storedAnswer is a cached response, and its request.
type storedAnswer struct {
	method, url     string
	request, header http.Header
	status          int
}

func (s *sharedCache) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, have := range s.stored {
		if have.matches(r) {
			maps.Copy(w.Header(), have.header.Clone())
			w.WriteHeader(have.status)
			return
		}
	}
	rec := httptest.NewRecorder()
	s.next.ServeHTTP(rec, r)
	if safe := r.Method == http.MethodGet || r.Method == http.MethodHead; safe && rec.Header().Get("Cache-Control") != "no-store" {
		s.stored = append(s.stored, storedAnswer{r.Method, r.URL.String(), r.Header.Clone(), rec.Header(), rec.Code})
	}
	maps.Copy(w.Header(), rec.Header().Clone())
	w.WriteHeader(rec.Code) // must be last: the browser continues after it
}

// matches reports whether the response can be used for a request.
func (s storedAnswer) matches(r *http.Request) bool {
	for _, line := range s.header["Vary"] {
		for name := range strings.SplitSeq(line, ",") {
			name = strings.TrimSpace(name)
			if name == "*" || !slices.Equal(s.request.Values(name), r.Header.Values(name)) {
				return false
			}
		}
	}
	return s.method == r.Method && s.url == r.URL.String()
}

// TestSharedCache: a shared cache that respects Vary does not change what scripts can read,
// whoever made the cached requests: pages of other origins, the server's own pages, images
// or programs.
func TestSharedCache(t *testing.T) {
	t.Parallel()
	rapid.Check(t, sharedCacheIsSafe)
}

func sharedCacheIsSafe(t *rapid.T) {
	w := drawWorld(t)
	for range callsPerPolicy / 5 {
		path, answer := pick(t, w.paths(), "path"), http.Header{"X-A": {"v"}, "Cache-Control": {"max-age=60"}}
		_, governed := w.RuleFor(path, false) // a GET without the parameter encoding, or a HEAD
		cache := &sharedCache{next: w.layer.Wrap(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { maps.Copy(rw.Header(), answer.Clone()) }))}
		for range 5 {
			c := drawCall(t, w)
			c.Path, c.API, c.Answer, c.Status, c.Commit, c.Method = path, "https://api.example.com", answer, http.StatusOK, "WriteHeader", pick(t, []string{"GET", "HEAD"}, "method")
			if !governed {
				continue
			}
			if chance(t, 20, "a program") {
				cache.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(c.Method, path, nil))
				continue
			}
			want, _, _ := effect(t, w.layer.Wrap, c)
			got, log, err := effect(t, func(http.Handler) http.Handler { return cache }, c)
			want.Runs, got.Runs = false, false
			if got != want {
				t.Fatalf("%+v\ncached %+v (%v)\ndirect %+v\nlog %+v\nstored %+v\npolicy %s", c, got, err, want, log, cache.stored, prototext.Format(w.Policy))
			}
		}
	}
}

// TestPreflightsAreRemembered: browsers cache a preflight for max_age, up to the engine's
// bound, and for all later calls of Connect clients.
func TestPreflightsAreRemembered(t *testing.T) {
	t.Parallel()
	rapid.Check(t, preflightsAreRemembered)
}

func preflightsAreRemembered(t *rapid.T) {
	longest := map[corsbrowser.Engine]int64{corsbrowser.Standard: 1 << 30, corsbrowser.Chromium: 7200, corsbrowser.Firefox: 86400, corsbrowser.WebKit: 600}
	w := drawWorld(t)
	for range callsPerPolicy {
		c := drawCall(t, w)
		rule, governed := w.RuleFor(c.Path, true)
		mayCall := governed && !rule.isPath && rule.allowsCall(c.Page) && (c.Credentials != corsbrowser.Include || rule.Credentials())
		if !mayCall || c.Page == c.API || strings.HasPrefix(c.API, "http:") || !rule.Speaks(corsrpcv1.Protocol_PROTOCOL_CONNECT) {
			continue
		}
		now := time.Unix(0, 0)
		b, err := corsbrowser.New(c.Page, corsbrowser.WithHandler(w.layer.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))),
			corsbrowser.WithEngine(c.Engine), corsbrowser.WithCredentials(c.Credentials), corsbrowser.WithClock(func() time.Time { return now }))
		if err != nil {
			t.Fatal(err)
		}
		call := func(header ...string) {
			if err := corsbrowser.Connect(c.API+c.Path, header...)(t.Context(), b.Client()); err != nil {
				t.Fatal(err)
			}
		}
		age := min(rule.MaxAge(), longest[c.Engine])
		call()
		if age > 0 {
			now = now.Add(time.Duration(age)*time.Second - 1)
			call("Connect-Timeout-Ms", "1000")
			call()
			if n := b.Preflights(); n != 1 {
				t.Fatalf("%+v: %d preflights within %d s\npolicy %s", c, n, age, prototext.Format(w.Policy))
			}
			now = now.Add(1)
		}
		call()
		if n := b.Preflights(); n != 2 {
			t.Fatalf("%+v: %d preflights after %d s\npolicy %s", c, n, age, prototext.Format(w.Policy))
		}
	}
}
