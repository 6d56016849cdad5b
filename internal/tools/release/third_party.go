package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// standardLibraryLicense is the licence of Go's standard library, by its SPDX identifier.
const standardLibraryLicense = "BSD-3-Clause"

// ownLicenseFile is the licence of the repository.
const ownLicenseFile = "LICENSE"

// A licensing knows the licences of everything that is compiled into a program.
type licensing struct {
	own     string   // the path of the repository's root module
	ownIDs  []string // the SPDX identifiers of the repository's licence
	modules []compiledModule
	goRoot  []byte // the licence file of Go
}

// newLicensing returns the licences of what is compiled into programs of a module, on all systems.
func newLicensing(ctx context.Context, g goCommand, t *trial, m *goModule, programs []string) (*licensing, error) {
	own := t.rel.modules.root().path()
	ownIDs, err := classify(t.rel.tree[ownLicenseFile].data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ownLicenseFile, err)
	}
	modules, err := compiledModules(ctx, g, t.treeDir(m), own, programs)
	if err != nil {
		return nil, err
	}
	// The folder of the go command is GOROOT/bin.
	goRoot, err := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(g.path)), "LICENSE"))
	if err != nil {
		return nil, fmt.Errorf("the licence of Go, which archives contain: %w: use Go as go.dev publishes it", err)
	}
	ids, err := classify(goRoot)
	if err == nil && !slices.Equal(ids, []string{standardLibraryLicense}) {
		err = fmt.Errorf("it is %s", strings.Join(ids, ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("the licence of Go is not %s: %w", standardLibraryLicense, err)
	}
	return &licensing{own, ownIDs, modules, goRoot}, nil
}

// isOwn reports whether a module is of the repository whose root module is own.
func isOwn(module, own string) bool {
	return module == own || strings.HasPrefix(module, own+"/")
}

// compiled returns a module that is not of the repository.
func (l *licensing) compiled(module string) (compiledModule, error) {
	for _, m := range l.modules {
		if m.path == module {
			return m, nil
		}
	}
	return compiledModule{}, fmt.Errorf("the licence of %s is not known, and it is compiled in", module)
}

// of returns the SPDX identifiers of a module's licences.
func (l *licensing) of(module string) ([]string, error) {
	switch {
	case isOwn(module, l.own):
		return l.ownIDs, nil
	case module == standardLibrary:
		return []string{standardLibraryLicense}, nil
	}
	m, err := l.compiled(module)
	return m.licenses, err
}

// texts returns the licence and NOTICE files of everything that is compiled into a program and that is not of the
// repository. Their licences ask that who passes the program on passes these texts on too.
func (l *licensing) texts(b *binary) ([]byte, error) {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s contains Go's standard library and the modules below. These are their licences and notices.\n", b.name())
	add := func(title, file string, content []byte) {
		line := strings.Repeat("-", 80)
		fmt.Fprintf(&text, "\n%s\n%s: %s\n%s\n\n%s\n", line, title, file, line, bytes.Trim(content, "\r\n"))
	}
	add("Go's standard library "+b.info.GoVersion, "LICENSE", l.goRoot)
	for _, m := range b.info.Deps {
		if isOwn(m.Path, l.own) {
			continue
		}
		compiled, err := l.compiled(m.Path)
		if err != nil {
			return nil, err
		}
		for _, name := range compiled.files {
			content, err := os.ReadFile(filepath.Join(compiled.dir, filepath.FromSlash(name)))
			if err != nil {
				return nil, err
			}
			add(m.Path+" "+m.Version, name, content)
		}
	}
	return text.Bytes(), nil
}
