package main

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// rename replaces identifiers in the lists of faults: in the fields old, new and in, but not in
// names.
func rename(root, list string) error {
	var replacements []replacement
	for pair := range strings.SplitSeq(list, ",") {
		from, to, ok := strings.Cut(pair, "=")
		if !ok || from == "" {
			return fmt.Errorf("-rename: %q is not of the form old=new", pair)
		}
		replacements = append(replacements, replacement{from, to})
	}
	files, err := filepath.Glob(filepath.Join(root, "internal/mutate/faults_*.go"))
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		renamed, n, err := renameIn(string(text), replacements)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if n == 0 {
			continue
		}
		fmt.Printf("%s: %d texts rewritten\n", filepath.Base(file), n)
		if err := os.WriteFile(file, []byte(renamed), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// A replacement is an identifier, possibly qualified, and its new name.
type replacement struct {
	from, to string
}

func (r replacement) in(s string) string {
	return regexp.MustCompile(`\b`+regexp.QuoteMeta(r.from)+`\b`).ReplaceAllLiteralString(s, r.to)
}

// renameIn replaces identifiers in one list, and returns the number of texts that changed.
func renameIn(text string, replacements []replacement) (string, int, error) {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, "", text, parser.ParseComments)
	if err != nil {
		return "", 0, err
	}
	var literals []*ast.BasicLit
	ast.Inspect(tree, func(n ast.Node) bool {
		pair, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		key, _ := pair.Key.(*ast.Ident)
		literal, isLiteral := pair.Value.(*ast.BasicLit)
		if key != nil && isLiteral && key.Name != "name" {
			literals = append(literals, literal)
		}
		return true
	})
	n := 0
	for _, literal := range slices.Backward(literals) {
		renamed := literal.Value
		for _, r := range replacements {
			renamed = r.in(renamed)
		}
		if renamed != literal.Value {
			start := set.Position(literal.Pos()).Offset
			text = text[:start] + renamed + text[start+len(literal.Value):]
			n++
		}
	}
	formatted, err := format.Source([]byte(text))
	return string(formatted), n, err
}
