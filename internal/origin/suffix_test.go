package origin

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/publicsuffix"
)

// TestNoWildcardReachesAPublicSuffix: a wildcard for a public suffix, or for a name above one,
// is reported. The rules are all those of the list.
func TestNoWildcardReachesAPublicSuffix(t *testing.T) {
	rules := suffixRules(t)
	if len(rules) < 9000 {
		t.Fatalf("only %d rules", len(rules))
	}
	for _, rule := range rules {
		if exception, ok := strings.CutPrefix(rule, "!"); ok {
			if reason := suffixReason(exception); reason != "" {
				t.Errorf("%s: %s, which the list excepts", exception, reason)
			}
			continue
		}
		// By the rule "*.ck" every x.ck is a suffix, and ck is the name above it.
		for name, ok := strings.Replace(rule, "*", "any-name", 1), true; ok; _, name, ok = strings.Cut(name, ".") {
			for _, dot := range []string{"", "."} {
				if _, problems := ParsePattern("https://*." + name + dot); len(problems) != 1 || problems[0].Code != CodePublicSuffix {
					t.Errorf("rule %s: the wildcard over %s%s has the problems %+v", rule, name, dot, problems)
				}
			}
		}
		// The hosts of a name directly below a suffix have one owner by the list. By strangerHosts
		// a few have more, such as the zones of web.core.windows.net.
		name := "one-owner." + strings.Replace(rule, "*", "any-name", 1)
		if suffix, _ := publicsuffix.PublicSuffix(name); suffix != name && listReason(name) != "" {
			t.Errorf("rule %s: the wildcard over %s is refused: %s", rule, name, listReason(name))
		}
	}
}

func TestSuffixAncestorsIsAMinimalSortedTable(t *testing.T) {
	names := strings.Split(strings.Trim(suffixAncestors, "\n"), "\n")
	if suffixAncestors != "\n"+strings.Join(names, "\n")+"\n" {
		t.Error("the names are not each between two newlines")
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Error("the names are not sorted, each once")
	}
	rules := suffixRules(t)
	for _, name := range names {
		if !strings.Contains(name, ".") || !validName(name) {
			t.Errorf("%q is not a name of two labels or more", name)
		}
		if suffix, _ := publicsuffix.PublicSuffix(name); suffix == name {
			t.Errorf("%s is a suffix and must not be listed", name)
		}
		if !slices.ContainsFunc(rules, func(rule string) bool { return strings.HasSuffix(rule, "."+name) }) {
			t.Errorf("%s has no suffix below it", name)
		}
	}
}

// suffixRules returns the rules of the list, from the test file of
// golang.org/x/net/publicsuffix.
func suffixRules(t *testing.T) []string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/net").Output()
	if err != nil {
		t.Fatalf("go list -m golang.org/x/net: %v", err)
	}
	f, err := os.Open(filepath.Join(strings.TrimSpace(string(dir)), "publicsuffix", "table_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var rules []string
	lines := bufio.NewScanner(f)
	for inside := false; lines.Scan(); {
		switch line := lines.Text(); {
		case line == "var rules = [...]string{":
			inside = true
		case line == "}":
			inside = false
		case inside:
			rule, err := strconv.Unquote(strings.Trim(line, "\t,"))
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			rules = append(rules, rule)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return rules
}
