package bench

import (
	"context"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// A load is a way to load many origins into a layer.
type load struct {
	name    string
	origins int
	// open writes the policy, and returns functions that load and reload it.
	open func(t testing.TB, n int) (load func(testing.TB) *corsrpc.Layer, again func(testing.TB, *corsrpc.Layer))
}

var loads = []load{
	{"1,000,000 origins, binary", 1_000_000, fromFile("cors.binpb")},
	{"1,000,000 origins, a source", 1_000_000, fromSource},
	{"100,000 origins, YAML", 100_000, fromFile("cors.yaml")},
}

func fromFile(name string) func(testing.TB, int) (func(testing.TB) *corsrpc.Layer, func(testing.TB, *corsrpc.Layer)) {
	return func(t testing.TB, n int) (func(testing.TB) *corsrpc.Layer, func(testing.TB, *corsrpc.Layer)) {
		path := filepath.Join(t.TempDir(), name)
		text := []byte("defaults:\n  allow_origins:\n    - " + strings.Join(origins(n), "\n    - ") + "\n")
		if strings.HasSuffix(name, ".binpb") {
			text = marshal(t, setting{moreOrigins: n}.policy())
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		options := []corsrpc.Option{corsrpc.WithFiles(new(protoregistry.Files)), corsrpc.WithLogger(slog.New(slog.DiscardHandler))}
		load := func(t testing.TB) *corsrpc.Layer {
			layer, err := corsrpc.Load(path, options...)
			if err != nil {
				t.Fatal(err)
			}
			return layer
		}
		return load, func(t testing.TB, layer *corsrpc.Layer) {
			if err := layer.Reload(t.Context(), load(t).Plan()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func fromSource(t testing.TB, n int) (func(testing.TB) *corsrpc.Layer, func(testing.TB, *corsrpc.Layer)) {
	rows := corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			for i := range n {
				if !yield(originAt(i, n), nil) {
					return
				}
			}
		}
	})
	refresh := func(t testing.TB, layer *corsrpc.Layer) {
		if err := layer.Refresh(t.Context(), "tenants"); err != nil {
			t.Fatal(err)
		}
	}
	load := func(t testing.TB) *corsrpc.Layer {
		plan, err := corsrpc.Compile(&corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOriginsFrom: []string{"tenants"}}},
			corsrpc.WithFiles(new(protoregistry.Files)))
		if err != nil {
			t.Fatal(err)
		}
		layer, err := corsrpc.New(plan, corsrpc.WithOriginSource("tenants", rows), corsrpc.WithLogger(slog.New(slog.DiscardHandler)))
		if err != nil {
			t.Fatal(err)
		}
		refresh(t, layer)
		return layer
	}
	return load, refresh
}

func marshal(t testing.TB, policy *corsrpcv1.Policy) []byte {
	t.Helper()
	wire, err := proto.Marshal(policy)
	if err != nil {
		t.Fatal(err)
	}
	return wire
}

// measureLoads measures how long it takes to load a layer from a file or from a source, and how much memory it takes.
func measureLoads(t testing.TB, once bool) (all []result) {
	for _, l := range loads {
		n, times := l.origins, 2
		if once {
			n, times = n/100, 1
		}
		load, _ := l.open(t, n)
		r := result{"Load/load=" + l.name, map[string][]float64{}}
		for range times {
			runtime.GC()
			start, used := time.Now(), processTime()
			load(t)
			r.add("wall-ns", float64(time.Since(start)))
			r.add("ns", float64(processTime()-used))
		}
		live, layer := grows(func() *corsrpc.Layer { return load(t) })
		r.add("live-B/origin", live/float64(n))
		runtime.KeepAlive(layer)
		all = append(all, r)
	}
	return all
}

// grows returns the growth of the heap in bytes for a value, and the value.
func grows[T any](make func() T) (float64, T) {
	before := liveHeap()
	made := make()
	return float64(liveHeap()) - float64(before), made
}

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC() // the first GC leaves objects with finalizers
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestOriginsAreSmall: an origin of a binary policy or a source takes at most 45 bytes,
// including its text of 33 bytes. An origin of a YAML policy takes more, since its place is
// stored.
func TestOriginsAreSmall(t *testing.T) {
	for _, l := range loads[:2] {
		load, _ := l.open(t, l.origins)
		live, layer := grows(func() *corsrpc.Layer { return load(t) })
		each := live / float64(l.origins)
		t.Logf("%s: %.1f bytes each", l.name, each)
		if each > 45 {
			t.Errorf("%s: %.1f bytes each", l.name, each)
		}
		runtime.KeepAlive(layer)
	}
}

// measureReloadPeaks measures the peak memory of the process while a set of origins replaces
// another, in multiples of the size of one set.
func measureReloadPeaks(t testing.TB, once bool) (all []result) {
	for _, l := range loads[:2] {
		n := l.origins
		if once {
			n /= 100
		}
		load, again := l.open(t, n)
		debug.FreeOSMemory()
		before := held()
		live, layer := grows(func() *corsrpc.Layer { return load(t) })
		r := result{"ReloadPeak/load=" + l.name, map[string][]float64{}}
		debug.FreeOSMemory()
		stop, highest := watchPeak()
		again(t, layer)
		close(stop)
		r.add("peak/live", float64(<-highest-before)/live)
		runtime.KeepAlive(layer)
		all = append(all, r)
	}
	return all
}

// watchPeak measures the peak of held until stop is closed.
func watchPeak() (stop chan struct{}, highest chan uint64) {
	stop, highest = make(chan struct{}), make(chan uint64, 1)
	go func() {
		most := held()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				highest <- most
				return
			case <-tick.C:
				most = max(most, held())
			}
		}
	}()
	return stop, highest
}

// held returns the bytes of memory that the runtime has from the system and has not returned.
func held() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}
