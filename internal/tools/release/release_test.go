package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var printedCommit = regexp.MustCompile(`(?m)^commit: ([0-9a-f]{40})$`)

func commitIn(t *testing.T, output string) string {
	t.Helper()
	found := printedCommit.FindStringSubmatch(output)
	if found == nil {
		t.Fatalf("no commit in:\n%s", output)
	}
	return found[1]
}

func TestRelease(t *testing.T) {
	files := smallFiles()
	r := newRepository(t, files)
	before := state(t, r)
	out, err := command(t, r, "release", "-version", "v0.1.0")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if after := state(t, r); after != before {
		t.Errorf("the repository was\n%s\nand is\n%s", before, after)
	}
	made := commitIn(t, out)
	if parent, head := mustGit(t, r, "rev-parse", made+"^"), mustGit(t, r, "rev-parse", "HEAD"); parent != head {
		t.Errorf("the parent is %s, not HEAD", parent)
	}
	mentions(t, out,
		"tags: v0.1.0 lib/ext/v0.1.0 lib/cmd/v0.1.0",
		"git tag -a lib/ext/v0.1.0 -m lib/ext/v0.1.0 "+made,
		"git push --atomic origin v0.1.0 lib/ext/v0.1.0 lib/cmd/v0.1.0",
		"git checkout v0.1.0 && make dist VERSION=v0.1.0",
		"go install with Go local: github.com/acme/lib/lib/cmd/add",
	)
	got, err := r.readCommit(t.Context(), made)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"go.mod":          string(files["go.mod"].data),
		changelogFile:     strings.Replace(changelog, "unreleased", "2026-01-02", 1),
		"lib/ext/go.mod":  "module github.com/acme/lib/lib/ext\n\ngo " + goLine + "\n\nrequire github.com/acme/lib v0.1.0\n",
		"lib/cmd/go.mod":  "module github.com/acme/lib/lib/cmd\n\ngo " + goLine + "\n\nrequire github.com/acme/lib v0.1.0\n\nrequire github.com/acme/lib/lib/ext v0.1.0\n",
		"examples/go.mod": strings.Replace(string(files["examples/go.mod"].data), "v0.0.0", "v0.1.0", 1),
	} {
		if string(got[path].data) != want {
			t.Errorf("%s is\n%s\nand should be\n%s", path, got[path].data, want)
		}
	}
	for _, module := range []string{"github.com/acme/lib v0.1.0 h1:", "github.com/acme/lib v0.1.0/go.mod h1:"} {
		mentions(t, string(got["lib/ext/go.sum"].data), module)
	}
	for path, f := range files {
		if now := got[path]; now.mode != f.mode {
			t.Errorf("the mode of %s was %s and is %q", path, f.mode, now.mode)
		}
	}

	rel, err := prepareRelease(withText(files, changelogFile, string(got[changelogFile].data)), "v0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	again, err := r.stage(t.Context(), rel, filepath.Join(t.TempDir(), "staging.git"))
	if err != nil {
		t.Fatal(err)
	}
	if again.commit != made {
		t.Errorf("a second release of the same HEAD is another commit: %s, not %s", again.commit, made)
	}
}

func TestRehearsal(t *testing.T) {
	r := newRepository(t, withText(smallFiles(), optionsFile, provisionalOptions))
	if err := os.WriteFile(filepath.Join(r.root, "lib", "new.go"), []byte("package lib\n\nfunc New() {}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	before := state(t, r)
	out, err := command(t, r, "check")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	mentions(t, out, "version: v0.1.0\n", "This is a rehearsal", "service = 261837490", "The work tree has changes")
	if after := state(t, r); after != before {
		t.Errorf("the repository was\n%s\nand is\n%s", before, after)
	}
	if _, err := r.git(t.Context(), nil, "cat-file", "-e", commitIn(t, out)); err == nil {
		t.Error("the repository has the rehearsed commit")
	}
}

func TestRefusals(t *testing.T) {
	files := withText(withText(smallFiles(), optionsFile, provisionalOptions), changelogFile, "# Changelog\n")
	r := newRepository(t, files)
	mustGit(t, r, "tag", "v0.2.0")
	mustGit(t, r, "tag", "lib/ext/v0.1.0")
	if err := os.WriteFile(filepath.Join(r.root, "untracked"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	before := state(t, r)
	out, err := command(t, r, "release", "-version", "v0.1.0")
	if err == nil {
		t.Fatalf("not refused:\n%s", out)
	}
	mentions(t, err.Error(),
		"the work tree has changes",
		"v0.1.0 is not newer than v0.2.0, the highest version that has a tag",
		"the tag lib/ext/v0.1.0 exists already",
		`CHANGELOG.md has no section "## 0.1.0 - unreleased"`,
		"provisional extension numbers: service = 261837490\n",
	)
	if strings.Contains(out, "commit:") {
		t.Errorf("a refused release prints a commit:\n%s", out)
	}
	if after := state(t, r); after != before {
		t.Errorf("the repository was\n%s\nand is\n%s", before, after)
	}
}

func TestRefusedForTheExtensionNumberAlone(t *testing.T) {
	r := newRepository(t, withText(smallFiles(), optionsFile, provisionalOptions))
	_, err := command(t, r, "release", "-version", "v0.1.0")
	if err == nil {
		t.Fatal("not refused")
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 3 || !strings.Contains(lines[1], "service = 261837490") {
		t.Errorf("refused for more:\n%v", err)
	}
}

func TestRefusedForTrialsThatFail(t *testing.T) {
	files := smallFiles()
	files = withText(files, "lib/ext/ext.go", "package ext\n\nimport \"github.com/acme/lib/lib\"\n\nvar X string = lib.Add(1, 2)\n")
	files = withText(files, "lib/cmd/add/main.go", "package main\n\nimport _ \"github.com/acme/lib/lib\"\n\nfunc main() { y() }\n")
	files = withText(files, "examples/first/main.go", "package main\n\nimport _ \"github.com/acme/lib/lib\"\n\nfunc main() { z() }\n")
	files = withText(files, licensesFile, "# Licences\n")
	r := newRepository(t, files)
	out, err := command(t, r, "check")
	if err == nil {
		t.Fatalf("not refused:\n%s", out)
	}
	mentions(t, err.Error(),
		"cannot use lib.Add(1, 2)", // go get of lib/ext, and a program that imports it
		"undefined: y",             // go install of lib/cmd/add
		"undefined: z",             // the example
		"-require github.com/acme/lib/lib/ext v0.1.0", // go mod tidy of lib/cmd
		licensesFile+" is out of date",
	)
}

func TestProxy(t *testing.T) {
	r := newRepository(t, smallFiles())
	dir := filepath.Join(t.TempDir(), "new", "proxy")
	out, err := command(t, r, "proxy", "-version", "v0.0.0-docs", "-dir", dir)
	if err != nil {
		t.Fatal(err)
	}
	environment := strings.Split(strings.TrimSpace(out), "\n")
	user := t.TempDir()
	g := goCommand{"go", environment}
	for _, args := range [][]string{
		{"mod", "init", "example.com/user"},
		{"get", "github.com/acme/lib/lib@v0.0.0-docs"},
		{"get", "github.com/acme/lib/lib/ext@v0.0.0-docs"},
		{"build", "github.com/acme/lib/lib/ext"},
	} {
		if _, err := g.run(t.Context(), user, args...); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := command(t, r, "proxy", "-version", "v0.0.0-docs", "-dir", dir); err == nil {
		t.Error("a second proxy in the same folder, whose module cache has the first one's modules")
	}
	if _, err := command(t, r, "proxy", "-version", "docs", "-dir", t.TempDir()); err == nil {
		t.Error("a proxy of a version that is not one")
	}
}

func TestNotes(t *testing.T) {
	r := newRepository(t, smallFiles())
	if out, err := command(t, r, "notes", "-version", "v0.1.0"); err != nil || out != "- Everything.\n" {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := command(t, r, "notes", "-version", "v0.2.0"); err == nil {
		t.Error("notes of a version without a section")
	}
}

func TestCommandLine(t *testing.T) {
	r := newRepository(t, smallFiles())
	for _, args := range [][]string{{}, {"push"}, {"release", "v0.1.0"}, {"proxy", "-version", "v0.1.0"}} {
		if out, err := command(t, r, args...); err == nil {
			t.Errorf("%q is accepted: %s", args, out)
		}
	}
}
