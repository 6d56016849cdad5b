package route_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/route"
)

// newTable returns a table with two services, selectors and patterns. The value of each entry
// is its name.
func newTable(t testing.TB) *route.Table[string] {
	t.Helper()
	table := route.New(route.Config[string]{
		Prefixes: []string{"/api"}, Same: func(a, b string) bool { return a == b }, Uncovered: "defaults", Unnamed: "unnamed",
	})
	table.AddService("acme.v1.Admin")
	table.AddService("Echo")
	table.AddMethod("acme.v1.Admin", "Close", "Close")
	table.AddMethod("Echo", "Say", "Say")
	table.AddSelector("covered.v1.*", "covered", "covered operational")
	table.AddSelector("covered.v1.Service.Do", "Do", "Do")
	table.AddSelector("grpc.*", "grpc", "grpc operational")
	for _, text := range []string{"/healthz", "/files/", "/files/{id}/x", "/v1/{id}", "/my%20files/{id}", "/a%2Fb", "/Mixed", "/tree/{rest...}", "/end/{$}", "/api/up", "/covered.v1.Service/Path", "/shaped.v1.Service/Path", "/a|b", "/w/", "/w/{p}/", "/d/{p}/a@b", "/my%20files/", "/t/{tenant}/", "/t/admin", "/e/{id}", "/e/export/", "/q%7er/{$}", "/q%7er/", "/x%2Fy/c", "/x/y%2Fc"} {
		pattern, problem := route.ParsePattern(text)
		if problem != nil {
			t.Fatalf("%s %s", text, problem.Reason)
		}
		if err := table.AddPattern(pattern, text); err != nil {
			t.Fatal(err)
		}
	}
	return table
}

const (
	differs   = "(differs)"
	unbounded = "(unbounded)"
)

// TestReadings: a path resolves to the entry that a server finds, after each kind of step and
// several of them. If the path as it was sent resolves to something else, the verdict is
// Differs.
func TestReadings(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	for want, paths := range map[string][]string{
		"Close": {"/acme.v1.Admin/Close", "/api/acme.v1.Admin/Close"}, "Say": {"/Echo/Say", "/api/Echo/Say"},
		"defaults": {"/acme.v1.Admin/Other", "/other.v1.S/M", "/OTHER.v1.S/M", "/grpcs.v1.S/M", "/envoy.shop.v1.S/M"},
		"unnamed":  {"/envoy.service.auth.v3.Authorization/Check"},
		"grpc":     {"/grpc.gateway.testing.EchoService/Echo"}, "grpc operational": {"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/New"},
		"covered": {"/covered.v1.Service/Other", "/covered.v1.Service/Path", "/covered.v1.sub.Service/Do"}, "Do": {"/covered.v1.Service/Do", "/api/covered.v1.Service/Do"},
		"/healthz": {"/healthz"}, "/files/": {"/files/", "/files/a/b", "/files/a%20b", "/files/a;b=c", "/files//a", "/files/a//", "/files/x/../y", "/files/%41"},
		"/files/{id}/x": {"/files/a/x"}, "/q%7er/{$}": {"/q%7er/"}, "/q%7er/": {"/q%7er/a"}, "/x%2Fy/c": {"/x%2Fy/c"}, "/x/y%2Fc": {"/x/y%2Fc"},
		"/my%20files/": {"/my%20files/foo/bar.", "/my%20files/a/b;v=2", "/my%20files/a/b%20c;d"}, "/v1/{id}": {"/v1/a", "/v1/a%20b", "/v1/a;b", "/v1/100%25"}, "/my%20files/{id}": {"/my%20files/a"},
		"/a%2Fb": {"/a%2Fb"}, "/Mixed": {"/Mixed"}, "/shaped.v1.Service/Path": {"/shaped.v1.Service/Path"}, "/tree/{rest...}": {"/tree/", "/tree/a/b", "/tree/a%2Fb"}, "/end/{$}": {"/end/"}, "/api/up": {"/api/up"},
		"": {"/", "/v1//", "/none", "/none/", "/none%20x", "/Greeter/Hello", "/apiary", "/other.v1.S/do-it", "/other.v1.S/M/x", "/other.v1.S", "/a/b", "*"},
		differs: {
			"/acme.v1.Admin/Clos%65", "/acme.v1.Admin%2FClose", "/acme.v1.Admin%2fClose", "/acme.v1.Admin/Clos%2565", `/acme.v1.Admin\Close`, "/acme.v1.Admin%5cClose", "//acme.v1.Admin/Close",
			"/acme.v1.Admin/Close/", "/acme.v1.Admin/Close;x=1", "/acme.v1.Admin;x/Close", "/acme.v1.Admin/Close%3Fx", "/acme.v1.Admin/Close%23", "/acme.v1.Admin/Close#x", "/acme.v1.Admin/Close%00", "/acme.v1.Admin/Close.", "/acme.v1.Admin/Close%20",
			"/acme.v1.Admin/./Close", "/x/../acme.v1.Admin/Close", "/x/..%2facme.v1.Admin/Close", "/x/..;/acme.v1.Admin/Close", "/x/%2e%2e/acme.v1.Admin/Close", "/acme.v1.admin/close", "/ECHO/SAY", "/echo/say",
			"/apiacme.v1.Admin/Close", "/apiEcho/Say", "/APIEcho/Say", "/api;x/Echo/Say", "/API/Echo/Say", "/apiup", "/covered.v1.Service/do", "/other.v1.S/M/", "/other.v1.S/M.", "/grpc.health.v1.health/check",
			"/files", "/Files/a", "/tree", "/end", "/v1/a/", "/v1/a%2Fb", "/v1/a%252Fb", "/healthz/", "/health%7A", "/heal%74hz", "/HEALTHZ", "/mixed", "/healthz;a", "/healthz%00x", "/healthz.", "/healthz%20", "/x/..%2fhealthz", "/x;/..;/healthz", "//healthz",
			"/my%20fil%65s/a", "/my%2520files/a", "/my%20files%2fa", "/my%20files%2Fa", "/files/..%2fhealthz", "/healthz%2f..%2ffiles/", "/files//x",
			"/t/admin/", "/e/export", "//x/acme.v1.Admin/Close", `/\x/acme.v1.Admin/Close`, "/healthz%0a", "/acme.v1.Admin/Close%0A",
			"/w//x/", "/x/..%20/healthz", "/end/%2F", "/d/x%2Fy/a%40b", "/tree/q/..", "/x/%2e%2e/a%2Fb",
		},
		unbounded: {
			"/../x", "/..%2fx", "/x/../../y", "/api/../x", "/api/..%2fx", "/api/x/..%2f..%2fy", "/API/..%2fx", "/%2e%2e/", "/a..;/../../x", "healthz", "http://a/b", "/" + strings.Repeat("a", route.MaxPath),
			"/%25252525252525252525252525252525252541",
		},
	} {
		for _, path := range paths {
			if got := resolve(table, path, true); got != want {
				t.Errorf("%.60q: %q, want %q", path, got, want)
			}
		}
	}
}

// resolve returns the value that a raw path resolves to, or the verdict if it is not Clear.
func resolve(table *route.Table[string], raw string, calls bool) string {
	u, err := url.ParseRequestURI(strings.ReplaceAll(raw, "#", "%23"))
	if err != nil || u.Host != "" || raw == "healthz" {
		u = &url.URL{Path: raw}
	}
	if strings.Contains(raw, "#") {
		u.Path, u.RawPath = raw, raw // as net/http parses it
	}
	if v, ok := table.Exact(u.Path, u.RawPath); ok {
		return v
	}
	switch first, _, verdict := table.Find(u.Path, u.RawPath, calls); verdict {
	case route.Differs:
		return differs
	case route.Unbounded:
		return unbounded
	default:
		return first.Value
	}
}

// TestChangedPaths: if a handler has changed only one of Path and RawPath, both are looked up.
func TestChangedPaths(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	for _, test := range []struct{ path, escaped, want string }{
		{"/a|b", "/a|b", "/a|b"}, {"/a|b", "", "/a|b"}, {"/none", "/a|b", differs}, {"/a|b", "/none%2f", differs},
		{"/acme.v1.Admin/Close", "/none%2f", differs}, {"/none/", "/acme.v1.Admin/Clos%65", differs}, {"/healthz", "/v1/%61", differs},
	} {
		got, exact := table.Exact(test.path, test.escaped)
		if first, _, verdict := table.Find(test.path, test.escaped, true); !exact {
			got = map[route.Verdict]string{route.Clear: first.Value, route.Differs: differs, route.Unbounded: unbounded}[verdict]
		}
		if got != test.want {
			t.Errorf("%s and %s: %q, want %q", test.path, test.escaped, got, test.want)
		}
	}
}

// TestRequestsThatCannotBeCalls: if the request cannot be a call, a path that only has the shape of a
// procedure's path resolves to None. Known and covered procedures still match.
func TestRequestsThatCannotBeCalls(t *testing.T) {
	t.Parallel()
	table := newTable(t)
	for path, want := range map[string]string{
		"/other.v1.S/M": "", "/other.v1.S/M/": "", "/other.v1.S/M;x": "", "/grpc.health.v1.Health/Check": "grpc operational", "/covered.v1.Service/Other": "covered",
		"/acme.v1.Admin/Other": "defaults", "/acme.v1.Admin/Clos%65": differs, "/apiacme.v1.Admin/Close": differs, "/envoy.service.auth.v3.Authorization/Check": "",
	} {
		if got := resolve(table, path, false); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// TestNamesThatDifferInLetterCase: the verdict is Differs if a server that ignores letter case
// could mean several names, unless these have the same value or the path is exactly that of a known
// procedure.
func TestNamesThatDifferInLetterCase(t *testing.T) {
	t.Parallel()
	table := route.New(route.Config[string]{Same: func(a, b string) bool { return a == b }, Uncovered: "defaults"})
	table.AddService("a.Svc")
	table.AddMethod("a.Svc", "Get", "one")
	table.AddMethod("a.Svc", "get", "two")
	table.AddSelector("b.*", "b", "b")
	table.AddSelector("B.*", "B", "B")
	table.AddSelector("c.*", "c", "c")
	table.AddSelector("C.*", "c", "c")
	for path, want := range map[string]string{
		"/a.Svc/Get": "one", "/a.Svc/get": "two", "/a.Svc/GET": differs, "/b.S/M": differs, "/B.S/M": differs, "/c.S/M": "c", "/C.S/M": "c",
	} {
		if got := resolve(table, path, true); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// TestProcedureWithALongPath: the path of a known procedure is looked up even if it is longer
// than MaxPath.
func TestProcedureWithALongPath(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("m", route.MaxPath)
	table := newTable(t)
	table.AddMethod("Echo", long, "long")
	for path, want := range map[string]string{"/Echo/" + long: "long", "/api/Echo/" + long: "long", "/Echo/" + long + "/": differs, "/Echo/" + long + "mmmmm": unbounded} {
		if got := resolve(table, path, true); got != want {
			t.Errorf("%.20s, %d bytes: %q, want %q", path, len(path), got, want)
		}
	}
}

func TestIsPrefix(t *testing.T) {
	t.Parallel()
	for prefix, want := range map[string]bool{
		"/api": true, "/v2/rpc": true, "/API": true, "/a.b": true, "": false, "/": false, "api": false, "/api/": false, "/a//b": false, "/a/../b": false, "/a b": false, "/a%20b": false, "/a;b": false, "/é": false, `/a\b`: false, "/a?b": false,
	} {
		if got := route.IsPrefix(prefix); got != want {
			t.Errorf("%q: %v", prefix, got)
		}
	}
}

// TestPrefixOfSeveralSegments: a prefix may be removed in parts by two servers, each without
// its slash.
func TestPrefixOfSeveralSegments(t *testing.T) {
	t.Parallel()
	table := route.New(route.Config[string]{Prefixes: []string{"/api/v2"}, Same: func(a, b string) bool { return a == b }, Uncovered: "defaults"})
	table.AddService("Echo")
	table.AddMethod("Echo", "Say", "Say")
	for path, want := range map[string]string{"/api/v2/Echo/Say": "Say", "/apiv2/Echo/Say": differs, "/api/v2Echo/Say": differs, "/apiv2Echo/Say": differs, "/API/V2Echo/Say": differs, "/api/v2/../Echo/Say": unbounded, "/apiary/x": ""} {
		if got := resolve(table, path, true); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// TestWildcardsAndTheLastSlash: a path that matches a pattern with wildcards also resolves to
// another entry that matches exactly with the final slash added or removed. Two patterns that
// differ only in the slash do not make each other ambiguous.
func TestWildcardsAndTheLastSlash(t *testing.T) {
	t.Parallel()
	table := route.New(route.Config[string]{Same: func(a, b string) bool { return a == b }, Uncovered: "defaults"})
	table.AddService("a.Svc")
	table.AddMethod("a.Svc", "Get", "Get")
	for _, text := range []string{"/{org}/{repo}/", "/{org}/{repo}", "/v1/export/"} {
		pattern, _ := route.ParsePattern(text)
		if err := table.AddPattern(pattern, text); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		"/a.Svc/Get": "Get", "/a.Svc/Get/": differs, "/a/b": "/{org}/{repo}", "/a/b/": "/{org}/{repo}/", "/v1/export": differs, "/v1/export/": "/v1/export/",
	} {
		if got := resolve(table, path, true); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
