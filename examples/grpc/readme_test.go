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
	_, body, _ := strings.Cut(string(program), "// newServer")
	body, _, _ = strings.Cut("// newServer"+body, "\nfunc main")
	if !strings.Contains(string(readme), strings.TrimSpace(body)) {
		t.Errorf("README.md does not show\n%s", body)
	}
}
