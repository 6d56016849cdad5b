package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// A source is a Go file of the product.
type source struct {
	path  string // from the root, with slashes
	text  string
	plain plainText
	decls []decl
	// words returns the file's tokens, which it computes at the first call.
	words func() []word
}

// A decl is a declaration at the top level of a file, with the comments before and after it.
type decl struct {
	names      []string
	start, end int
}

// readSources reads the product: the Go files below corsrpc and internal, except tests,
// generated files, and the modules in internal.
func readSources(root string) ([]*source, error) {
	var sources []*source
	for _, top := range []string{"corsrpc", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(file string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			relative, err := filepath.Rel(root, file)
			if err != nil {
				return err
			}
			relative = filepath.ToSlash(relative)
			if entry.IsDir() {
				if isOutside(root, relative, entry.Name()) {
					return filepath.SkipDir
				}
				return nil
			}
			if path.Ext(relative) != ".go" || strings.HasSuffix(relative, "_test.go") {
				return nil
			}
			s, err := readSource(file, relative)
			if s != nil {
				sources = append(sources, s)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return sources, nil
}

// isOutside reports whether a folder contains no part of the product.
func isOutside(root, folder, name string) bool {
	switch {
	case name == "testdata", name == "node_modules", name[0] == '.', name[0] == '_',
		folder == "internal/mutate", folder == "internal/figures", folder == "internal/proof":
		return true
	case strings.HasPrefix(folder, "internal/"):
		_, err := os.Stat(filepath.Join(root, folder, "go.mod"))
		return err == nil
	}
	return false
}

// readSource reads one file; it returns nil for a generated one.
func readSource(file, relative string) (*source, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, relative, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	if ast.IsGenerated(tree) {
		return nil, nil
	}
	return newSource(relative, string(text), set, tree), nil
}

func newSource(path, text string, set *token.FileSet, tree *ast.File) *source {
	s := &source{path: path, text: text, plain: plain("\n"+text, -1)}
	s.words = sync.OnceValue(func() []word { return words(text) })
	for _, d := range tree.Decls {
		start, end := set.Position(d.Pos()).Offset, set.Position(d.End()).Offset
		var names []string
		switch d := d.(type) {
		case *ast.FuncDecl:
			names = functionNames(d)
			if d.Doc != nil {
				start = set.Position(d.Doc.Pos()).Offset
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					names = append(names, spec.Name.Name)
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						names = append(names, name.Name)
					}
				}
			}
			if d.Doc != nil {
				start = set.Position(d.Doc.Pos()).Offset
			}
		}
		if behind := strings.IndexByte(text[end:], '\n'); behind >= 0 {
			end += behind
		}
		s.decls = append(s.decls, decl{names, start, end})
	}
	return s
}

// functionNames returns the names of a function, such as Decide, or of a method, such as cross
// and (*Decision).cross.
func functionNames(d *ast.FuncDecl) []string {
	name := d.Name.Name
	if d.Recv == nil {
		return []string{name}
	}
	receiver, pointer := d.Recv.List[0].Type, false
	for {
		switch t := receiver.(type) {
		case *ast.StarExpr:
			receiver, pointer = t.X, true
		case *ast.IndexExpr:
			receiver = t.X
		case *ast.IndexListExpr:
			receiver = t.X
		case *ast.Ident:
			if pointer {
				return []string{name, fmt.Sprintf("(*%s).%s", t.Name, name)}
			}
			return []string{name, t.Name + "." + name}
		default:
			return []string{name}
		}
	}
}

// declares reports whether the declaration at offset has the name.
func (s *source) declares(name string, offset int) bool {
	return slices.ContainsFunc(s.decls, func(d decl) bool {
		return d.start <= offset && offset <= d.end && slices.Contains(d.names, name)
	})
}

// line returns the number of the line at offset.
func (s *source) line(offset int) int { return 1 + strings.Count(s.text[:offset], "\n") }

// places returns the places of old in the file, as fault.old describes.
func (s *source) places(old string) []place {
	wanted := plain(old, 0).text
	skip := 0
	if strings.HasPrefix(old, "\t") {
		wanted, skip = "\n"+wanted, 1
	}
	if strings.TrimSpace(wanted) == "" {
		return nil
	}
	var found []place
	for from := 0; ; {
		i := strings.Index(s.plain.text[from:], wanted)
		if i < 0 {
			return found
		}
		start, end := from+i, from+i+len(wanted)
		from = start + 1
		if isWhole(s.plain.text, start, end) {
			found = append(found, place{s, s.plain.offsets[start+skip], s.plain.offsets[end-1] + 1})
		}
	}
}

// isWhole reports whether text[start:end] does not begin or end within an identifier.
func isWhole(text string, start, end int) bool {
	cuts := func(i int) bool { return i > 0 && i < len(text) && isWord(text[i-1]) && isWord(text[i]) }
	return !cuts(start) && !cuts(end)
}

func isWord(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || b >= 0x80
}

// A plainText is a text in which each white space is one line feed if it contained one, and one
// space otherwise. offsets has the offsets of its bytes in the original text.
type plainText struct {
	text    string
	offsets []int
}

func plain(text string, offset int) plainText {
	var p plainText
	b := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		end := i
		for end < len(text) && strings.IndexByte(" \t\r\n", text[end]) >= 0 {
			end++
		}
		if end == i {
			b, p.offsets = append(b, text[i]), append(p.offsets, offset+i)
			continue
		}
		if feed := strings.IndexByte(text[i:end], '\n'); feed >= 0 {
			b, p.offsets = append(b, '\n'), append(p.offsets, offset+i+feed)
		} else if i > 0 || text[i] != '\t' {
			b, p.offsets = append(b, ' '), append(p.offsets, offset+i)
		}
		i = end - 1
	}
	p.text = string(b)
	return p
}
