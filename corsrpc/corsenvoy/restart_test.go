package corsenvoy_test

import (
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
)

// TestRestartsUnderLoad restarts a processor under load, gracefully and not. No call of a page that is not
// allowed reaches the server, and no response of an allowed one comes without the grant.
func TestRestartsUnderLoad(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "processor.sock")
	start := func() (stop func(graceful bool)) {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		server := grpc.NewServer()
		newProcessor(t).Register(server)
		served := make(chan error, 1)
		go func() { served <- server.Serve(l) }()
		return func(graceful bool) {
			if graceful {
				server.GracefulStop()
			} else {
				server.Stop()
			}
			if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) { // it was stopped before it served
				t.Error(err)
			}
		}
	}
	stop := start()
	conn, err := grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.WaitForReady(true)), grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: time.Millisecond, Multiplier: 1, MaxDelay: time.Millisecond}}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var answered, failed, refused atomic.Int64
	served, over := make(chan struct{}), make(chan struct{})
	var load sync.WaitGroup
	for worker := range 8 {
		load.Go(func() {
			allowed := worker%2 == 0
			origin := page
			if !allowed {
				origin = "https://evil.example"
			}
			e := &envoy{client: extprocv3.NewExternalProcessorClient(conn), upstream: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Access-Control-Allow-Origin", "*") // so that a response that was not looked at can be read
			})}
			for {
				select {
				case <-over:
					return
				default:
				}
				got := e.do(t.Context(), call(origin))
				switch {
				case got.status == http.StatusInternalServerError:
					failed.Add(1)
				case !allowed && (got.ran || got.status != http.StatusForbidden):
					t.Errorf("a page that is not allowed: %+v", got)
				case !allowed:
					refused.Add(1)
				case got.header.Get("Access-Control-Allow-Origin") != page:
					t.Errorf("an allowed page: %+v", got)
				default:
					answered.Add(1)
				}
				if got.status != http.StatusInternalServerError {
					select {
					case served <- struct{}{}:
					case <-over:
					}
				}
			}
		})
	}
	for round := range 20 {
		for range 50 {
			<-served
		}
		stop(round%2 == 0)
		stop = start()
	}
	close(over)
	load.Wait()
	stop(true)
	t.Logf("%d answered, %d refused, %d failed", answered.Load(), refused.Load(), failed.Load())
}
