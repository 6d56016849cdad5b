package intent

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/remedies"
)

// TestRemedies: if the policy, or the request, is changed as the remedy of each refusal says, the policy
// loads, and the request is granted in the end. If the remedy says that no policy grants the request,
// none of those that a developer would try does.
func TestRemedies(t *testing.T) {
	t.Parallel()
	kinds := map[string]int{}
	rapid.Check(t, func(t *rapid.T) { remediesGrantCounted(t, kinds) })
	t.Log(kinds)
}

// remediesPerPolicy is the number of requests for each policy. It is small, since each refusal takes
// several compilations.
const remediesPerPolicy = 12

// remediesGrant is remediesGrantCounted without the numbers.
func remediesGrant(t *rapid.T) { remediesGrantCounted(t, map[string]int{}) }

func remediesGrantCounted(t *rapid.T, kinds map[string]int) {
	w := drawStrict(t)
	for range remediesPerPolicy {
		granted(t, w, drawRefusable(t, w), kinds)
	}
}

// drawStrict draws a world in which rules accept fewer risks, and more rules are disabled or have values that
// a remedy has to replace.
func drawStrict(t *rapid.T) *world {
	w := drawWorld(t)
	from := w.Policy
	from.Policy = proto.CloneOf(from.Policy)
	rules := slices.Concat(from.GetRules(), []*corsrpcv1.Rule{from.GetDefaults()})
	for _, name := range slices.Sorted(maps.Keys(from.GetProfiles())) {
		rules = slices.Concat(rules, from.GetProfiles()[name].GetRules(), []*corsrpcv1.Rule{from.GetProfiles()[name].GetDefaults()})
	}
	for _, r := range rules {
		if r == nil {
			continue
		}
		if chance(t, 60, "fewer risks") {
			r.AcceptRisks = slices.DeleteFunc(slices.Clone(r.AcceptRisks), func(corsrpcv1.Risk) bool { return chance(t, 80, "not accepted") })
		}
		if chance(t, 15, "disabled") {
			r.Disabled = proto.Bool(true)
		}
		if chance(t, 15, "without credentials") {
			r.AllowCredentials = proto.Bool(false)
		}
		if chance(t, 15, "denies names") {
			r.DenyHeaders = append(r.DenyHeaders, some(t, []string{"x-a", "traceparent", "authorization", "x-tenant-id", "x-acme-one"}, 3, "denied")...)
		}
	}
	if strict := newWorld(t, from, w.set); strict != nil {
		return strict
	}
	return w
}

// drawRefusable draws a request that a policy may refuse: a preflight, a call, a handshake, or a request
// without an Origin header.
func drawRefusable(t *rapid.T, w *world) corsrpc.Request {
	c := drawCall(t, w)
	path, query, _ := strings.Cut(c.Path, "?")
	switch i := strings.LastIndexByte(path, '/'); index(t, 16, "another reading") {
	case 0:
		path = strings.ToLower(path)
	case 1:
		path += "/"
	case 2:
		path = path[:i] + "/" + path[i:]
	case 3:
		path += "%2Fa"
	}
	if query != "" {
		path += "?" + query
	}
	method := c.Method
	switch {
	case chance(t, 10, "another letter case"):
		method = strings.ToLower(pick(t, []string{"PATCH", "Patch", "PUT", "FOO"}, "method in another letter case"))
	case chance(t, 5, "forbidden method"):
		method = pick(t, []string{"TRACE", "track", "Connect", "*", "FOO"}, "forbidden")
	}
	r := httptest.NewRequest(http.MethodPost, c.API+path, nil)
	r.Method = method
	r.Header = http.Header{"Origin": {c.Page}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"cors"}}
	switch kind := index(t, 16, "kind of request"); {
	case kind < 8:
		r.Method = http.MethodOptions
		r.Header.Set("Access-Control-Request-Method", method)
		names := append(c.Header, some(t, unusualHeaders, 2, "unusual headers")...)
		if len(names) > 0 {
			r.Header.Set("Access-Control-Request-Headers", strings.ToLower(strings.Join(names, ",")))
		}
	case kind == 8:
		r.Method = http.MethodGet
		r.Header.Set("Upgrade", "websocket")
		r.Header.Set("Sec-Fetch-Mode", "websocket")
	case kind == 9:
		r.Header.Set("Sec-Fetch-Mode", "no-cors")
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			r.Header.Del("Origin")
		}
	case kind == 10:
		r.Header["Origin"] = pick(t, [][]string{{c.Page, c.Page}, {"https://evil.example/\x1b%"}, {"ttps://evil.example"}, {"https://a..b"}}, "unusual origin")
	}
	if r.Header.Get("Access-Control-Request-Method") == "" {
		if chance(t, 50, "cookie") {
			r.Header.Set("Cookie", "session=1")
		}
		if chance(t, 20, "authorization") {
			r.Header.Set("Authorization", "Bearer x")
		}
	}
	return corsrpc.RequestOf(r)
}

// unusualHeaders are names that no policy can grant, or whose remedy is another one than allow_headers.
var unusualHeaders = []string{
	"traceparent", "sentry-trace", "x-datadog-trace-id", "connect-protocol-version", "connect-timeout-ms", "x-grpc-web", "grpc-timeout", "access-control-allow-origin", "set-cookie", "x-*", "*", "x y", "cookie",
	"authorization", "x-" + strings.Repeat("a", 298), "x-long-" + strings.Repeat("a", 400),
}

// granted applies the remedies until the request is granted.
func granted(t *rapid.T, w *world, request corsrpc.Request, kinds map[string]int) {
	var followed []string
	failed := func(d corsrpc.Decision, err error) {
		t.Helper()
		t.Fatalf("%s %s %v\nafter %q\n%s %s: %s\n%v\nprofile %q prefixes %v env %v\npolicy %s\noptions %v", request.Method, request.Path, request.Header, followed, d.Reason(), d.Missing(), d.Remedy(), err, w.Profile, w.Prefixes, w.Env, prototext.Format(w.Policy), w.Options)
	}
	for {
		plan := w.layer.Plan()
		d := plan.Decide(request)
		steps := plan.Explain(request)
		if last := steps[len(steps)-1]; !reflect.DeepEqual(last.Decision, d) {
			t.Fatalf("Explain ends in %s, and Decide in %s", last.Decision.Reason(), d.Reason())
		}
		remedy := d.Remedy()
		if !d.Refused() {
			if remedy != "" {
				failed(d, errors.New("a remedy without a refusal"))
			}
			return
		}
		problem := fmt.Sprintf("%s %s: %s", d.Reason(), d.Missing(), remedy)
		if strings.Trim(remedy, printable) != "" || len(remedy) > 4000 {
			failed(d, fmt.Errorf("a remedy of %d bytes", len(remedy)))
		}
		if slices.Contains(followed, problem) || len(followed) > 10 {
			failed(d, errors.New("the remedy does not help"))
		}
		followed = append(followed, problem)
		kinds[string(d.Reason())]++
		if remedy == d.Reason().Remedy() && strings.Contains(d.Missing(), strings.Repeat("a", 300)) {
			return // a name that is too long for a remedy
		}
		from := remedies.Case{Policy: w.Policy.Policy, Options: w.Options, Sources: w.Sources, Request: request, Place: func(field string) string { return field }}
		a, err := remedies.Apply(from, remedy)
		if err != nil {
			failed(d, err)
		}
		if a.Nothing && !a.ChangesPolicy {
			kinds["nothing"]++
			for _, wider := range remedies.Wider(from, d, a) {
				other := w.changed(wider)
				if err := other.compile(t); err == nil && !other.layer.Plan().Decide(request).Refused() {
					failed(d, fmt.Errorf("this policy grants the request: %s", prototext.Format(wider.Policy)))
				}
			}
		}
		if !a.ChangesPolicy && !a.ChangesRequest {
			return
		}
		next := w.changed(a.Case)
		err = next.compile(t)
		if err != nil && next.loadsAlone(t) {
			kinds["another profile"]++
			return // the error says which other profile, or which shadow policy, forbids the change
		}
		var problems *corsrpc.PolicyError
		if errors.As(err, &problems) && d.Reason() == corsrpc.ReasonCredentialsNotAllowed && !slices.ContainsFunc(problems.Violations, func(v corsrpc.Violation) bool { return !isAboutOtherOrigins(v) }) {
			kinds["added origins"]++
			return // no rule takes the profile's other origins any more, which is the policy's next problem
		}
		if err != nil {
			failed(d, err)
		}
		w, request = next, a.Request
	}
}

// printable are the printable characters of ASCII.
var printable = func() string {
	var b strings.Builder
	for c := ' '; c <= '~'; c++ {
		b.WriteRune(c)
	}
	return b.String()
}()

// changed returns the world with the policy, the options and the sources of a case.
func (w *world) changed(c remedies.Case) *world {
	other := w.with(proto.CloneOf(c.Policy))
	other.Options, other.Sources = c.Options, c.Sources
	return other
}

// isAboutOtherOrigins reports whether a violation is about origins of a profile that no rule takes.
func isAboutOtherOrigins(v corsrpc.Violation) bool {
	return v.Check == corsrpc.CheckNoOrigins && addedField.MatchString(v.Field) ||
		v.Check == corsrpc.CheckRuleIneffective && strings.HasSuffix(strings.TrimSuffix(v.Field, "_from"), ".defaults.allow_origins")
}

// loadsAlone reports whether the policy loads without its shadow policy, without the profiles that are not
// chosen, or without both.
func (w *world) loadsAlone(t *rapid.T) bool {
	for _, without := range []struct{ shadow, profiles bool }{{false, true}, {true, false}, {true, true}} {
		policy := proto.CloneOf(w.Policy.Policy)
		if without.shadow {
			policy.Shadow = nil
		}
		if without.profiles {
			maps.DeleteFunc(policy.Profiles, func(name string, _ *corsrpcv1.Profile) bool { return name != w.Profile })
		}
		if w.with(policy).compile(t) == nil {
			return true
		}
	}
	return false
}
