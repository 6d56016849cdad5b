package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// A goPackage is a package of a released module.
type goPackage struct{ name, path string }

// isImportable reports whether programs outside of the repository can import a package.
func isImportable(name, path string) bool {
	return name != "main" && !slices.Contains(strings.Split(path, "/"), "internal")
}

// isInstallable reports whether `go install` of a package makes a command for users.
func isInstallable(name, path string) bool {
	return name == "main" && !slices.Contains(strings.Split(path, "/"), "internal")
}

// A trial is a release that is tried out as a user would: from a file proxy, in new modules.
type trial struct {
	rel      *release
	dir      string // a temporary folder
	tree     string // the folder with the files of the release commit
	local    goCommand
	packages map[string][]goPackage // by module path
}

// newProxyTrial writes the release's modules as a file proxy below proxy, and returns the environment that uses it, the
// installed go command in that environment, and the trial.
func newProxyTrial(ctx context.Context, rel *release, dir, proxy string, at time.Time) (environment []string, local goCommand, t *trial, err error) {
	if err := rel.writeProxy(proxy, at); err != nil {
		return nil, local, nil, err
	}
	if environment, err = proxyEnvironment(ctx, proxy, rel.modules.root().path()); err != nil {
		return nil, local, nil, err
	}
	if local, err = localGo(ctx, environment); err != nil {
		return nil, local, nil, err
	}
	t, err = newTrial(ctx, rel, dir, local)
	return environment, local, t, err
}

// newTrial writes the release's files below dir and lists its packages.
func newTrial(ctx context.Context, rel *release, dir string, local goCommand) (*trial, error) {
	t := &trial{rel, dir, filepath.Join(dir, "tree"), local, map[string][]goPackage{}}
	if err := rel.tree.write(t.tree); err != nil {
		return nil, err
	}
	for _, m := range rel.modules.released {
		out, err := local.run(ctx, t.treeDir(m), "list", "-f", "{{.Name}} {{.ImportPath}}", "./...")
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(out)) {
			name, path, _ := strings.Cut(strings.TrimSpace(line), " ")
			t.packages[m.path()] = append(t.packages[m.path()], goPackage{name, path})
		}
	}
	return t, nil
}

// importable returns the paths of a module's packages that others can import.
func (t *trial) importable(m *goModule) []string {
	var paths []string
	for _, p := range t.packages[m.path()] {
		if isImportable(p.name, p.path) {
			paths = append(paths, p.path)
		}
	}
	return paths
}

// libraries returns the released modules that have a package to import.
func (t *trial) libraries() []*goModule {
	return slices.DeleteFunc(slices.Clone(t.rel.modules.released), func(m *goModule) bool { return len(t.importable(m)) == 0 })
}

// orders returns sequences of modules such that each module is alone in one, and any two of them are in one in either
// order.
func orders(all []*goModule) [][]*goModule {
	var sequences [][]*goModule
	for _, m := range all {
		sequences = append(sequences, []*goModule{m})
	}
	if len(all) > 1 {
		backward := slices.Clone(all)
		slices.Reverse(backward)
		sequences = append(sequences, all, backward)
	}
	return sequences
}

// treeDir returns the folder of a module among the files of the release commit.
func (t *trial) treeDir(m *goModule) string { return filepath.Join(t.tree, filepath.FromSlash(m.dir)) }

// checkTidy checks that the go.mod and go.sum files of the released modules are as `go mod tidy` writes them.
func (t *trial) checkTidy(ctx context.Context) error {
	var problems []error
	for _, m := range t.rel.modules.released {
		if _, err := t.local.run(ctx, t.treeDir(m), "mod", "tidy", "-diff"); err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// checkUnreleased checks that the packages of those unreleased modules load that require released ones. They use the
// tree, by their replace lines, and the user's module cache.
func (t *trial) checkUnreleased(ctx context.Context) error {
	var problems []error
	usual := goCommand{t.local.path, []string{"GOWORK=off", "GOFLAGS="}}
	for _, m := range t.rel.modules.unreleased {
		if !slices.ContainsFunc(m.file.Require, func(r *modfile.Require) bool { return moduleOf(t.rel.modules.released, r.Mod.Path) != nil }) {
			continue
		}
		if _, err := usual.run(ctx, t.treeDir(m), "list", "-mod=readonly", "-deps", "./..."); err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// checkGet gets the libraries into new modules, in several orders, and runs a program that imports their packages.
func (t *trial) checkGet(ctx context.Context, name string, g goCommand) error {
	for i, order := range orders(t.libraries()) {
		if err := t.importInto(ctx, g, filepath.Join(t.dir, fmt.Sprintf("get-%s-%d", name, i)), order); err != nil {
			return err
		}
	}
	return nil
}

// importInto makes a module in dir that gets the packages of modules, one module after another, and runs it.
func (t *trial) importInto(ctx context.Context, g goCommand, dir string, order []*goModule) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if _, err := g.run(ctx, dir, "mod", "init", "example.com/importer"); err != nil {
		return err
	}
	program := "package main\n\nimport (\n"
	for _, m := range order {
		get := []string{"get"}
		for _, p := range t.importable(m) {
			get = append(get, p+"@"+t.rel.version)
			program += fmt.Sprintf("\t_ %q\n", p)
		}
		if _, err := g.run(ctx, dir, get...); err != nil {
			return err
		}
	}
	program += ")\n\nfunc main() {}\n"
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(program), 0o666); err != nil {
		return err
	}
	for _, args := range [][]string{{"vet", "-trimpath", "./..."}, {"run", "-trimpath", "."}} {
		if _, err := g.run(ctx, dir, args...); err != nil {
			return err
		}
	}
	return nil
}

// checkInstall installs each command of the released modules outside of a module, but for those of modules that need a
// newer Go. It returns their paths.
func (t *trial) checkInstall(ctx context.Context, name string, g goCommand) ([]string, error) {
	bin := filepath.Join(t.dir, "bin-"+name)
	if err := os.MkdirAll(bin, 0o777); err != nil {
		return nil, err
	}
	var installed []string
	for _, m := range t.rel.modules.released {
		if name != "local" && m.needsNewerGo(name) {
			continue
		}
		for _, p := range t.packages[m.path()] {
			if !isInstallable(p.name, p.path) {
				continue
			}
			if _, err := g.with("GOBIN="+bin).run(ctx, bin, "install", "-trimpath", p.path+"@"+t.rel.version); err != nil {
				return nil, err
			}
			if _, err := exec.LookPath(filepath.Join(bin, path.Base(p.path))); err != nil {
				return nil, fmt.Errorf("go install %s installs no %s: %w", p.path, path.Base(p.path), err)
			}
			installed = append(installed, p.path)
		}
	}
	return installed, nil
}

// checkExamples builds the modules below examples from the released modules instead of the tree.
func (t *trial) checkExamples(ctx context.Context) error {
	for _, m := range t.rel.modules.unreleased {
		if m.dir != "examples" && !strings.HasPrefix(m.dir, "examples/") {
			continue
		}
		dir := filepath.Join(t.dir, "examples-"+strings.ReplaceAll(m.dir, "/", "-"))
		if err := t.copyExample(m, dir); err != nil {
			return err
		}
		if _, err := t.local.run(ctx, dir, "build", "-trimpath", "-mod=readonly", "-o", os.DevNull, "./..."); err != nil {
			return err
		}
	}
	return nil
}

// copyExample writes a module to dir without the replace lines of the released modules and with their sums.
func (t *trial) copyExample(m *goModule, dir string) error {
	files := tree{}
	for p, f := range t.rel.tree {
		if name, inside := cutDir(p, m.dir); inside {
			files[name] = f
		}
	}
	goMod, err := modfile.Parse("go.mod", files["go.mod"].data, nil)
	if err != nil {
		return err
	}
	sums := map[module.Version]string{}
	for _, r := range slices.Clone(goMod.Replace) {
		if of := moduleOf(t.rel.modules.released, r.Old.Path); of != nil {
			if err := goMod.DropReplace(r.Old.Path, r.Old.Version); err != nil {
				return err
			}
		}
	}
	for _, r := range goMod.Require {
		if of := moduleOf(t.rel.modules.released, r.Mod.Path); of != nil {
			v := t.rel.versionOf(of)
			goModOf := module.Version{Path: v.Path, Version: v.Version + "/go.mod"}
			sums[v], sums[goModOf] = t.rel.sums[v], t.rel.sums[goModOf]
		}
	}
	goMod.Cleanup()
	text, err := goMod.Format()
	if err != nil {
		return err
	}
	goSum, err := withSums(files["go.sum"].data, t.rel.modules.released, sums)
	if err != nil {
		return err
	}
	files["go.mod"], files["go.sum"] = file{modeFile, text}, file{modeFile, goSum}
	return files.write(dir)
}

// checkLicenses returns the content of LICENSES.md. The error lists the modules whose licence is unknown or not allowed.
func (t *trial) checkLicenses(ctx context.Context) ([]byte, error) {
	compiled := map[string][]compiledModule{}
	var problems []error
	for _, m := range t.rel.modules.released {
		var used []string
		for _, p := range t.packages[m.path()] {
			if isImportable(p.name, p.path) || isInstallable(p.name, p.path) {
				used = append(used, p.path)
			}
		}
		if len(used) == 0 {
			continue
		}
		modules, err := compiledModules(ctx, t.local, t.treeDir(m), t.rel.modules.root().path(), used)
		problems = append(problems, err)
		compiled[m.path()] = modules
	}
	return renderLicenses(t.rel.modules.released, compiled), errors.Join(problems...)
}

// checkLicensesFile returns an error if LICENSES.md is not what checkLicenses returned.
func checkLicensesFile(t tree, want []byte) error {
	if got, exists := t[licensesFile]; !exists {
		return fmt.Errorf("%s: %w: make licenses writes it", licensesFile, fs.ErrNotExist)
	} else if !bytes.Equal(got.data, want) {
		return fmt.Errorf("%s is out of date: make licenses writes it", licensesFile)
	}
	return nil
}
