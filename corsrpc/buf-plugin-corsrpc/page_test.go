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

// TestPage runs buf lint with the buf.yaml of the page, and compares what it prints with the page.
func TestPage(t *testing.T) {
	t.Parallel()
	text := readPage(t)
	block := regexp.MustCompile("(?s)```yaml\n(# buf.yaml\n.*?)```").FindStringSubmatch(text)
	printed := regexp.MustCompile("```text\n(.*\n)```").FindStringSubmatch(text)
	if block == nil || printed == nil {
		t.Fatalf("%s has no buf.yaml or no output", page)
	}
	dir := newWorkspace(t, "", map[string]string{
		protoFile:  shop(lintCases[0].wrong),
		"buf.yaml": strings.Replace(block[1], "use: [STANDARD, CORSRPC]", "use: [CORSRPC]", 1), // the schema of the test has other names
	})
	if r := runBuf(t, dir, "lint"); r.out != printed[1] || r.code != bufAnnotations {
		t.Errorf("buf lint printed\n%s%s, and the page has\n%s", r.out, r.err, printed[1])
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
