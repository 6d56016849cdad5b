package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// asPlugin is set in the environment of buf: the test binary that buf then starts is the plugin.
const asPlugin = "CORSRPC_TEST_AS_PLUGIN"

// pluginFolder has the plugin under its name. It is first in the PATH of buf.
var pluginFolder string

func TestMain(m *testing.M) {
	if os.Getenv(asPlugin) != "" {
		main()
		return
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "buf-plugin-corsrpc")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	executable, err := os.Executable()
	if err == nil {
		err = os.Symlink(executable, filepath.Join(dir, "buf-plugin-corsrpc"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	pluginFolder = dir
	return m.Run()
}

// bufProgram returns the path of buf: the environment variable BUF, or the program that the Makefile installs.
func bufProgram(t *testing.T) string {
	t.Helper()
	name := os.Getenv("BUF")
	if name == "" {
		name = "../../.tmp/bin/buf"
	}
	path, err := filepath.Abs(name)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("these tests run buf: run make unit, or set BUF to its path: %v", err)
	}
	return path
}

// newWorkspace returns a folder with files: those given, buf.yaml, and corsrpc/v1/options.proto. The options are lines of
// YAML below the options of the plugin.
func newWorkspace(t *testing.T, options string, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "proto"), os.DirFS("../../proto")); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"buf.yaml": bufYAML(options)}
	maps.Copy(all, files)
	write(t, dir, all)
	return dir
}

// bufYAML returns the configuration of a workspace in which the plugin alone checks.
func bufYAML(options string) string {
	text := `version: v2
modules:
  - path: proto
lint:
  use: [CORSRPC, CORSRPC_SELECTOR_OUTSIDE_MODULE]
breaking:
  use: [CORSRPC_BREAKING]
plugins:
  - plugin: buf-plugin-corsrpc
`
	if options != "" {
		text += "    options:\n"
		for line := range strings.Lines(options) {
			text += "      " + strings.TrimRight(line, "\n") + "\n"
		}
	}
	return text
}

// write writes files into a folder.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// result is what buf prints, and its exit code.
type result struct {
	out, err string
	code     int
}

// The exit codes of buf.
const (
	bufFine        = 0
	bufFails       = 1
	bufAnnotations = 100
)

// runBuf runs buf in a folder.
func runBuf(t *testing.T, dir string, args ...string) result {
	t.Helper()
	c := exec.CommandContext(t.Context(), bufProgram(t), args...)
	c.Dir = dir
	c.Env = append(os.Environ(), asPlugin+"=1", "PATH="+pluginFolder+string(filepath.ListSeparator)+os.Getenv("PATH"), "BUF_CACHE_DIR="+pluginFolder,
		"GORACE=atexit_sleep_ms=0") // otherwise the race detector makes each plugin process sleep for a second
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return result{out.String(), errOut.String(), c.ProcessState.ExitCode()}
}

// annotation is an annotation as buf prints it with --error-format json.
type annotation struct {
	Path      string `json:"path"`
	StartLine int    `json:"start_line"`
	Column    int    `json:"start_column"`
	Type      string `json:"type"`
	Message   string `json:"message"`
	Plugin    string `json:"plugin"`
}

// annotationsOf runs buf and returns its annotations, each as one line without the plugin's prefix of the rule.
func annotationsOf(t *testing.T, dir string, args ...string) []string {
	t.Helper()
	r := runBuf(t, dir, append(args, "--error-format", "json")...)
	var all []string
	for line := range strings.Lines(r.out) {
		var a annotation
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if a.Plugin != "buf-plugin-corsrpc" {
			t.Errorf("the annotation is of the plugin %q: %s", a.Plugin, line)
		}
		all = append(all, fmt.Sprintf("%s:%d:%d: %s: %s", cmp.Or(a.Path, "<input>"), a.StartLine, a.Column, strings.TrimPrefix(a.Type, prefix), a.Message))
	}
	want := bufFine
	if len(all) > 0 {
		want = bufAnnotations
	}
	if r.code != want || r.err != "" {
		t.Errorf("buf %v: exit code %d\n%s%s", args, r.code, r.out, r.err)
	}
	slices.Sort(all)
	return all
}

var update = flag.Bool("update", false, "write the annotations of buf into testdata")

// golden is a file with the annotations of each case, below a heading.
type golden struct {
	file     string
	sections map[string]string
	mu       sync.Mutex // of got
	got      map[string]string
}

// newGolden reads a golden file. With -update it writes the file when the test is over.
func newGolden(t *testing.T, file string) *golden {
	t.Helper()
	g := &golden{file: file, sections: map[string]string{}, got: map[string]string{}}
	text, err := os.ReadFile(file)
	if err != nil && !*update {
		t.Fatal(err)
	}
	for _, section := range strings.Split(string(text), "\n# ") {
		name, lines, _ := strings.Cut(strings.TrimPrefix(section, "# "), "\n")
		g.sections[name] = strings.TrimSpace(lines)
	}
	t.Cleanup(func() {
		if *update {
			var b strings.Builder
			for _, name := range slices.Sorted(maps.Keys(g.got)) {
				fmt.Fprintf(&b, "# %s\n%s\n\n", name, g.got[name])
			}
			if err := os.WriteFile(file, []byte(strings.TrimSuffix(b.String(), "\n")), 0o666); err != nil {
				t.Error(err)
			}
		} else if len(g.got) != len(g.sections) {
			t.Errorf("%s has %d sections for %d cases: run the tests with -update", file, len(g.sections), len(g.got))
		}
	})
	return g
}

// compare compares the annotations of a case with those in the file. One of them has to be of the rule.
func (g *golden) compare(t *testing.T, rule, what string, annotations []string) {
	t.Helper()
	if !slices.ContainsFunc(annotations, func(a string) bool { return strings.Contains(a, ": "+rule+": ") }) {
		t.Errorf("the rule %s does not report the mistake", rule)
	}
	name, got := strings.TrimSpace(rule+" "+what), strings.Join(annotations, "\n")
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, twice := g.got[name]; twice {
		t.Errorf("two cases have the name %q", name)
	}
	g.got[name] = got
	if want := g.sections[name]; got != want && !*update {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// protoFile is the file of the schema of most tests. Its service begins in line 9.
const protoFile = "proto/acme/v1/shop.proto"

// shop returns the schema of most tests, with a service that has a body.
func shop(body string) string {
	return `syntax = "proto3";

package acme.v1;

import "corsrpc/v1/options.proto";

message Empty {}

service Shop {
` + strings.Trim(body, "\n") + "\n}\n"
}
