package input

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// runGit runs git in a folder, and returns what it prints.
func runGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	command := exec.Command("git", append([]string{"-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always"}, args...)...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// newRepository returns a repository with two commits: v1, and main.
func newRepository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	runGit(t, dir, "init", "--quiet", "--initial-branch=main")
	writeFile(t, dir+"/cors.yaml", "V1")
	writeFile(t, dir+"/sub/cors.yaml", "SUB")
	writeFile(t, dir+"/sub/-x.yaml", "DASH")
	writeFile(t, dir+"/sub/*.yaml", "STAR")
	writeFile(t, dir+"/lfs.yaml", "version https://git-lfs.github.com/spec/v1\n")
	if err := os.Symlink("cors.yaml", dir+"/link.yaml"); err != nil {
		t.Fatal(err)
	}
	runGit(t, dir, "add", ".")
	runGit(t, dir, "commit", "--quiet", "-m", "one")
	runGit(t, dir, "tag", "-a", "-m", "first", "v1")
	writeFile(t, dir+"/cors.yaml", "V2")
	runGit(t, dir, "commit", "--quiet", "-a", "-m", "two")
	runGit(t, dir, "branch", "feature/x")
	return dir
}

// TestReadGit: a row has a name that is read in the folder sub of a repository, and the text of the file
// or the error that results.
func TestReadGit(t *testing.T) { //nolint:paralleltest // it changes the current folder
	dir := newRepository(t)
	head := strings.TrimSpace(runGit(t, dir, "rev-parse", "HEAD"))
	writeFile(t, dir+"/cors.yaml", "WORK TREE")
	t.Chdir(dir + "/sub")
	for name, want := range map[string]string{
		"git:main:cors.yaml":              "SUB",
		"git:main:./cors.yaml":            "SUB",
		"git:main:../cors.yaml":           "V2",
		"git:main:/cors.yaml":             "V2",
		"git:main:/sub/../cors.yaml":      "V2",
		"git:HEAD:/cors.yaml":             "V2",
		"git:@:/cors.yaml":                "V2",
		"git:HEAD~1:/cors.yaml":           "V1",
		"git:HEAD^:/cors.yaml":            "V1",
		"git:v1:/cors.yaml":               "V1",
		"git:feature/x:/cors.yaml":        "V2",
		"git:" + head + ":/cors.yaml":     "V2",
		"git:" + head[:9] + ":/cors.yaml": "V2",
		"git:main@{0}:/cors.yaml":         "V2",
		"git:main:-x.yaml":                "DASH",
		"git:main:*.yaml":                 "STAR",
		"git:main:?ors.yaml":              "error: git:main:/sub/?ors.yaml does not exist: the commit has no file sub/?ors.yaml",
		"git:main:none.yaml":              "error: git:main:/sub/none.yaml does not exist: the commit has no file sub/none.yaml; a path that does not begin with / is relative to the current folder",
		"git:main:/sub":                   "error: git:main:/sub is a folder",
		"git:main:.":                      "error: git:main:/sub is a folder",
		"git:main:/":                      "error: git:main:/ is a folder",
		"git:main:..":                     "error: git:main:.. is a folder",
		"git:main:../../x":                "error: ../x is outside of the git repository",
		"git:main:/link.yaml":             "error: git:main:/link.yaml is a symbolic link",
		"git:main:/lfs.yaml":              "error: git:main:/lfs.yaml is a pointer of Git LFS",
		"git:none:cors.yaml":              "error: the git repository has no commit none: fetch it",
		"git:v1^{tree}:cors.yaml":         "error: git: error: v1^{tree}^{commit}: expected commit type",
		"git:main..HEAD:cors.yaml":        "error: ",
		"git:main@{99999}:cors.yaml":      "error: ",
		"git:--help:cors.yaml":            "error: \"git:--help:cors.yaml\" is not of the form git:REV:PATH",
		"git:-C/tmp:cors.yaml":            "error: \"git:-C/tmp:cors.yaml\" is not of the form git:REV:PATH",
		"git:main":                        "error: \"git:main\" is not of the form",
		"git::cors.yaml":                  "error: \"git::cors.yaml\" is not of the form",
		"git:main:":                       "error: \"git:main:\" is not of the form",
		"git:main:a\nb":                   "error: \"git:main:a\\nb\" is not of the form",
		"git:$(touch ran):cors.yaml":      "error: the git repository has no commit $(touch ran)",
		"git:main:$(touch ran)":           "error: git:main:/sub/$(touch ran) does not exist",
	} {
		shown, text, err := Read(t.Context(), name, nil)
		got := string(text)
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != want && (!strings.HasPrefix(want, "error: ") || !strings.HasPrefix(got, want)) || shown != name {
			t.Errorf("%q\ngot  %s\nwant %s", name, got, want)
		}
	}
	if found, _ := filepath.Glob("ran*"); len(found) > 0 {
		t.Error("a name was run")
	}
}

// TestReadGitInClones: in a clone as CI makes it, the error says how to get the commit.
func TestReadGitInClones(t *testing.T) { //nolint:paralleltest // it changes the current folder
	origin := newRepository(t)
	runGit(t, origin, "branch", "release")
	clones := t.TempDir()
	runGit(t, clones, "clone", "--quiet", "file://"+origin, "whole")
	runGit(t, clones, "clone", "--quiet", "--depth=1", "file://"+origin, "shallow")
	runGit(t, clones, "clone", "--quiet", "--bare", "file://"+origin, "bare")
	for name, want := range map[string]string{
		"whole git:release:cors.yaml":        "error: the git repository has no commit release, but it has origin/release: write git:origin/release:PATH",
		"whole git:origin/release:cors.yaml": "V2",
		"shallow git:release:cors.yaml":      "error: the git repository has no commit release, since it is a shallow clone: clone the whole history (in GitHub Actions: actions/checkout with fetch-depth: 0; in GitLab: GIT_DEPTH: 0), or run git fetch --depth=1 origin release and write git:FETCH_HEAD:PATH",
		"shallow git:HEAD~1:cors.yaml":       "error: the git repository has no commit HEAD~1, since it is a shallow clone: clone the whole history (in GitHub Actions: actions/checkout with fetch-depth: 0; in GitLab: GIT_DEPTH: 0)$",
		"shallow git:main:cors.yaml":         "V2",
		"bare git:release:cors.yaml":         "V2",
		". git:main:cors.yaml":               "error: the current folder is not in a git repository",
	} {
		folder, policy, _ := strings.Cut(name, " ")
		t.Chdir(filepath.Join(clones, folder))
		_, text, err := Read(t.Context(), policy, nil)
		got := string(text)
		if err != nil {
			got = "error: " + err.Error() + "$"
		}
		if got != want && (!strings.HasPrefix(want, "error: ") || !strings.HasPrefix(got, want)) {
			t.Errorf("%q\ngot  %s\nwant %s", name, got, want)
		}
	}
	t.Setenv("PATH", t.TempDir())
	if _, _, err := Read(t.Context(), "git:main:cors.yaml", nil); err == nil || !strings.HasPrefix(err.Error(), "git is not installed") {
		t.Errorf("without git: %v", err)
	}
}
