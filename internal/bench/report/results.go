package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// results holds the measurements by name and unit. Each has the values of each process: one for each round, or one.
type results struct {
	head   heading
	values map[key][][]float64
	names  []string // in the order in which they were measured
}

// key identifies a measured value.
type key struct{ name, unit string }

// heading is the first line of the file of results.
type heading struct {
	Date       string `json:"date"`
	Commit     string `json:"commit"`
	Go         string `json:"go"`
	Machine    string `json:"machine"`
	Processors int    `json:"processors"`
	Processes  int    `json:"processes"`
	Rounds     int    `json:"rounds"`
}

// line is any other line of the file of results: what one process measured of one thing.
type line struct {
	// Process is the number of the process, from 0.
	Process int `json:"process"`
	// Name has the parts of the name, separated by slashes.
	Name string `json:"name"`
	// Values has the values by unit, one for each round. A unit that begins with "ns" is processor time, and one that
	// begins with "wall-ns" is the time on the clock.
	Values map[string][]float64 `json:"values"`
}

// read reads a file of results.
func read(from io.Reader) (*results, error) {
	r := &results{values: map[key][][]float64{}}
	decoder := json.NewDecoder(bufio.NewReader(from))
	if err := decoder.Decode(&r.head); err != nil {
		return nil, fmt.Errorf("%s: the first line: %w", resultsFile, err)
	}
	for {
		var l line
		switch err := decoder.Decode(&l); {
		case errors.Is(err, io.EOF):
			return r, nil
		case err != nil:
			return nil, fmt.Errorf("%s: %w", resultsFile, err)
		}
		r.add(l)
	}
}

func (r *results) add(l line) {
	if !slices.Contains(r.names, l.Name) {
		r.names = append(r.names, l.Name)
	}
	for unit, values := range l.Values {
		k := key{l.Name, unit}
		for len(r.values[k]) <= l.Process {
			r.values[k] = append(r.values[k], nil)
		}
		r.values[k][l.Process] = values
	}
}

// of returns the values of each process, of which there must be some.
func (r *results) of(name, unit string) [][]float64 {
	values := r.values[key{name, unit}]
	if len(values) == 0 {
		panic(fmt.Sprintf("%s has no %s of %s: run make bench", resultsFile, unit, name))
	}
	return values
}

func (r *results) has(name string) bool { return slices.Contains(r.names, name) }

// settings returns the values of a part of the names, such as 1000 for origins=, of the
// measurements whose names begin with prefix.
func (r *results) settings(prefix string) (values []string) {
	for _, name := range r.names {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			value, _, _ := strings.Cut(rest, "/")
			if !slices.Contains(values, value) {
				values = append(values, value)
			}
		}
	}
	return values
}

// A figure is the median of the processes, and the lowest and the highest of them. The figure of a process is the
// median of its rounds.
type figure struct{ middle, low, high float64 }

// figureOf returns the figure of values that each process has for each round.
func figureOf(processes [][]float64) figure {
	var medians []float64
	for _, rounds := range processes {
		if len(rounds) > 0 {
			medians = append(medians, median(rounds))
		}
	}
	slices.Sort(medians)
	return figure{median(medians), medians[0], medians[len(medians)-1]}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// combine returns the figure of a function of two measurements, computed round by round.
func combine(a, b [][]float64, f func(a, b float64) float64) figure {
	var all [][]float64
	for p := range min(len(a), len(b)) {
		var rounds []float64
		for i := range min(len(a[p]), len(b[p])) {
			rounds = append(rounds, f(a[p][i], b[p][i]))
		}
		all = append(all, rounds)
	}
	return figureOf(all)
}

// figure returns the figure of one measurement.
func (r *results) figure(name, unit string) figure { return figureOf(r.of(name, unit)) }

// time returns the processor time each time, in nanoseconds.
func (r *results) time(name string) figure { return r.figure(name, "ns") }

// over returns the ratio of the processor time of one thing to that of another, within the rounds.
func (r *results) over(name, base string) figure {
	return combine(r.of(name, "ns"), r.of(base, "ns"), func(a, b float64) float64 { return a / b })
}

// minus returns the difference of the values of two things, within the rounds.
func (r *results) minus(name, base, unit string) figure {
	return combine(r.of(name, unit), r.of(base, unit), func(a, b float64) float64 { return a - b })
}
