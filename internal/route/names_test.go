package route_test

import (
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/route"
)

func TestCheckSelector(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		selector, fix string
		refused       bool
	}{
		{selector: "*"}, {selector: "acme.*"}, {selector: "acme.v1.Catalog"}, {selector: "acme.v1.Catalog.Get"}, {selector: "Echo"},
		{selector: strings.Repeat("a", route.MaxPath)}, {selector: strings.Repeat("a", route.MaxPath+1), refused: true},
		{selector: "/acme.v1.Catalog/Get", fix: `"acme.v1.Catalog.Get"`, refused: true}, {selector: "/v1/items", fix: `path: "/v1/items"`, refused: true}, {selector: "/healthz", fix: `path: "/healthz"`, refused: true},
		{selector: "GET /healthz", fix: `path: "/healthz"`, refused: true}, {selector: "acme v1/Get", refused: true}, {selector: "acme/v1/*", fix: `"acme.v1.*"`, refused: true},
		{selector: "acme.v1.Catalog/Get", fix: `"acme.v1.Catalog.Get"`, refused: true}, {selector: "acme.*.v1", refused: true}, {selector: "acme-v1", refused: true},
		{selector: "", refused: true}, {selector: ".*", refused: true}, {selector: "acme..v1", refused: true}, {selector: "1a", refused: true},
	} {
		if reason, fix := route.CheckSelector(test.selector); (reason != "") != test.refused || fix != test.fix {
			t.Errorf("%.40q: %q, %q", test.selector, reason, fix)
		}
	}
}

// fewestAllocations returns the fewest allocations of several checks of a selector. The race detector
// empties the pools of package fmt at random, which adds allocations to some of them.
func fewestAllocations(selector string) float64 {
	fewest := testing.AllocsPerRun(1, func() { route.CheckSelector(selector) })
	for range 30 {
		fewest = min(fewest, testing.AllocsPerRun(1, func() { route.CheckSelector(selector) }))
	}
	return fewest
}

// TestLongSelectorsAllocateLittle: refusing a long selector does not allocate more than refusing a
// short one.
func TestLongSelectorsAllocateLittle(t *testing.T) {
	for _, part := range []string{"a.", "/", "a.*", "é"} {
		few := fewestAllocations(strings.Repeat("a", route.MaxPath+1))
		selector := strings.Repeat(part, 100_000)
		if many := fewestAllocations(selector); many > few {
			t.Errorf("%d bytes of %q: %v allocations", len(selector), part, many)
		}
		if reason, _ := route.CheckSelector(selector); !strings.Contains(reason, "is longer than 2048 bytes") {
			t.Errorf("%d bytes of %q: %s", len(selector), part, reason)
		}
	}
}

// TestNarrowestPackage: the value of a service is that of the narrowest package around it that
// has a selector.
func TestNarrowestPackage(t *testing.T) {
	t.Parallel()
	table := route.New(route.Config[string]{Same: func(a, b string) bool { return a == b }, Uncovered: "defaults", Unnamed: "unnamed"})
	for _, selector := range []string{"a.*", "a.b.c.*", "a.b.c.D.*", "grpc.health.v1.*", "grpc.*"} {
		table.AddSelector(selector, selector, selector+" operational")
	}
	for path, want := range map[string]string{
		"/a.S/M": "a.*", "/a.b.S/M": "a.*", "/a.bc.S/M": "a.*", "/a.b.c.S/M": "a.b.c.*", "/a.b.c.e.S/M": "a.b.c.*", "/a.b.c.D/M": "a.b.c.D.*", "/a.b.c.D.E/M": "a.b.c.D.*",
		"/ab.S/M": "defaults", "/b.a.S/M": "defaults", "/grpc.health.v1.Health/Check": "grpc.health.v1.* operational", "/grpc.v1.S/M": "grpc.*", "/A.B.C.S/M": differs,
	} {
		if got := resolve(table, path, true); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
