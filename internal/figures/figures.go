// Package figures holds the numbers that the documents quote, each with the
// command that counts or measures it. They are in figures.txt, one line for
// each figure, sorted by name: name, value and command, separated by tabs. The
// value is written as the documents print it, with thousands separators.
//
// A number that is the same in every run is asserted by the test that counts
// it, with Check. A number that varies is reported by the test that measures
// it, with Measure, and written by internal/proof when the command passes.
package figures

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// File is the path of the figures, from the root of the repository.
const File = "internal/figures/figures.txt"

// Variable is the environment variable that makes Check write the figure
// instead of comparing it, when its value is "update". Tests of several
// packages must then run one after another: go test -p 1.
const Variable = "CORSRPC_FIGURES"

// Prefix is the start of the text that Check and Measure log: "figure: name = value".
const Prefix = "figure: "

// Figure is one line of the file.
type Figure struct {
	Name    string // lower-case words and numbers, separated by dots and hyphens
	Value   string // as the documents print it
	Command string // counts or measures it; run from the root of the repository
}

//go:embed figures.txt
var committed string

// Load returns the figures of the file at the time of compilation, sorted by
// name.
func Load() ([]Figure, error) { return Parse(committed) }

// Parse reads the text of the file. It fails unless every line has three
// non-empty columns and the names ascend.
func Parse(text string) ([]Figure, error) {
	var all []Figure
	for line := range strings.Lines(text) {
		columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(columns) != 3 || slices.Contains(columns, "") {
			return nil, fmt.Errorf("%q: want a name, a value and a command, separated by tabs", line)
		}
		f := Figure{Name: columns[0], Value: columns[1], Command: columns[2]}
		if len(all) > 0 && all[len(all)-1].Name >= f.Name {
			return nil, fmt.Errorf("%q does not come after %q: the lines have to be sorted by name, each name once", f.Name, all[len(all)-1].Name)
		}
		all = append(all, f)
	}
	return all, nil
}

// Text returns the figures in the form of the file.
func Text(all []Figure) string {
	var b strings.Builder
	for _, f := range all {
		fmt.Fprintf(&b, "%s\t%s\t%s\n", f.Name, f.Value, f.Command)
	}
	return b.String()
}

// Set adds figures to all, or replaces those of the same name, and returns the
// result, sorted by name.
func Set(all []Figure, with ...Figure) []Figure {
	all = slices.Clone(all)
	for _, f := range with {
		i, found := slices.BinarySearchFunc(all, f.Name, func(f Figure, name string) int { return strings.Compare(f.Name, name) })
		if found {
			all[i] = f
		} else {
			all = slices.Insert(all, i, f)
		}
	}
	return all
}

// Count returns n with thousands separators.
func Count(n int) string {
	if n < 0 {
		return "-" + Count(-n)
	}
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// T is the part of testing.TB that Check and Measure use.
type T interface {
	Helper()
	Name() string
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Check fails the test unless the file has the figure with this value. If
// the environment variable CORSRPC_FIGURES is "update", it writes the figure
// instead, with the go command that runs the calling test.
func Check(t T, name, value string) {
	t.Helper()
	Measure(t, name, value)
	if os.Getenv(Variable) == "update" {
		if err := update(t.Name(), name, value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return
	}
	if err := compare(committed, name, value); err != nil {
		t.Errorf("%v: after a change that is meant, run this test with %s=update, and the tests of the documents", err, Variable)
	}
}

// Measure logs a figure that varies from run to run. It fails the test if the
// name or the value cannot be a column of the file.
func Measure(t T, name, value string) {
	t.Helper()
	if name == "" || value == "" || strings.ContainsAny(name, " \t\n") || strings.ContainsAny(value, "\t\n") {
		t.Errorf("%q = %q cannot be a figure: a tab or a line end in it, a space in the name, or nothing", name, value)
		return
	}
	t.Logf("%s%s = %s", Prefix, name, value)
}

// compare returns an error unless the text of the file has the figure.
func compare(text, name, value string) error {
	all, err := Parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", File, err)
	}
	for _, f := range all {
		if f.Name != name {
			continue
		}
		if f.Value != value {
			return fmt.Errorf("%s says that the figure %s is %s, but its value in this run is %s", File, name, f.Value, value)
		}
		return nil
	}
	return fmt.Errorf("%s has no line for the figure %s; its value in this run is %s", File, name, value)
}

var updating sync.Mutex

func update(test, name, value string) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	root, module, err := roots(dir)
	if err != nil {
		return err
	}
	updating.Lock()
	defer updating.Unlock()
	return Write(root, Figure{Name: name, Value: value, Command: command(root, module, dir, test)})
}

// Write puts figures into the file of the repository that is at root. A figure
// whose value does not change keeps its command.
func Write(root string, with ...Figure) error {
	file := filepath.Join(root, filepath.FromSlash(File))
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	all, err := Parse(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	with = slices.DeleteFunc(slices.Clone(with), func(f Figure) bool {
		return slices.ContainsFunc(all, func(old Figure) bool { return old.Name == f.Name && old.Value == f.Value })
	})
	return os.WriteFile(file, []byte(Text(Set(all, with...))), 0o644)
}

// roots returns the root of the repository that holds dir, and of the module.
func roots(dir string) (root, module string, err error) {
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil && module == "" {
			module = dir
		}
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(File))); err == nil {
			return dir, module, nil
		}
		if dir == filepath.Dir(dir) {
			return "", "", errors.New("no folder above the test holds " + File)
		}
	}
}

// command returns the go command that runs the test, from the root.
func command(root, module, dir, test string) string {
	test, _, _ = strings.Cut(test, "/")
	folder := func(from, to string) string {
		rel, err := filepath.Rel(from, to)
		if err != nil || rel == "." {
			return "."
		}
		return "./" + filepath.ToSlash(rel)
	}
	run := fmt.Sprintf("go test %s -run '^%s$'", folder(module, dir), test)
	if module == root {
		return run
	}
	return "cd " + path.Clean(folder(root, module)) + " && " + run
}
