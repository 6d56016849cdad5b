package main

import (
	"archive/zip"
	"bytes"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

func TestFindModules(t *testing.T) {
	files := smallFiles()
	files["lib/testdata/go.mod"] = file{modeFile, []byte("module example.com/testdata\n")}
	found, err := findModules(files)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := dirs(found.released), []string{"", "lib/ext", "lib/cmd"}; !slices.Equal(got, want) {
		t.Errorf("released: %q, not %q", got, want)
	}
	if got, want := dirs(found.unreleased), []string{"examples", "internal/proof", "lib/testdata"}; !slices.Equal(got, want) {
		t.Errorf("unreleased: %q, not %q", got, want)
	}
}

func dirs(all []*goModule) []string {
	var dirs []string
	for _, m := range all {
		dirs = append(dirs, m.dir)
	}
	return dirs
}

func TestModulesThatCannotBeReleased(t *testing.T) {
	ext := string(smallFiles()["lib/ext/go.mod"].data)
	for name, c := range map[string]struct{ path, text, want string }{
		"requires an unreleased module": {"lib/ext/go.mod", ext + "require github.com/acme/lib/examples v0.0.0\n", "requires github.com/acme/lib/examples, which is not released"},
		"replaces another module":       {"lib/ext/go.mod", ext + "replace example.com/other => ../other\n", "replaces example.com/other"},
		"excludes a version":            {"lib/ext/go.mod", ext + "exclude example.com/other v1.0.0\n", "excludes example.com/other@v1.0.0"},
		"a path that is not its folder": {"lib/ext/go.mod", strings.Replace(ext, "lib/lib/ext", "lib/ext", 1), "looks there for github.com/acme/lib/lib/ext"},
		"a cycle":                       {"go.mod", "module github.com/acme/lib\n\nrequire github.com/acme/lib/lib/ext v0.0.0\n", "requires itself"},
		"no module line":                {"lib/ext/go.mod", "go 1.25.0\n", "no module line"},
		"a go.mod that is not valid":    {"lib/ext/go.mod", "modul x\n", "unknown directive: modul"},
	} {
		_, err := findModules(withText(smallFiles(), c.path, c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := findModules(tree{}); err == nil {
		t.Error("a tree without a go.mod is released")
	}
}

func TestRequireVersion(t *testing.T) {
	const before = `module github.com/acme/lib/lib/ext

go 1.25.0

require (
	example.com/other v1.2.3
	github.com/acme/lib v0.0.0 // indirect
)

replace github.com/acme/lib => ../..
`
	found, err := findModules(withText(smallFiles(), "lib/ext/go.mod", before))
	if err != nil {
		t.Fatal(err)
	}
	ext := moduleOf(found.released, "github.com/acme/lib/lib/ext")
	got, err := requireVersion(ext, found.released, "v0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	const want = `module github.com/acme/lib/lib/ext

go 1.25.0

require (
	example.com/other v1.2.3
	github.com/acme/lib v0.1.0 // indirect
)
`
	if string(got) != want {
		t.Errorf("got\n%s\nand not\n%s", got, want)
	}
	if moduleOf(found.released, ext.path()).file.Require[1].Mod.Version != "v0.0.0" {
		t.Error("requireVersion changes the module that it is given")
	}
}

func TestWithSums(t *testing.T) {
	found, err := findModules(smallFiles())
	if err != nil {
		t.Fatal(err)
	}
	const before = `example.com/z v1.0.0 h1:z
example.com/z v1.0.0/go.mod h1:zm
github.com/acme/lib v0.0.1 h1:old
github.com/acme/lib v0.0.1/go.mod h1:oldm
`
	got, err := withSums([]byte(before), found.released, map[module.Version]string{
		{Path: "github.com/acme/lib", Version: "v0.1.0/go.mod"}: "h1:newm",
		{Path: "github.com/acme/lib", Version: "v0.1.0"}:        "h1:new",
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `example.com/z v1.0.0 h1:z
example.com/z v1.0.0/go.mod h1:zm
github.com/acme/lib v0.1.0 h1:new
github.com/acme/lib v0.1.0/go.mod h1:newm
`
	if string(got) != want {
		t.Errorf("got\n%s", got)
	}
	if _, err := withSums([]byte("one two\n"), nil, nil); err == nil {
		t.Error("a go.sum that is not valid")
	}
}

func TestPrepareRelease(t *testing.T) {
	rel, err := prepareRelease(smallFiles(), "v0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, rel.zips["github.com/acme/lib"]); slices.ContainsFunc(got, func(n string) bool { return strings.Contains(n, "/lib/ext/") || strings.HasSuffix(n, "/link") }) {
		t.Errorf("the root module has files of a nested one, or a symbolic link: %q", got)
	}
	want := []string{"github.com/acme/lib/lib/ext@v0.1.0/LICENSE", "github.com/acme/lib/lib/ext@v0.1.0/ext.go", "github.com/acme/lib/lib/ext@v0.1.0/go.mod", "github.com/acme/lib/lib/ext@v0.1.0/go.sum"}
	if got := names(t, rel.zips["github.com/acme/lib/lib/ext"]); !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
	again, err := prepareRelease(rel.tree, "v0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	if !sameFiles(again.tree, rel.tree) || again.sums[module.Version{Path: "github.com/acme/lib/lib/cmd", Version: "v0.1.0"}] != rel.sums[module.Version{Path: "github.com/acme/lib/lib/cmd", Version: "v0.1.0"}] {
		t.Error("the release of a release commit is another one")
	}
	if _, err := prepareRelease(smallFiles(), "v2.0.0"); err == nil {
		t.Error("a version whose major version the module paths lack")
	}
}

func names(t *testing.T, data []byte) []string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return names
}

func TestOrders(t *testing.T) {
	var all []*goModule
	for _, dir := range []string{"a", "b", "c", "d"} {
		all = append(all, &goModule{dir: dir})
	}
	sequences := orders(all)
	for _, first := range all {
		if !slices.ContainsFunc(sequences, func(s []*goModule) bool { return len(s) == 1 && s[0] == first }) {
			t.Errorf("%s is never alone", first.dir)
		}
		for _, second := range all {
			if first != second && !slices.ContainsFunc(sequences, func(s []*goModule) bool {
				return slices.Contains(s, first) && slices.Index(s, first) < slices.Index(s, second)
			}) {
				t.Errorf("%s never precedes %s", first.dir, second.dir)
			}
		}
	}
}

func TestReadTrees(t *testing.T) {
	files := smallFiles()
	r := newRepository(t, files)
	committed, err := r.readCommit(t.Context(), "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	if !sameFiles(committed, files) {
		t.Errorf("the commit has %q", committed.paths())
	}
	work, err := r.readWorkTree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !sameFiles(work, files) {
		t.Errorf("the work tree has %q", work.paths())
	}
	if _, err := r.readCommit(t.Context(), "--output=x"); err == nil {
		t.Error("a commit's name is taken for an option")
	}
}

// TestNeedsNewerGo: the go lines of modules are compared as versions of Go.
func TestNeedsNewerGo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line, have string
		want       bool
	}{
		{"1.26.0", "1.25.0", true}, {"1.25.0", "1.25.0", false}, {"1.25", "1.25.0", false}, {"1.9", "1.25.0", false}, {"1.26.0", "1.26.8", false},
	} {
		file, err := modfile.Parse("go.mod", []byte("module m\n\ngo "+c.line+"\n"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := (&goModule{file: file}).needsNewerGo(c.have); got != c.want {
			t.Errorf("go %s, with Go %s: %t", c.line, c.have, got)
		}
	}
}

// TestModulesAgree: the modules of this repository require a dependency of the root module at the root's version or at one
// other. With cold caches, each more would compile the library and what it imports once more.
func TestModulesAgree(t *testing.T) {
	r, err := openRepository(t.Context(), ".")
	if err != nil {
		t.Fatal(err)
	}
	files, err := r.readWorkTree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found, err := findModules(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, dependency := range found.root().file.Require {
		versions := map[string][]string{}
		for _, m := range slices.Concat(found.released, found.unreleased) {
			if m != found.root() && !requires(m, found.root().path()) {
				continue // it does not compile the library
			}
			for _, r := range m.file.Require {
				if r.Mod.Path == dependency.Mod.Path && r.Mod.Version != dependency.Mod.Version {
					versions[r.Mod.Version] = append(versions[r.Mod.Version], m.dir)
				}
			}
		}
		if len(versions) > 1 {
			t.Errorf("%s is required at %d versions, apart from the root's: %v", dependency.Mod.Path, len(versions), versions)
		}
	}
}

// requires reports whether a module requires another.
func requires(m *goModule, path string) bool {
	return slices.ContainsFunc(m.file.Require, func(r *modfile.Require) bool { return r.Mod.Path == path })
}
