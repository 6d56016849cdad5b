package analysis_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/analysis"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// schemaOf returns rules with a schema that has the given numbers of methods: M0, M1, ...
func schemaOf(services map[string]int) *rules.Rules {
	r := &rules.Rules{}
	for service, n := range services {
		r.Services = append(r.Services, service)
		for i := range n {
			method := fmt.Sprintf("M%d", i)
			r.Procedures = append(r.Procedures, rules.Procedure{Name: service + "." + method, Service: service, Method: method})
		}
	}
	return r
}

// methodsOf returns the names of the first n methods of a service.
func methodsOf(service string, n int) []string { return numbered(n, service+".M%d") }

// TestSentenceTargets checks how targets are said: folded by service, with counts, and bounded.
func TestSentenceTargets(t *testing.T) {
	t.Parallel()
	with := analysis.NewSentences(schemaOf(map[string]int{"acme.v1.S": 14, "acme.v1.One": 1}), schemaOf(map[string]int{"acme.v1.S": 13, "acme.v1.T": 2}))
	without := analysis.NewSentences(&rules.Rules{}, &rules.Rules{})
	hidden := analysis.NewSentences(&rules.Rules{Prefixes: []string{"/api"}, Selectors: []rules.Selector{{Name: "acme.secret.v1.*"}, {Name: "grpc.health.v1.Health"}}}, &rules.Rules{})
	for _, test := range []struct {
		sentences *analysis.Sentences
		targets   []string
		want      string
	}{
		{with, methodsOf("acme.v1.S", 14), "all 14 methods of acme.v1.S"},
		{with, methodsOf("acme.v1.S", 13), "13 of 14 methods of acme.v1.S"},
		{with, methodsOf("acme.v1.S", 3), "3 of 14 methods of acme.v1.S (M0, M1 and M2)"},
		{with, methodsOf("acme.v1.S", 1), "acme.v1.S.M0"},
		{with, methodsOf("acme.v1.One", 1), "acme.v1.One.M0"},
		{with, append(methodsOf("acme.v1.S", 14), methodsOf("acme.v1.T", 2)...), "all 14 methods of acme.v1.S and all 2 methods of acme.v1.T"},
		{with, []string{"*"}, "every other procedure"},
		{with, []string{"acme.v1.*"}, "other procedures of acme.v1.*"},
		{with, []string{"acme.v1.S"}, "methods of acme.v1.S that the schema does not have"},
		{with, []string{"*", "/files/", "acme.v1.S.M0"}, "acme.v1.S.M0, every other procedure and the path /files/"},
		{with, numbered(9, "/p%d"), "the path /p0, the path /p1, the path /p2, the path /p3, the path /p4, the path /p5 and 3 more"},
		{with, numbered(1000, "acme.v2.S%d.*"), "every procedure of acme.v2.S0.*, every procedure of acme.v2.S1.*, every procedure of acme.v2.S2.*, every procedure of acme.v2.S3.*, every procedure of acme.v2.S4.*, every procedure of acme.v2.S5.* and 994 more"},
		{without, []string{"acme.v1.S.Get", "acme.v2.*"}, "every procedure of acme.v2.* and acme.v1.S.Get"},
		{without, []string{"acme.v1.S.Get", "acme.v1.*", "*"}, "every procedure"},
		{with, append([]string{"acme.v1.*", "acme.v1.S"}, slices.Concat(methodsOf("acme.v1.S", 14), methodsOf("acme.v1.T", 2), methodsOf("acme.v1.One", 1))...), "every procedure of acme.v1.*"},
		{with, append([]string{"acme.v1.*", "acme.v1.S"}, slices.Concat(methodsOf("acme.v1.S", 14), methodsOf("acme.v1.T", 1), methodsOf("acme.v1.One", 1))...), "acme.v1.One.M0, all 14 methods of acme.v1.S, acme.v1.T.M0 and other procedures of acme.v1.*"},
		{with, append([]string{"*", "acme.v1.*", "/files/"}, slices.Concat(methodsOf("acme.v1.S", 14), methodsOf("acme.v1.T", 2), methodsOf("acme.v1.One", 1))...), "every procedure and the path /files/"},
		{with, append([]string{"*", "acme.v1.*"}, slices.Concat(methodsOf("acme.v1.S", 13), methodsOf("acme.v1.T", 2), methodsOf("acme.v1.One", 1))...), "acme.v1.One.M0, 13 of 14 methods of acme.v1.S, all 2 methods of acme.v1.T, every other procedure and other procedures of acme.v1.*"},
		{hidden, []string{"*"}, "every other procedure"},
		{hidden, []string{"*", "acme.secret.v1.*"}, "every procedure"},
		{hidden, []string{"/api/acme.v1.S/Get", "/api/acme.v1.S/List", "/api/x", "/x"}, "procedures below the path prefix /api, the path /api/x and the path /x"},
	} {
		if got := test.sentences.Targets(test.targets); got != test.want {
			t.Errorf("%d targets are said %q, want %q", len(test.targets), got, test.want)
		}
	}
}

var (
	newPlace = rules.Place{Field: "rules[1].allow_origins[0]", File: "cors.yaml", Position: rules.Position{Line: 12, Column: 7}}
	oldPlace = rules.Place{Field: "defaults.allow_origins", File: "old.yaml", Position: rules.Position{Line: 3, Column: 5}}
)

// differences are differences with their sentences.
var differences = []struct {
	analysis.Difference
	want string
}{
	{analysis.Difference{Gained: true, Aspect: analysis.AspectOrigin, Values: []string{"https://evil.example.com"}, New: newPlace},
		"Pages of https://evil.example.com may call acme.v1.S.Get (cors.yaml:12:7)"},
	{analysis.Difference{Gained: true, Aspect: analysis.AspectOrigin, Values: []string{"https://a.example.com", "null"}, New: newPlace, Old: oldPlace},
		"Pages of https://a.example.com and opaque origins (null) may call acme.v1.S.Get (cors.yaml:12:7; before: old.yaml:3:5)"},
	{analysis.Difference{Aspect: analysis.AspectOrigin, Values: []string{"*"}, New: newPlace, Old: oldPlace},
		"Pages of every origin may no longer call acme.v1.S.Get (old.yaml:3:5; now: cors.yaml:12:7)"},
	{analysis.Difference{Gained: true, Aspect: analysis.AspectOrigin, Values: []string{"tenants", "${PARTNERS}"}, Sources: []string{"tenants", "${PARTNERS}"}},
		"Pages of origins of the source tenants and origins in ${PARTNERS} may call acme.v1.S.Get"},
	{analysis.Difference{Gained: true, Aspect: analysis.AspectOrigin, Values: []string{"https://a.example.com"}, More: 7},
		"Pages of https://a.example.com and 7 more origins may call acme.v1.S.Get"},
	{analysis.Difference{Gained: true, Aspect: analysis.AspectCredentials, Values: []string{"https://a.example.com"}},
		"Calls from pages of https://a.example.com to acme.v1.S.Get may carry credentials"},
	{analysis.Difference{Aspect: analysis.AspectCredentials}, "Calls to acme.v1.S.Get may no longer carry credentials"},
	{analysis.Difference{Gained: true, Aspect: analysis.AspectMethod, Values: []string{"DELETE"}}, "Calls to acme.v1.S.Get may have the method DELETE"},
	{analysis.Difference{Gained: true, Aspect: analysis.AspectRequestHeader, Values: []string{"x-a", "x-acme-*"}},
		"Calls to acme.v1.S.Get may have the request headers x-a and x-acme-*"},
	{analysis.Difference{Gained: true, Aspect: analysis.AspectRequestHeader, Values: []string{"x-acme-*"}}, "Calls to acme.v1.S.Get may have the request headers x-acme-*"},
	{analysis.Difference{Gained: true, Aspect: analysis.AspectResponseHeader, Values: []string{"*"}}, "Scripts may read any other response header of acme.v1.S.Get"},
	{analysis.Difference{Aspect: analysis.AspectResponseHeader, Values: []string{"*", "x-cost"}},
		"Scripts may no longer read the response headers x-cost and any other of acme.v1.S.Get"},
	{analysis.Difference{Gained: true, Aspect: analysis.AspectMaxAge, Values: []string{"1h0m0s", "2h0m0s"}},
		"Browsers may use the answer to a preflight of acme.v1.S.Get for 2h0m0s instead of 1h0m0s"},
	{analysis.Difference{Aspect: analysis.AspectMaxAge, Values: []string{"1h0m0s", "1m0s"}},
		"Browsers may use the answer to a preflight of acme.v1.S.Get only for 1m0s instead of 1h0m0s"},
	{analysis.Difference{Gained: true, Aspect: analysis.AspectTiming}, "Pages may see the timing details of calls to acme.v1.S.Get"},
	{analysis.Difference{Gained: true, Aspect: analysis.AspectUngoverned},
		"Requests of every page reach the handler of acme.v1.S.Get without a grant"},
	{analysis.Difference{Aspect: analysis.AspectUngoverned}, "Requests of every page no longer reach the handler of acme.v1.S.Get without a grant"},
	{analysis.Difference{Gained: true, Aspect: analysis.AspectWithoutOrigin},
		"GET requests without an Origin field, such as those of images and links on any page, reach the handler of acme.v1.S.Get"},
	{analysis.Difference{Gained: true, Aspect: analysis.AspectCookies},
		"Calls with cookies reach the handler of acme.v1.S.Get, although they are not granted credentials"},
	{analysis.Difference{Gained: true, Aspect: analysis.AspectOwnOrigin, Witness: analysis.Call{Method: "POST"}},
		"Requests of pages whose host name was rebound to the server (DNS rebinding) reach the handler of acme.v1.S.Get"},
}

// TestSentences checks the sentence of each aspect, gained and lost, and that each aspect has one.
func TestSentences(t *testing.T) {
	t.Parallel()
	sentences, seen := analysis.NewSentences(&rules.Rules{}, &rules.Rules{}), map[analysis.Aspect]bool{}
	for _, test := range differences {
		test.Targets = []string{"acme.v1.S.Get"}
		seen[test.Aspect] = true
		if got := sentences.Of(test.Difference); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
	for _, a := range analysis.Aspects() {
		if !seen[a] || a.Meaning() == "" {
			t.Errorf("%s has neither a sentence nor a meaning", a)
		}
	}
	if meaning := analysis.Aspect("X").Meaning(); len(seen) != len(analysis.Aspects()) || meaning != "" {
		t.Errorf("%d aspects; one that does not exist means %q", len(seen), meaning)
	}
}

// TestSentencePlaces checks how places are said: those of values without a file, and of environment
// variables.
func TestSentencePlaces(t *testing.T) {
	t.Parallel()
	sentences := analysis.NewSentences(&rules.Rules{}, &rules.Rules{})
	for want, at := range map[string]rules.Place{
		" (defaults.allow_origins)":                          {Field: "defaults.allow_origins"},
		" (acme/v1.proto: option(acme.v1.S).allow_headers)":  {Field: "option(acme.v1.S).allow_headers", File: "acme/v1.proto"},
		" (cors.yaml:12:7, from the environment variable X)": {Field: "f", File: "cors.yaml", Position: newPlace.Position, Variable: "X"},
		"": {},
	} {
		d := analysis.Difference{Gained: true, Aspect: analysis.AspectTiming, Targets: []string{"*"}, New: at}
		if got := sentences.Of(d); !strings.HasSuffix(got, "every procedure"+want) {
			t.Errorf("%+v is said %q, want %q", at, got, want)
		}
	}
}
