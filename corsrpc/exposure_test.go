package corsrpc

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/clockcache"
)

// remembers reports whether the cache has a value for which matches is true. It marks that value
// as used.
func remembers[T any](cache *clockcache.Cache[T], matches func(*T) bool) bool {
	for i := range clockcache.Size {
		if known := cache.At(i); known != nil && matches(&known.Value) {
			known.Use()
			return true
		}
	}
	return false
}

// TestExposureMatches checks that a cached exposure matches only a response with the same field names,
// each with a value.
func TestExposureMatches(t *testing.T) {
	t.Parallel()
	known := exposure{names: []string{"Content-Type", "X-A"}}
	tests := []struct {
		name   string
		header http.Header
		want   bool
	}{
		{"the same", http.Header{"Content-Type": {"a"}, "X-A": {"b"}}, true},
		{"other values", http.Header{"Content-Type": {"a", "b"}, "X-A": {""}}, true},
		{"fewer", http.Header{"X-A": {"b"}}, false},
		{"more", http.Header{"Content-Type": {"a"}, "X-A": {"b"}, "X-B": {"b"}}, false},
		{"others", http.Header{"Content-Type": {"a"}, "X-B": {"b"}}, false},
		{"another letter case", http.Header{"Content-Type": {"a"}, "x-a": {"b"}}, false},
		{"no value, so that nothing is sent", http.Header{"Content-Type": {"a"}, "X-A": {}}, false},
	}
	for _, test := range tests {
		if got := known.matches(test.header, &grant{}); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

// TestExposureByContentType checks that the list that was cached for a response of JSON is not used for a
// response of gRPC-Web with the same field names, and the reverse. Lists of the same kind share an entry of
// the cache.
func TestExposureByContentType(t *testing.T) {
	t.Parallel()
	types := map[bool][]string{
		true:  {"application/grpc-web", "application/grpc-web+proto", "application/grpc-web-text", "Application/gRPC-Web; a=b"},
		false: {"application/json", "application/proto", "application/grpc", "application/grpc-website", "text/html"},
	}
	for _, grpcWebFirst := range []bool{true, false} {
		plan, err := Compile(&corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: []string{"https://app.example.com"}}})
		if err != nil {
			t.Fatal(err)
		}
		target := plan.find(&Request{Method: http.MethodPost, Path: "/acme.order.v1.OrderService/List"})
		for _, grpcWeb := range []bool{grpcWebFirst, !grpcWebFirst} {
			for _, contentType := range append(types[grpcWeb], types[grpcWeb]...) {
				want := "x-a"
				if grpcWeb {
					want = "grpc-message, grpc-status, grpc-status-details-bin, x-a"
				}
				if got, _ := target.exposed(http.Header{"Content-Type": {contentType}, "X-A": {"1"}}); got != want {
					t.Errorf("gRPC-Web first: %t: %s: %q, want %q", grpcWebFirst, contentType, got, want)
				}
			}
		}
		cached := 0
		for cached < clockcache.Size && target.exposures.At(cached) != nil {
			cached++
		}
		if cached != 2 {
			t.Errorf("%d lists are cached, want one for each kind", cached)
		}
		if got, _ := target.exposed(http.Header{"Content-Type": {"application/grpc-web", "application/json"}, "X-A": {"1"}}); got != "x-a" {
			t.Errorf("two content types: %q", got)
		}
	}
}

// TestRememberExposure checks that a value is cached only if it depends on the field names alone, and
// neither value nor names exceed their limits.
func TestRememberExposure(t *testing.T) {
	t.Parallel()
	many := http.Header{}
	for i := range maxCachedNames {
		many[fmt.Sprintf("X-%d", i)] = []string{"1"}
	}
	tooMany := many.Clone()
	tooMany["X-More"] = []string{"1"}
	tests := []struct {
		name   string
		header http.Header
		value  string
		want   bool
	}{
		{"a few names", http.Header{"X-A": {"1"}}, "x-a", true},
		{"no name", http.Header{}, "", true},
		{"many", many, "x", true},
		{"too many", tooMany, "x", false},
		{"a long name", http.Header{strings.Repeat("A", maxCachedBytes): {"1"}}, "x", true},
		{"a name that is too long", http.Header{strings.Repeat("A", maxCachedBytes+1): {"1"}}, "x", false},
		{"a value that is too long", http.Header{"X-A": {"1"}}, strings.Repeat("a", maxCachedBytes+1), false},
		{"a name that is not sent", http.Header{"X-A": {}}, "", false},
		{"Connection, which hides what it lists", http.Header{"Connection": {"X-A"}, "X-A": {"1"}}, "", false},
		{"a field that is to be removed", http.Header{"access-control-max-age": {"1"}}, "", false},
	}
	for _, test := range tests {
		g := &target{exposures: &clockcache.Cache[exposure]{}}
		g.rememberExposure(test.header, false, test.value)
		if got := remembers(g.exposures, func(e *exposure) bool { return e.matches(test.header, &grant{}) }); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

// TestRememberPreflights checks that a list of requested headers is cached only if all of them are
// granted and it is not long, and that the method is checked every time.
func TestRememberPreflights(t *testing.T) {
	t.Parallel()
	policy := &corsrpcv1.Policy{
		Defaults: &corsrpcv1.Rule{AllowOrigins: []string{"https://app.example.com"}, AllowHeaders: []string{"x-a"}},
		Rules:    []*corsrpcv1.Rule{{Selector: "acme.order.v1.OrderService", AcceptRisks: []corsrpcv1.Risk{corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS}}},
	}
	plan, err := Compile(policy)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method string, lines ...string) Decision {
		return plan.Decide(Request{Method: http.MethodOptions, Host: "api.example.com", Path: "/acme.order.v1.OrderService/List", Header: http.Header{
			"Origin": {"https://app.example.com"}, "Access-Control-Request-Method": {method}, "Access-Control-Request-Headers": lines,
		}})
	}
	long := "x-a" + strings.Repeat(",", maxCachedBytes) // a list may have empty elements
	tests := []struct {
		name  string
		lines []string
		want  bool
	}{
		{"granted", []string{"content-type,x-a"}, true},
		{"long", []string{long}, false},
		{"on two lines", []string{"content-type", "x-a"}, false},
		{"not granted", []string{"x-b"}, false},
		{"not a list of names", []string{"x a"}, false},
	}
	for _, test := range tests {
		first := ask(http.MethodPost, test.lines...)
		if granted := first.Reason() == ReasonOriginAllowed; granted == strings.HasPrefix(test.name, "not") {
			t.Errorf("%s: %s", test.name, first.Reason())
		}
		if got := remembers(&first.target.grant.preflights, func(have *string) bool { return *have == test.lines[0] }); got != test.want {
			t.Errorf("%s: remembered: %v", test.name, got)
		}
		if second := ask(http.MethodPost, test.lines...); second.Reason() != first.Reason() {
			t.Errorf("%s: %s, then %s", test.name, first.Reason(), second.Reason())
		}
	}
	if d := ask(http.MethodPut, "content-type,x-a"); d.Reason() != ReasonMethodNotGranted {
		t.Errorf("another method, and headers that were granted before: %s", d.Reason())
	}
}
