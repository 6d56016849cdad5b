package docs

import (
	"bytes"
	"encoding/xml"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// action is a composite action of GitHub, as far as ours uses the format.
type action struct {
	Name, Description, Author string
	Inputs                    map[string]struct{ Description, Default string }
	Outputs                   map[string]struct{ Description, Value string }
	Runs                      struct {
		Using string
		Steps []actionStep
	}
}

type actionStep struct {
	ID, Name, If, Shell, Run string
	Env                      map[string]string
}

const actionFolder = "../../.github/actions/corsrpc"

func readAction(t *testing.T) action {
	t.Helper()
	text, err := os.ReadFile(actionFolder + "/action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var a action
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a
}

// TestActionTakesInputsAsVariables: no input is a part of a script, where bash would run it.
func TestActionTakesInputsAsVariables(t *testing.T) {
	t.Parallel()
	a := readAction(t)
	for _, s := range a.Runs.Steps {
		if strings.Contains(s.Run, "${{") || s.Shell != "bash" {
			t.Errorf("step %s runs %q by %s", s.ID, s.Run, s.Shell)
		}
	}
	if a.Runs.Using != "composite" || len(a.Runs.Steps) != 4 {
		t.Errorf("%+v", a.Runs)
	}
}

// runner runs the action as GitHub's runner does.
type runner struct {
	program   string            // the program of the first step; if it is empty, the step runs
	workspace string            // the folder of the checkout
	inputs    map[string]string // those of the workflow
	base      string            // github.event.pull_request.base.sha; empty if it is not a pull request

	outcomes map[string]string // success, failure or skipped, by step
	outputs  map[string]string // by step.name
	log      string
	summary  string
}

// runAction runs all steps of the action. Every step has variables of its own, apart from what the
// runner sets.
func (r *runner) runAction(t *testing.T) {
	t.Helper()
	a := readAction(t)
	folder, err := filepath.Abs(actionFolder)
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	if err := os.Mkdir(temp+"/corsrpc", 0o700); err != nil {
		t.Fatal(err)
	}
	r.outcomes, r.outputs = map[string]string{}, map[string]string{}
	failed := false
	for _, s := range a.Runs.Steps {
		if s.ID == "install" && r.program != "" { // it takes long
			r.outcomes[s.ID], r.outputs["install.corsrpc"] = "success", r.program
			continue
		}
		switch s.If {
		case "":
			if failed {
				r.outcomes[s.ID] = "skipped"
				continue
			}
		case "${{ !cancelled() && steps.install.outcome == 'success' }}":
			if r.outcomes["install"] != "success" {
				r.outcomes[s.ID] = "skipped"
				continue
			}
		default:
			t.Fatalf("the test does not know the condition %q", s.If)
		}
		command := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", s.Run)
		command.Dir = r.workspace
		command.Env = append(gitEnvironment(), "GITHUB_ACTIONS=true", "GITHUB_ACTION_PATH="+folder, "GITHUB_WORKSPACE="+r.workspace, "RUNNER_TEMP="+temp,
			"GITHUB_OUTPUT="+temp+"/output", "GITHUB_STEP_SUMMARY="+temp+"/summary", "GITHUB_ENV="+temp+"/env", "GOFLAGS=-mod=vendor", "GOWORK="+temp+"/none")
		for name, value := range s.Env {
			command.Env = append(command.Env, name+"="+r.expand(t, a, value))
		}
		out, err := command.CombinedOutput()
		r.log += string(out)
		r.outcomes[s.ID] = "success"
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			r.outcomes[s.ID], failed = "failure", true
		} else if err != nil {
			t.Fatal(err)
		}
		r.readOutputs(t, s.ID, temp+"/output")
	}
	text, err := os.ReadFile(temp + "/summary")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	r.summary = string(text)
}

// installed returns the path of the program that the first step of the action builds.
func installed(t *testing.T) string {
	t.Helper()
	r := &runner{workspace: t.TempDir(), inputs: map[string]string{"policy": "none.yaml"}}
	r.runAction(t)
	if r.outcomes["install"] != "success" {
		t.Fatalf("outcomes %v\n%s", r.outcomes, r.log)
	}
	return r.outputs["install.corsrpc"]
}

// gitEnvironment returns the variables of this process, with a git that has no settings of its user.
func gitEnvironment() []string {
	return append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=T", "GIT_AUTHOR_EMAIL=t@example.com", "GIT_COMMITTER_NAME=T", "GIT_COMMITTER_EMAIL=t@example.com")
}

// readOutputs adds the outputs that a step has written.
func (r *runner) readOutputs(t *testing.T, step, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !ok {
			t.Errorf("step %s: the output %q", step, line)
		}
		r.outputs[step+"."+name] = value
	}
	_ = os.Remove(file)
}

var expressionRE = regexp.MustCompile(`\$\{\{ (.*?) \}\}`)

// expand replaces the expressions in the value of a variable.
func (r *runner) expand(t *testing.T, a action, value string) string {
	t.Helper()
	return expressionRE.ReplaceAllStringFunc(value, func(whole string) string {
		for name := range strings.SplitSeq(expressionRE.FindStringSubmatch(whole)[1], " || ") {
			value := ""
			words := strings.Split(name, ".")
			switch {
			case words[0] == "inputs" && len(words) == 2:
				input, declared := a.Inputs[words[1]]
				if !declared {
					t.Fatalf("the input %s is not declared", words[1])
				}
				value = input.Default
				if given, ok := r.inputs[words[1]]; ok {
					value = given
				}
			case words[0] == "steps" && len(words) == 4 && words[2] == "outputs":
				value = r.outputs[words[1]+"."+words[3]]
			case name == "github.event.pull_request.base.sha":
				value = r.base
			default:
				t.Fatalf("the test does not know the expression %s", whole)
			}
			if value != "" {
				return value
			}
		}
		return ""
	})
}

// gitIn runs git in a folder, and returns what it prints.
func gitIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", args...)
	command.Dir, command.Env = dir, gitEnvironment()
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// newCheckout returns a repository on the branch change of main, which has the example's policy in the
// folder policies, and the commit of main.
func newCheckout(t *testing.T) (dir, main string) {
	t.Helper()
	dir = t.TempDir()
	gitIn(t, dir, "init", "--quiet", "--initial-branch=main")
	if err := os.CopyFS(dir+"/policies", os.DirFS("../../examples/policy-tests")); err != nil {
		t.Fatal(err)
	}
	commitAll(t, dir)
	main = gitIn(t, dir, "rev-parse", "HEAD")
	gitIn(t, dir, "remote", "add", "origin", dir)
	gitIn(t, dir, "checkout", "--quiet", "-b", "change")
	return dir, main
}

func commitAll(t *testing.T, dir string) {
	t.Helper()
	gitIn(t, dir, "add", "--all")
	gitIn(t, dir, "commit", "--quiet", "--allow-empty", "-m", "change")
}

// edit replaces a text in a file of a checkout; an empty old text stands for the file as a whole.
func edit(t *testing.T, dir, name, old, replacement string) {
	t.Helper()
	file := filepath.Join(dir, name)
	text, err := os.ReadFile(file)
	if err != nil && old != "" {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), old, replacement, 1)
	if old == "" {
		changed = replacement
	} else if changed == string(text) {
		t.Fatalf("%s does not contain %q", name, old)
	}
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

// usualInputs are those of the guide, for the policy of a checkout.
func usualInputs(more ...string) map[string]string {
	inputs := map[string]string{"policy": "policies/cors.yaml", "tests": "policies/cors_test.yaml", "descriptors": "policies/image.json"}
	for i := 0; i < len(more); i += 2 {
		inputs[more[i]] = more[i+1]
	}
	return inputs
}

// TestAction runs the action's steps with the program that its first step builds.
func TestAction(t *testing.T) {
	t.Parallel()
	program := installed(t)
	t.Run("pull requests", func(t *testing.T) { testPullRequests(t, program) })
	t.Run("JUnit", func(t *testing.T) { testJUnit(t, program) })
	t.Run("bases", func(t *testing.T) { testBases(t, program) })
	t.Run("a quoted name", func(t *testing.T) { testQuotedName(t, program) })
	t.Run("hostile inputs", func(t *testing.T) { testHostileInputs(t, program) })
}

// testPullRequests: each row is a pull request: what it changes in the policy, the inputs, and the outcome of
// each step.
func testPullRequests(t *testing.T, program string) {
	t.Helper()
	const policy, order = "policies/cors.yaml", "allow_headers: [idempotency-key]"
	for name, test := range map[string]struct {
		old, new          string
		inputs            map[string]string
		check, test, diff string
		verdict           string
		log               string // a part of the log
	}{
		"a comment":                   {"# A shop.", "# The shop.", usualInputs(), "success", "success", "success", "same", ""},
		"a header more":               {order, "allow_headers: [idempotency-key, x-new]", usualInputs(), "success", "success", "failure", "wider", "::warning file=policies/cors.yaml,line=11,col=38,"},
		"wider, and accepted":         {order, "allow_headers: [idempotency-key, x-new]", usualInputs("fail-on", "none"), "success", "success", "success", "wider", "::warning file=policies/cors.yaml,"},
		"a header less":               {order, "max_age: 7200s", usualInputs("tests", ""), "success", "success", "success", "stricter", "The input tests is empty"},
		"any difference":              {order, "max_age: 7200s", usualInputs("tests", "", "fail-on", "any"), "success", "success", "failure", "stricter", ""},
		"a guarantee":                 {"[https://shop.example.com]", "[https://shop.example.com, https://evil.example]", usualInputs("fail-on", "none"), "success", "failure", "success", "wider", "::error file=policies/cors_test.yaml,line=55,"},
		"a policy that does not load": {"allow_origins: [https://shop.example.com]", "allow_origins: [https://shop.example.com/]", usualInputs(), "failure", "failure", "failure", "", "::error file=policies/cors.yaml,line=4,"},
		"a finding":                   {"[https://shop.example.com]", "[https://shop.example.com, https://shop.example.com]", usualInputs("strict", "true"), "failure", "success", "success", "same", "title=DUPLICATE_VALUE"},
		"a finding, not strict":       {"[https://shop.example.com]", "[https://shop.example.com, https://shop.example.com]", usualInputs(), "success", "success", "success", "same", ""},
		"a mistyped strict":           {"# A shop.", "# The shop.", usualInputs("strict", "yes"), "failure", "success", "success", "same", "the input strict is neither true nor false"},
		"a mistyped fail-on":          {"# A shop.", "# The shop.", usualInputs("fail-on", "more"), "success", "success", "failure", "", "the input fail-on is not one of wider, any and none"},
		"a missing file":              {"# A shop.", "# The shop.", usualInputs("descriptors", "policies/none.json"), "failure", "failure", "failure", "", "policies/none.json does not exist"},
		"several files":               {"# A shop.", "# The shop.", usualInputs("tests", "\n  policies/cors_test.yaml\n\n policies/cors_test.yaml \n", "descriptors", "policies/image.json\r\npolicies/image.json"), "success", "success", "success", "same", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, main := newCheckout(t)
			edit(t, dir, policy, test.old, test.new)
			commitAll(t, dir)
			r := &runner{program: program, workspace: dir, inputs: test.inputs, base: main}
			r.runAction(t)
			want := [4]string{"success", test.check, test.test, test.diff}
			if got := [4]string{r.outcomes["install"], r.outcomes["check"], r.outcomes["test"], r.outcomes["diff"]}; got != want {
				t.Errorf("outcomes %q, want %q", got, want)
			}
			if verdict := r.outputs["diff.verdict"]; test.verdict != "" && verdict != test.verdict {
				t.Errorf("verdict %q, want %q", verdict, test.verdict)
			}
			if test.verdict != "" && !strings.Contains(r.summary, "\n    "+test.verdict+": ") {
				t.Errorf("the summary does not have the verdict: %s", r.summary)
			}
			if !strings.Contains(r.log, test.log) {
				t.Errorf("the log does not contain %q", test.log)
			}
			if t.Failed() {
				t.Log(r.log)
			}
		})
	}
}

// testJUnit: the results are a file that other programs read, of failures too.
func testJUnit(t *testing.T, program string) {
	t.Helper()
	dir, _ := newCheckout(t)
	edit(t, dir, "policies/cors.yaml", "[https://shop.example.com]", "[https://shop.example.com, https://evil.example]")
	r := &runner{program: program, workspace: dir, inputs: usualInputs("junit", "out/results/corsrpc.xml")}
	r.runAction(t)
	text, err := os.ReadFile(dir + "/out/results/corsrpc.xml")
	if err != nil {
		t.Fatal(err)
	}
	var suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
	}
	if err := xml.Unmarshal(text, &suites); err != nil || suites.Tests != 12 || suites.Failures != 1 {
		t.Errorf("%v, %+v: %s", err, suites, text)
	}
	if r.outcomes["test"] != "failure" || r.outcomes["diff"] != "success" || r.summary != "" {
		t.Errorf("a push: outcomes %v, summary %q", r.outcomes, r.summary)
	}
}

// testBases: in each kind of checkout, the policy is compared with the commit that the
// branch left.
func testBases(t *testing.T, program string) {
	t.Helper()
	const wider = "allow_headers: [idempotency-key, x-new]"
	origin, _ := newCheckout(t)
	edit(t, origin, "policies/cors.yaml", "allow_headers: [idempotency-key]", wider)
	commitAll(t, origin)
	gitIn(t, origin, "checkout", "--quiet", "main")
	edit(t, origin, "policies/cors.yaml", "expose_headers: [x-order-id]", "allow_credentials: false") // main gets stricter
	commitAll(t, origin)
	main := gitIn(t, origin, "rev-parse", "main")
	gitIn(t, origin, "checkout", "--quiet", "-b", "merged")
	gitIn(t, origin, "checkout", "--quiet", "-b", "unchanged", "main~1")
	for name, test := range map[string]struct {
		clone   []string // arguments of git clone
		inputs  map[string]string
		base    string
		verdict string
		diff    string
		log     string
	}{
		"the whole history":          {[]string{"--branch=change"}, usualInputs(), main, "wider", "failure", ""},
		"a branch that stays behind": {[]string{"--branch=unchanged"}, usualInputs(), main, "same", "success", ""},
		"one commit":                 {[]string{"--branch=merged", "--depth=1"}, usualInputs(), gitIn(t, origin, "rev-parse", "main~1"), "stricter", "success", ""},
		"a branch as the base":       {[]string{"--branch=change"}, usualInputs("base", "main"), "", "wider", "failure", ""},
		"one commit, and a branch":   {[]string{"--branch=change", "--depth=1"}, usualInputs("base", "unchanged"), "", "wider", "failure", ""},
		"no such base":               {[]string{"--branch=change", "--depth=1"}, usualInputs("base", "none"), "", "", "failure", "::error title=corsrpc::the base cannot be fetched: check the input base, and give actions/checkout fetch-depth: 0"},
		"not a commit":               {[]string{"--branch=change"}, usualInputs("base", "main:policies"), "", "", "failure", "::error title=corsrpc::the input base is not the name of a commit or a branch"},
		"a new policy":               {[]string{"--branch=change"}, usualInputs("policy", "policies/new.yaml"), main, "", "success", "::warning title=corsrpc::The base does not have this policy"},
		"another way to write it":    {[]string{"--branch=change"}, usualInputs("policy", "./policies/../policies//cors.yaml"), main, "wider", "failure", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir() + "/clone"
			gitIn(t, origin, append(append([]string{"clone", "--quiet"}, test.clone...), "file://"+origin, dir)...)
			edit(t, dir, "policies/new.yaml", "", "defaults: {allow_origins: ['https://app.example.com']}\n")
			r := &runner{program: program, workspace: dir, inputs: test.inputs, base: test.base}
			r.runAction(t)
			if r.outputs["diff.verdict"] != test.verdict || r.outcomes["diff"] != test.diff || !strings.Contains(r.log, test.log) {
				t.Errorf("verdict %q, outcome %s\n%s", r.outputs["diff.verdict"], r.outcomes["diff"], r.log)
			}
		})
	}
}

// testQuotedName: a policy whose name git quotes in its output is compared too.
func testQuotedName(t *testing.T, program string) {
	t.Helper()
	dir, _ := newCheckout(t)
	name := "policies/größe \"1\".yaml"
	gitIn(t, dir, "checkout", "--quiet", "main")
	edit(t, dir, name, "", "defaults: {allow_origins: ['https://app.example.com']}\n")
	commitAll(t, dir)
	main := gitIn(t, dir, "rev-parse", "HEAD")
	gitIn(t, dir, "checkout", "--quiet", "-b", "wider")
	edit(t, dir, name, "app", "*")
	commitAll(t, dir)
	r := &runner{program: program, workspace: dir, inputs: usualInputs("policy", name), base: main}
	r.runAction(t)
	if r.outputs["diff.verdict"] != "wider" || r.outcomes["diff"] != "failure" {
		t.Errorf("verdict %q, outcome %s\n%s", r.outputs["diff.verdict"], r.outcomes["diff"], r.log)
	}
}

// testHostileInputs: inputs and policies are data, whatever they contain.
func testHostileInputs(t *testing.T, program string) {
	t.Helper()
	for _, input := range []string{"policy", "tests", "descriptors", "profile", "strict", "base", "base-descriptors", "fail-on", "junit"} {
		t.Run(input, func(t *testing.T) {
			t.Parallel()
			dir, main := newCheckout(t)
			for _, text := range []string{"$(touch ran)`touch ran`", "x\"; touch ran; \"", "'; touch ran; '", "--upload-pack=touch ran;", "x\n::add-mask::x"} {
				r := &runner{program: program, workspace: dir, inputs: usualInputs(input, text), base: main}
				r.runAction(t)
				if found, _ := filepath.Glob(dir + "/ran*"); found != nil {
					t.Errorf("%q was run", text)
				}
				if strings.Contains("\n"+r.log, "\n::add-mask") {
					t.Errorf("%q is a command to the runner:\n%s", text, r.log)
				}
				if input != "junit" && !strings.Contains(strings.Join([]string{r.outcomes["check"], r.outcomes["test"], r.outcomes["diff"]}, " "), "failure") {
					t.Errorf("%q: outcomes %v\n%s", text, r.outcomes, r.log)
				}
			}
		})
	}
	t.Run("the policy's content", func(t *testing.T) {
		t.Parallel()
		dir, main := newCheckout(t)
		edit(t, dir, "policies/cors.yaml", "  - path: /healthz", "  - selector: \"x\\n::add-mask::x\\n```\\n# big\" # ##[add-mask]x\n    disabled: true\n  - path: /healthz")
		r := &runner{program: program, workspace: dir, inputs: usualInputs(), base: main}
		r.runAction(t)
		for line := range strings.Lines(r.log) {
			if !strings.HasPrefix(line, "::") && strings.Contains(line, "##[") {
				t.Errorf("a command to the runner, in its older form: %s", line)
			}
		}
		if strings.Contains("\n"+r.log, "\n::add-mask") || strings.Contains("\n"+r.summary, "\n```") || r.outcomes["check"] != "failure" {
			t.Errorf("outcomes %v\n%s\n%s", r.outcomes, r.log, r.summary)
		}
	})
}
