package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/e2e/cells"
)

const (
	testFolder = "internal/e2e"
	webFolder  = "internal/e2e/web"
)

// tests are the tests of internal/e2e in which the clients call the servers.
var tests = []string{
	"TestMatrix", "TestPreflights", "TestRecipeTable", // these note their cells
	"TestCancelledStream", "TestChecklist", "TestExplainedCalls", "TestFirstMessageOfAStreamIsReadBeforeTheSecondIsSent",
	"TestFormsNeverReachTheService", "TestMessageOverTheLimit", "TestRollout",
}

// An observation is what the tests show with one set of versions.
type observation struct {
	cells    map[cells.Key]map[string]string
	passed   map[string]bool   // by the test's full name
	failed   map[string]string // the output of the test, by its full name
	problems []problem
}

// A problem is why a set of versions cannot be tried as the pinned one is.
type problem struct{ what, words string }

// observe runs the tests in a copy of tree, with the pinned versions, and with
// the newest ones of the libraries that are given.
func observe(ctx context.Context, tree string, with []library) (observation, error) {
	dir, err := os.MkdirTemp("", "corsrpc-newest-")
	if err != nil {
		return observation{}, err
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, os.DirFS(tree)); err != nil {
		return observation{}, err
	}
	var o observation
	if _, err := output(ctx, filepath.Join(dir, webFolder), "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"); err != nil {
		return o, err
	}
	var install, get []string
	for _, l := range with {
		if l.isModule {
			get = append(get, l.name+"@"+l.newest)
		} else {
			install = append(install, l.name+"@"+l.newest)
		}
	}
	prepare := func(what, folder, command string, args ...string) {
		if _, err := output(ctx, filepath.Join(dir, folder), command, args...); err != nil {
			o.problems = append(o.problems, problem{what, strings.ReplaceAll(err.Error(), dir+"/", "")})
		}
	}
	if len(install) > 0 {
		prepare("npm cannot install the newest clients together", webFolder, "npm", append([]string{"install", "--save-exact", "--no-audit", "--no-fund", "--loglevel=error"}, install...)...)
	}
	if len(get) > 0 {
		prepare("go cannot require the newest servers together", testFolder, "go", append([]string{"get"}, get...)...)
	}
	prepare("the scripts do not compile with the newest clients", webFolder, "npm", "run", "--silent", "check")
	prepare("the tests do not compile with the newest servers", testFolder, "go", "test", "-c", "-o", os.DevNull, ".")
	if err := ctx.Err(); err != nil {
		return o, err
	}
	return o, o.runTests(ctx, dir)
}

// copyTree copies the files of the work tree at root to dir, committed or not, except the files
// that git ignores.
func copyTree(ctx context.Context, root, dir string) error {
	list, err := output(ctx, root, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(list, "\x00") {
		text, err := os.ReadFile(filepath.Join(root, name))
		if name == "" || errors.Is(err, os.ErrNotExist) {
			continue // a deleted file is still in the list
		}
		if err != nil {
			return err
		}
		target := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(target, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// runTests runs the tests in the copy and reads what they noted.
func (o *observation) runTests(ctx context.Context, dir string) error {
	file := filepath.Join(dir, "cells.jsonl")
	cmd := command(ctx, filepath.Join(dir, testFolder), "go", "test", "-json", "-count=1", "-timeout=20m", "-run", "^("+strings.Join(tests, "|")+")$", ".")
	cmd.Env = append(os.Environ(), cells.Variable+"="+file)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	readErr := o.readEvents(out)
	runErr := cmd.Wait() // the tests may fail: that is what is compared
	if err := errors.Join(ctx.Err(), readErr); err != nil {
		return err
	}
	if runErr != nil && len(o.failed) == 0 && len(o.problems) == 0 {
		o.problems = append(o.problems, problem{"the tests did not run to their end", fmt.Sprintf("%v\n%s", runErr, stderr.String())})
	}
	noted, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer noted.Close()
	o.cells, err = cells.Read(noted)
	return err
}

// readEvents reads the events of go test -json.
func (o *observation) readEvents(r io.Reader) error {
	o.passed, o.failed = map[string]bool{}, map[string]string{}
	printed := map[string]string{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e struct{ Action, Test, Output string }
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("%q: %w", lines.Text(), err)
		}
		switch {
		case e.Test == "":
		case e.Action == "output":
			printed[e.Test] += e.Output
		case e.Action == "pass":
			o.passed[e.Test] = true
		case e.Action == "fail":
			o.failed[e.Test] = printed[e.Test]
		}
	}
	return lines.Err()
}

// leaves returns the tests that failed without a subtest that did, sorted.
func (o *observation) leaves() []string {
	var names []string
	for name := range o.failed {
		inner := false
		for other := range o.failed {
			inner = inner || strings.HasPrefix(other, name+"/")
		}
		if !inner {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// command returns a command that is interrupted when the context ends.
func command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	return cmd
}

// output runs a command and returns what it prints, without spaces around. The
// error holds all that it printed.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := command(ctx, dir, name, args...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, strings.TrimSpace(stdout.String()+stderr.String()))
	}
	return strings.TrimSpace(stdout.String()), nil
}
