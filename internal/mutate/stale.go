package main

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path"
	"path/filepath"
	"sync"
)

// printStale prints each fault that cannot be applied, with the most similar places, and each
// fault that does not compile.
func printStale(ctx context.Context, root string, jobs int) error {
	sources, err := readSources(root)
	if err != nil {
		return err
	}
	check, err := newChecker(ctx, root)
	if err != nil {
		return err
	}
	reports := make([]string, len(faults))
	var wait sync.WaitGroup
	turn := make(chan int)
	for range jobs {
		wait.Go(func() {
			for i := range turn {
				reports[i] = check.report(faults[i], sources)
			}
		})
	}
	for i := range faults {
		turn <- i
	}
	close(turn)
	wait.Wait()
	stale := 0
	for _, report := range reports {
		if report != "" {
			stale++
			fmt.Println(report)
		}
	}
	fmt.Printf("%d of %d faults are stale\n", stale, len(faults))
	if stale > 0 {
		return errors.New("the list of faults is not up to date")
	}
	return nil
}

// A checker type-checks faults.
type checker struct {
	root     string
	packages map[string]*goPackage // by folder
	exports  map[string]string     // files by import path
}

func newChecker(ctx context.Context, root string) (*checker, error) {
	c := &checker{root: root, packages: map[string]*goPackage{}, exports: map[string]string{}}
	product, err := listProduct(ctx, root)
	if err != nil {
		return nil, err
	}
	modules := map[string]bool{}
	for _, p := range product {
		c.packages[p.folder] = p
		modules[p.Module.Dir] = true
	}
	for module := range modules {
		listed, err := goList(ctx, root, module, "-export", "-deps", "./...")
		if err != nil {
			return nil, err
		}
		for _, p := range listed {
			c.exports[p.ImportPath] = p.Export
		}
	}
	return c, nil
}

// report describes the problem of a fault, or returns "".
func (c *checker) report(f fault, sources []*source) string {
	place, err := f.find(sources)
	var broken string
	if err == nil {
		if broken, err = place.with(f); err == nil {
			err = c.compile(place.source.path, broken)
		}
		if err != nil {
			return fmt.Sprintf("%s: %v\n", f.name, err)
		}
		return ""
	}
	out := fmt.Sprintf("%s: %v\n", f.name, err)
	for _, near := range f.nearest(sources, 3) {
		out += "-> " + near.String() + "\n"
	}
	return out
}

// compile type-checks a package in which one file is replaced.
func (c *checker) compile(file, text string) error {
	p := c.packages[path.Dir(file)]
	if p == nil {
		return fmt.Errorf("no package in the output of go list has the folder %s", path.Dir(file))
	}
	set := token.NewFileSet()
	var files []*ast.File
	for _, name := range p.GoFiles {
		var content any
		if name == path.Base(file) {
			content = text
		}
		parsed, err := parser.ParseFile(set, filepath.Join(p.Dir, name), content, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, parsed)
	}
	open := func(path string) (io.ReadCloser, error) { return os.Open(c.exports[path]) }
	config := types.Config{Importer: importer.ForCompiler(set, "gc", open)}
	if _, err := config.Check(p.ImportPath, set, files, nil); err != nil {
		return fmt.Errorf("the source with the fault does not compile: %w", err)
	}
	return nil
}
