package figures

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// recordedFigure is a row of the table of figures in a summary of internal/proof.
var recordedFigure = regexp.MustCompile(`(?m)^\| ([a-z0-9.-]+) \| ([^|]+) \|$`)

// TestRecordedRuns: the file has the figures that the last recorded runs of the slow targets counted and measured.
func TestRecordedRuns(t *testing.T) {
	all, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, f := range all {
		values[f.Name] = f.Value
	}
	summaries, err := filepath.Glob("../proof/*.md")
	if err != nil || len(summaries) == 0 {
		t.Fatalf("%d summaries, %v", len(summaries), err)
	}
	found := 0
	for _, summary := range summaries {
		text, err := os.ReadFile(summary)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range recordedFigure.FindAllStringSubmatch(string(text), -1) {
			if row[1] == "figure" || row[1] == "---" {
				continue // the head of the table and the line below it
			}
			found++
			if values[row[1]] != row[2] {
				t.Errorf("%s has %s = %s, and figures.txt %q: run the make target again", summary, row[1], row[2], values[row[1]])
			}
		}
	}
	if found < 20 {
		t.Errorf("%d figures in %d summaries", found, len(summaries))
	}
}

func TestCommittedFile(t *testing.T) {
	all, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if got := Text(all); got != committed {
		t.Errorf("the file reads back as %q", got)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"two columns":    "a\t1\n",
		"four columns":   "a\t1\tmake\tb\n",
		"an empty value": "a\t\tmake\n",
		"a blank line":   "a\t1\tmake\n\nb\t1\tmake\n",
		"not sorted":     "b\t1\tmake\na\t1\tmake\n",
		"a name twice":   "a\t1\tmake\na\t2\tmake\n",
	} {
		if all, err := Parse(text); err == nil {
			t.Errorf("%s: read as %v", name, all)
		}
	}
}

func TestSet(t *testing.T) {
	all := []Figure{{"b", "1", "make"}, {"d", "2", "make"}}
	got := Text(Set(all, Figure{"e", "5", "x"}, Figure{"a", "3", "x"}, Figure{"b", "4", "x"}, Figure{"c", "6", "x"}))
	if want := "a\t3\tx\nb\t4\tx\nc\t6\tx\nd\t2\tmake\ne\t5\tx\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if all[0].Value != "1" {
		t.Error("Set changed its argument")
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 601960: "601,960", 1234567: "1,234,567", -1000: "-1,000"} {
		if got := Count(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}

func TestCompare(t *testing.T) {
	const text = "cells\t1,164\tmake\n"
	if err := compare(text, "cells", "1,164"); err != nil {
		t.Error(err)
	}
	for _, c := range []struct{ text, name, value string }{
		{text, "cells", "1,165"},
		{text, "cell", "1,164"},
		{"cells\n", "cells", "1,164"},
	} {
		if compare(c.text, c.name, c.value) == nil {
			t.Errorf("%q has %s = %s", c.text, c.name, c.value)
		}
	}
}

// recorder is a test that notes what it is told.
type recorder struct{ logs, errors []string }

func (*recorder) Helper()      {}
func (*recorder) Name() string { return "TestCells/Firefox" }
func (r *recorder) Logf(format string, args ...any) {
	r.logs = append(r.logs, fmt.Sprintf(format, args...))
}
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func TestMeasure(t *testing.T) {
	var r recorder
	Measure(&r, "soak.row", "41 bytes")
	if strings.Join(r.logs, "|") != "figure: soak.row = 41 bytes" || len(r.errors) > 0 {
		t.Errorf("%+v", r)
	}
	for _, c := range [][2]string{{"", "1"}, {"a", ""}, {"a b", "1"}, {"a", "1\t2"}, {"a", "1\n"}} {
		var r recorder
		if Measure(&r, c[0], c[1]); len(r.errors) == 0 {
			t.Errorf("%q is a figure", c)
		}
	}
}

func TestCheck(t *testing.T) {
	root := t.TempDir()
	folder := filepath.Join(root, "internal", "e2e", "deep")
	file := filepath.Join(root, filepath.FromSlash(File))
	for _, dir := range []string{folder, filepath.Dir(file)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{filepath.Join(root, "go.mod"), filepath.Join(root, "internal", "e2e", "go.mod"), file} {
		if err := os.WriteFile(f, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(folder)

	t.Setenv(Variable, "")
	var compared recorder
	Check(&compared, "not.in.the.file", "1,164")
	if len(compared.errors) != 1 || !strings.Contains(compared.errors[0], "has no line for the figure not.in.the.file") {
		t.Errorf("a figure that the file does not have gives %q", compared.errors)
	}

	t.Setenv(Variable, "update")
	var updated recorder
	Check(&updated, "matrix.cells", "1,164")
	text, err := os.ReadFile(file)
	if want := "matrix.cells\t1,164\tcd internal/e2e && go test ./deep -run '^TestCells$'\n"; err != nil || string(text) != want || len(updated.errors) > 0 {
		t.Errorf("the file has %q, want %q (%v, %q)", text, want, err, updated.errors)
	}
	if err := Write(root, Figure{"matrix.cells", "1,164", "make other"}, Figure{"soak.row", "41 bytes", "make soak"}); err != nil {
		t.Fatal(err)
	}
	text, err = os.ReadFile(file)
	if got := string(text); err != nil || !strings.HasPrefix(got, "matrix.cells\t1,164\tcd ") || !strings.HasSuffix(got, "soak.row\t41 bytes\tmake soak\n") {
		t.Errorf("the file has %q, %v", text, err)
	}
	if got, want := command(root, root, root, "TestA/b"), "go test . -run '^TestA$'"; got != want {
		t.Errorf("the command is %q, want %q", got, want)
	}
}
