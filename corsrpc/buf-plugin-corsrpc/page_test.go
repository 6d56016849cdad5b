package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const page = "../docs/buf.md"

// readPage returns the page about the plugin.
func readPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fileOfPage returns a file that the page shows.
func fileOfPage(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/page/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPage runs buf lint with the buf.yaml of the page, without and with the policy, and compares what it prints with
// the page. TestBreakingAgainstGit runs the other command.
func TestPage(t *testing.T) {
	t.Parallel()
	text := readPage(t)
	for _, command := range []string{"buf lint\n", "buf breaking --against '.git#branch=main'\n"} {
		if !strings.Contains(text, command) {
			t.Errorf("%s does not have the command %s", page, command)
		}
	}
	printed := regexp.MustCompile("```text\n(.*\n)```").FindStringSubmatch(text)
	if printed == nil {
		t.Fatalf("%s does not show what buf lint prints", page)
	}
	// The schema of the tests has names that buf's own rules report.
	bufYAML := strings.Replace(fileOfPage(t, "buf.yaml"), "use: [STANDARD, CORSRPC]", "use: [CORSRPC]", 1)
	dir := newWorkspace(t, "", map[string]string{protoFile: shop(lintCases[0].wrong), "buf.yaml": bufYAML})
	if r := runBuf(t, dir, "lint"); r.out != printed[1] || r.code != bufAnnotations {
		t.Errorf("buf lint printed\n%s%s, and the page has\n%s", r.out, r.err, printed[1])
	}
	before, _, _ := strings.Cut(bufYAML, "plugins:\n")
	write(t, dir, map[string]string{
		"buf.yaml":  before + fileOfPage(t, "plugins.yaml"),
		"cors.yaml": "defaults:\n  allow_origins: [https://app.example.com]\nrules:\n  - selector: acme.v1.Shop.Put\n    disabled: true\nprofiles:\n  dev:\n    add_origins: [\"http://localhost:*\"]\n",
		protoFile:   shop(lintCases[0].right),
	})
	want := `<input>:1:1:cors.yaml:4:15: rules[0].selector: "acme.v1.Shop.Put" selects nothing in the schema of this server`
	if r := runBuf(t, dir, "lint"); !strings.HasPrefix(r.out, want) || strings.Count(r.out, "\n") != 1 || r.code != bufAnnotations {
		t.Errorf("with the policy, buf lint printed\n%s%s", r.out, r.err)
	}
}

var (
	rowRE  = regexp.MustCompile("(?m)^\\| `CORSRPC_([A-Z_]+)`(?: \\(1\\))? \\| (.*) \\| (.*) \\|$")
	codeRE = regexp.MustCompile("`([^`]+)`")
)

// TestPageListsRules checks that the page lists each rule of the plugin, with code that the cases of the rule contain:
// the wrong one in a case that is reported, and the right one in one that is not.
func TestPageListsRules(t *testing.T) {
	t.Parallel()
	rules := map[string]bool{}
	for _, r := range spec().Rules {
		rules[strings.TrimPrefix(r.ID, prefix)] = false
	}
	for _, row := range rowRE.FindAllStringSubmatch(readPage(t), -1) {
		rule := row[1]
		if _, ok := rules[rule]; !ok {
			t.Errorf("%s has the rule %s, which the plugin does not have", page, rule)
		}
		rules[rule] = true
		wrong, right := textsOf(rule)
		if strings.HasPrefix(rule, "LOST_") {
			wrong, right = append(wrong, right...), append(wrong, right...)
		}
		for i, texts := range [][]string{wrong, right} {
			for _, code := range codeRE.FindAllStringSubmatch(row[2+i], -1) {
				if !slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, code[1]) }) {
					t.Errorf("%s: no case of the rule %s has %s", page, rule, code[1])
				}
			}
		}
	}
	for rule, listed := range rules {
		if !listed {
			t.Errorf("%s does not list the rule %s", page, rule)
		}
	}
}

// textsOf returns the schemas and policies of the cases of a rule, with the mistake and without it.
func textsOf(rule string) (wrong, right []string) {
	for _, c := range lintCases {
		if c.rule == rule {
			wrong, right = append(wrong, c.wrong, c.policy), append(right, c.right, c.policy, c.rightPolicy)
		}
	}
	for _, c := range breakingCases {
		if c.rule == rule && !c.harmless {
			wrong, right = append(wrong, c.next), append(right, c.old)
		}
	}
	return wrong, right
}
