package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/exp/apidiff"
	"golang.org/x/tools/go/packages"
)

// loadFace type-checks the importable packages of the released modules and returns them by module path. The files of
// rel are in dir.
func loadFace(ctx context.Context, rel *release, dir string, environment []string) (map[string]*apidiff.Module, error) {
	face := map[string]*apidiff.Module{}
	for _, m := range rel.modules.released {
		loaded, err := packages.Load(&packages.Config{
			Context: ctx,
			Mode:    packages.NeedName | packages.NeedTypes | packages.NeedImports | packages.NeedDeps,
			Dir:     filepath.Join(dir, filepath.FromSlash(m.dir)),
			Env:     append(os.Environ(), environment...),
		}, "./...")
		if err != nil {
			return nil, err
		}
		of := &apidiff.Module{Path: m.path()}
		var problems []error
		for _, p := range loaded {
			if !isImportable(p.Name, p.PkgPath) {
				continue
			}
			for _, e := range p.Errors {
				problems = append(problems, e)
			}
			of.Packages = append(of.Packages, p.Types)
		}
		if err := errors.Join(problems...); err != nil {
			return nil, err
		}
		face[of.Path] = of
	}
	return face, nil
}

// compareFaces returns the incompatible changes from an older face to a newer one.
func compareFaces(older, newer map[string]*apidiff.Module) []string {
	var changes []string
	for path, before := range older {
		after := newer[path]
		if after == nil {
			changes = append(changes, "module "+path+": removed")
			continue
		}
		for _, c := range apidiff.ModuleChanges(before, after).Changes {
			if !c.Compatible {
				changes = append(changes, c.Message)
			}
		}
	}
	slices.Sort(changes)
	return changes
}

// checkFace compares the exported face with that of the last release. The error lists the incompatible changes if
// semantic versioning allows none in this version; otherwise the text names the result. The files of rel are in dir.
// Those of the last release are written to temporary, and its modules are added to the file proxy.
func (r *repository) checkFace(ctx context.Context, rel *release, dir, temporary string, tags []string, proxy string, environment []string) (string, error) {
	last := lastRelease(tags, rel.version)
	if last == "" {
		return "nothing is released yet", nil
	}
	if mayBreak(last, rel.version) {
		return fmt.Sprintf("%s may break %s", rel.version, last), nil
	}
	_, at, err := r.head(ctx)
	if err != nil {
		return "", err
	}
	files, err := r.readCommit(ctx, "refs/tags/"+last)
	if err != nil {
		return "", err
	}
	before, err := prepareRelease(files, last)
	if err != nil {
		return "", fmt.Errorf("%s: %w", last, err)
	}
	if err := before.writeProxy(proxy, at); err != nil {
		return "", err
	}
	if err := before.tree.write(temporary); err != nil {
		return "", err
	}
	older, err := loadFace(ctx, before, temporary, environment)
	if err != nil {
		return "", fmt.Errorf("%s: %w", last, err)
	}
	newer, err := loadFace(ctx, rel, dir, environment)
	if err != nil {
		return "", err
	}
	var problems []error
	for _, change := range compareFaces(older, newer) {
		problems = append(problems, fmt.Errorf("%s is incompatible with %s: %s", rel.version, last, change))
	}
	return "compatible with " + last, errors.Join(problems...)
}
