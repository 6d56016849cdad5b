package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/figures"
)

// TestFaultsAreCurrent: each fault can be applied, and has a unique name. `make mutate` tries
// the faults.
func TestFaultsAreCurrent(t *testing.T) {
	sources, err := readSources("../..")
	if err != nil {
		t.Fatal(err)
	}
	figures.Check(t, "mutate.faults", figures.Count(len(faults)))
	seen := map[string]bool{}
	for _, f := range faults {
		place, err := f.find(sources)
		var broken string
		if err == nil {
			broken, err = place.with(f)
		}
		if err != nil {
			t.Errorf("%s: %v", f.name, err)
			for _, near := range f.nearest(sources, 1) {
				t.Logf("nearest is %s", near)
			}
			continue
		}
		if key := place.source.path + "\n" + broken; seen[f.name] || seen[key] {
			t.Errorf("%s: the name is used twice", f.name)
		} else {
			seen[f.name], seen[key] = true, true
		}
		if strings.ContainsAny(f.name, "\t\n") {
			t.Errorf("%q cannot be a line of noticed.txt", f.name)
		}
	}
	if t.Failed() {
		t.Log("go run ./internal/mutate -stale prints what resembles the texts that are gone")
	}
}

// TestFind: find returns the place of a fault's text, or an error.
func TestFind(t *testing.T) {
	sources := []*source{parse(t, "corsrpc/a.go", `package a

// One is the first.
func One(b bool) int {
	if b && true { // in One
		return  1
	}

	return 2
}

func (n *Names[V]) Two(b bool) int {
	if b && true {
		return 3
	}
	return oneMore
}

var three = map[string]int{
	"a":   1,
	"bcd": 2,
}
`), parse(t, "corsrpc/b.go", `package a

func Two() {
	for range 3 {
	}
}

func (n Numbers) Two() {
	defer f()
}
`)}
	for _, c := range []struct {
		name, in, old string
		place, broken string // where, and the text that is replaced
	}{
		{"once", "", "return 2", "corsrpc/a.go:9", "return 2"},
		{"spaces", "", "return 1", "corsrpc/a.go:6", "return  1"},
		{"alignment", "", `"a": 1`, "corsrpc/a.go:20", `"a":   1`},
		{"lines", "", "\treturn 1\n}\nreturn", "corsrpc/a.go:6", "return  1\n\t}\n\n\treturn"},
		{"a whole line", "", "\tdefer f()\n", "corsrpc/b.go:9", "defer f()\n"},
		{"a line begins", "", "\tfor", "corsrpc/b.go:4", "for"},
		{"no line begins", "", "\tf()", "", ""},
		{"half an identifier", "", "return one", "", ""},
		{"the other half", "", "More", "", ""},
		{"nowhere", "", "return 4", "", ""},
		{"twice", "", "b && true", "", ""},
		{"twice, in a function", "One", "b && true", "corsrpc/a.go:5", "b && true"},
		{"in a method", "(*Names).Two", "b && true", "corsrpc/a.go:13", "b && true"},
		{"in a method of that name", "Two", "b && true", "corsrpc/a.go:13", "b && true"},
		{"in a method of a value", "Numbers.Two", "defer", "corsrpc/b.go:9", "defer"},
		{"in another function", "Two", "return 2", "", ""},
		{"in a comment above", "One", "first", "corsrpc/a.go:3", "first"},
		{"in a variable", "three", "2", "corsrpc/a.go:21", "2"},
		{"nothing", "", "\t\n", "", ""},
	} {
		p, err := fault{name: c.name, in: c.in, old: c.old, new: "x"}.find(sources)
		switch {
		case err != nil && c.place != "":
			t.Errorf("%s: %v", c.name, err)
		case err == nil && (p.String() != c.place || p.source.text[p.start:p.end] != c.broken):
			t.Errorf("%s: found %q at %s, not %q at %s", c.name, p.source.text[p.start:p.end], p, c.broken, c.place)
		}
	}
	if _, err := (fault{old: "return 2", new: "return 2"}).find(sources); err == nil {
		t.Error("no error for a fault that changes nothing")
	}
}

func parse(t *testing.T, path, text string) *source {
	t.Helper()
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, path, text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return newSource(path, text, set, tree)
}

// TestNearest: for a fault whose text is not in the source, nearest returns the similar text.
func TestNearest(t *testing.T) {
	sources := []*source{parse(t, "corsrpc/a.go", `package a

func f(s set) {
	if len(s.groups) > maxGroups {
		s.groups = s.groups[:maxGroups]
	}
	if len(s.groups) >= 0 {
		return
	}
}
`)}
	near := fault{old: "if len(s.groups) > mostGroups {"}.nearest(sources, 3)
	if len(near) != 2 || near[0].String() != "corsrpc/a.go:4, 85 % alike:\n\tif len(s.groups) > maxGroups {\n(with -rename mostGroups=maxGroups)" {
		t.Errorf("nearest are %v", near)
	}
	if near := (fault{old: "switch x.(type) {"}).nearest(sources, 3); len(near) != 0 {
		t.Errorf("nearest are %v, which have nothing in common", near)
	}
}

func TestRename(t *testing.T) {
	list := "package main\n\nvar all = []fault{\n\t{name: \"most groups\", in: \"most\", old: `most + mostly`, new: \"s.most\"},\n}\n"
	list += "\nvar most = 1\n"
	want := strings.NewReplacer(`in: "most"`, `in: "bound"`, "`most + mostly`", "`bound + mostly`", "s.most", "s.bound").Replace(list)
	got, n, err := renameIn(list, []replacement{{"most", "bound"}})
	if err != nil || n != 3 || got != want {
		t.Errorf("%d texts rewritten, %v:\n%s", n, err, got)
	}
}

// TestTesters: testers returns the packages that import a package, the nearest first.
func TestTesters(t *testing.T) {
	p := func(folder string, imports, tests []string, hasTests bool) *goPackage {
		p := &goPackage{ImportPath: "m/" + folder, folder: folder, Imports: imports, XTestImports: tests}
		if hasTests {
			p.TestGoFiles = []string{"a_test.go"}
		}
		return p
	}
	all := []*goPackage{
		p("top", []string{"m/middle", "fmt"}, nil, true),
		p("middle", []string{"m/low"}, nil, true),
		p("silent", []string{"m/low"}, nil, false),
		p("beside", nil, []string{"m/low"}, true),
		p("other", []string{"fmt"}, nil, true),
		p("low", nil, nil, true),
	}
	if got := testers(all, "low"); !slices.Equal(got, []string{"low", "beside", "middle", "top"}) {
		t.Errorf("low is tested by %v", got)
	}
	if got := testers(all, "silent"); len(got) != 0 {
		t.Errorf("silent is tested by %v", got)
	}
}

// TestRecord: a record is stored in a file, sorted by fault.
func TestRecord(t *testing.T) {
	file := filepath.Join(t.TempDir(), "noticed.txt")
	r, err := readRecord(file)
	if err != nil {
		t.Fatal(err)
	}
	set := func(r *record, fault string, by test) {
		t.Helper()
		if err := r.set(fault, by); err != nil {
			t.Fatal(err)
		}
	}
	set(r, "b", test{"corsrpc", "TestB"})
	set(r, "a", test{"corsrpc", "TestA"})
	set(r, "c", test{"corsrpc", "TestC"})
	other, err := readRecord(file)
	if err != nil {
		t.Fatal(err)
	}
	set(other, "d", test{"internal/origin", "TestD"})
	set(r, "c", test{})
	set(r, "a", test{"corsrpc", "TestOther"})
	if err := r.keepOnly([]fault{{name: "a"}, {name: "d"}, {name: "e"}}); err != nil {
		t.Fatal(err)
	}
	if sharp := r.sharp("corsrpc"); len(sharp) != 0 {
		t.Errorf("%v noticed one fault each", sharp)
	}
	text, err := os.ReadFile(file)
	if want := "a\tcorsrpc\tTestOther\nd\tinternal/origin\tTestD\n"; err != nil || string(text) != want {
		t.Errorf("the file holds %q, %v", text, err)
	}
	if left, _ := filepath.Glob(file + "?*"); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
	for _, fault := range []string{"f", "g", "h"} {
		set(r, fault, test{"corsrpc", "TestSharp"})
	}
	if sharp := r.sharp("corsrpc"); !slices.Equal(sharp, []string{"TestSharp"}) {
		t.Errorf("%v noticed several faults", sharp)
	}
	if err := os.WriteFile(file, []byte("a\tb\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readRecord(file); err == nil {
		t.Error("a line of two parts is read")
	}
}

// TestOutput: firstFailed and durations parse the output of tests.
func TestOutput(t *testing.T) {
	for _, c := range []struct{ name, out, test string }{
		{"a test", "=== RUN   TestA\n--- PASS: TestA (0.00s)\n=== RUN   TestB\n--- FAIL: TestB (0.10s)\nFAIL\n", "TestB"},
		{"a test within a test", "=== RUN   TestB\n=== RUN   TestB/one\n    --- FAIL: TestB/one (0.00s)\n--- FAIL: TestB (0.10s)\n", "TestB"},
		{"an example", "=== RUN   ExampleC\n--- FAIL: ExampleC (0.00s)\ngot:\n", "ExampleC"},
		{"a panic in a goroutine", "=== RUN   TestA\n--- PASS: TestA (0.00s)\n=== RUN   TestB\npanic: oh\n\ngoroutine 1\n", "TestB"},
		{"a timeout", "=== RUN   TestA\n=== PAUSE TestA\n=== RUN   TestB\n=== PAUSE TestB\n=== CONT  TestB\n=== CONT  TestA\n--- PASS: TestA (0.00s)\n=== RUN   TestB/one\npanic: test timed out after 10s\n\trunning tests:\n\t\tTestB (10s)\n\t\tTestB/one (10s)\n", "TestB"},
		{"a program that does not start", "panic: oh\n", ""},
	} {
		if got := firstFailed(c.out); got != c.test {
			t.Errorf("%s: %q failed", c.name, got)
		}
	}
	took := durations("--- PASS: TestA (1.50s)\n    --- PASS: TestA/one (0.00s)\n--- SKIP: TestB (0.00s)\n--- PASS: ExampleC (0.01s)\n")
	if want := map[string]time.Duration{"TestA": 1500 * time.Millisecond, "TestB": 0, "ExampleC": 10 * time.Millisecond}; !maps.Equal(took, want) {
		t.Errorf("the tests took %v", took)
	}
	i := baseline{took: took}
	if got := fmt.Sprint(i.limit(selection{}), i.limit(selection{skip: []string{"TestA"}}), i.limit(selection{only: []string{"TestA"}})); got != "25.1s 10.1s 25s" {
		t.Errorf("the limits are %s", got)
	}
}

// TestSummary: RESULTS.md lists the faults that were not noticed.
func TestSummary(t *testing.T) {
	s := newSummary([]attempt{
		{fault: fault{name: "one"}, by: test{"corsrpc", "TestA"}},
		{fault: fault{name: "two"}, by: test{intentFolder, "TestB"}},
		{fault: fault{name: "three"}},
		{fault: fault{name: "four"}, err: os.ErrNotExist},
	}, time.Minute, 2)
	if text := s.text(); !s.failed() || !strings.HasSuffix(text, "4 faults in 1m0s: 1 noticed by unit tests, 1 by the properties of internal/intent, 1 by neither, 1 not made\n") {
		t.Error(text)
	}
	if text := s.markdown(); !strings.Contains(text, "| 4 | 1 | 1 | 1 | 1 |") || !strings.Contains(text, "## Survivors\n\n- three\n\n## Not made\n\n- four\n") {
		t.Error(text)
	}
}
