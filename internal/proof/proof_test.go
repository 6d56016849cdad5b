package proof

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestReadCommit(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	run("init", "--quiet")
	write("code.go", "1")
	write("soak.md", "1")
	run("add", "-A")
	run("commit", "--quiet", "-m", "The subject\n\nMore.")

	read := func() string {
		t.Helper()
		c, err := ReadCommit(t.Context(), dir, "*.md")
		if err != nil {
			t.Fatal(err)
		}
		text, found := strings.CutPrefix(c.String(), "commit "+c.Hash+" (The subject)")
		if !found || c.Hash == "" {
			t.Errorf("the commit is described as %q", c)
		}
		return text
	}
	if got := read(); got != "" {
		t.Errorf("a clean tree is described as %q", got)
	}
	write("soak.md", "2")
	write("new.md", "2")
	if got := read(); got != "" {
		t.Errorf("a tree with new summaries is described as %q", got)
	}
	write("code.go", "2")
	if got, want := read(), ", with uncommitted changes in code.go"; got != want {
		t.Errorf("one change is described as %q, want %q", got, want)
	}
	write("new.go", "2")
	if got, want := read(), ", with uncommitted changes in 2 files"; got != want {
		t.Errorf("two changes are described as %q, want %q", got, want)
	}
	if _, err := ReadCommit(t.Context(), t.TempDir()); err == nil {
		t.Error("a folder without a repository has a commit")
	}
}

func TestMachine(t *testing.T) {
	got := Machine()
	for _, want := range []string{runtime.GOOS + "/" + runtime.GOARCH, " processors", runtime.Version()} {
		if !strings.Contains(got, want) {
			t.Errorf("%q does not have %q", got, want)
		}
	}
}
