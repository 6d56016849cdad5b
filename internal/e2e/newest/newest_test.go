package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/e2e/cells"
)

// libraries of a comparison in which connect-web and grpc-go are newer.
var libraries = []library{
	{"@connectrpc/connect", false, "2.2.0", "2.3.0"},
	{"@connectrpc/connect-web", false, "2.2.0", "2.3.0"},
	{"@bufbuild/protobuf", false, "2.17.0", "2.17.0"},
	{"grpc-web", false, "2.1.1", "2.1.1"},
	{"connectrpc.com/connect", true, "v1.21.1", "v1.21.1"},
	{"google.golang.org/grpc", true, "v1.85.0", "v1.86.0"},
}

func cell(browser, server, client, call string, credentials bool) cells.Key {
	return cells.Key{Test: "TestMatrix", Browser: browser, Server: server, Client: client, Call: call, Credentials: credentials}
}

// TestRows: cells are put together only where every combination differs in the same way.
func TestRows(t *testing.T) {
	var differences []cells.Difference
	add := func(k cells.Key, what, before, after string) {
		differences = append(differences, cells.Difference{Key: k, What: what, Old: before, New: after})
	}
	for _, browser := range []string{"Chromium", "Firefox"} {
		for _, server := range []string{"connect v1", "grpc-go"} {
			for _, call := range []string{"unary", "server stream"} {
				for _, credentials := range []bool{false, true} {
					add(cell(browser, server, "grpc-web, binary", call, credentials), "trailers", "a: 1", "")
				}
			}
		}
	}
	add(cell("WebKit", "grpc-go", "grpc-web, binary", "unary", true), "trailers", "a: 1", "")
	add(cell("WebKit", "grpc-go", "grpc-web, binary", "unary", true), headerNames, "accept origin x-old", "accept origin x-new")
	var got []string
	for _, r := range rows(differences) {
		got = append(got, fmt.Sprintf("%s%v%v%v%v %s: %s → %s", r.client, r.servers, r.browsers, r.calls, r.credentials, r.what, r.pinned, r.newest))
	}
	want := []string{
		"grpc-web, binary[connect v1 grpc-go][Chromium Firefox][unary server stream][without with] trailers: a: 1 → ",
		"grpc-web, binary[grpc-go][WebKit][unary][with] trailers: a: 1 → ",
		"grpc-web, binary[grpc-go][WebKit][unary][with] request's headers: x-old → x-new",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the rows are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestReport: the report says which cell differs, between which versions.
func TestReport(t *testing.T) {
	before, after := observation{}, observation{}
	unary := cell("Firefox", "grpc-go", "grpc-web, binary", "unary", true)
	recipe := cells.Key{Test: "TestRecipeTable", Browser: "WebKit", Server: "connect v1, behind the usual recipe", Call: "Connect GET"}
	before.cells = map[cells.Key]map[string]string{unary: {"messages": "1|2", headerNames: "a b"}, recipe: {"trailers": "no"}}
	after.cells = map[cells.Key]map[string]string{unary: {"messages": "", headerNames: "a b c"}}
	before.passed = map[string]bool{"TestMatrix": true, "TestMatrix/Firefox": true, "TestChecklist": true}
	after.failed = map[string]string{"TestMatrix": "outer\n", "TestMatrix/Firefox": "inner\n"}
	r := report{date: "2026-11-26", commit: "commit 1234567 (A subject)", machine: "2 processors", browsers: "firefox-esr 153", libraries: libraries, tried: libraries}
	r.compare(before, after)
	if !r.differs() {
		t.Fatal("nothing differs")
	}
	got := r.markdown()
	for _, want := range []string{
		"on 2026-11-26;", "at commit 1234567 (A subject). 2 processors. firefox-esr 153.",
		"| @connectrpc/connect-web | 2.2.0 | **2.3.0** |\n", "| grpc-web | 2.1.1 | 2.1.1 |\n",
		"2 cells and 3 tests were compared. Groups of cells that differ: 3. Tests that fail only with the newest versions: 1. Problems with compiling or installing: 0.",
		"| TestMatrix | @connectrpc/connect-web 2.2.0 → 2.3.0, @connectrpc/connect 2.2.0 → 2.3.0 | grpc-web, binary | google.golang.org/grpc v1.85.0 → v1.86.0 | Firefox | unary | with | messages | 1\\|2 | (empty) |\n",
		"| request's headers | without c | with c |\n",
		"| TestRecipeTable | all | all | connectrpc.com/connect v1.21.1, behind the usual recipe | WebKit | Connect GET | without | the cell | observed | not observed |\n",
		"### TestMatrix/Firefox\n\n```text\ninner\n```\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the report does not have %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "outer") {
		t.Errorf("the report shows a test whose subtest failed:\n%s", got)
	}
	same := report{libraries: libraries}
	if same.compare(before, before); same.differs() || !strings.Contains(same.markdown(), "2 cells and 3 tests were compared; none differs.") {
		t.Errorf("a run differs from itself:\n%s", same.markdown())
	}
}

// TestProblemIsADifference: versions that do not compile are not reported as equal.
func TestProblemIsADifference(t *testing.T) {
	before := observation{cells: map[cells.Key]map[string]string{{Call: "unary"}: nil}, passed: map[string]bool{"TestMatrix": true}}
	var r report
	r.compare(before, observation{problems: []problem{{"the tests do not compile", "undefined: connect.NewHandler"}}})
	got := r.markdown()
	for _, want := range []string{"0 cells and 0 tests were compared.", "### Problem: the tests do not compile\n\n```text\nundefined: connect.NewHandler\n```\n"} {
		if !r.differs() || !strings.Contains(got, want) {
			t.Errorf("the report does not have %q:\n%s", want, got)
		}
	}
}

func TestReadEvents(t *testing.T) {
	var o observation
	err := o.readEvents(strings.NewReader(`{"Action":"start"}
{"Action":"output","Test":"TestA/b","Output":"one\n"}
{"Action":"output","Test":"TestA/b","Output":"two\n"}
{"Action":"fail","Test":"TestA/b"}
{"Action":"pass","Test":"TestA/bc"}
{"Action":"fail","Test":"TestA"}
{"Action":"fail"}
`))
	if err != nil || !o.passed["TestA/bc"] || o.failed["TestA/b"] != "one\ntwo\n" || !slices.Equal(o.leaves(), []string{"TestA/b"}) {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestLibraries(t *testing.T) {
	if got, want := len(newer(libraries)), 3; got != want {
		t.Errorf("%d libraries are newer, want %d", got, want)
	}
	if got := withoutNewerModules(libraries); len(newer(got)) != 2 || named(libraries, "google.golang.org/grpc").newest != "v1.86.0" {
		t.Errorf("with the pinned servers %v are newer", newer(got))
	}
	if got := clientsOf(libraries); len(got) != 4 {
		t.Errorf("%d clients", len(got))
	}
	chosen, err := choose(libraries, "@connectrpc/connect-web@2.0.0,google.golang.org/grpc@v1.84.0")
	if err != nil || fmt.Sprint(newer(chosen)) != "[@connectrpc/connect-web 2.2.0 → 2.0.0 google.golang.org/grpc v1.85.0 → v1.84.0]" {
		t.Errorf("chosen: %v, %v", newer(chosen), err)
	}
	for _, versions := range []string{"grpc-web", "@connectrpc", "other@1.0.0"} {
		if _, err := choose(libraries, versions); err == nil {
			t.Errorf("%q is accepted", versions)
		}
	}
}

// TestListsAreComplete: every client that the tests install is compared, the versions of each are found,
// and each test of the list is there.
func TestListsAreComplete(t *testing.T) {
	read := func(name string) []byte {
		t.Helper()
		text, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	var manifest struct{ Dependencies map[string]string }
	if err := json.Unmarshal(read("web/package.json"), &manifest); err != nil {
		t.Fatal(err)
	}
	locked, err := lockedVersions(read("web/package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, version := range manifest.Dependencies {
		if !slices.Contains(packages, name) || locked[name] != version {
			t.Errorf("%s %s is not compared; the lock has %q", name, version, locked[name])
		}
	}
	for _, name := range packages {
		if locked[name] == "" {
			t.Errorf("package-lock.json does not have %s", name)
		}
	}
	for client, names := range clientPackages {
		for _, name := range names {
			if !slices.Contains(packages, name) {
				t.Errorf("%s depends on %s, which is not compared", client, name)
			}
		}
		if !strings.Contains(string(read("calls_test.go")), `"`+client+`"`) {
			t.Errorf("no test names the client %q", client)
		}
	}
	module := string(read("go.mod"))
	for server, path := range serverModules {
		if !slices.Contains(modules, path) || !strings.Contains(module, path+" v") {
			t.Errorf("%s is not compared", path)
		}
		if !strings.Contains(string(read("service_test.go")), `{name: "`+server+`"`) {
			t.Errorf("no test names the server %q", server)
		}
	}
	files, err := filepath.Glob("../*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var sources strings.Builder
	for _, file := range files {
		sources.Write(read(filepath.Base(file)))
	}
	for _, test := range tests {
		if !strings.Contains(sources.String(), "func "+test+"(") {
			t.Errorf("there is no %s", test)
		}
	}
}

// TestCopyTree: the copy has what is committed, and what is not but could be; nothing that is ignored.
func TestCopyTree(t *testing.T) {
	root, dir := t.TempDir(), t.TempDir()
	write := func(name string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a/kept.go")
	write("gone.go")
	for _, args := range [][]string{{"init", "--quiet"}, {"add", "-A"}} {
		if _, err := output(t.Context(), root, "git", args...); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(root, "gone.go")); err != nil {
		t.Fatal(err)
	}
	write("new.go")
	write("ignored.log")
	if err := os.WriteFile(filepath.Join(root, ".gitignore"), []byte("*.log\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := copyTree(t.Context(), root, dir); err != nil {
		t.Fatal(err)
	}
	var names []string
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, strings.TrimPrefix(name, dir+"/"))
		}
		return err
	})
	if want := []string{".gitignore", "a/kept.go", "new.go"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("the copy has %v, want %v (%v)", names, want, err)
	}
}
