//go:build soak

package corsotel_test

import (
	"fmt"
	"runtime"
	"testing"
)

// TestSoakRefusedOrigins: a flood of distinct origins and names leaves the memory of the
// metrics as it was.
func TestSoakRefusedOrigins(t *testing.T) {
	layer, collected := newLayer(t, policy)
	var first uint64
	for round := range 10 {
		for i := range 50_000 {
			send(layer, "POST", fmt.Sprintf("/acme.catalog.v1.CatalogService/M%d_%d", round, i), fmt.Sprintf("https://evil-%d-%d.example", round, i))
		}
		collected()
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		t.Logf("round %d: %d KiB live", round, m.HeapAlloc>>10)
		if first == 0 {
			first = m.HeapAlloc
		}
		if m.HeapAlloc > first+256<<10 {
			t.Errorf("%d bytes live, after %d at first", m.HeapAlloc, first)
		}
	}
}
