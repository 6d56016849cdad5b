package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Modes that git gives to files.
const (
	modeFile       = "100644"
	modeExecutable = "100755"
	modeSymlink    = "120000"
	modeSubmodule  = "160000"
)

// A file is a file of a tree: its git mode and its content. The content of a symbolic link is its target.
type file struct {
	mode string
	data []byte
}

// A tree holds files by their slash-separated paths from the root of the repository.
type tree map[string]file

// A repository is a git repository with a work tree.
type repository struct {
	root string // the absolute path of the work tree
}

// openRepository returns the repository that contains dir.
func openRepository(ctx context.Context, dir string) (*repository, error) {
	out, err := (&repository{root: dir}).git(ctx, nil, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	return &repository{root: filepath.FromSlash(strings.TrimSuffix(string(out), "\n"))}, nil
}

// git runs a git command in the work tree and returns its standard output.
func (r *repository) git(ctx context.Context, stdin []byte, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = r.root
	cmd.Stdin = bytes.NewReader(stdin)
	return output(cmd)
}

// line returns the output of a git command that prints one line.
func (r *repository) line(ctx context.Context, args ...string) (string, error) {
	out, err := r.git(ctx, nil, args...)
	return strings.TrimSpace(string(out)), err
}

// output runs a command and returns its standard output. The error of a failed command quotes its standard error.
func output(cmd *exec.Cmd) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(stderr.String() + "\n" + stdout.String())
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, said)
	}
	return stdout.Bytes(), nil
}

// isClean reports whether the work tree has no changes and no untracked files.
func (r *repository) isClean(ctx context.Context) (bool, error) {
	out, err := r.git(ctx, nil, "status", "--porcelain", "--untracked-files=normal")
	return len(out) == 0, err
}

// readCommit returns the files of a commit.
func (r *repository) readCommit(ctx context.Context, commit string) (tree, error) {
	listed, err := r.git(ctx, nil, "ls-tree", "-r", "-z", "--full-tree", "--end-of-options", commit)
	if err != nil {
		return nil, err
	}
	type entry struct{ mode, object, path string }
	var entries []entry
	var wanted bytes.Buffer
	for record := range strings.SplitSeq(string(listed), "\x00") {
		if record == "" {
			continue
		}
		attributes, path, _ := strings.Cut(record, "\t")
		fields := strings.Fields(attributes) // mode, type, object
		if len(fields) != 3 {
			return nil, fmt.Errorf("git ls-tree printed %q", record)
		}
		if fields[0] == modeSubmodule {
			continue
		}
		entries = append(entries, entry{fields[0], fields[2], path})
		wanted.WriteString(fields[2] + "\n")
	}
	contents, err := r.git(ctx, wanted.Bytes(), "cat-file", "--batch")
	if err != nil {
		return nil, err
	}
	files := tree{}
	in := bufio.NewReader(bytes.NewReader(contents))
	for _, e := range entries {
		header, err := in.ReadString('\n') // object, type, size
		if err != nil {
			return nil, err
		}
		fields := strings.Fields(header)
		size, err := strconv.Atoi(fields[len(fields)-1])
		if err != nil {
			return nil, fmt.Errorf("git cat-file printed %q for %s", header, e.path)
		}
		data := make([]byte, size+1) // a line end follows the content
		if _, err := io.ReadFull(in, data); err != nil {
			return nil, err
		}
		files[e.path] = file{e.mode, data[:size]}
	}
	return files, nil
}

// readWorkTree returns the files of the work tree: those that git tracks and those that it does not ignore.
func (r *repository) readWorkTree(ctx context.Context) (tree, error) {
	listed, err := r.git(ctx, nil, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	files := tree{}
	for path := range strings.SplitSeq(string(listed), "\x00") {
		if path == "" {
			continue
		}
		name := filepath.Join(r.root, filepath.FromSlash(path))
		info, err := os.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist): // deleted and still in the index
			continue
		case err != nil:
			return nil, err
		case info.IsDir(): // a submodule
			continue
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(name)
			if err != nil {
				return nil, err
			}
			files[path] = file{modeSymlink, []byte(target)}
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		mode := modeFile
		if info.Mode()&0o100 != 0 {
			mode = modeExecutable
		}
		files[path] = file{mode, data}
	}
	return files, nil
}

// paths returns the paths of the tree in order.
func (t tree) paths() []string {
	paths := make([]string, 0, len(t))
	for p := range t {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	return paths
}

// with returns a copy of the tree in which the file has another content.
func (t tree) with(path string, data []byte) tree {
	copied := maps.Clone(t)
	mode := modeFile
	if before, exists := t[path]; exists {
		mode = before.mode
	}
	copied[path] = file{mode, data}
	return copied
}

// write writes the tree's files under a folder and leaves symbolic links out.
func (t tree) write(dir string) error {
	for path, f := range t {
		if f.mode == modeSymlink {
			continue
		}
		name := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(name, f.data, 0o666); err != nil {
			return err
		}
	}
	return nil
}
