package docs

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const policyTests = "../../examples/policy-tests"

// newPolicyCheckout returns a repository that has the example's policy in its top folder, and a branch
// of origin, main.
func newPolicyCheckout(t *testing.T) (dir, main string) {
	t.Helper()
	dir = t.TempDir()
	gitIn(t, dir, "init", "--quiet")
	if err := os.CopyFS(dir, os.DirFS(policyTests)); err != nil {
		t.Fatal(err)
	}
	commitAll(t, dir)
	main = gitIn(t, dir, "rev-parse", "HEAD")
	gitIn(t, dir, "update-ref", "refs/remotes/origin/main", main)
	return dir, main
}

// bash runs commands in a folder, where program is the command corsrpc. It returns the exit code, and what
// they print.
func bash(t *testing.T, dir, program, commands string, variables ...string) (int, string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", commands)
	command.Dir = dir
	command.Env = append(append(gitEnvironment(), variables...), "PATH="+filepath.Dir(program)+string(filepath.ListSeparator)+os.Getenv("PATH"))
	out, err := command.CombinedOutput()
	if err != nil && command.ProcessState == nil {
		t.Fatal(err)
	}
	return command.ProcessState.ExitCode(), string(out)
}

// changesOfThePolicy are changes of the example's policy, with the commands of the page that fail then.
var changesOfThePolicy = []struct{ name, old, new, fails string }{
	{"nothing", "", "", ""},
	{"a comment", "# A shop.", "# The shop.", ""},
	{"a stricter policy", "allow_headers: [idempotency-key]", "allow_headers: [idempotency-key]\n    max_age: 60s", ""},
	{"a policy that does not load", "[https://shop.example.com]", "[https://shop.example.com/]", "check test diff"},
	{"a finding", "[https://shop.example.com]", "[https://shop.example.com, https://shop.example.com]", "check"},
	{"another shop's cookies", "[https://shop.example.com]", "[https://shop.example.com, https://evil.example]", "test diff"},
	{"every page at the back office", `["${STAFF_PAGE:-https://staff.example.com}"]`, "[https://shop.example.com, https://staff.example.com]", "test diff"},
	{"a header more", "[idempotency-key]", "[idempotency-key, x-new]", "diff"},
	{"the authorization header", "[idempotency-key]", "[idempotency-key, authorization]", "test diff"},
	{"a catalog that is closed", "    allow_origins: [\"*\"]\n    allow_credentials: false\n  - selector: acme.account", "    allow_origins: [https://shop.example.com]\n    allow_credentials: false\n  - selector: acme.account", "test"},
	{"cookies for the catalog", "    allow_origins: [\"*\"]\n    allow_credentials: false\n  - selector: acme.account", "    allow_origins: [https://blog.example]\n  - selector: acme.account", "test diff"},
	{"no page reads the order's number", "expose_headers: [x-order-id]", "hide_headers: [x-order-id]", "test"},
	{"no page for developers", `["http://localhost:*"]`, `["http://127.0.0.1:*"]`, "test"},
	{"no health check", `path: /healthz`, `path: /health`, "test diff"},
}

// TestInCI: the commands of the page, the job of GitLab and the hook fail where they should, and only
// there.
func TestInCI(t *testing.T) {
	t.Parallel()
	program := installed(t)
	commands := map[string]string{
		"check": "corsrpc check --strict --descriptors image.json cors.yaml",
		"test":  "corsrpc test cors_test.yaml",
		"diff":  "corsrpc diff --fail-on wider --descriptors image.json git:origin/main:cors.yaml cors.yaml",
	}
	gitlab, hook := gitlabJob(t), preCommitHook(t)
	for _, change := range changesOfThePolicy {
		t.Run(change.name, func(t *testing.T) {
			t.Parallel()
			dir, main := newPolicyCheckout(t)
			if change.old != "" {
				edit(t, dir, "cors.yaml", change.old, change.new)
			}
			for _, name := range []string{"check", "test", "diff"} {
				code, out := bash(t, dir, program, commands[name])
				if fails := slices.Contains(strings.Fields(change.fails), name); fails != (code != 0) {
					t.Errorf("%s: exit code %d\n%s", commands[name], code, out)
				}
			}
			code, out := bash(t, dir, program, strings.Join(gitlab.Script, "\n"), "CI_MERGE_REQUEST_DIFF_BASE_SHA="+main)
			if (code == 0) != (change.fails == "") {
				t.Errorf("GitLab: exit code %d\n%s", code, out)
			}
			if _, err := os.Stat(filepath.Join(dir, gitlab.Artifacts.Reports.JUnit)); err != nil && !strings.Contains(change.fails, "check") {
				t.Errorf("GitLab: %v", err)
			}
			if code, out := bash(t, dir, program, hook.Entry); (code == 0) == strings.Contains(change.fails, "test") {
				t.Errorf("pre-commit: exit code %d\n%s", code, out)
			}
		})
	}
}

// decode decodes a file of the example; every field has to be known.
func decode(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(policyTests, name))
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

type job struct {
	Image        string
	Rules        []struct{ If string }
	Variables    map[string]string
	BeforeScript []string `yaml:"before_script"`
	Script       []string
	Artifacts    struct {
		When    string
		Reports struct{ JUnit string }
	}
}

// commandPackage is the package that `go install` installs.
const commandPackage = "github.com/corsrpc/corsrpc-go/corsrpc/cmd/corsrpc@latest"

// gitlabJob returns the job of GitLab.
func gitlabJob(t *testing.T) job {
	t.Helper()
	var jobs map[string]job
	decode(t, "ci/gitlab.yaml", &jobs)
	j := jobs["policy"]
	if len(jobs) != 1 || len(j.Script) != 3 || !slices.Equal(j.BeforeScript, []string{"go install " + commandPackage}) || j.Artifacts.When != "always" {
		t.Fatalf("%+v", jobs)
	}
	return j
}

type hook struct {
	ID, Name, Language, Entry, Files string
	AdditionalDependencies           []string `yaml:"additional_dependencies"`
	PassFilenames                    bool     `yaml:"pass_filenames"`
}

// preCommitHook returns the hook of pre-commit, which runs for the files of the example that matter.
func preCommitHook(t *testing.T) hook {
	t.Helper()
	var config struct {
		Repos []struct {
			Repo  string
			Hooks []hook
		}
	}
	decode(t, "ci/pre-commit.yaml", &config)
	h := config.Repos[0].Hooks[0]
	if config.Repos[0].Repo != "local" || h.Language != "golang" || !slices.Equal(h.AdditionalDependencies, []string{commandPackage}) || h.PassFilenames {
		t.Fatalf("%+v", config)
	}
	files := regexp.MustCompile(h.Files)
	for name, want := range map[string]bool{"cors.yaml": true, "cors_test.yaml": true, "image.json": true, "README.md": false, "ci/cors.yaml": false} {
		if files.MatchString(name) != want {
			t.Errorf("pre-commit: %s: %v", name, !want)
		}
	}
	return h
}

// TestGitHubWorkflow: the workflow gives the action inputs that it has, for files that are there.
func TestGitHubWorkflow(t *testing.T) {
	t.Parallel()
	var workflow struct {
		Name string
		On   struct {
			PullRequest struct{ Types []string } `yaml:"pull_request"`
		}
		Permissions map[string]string
		Jobs        map[string]struct {
			RunsOn string `yaml:"runs-on"`
			Steps  []struct {
				Uses string
				With map[string]string
			}
		}
	}
	decode(t, "ci/github.yaml", &workflow)
	steps := workflow.Jobs["policy"].Steps
	last := steps[len(steps)-1]
	if last.Uses != "corsrpc/corsrpc-go/.github/actions/corsrpc@main" || !reflect.DeepEqual(workflow.Permissions, map[string]string{"contents": "read"}) {
		t.Fatalf("%+v", workflow)
	}
	inputs := map[string]string{}
	for name, value := range last.With {
		if _, ok := readAction(t).Inputs[name]; !ok {
			t.Errorf("the action has no input %s", name)
		}
		inputs[name] = value
	}
	if want := "${{ contains(github.event.pull_request.labels.*.name, 'wider') && 'none' || 'wider' }}"; inputs["fail-on"] != want {
		t.Errorf("fail-on is %s", inputs["fail-on"])
	}
	program := installed(t)
	for failOn, want := range map[string]string{"wider": "failure", "none": "success"} {
		dir, main := newPolicyCheckout(t)
		edit(t, dir, "cors.yaml", "[idempotency-key]", "[idempotency-key, x-new]")
		inputs["fail-on"] = failOn
		r := &runner{program: program, workspace: dir, inputs: inputs, base: main}
		r.runAction(t)
		if r.outcomes["check"] != "success" || r.outcomes["test"] != "success" || r.outcomes["diff"] != want {
			t.Errorf("%s: outcomes %v\n%s", failOn, r.outcomes, r.log)
		}
	}
}

// TestPolicyTestsSchema: the schema of the example is that of its .proto files, which follow buf's style.
func TestPolicyTestsSchema(t *testing.T) {
	t.Parallel()
	buf := os.Getenv("BUF")
	if buf == "" {
		t.Fatal("BUF is not the path of the program buf: make unit sets it")
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir+"/proto", os.DirFS(policyTests+"/proto")); err != nil {
		t.Fatal(err)
	}
	built := dir + "/image.json"
	for _, args := range [][]string{{"lint", "proto"}, {"build", "proto", "--exclude-source-info", "-o", built}} {
		command := exec.CommandContext(t.Context(), buf, args...)
		command.Dir = dir
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("buf %q: %v\n%s", args, err, out)
		}
	}
	var images [2]any
	for i, name := range []string{built, policyTests + "/image.json"} {
		text, err := os.ReadFile(name)
		if err == nil {
			err = json.Unmarshal(text, &images[i])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if !reflect.DeepEqual(images[0], images[1]) {
		t.Error("examples/policy-tests/image.json is not up to date: cors_test.yaml has the command that writes it")
	}
}
