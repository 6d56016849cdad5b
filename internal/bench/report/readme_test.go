package main

import (
	"os"
	"testing"
)

// TestReadmeShowsTheResults: the figures of README.md are those of the last run.
func TestReadmeShowsTheResults(t *testing.T) {
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
	readme, err := os.ReadFile(readmeFile)
	if err != nil {
		t.Fatal(err)
	}
	want, err := updateReadme(string(readme), r)
	if err != nil {
		t.Fatal(err)
	}
	if string(readme) != want {
		t.Errorf("README.md shows other figures than %s: run `make bench`, or `make bench ARGS=-render` to show those that are there:\n%s", resultsFile, readmeTable(r))
	}
	if rounds := r.rounds(); rounds < leastRounds {
		t.Errorf("%d rounds: %s", rounds, tooFew)
	}
}
