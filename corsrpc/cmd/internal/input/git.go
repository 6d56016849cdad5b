package input

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// readGit returns a file of a commit, by a name git:REV:PATH. PATH is relative to the current folder, or
// to the top of the repository if it begins with a slash.
func readGit(ctx context.Context, name string) ([]byte, error) {
	rev, file, ok := strings.Cut(strings.TrimPrefix(name, "git:"), ":")
	if !ok || rev == "" || file == "" || strings.HasPrefix(rev, "-") || strings.ContainsAny(name, "\x00\n") {
		return nil, fmt.Errorf("\"%s\" is not of the form git:REV:PATH, such as git:main:cors.yaml", safetext.Sample(name))
	}
	commit, err := findCommit(ctx, rev)
	if err != nil {
		return nil, err
	}
	file, err = fromTop(ctx, file)
	if err != nil {
		return nil, err
	}
	if file == "" {
		return nil, fmt.Errorf("%s is a folder: name a policy file in it", safetext.Sample(name))
	}
	entry, err := git(ctx, "--literal-pathspecs", "ls-tree", "-z", "--long", "--full-tree", commit, "--", file)
	if err != nil {
		return nil, err
	}
	blob, err := parseEntry(rev, file, entry)
	if err != nil {
		return nil, err
	}
	text, err := git(ctx, "cat-file", "blob", blob)
	return []byte(text), err
}

// findCommit returns the object name of the commit that rev names. It is hexadecimal, so commands that
// get it cannot take it for an option.
func findCommit(ctx context.Context, rev string) (string, error) {
	commit, err := git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	var failed *gitError
	if errors.As(err, &failed) && failed.message == "" {
		return "", unknownRevision(ctx, rev)
	}
	return strings.TrimSpace(commit), err
}

// unknownRevision says why there is not a commit with the name rev.
func unknownRevision(ctx context.Context, rev string) error {
	shown := safetext.Sample(rev)
	if _, err := git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", "refs/remotes/origin/"+rev+"^{commit}"); err == nil {
		return fmt.Errorf("the git repository has no commit %s, but it has origin/%[1]s: write git:origin/%[1]s:PATH", shown)
	}
	if shallow, err := git(ctx, "rev-parse", "--is-shallow-repository"); err == nil && strings.TrimSpace(shallow) == "true" {
		whole := "clone the whole history (in GitHub Actions: actions/checkout with fetch-depth: 0; in GitLab: GIT_DEPTH: 0)"
		if strings.ContainsAny(rev, "~^@: ") || rev == "HEAD" { // not a name that another repository knows
			return fmt.Errorf("the git repository has no commit %s, since it is a shallow clone: %s", shown, whole)
		}
		return fmt.Errorf("the git repository has no commit %s, since it is a shallow clone: %s, or run git fetch --depth=1 origin %[1]s and write git:FETCH_HEAD:PATH", shown, whole)
	}
	return fmt.Errorf("the git repository has no commit %s: fetch it, or write the name of a branch, a tag or a commit that git log knows", shown)
}

// fromTop returns the path of a file from the top of the repository.
func fromTop(ctx context.Context, file string) (string, error) {
	file = filepath.ToSlash(file)
	if strings.HasPrefix(file, "/") {
		return path.Clean(file)[1:], nil
	}
	folder, err := git(ctx, "rev-parse", "--show-prefix")
	if err != nil {
		return "", err
	}
	file = path.Join(strings.TrimSuffix(folder, "\n"), file)
	switch {
	case file == ".":
		return "", nil
	case file == ".." || strings.HasPrefix(file, "../"):
		return "", fmt.Errorf("%s is outside of the git repository; a path that begins with / is relative to its top", safetext.Sample(file))
	}
	return file, nil
}

// parseEntry returns the object name of a file, by what git ls-tree says about it.
func parseEntry(rev, file, entry string) (blob string, err error) {
	info, name, _ := strings.Cut(strings.TrimSuffix(entry, "\x00"), "\t")
	fields := strings.Fields(info) // mode, type, object name, size
	where := fmt.Sprintf("git:%s:/%s", safetext.Sample(rev), safetext.Sample(file))
	switch {
	case len(fields) == 4 && fields[1] == "tree":
		return "", fmt.Errorf("%s is a folder: name a policy file in it", where)
	case len(fields) != 4 || name != file:
		return "", fmt.Errorf("%s does not exist: the commit has no file %s; a path that does not begin with / is relative to the current folder", where, safetext.Sample(file))
	case fields[1] != "blob":
		return "", fmt.Errorf("%s is a submodule: name a policy file of this repository", where)
	case fields[0] == "120000":
		return "", fmt.Errorf("%s is a symbolic link: name the file that it leads to", where)
	}
	size, err := strconv.ParseInt(fields[3], 10, 64)
	if err != nil || size > maxInputBytes {
		return "", tooLargeFor(where, "policy")
	}
	return fields[2], nil
}

// gitError is an error of git with what it wrote.
type gitError struct{ message string }

func (e *gitError) Error() string { return "git: " + safetext.Sample(e.message) }

// git runs a git command and returns what it prints.
func git(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, "git", append([]string{"--no-pager"}, args...)...)
	command.Env = append(os.Environ(), "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0")
	var problem bytes.Buffer
	command.Stderr = &problem
	text, err := command.Output()
	var exit *exec.ExitError
	message := strings.TrimSpace(problem.String())
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", errors.New("git is not installed, and git:REV:PATH is a file of a commit")
	case strings.Contains(message, "not a git repository"):
		return "", errors.New("the current folder is not in a git repository, and git:REV:PATH is a file of a commit")
	case strings.Contains(message, "dubious ownership"):
		return "", errors.New("git does not read the repository, since it belongs to another user: run git config --global --add safe.directory \"$PWD\" in its top folder")
	case errors.As(err, &exit):
		return "", &gitError{strings.TrimPrefix(message, "fatal: ")}
	case err != nil:
		return "", fmt.Errorf("git: %w", err)
	}
	return string(text), nil
}
