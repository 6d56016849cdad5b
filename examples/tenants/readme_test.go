package main

import (
	"os"
	"strings"
	"testing"
)

// TestReadmeShowsThisProgram: what newcomers copy is what is tested.
func TestReadmeShowsThisProgram(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	policy, err := os.ReadFile("cors.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(program), "// newLayer")
	body, _, _ = strings.Cut("// newLayer"+body, "\n\n// run")
	_, defaults, _ := strings.Cut(string(policy), "\ndefaults:")
	defaults, _, _ = strings.Cut("defaults:"+defaults, "\nprofiles:")
	for _, part := range []string{body, defaults} {
		if !strings.Contains(string(readme), part) {
			t.Errorf("README.md does not show\n%s", part)
		}
	}
}
