package route_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/route"
)

// TestKnownPathsAllocateNothing: looking up the path of a known procedure, or a path that is
// equal to a pattern without wildcards, does not allocate.
func TestKnownPathsAllocateNothing(t *testing.T) {
	table := newTable(t)
	for _, path := range []string{"/acme.v1.Admin/Close", "/api/Echo/Say", "/healthz", "/files/"} {
		if n := testing.AllocsPerRun(100, func() {
			if _, ok := table.Exact(path, ""); !ok {
				t.Errorf("%s has more than one reading", path)
			}
		}); n > 0 {
			t.Errorf("%s: %v allocations", path, n)
		}
	}
	if _, ok := table.Exact("/a/b", "/a%2Fb"); ok {
		t.Error("/a%2Fb has an exact match, but some servers read it as /a/b")
	}
}

// hostilePaths returns paths of a length that are slow to read.
func hostilePaths(length int) map[string]string {
	fill := func(s string) string { return ("/" + strings.Repeat(s, length))[:length-length%len(s)] }
	return map[string]string{
		"slashes": fill("/"), "dots": fill("./"), "dot_segments": fill("a/../"), "escapes": fill("%61"), "escaped_escapes": fill("%25"), "nested": "/%" + strings.Repeat("25", (length-4)/2) + "41",
		"parameters": fill(";/"), "backslashes": fill(`\`), "names": "/" + strings.Repeat("a.", length/2-2) + "a/b", "segments": fill("a/"), "upper": fill("A/"), "spaces": fill(" /"), "trailing_dots": fill("a./"),
	}
}

// TestHostilePathsStayLinear: the number of allocations does not grow with the length of a
// path.
func TestHostilePathsStayLinear(t *testing.T) {
	table := newTable(t)
	long := hostilePaths(route.MaxPath)
	for name, short := range hostilePaths(route.MaxPath / 4) {
		few := testing.AllocsPerRun(5, func() { table.Find(short, "", true) })
		many := testing.AllocsPerRun(5, func() { table.Find(long[name], "", true) })
		if many > few+2 || many > 64*route.MaxReadings {
			t.Errorf("%s: %v allocations for %d bytes, %v for %d", name, few, len(short), many, len(long[name]))
		}
	}
}

func BenchmarkFind(b *testing.B) {
	table := newTable(b)
	for _, path := range []string{"/acme.v1.Admin/Other", "/v1/a", "/files/a/b", "/none/of/these", "/v1/a%20b"} {
		b.Run("path="+path, func(b *testing.B) {
			for b.Loop() {
				table.Find(path, "", true)
			}
		})
	}
	for _, length := range []int{512, 1024, 2048} {
		for name, path := range hostilePaths(length) {
			b.Run(fmt.Sprintf("hostile=%s/bytes=%d", name, length), func(b *testing.B) {
				for b.Loop() {
					table.Find(path, "", true)
				}
			})
		}
	}
}
