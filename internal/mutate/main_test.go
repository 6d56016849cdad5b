package main

import (
	"go/parser"
	"go/token"
	"os"
	"testing"
)

// TestFaultsAreCurrent: each fault can still be made, and is one of a kind;
// `make mutate` tries them.
func TestFaultsAreCurrent(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range faults {
		source, err := os.ReadFile("../../" + f.file)
		if err != nil {
			t.Fatal(err)
		}
		broken, err := f.apply(string(source))
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := parser.ParseFile(token.NewFileSet(), f.file, broken, 0); err != nil {
			t.Errorf("%s: %v", f.name, err)
		}
		if seen[f.name] || seen[f.file+broken] {
			t.Errorf("%s: there twice", f.name)
		}
		seen[f.name], seen[f.file+broken] = true, true
	}
}
