package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/figures"
)

// repository makes a repository with an old figure and an old summary.
func repository(t *testing.T) (root string, read func(name string) string) {
	t.Helper()
	root = t.TempDir()
	for name, text := range map[string]string{
		figures.File:             "soak.calls\t1\tmake soak\nzero\t0\tmake zero\n",
		"internal/proof/soak.md": "old\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "--quiet"}, {"add", "-A"}, {"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "The subject"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	return root, func(name string) string {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

func TestPassingRun(t *testing.T) {
	root, read := repository(t)
	const script = `printf -- '    a_test.go:7: figure: soak.calls = 100,000\n--- PASS: TestSoak (1.00s)\nsomething else\nresult: FuzzMatch: 12 inputs\nok  \tm/other\t0.1s [no tests to run]\nok  \tm/corsrpc\t2.0s\n'`
	var shown strings.Builder
	if err := record(t.Context(), &shown, root, "soak", "N=1", []string{"sh", "-c", script}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(shown.String(), "something else") {
		t.Errorf("the command printed %q", shown.String())
	}
	got := read("internal/proof/soak.md")
	for _, want := range []string{
		"`make soak N=1`", "- passed on ", "(The subject)\n", " processors",
		"| soak.calls | 100,000 |\n", "```text\n--- PASS: TestSoak (1.00s)\nFuzzMatch: 12 inputs\nok   m/corsrpc 2.0s\n```\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the summary does not have %q:\n%s", want, got)
		}
	}
	if got, want := read(figures.File), "soak.calls\t100,000\tmake soak\nzero\t0\tmake zero\n"; got != want {
		t.Errorf("the figures are %q, want %q", got, want)
	}
}

func TestFailingRun(t *testing.T) {
	for name, script := range map[string]string{
		"the command fails":            "echo 'figure: soak.calls = 7'; echo 'ok  '; exit 3",
		"the command has no results":   "true",
		"there is not such a command ": "exec ./missing",
	} {
		root, read := repository(t)
		if err := record(t.Context(), io.Discard, root, "soak", "", []string{"sh", "-c", script}); err == nil {
			t.Errorf("%s, and the run passes", name)
		}
		if got := read("internal/proof/soak.md"); got != "old\n" {
			t.Errorf("%s, and the summary is %q", name, got)
		}
		if got := read(figures.File); !strings.HasPrefix(got, "soak.calls\t1\t") {
			t.Errorf("%s, and the figures are %q", name, got)
		}
	}
}
