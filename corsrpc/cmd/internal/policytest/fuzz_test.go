package policytest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
)

// FuzzTest: Load and Run do not panic. The place of each problem is within the text, and each result has a
// status with what belongs to it.
func FuzzTest(f *testing.F) {
	names, err := filepath.Glob("testdata/mistakes/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "cors.yaml"), []byte(policy), 0o600); err != nil {
		f.Fatal(err)
	}
	image(f, filepath.Join(dir, "x"))
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<14 || strings.Contains(text, "dev/") || strings.Contains(text, "..") { // only files of the folder
			return
		}
		name := filepath.Join(dir, "cors_test.yaml")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Load(context.Background(), name, input.Flags{})
		var invalid *InvalidError
		if errors.As(err, &invalid) {
			if len(invalid.Problems) == 0 && invalid.Policy == nil {
				t.Error("invalid without a problem")
			}
			for _, p := range invalid.Problems {
				if p.Line > strings.Count(text, "\n")+strings.Count(text, "\r")+4 || p.Message == "" || p.Code == "" {
					t.Errorf("%+v", p)
				}
			}
		}
		if err != nil {
			return
		}
		for _, r := range run(t, s) {
			if r.Expected == "" || r.Name == "" || (r.Status == Passed) != (r.Happened == "") {
				t.Errorf("%+v", r)
			}
		}
	})
}
