package bench

import (
	"bufio"
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"testing"
	"time"
)

var (
	measureTo = flag.String("measure", "", "measure, and write the results to this file, one JSON object a line")
	rounds    = flag.Int("rounds", usualRounds, "the number of rounds of a contest; with fewer, the slices are shorter too")
	contender = flag.String("contestant", "", "the full name of the contestant of TestProfile")
	only      = flag.String("only", "", "measure only the contests whose names match this regular expression")
)

// contests returns everything that is compared, in the order of the report. Each is made when its turn comes, so that
// one does not hold memory while another is measured.
func contests(yield func(contest) bool) {
	for _, some := range []func() []contest{
		handlerContests, requestContests,
		alone(exposureContest), alone(newExposureContest), alone(originsContest), alone(originsInTurnContest), alone(patternsContest),
		alone(starsContest), alone(proceduresContest), alone(hostileContest), alone(loopbackContest),
	} {
		for _, c := range some() {
			if !yield(c) {
				return
			}
		}
	}
}

func alone(make func() contest) func() []contest {
	return func() []contest { return []contest{make()} }
}

// measurements returns what is measured by itself: each function returns results with other units than processor time.
func measurements() []measurement {
	return []measurement{{"Load", measureLoads}, {"ReloadPeak", measureReloadPeaks}, {"Reloads", measureReloads}, {"Memory", measureMemory}, {"Start", measureStart}}
}

type measurement struct {
	name string
	// measure measures, or does everything once on a small scale if once is true.
	measure func(t testing.TB, once bool) []result
}

// TestMeasure does everything that is measured once. With -measure it measures, as one of the processes of `make
// bench`.
func TestMeasure(t *testing.T) {
	wanted := regexp.MustCompile(*only)
	if *measureTo == "" {
		for c := range contests {
			if wanted.MatchString(c.name) {
				c.runOnce(t)
			}
		}
		for _, m := range measurements() {
			if wanted.MatchString(m.name) {
				m.measure(t, true)
			}
		}
		return
	}
	f, err := os.Create(*measureTo)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := bufio.NewWriter(f)
	used := processTime()
	write := func(name string, started time.Time, results []result) {
		t.Logf("%s: %.1f s, of which %.1f s on a processor", name, time.Since(started).Seconds(), (processTime() - used).Seconds())
		used = processTime()
		for _, r := range results {
			line, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			out.Write(append(line, '\n'))
		}
	}
	for c := range contests {
		if start := time.Now(); wanted.MatchString(c.name) {
			write(c.name, start, c.run(t))
		}
	}
	for _, m := range measurements() {
		if start := time.Now(); wanted.MatchString(m.name) {
			write(m.name, start, m.measure(t, false))
		}
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
}

// TestProfile runs one contestant for some seconds, for a profile of the processor (-test.cpuprofile). It runs none
// without -contestant.
func TestProfile(t *testing.T) {
	if *contender == "" {
		return
	}
	for c := range contests {
		for _, one := range c.contestants {
			if c.name+"/"+one.name != *contender {
				continue
			}
			run := one.open(t)
			run(100 * calibrate(run, usualSlice))
			return
		}
	}
	t.Fatalf("no contestant has the name %q: the names are in results.jsonl", *contender)
}
