package input

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// readGit returns a file of a commit, by a name git:REV:PATH. A relative PATH is relative to the
// current folder.
func readGit(ctx context.Context, name string) ([]byte, error) {
	rev, path, ok := strings.Cut(strings.TrimPrefix(name, "git:"), ":")
	if !ok || rev == "" || path == "" || strings.HasPrefix(rev, "-") {
		return nil, fmt.Errorf("%q is not of the form git:REV:PATH, such as git:main:cors.yaml", name)
	}
	if !strings.HasPrefix(path, "/") {
		path = "./" + path
	}
	command := exec.CommandContext(ctx, "git", "cat-file", "blob", rev+":"+strings.TrimPrefix(path, "/"))
	var problem bytes.Buffer
	command.Stderr = &problem
	text, err := command.Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("git is not installed, and " + name + " is a file in a commit")
	case err != nil:
		return nil, fmt.Errorf("git has no %s: %s", name, strings.TrimSpace(problem.String()))
	}
	return text, nil
}
