package proxies

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

// Sample is the result of one round.
type Sample struct {
	// CPU is the processor time of each process of the proxy for each call, in the order of Proxy.Processes.
	CPU []time.Duration
	// P50 and P99 are the median and the 99th percentile of the times of calls, as the client sees them.
	P50, P99 time.Duration
	// Rate is the number of calls per second.
	Rate float64
}

// Figure takes one figure from a sample.
type Figure func(Sample) float64

// CPU is the processor time of all processes of a proxy for each call, in nanoseconds.
func CPU(s Sample) (sum float64) {
	for _, used := range s.CPU {
		sum += float64(used)
	}
	return sum
}

// P50 is the median of the times of calls, in nanoseconds.
func P50(s Sample) float64 { return float64(s.P50) }

// P99 is the 99th percentile of the times of calls, in nanoseconds.
func P99(s Sample) float64 { return float64(s.P99) }

// Rate is the number of calls per second.
func Rate(s Sample) float64 { return s.Rate }

// Contender is one of those that are compared.
type Contender struct {
	// Name is the name in the report.
	Name  string
	Proxy *Proxy
	// Client makes the calls. Its Way and Kind are those of the row.
	Client Client
}

// Row has the samples of one kind of call in one way, by the contender's name: one for each round.
type Row struct {
	Way     Way
	Kind    Kind
	Samples map[string][]Sample
}

// Rounds says how much is measured.
type Rounds struct {
	// Count is the number of rounds, after one that warms up.
	Count int
	// Calls are the unary calls of each contender in a round.
	Calls int
	// Clients is the number of calls at the same time.
	Clients int
}

// Run measures the contenders in turn.
func (r Rounds) Run(ctx context.Context, way Way, kind Kind, contenders []Contender) (*Row, error) {
	row := &Row{way, kind, map[string][]Sample{}}
	n := max(r.Calls/kind.Fewer, r.Clients)
	for round := range r.Count + 1 {
		for i := range contenders {
			c := contenders[(round+i)%len(contenders)]
			c.Client.Way, c.Client.Kind = way, kind
			fmt.Fprintf(os.Stderr, "%s, %s: round %d of %d: %s\n", way.Name, kind.Name, round, r.Count, c.Name)
			s, err := c.Client.measure(ctx, c.Proxy, n, r.Clients)
			if err != nil {
				return nil, fmt.Errorf("%s, %s through %s: %w", way.Name, kind.Name, c.Name, err)
			}
			if round > 0 {
				row.Samples[c.Name] = append(row.Samples[c.Name], s)
			}
		}
	}
	return row, nil
}

// Median returns the median of a contender's figure.
func (r *Row) Median(name string, figure Figure) float64 {
	var values []float64
	for _, s := range r.Samples[name] {
		values = append(values, figure(s))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// Ratio is the median of the rounds' ratios, with its 95 % confidence interval, which supposes nothing
// about their distribution.
type Ratio struct{ Low, Middle, High float64 }

// String returns the ratio as the reports have it.
func (r Ratio) String() string { return fmt.Sprintf("%.2f [%.2f, %.2f]", r.Middle, r.Low, r.High) }

// Ratio returns the ratio of a contender's figure to that of another one.
func (r *Row) Ratio(name, other string, figure Figure) Ratio {
	a, b := r.Samples[name], r.Samples[other]
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = figure(a[i]) / figure(b[i])
	}
	slices.Sort(ratios)
	out := outside(len(ratios))
	return Ratio{ratios[out], ratios[len(ratios)/2], ratios[len(ratios)-1-out]}
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

// Microseconds returns a time in nanoseconds as the reports have it.
func Microseconds(ns float64) string { return fmt.Sprintf("%.0f µs", ns/1000) }
