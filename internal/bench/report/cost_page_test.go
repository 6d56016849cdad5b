package main

import (
	"os"
	"testing"
)

// TestCostPageShowsTheResults: the page about the cost has the figures of the last run, which was a whole one.
func TestCostPageShowsTheResults(t *testing.T) {
	t.Chdir("..")
	r, err := readFile(resultsFile)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(costPage)
	if err != nil {
		t.Fatal(err)
	}
	want, err := updateCost(string(page), r)
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != want {
		t.Errorf("%s shows other figures than %s: run `make bench`, or `make bench ARGS=-render` to show those that are there", costPage, resultsFile)
	}
	if r.head.Processes < leastProcesses || r.head.Rounds < leastRounds {
		t.Errorf("%s has %d processes of %d rounds, want at least %d of %d: run `make bench` on an idle machine", resultsFile, r.head.Processes, r.head.Rounds, leastProcesses, leastRounds)
	}
}

// TestFigureOf: a figure is the median of the processes' medians, with the lowest and the highest.
func TestFigureOf(t *testing.T) {
	got := figureOf([][]float64{{1, 9, 2}, {4}, nil, {3, 3, 100, 200}})
	if want := (figure{4, 2, 51.5}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
	a, b := [][]float64{{2, 4, 60}}, [][]float64{{1, 2, 3}}
	if got := combine(a, b, func(a, b float64) float64 { return a / b }); got != (figure{2, 2, 2}) {
		t.Errorf("%v, want the median of the ratios, not the ratio of the medians", got)
	}
}
