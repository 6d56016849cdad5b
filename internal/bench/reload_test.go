package bench

import (
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// reloadEvery is the period of policy changes under load.
const reloadEvery = 100 * time.Millisecond

// measureReloads measures calls over a socket from eight concurrent clients, while a policy
// of 100,000 origins replaces another every 100 ms, and without reloads. Both policies allow
// the page. A call that is refused or fails fails the test.
func measureReloads(t testing.TB, once bool) (all []result) {
	for _, reloads := range []string{"none", "every 100 ms"} {
		s := setting{moreOrigins: 100_000, expose: loopbackSetting.expose, procedures: 2}
		limit, clients := 2*time.Second, 8
		if once {
			limit, s.moreOrigins = 2*reloadEvery, 1000
		}
		layer := newLayer(t, s, corsrpc.WithLogger(slog.New(slog.DiscardHandler)))
		url, client := serveLoopback(t, layer.Wrap(catalog()), (*http.Protocols).SetHTTP1)
		stop, done := make(chan struct{}), make(chan int, 1)
		if reloads == "none" {
			done <- 0
		} else {
			go reload(t, layer, s, stop, done)
		}
		took, failed := callFor(t, limit, clients, func() error {
			_, err := connect.NewClient[message, message](client, url+procedure).CallUnary(t.Context(), fromPage(connect.NewRequest(wrapperspb.String("hello"))))
			return err
		})
		close(stop)
		r := result{"Reloads/reloads=" + reloads, map[string][]float64{}}
		r.add("reloads/s", float64(<-done)/limit.Seconds())
		r.add("refused", float64(failed))
		r.add("p50-ns", float64(took[len(took)/2]))
		r.add("p99-ns", float64(took[len(took)*99/100]))
		all = append(all, r)
	}
	return all
}

// callFor calls from some clients at the same time, and returns the sorted times of the calls, and how many failed.
func callFor(t testing.TB, limit time.Duration, clients int, call func() error) (took []time.Duration, failed int) {
	var mu sync.Mutex
	var running sync.WaitGroup
	end := time.Now().Add(limit)
	for range clients {
		running.Go(func() {
			for time.Now().Before(end) {
				start := time.Now()
				err := call()
				mu.Lock()
				if took = append(took, time.Since(start)); err != nil {
					t.Error(err)
					failed++
				}
				mu.Unlock()
			}
		})
	}
	running.Wait()
	slices.Sort(took)
	return took, failed
}

// reload puts two policies in force alternately, from the bytes of their files, until stop is
// closed.
func reload(b testing.TB, layer *corsrpc.Layer, s setting, stop <-chan struct{}, done chan<- int) {
	n := 0
	defer func() { done <- n }()
	other := s
	other.exact = []string{"https://another.example.com"}
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
