package docs

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCommandPage: the page about the program corsrpc works, from an empty folder: it installs the
// program from the work tree, and its commands print what it says. So do those of the pages about probe,
// in the same folder and with a server. The other pages each have a folder of their own. The environment
// variable BUF may name buf's program, as in TestWalkthrough.
func TestCommandPage(t *testing.T) {
	t.Parallel()
	p := parse(commandPage, []byte(repository(t).text(commandPage)))
	w := newWalkthrough(t)
	bin := t.TempDir()
	w.mayFail = true
	w.env = append(w.env, "GOBIN="+bin, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "NO_COLOR=1")
	w.replace = map[string]string{"buf ": bufProgram(t) + " "}
	report(t, w.run(t.Context(), p))
	probe := parse(probePage, []byte(repository(t).text(probePage)))
	w.addresses = map[string]string{pageAddress: probedServer(t).Listener.Addr().String()}
	report(t, w.run(t.Context(), probe))
	auditing := parse(auditingPage, []byte(repository(t).text(auditingPage)))
	w.addresses = map[string]string{pageAddress: auditedServer(t).Listener.Addr().String()}
	report(t, w.run(t.Context(), auditing))
	w.addresses = nil
	tests := parse(policyTestsPage, []byte(repository(t).text(policyTestsPage)))
	w.dir = t.TempDir()
	report(t, w.run(t.Context(), tests))
	comingFrom := parse(comingFromPage, []byte(repository(t).text(comingFromPage)))
	w.dir = t.TempDir()
	report(t, w.run(t.Context(), comingFrom))
	exports := parse(exportsPage, []byte(repository(t).text(exportsPage)))
	w.dir = t.TempDir()
	report(t, w.run(t.Context(), exports))
	situations := parse(situationsPage, []byte(repository(t).text(situationsPage)))
	w.dir = t.TempDir()
	report(t, w.run(t.Context(), situations))
	checkSituations(t, w)
	cors := parse(corsPage, []byte(repository(t).text(corsPage)))
	w.dir = t.TempDir()
	report(t, w.run(t.Context(), cors))
	for _, p := range []*page{p, tests, probe, comingFrom, situations, cors} {
		if n := commandsShown(p); n < 4 {
			t.Errorf("%s shows what %d blocks print", p.path, n)
		}
	}
}

// checkSituations replaces the policy of each policy test in the folder of a walkthrough by one that allows more, and
// checks that the test notices it.
func checkSituations(t *testing.T, w *walkthrough) {
	t.Helper()
	tests, err := filepath.Glob(filepath.Join(w.dir, "*_test.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	const wide = "defaults:\n  allow_origins: [\"https://*.example.com\", https://evil.example]\n  allow_credentials: true\n"
	const withSource = wide + "  allow_origins_from: [tenants]\n"
	for _, test := range tests {
		policy, wide := strings.TrimSuffix(test, "_test.yaml")+".yaml", wide
		if filepath.Base(policy) == "tenants.yaml" {
			wide = withSource
		}
		if err := os.WriteFile(policy, []byte(wide), 0o600); err != nil {
			t.Fatal(err)
		}
		text, err := w.shell(t.Context(), "corsrpc test "+filepath.Base(test))
		if failed := new(exec.ExitError); !errors.As(err, &failed) || failed.ExitCode() != 1 || !strings.Contains(text, "FAIL: ") {
			t.Errorf("%s does not notice a policy that allows more: %v\n%s", test, err, text)
		}
	}
	if len(tests) != 10 {
		t.Errorf("%d situations", len(tests))
	}
}

// commandsShown returns the number of shell blocks whose output a page shows.
func commandsShown(p *page) (n int) {
	for i, b := range p.blocks {
		if b.lang == "sh" && i+1 < len(p.blocks) && p.blocks[i+1].lang == "text" {
			n++
		}
	}
	return n
}

// TestCommandPageFails: the test of the page notices an output that is not what the page says.
func TestCommandPageFails(t *testing.T) {
	t.Parallel()
	w := &walkthrough{dir: t.TempDir(), env: os.Environ(), mayFail: true}
	page := func(output string) *page {
		return parse("x.md", []byte("```sh\nfalse\necho \"exit code $?\"\n```\n\n```text\n"+output+"\n```\n"))
	}
	if problems := w.run(t.Context(), page("exit code 1")); len(problems) != 0 {
		t.Error(problems)
	}
	if problems := w.run(t.Context(), page("exit code 0")); len(problems) != 1 {
		t.Error(problems)
	}
}

// bufProgram returns how buf is run: the program that BUF names, or else as the walkthrough runs it.
func bufProgram(t *testing.T) string {
	if program := os.Getenv("BUF"); program != "" {
		return program
	}
	command := bufRE.FindString(repository(t).text(walkthroughPage))
	if command == "" {
		t.Fatal("the walkthrough has no command that runs buf")
	}
	return command
}
