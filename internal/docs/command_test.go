package docs

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCommandPage: the page about the program corsrpc works, from an empty folder: it installs the
// program from the work tree, and its commands print what it says. The pages about probe are run alike,
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

// weaker are the policies of the situations, each without one of its protections, and what of the policy test then fails.
var weaker = []struct {
	policy, old, new string
	fails            []string
}{
	{"spa", "[https://app.example.com]", `["*"]`, []string{"another site does not", "only the app calls"}},
	{"previews", "https://pr-*.preview.example.com", `"https://*.preview.example.com"`, []string{"a host below a preview does not"}},
	{"previews", "https://pr-*.preview.example.com", `"https://pr-*.example.com"`, []string{
		"the page of a pull request calls", "nothing outside of the domain calls",
	}},
	{"tenants", "rules:", "  allow_origins_from: [tenants]\nrules:", []string{"a tenant's page does not read accounts"}},
	{"tenants", "[https://app.example.com] #", `["*"] #`, []string{"only the app and the tenants call the shop"}},
	{"apps", "chrome-extension://abcdefghijklmnopabcdefghijklmnop", "chrome-extension://*\n  accept_risks: [ANY_INSTALLATION]", []string{
		"another extension does not",
	}},
	{"apps", "  allow_headers", "  allow_credentials: true\n  allow_headers", []string{"no app calls with cookies"}},
	{"public", `["*"]`, "[https://anyone.example]\n  allow_credentials: true", []string{
		"a page with the visitor's cookies does not", "no page calls with cookies",
	}},
	{"public", "disabled: true", "max_age: 60s", []string{"no page calls the administration"}},
	{"internal", "[https://admin.corp.example.com]", "[https://admin.corp.example.com, https://tools.corp.example.com]", []string{
		"the tools do not call the administration", "only the administration's page calls the administration",
	}},
	{"internal", "[https://tools.corp.example.com]", "[https://tools.corp.example.com, https://www.example.com]", []string{
		"no page outside of the company calls",
	}},
	{"mcp", "[https://chat.example.com, https://mcp.example.com]", `["*"]`, []string{"another page does not", "only two pages call"}},
	{"websocket", "[https://app.example.com]", "[https://app.example.com, https://evil.example]", []string{
		"another page may not", "only the app's pages open sockets",
	}},
	{"cookies", "[https://app.example.com]", "[https://app.example.com, https://evil.example]", []string{
		"another site does not", "only the app sends cookies",
	}},
	{"same-origin", "disabled: true", "allow_origins: [https://app.example.com]", []string{
		"another page does not", "no page of another origin calls",
	}},
}

// checkSituations takes the protections from the policies in the folder of a walkthrough, one at a time, and checks that
// the policy tests notice it: each case that must not work, and each guarantee, fails once.
func checkSituations(t *testing.T, w *walkthrough) {
	t.Helper()
	noticed := map[string]int{}
	for _, c := range weaker {
		noticed[c.policy] += len(c.fails)
		file := filepath.Join(w.dir, c.policy+".yaml")
		policy, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(policy), c.old) {
			t.Errorf("%s.yaml does not have %q", c.policy, c.old)
		}
		if err := os.WriteFile(file, []byte(strings.Replace(string(policy), c.old, c.new, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		text, err := w.shell(t.Context(), "corsrpc test --descriptors image.binpb "+c.policy+"_test.yaml")
		var fails []string
		for line := range strings.Lines(text) {
			if _, name, ok := strings.Cut(strings.TrimSpace(line), ": FAIL: "); ok {
				fails = append(fails, name)
			}
		}
		if failed := new(exec.ExitError); !errors.As(err, &failed) || failed.ExitCode() != 1 || !slices.Equal(fails, c.fails) {
			t.Errorf("%s.yaml with %q: %v, and %q fail, not %q\n%s", c.policy, c.new, err, fails, c.fails, text)
		}
		if err := os.WriteFile(file, policy, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests, err := filepath.Glob(filepath.Join(w.dir, "*_test.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		text, err := os.ReadFile(test)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(test), "_test.yaml")
		if n := strings.Count(string(text), "blocked: ") + strings.Count(string(text), "never: "); noticed[name] < n {
			t.Errorf("%s has %d statements about what must not work, and %d failures are tried", test, n, noticed[name])
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
