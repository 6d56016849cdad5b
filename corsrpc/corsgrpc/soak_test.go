//go:build soak

package corsgrpc_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsgrpc"
	"github.com/corsrpc/corsrpc-go/internal/figures"
)

const (
	soakCalls     = 100_000
	soakCancelled = 1_000
	soakRounds    = 10
	soakClients   = 16 // concurrent calls
)

// TestSoak: after 100,000 calls of every kind, 1,000 streams whose client disconnects,
// and 900 incomplete requests, no goroutine is left and the heap has not grown.
func TestSoak(t *testing.T) {
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(`defaults: {allow_origins: [https://app.example.com]}`))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := corsrpc.New(plan)
	if err != nil {
		t.Fatal(err)
	}
	s := newService()
	s.ended = make(chan error, soakCancelled)
	h := layer.Wrap(corsgrpc.Text(corsgrpc.Handler(newServer(s))))
	var urls [2]string
	var clients [2]*http.Client
	for i, w := range wires {
		urls[i], clients[i] = w.start(t, h)
	}
	call := func(n int) {
		m, i := modes[n%2], n/2%2
		kinds := []struct {
			method, request string
			messages        int
			status          string
		}{
			{"Greet", "soak", 1, "0"}, {"Count", "20", 20, "0"}, {"Silence", "", 0, "0"}, {"Fail", "soak", 0, "9"},
			{"FailAfter", "3", 3, "9"}, {"Nothing", "", 0, "12"},
		}
		kind := kinds[n/4%len(kinds)]
		body := frame(t, kind.request)
		if n%97 == 0 { // a malformed request
			kind.messages, kind.status, body = 0, "13", []byte("\x80\x00")
			kind.method = "Greet"
		}
		r := m.request(t, urls[i], kind.method, body)
		r.Header.Set("Origin", page)
		got := send(t, clients[i], r)
		if len(got.messages) != kind.messages || strings.Join(got.trailers["grpc-status"], "") != kind.status {
			t.Errorf("%s: %+v", kind.method, got)
		}
	}
	cancelled := func(n int) {
		m, i := modes[n%2], n/2%2
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		r := m.request(t, urls[i], "Wait", frame(t, "")).WithContext(ctx)
		r.Header.Set("Origin", page)
		res, err := clients[i].Do(r)
		if err != nil {
			t.Error(err)
			return
		}
		defer res.Body.Close()
		if _, err := io.ReadFull(res.Body, make([]byte, 8)); err != nil {
			t.Error(err)
		}
	}
	// cut makes a client that disconnects after a part of its request.
	cut := func(n int) {
		m := modes[n%2]
		body := string(frame(t, "cut"))
		if m.text {
			body = base64.StdEncoding.EncodeToString([]byte(body))
		}
		request := fmt.Sprintf("POST /test.v1.TestService/Greet HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", m.contentType, len(body), body)
		conn, err := net.Dial("tcp", strings.TrimPrefix(urls[0], "http://"))
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, request[:n/2%len(request)])
		_ = conn.Close()
	}
	before := runtime.NumGoroutine()
	// settle waits until all goroutines of the calls have ended, and returns the size
	// of the heap. If one does not end, the test's timeout prints it.
	settle := func() (heap uint64) {
		for runtime.NumGoroutine() > before {
			for _, c := range clients {
				c.CloseIdleConnections()
			}
			runtime.Gosched()
		}
		runtime.GC()
		runtime.GC() // the first GC does not free the contents of a sync.Pool
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}

	concurrently(soakCalls/soakRounds, call)
	concurrently(soakCancelled/soakRounds, cancelled)
	heap := settle()
	for round := range soakRounds - 1 {
		concurrently(soakCalls/soakRounds, call)
		concurrently(soakCancelled/soakRounds, cancelled)
		concurrently(soakCancelled/soakRounds, func(n int) { cut(round*soakCancelled/soakRounds + n) })
		if t.Failed() {
			t.FailNow()
		}
	}
	grown := settle()
	figures.Measure(t, "soak.grpc.calls", figures.Count(soakCalls))
	figures.Measure(t, "soak.grpc.cancelled-streams", figures.Count(soakCancelled))
	t.Logf("%d calls and %d cancelled streams: %d goroutines, as before; a heap of %d KiB, after the first tenth %d KiB",
		soakCalls, soakCancelled, before, grown>>10, heap>>10)
	if len(s.ended) != soakCancelled {
		t.Errorf("the contexts of %d handlers ended, want %d", len(s.ended), soakCancelled)
	}
	if grown > heap+heap/4+(1<<20) {
		t.Errorf("the heap grew from %d to %d KiB", heap>>10, grown>>10)
	}
}

const page = "https://app.example.com"

// concurrently calls do n times, from soakClients goroutines.
func concurrently(n int, do func(int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range soakClients {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				do(int(i))
			}
		})
	}
	wg.Wait()
}
