package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckFace(t *testing.T) {
	r := newRepository(t, smallFiles())
	released, err := prepareRelease(smallFiles(), "v0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.stage(t.Context(), released, filepath.Join(t.TempDir(), "staging.git"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.publish(t.Context(), r, "v0.1.0"); err != nil {
		t.Fatal(err)
	}
	mustGit(t, r, "tag", "v0.1.0", s.commit)

	without := smallFiles()
	delete(without, "lib/cmd/go.mod")
	const ext = "package ext\n\nimport \"github.com/acme/lib/lib\"\n\nfunc Add(a %s) int { return lib.Add(int(a), 1) }\n"
	for name, c := range map[string]struct {
		files   tree
		version string
		said    string
		refused string // "" if the version may be released
	}{
		"an addition":                     {withText(smallFiles(), "lib/more.go", "package lib\n\nfunc Sub() {}\n"), "v0.1.1", "compatible with v0.1.0", ""},
		"a change of an internal":         {withText(smallFiles(), "internal/hidden/hidden.go", "package other\n"), "v0.1.1", "compatible with v0.1.0", ""},
		"a change in a nested module":     {withText(smallFiles(), "lib/ext/ext.go", strings.Replace(ext, "%s", "int64", 1)), "v0.1.1", "", "Add: changed from func(int) int to func(int64) int"},
		"the same in a minor release":     {withText(smallFiles(), "lib/ext/ext.go", strings.Replace(ext, "%s", "int64", 1)), "v0.2.0", "v0.2.0 may break v0.1.0", ""},
		"a module that is gone":           {without, "v0.1.1", "", "module github.com/acme/lib/lib/cmd: removed"},
		"a pre-release of a patch":        {without, "v0.1.1-rc.1", "", "module github.com/acme/lib/lib/cmd: removed"},
		"a version below the highest one": {smallFiles(), "v0.0.9", "nothing is released yet", ""},
	} {
		t.Run(name, func(t *testing.T) {
			rel, err := prepareRelease(c.files, c.version)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			proxy := filepath.Join(dir, "proxy")
			if err := rel.writeProxy(proxy, at(t, r)); err != nil {
				t.Fatal(err)
			}
			environment, err := proxyEnvironment(t.Context(), proxy, "github.com/acme/lib")
			if err != nil {
				t.Fatal(err)
			}
			if err := rel.tree.write(filepath.Join(dir, "tree")); err != nil {
				t.Fatal(err)
			}
			said, err := r.checkFace(t.Context(), rel, filepath.Join(dir, "tree"), filepath.Join(dir, "last"), []string{"v0.1.0"}, proxy, environment)
			switch {
			case c.refused == "" && (err != nil || said != c.said):
				t.Errorf("%q, %v", said, err)
			case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.version+" is incompatible with v0.1.0: "+c.refused)):
				t.Errorf("%v", err)
			case c.refused != "" && strings.Count(err.Error(), "\n") > 0:
				t.Errorf("refused for more: %v", err)
			}
		})
	}
}
