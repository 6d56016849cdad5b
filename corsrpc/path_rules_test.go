package corsrpc

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// TestPathsAreReadAsServeMuxReadsThem: whatever the patterns, the rule of a path is
// that of the pattern which ServeMux matches.
func TestPathsAreReadAsServeMuxReadsThem(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	segments := func(of ...string) string {
		var b strings.Builder
		for range random.IntN(4) {
			b.WriteString("/" + of[random.IntN(len(of))])
		}
		return b.String() + [...]string{"", "/"}[random.IntN(2)]
	}
	pattern := func() string {
		s := segments("a", "b", "c", "{x}")
		switch random.IntN(8) {
		case 0:
			s = strings.TrimSuffix(s, "/") + "/{$}"
		case 1:
			s = strings.TrimSuffix(s, "/") + "/{rest...}"
		}
		return strings.Replace(s, "{x}", "{x1}", 1)
	}
	plain, governed := 0, 0
	for range 2000 {
		policy := &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: []string{"https://app.example.com"}}}
		seen := map[string]bool{}
		for range 1 + random.IntN(5) {
			p := pattern()
			if strings.Count(p, "{x") <= 1 && strings.HasPrefix(p, "/") && !seen[p] {
				seen[p] = true
				policy.Rules = append(policy.Rules, &corsrpcv1.Rule{Path: p})
			}
		}
		plan, err := Compile(policy, WithFiles(new(protoregistry.Files)))
		if err != nil || plan.mux == nil {
			continue // patterns that conflict
		}
		for range 50 {
			path := "/" + strings.TrimPrefix(segments("a", "b", "c", "d", "{x1}", "..", "", "a%2fb"), "/")
			r := &Request{Path: path}
			got, ok := plan.findPath(r)
			if isPlain(r) {
				if _, sure := plan.findPlainPath(path); sure {
					plain++
				}
			}
			_, matched := plan.mux.Handler(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: path}})
			want, wanted := plan.paths[matched]
			if ok != wanted || got != want {
				t.Fatalf("%q among %v: %v, and ServeMux matches %q", path, fmt.Sprint(policy.Rules), got, matched)
			}
			if ok {
				governed++
			}
		}
	}
	if plain < 10_000 || governed < 10_000 {
		t.Errorf("%d paths found without ServeMux, %d governed: the test has lost its subject", plain, governed)
	}
}
