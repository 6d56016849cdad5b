package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"
)

// results holds the measurements by benchmark and unit, one for each round.
type results struct {
	machine, processors, goVersion, date, commit string

	values map[key][]float64
	names  []string // of benchmarks, in the order in which they ran
}

type key struct{ name, unit string }

// read parses the output of the benchmarks.
func read(r io.Reader) (*results, error) {
	all := &results{values: map[key][]float64{}}
	reader := benchfmt.NewReader(r, "results.txt")
	for reader.Scan() {
		result, ok := reader.Result().(*benchfmt.Result)
		if !ok {
			if err, ok := reader.Result().(*benchfmt.SyntaxError); ok {
				return nil, err
			}
			continue
		}
		all.machine = result.GetConfig("cpu") + ", " + result.GetConfig("goos") + "/" + result.GetConfig("goarch")
		all.processors, all.goVersion = result.GetConfig("processors"), result.GetConfig("go")
		all.date, all.commit = result.GetConfig("date"), result.GetConfig("commit")
		name := nameOf(result)
		if !slices.Contains(all.names, name) {
			all.names = append(all.names, name)
		}
		for _, v := range result.Values {
			unit, value := v.Unit, v.Value
			if v.OrigUnit != "" {
				unit, value = v.OrigUnit, v.OrigValue
			}
			all.values[key{name, unit}] = append(all.values[key{name, unit}], value)
		}
	}
	return all, reader.Err()
}

// nameOf returns the benchmark's name without the number of processors.
func nameOf(r *benchfmt.Result) string {
	base, parts := r.Name.Parts()
	name := string(base)
	for _, part := range parts {
		if part[0] == '/' {
			name += string(part)
		}
	}
	return strings.ReplaceAll(name, "_", " ")
}

// values returns the measurements of a benchmark, which must exist.
func (r *results) of(name, unit string) []float64 {
	values := r.values[key{name, unit}]
	if len(values) == 0 {
		panic(fmt.Sprintf("no results of %s in %s", name, unit))
	}
	return values
}

func (r *results) has(name string) bool { return slices.Contains(r.names, name) }

// settings returns the values of a part of the names, such as 1000 for origins=, of the
// benchmarks with a prefix.
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

// A figure is a median with its 95 % confidence interval, without an assumption about the
// distribution of the measurements.
type figure struct{ middle, low, high float64 }

func figureOf(values []float64) figure {
	s := benchmath.AssumeNothing.Summary(benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds), 0.95)
	return figure{s.Center, s.Lo, s.Hi}
}

// over returns the ratio of a to b, round by round.
func over(a, b []float64) figure {
	return figureOf(each(a, b, func(a, b float64) float64 { return a / b }))
}

// minus returns the difference of a and b, round by round.
func minus(a, b []float64) figure {
	return figureOf(each(a, b, func(a, b float64) float64 { return a - b }))
}

func each(a, b []float64, f func(a, b float64) float64) []float64 {
	all := make([]float64, min(len(a), len(b)))
	for i := range all {
		all[i] = f(a[i], b[i])
	}
	return all
}
