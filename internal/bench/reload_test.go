package bench

import (
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// reloadEvery is the period of policy changes under load.
const reloadEvery = 100 * time.Millisecond

// BenchmarkReloads measures calls over a socket from eight concurrent clients, while a policy
// of 100,000 origins replaces another every 100 ms, and without reloads. Both policies allow
// the page. Calls that are refused or fail are counted, and fail the benchmark.
func BenchmarkReloads(b *testing.B) {
	for _, reloads := range []string{"none", "every 100 ms"} {
		b.Run("reloads="+reloads, func(b *testing.B) {
			s := setting{exact: origins(100_000), expose: loopbackSetting.expose, procedures: 2}
			layer := newLayer(b, s, corsrpc.WithLogger(slog.New(slog.DiscardHandler)))
			url, client := serveLoopback(b, layer.Wrap(catalog()), (*http.Protocols).SetHTTP1)
			stop, done := make(chan struct{}), make(chan int, 1)
			if reloads == "none" {
				done <- 0
			} else {
				go reload(b, layer, s, stop, done)
			}

			var failed atomic.Int64
			var mu sync.Mutex
			var all []time.Duration
			b.SetParallelism(4) // times two processors
			b.ResetTimer()
			b.RunParallel(func(p *testing.PB) {
				unary := connect.NewClient[message, message](client, url+procedure)
				var took []time.Duration
				for p.Next() {
					start := time.Now()
					if _, err := unary.CallUnary(b.Context(), fromPage(connect.NewRequest(wrapperspb.String("hello")))); err != nil {
						failed.Add(1)
						b.Error(err)
						continue
					}
					took = append(took, time.Since(start))
				}
				mu.Lock()
				defer mu.Unlock()
				all = append(all, took...)
			})
			b.StopTimer()
			close(stop)
			b.ReportMetric(float64(<-done)/b.Elapsed().Seconds(), "reloads/s")
			b.ReportMetric(float64(failed.Load()), "refused")
			slices.Sort(all)
			b.ReportMetric(float64(all[len(all)/2]), "p50-ns")
			b.ReportMetric(float64(all[len(all)*99/100]), "p99-ns")
		})
	}
}

// reload puts two policies in force alternately, from the bytes of their files, until stop is
// closed.
func reload(b *testing.B, layer *corsrpc.Layer, s setting, stop <-chan struct{}, done chan<- int) {
	n := 0
	defer func() { done <- n }()
	other := s
	other.exact = append(slices.Clone(s.exact[1:]), "https://another.example.com")
	files := [2][]byte{marshal(b, other.policy()), marshal(b, s.policy())}
	tick := time.NewTicker(reloadEvery)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		doc, err := corsrpc.ParsePolicy("cors.binpb", files[n%2])
		if err != nil {
			b.Error(err)
			return
		}
		plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc), corsrpc.WithFiles(schema(b, 2)))
		if err != nil {
			b.Error(err)
			return
		}
		if err := layer.Reload(b.Context(), plan); err != nil {
			b.Error(err)
			return
		}
		n++
	}
}
