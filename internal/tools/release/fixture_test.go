package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

const (
	registeredOptions = `extend google.protobuf.ServiceOptions {
  // A comment with a number: a = 261837490;
  Rule service = 1234;
}
extend google.protobuf.MethodOptions {
  Rule method = 1234;
}
`
	generatedOptions = `		Tag:           "bytes,1234,opt,name=service",
		Tag:           "bytes,1234,opt,name=method",
`
	provisionalOptions = `extend google.protobuf.ServiceOptions { Rule service = 261837490; }
extend google.protobuf.MethodOptions { Rule method = 1234; }
`
	changelog = "# Changelog\n\n## 0.1.0 - unreleased\n\n- Everything.\n"
)

// goLine is the installed Go, which no go command has to download.
var goLine = strings.TrimPrefix(strings.Fields(runtime.Version())[0], "go")

// smallFiles returns the files of a repository with a library at its root, a library and a command in modules of their
// own, and modules that are not released. LICENSES.md is up to date.
func smallFiles() tree {
	t := tree{}
	for path, text := range map[string]string{
		"LICENSE":                   "The licence of the repository.\n",
		changelogFile:               changelog,
		optionsFile:                 registeredOptions,
		generatedOptionsFile:        "package corsrpcv1\n\n/*\n" + generatedOptions + "*/\n",
		"go.mod":                    "module github.com/acme/lib\n\ngo " + goLine + "\n",
		"lib/lib.go":                "package lib\n\nfunc Add(a, b int) int { return a + b }\n",
		"internal/hidden/hidden.go": "package hidden\n",
		"lib/ext/go.mod":            nestedGoMod("lib/ext", "../..", "github.com/acme/lib"),
		"lib/ext/ext.go":            "package ext\n\nimport \"github.com/acme/lib/lib\"\n\nfunc Add(a int) int { return lib.Add(a, 1) }\n",
		"lib/cmd/go.mod":            nestedGoMod("lib/cmd", "../..", "github.com/acme/lib", "github.com/acme/lib/lib/ext"),
		"lib/cmd/add/main.go":       "package main\n\nimport (\n\t\"github.com/acme/lib/lib\"\n\t\"github.com/acme/lib/lib/ext\"\n)\n\nfunc main() { println(ext.Add(1), lib.Add(1, 2)) }\n",
		"examples/go.mod":           nestedGoMod("examples", "..", "github.com/acme/lib"),
		"examples/first/main.go":    "package main\n\nimport \"github.com/acme/lib/lib\"\n\nfunc main() { println(lib.Add(1, 2)) }\n",
		"examples/a \"b\".txt":      "A file with a name that git quotes.\n",
		"internal/proof/go.mod":     nestedGoMod("internal/proof", "../..", "github.com/acme/lib"),
		"internal/proof/proof.go":   "package proof\n\nimport _ \"github.com/acme/lib/lib\"\n",
	} {
		t[path] = file{modeFile, []byte(text)}
	}
	t["run.sh"] = file{modeExecutable, []byte("#!/bin/sh\n")}
	t["link"] = file{modeSymlink, []byte("run.sh")}
	var released []*goModule
	for _, path := range []string{"github.com/acme/lib", "github.com/acme/lib/lib/ext", "github.com/acme/lib/lib/cmd"} {
		released = append(released, &goModule{file: &modfile.File{Module: &modfile.Module{Mod: module.Version{Path: path}}}})
	}
	t[licensesFile] = file{modeFile, renderLicenses(released, nil)}
	return t
}

// nestedGoMod returns the go.mod of a nested module that requires others of the repository as they stand in the tree.
func nestedGoMod(dir, root string, required ...string) string {
	text := "module github.com/acme/lib/" + dir + "\n\ngo " + goLine + "\n"
	for _, r := range required {
		text += "\nrequire " + r + " v0.0.0\n\nreplace " + r + " => " + root + strings.TrimPrefix(r, "github.com/acme/lib") + "\n"
	}
	return text
}

// withText returns a copy of a tree in which a file has another content.
func withText(t tree, path, text string) tree { return t.with(path, []byte(text)) }

// isolate keeps the test from the user's configuration of git and Go, and from the network.
func isolate(t *testing.T) {
	for name, value := range map[string]string{
		"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1",
		"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
		"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.com", "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
		"GOENV": "off", "GOPROXY": "off", "GOFLAGS": "", "GOWORK": "off", "GOTOOLCHAIN": "local",
		"GOMODCACHE": t.TempDir(),
	} {
		t.Setenv(name, value)
	}
}

// newRepository returns a repository whose only commit has the files.
func newRepository(t *testing.T, files tree) *repository {
	t.Helper()
	isolate(t)
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &repository{root: root}
	mustGit(t, r, "init", "--quiet", "--initial-branch=main")
	commit(t, r, files)
	return r
}

// commit makes a commit of exactly the files.
func commit(t *testing.T, r *repository, files tree) {
	t.Helper()
	entries, err := os.ReadDir(r.root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != ".git" {
			if err := os.RemoveAll(filepath.Join(r.root, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := files.write(r.root); err != nil {
		t.Fatal(err)
	}
	for path, f := range files {
		name := filepath.Join(r.root, filepath.FromSlash(path))
		switch f.mode {
		case modeExecutable:
			err = os.Chmod(name, 0o777)
		case modeSymlink:
			err = os.Symlink(string(f.data), name)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	mustGit(t, r, "add", "--all")
	mustGit(t, r, "commit", "--quiet", "--message", "A commit")
}

func mustGit(t *testing.T, r *repository, args ...string) string {
	t.Helper()
	out, err := r.git(t.Context(), nil, args...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// at returns the time of HEAD.
func at(t *testing.T, r *repository) time.Time {
	t.Helper()
	_, at, err := r.head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// state returns everything of a repository that a release must not change: branches, tags, HEAD, the index and files.
func state(t *testing.T, r *repository) string {
	t.Helper()
	return mustGit(t, r, "for-each-ref") + mustGit(t, r, "symbolic-ref", "HEAD") + mustGit(t, r, "status", "--porcelain", "--ignored") + mustGit(t, r, "ls-files", "--stage")
}

// command runs a subcommand on a repository.
func command(t *testing.T, r *repository, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := runCommand(t.Context(), &out, r.root, args)
	return out.String(), err
}

// sameFiles reports whether two trees have the same files.
func sameFiles(a, b tree) bool {
	return maps.EqualFunc(a, b, func(x, y file) bool { return x.mode == y.mode && bytes.Equal(x.data, y.data) })
}

// mentions fails the test unless a text contains each of the others.
func mentions(t *testing.T, text string, others ...string) {
	t.Helper()
	for _, o := range others {
		if !strings.Contains(text, o) {
			t.Errorf("%q is missing in:\n%s", o, text)
		}
	}
}
