package main

import (
	"errors"
	"fmt"
	"go/version"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// A goModule is a Go module of the repository.
type goModule struct {
	dir  string // the slash-separated path of its folder from the root of the repository; "" for the root
	file *modfile.File
}

// path returns the module path.
func (m *goModule) path() string { return m.file.Module.Mod.Path }

// needsNewerGo reports whether the module's go line names a newer Go than a version, such as 1.25.0.
func (m *goModule) needsNewerGo(have string) bool {
	return m.file.Go != nil && version.Compare("go"+m.file.Go.Version, "go"+have) > 0
}

// inDir returns the path in the repository of a file of the module.
func (m *goModule) inDir(name string) string { return path.Join(m.dir, name) }

// tag returns the git tag by which the go command finds a version of the module.
func (m *goModule) tag(version string) string { return m.inDir(version) }

// modules are the Go modules of a repository.
type modules struct {
	// released are the modules that importers and `go install` use. Each follows those of them that it requires.
	released []*goModule
	// unreleased are the modules of examples, tests and tools.
	unreleased []*goModule
}

// root returns the module at the root of the repository.
func (m modules) root() *goModule {
	for _, r := range m.released {
		if r.dir == "" {
			return r
		}
	}
	return nil
}

// findModules returns the modules of a tree. The error lists every problem of their go.mod files that
// prevents a release.
func findModules(t tree) (modules, error) {
	var found modules
	var problems []error
	for _, p := range t.paths() {
		dir, name := path.Split(p)
		if name != "go.mod" {
			continue
		}
		f, err := modfile.Parse(p, t[p].data, nil)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if f.Module == nil {
			problems = append(problems, fmt.Errorf("%s has no module line", p))
			continue
		}
		m := &goModule{strings.TrimSuffix(dir, "/"), f}
		if isReleased(m.dir) {
			found.released = append(found.released, m)
		} else {
			found.unreleased = append(found.unreleased, m)
		}
	}
	root := found.root()
	if root == nil {
		return found, errors.Join(append(problems, errors.New("the root of the repository has no go.mod"))...)
	}
	for _, m := range found.released {
		problems = append(problems, checkReleased(m, root, found))
	}
	sorted, err := sortByRequirement(found.released)
	found.released = sorted
	return found, errors.Join(append(problems, err)...)
}

// isReleased reports whether the module in dir is released. It is false for modules below examples, and for those
// below a folder named internal or testdata.
func isReleased(dir string) bool {
	elements := strings.Split(dir, "/")
	return elements[0] != "examples" && !slices.Contains(elements, "internal") && !slices.Contains(elements, "testdata")
}

// checkReleased returns what keeps a module from being released, or nil.
func checkReleased(m, root *goModule, all modules) error {
	var problems []error
	if want := path.Join(root.path(), m.dir); m.path() != want {
		problems = append(problems, fmt.Errorf("%s: the module path is %s; the go command looks there for %s", m.inDir("go.mod"), m.path(), want))
	}
	for _, r := range m.file.Require {
		if moduleOf(all.unreleased, r.Mod.Path) != nil {
			problems = append(problems, fmt.Errorf("%s requires %s, which is not released", m.inDir("go.mod"), r.Mod.Path))
		}
	}
	for _, r := range m.file.Replace {
		if moduleOf(all.released, r.Old.Path) == nil {
			problems = append(problems, fmt.Errorf("%s replaces %s, which importers of the module do not see", m.inDir("go.mod"), r.Old.Path))
		}
	}
	for _, e := range m.file.Exclude {
		problems = append(problems, fmt.Errorf("%s excludes %s, which `go install` refuses", m.inDir("go.mod"), e.Mod))
	}
	return errors.Join(problems...)
}

// moduleOf returns the module with the path, or nil if there is none.
func moduleOf(modules []*goModule, path string) *goModule {
	for _, m := range modules {
		if m.path() == path {
			return m
		}
	}
	return nil
}

// sortByRequirement orders modules so that each follows those that it requires. A cycle is an error: the sum of
// each module in it would depend on itself.
func sortByRequirement(all []*goModule) ([]*goModule, error) {
	var sorted []*goModule
	const visiting, done = 1, 2
	state := map[*goModule]int{}
	var visit func(m *goModule) error
	visit = func(m *goModule) error {
		switch state[m] {
		case done:
			return nil
		case visiting:
			return fmt.Errorf("%s requires itself through other modules of the repository", m.path())
		}
		state[m] = visiting
		for _, r := range m.file.Require {
			if required := moduleOf(all, r.Mod.Path); required != nil {
				if err := visit(required); err != nil {
					return err
				}
			}
		}
		state[m] = done
		sorted = append(sorted, m)
		return nil
	}
	for _, m := range all {
		if err := visit(m); err != nil {
			return all, err
		}
	}
	return sorted, nil
}

// requireVersion returns the go.mod of a module of the repository with each released module required at a version.
// In a released module it drops the replace lines as well.
func requireVersion(m *goModule, released []*goModule, version string) ([]byte, error) {
	f, err := modfile.Parse(m.inDir("go.mod"), modfile.Format(m.file.Syntax), nil)
	if err != nil {
		return nil, err
	}
	for _, r := range slices.Clone(f.Require) {
		if moduleOf(released, r.Mod.Path) != nil {
			if err := f.AddRequire(r.Mod.Path, version); err != nil {
				return nil, err
			}
		}
	}
	if slices.Contains(released, m) {
		for _, r := range slices.Clone(f.Replace) {
			if err := f.DropReplace(r.Old.Path, r.Old.Version); err != nil {
				return nil, err
			}
		}
	}
	f.Cleanup()
	return f.Format()
}

// withSums returns a go.sum in which the lines of the given modules are exactly those of sums. The keys of sums are
// as in go.sum: a version with the suffix /go.mod is that of the module's go.mod.
func withSums(goSum []byte, ours []*goModule, sums map[module.Version]string) ([]byte, error) {
	all := map[module.Version]string{}
	for line := range strings.Lines(string(goSum)) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 3 {
			return nil, fmt.Errorf("go.sum has the line %q", strings.TrimSpace(line))
		}
		if moduleOf(ours, fields[0]) == nil {
			all[module.Version{Path: fields[0], Version: fields[1]}] = fields[2]
		}
	}
	for m, sum := range sums {
		all[m] = sum
	}
	var order []module.Version
	for m := range all {
		order = append(order, m)
	}
	module.Sort(order)
	var b strings.Builder
	for _, m := range order {
		fmt.Fprintf(&b, "%s %s %s\n", m.Path, m.Version, all[m])
	}
	return []byte(b.String()), nil
}
