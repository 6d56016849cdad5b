package rpc_test

import (
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// TestIsGetCall: a query is a call if net/url finds the parameter encoding in it, or if a
// server does that treats semicolons as separators.
func TestIsGetCall(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]bool{
		"encoding=json": true, "encoding": true, "encoding=": true, "a=b&encoding=proto": true, "%65ncoding=json": true, "encodin%67=x": true, "%65%6E%63%6f%64%69%6e%67": true, "a;encoding=json": true, "&&encoding=": true,
		"": false, "encodings=json": false, "xencoding=json": false, "a=encoding": false, "ENCODING=json": false, "encoding%3Djson": false, "%2565ncoding=json": false, "encodin%6": false, "encodin%": false, "message=%7B%7D": false, "+encoding=x": false,
	} {
		if got := rpc.IsGetCall(query); got != want {
			t.Errorf("%q: %v", query, got)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	parts := []string{"encoding", "e", "%65", "ncoding", "=", "=", "&", "&", ";", "%", "+", "%6", "E", "%45", "%26", "%3d", "json"}
	found := 0
	for range 200_000 {
		var b strings.Builder
		for range random.IntN(8) {
			b.WriteString(parts[random.IntN(len(parts))])
		}
		values, _ := url.ParseQuery(b.String())
		if values.Has("encoding") {
			found++
			if !rpc.IsGetCall(b.String()) {
				t.Fatalf("%q is not a call, but net/url finds the parameter", b.String())
			}
		}
	}
	if found < 2_000 {
		t.Errorf("%d queries with the parameter: the test covers too little", found)
	}
}

func TestIsForm(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		lines []string
		want  bool
	}{
		{[]string{"application/x-www-form-urlencoded"}, true}, {[]string{"application/x-www-form-urlencoded; charset=UTF-8"}, true}, {[]string{"multipart/form-data; boundary=x"}, true}, {[]string{" Multipart/Form-Data ;boundary=x"}, true},
		{nil, false}, {[]string{""}, false}, {[]string{"text/plain"}, false}, {[]string{"application/json"}, false}, {[]string{"application/x-www-form-urlencoded", "application/json"}, false},
		{[]string{"application/x-www-form-urlencoded, application/json"}, false}, {[]string{"application/json;application/x-www-form-urlencoded"}, false}, {[]string{"multipart/form-data; boundary=" + strings.Repeat("x", 300)}, false},
	} {
		if got := rpc.IsForm(test.lines); got != test.want {
			t.Errorf("%.80q: %v", test.lines, got)
		}
	}
}

// TestOperationalServices: each operational service is found in both letter cases, and services
// of packages with similar names are not.
func TestOperationalServices(t *testing.T) {
	t.Parallel()
	n := 0
	for service := range rpc.OperationalServices() {
		n++
		if !rpc.IsOperational(service) || !rpc.IsOperationalFolded(strings.ToLower(service)) || strings.Count(service, ".") < 2 {
			t.Errorf("%s", service)
		}
	}
	if n < 80 {
		t.Errorf("%d services", n)
	}
	for _, name := range []string{"grpc.gateway.testing.EchoService", "grpc.testing.TestService", "grpc.Greeter", "envoy.shop.v1.Orders", "xds.Catalog", "udpa.v1.Users", "grpc.health.v1", "", "health.v1.Health"} {
		if rpc.IsOperational(name) || rpc.IsOperationalFolded(strings.ToLower(name)) {
			t.Errorf("%q is the service of an application", name)
		}
	}
}
