package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/bench/proxies"
	"github.com/corsrpc/corsrpc-go/internal/proof"
)

// writeReport writes ENVOY.md.
func writeReport(ctx context.Context, w io.Writer, rows []*proxies.Row, rounds proxies.Rounds) error {
	commit, err := proof.ReadCommit(ctx, ".", "internal/bench/ENVOY.md")
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# What the external processor costs in Envoy\n\nWritten by `make bench-envoy` (%d rounds) on %s; not by hand. %s/%s, %d processors, %s, %s.\n\n",
		rounds.Count, time.Now().UTC().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), commit)
	fmt.Fprintf(&b, `- Each Envoy, the processor and the gateway are processes of their own in front of one connect-go server, over loopback. %d clients call at the same time: %d unary
  calls with a message of %d bytes each way, or streams of %d such messages. All requests and messages are the same, except for the page's fields.
- **%s** has no CORS. **%s** has a policy for the same page. None of the Envoys has an access log.
- **%s**: a call of an allowed page. Envoy asks corsrpc extproc over a Unix socket about the header of the request, and about that of the response.
- **%s**: a call without Origin. Envoy asks about the header of the request only (allow_mode_override).
- **%s** stands in Envoy's place. It translates gRPC-Web by itself.
- CPU is the processor time of Envoy's process and of the processor's, for each call. Times and rates are as the client sees them, with the client and the server on the
  same processors.
- A figure is the median of the rounds. A ratio is the median of the rounds' ratios; the brackets are its 95 %% confidence interval, which needs 6 rounds or more.

`, rounds.Clients, rounds.Calls, proxies.MessageBytes, proxies.Streamed, aloneName, filterName, twiceName, onceName, gatewayName)
	b.WriteString("| call | proxy | CPU of a call | of Envoy | of the processor | calls a second | p50 | p99 |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, r := range rows {
		for _, name := range names {
			envoy, processor := "", ""
			if name != gatewayName {
				envoy = proxies.Microseconds(r.Median(name, process(0)))
			}
			if len(r.Samples[name][0].CPU) > 1 {
				processor = proxies.Microseconds(r.Median(name, process(1)))
			}
			fmt.Fprintf(&b, "| %s, %s | %s | %s | %s | %s | %.0f | %s | %s |\n", r.Way.Name, r.Kind.Name, name, proxies.Microseconds(r.Median(name, proxies.CPU)), envoy, processor,
				r.Median(name, proxies.Rate), proxies.Microseconds(r.Median(name, proxies.P50)), proxies.Microseconds(r.Median(name, proxies.P99)))
		}
	}
	writeRatios(&b, rows, "Divided by Envoy alone", aloneName)
	writeRatios(&b, rows, "Divided by the gateway in Envoy's place", gatewayName)
	_, err = io.WriteString(w, b.String())
	return err
}

// writeRatios writes a section with the ratios to one of those that are compared.
func writeRatios(b *strings.Builder, rows []*proxies.Row, title, other string) {
	fmt.Fprintf(b, "\n## %s\n\n| call | proxy | CPU of a call | calls a second | p50 | p99 |\n| --- | --- | --- | --- | --- | --- |\n", title)
	for _, r := range rows {
		for _, name := range names {
			if name != other {
				fmt.Fprintf(b, "| %s, %s | %s | %s | %s | %s | %s |\n", r.Way.Name, r.Kind.Name, name, r.Ratio(name, other, proxies.CPU),
					r.Ratio(name, other, proxies.Rate), r.Ratio(name, other, proxies.P50), r.Ratio(name, other, proxies.P99))
			}
		}
	}
}

// process is the processor time of one process of a proxy for each call, in nanoseconds.
func process(i int) proxies.Figure {
	return func(s proxies.Sample) float64 { return float64(s.CPU[i]) }
}
