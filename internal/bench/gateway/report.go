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

// target is the greatest ratio of the processor time to that of the bare proxy.
const target = 1.1

// against returns the ratio of a figure of the gateway to that of another proxy.
func (r row) against(other string, figure proxies.Figure) proxies.Ratio {
	return r.Ratio(gatewayName, other, figure)
}

func writeReport(w io.Writer, rows []row, rounds proxies.Rounds) error {
	commit, err := proof.ReadCommit(context.Background(), ".", "internal/bench/GATEWAY.md")
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# What the gateway costs\n\nWritten by `make bench-gateway` (%d rounds) on %s; not by hand. %s/%s, %d processors, %s, %s.\n\n",
		rounds.Count, time.Now().UTC().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), commit)
	fmt.Fprintf(&b, `- Each proxy is a process of its own in front of one connect-go server, over loopback. %d clients call at the same time: %d unary calls with a
  message of %d bytes each way, or streams of %d such messages. All requests and messages are the same for each proxy.
- **ReverseProxy** is a bare httputil.ReverseProxy that flushes each message and sets X-Forwarded-For. It has no CORS, no limits and no metrics. **nginx** is Debian's,
  with its buffering off, without CORS.
- CPU is the processor time of the proxy's process for each call. Times and rates are as the client sees them, with the client and the server on the same processors.
- A figure is the median of the rounds. A ratio is the median of the rounds' ratios; the brackets are its 95 %% confidence interval.
- The last way has its own meaning: the gateway translates gRPC-Web to gRPC, while the bare proxy beside it passes the client's bytes on unchanged to the same server.

`, rounds.Clients, rounds.Calls, proxies.MessageBytes, proxies.Streamed)
	fmt.Fprintf(&b, "| call | proxy | CPU of a call | CPU of the gateway ÷ this | p50 | p99 | p50 of the gateway ÷ this | p99 of the gateway ÷ this | calls a second |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, r := range rows {
		for _, name := range []string{gatewayName, bareName, nginxName} {
			if r.Samples[name] == nil {
				continue
			}
			cpu, p50, p99 := "", "", ""
			if name != gatewayName {
				cpu, p50, p99 = r.against(name, proxies.CPU).String(), r.against(name, proxies.P50).String(), r.against(name, proxies.P99).String()
			}
			fmt.Fprintf(&b, "| %s, %s | %s | %s | %s | %s | %s | %s | %s | %.0f |\n", r.Way.Name, r.Kind.Name, name,
				proxies.Microseconds(r.Median(name, proxies.CPU)), cpu, proxies.Microseconds(r.Median(name, proxies.P50)), proxies.Microseconds(r.Median(name, proxies.P99)), p50, p99, r.Median(name, proxies.Rate))
		}
	}
	fmt.Fprintf(&b, "\n## What was to be reached\n\nAt most %.1f × the processor time of the bare proxy, for the same bytes in and out.\n\n| call | measured | reached |\n| --- | --- | --- |\n", target)
	for _, r := range rows {
		if !r.sameBytes {
			continue
		}
		got, reached := r.against(bareName, proxies.CPU), "yes"
		if got.Middle > target {
			reached = "**no**"
		}
		fmt.Fprintf(&b, "| %s, %s | %s | %s |\n", r.Way.Name, r.Kind.Name, got, reached)
	}
	_, err = io.WriteString(w, b.String())
	return err
}
