package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
)

// intentFolder is the folder of the properties, a separate module.
const intentFolder = "internal/intent"

// A goPackage is a package in the output of go list.
type goPackage struct {
	ImportPath, Dir                    string
	GoFiles, TestGoFiles, XTestGoFiles []string
	Imports, TestImports, XTestImports []string
	Export                             string
	Module                             *struct{ Dir string }
	folder                             string // from the root, with slashes
}

func (p *goPackage) hasTests() bool { return len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 }

// listProduct returns the packages of the root module and of the modules below corsrpc.
func listProduct(ctx context.Context, root string) ([]*goPackage, error) {
	modules := []string{root}
	err := filepath.WalkDir(filepath.Join(root, "corsrpc"), func(file string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == "go.mod" {
			modules = append(modules, filepath.Dir(file))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var all []*goPackage
	for _, module := range modules {
		listed, err := goList(ctx, root, module, "./...")
		if err != nil {
			return nil, err
		}
		all = append(all, listed...)
	}
	return all, nil
}

// goList runs go list in a folder.
func goList(ctx context.Context, root, folder string, args ...string) ([]*goPackage, error) {
	command := goCommand(ctx, folder, append([]string{"list", "-tags=nginx", "-json=ImportPath,Dir,GoFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports,Export,Module"}, args...)...)
	out, err := command.Output()
	if err != nil {
		return nil, commandError(command, err)
	}
	var all []*goPackage
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		if relative, err := filepath.Rel(root, p.Dir); err == nil {
			p.folder = filepath.ToSlash(relative)
		}
		all = append(all, &p)
	}
}

// testers returns the packages whose tests may notice a fault in a folder, sorted by the number
// of imports between.
func testers(all []*goPackage, folder string) []string {
	const far = 1 << 20
	distance := map[string]int{}
	of := func(imports []string) int {
		nearest := far
		for _, path := range imports {
			if d, ok := distance[path]; ok {
				nearest = min(nearest, d+1)
			}
		}
		return nearest
	}
	for _, p := range all {
		if p.folder == folder {
			distance[p.ImportPath] = 0
		}
	}
	for changed := true; changed; {
		changed = false
		for _, p := range all {
			have, ok := distance[p.ImportPath]
			if d := of(p.Imports); d < far && (!ok || d < have) {
				distance[p.ImportPath], changed = d, true
			}
		}
	}
	type tester struct {
		folder   string
		distance int
	}
	var found []tester
	for _, p := range all {
		d, ok := distance[p.ImportPath]
		if !ok {
			d = min(of(p.TestImports), of(p.XTestImports))
		}
		if p.hasTests() && d < far {
			found = append(found, tester{p.folder, d})
		}
	}
	slices.SortFunc(found, func(a, b tester) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.folder, b.folder))
	})
	folders := make([]string, len(found))
	for i, t := range found {
		folders[i] = t.folder
	}
	return folders
}
