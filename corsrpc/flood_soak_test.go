//go:build soak

package corsrpc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
	"github.com/corsrpc/corsrpc-go/internal/figures"
)

const (
	floodRound  = 100_000 // requests, each from another origin
	floodRounds = 10
	floodRate   = 10_000 // distinct refused origins a second, at least
)

// floods are kinds of requests that are refused and that the shadow policy decides differently.
var floods = []struct {
	name, policy, shadow string
	reason               corsrpc.Reason
	request              func(round, i int) *http.Request
}{
	{
		name: "origins that the policy does not list", policy: allowPage, shadow: `["*"]`, reason: corsrpc.ReasonOriginNotAllowed,
		request: func(round, i int) *http.Request {
			r := newRequest(http.MethodPost, listRPC, http.Header{"Origin": {fmt.Sprintf("https://evil-%d-%d.example", round, i)}})
			if i%3 == 0 {
				r.URL.Path = fmt.Sprintf("/other%d.v1.S/M%d", i, round)
			}
			return r
		},
	},
	{
		name: "origins that the policy names", policy: listedOrigins(floodRound), shadow: "[" + page + "]", reason: corsrpc.ReasonModeNotCORS,
		request: func(_, i int) *http.Request {
			return newRequest(http.MethodPost, listRPC, http.Header{"Origin": {fmt.Sprintf("https://tenant-%d.example", i)}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}})
		},
	},
}

// listedOrigins returns a policy that lists a number of origins.
func listedOrigins(n int) string {
	var b strings.Builder
	b.WriteString("defaults:\n  allow_origins:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - https://tenant-%d.example\n", i)
	}
	return b.String()
}

// TestSoakRefusedOrigins checks that the layer refuses at least floodRate distinct origins a second
// and that its memory does not grow. Each refusal goes to the log, the inspector and an observer, and
// is compared with a shadow policy.
func TestSoakRefusedOrigins(t *testing.T) {
	figures.Measure(t, "soak.flood.requests", figures.Count(len(floods)*floodRounds*floodRound))
	for _, flood := range floods {
		t.Run(flood.name, func(t *testing.T) {
			var decided, differed, otherwise int
			var log lineCounter
			inspector, err := corsinspect.New()
			if err != nil {
				t.Fatal(err)
			}
			layer, err := corsrpc.New(compilePolicy(t, flood.policy+"shadow:\n  defaults:\n    allow_origins: "+flood.shadow+"\n"),
				corsrpc.WithLogger(slog.New(slog.NewTextHandler(&log, nil))),
				corsrpc.WithObserver(inspector),
				corsrpc.WithObserver(corsrpc.ObserverFunc(func(_ context.Context, e corsrpc.Event) {
					switch {
					case e.Decision.Reason() != flood.reason:
						otherwise++
					case e.Kind == corsrpc.EventDecision:
						decided++
					case e.Kind == corsrpc.EventShadow:
						differed++
					}
				})))
			if err != nil {
				t.Fatal(err)
			}
			h := layer.Wrap(emptyHandler)
			var first uint64
			for round := range floodRounds {
				start := time.Now()
				for i := range floodRound {
					w := httptest.NewRecorder()
					h.ServeHTTP(w, flood.request(round, i))
					if w.Code != http.StatusForbidden {
						t.Fatal(w.Code)
					}
				}
				rate := floodRound / time.Since(start).Seconds()
				runtime.GC()
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				t.Logf("round %d: %.0f distinct refused origins a second, %d KiB live", round, rate, m.HeapAlloc>>10)
				if rate < floodRate {
					t.Errorf("%.0f distinct refused origins a second, want at least %d", rate, floodRate)
				}
				if first == 0 {
					first = m.HeapAlloc
				}
				if m.HeapAlloc > first+256<<10 {
					t.Errorf("%d bytes live, after %d at first", m.HeapAlloc, first)
				}
			}
			const all = floodRound * floodRounds
			if decided != all || differed != all || otherwise != 0 {
				t.Errorf("observed: %d decisions and %d differences, want %d of each, and %d for another reason", decided, differed, all, otherwise)
			}
			if log.lines.Load() == 0 {
				t.Error("nothing was logged")
			}
			r := newRequest(http.MethodGet, "/", http.Header{"Accept": {"application/json"}})
			r.Host = "localhost"
			w := httptest.NewRecorder()
			inspector.ServeHTTP(w, r)
			var shown struct {
				Forgotten             int
				Refusals, Differences []struct{ Count int }
			}
			if err := json.Unmarshal(w.Body.Bytes(), &shown); err != nil {
				t.Fatal(err)
			}
			counted := shown.Forgotten
			for _, group := range append(shown.Refusals, shown.Differences...) {
				counted += group.Count
			}
			if counted != 2*all {
				t.Errorf("the inspector counts %d refusals and differences, want %d", counted, 2*all)
			}
			t.Logf("the log has %d lines, the inspector %d groups in %d bytes", log.lines.Load(), len(shown.Refusals)+len(shown.Differences), w.Body.Len())
		})
	}
}

// lineCounter counts the lines of a log.
type lineCounter struct{ lines atomic.Int64 }

func (c *lineCounter) Write(line []byte) (int, error) {
	c.lines.Add(1)
	return len(line), nil
}
