package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// A group is a set of benchmarks with the same -benchtime.
type group struct{ benchmarks, time string }

var groups = []group{
	{"^Benchmark(Requests|Exposure|NewExposure|Origins|OriginsInTurn|Patterns|Procedures|Hostile)$", "100ms"},
	{"^BenchmarkLoopback$", "1s"},
	{"^BenchmarkReloads$", "3s"},
	{"^Benchmark(Load|ReloadPeak)$", "1s"},
}

// measure runs all groups in each round, and writes their output. So the benchmarks that are
// compared run close together in time, and a temporary slowdown of the machine affects only
// one round.
func measure(binary string, rounds int, out io.Writer) error {
	for round := range rounds {
		for _, g := range groups {
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, rounds, g.benchmarks)
			if err := run(out, binary, "-test.run", "^$", "-test.timeout", "0", "-test.bench", g.benchmarks, "-test.benchtime", g.time); err != nil {
				return err
			}
		}
	}
	return nil
}

// build compiles the benchmarks of the folder into a binary.
func build(dir string) (string, error) {
	binary := filepath.Join(dir, "bench.test")
	return binary, run(os.Stderr, "go", "test", "-c", "-o", binary, ".")
}

// profile returns a CPU profile of a benchmark of corsrpc.
func profile(binary, dir, benchmark string) (string, error) {
	file := filepath.Join(dir, "cpu.pprof")
	if err := run(io.Discard, binary, "-test.run", "^$", "-test.bench", benchmark, "-test.benchtime", "3s", "-test.cpuprofile", file); err != nil {
		return "", err
	}
	top, err := exec.Command("go", "tool", "pprof", "-top", "-nodecount", "16", binary, file).Output()
	return string(top), err
}

// run runs a command, and adds its output to the error.
func run(out io.Writer, name string, args ...string) error {
	c := exec.Command(name, args...)
	c.Stdout, c.Stderr = out, os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(name), err)
	}
	return nil
}
