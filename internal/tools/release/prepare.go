package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	stdzip "archive/zip"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// A release is what a version consists of.
type release struct {
	version string
	commit  string // that it is made of; "" if it is made of files that are not committed
	modules modules
	tree    tree              // the files of the release commit
	zips    map[string][]byte // the released modules' files as the go command downloads them, by module path
	sums    map[module.Version]string
}

// prepareRelease returns the release of a tree: released modules require each other at the version, without replace
// lines, and their go.sum files have the sums of each other.
func prepareRelease(t tree, version string) (*release, error) {
	found, err := findModules(t)
	if err != nil {
		return nil, err
	}
	if err := module.CheckPathMajor(version, ""); err != nil {
		return nil, fmt.Errorf("%w: a module path with a major version is not supported yet", err)
	}
	r := &release{
		version: version,
		modules: found,
		tree:    t,
		zips:    map[string][]byte{},
		sums:    map[module.Version]string{},
	}
	for _, m := range slices.Concat(found.released, found.unreleased) {
		goMod, err := requireVersion(m, found.released, version)
		if err != nil {
			return nil, err
		}
		r.tree = r.tree.with(m.inDir("go.mod"), goMod)
	}
	for _, m := range found.released {
		if err := r.addSums(m); err != nil {
			return nil, err
		}
		if err := r.pack(m); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// versionOf returns a released module at the version.
func (r *release) versionOf(m *goModule) module.Version {
	return module.Version{Path: m.path(), Version: r.version}
}

// addSums adds the sums of the released modules that a released module requires to its go.sum.
func (r *release) addSums(m *goModule) error {
	sums := map[module.Version]string{}
	for _, required := range m.file.Require {
		of := moduleOf(r.modules.released, required.Mod.Path)
		if of == nil {
			continue
		}
		v := r.versionOf(of)
		goMod := module.Version{Path: v.Path, Version: v.Version + "/go.mod"}
		sums[v], sums[goMod] = r.sums[v], r.sums[goMod]
	}
	name := m.inDir("go.sum")
	goSum, err := withSums(r.tree[name].data, r.modules.released, sums)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if len(goSum) > 0 {
		r.tree = r.tree.with(name, goSum)
	}
	return nil
}

// pack makes the zip of a released module and its sums.
func (r *release) pack(m *goModule) error {
	v := r.versionOf(m)
	var b bytes.Buffer
	if err := zip.Create(&b, v, moduleFiles(r.tree, m.dir)); err != nil {
		return err
	}
	sum, err := hashZip(b.Bytes())
	if err != nil {
		return err
	}
	goMod := r.tree[m.inDir("go.mod")].data
	goModSum, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(goMod)), nil
	})
	if err != nil {
		return err
	}
	r.zips[v.Path] = b.Bytes()
	r.sums[v] = sum
	r.sums[module.Version{Path: v.Path, Version: v.Version + "/go.mod"}] = goModSum
	return nil
}

// hashZip returns the sum of a module's zip, as in go.sum.
func hashZip(data []byte) (string, error) {
	z, err := stdzip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return "", err
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	return dirhash.Hash1(names, func(name string) (io.ReadCloser, error) { return z.Open(name) })
}

// moduleFiles returns the files below the folder of a module, for zip.Create, which leaves out nested modules. As the go
// command does, it adds the repository's LICENSE to a module that has none.
func moduleFiles(t tree, dir string) []zip.File {
	var files []zip.File
	for _, p := range t.paths() {
		if name, inside := cutDir(p, dir); inside {
			files = append(files, zipFile{name, t[p]})
		}
	}
	license, exists := t["LICENSE"]
	if _, own := t[path.Join(dir, "LICENSE")]; exists && !own {
		files = append(files, zipFile{"LICENSE", license})
	}
	return files
}

// cutDir returns a path relative to a folder, and whether it is inside.
func cutDir(p, dir string) (string, bool) {
	if dir == "" {
		return p, true
	}
	return strings.CutPrefix(p, dir+"/")
}

// zipFile is a file of a tree as zip.Create takes it.
type zipFile struct {
	name string
	file file
}

func (f zipFile) Path() string                { return f.name }
func (f zipFile) Lstat() (fs.FileInfo, error) { return zipFileInfo{f}, nil }
func (f zipFile) Open() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(f.file.data)), nil
}

// zipFileInfo describes a zipFile.
type zipFileInfo struct{ f zipFile }

func (i zipFileInfo) Name() string       { return path.Base(i.f.name) }
func (i zipFileInfo) Size() int64        { return int64(len(i.f.file.data)) }
func (i zipFileInfo) ModTime() time.Time { return time.Time{} }
func (i zipFileInfo) IsDir() bool        { return false }
func (i zipFileInfo) Sys() any           { return nil }
func (i zipFileInfo) Mode() fs.FileMode {
	if i.f.file.mode == modeSymlink {
		return fs.ModeSymlink | 0o777
	}
	return 0o644
}
