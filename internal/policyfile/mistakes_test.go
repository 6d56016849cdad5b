package policyfile_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

var update = flag.Bool("update", false, "write the golden file anew")

// mistakesDir holds policies with a mistake that people make, each with a corrected file.
const mistakesDir = "testdata/mistakes"

// TestMistakes compares the messages about each file of the corpus with the golden file.
func TestMistakes(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob(mistakesDir + "/*")
	if err != nil {
		t.Fatal(err)
	}
	var golden strings.Builder
	files := 0
	for _, name := range names {
		base := filepath.Base(name)
		if base == "messages.golden" || strings.Contains(base, ".fixed.") {
			continue
		}
		files++
		checkCRLF(t, name)
		fmt.Fprintf(&golden, "%s\n", base)
		for _, p := range parse(t, name).Problems {
			fmt.Fprintf(&golden, "\t%d:%d ", p.Pos.Line, p.Pos.Column)
			if p.Field != "" {
				fmt.Fprintf(&golden, "%s: ", p.Field)
			}
			if p.Value != "" {
				fmt.Fprintf(&golden, "%q ", p.Value)
			}
			golden.WriteString(p.Reason)
			if p.Fix != "" {
				golden.WriteString(": write " + p.Fix)
			}
			fmt.Fprintf(&golden, " [%s]\n", p.Code)
		}
	}
	if files < 60 {
		t.Errorf("%d files, want at least 60", files)
	}
	name := mistakesDir + "/messages.golden"
	if *update {
		if err := os.WriteFile(name, []byte(golden.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got := golden.String(); got != string(want) {
		t.Errorf("%s differs; with -update it is written anew, then read the diff. Got:\n%s", name, got)
	}
}

// checkCRLF checks that a file has the same problems at the same places with the line breaks of
// Windows.
func checkCRLF(t *testing.T, name string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.IndexByte(text, 0) >= 0 || bytes.HasPrefix(text, []byte{0x1f, 0x8b}) {
		return // not a text
	}
	want := parse(t, name).Problems
	got := policyfile.Parse(name, bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")), &corsrpcv1.Policy{}, limit).Problems
	places := func(problems []policyfile.Problem) (all []string) {
		for _, p := range problems {
			all = append(all, fmt.Sprintf("%d:%d %s", p.Pos.Line, p.Pos.Column, strings.ReplaceAll(p.Reason+": "+p.Fix, `\r`, "")))
		}
		return all
	}
	if !slices.Equal(places(got), places(want)) {
		t.Errorf("%s: %q with CRLF, want %q", name, places(got), places(want))
	}
}

// TestMistakesFixed checks that each corrected file of the corpus has no problem.
func TestMistakesFixed(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob(mistakesDir + "/*.fixed.*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if f := parse(t, name); len(f.Problems) > 0 {
			t.Errorf("%s: %+v", name, f.Problems)
		}
	}
}

func parse(t *testing.T, name string) *policyfile.File {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return policyfile.Parse(name, text, &corsrpcv1.Policy{}, limit)
}
