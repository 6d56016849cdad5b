package route_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/route"
)

// TestForeignPatterns: patterns of other routers are refused, and the Fix is the equivalent
// pattern of net/http if there is one.
func TestForeignPatterns(t *testing.T) {
	t.Parallel()
	tests := []struct{ pattern, fix string }{
		{"/v1/*", "/v1/"}, {"/api/**", "/api/"}, {"/*", "/"}, {"*", "/"}, {"/v1/*/items", "/v1/{any}/items"}, {"/*/*/x", "/{any}/{any2}/x"}, {"/a/**/b", ""},
		{"/users/:id", "/users/{id}"}, {"/users/:id/posts/:post", "/users/{id}/posts/{post}"}, {"/users/:id/posts/:id", "/users/{id}/posts/{id2}"}, {"/users/:user-id", "/users/{user_id}"},
		{"/users/:id?", "/users/{id}"}, {`/users/:id(\d+)`, "/users/{id}"}, {"/files/:path*", "/files/{path...}"}, {"/files/:path+", "/files/{path...}"}, {"/a/:id.json", ""}, {"/:from-:to/x", ""},
		{"/files/*path", "/files/{path...}"}, {"/files/*path/x", ""}, {"/files/{*path}", "/files/{path...}"}, {"/files/{**path}", "/files/{path...}"}, {"/files/{+path}", "/files/{path...}"},
		{"/users/{id:[0-9]+}", "/users/{id}"}, {"/users/{id:[^/]+}/x", "/users/{id}/x"}, {"/files/{path:.*}", "/files/{path...}"}, {"/v1/{name=shelves/*}", "/v1/{name...}"}, {"/v1/{name=*}/x", "/v1/{name}/x"}, {"/users/{id?}", "/users/{id}"},
		{"/users/{user-id}", "/users/{user_id}"}, {"/users/{}", ""}, {"/users/{id}.json", ""}, {"/v1/{name}:cancel", ""}, {"/a/{x...}/b", ""}, {"/a/{$}/b", ""}, {"/{id}/{id}", "/{id}/{id2}"},
		{"/users/<id>", "/users/{id}"}, {"/users/<int:id>", "/users/{id}"}, {"/files/<path:rest>", "/files/{rest...}"}, {"/users/<id:int>", "/users/{id}"},
		{"/users/[id]", "/users/{id}"}, {"/docs/[...slug]", "/docs/{slug...}"}, {"/docs/[[...slug]]", "/docs/{slug...}"},
		{`/users/(\d+)`, "/users/{any}"}, {`^/users/(?P<id>[0-9]+)$`, "/users/{id}"}, {"^/api/.*$", "/api/"}, {"/api/.*", "/api/"}, {"/static/*.js", ""},
		{"/files/{p:path}", "/files/{p...}"}, {"/a/{p:path}/b", ""}, {"/files/<path..>", "/files/{path...}"}, {"/files/{param*}", "/files/{param...}"}, {"/files/{param*2}", ""}, {"^files/(?P<path>.*)$", "/files/{path...}"},
		{"/users/{id:[^/.]+}", "/users/{id}"}, {"/users/{id:[^/?]+}/x", "/users/{id}/x"}, {"/users/{id:[0-9.+]}", "/users/{id}"}, {`/users/{id:\d{3}}`, "/users/{id}"}, {"/x/<id>.json", ""}, {"/@<user>", ""}, {"/user-<int:id>", ""}, {"/items/$id<[0-9]+>", ""},
		{"/ab?cd", ""}, {"/a(bc)?d", ""}, {"/users/#{id}", ""}, {"/api/{x}.{ext?}", ""}, {"/{key}-{id}", ""}, {`/blog/{page<\d+>?1}`, "/blog/{page}"}, {"/<string(length=2):lang>/x", "/{lang}/x"},
		{"~/api/x", ""}, {"~ ^/api/", ""}, {"^~ /static/", ""}, {"[GET] /x", ""}, {"post /v1/x", ""}, {"acme.v1.Foo/Bar", ""}, {"/photos(.:format)", ""}, {"/[slug].json", ""},
		{"/x?y=1", "/x"}, {"/x#top", "/x"}, {"/x/?y=1", "/x/"}, {"/my files", "/my%20files"}, {"/a\tb", "/a%09b"}, {`/a\b`, "/a/b"}, {`/a"b`, "/a%22b"}, {"/100%", "/100%25"}, {"/a%zz/b", "/a%25zz/b"},
		{"GET /x", "/x"}, {"GET /users/:id", "/users/{id}"}, {"api.example.com/x", "/x"}, {"https://api.example.com/x", "/x"}, {"https://api.example.com", "/"}, {"localhost:8080/x", "/x"}, {"healthz", "/healthz"}, {"v1/items", "/v1/items"},
		{"//a", "/a"}, {"/a//b", "/a/b"}, {"//", "/"}, {"/a/./b", "/a/b"}, {"/a/../b", "/b"}, {"/a/%2e%2e/b", "/b"}, {"/%2F", ""}, {"/a%2F%2Fb", ""}, {"/a%00", ""},
		{"/" + strings.Repeat("a", route.MaxPath), ""},
	}
	for _, test := range tests {
		_, problem := route.ParsePattern(test.pattern)
		if problem == nil {
			t.Errorf("%q loads", test.pattern)
			continue
		}
		if problem.Fix != test.fix || problem.Reason == "" {
			t.Errorf("%.100q %s: write %q, want %q", test.pattern, problem.Reason, problem.Fix, test.fix)
		}
		if problem.Fix == "" {
			continue
		}
		if _, problem := route.ParsePattern(problem.Fix); problem != nil {
			t.Errorf("%q: write %q, which %s", test.pattern, test.fix, problem.Reason)
		}
	}
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{
		"/", "/healthz", "/files/", "/v1/{id}", "/v1/{id}/x", "/v1/{rest...}", "/v1/{$}", "/{$}", "/my%20files", "/a%2Fb", "/%C3%A9", "/é", "/v1/items:batchGet",
		"/a;v=1", "/a.b", "/Foo_(bar)", "/@user", "/$metadata", "/a+b", "/a,b", "/a=b", "/a&b", "/~user", "/a%25", "/_/x", "/.well-known/x", "/a|b", "/{Id}", "/a'b", "/a!b", "/%3Aid", "/%2A",
	} {
		if p, problem := route.ParsePattern(pattern); problem != nil || p.String() != pattern {
			t.Errorf("%q: %+v", pattern, problem)
		}
	}
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		first, second string
		letterCase    bool
		fine          bool
	}{
		{first: "/a/{x}/c", second: "/a/b/{y}"}, {first: "/a", second: "/a"}, {first: "/a%2Fb", second: "/a%2fb"}, {first: "/%61", second: "/a"}, {first: "/{x}", second: "/{y}"}, {first: "/{x...}", second: "/"},
		{first: "/Admin", second: "/admin", letterCase: true}, {first: "/Admin/", second: "/admin/", letterCase: true}, {first: "/a%2FB", second: "/a%2fb", letterCase: true}, {first: "/A/{x}/c", second: "/a/b/{y}", letterCase: true},
		{first: "/a", second: "/a/", fine: true}, {first: "/a/", second: "/a/{$}", fine: true}, {first: "/A/{x}", second: "/a/b", fine: true}, {first: "/{ID}/{id}", second: "/x", fine: true},
	}
	for _, test := range tests {
		table := route.New(route.Config[string]{Same: func(a, b string) bool { return a == b }})
		first, _ := route.ParsePattern(test.first)
		second, _ := route.ParsePattern(test.second)
		if err := table.AddPattern(first, test.first); err != nil {
			t.Fatal(err)
		}
		err := table.AddPattern(second, test.second)
		if test.fine {
			if err != nil {
				t.Errorf("%s and %s: %v", test.first, test.second, err)
			}
			continue
		}
		var conflict *route.ConflictError
		if !errors.As(err, &conflict) || conflict.Other != test.first || conflict.LetterCase != test.letterCase {
			t.Errorf("%s and %s: %+v", test.first, test.second, err)
		}
	}
}
