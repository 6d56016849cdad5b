package policytest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
)

var update = flag.Bool("update", false, "write the golden file anew")

// TestMistakes compares the problems of each test with a mistake with the golden file. The corrected file
// beside it has none.
func TestMistakes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	copyFile(t, "testdata/cors.yaml", dir)
	image(t, filepath.Join(dir, "x"))
	names, err := filepath.Glob("testdata/mistakes/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var golden strings.Builder
	files := 0
	for _, name := range names {
		_, err := Load(context.Background(), copyFile(t, name, dir), input.Flags{})
		var invalid *InvalidError
		switch isInvalid := errors.As(err, &invalid); {
		case strings.HasSuffix(name, ".fixed.yaml"):
			if err != nil {
				t.Errorf("%s: %v %+v", name, err, invalid)
			}
			continue
		case !isInvalid:
			t.Errorf("%s: %v", name, err)
			continue
		}
		files++
		fmt.Fprintf(&golden, "%s\n", filepath.Base(name))
		for _, p := range invalid.Problems {
			fmt.Fprintf(&golden, "\t%d:%d ", p.Line, p.Column)
			if p.Field != "" {
				golden.WriteString(p.Field + ": ")
			}
			if p.Value != "" {
				fmt.Fprintf(&golden, "%q ", p.Value)
			}
			golden.WriteString(p.Message)
			if p.Fix != "" {
				golden.WriteString(": " + p.Fix)
			}
			fmt.Fprintf(&golden, " [%s]\n", p.Code)
		}
		if invalid.Policy != nil {
			fmt.Fprintf(&golden, "\t%s\n", strings.ReplaceAll(invalid.Policy.Error(), dir, ""))
		}
	}
	if files < 80 {
		t.Errorf("%d files, want at least 80", files)
	}
	const name = "testdata/mistakes.golden"
	got := strings.ReplaceAll(golden.String(), dir+"/", "")
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; with -update it is written anew, then read the diff. Got:\n%s", name, got)
	}
}

// copyFile copies a file into a folder, and returns its name there.
func copyFile(t *testing.T, name, dir string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, filepath.Base(name))
	if err := os.WriteFile(to, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}
