package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// measuring is a run of everything that is measured.
type measuring struct {
	dir, binary       string
	processes, rounds int
	only              string // a regular expression
	lines             []line
}

// replaceResults measures, prints which ratios differ from the existing results, and replaces these.
func (m *measuring) replaceResults() error {
	wanted, err := regexp.Compile(m.only)
	if err != nil {
		return err
	}
	before, err := readFile(resultsFile)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	head := m.heading() // before the measurement, during which somebody may edit the tree
	for _, part := range []struct {
		name    string
		measure func() error
	}{{"Page", m.measurePages}, {"", m.measureContests}, {"Size", m.measureSizes}, {"Command", m.measureCommands}} {
		if part.name != "" && !wanted.MatchString(part.name) {
			continue
		}
		start := time.Now()
		if err := part.measure(); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "%s: %.0f s\n", part.name, time.Since(start).Seconds())
	}
	now := &results{head: head, values: map[key][][]float64{}}
	for _, l := range m.lines {
		now.add(l)
	}
	if before != nil && m.only != "" {
		keep(now, before)
	}
	if before != nil {
		printChanges(os.Stdout, before, now)
	}
	return now.write(resultsFile)
}

func (m *measuring) heading() heading {
	return heading{
		Date: time.Now().UTC().Format(time.DateOnly), Commit: revision(), Go: runtime.Version(), Machine: processor() + ", " + runtime.GOOS + "/" + runtime.GOARCH,
		Processors: runtime.GOMAXPROCS(0), Processes: m.processes, Rounds: m.rounds,
	}
}

// processor returns the model of the processor.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for l := range strings.SplitSeq(string(text), "\n") {
		if name, value, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// keep adds what was measured before, and not now.
func keep(now, before *results) {
	for _, name := range before.names {
		if now.has(name) {
			continue
		}
		now.names = append(now.names, name)
		for k, values := range before.values {
			if k.name == name {
				now.values[k] = values
			}
		}
	}
}

// printChanges prints the ratios to the handler by hand that lie outside of the interval that they had before.
func printChanges(to io.Writer, before, now *results) {
	for _, name := range now.names {
		base := strings.Replace(name, "/by=corsrpc", "/by=floor", 1)
		if base == name || !now.has(base) || !before.has(name) || !before.has(base) {
			continue
		}
		was, is := before.over(name, base), now.over(name, base)
		if is.middle < was.low || is.middle > was.high {
			fmt.Fprintf(to, "%s: %s × by hand, was %s\n", strings.Replace(name, "/by=corsrpc", "", 1), ratio(is), ratio(was))
		}
	}
}

// write writes the results, one process of one thing in a line.
func (r *results) write(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(f)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	err = encoder.Encode(r.head)
	for _, name := range r.names {
		for process := range r.processesOf(name) {
			l := line{process, name, map[string][]float64{}}
			for k, values := range r.values {
				if k.name == name && process < len(values) {
					l.Values[k.unit] = values[process]
				}
			}
			err = errors.Join(err, encoder.Encode(l))
		}
	}
	return errors.Join(err, out.Flush(), f.Close())
}

// processesOf returns the number of processes that measured a thing.
func (r *results) processesOf(name string) (n int) {
	for k, values := range r.values {
		if k.name == name {
			n = max(n, len(values))
		}
	}
	return n
}

// measureContests runs the contests in several processes, one after another.
func (m *measuring) measureContests() error {
	for process := range m.processes {
		file := filepath.Join(m.dir, "process.jsonl")
		args := []string{"-test.run", "^TestMeasure$", "-test.timeout", "0", "-measure", file, "-rounds", strconv.Itoa(m.rounds), "-only", m.only}
		if err := run(io.Discard, m.binary, args...); err != nil {
			return err
		}
		if err := m.addFile(process, file); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "process %d of %d\n", process+1, m.processes)
	}
	return nil
}

// addFile adds the lines of a process.
func (m *measuring) addFile(process int, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	decoder := json.NewDecoder(f)
	for {
		l := line{Process: process}
		switch err := decoder.Decode(&l); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		m.lines = append(m.lines, l)
	}
}

// build compiles the contests of the folder into a binary.
func build(dir string) (string, error) {
	binary := filepath.Join(dir, "bench.test")
	return binary, run(os.Stderr, "go", "test", "-c", "-o", binary, ".")
}

// profile returns a CPU profile of a contestant: the functions with the most samples.
func profile(binary, dir, contestant string) (string, error) {
	file := filepath.Join(dir, "cpu.pprof")
	if err := run(io.Discard, binary, "-test.run", "^TestProfile$", "-contestant", contestant, "-test.cpuprofile", file); err != nil {
		return "", err
	}
	top, err := exec.Command("go", "tool", "pprof", "-top", "-nodecount", "15", binary, file).Output()
	return string(top), err
}

// run runs a command, and adds its output to the error.
func run(out io.Writer, name string, args ...string) error {
	c := exec.Command(name, args...)
	c.Stdout, c.Stderr = out, os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", filepath.Base(name), strings.Join(args, " "), err)
	}
	return nil
}
