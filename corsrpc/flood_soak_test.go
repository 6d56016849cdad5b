//go:build soak

package corsrpc_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// TestSoakRefusedOrigins: a flood of distinct origins, each refused, logged, kept for the
// inspector and observed, leaves the memory as it was.
func TestSoakRefusedOrigins(t *testing.T) {
	const perRound, rounds = 100_000, 10
	observed := 0
	layer, err := corsrpc.New(compilePolicy(t, allowPage+"shadow:\n  defaults:\n    allow_origins: [\"*\"]\n"),
		corsrpc.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))),
		corsrpc.WithObserver(corsrpc.ObserverFunc(func(context.Context, corsrpc.Event) { observed++ })))
	if err != nil {
		t.Fatal(err)
	}
	inspector := layer.Inspector()
	h := layer.Wrap(nothing)
	var first uint64
	for round := range rounds {
		start := time.Now()
		for i := range perRound {
			origin := fmt.Sprintf("https://evil-%d-%d.example", round, i)
			r := newRequest(http.MethodPost, listRPC, http.Header{"Origin": {origin}})
			if i%3 == 0 {
				r.URL.Path = fmt.Sprintf("/other%d.v1.S/M%d", i, round)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != http.StatusForbidden {
				t.Fatal(w.Code)
			}
		}
		rate := float64(perRound) / time.Since(start).Seconds()
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		t.Logf("round %d: %.0f distinct refused origins a second, %d KiB live", round, rate, m.HeapAlloc>>10)
		if first == 0 {
			first = m.HeapAlloc
		}
		if m.HeapAlloc > first+256<<10 {
			t.Errorf("%d bytes live, after %d at first", m.HeapAlloc, first)
		}
	}
	if w := inspect(inspector, nil, "application/json"); w.Body.Len() > 100_000 {
		t.Errorf("the inspector says %d bytes", w.Body.Len())
	}
	if observed != 2*perRound*rounds { // decisions, and what the shadow policy decides otherwise
		t.Errorf("%d events", observed)
	}
}
