// Mutate breaks the layer on purpose, one line at a time, and shows that the
// tests notice each time. The source is left alone: a fault is an overlay of
// the go command. It prints a line for each fault and fails where one survives.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	only := flag.String("only", "", "try only the faults whose file and name contain this, as file: name")
	unitOnly := flag.Bool("unit", false, "leave out internal/intent, which takes longest")
	jobs := flag.Int("jobs", 2, "how many faults are tried at once")
	flag.Parse()
	root, err := os.Getwd()
	if err != nil {
		fatal(err)
	}
	chosen := slices.DeleteFunc(slices.Clone(faults), func(f fault) bool { return !strings.Contains(f.file+": "+f.name, *only) })
	if err := unbroken(root); err != nil {
		fatal(err)
	}
	results := make([]result, len(chosen))
	var wait sync.WaitGroup
	turn := make(chan struct{}, *jobs)
	for i, f := range chosen {
		wait.Add(1)
		go func() {
			defer wait.Done()
			turn <- struct{}{}
			defer func() { <-turn }()
			results[i] = f.try(root, *unitOnly)
			fmt.Println(results[i].line(f))
		}()
	}
	wait.Wait()
	unit, intent, survived := 0, 0, 0
	for _, r := range results {
		switch {
		case r.err != nil:
			survived++
		case r.unit == "" && r.intent == "":
			survived++
		}
		if r.unit != "" {
			unit++
		}
		if r.intent != "" {
			intent++
		}
	}
	fmt.Printf("%d faults: %d noticed by unit tests, %d by the properties of internal/intent, %d by neither\n", len(chosen), unit, intent, survived)
	if survived > 0 {
		os.Exit(1)
	}
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "mutate:", err)
	os.Exit(1)
}

// result is which tests noticed a fault: the first one's name, "" for none.
type result struct {
	unit, intent string
	took         time.Duration
	err          error
}

func (r result) line(f fault) string {
	verdict := "noticed "
	if r.unit == "" && r.intent == "" {
		verdict = "SURVIVED"
	}
	if r.err != nil {
		return fmt.Sprintf("NOT MADE %s: %s: %v", path.Base(f.file), f.name, r.err)
	}
	return fmt.Sprintf("%s %4.0fs  %s: %s  [unit: %s; intent: %s]", verdict, r.took.Seconds(), path.Base(f.file), f.name, orNone(r.unit), orNone(r.intent))
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// apply returns the source with the fault in it.
func (f fault) apply(source string) (string, error) {
	switch n := strings.Count(source, f.old); {
	case n != 1:
		return "", fmt.Errorf("%s holds %q %d times, not once", f.file, f.old, n)
	case f.old == f.new:
		return "", fmt.Errorf("%s: %q changes nothing", f.file, f.name)
	}
	return strings.Replace(source, f.old, f.new, 1), nil
}

// try runs the tests with the fault.
func (f fault) try(root string, unitOnly bool) (r result) {
	start := time.Now()
	defer func() { r.took = time.Since(start) }()
	source, err := os.ReadFile(filepath.Join(root, f.file))
	if err != nil {
		return result{err: err}
	}
	broken, err := f.apply(string(source))
	if err != nil {
		return result{err: err}
	}
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return result{err: err}
	}
	defer os.RemoveAll(dir)
	replaced, overlay := filepath.Join(dir, "broken.go"), filepath.Join(dir, "overlay.json")
	text, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(root, f.file): replaced}})
	if err == nil {
		err = os.WriteFile(overlay, text, 0o600)
	}
	if err == nil {
		err = os.WriteFile(replaced, []byte(broken), 0o600)
	}
	if err != nil {
		return result{err: err}
	}
	if strings.HasPrefix(f.file, metricsModule+"/") { // which no other tests see
		r.unit, r.err = test(filepath.Join(root, metricsModule), overlay, "./...")
		return r
	}
	packages := []string{"./" + path.Dir(f.file)}
	if path.Dir(f.file) != "corsrpc" && !strings.HasPrefix(f.file, "corsrpc/corstest") {
		packages = append(packages, "./corsrpc")
	}
	if r.unit, r.err = test(root, overlay, packages...); r.err != nil || unitOnly {
		return r
	}
	r.intent, r.err = testIntent(root, overlay)
	return r
}

// metricsModule is a module of its own.
const metricsModule = "corsrpc/corsotel"

// unbroken fails where the tests do without a fault: they would notice any.
func unbroken(root string) error {
	unit, err := test(root, "", "./corsrpc/...", "./internal/...")
	if err != nil {
		return err
	}
	metrics, err := test(filepath.Join(root, metricsModule), "", "./...")
	if err != nil {
		return err
	}
	intent, err := testIntent(root, "")
	if failing := unit + metrics + intent; err == nil && failing != "" {
		err = fmt.Errorf("%s fails without any fault: mend it first", failing)
	}
	return err
}

// testIntent runs the properties.
func testIntent(root, overlay string) (string, error) {
	return test(filepath.Join(root, "internal/intent"), overlay, ".", "-rapid.nofailfile", "-rapid.seed=1", "-rapid.checks=300", "-rapid.shrinktime=1ms")
}

// longest is how long the tests of a fault may take, the compiler included.
const longest = 5 * time.Minute

var failed = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

// test runs tests with an overlay, and returns the first that fails.
func test(dir, overlay string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	command := exec.CommandContext(ctx, "go", append([]string{"test", "-overlay=" + overlay, "-vet=off", "-failfast", "-timeout=2m"}, args...)...)
	command.Dir = dir
	out, err := command.CombinedOutput()
	switch {
	case err == nil:
		return "", nil
	case ctx.Err() != nil:
		return "", fmt.Errorf("the tests take longer than %s, which says nothing of the fault: %s", longest, out)
	case strings.Contains(string(out), "[build failed]") || strings.Contains(string(out), "[setup failed]"):
		return "", fmt.Errorf("does not compile: %s", out)
	}
	if m := failed.FindStringSubmatch(string(out)); m != nil {
		return m[1], nil
	}
	return "a panic or a timeout", nil
}
