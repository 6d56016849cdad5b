package main

import (
	"os"
	"testing"
)

// TestCostPageShowsTheResults: the page about the cost has the figures of the last run.
func TestCostPageShowsTheResults(t *testing.T) {
	t.Chdir("..")
	f, err := os.Open(resultsFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := read(f)
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
		t.Errorf("%s shows other figures than %s: run `make bench`, or `make bench ARGS=-render` to show those that are there:\n%s", costPage, resultsFile, costTable(r))
	}
	if rounds := r.rounds(); rounds < leastRounds {
		t.Errorf("%d rounds: %s", rounds, tooFew)
	}
}
