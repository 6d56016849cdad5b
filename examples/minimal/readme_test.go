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
	test, err := os.ReadFile("cors_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(test), "\tconst greet")
	table, _, _ = strings.Cut("\tconst greet"+table, "\n}\n")
	_, body, _ := strings.Cut(string(program), "// newHandler")
	body, _, _ = strings.Cut("// newHandler"+body, "\nfunc main")
	for _, part := range []string{strings.TrimSpace(body), strings.TrimSpace(string(policy)), table} {
		if !strings.Contains(string(readme), part) {
			t.Errorf("README.md does not show\n%s", part)
		}
	}
}
