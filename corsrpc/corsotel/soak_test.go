//go:build soak

package corsotel_test

import (
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsotel"
	"github.com/corsrpc/corsrpc-go/internal/figures"
)

const (
	floodRound  = 50_000 // requests, each from a different origin
	floodRounds = 10
	floodRate   = 10_000 // the required rate, in distinct refused origins per second
)

// TestSoakRefusedOrigins: a flood of refused requests with distinct origins, unknown or listed
// in the policy, is counted in one point and does not increase memory. The layer, with a log,
// an inspector and a shadow policy, refuses at least floodRate requests per second.
func TestSoakRefusedOrigins(t *testing.T) {
	var listed strings.Builder
	for i := range floodRound {
		fmt.Fprintf(&listed, "\n  - https://tenant-%d.example", i)
	}
	floods := []struct {
		name, origins, shadow string
		send                  func(layer *corsrpc.Layer, round, i int)
	}{
		{"unknown origins", " [" + page + "]", `["*"]`, func(layer *corsrpc.Layer, round, i int) {
			send(layer, "POST", fmt.Sprintf("/acme.catalog.v1.CatalogService/M%d_%d", round, i), fmt.Sprintf("https://evil-%d-%d.example", round, i))
		}},
		{"origins in the policy", listed.String(), "[" + page + "]", func(layer *corsrpc.Layer, _, i int) {
			send(layer, "POST", listRPC, fmt.Sprintf("https://tenant-%d.example", i), "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors")
		}},
	}
	figures.Measure(t, "soak.flood.observed-requests", figures.Count(len(floods)*floodRounds*floodRound))
	for _, flood := range floods {
		t.Run(flood.name, func(t *testing.T) {
			reader := metric.NewManualReader()
			observer, err := corsotel.New(corsotel.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(reader))))
			if err != nil {
				t.Fatal(err)
			}
			policy := "defaults:\n  allow_origins:" + flood.origins + "\nshadow:\n  defaults:\n    allow_origins: " + flood.shadow + "\n"
			inspector, err := corsinspect.New()
			if err != nil {
				t.Fatal(err)
			}
			layer, err := corsrpc.New(compile(t, policy), corsrpc.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))),
				corsrpc.WithObserver(observer), corsrpc.WithObserver(inspector))
			if err != nil {
				t.Fatal(err)
			}
			var first uint64
			for round := range floodRounds {
				start := time.Now()
				for i := range floodRound {
					flood.send(layer, round, i)
				}
				rate := floodRound / time.Since(start).Seconds()
				points := collect(t, reader)
				runtime.GC()
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				t.Logf("round %d: %.0f distinct refused origins per second, %d KiB of heap", round, rate, m.HeapAlloc>>10)
				if rate < floodRate {
					t.Errorf("%.0f distinct refused origins per second, want at least %d", rate, floodRate)
				}
				if first == 0 {
					first = m.HeapAlloc
				}
				if m.HeapAlloc > first+256<<10 {
					t.Errorf("the heap grew from %d to %d bytes", first, m.HeapAlloc)
				}
				for _, name := range []string{"corsrpc.decisions {decision}", "corsrpc.shadow.differences {difference}"} {
					if all := fmt.Sprintf("%d{", (round+1)*floodRound); len(points[name]) != 1 || !strings.HasPrefix(points[name][0], all) {
						t.Errorf("%s: %q, want one point of %s…}", name, points[name], all)
					}
				}
			}
		})
	}
}
