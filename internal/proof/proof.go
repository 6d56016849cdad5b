// Package proof says on which commit and on which machine a command ran, for
// the summaries of commands that are too slow for every change.
package proof

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"runtime"
	"slices"
	"strings"
)

// A Commit is the state of the repository.
type Commit struct {
	Hash    string // abbreviated
	Subject string
	Changed []string // files that differ from the commit, sorted
}

// ReadCommit returns the state of the repository that holds dir. The patterns,
// as in path.Match, name the files whose changes do not count: those that the
// command writes.
func ReadCommit(ctx context.Context, dir string, except ...string) (Commit, error) {
	head, err := git(ctx, dir, "log", "-1", "--format=%h %s")
	if err != nil {
		return Commit{}, err
	}
	var c Commit
	c.Hash, c.Subject, _ = strings.Cut(strings.TrimSpace(head), " ")
	status, err := git(ctx, dir, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")
	if err != nil {
		return Commit{}, err
	}
	for entry := range strings.SplitSeq(status, "\x00") {
		if len(entry) <= 3 { // two letters and a space before each name
			continue
		}
		name := entry[3:]
		written := func(pattern string) bool {
			matched, _ := path.Match(pattern, name)
			return matched
		}
		if !slices.ContainsFunc(except, written) {
			c.Changed = append(c.Changed, name)
		}
	}
	slices.Sort(c.Changed)
	return c, nil
}

// String describes the commit in one line.
func (c Commit) String() string {
	text := fmt.Sprintf("commit %s (%s)", c.Hash, c.Subject)
	switch n := len(c.Changed); {
	case n == 1:
		return text + ", with uncommitted changes in " + c.Changed[0]
	case n > 1:
		return fmt.Sprintf("%s, with uncommitted changes in %d files", text, n)
	}
	return text
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}

// Machine describes the machine in one line: operating system, architecture,
// processors, and the Go version of the program that asks.
func Machine() string {
	parts := []string{runtime.GOOS + "/" + runtime.GOARCH, fmt.Sprintf("%d processors", runtime.NumCPU())}
	if release := value("/etc/os-release", "PRETTY_NAME", "="); release != "" {
		parts = slices.Insert(parts, 0, release)
	}
	if model := value("/proc/cpuinfo", "model name", ":"); model != "" {
		parts = append(parts, model)
	}
	return strings.Join(append(parts, runtime.Version()), ", ")
}

// value returns the first value of a key in a file of lines, empty if there is
// none.
func value(file, key, separator string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, v, ok := strings.Cut(lines.Text(), separator); ok && strings.TrimSpace(name) == key {
			return strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	return ""
}
