package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// goCommand is a run of the go command that ends with the context, and removes
// its temporary files then.
func goCommand(ctx context.Context, folder string, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = folder
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 10 * time.Second
	return command
}

// commandError adds what a command wrote about its failure.
func commandError(command *exec.Cmd, err error) error {
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return fmt.Errorf("%s: %w\n%s", command, err, exit.Stderr)
	}
	return fmt.Errorf("%s: %w", command, err)
}

// A binary holds the tests of a package.
type binary struct {
	file      string
	folder    string // absolute, where the tests run
	flags     []string
	temporary string // for their temporary files
}

// buildTests compiles the tests of the package in a folder into dir. overlay is
// a file as the go command takes it, or "". It writes no debugging information,
// which takes a quarter of the time.
func (r *runner) buildTests(ctx context.Context, folder, overlay, dir string) (*binary, error) {
	b := &binary{file: filepath.Join(dir, strings.ReplaceAll(folder, "/", "-")+".test"), folder: filepath.Join(r.root, folder), temporary: dir}
	if folder == intentFolder {
		b.flags = []string{"-rapid.nofailfile", "-rapid.seed=1", "-rapid.checks=300", "-rapid.shrinktime=1ms"}
	}
	command := goCommand(ctx, b.folder, "test", "-c", "-vet=off", "-overlay="+overlay, "-ldflags=-s -w", "-gcflags=-dwarf=false", "-p="+strconv.Itoa(r.buildsAtOnce), "-o="+b.file, ".")
	command.Env = append(command.Environ(), "GOCACHE="+r.cache, "GOTMPDIR="+dir)
	out, err := command.CombinedOutput()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, &buildError{folder, string(bytes.TrimSpace(out))}
	}
	return b, nil
}

// A buildError is what the compiler says of a package's tests.
type buildError struct {
	folder, out string
}

func (e *buildError) Error() string { return e.folder + " does not compile: " + e.out }

// A selection names tests at the top level: all that are in only, if any are,
// and not in skip.
type selection struct {
	only, skip []string
}

func (s selection) flags() []string {
	var flags []string
	if len(s.only) > 0 {
		flags = append(flags, "-test.run=^("+strings.Join(s.only, "|")+")$")
	}
	if len(s.skip) > 0 {
		flags = append(flags, "-test.skip=^("+strings.Join(s.skip, "|")+")$")
	}
	return flags
}

// holds reports whether a test is selected.
func (s selection) holds(name string) bool {
	return (len(s.only) == 0 || slices.Contains(s.only, name)) && !slices.Contains(s.skip, name)
}

// An outcome is how a run of tests ended.
type outcome struct {
	failed   bool
	timedOut bool
	test     string // the first one that failed; "" where the program did not start
	out      string
}

// run runs tests until one fails, no longer than limit.
func (b *binary) run(ctx context.Context, tests selection, limit time.Duration) (outcome, error) {
	hard, cancel := context.WithTimeout(ctx, limit+15*time.Second) // for a program that does not even heed -test.timeout
	defer cancel()
	command := exec.CommandContext(hard, b.file, append(append([]string{"-test.v", "-test.failfast", "-test.timeout=" + limit.String()}, tests.flags()...), b.flags...)...)
	command.Dir, command.WaitDelay = b.folder, 5*time.Second
	command.Env = append(command.Environ(), "TMPDIR="+b.temporary)
	text, err := command.CombinedOutput()
	if ctx.Err() != nil {
		return outcome{}, ctx.Err()
	}
	out := string(text)
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return outcome{}, err
	}
	return outcome{err != nil, hard.Err() != nil || strings.Contains(out, "panic: test timed out after"), firstFailed(out), out}, nil
}

var (
	failedLine  = regexp.MustCompile(`(?m)^\s*--- FAIL: ([^\s/]+)`)
	hangingLine = regexp.MustCompile(`\trunning tests:\n\t+([^\s/]+)`)
	runLine     = regexp.MustCompile(`(?m)^=== (?:RUN|CONT|NAME) +([^\s/]+)`)
	resultLine  = regexp.MustCompile(`(?m)^--- (?:PASS|SKIP): (\S+) \((.*)s\)$`)
)

// firstFailed is the test at the top level that failed first, or that ran when
// the program ended.
func firstFailed(out string) string {
	if m := failedLine.FindStringSubmatch(out); m != nil {
		return m[1]
	}
	if m := hangingLine.FindStringSubmatch(out); m != nil {
		return m[1]
	}
	if all := runLine.FindAllStringSubmatch(out, -1); len(all) > 0 {
		return all[len(all)-1][1]
	}
	return ""
}

// durations are how long the tests at the top level took.
func durations(out string) map[string]time.Duration {
	all := map[string]time.Duration{}
	for _, m := range resultLine.FindAllStringSubmatch(out, -1) {
		seconds, _ := strconv.ParseFloat(m[2], 64)
		all[m[1]] = time.Duration(seconds * float64(time.Second))
	}
	return all
}
