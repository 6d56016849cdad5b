package bench

import (
	"math"
	"math/rand/v2"
	"net/http"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A contest is a set of things that are compared. All of them are set up first, in one process, and then measured in
// rounds: in each round every one has a slice of time, in another order. So a slowdown of the machine affects all of
// them alike, and the ratio within a round is not affected.
type contest struct {
	name        string // before the names of the contestants
	slice       time.Duration
	contestants []contestant
}

// A contestant is one thing that is measured.
type contestant struct {
	name string // the parts of its name after the contest's, such as "case=…/by=rs"
	// open sets it up, and returns a function that does the measured thing n times.
	open func(t testing.TB) func(n int)
}

// The rounds of a contest, and how long a contestant runs in a round unless the contest says otherwise. In a slice, a
// layer alone allocates a few MiB, so that it pays for its garbage.
const (
	usualRounds = 25
	usualSlice  = 20 * time.Millisecond
	shortSlice  = 6 * time.Millisecond // for tables that show a trend only
)

// A result is what was measured of one contestant in one process.
type result struct {
	Name string `json:"name"`
	// Values has the measured values by unit: one for each round, or one.
	Values map[string][]float64 `json:"values"`
}

// add adds a measured value.
func (r result) add(unit string, value float64) {
	r.Values[unit] = append(r.Values[unit], rounded(value))
}

// run measures a contest.
func (c contest) run(t testing.TB) []result {
	type running struct {
		run func(n int)
		n   int
	}
	all, results := make([]running, len(c.contestants)), make([]result, len(c.contestants))
	for i, one := range c.contestants {
		all[i].run = one.open(t)
	}
	runtime.GC()
	slice := c.slice
	if slice == 0 {
		slice = usualSlice
	}
	if *rounds < usualRounds {
		slice /= 5
	}
	for i := range all {
		all[i].n = calibrate(all[i].run, slice)
		results[i] = result{c.name + "/" + c.contestants[i].name, allocations(all[i].run, all[i].n)}
	}
	random := rand.New(rand.NewPCG(1, uint64(len(all))))
	for range *rounds {
		for _, i := range random.Perm(len(all)) {
			start := processTime()
			all[i].run(all[i].n)
			took := processTime() - start
			results[i].add("ns", float64(took)/float64(all[i].n))
		}
	}
	return results
}

// runOnce does each contestant's thing once.
func (c contest) runOnce(t testing.TB) {
	for _, one := range c.contestants {
		one.open(t)(1)
	}
}

// calibrate returns how often a thing is done in a slice. It does so three times, since the first time pays for what is
// computed once and for new memory.
func calibrate(run func(n int), slice time.Duration) (n int) {
	for range 3 {
		for n = 1; ; n *= 2 {
			start := processTime()
			run(n)
			if took := processTime() - start; took >= slice/2 || n >= 1<<28 {
				n = max(1, int(float64(n)*float64(slice)/float64(max(took, 1))))
				break
			}
		}
	}
	return n
}

// allocations returns the number and the bytes of the allocations each time.
func allocations(run func(n int), n int) map[string][]float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	run(n)
	runtime.ReadMemStats(&after)
	return map[string][]float64{
		"allocs": {math.Floor(float64(after.Mallocs-before.Mallocs) / float64(n))},
		"B":      {math.Floor(float64(after.TotalAlloc-before.TotalAlloc) / float64(n))},
	}
}

// processTime returns the processor time of the process, in user and system mode: all of its threads, with the garbage
// collector's.
func processTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// rounded returns a value with five digits, which keeps the file of results small.
func rounded(v float64) float64 {
	if v == 0 {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(math.Abs(v)))-4)
	return math.Round(v/unit) * unit
}

// serve returns a function that serves requests one after another.
func serve(h http.Handler, r *http.Request) func(n int) {
	w := newWriter()
	return func(n int) {
		for range n {
			clear(w.header)
			h.ServeHTTP(w, r)
		}
	}
}

// serveOnAll returns a function that serves requests on all processors at once.
func serveOnAll(h http.Handler, request func() *http.Request) func(n int) {
	var each []func(n int)
	for range runtime.GOMAXPROCS(0) {
		each = append(each, serve(h, request()))
	}
	return func(n int) {
		var all sync.WaitGroup
		for i, run := range each {
			all.Go(func() { run((n + i) / len(each)) })
		}
		all.Wait()
	}
}
