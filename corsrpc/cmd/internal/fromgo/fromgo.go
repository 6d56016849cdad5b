// Package fromgo reads the configuration of another CORS library from a Go source file, and writes the policy that
// grants the same. It reads the text of the file only: it runs nothing, and knows no other file of the program. Where
// it cannot know a value, or a policy cannot say the same, the policy grants less, and a Change names the difference.
package fromgo

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"strings"
)

// File is a Go source file that configures a CORS library.
type File struct {
	// Name is the name of the file.
	Name string
	// Configurations are the configurations in the file, in the order of their places. There is at least one.
	Configurations []*Configuration
}

// Configuration is one configuration of a library.
type Configuration struct {
	// Library is the import path of the library, without a major version.
	Library string
	// Call is how the configuration is made, such as cors.New.
	Call string
	// Line is the line where the configuration begins, and lines are all lines that belong to it.
	Line  int
	lines []int

	file     string
	settings *settings
	others   []*Configuration // in the same file
	// unused is true if no call of the library in the file takes the configuration as it is written. otherUse is a call
	// that takes one that is not known.
	unused   bool
	otherUse *unresolved
}

// At returns the configuration that a line belongs to.
func (f *File) At(line int) (*Configuration, error) {
	for _, c := range f.Configurations {
		if c.Line == line {
			return c, nil
		}
	}
	for _, c := range f.Configurations {
		if slices.Contains(c.lines, line) {
			return c, nil
		}
	}
	var begin []string
	for _, c := range f.Configurations {
		begin = append(begin, fmt.Sprintf("%s:%d", f.Name, c.Line))
	}
	return nil, fmt.Errorf("%s:%d is not part of a configuration: write %s", f.Name, line, strings.Join(begin, " or "))
}

// Read parses a Go source file and finds the configurations in it. An error says what the file has instead.
func Read(name string, source []byte) (*File, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, 0)
	if err != nil {
		var list scanner.ErrorList
		if errors.As(err, &list) && len(list) > 0 {
			first := list[0].Pos // its line is one that a //line comment says
			before := source[:min(max(first.Offset, 0), len(source))]
			line, column := bytes.Count(before, []byte("\n"))+1, len(before)-bytes.LastIndexByte(before, '\n')
			return nil, fmt.Errorf("%s:%d:%d: the file is not Go: %s", name, line, column, list[0].Msg)
		}
		return nil, fmt.Errorf("%s: the file is not Go: %w", name, err)
	}
	r := &reader{files: files, file: file, source: source, used: map[ast.Node]bool{}, blocks: map[ast.Node]ast.Node{}, known: map[ast.Expr]value{}}
	if err := r.readImports(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	r.recordChanges()
	found, elsewhere := r.configurations()
	for _, c := range found {
		c.file = name
		for _, other := range found {
			if other != c {
				c.others = append(c.others, other)
			}
		}
	}
	if len(found) == 0 {
		if len(elsewhere) > 0 {
			return nil, fmt.Errorf("%s:%d: %s gets %s: name the file in which the values of the configuration are written, or begin with a schema (corsrpc init -h)", name, elsewhere[0].line, elsewhere[0].call, elsewhere[0].why)
		}
		return nil, fmt.Errorf("%s imports %s, and does not configure it: name the file in which the configuration is written", name, r.importedLibraries())
	}
	return &File{Name: name, Configurations: found}, nil
}
