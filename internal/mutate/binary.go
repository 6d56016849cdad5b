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

// goCommand returns a run of the go command. When the context ends, the command ends and
// removes its temporary files.
func goCommand(ctx context.Context, folder string, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = folder
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 10 * time.Second
	return command
}

// commandError adds the standard error of a command to its error.
func commandError(command *exec.Cmd, err error) error {
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return fmt.Errorf("%s: %w\n%s", command, err, exit.Stderr)
	}
	return fmt.Errorf("%s: %w", command, err)
}

// A binary is the compiled tests of a package.
type binary struct {
	file      string
	folder    string // the absolute folder in which the tests run
	flags     []string
	temporary string // the folder of their temporary files
}

// buildTests compiles the tests of the package in a folder into dir. overlay is the file for
// -overlay of the go command, or "". The binary has no debugging information, since that
// would take a quarter of the time.
func (r *runner) buildTests(ctx context.Context, folder, overlay, dir string) (*binary, error) {
	b := &binary{file: filepath.Join(dir, strings.ReplaceAll(folder, "/", "-")+".test"), folder: filepath.Join(r.root, folder), temporary: dir}
	if folder == intentFolder {
		b.flags = []string{"-rapid.nofailfile", "-rapid.seed=1", "-rapid.checks=300", "-rapid.shrinktime=1ms"}
	}
	command := goCommand(ctx, b.folder, "test", "-c", "-tags=nginx", "-vet=off", "-overlay="+overlay, "-ldflags=-s -w", "-gcflags=-dwarf=false", "-p="+strconv.Itoa(r.buildsAtOnce), "-o="+b.file, ".")
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

// A buildError says that a package's tests do not compile; out is the compiler's output.
type buildError struct {
	folder, out string
}

func (e *buildError) Error() string { return e.folder + " does not compile: " + e.out }

// A selection selects tests at the top level: those in only, or all if only is empty, except
// those in skip.
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

// holds reports whether the selection contains the test with this name.
func (s selection) holds(name string) bool {
	return (len(s.only) == 0 || slices.Contains(s.only, name)) && !slices.Contains(s.skip, name)
}

// An outcome is the result of a run of tests.
type outcome struct {
	failed   bool
	timedOut bool
	test     string // the first test that failed; "" if the program did not start
	out      string
}

// run runs tests until one fails, no longer than limit.
func (b *binary) run(ctx context.Context, tests selection, limit time.Duration) (outcome, error) {
	hard, cancel := context.WithTimeout(ctx, limit+15*time.Second) // for a program that does not obey -test.timeout
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

// firstFailed returns the first test at the top level that failed, or the one that was running
// when the program ended.
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

// durations returns the durations of the tests at the top level.
func durations(out string) map[string]time.Duration {
	all := map[string]time.Duration{}
	for _, m := range resultLine.FindAllStringSubmatch(out, -1) {
		seconds, _ := strconv.ParseFloat(m[2], 64)
		all[m[1]] = time.Duration(seconds * float64(time.Second))
	}
	return all
}
