//go:build soak

package corsrpc_test

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/figures"
)

// TestSoakMillionOrigins checks that a source of a million origins loads repeatedly in bounded memory: the
// set in force, the set that is being loaded, and garbage.
func TestSoakMillionOrigins(t *testing.T) {
	const rows = 1_000_000
	source := corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			for i := range rows {
				if !yield(fmt.Sprintf("https://tenant-%d.example.com", i), nil) {
					return
				}
			}
		}
	})
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(400 << 20)) // the garbage collector works harder near the limit
	empty := heap()
	layer, _ := newLayer(t, tenantsPolicy, corsrpc.WithOriginSource("tenants", source))
	var first, largest uint64
	for i := range 10 {
		start := time.Now()
		if err := layer.Refresh(t.Context(), "tenants"); err != nil {
			t.Fatal(err)
		}
		took, live := time.Since(start), heap()-empty
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		t.Logf("load %d: %v, %d MiB live, %d bytes an origin, %d MiB from the system so far", i, took.Round(time.Millisecond), live>>20, live/rows, (m.HeapSys-m.HeapReleased)>>20)
		largest = max(largest, live)
		if first == 0 {
			first = live
		}
		if live > first+first/10 || live > 45*rows {
			t.Errorf("%d bytes live, after %d at first", live, first)
		}
		if m.HeapSys-m.HeapReleased > 4*first+64<<20 {
			t.Errorf("%d bytes from the system for a set of %d", m.HeapSys-m.HeapReleased, first)
		}
	}
	figures.Measure(t, "soak.origins", figures.Count(rows))
	figures.Measure(t, "soak.origin.bytes", figures.Count(int(largest/rows)))
	figures.Measure(t, "soak.origin.text-bytes", figures.Count(len("https://tenant-999999.example.com")))
	if !allows(layer, "https://tenant-999999.example.com") || allows(layer, "https://tenant-1000000.example.com") {
		t.Error("not the source's set")
	}
}
