package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/proof"
)

const (
	gatewayName = "corsrpc gateway"
	bareName    = "ReverseProxy"
)

// samples are those of one proxy in one row, a sample for each round.
type samples []sample

// row is one kind of call in one way.
type row struct {
	way     way
	kind    kind
	proxies map[string]*samples
}

func (r *row) add(name string, s sample) {
	if r.proxies[name] == nil {
		r.proxies[name] = &samples{}
	}
	*r.proxies[name] = append(*r.proxies[name], s)
}

// ratio is the median of the rounds' ratios, with its 95 % confidence interval, which supposes nothing
// about their distribution.
type ratio struct{ low, middle, high float64 }

func (r ratio) String() string { return fmt.Sprintf("%.2f [%.2f, %.2f]", r.middle, r.low, r.high) }

// against returns the ratio of a figure of the gateway to that of another proxy.
func (r *row) against(other string, figure func(sample) float64) ratio {
	a, b := *r.proxies[gatewayName], *r.proxies[other]
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = figure(a[i]) / figure(b[i])
	}
	slices.Sort(ratios)
	out := outside(len(ratios))
	return ratio{ratios[out], ratios[len(ratios)/2], ratios[len(ratios)-1-out]}
}

// outside returns how many of n sorted values lie beyond each end of the 95 % confidence interval of the
// median: those ranks that a binomial distribution with probability 1/2 leaves to 2.5 % at most.
func outside(n int) int {
	probability, sum, k := 1.0, 0.0, 0
	for range n {
		probability /= 2
	}
	for ; k < n/2; k++ {
		sum += probability
		if sum > 0.025 {
			break
		}
		probability *= float64(n-k) / float64(k+1)
	}
	return max(k-1, 0)
}

func median(s samples, figure func(sample) float64) float64 {
	values := make([]float64, len(s))
	for i := range s {
		values[i] = figure(s[i])
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func cpuOf(s sample) float64  { return float64(s.cpu) }
func p50Of(s sample) float64  { return float64(s.p50) }
func p99Of(s sample) float64  { return float64(s.p99) }
func rateOf(s sample) float64 { return s.rate }

// target is the greatest ratio of the processor time to that of the bare proxy.
const target = 1.1

func writeReport(w io.Writer, rows []*row, rounds, calls, clients int) error {
	commit, err := proof.ReadCommit(context.Background(), ".", "internal/bench/GATEWAY.md")
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# What the gateway costs\n\nWritten by `make bench-gateway` (%d rounds) on %s; not by hand. %s/%s, %d processors, %s, %s.\n\n",
		rounds, time.Now().UTC().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), commit)
	fmt.Fprintf(&b, `- Each proxy is a process of its own in front of one connect-go server, over loopback. %d clients call at the same time: %d unary calls with a
  message of %d bytes each way, or streams of %d such messages. All requests and messages are the same for each proxy.
- **ReverseProxy** is a bare httputil.ReverseProxy that flushes each message and sets X-Forwarded-For. It has no CORS, no limits and no metrics. **nginx** is Debian's,
  with its buffering off, without CORS.
- CPU is the processor time of the proxy's process for each call. Times and rates are as the client sees them, with the client and the server on the same processors.
- A figure is the median of the rounds. A ratio is the median of the rounds' ratios; the brackets are its 95 %% confidence interval.
- The last way has its own meaning: the gateway translates gRPC-Web to gRPC, while the bare proxy beside it passes the client's bytes on unchanged to the same server.

`, clients, calls, messageBytes, streamed)
	fmt.Fprintf(&b, "| call | proxy | CPU of a call | CPU of the gateway ÷ this | p50 | p99 | p50 of the gateway ÷ this | p99 of the gateway ÷ this | calls a second |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, r := range rows {
		for _, name := range []string{gatewayName, bareName, "nginx"} {
			s, ok := r.proxies[name]
			if !ok {
				continue
			}
			cpu, p50, p99 := "", "", ""
			if name != gatewayName {
				cpu, p50, p99 = r.against(name, cpuOf).String(), r.against(name, p50Of).String(), r.against(name, p99Of).String()
			}
			fmt.Fprintf(&b, "| %s, %s | %s | %s | %s | %s | %s | %s | %s | %.0f |\n", r.way.name, r.kind.name, name,
				shown(median(*s, cpuOf)), cpu, shown(median(*s, p50Of)), shown(median(*s, p99Of)), p50, p99, median(*s, rateOf))
		}
	}
	fmt.Fprintf(&b, "\n## What was to be reached\n\nAt most %.1f × the processor time of the bare proxy, for the same bytes in and out.\n\n| call | measured | reached |\n| --- | --- | --- |\n", target)
	for _, r := range rows {
		if !r.way.others {
			continue
		}
		got, reached := r.against(bareName, cpuOf), "yes"
		if got.middle > target {
			reached = "**no**"
		}
		fmt.Fprintf(&b, "| %s, %s | %s | %s |\n", r.way.name, r.kind.name, got, reached)
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// shown returns a time in microseconds.
func shown(ns float64) string { return fmt.Sprintf("%.0f µs", ns/1000) }
