package docs

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReferencePages: the reference pages are those that internal/reference writes from the .proto files as they stand,
// and no other page has a name like theirs.
func TestReferencePages(t *testing.T) {
	t.Parallel()
	const root, out = "../..", "corsrpc/docs"
	image := filepath.Join(t.TempDir(), "image.binpb")
	build := strings.Fields(bufProgram(t) + " build proto -o " + image)
	command := exec.CommandContext(t.Context(), build[0], build[1:]...)
	command.Dir = root
	if text, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%q: %v\n%s", build, err, text)
	}
	in, err := os.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	written := t.TempDir()
	command = exec.CommandContext(t.Context(), "go", "run", "./internal/reference", written)
	command.Dir, command.Stdin = root, in
	if text, err := command.CombinedOutput(); err != nil {
		t.Fatalf("internal/reference: %v\n%s", err, text)
	}
	pages, err := filepath.Glob(filepath.Join(root, out, "*"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, name := range pages {
		if !isReference(name) {
			continue
		}
		n++
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if want, err := os.ReadFile(filepath.Join(written, filepath.Base(name))); err != nil {
			t.Errorf("%s: isReference takes it for a page of internal/reference, which does not write it", name)
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s is not what internal/reference writes: run make generate", name)
		}
	}
	if all, err := os.ReadDir(written); err != nil || len(all) != n || n == 0 {
		t.Errorf("internal/reference writes %d pages, and %d are in %s: %v", len(all), n, out, err)
	}
}
