package cli_test

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/analysis"
)

var updatePage = flag.Bool("update-page", false, "write the output of diff into docs/comparing.md")

// codeBlock matches a block of code in a page: its language and its text.
var codeBlock = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

// gitRepository makes a git repository in a new folder, with a policy on its main branch, and changes the
// current folder to it.
func gitRepository(t *testing.T, policy string) (dir string, git func(args ...string)) {
	t.Helper()
	dir = t.TempDir()
	git = func(args ...string) {
		t.Helper()
		identity := []string{"-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"}
		if out, err := exec.CommandContext(t.Context(), "git", append(identity, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	t.Chdir(dir)
	git("init", "-q", "-b", "main")
	writeIn(t, dir, "cors.yaml", policy)
	git("add", "cors.yaml")
	git("commit", "-q", "-m", "one")
	return dir, git
}

// TestComparingPage runs the commands of docs/comparing.md with the policies of the page, and compares the
// output that follows a command.
func TestComparingPage(t *testing.T) { // not parallel, because it changes the current folder
	page, err := filepath.Abs("../../../docs/comparing.md")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	var policies, commands []string
	outputs := map[string]string{}
	blocks := codeBlock.FindAllStringSubmatch(text, -1)
	for i, b := range blocks {
		switch b[1] {
		case "yaml":
			policies = append(policies, b[2])
		case "sh":
			commands = append(commands, strings.TrimSpace(b[2]))
		case "text":
			outputs[strings.TrimSpace(blocks[i-1][2])] = b[0]
		}
	}
	if len(policies) != 2 || len(commands) < 3 || len(outputs) == 0 {
		t.Fatalf("the page has %d policies, %d commands and %d outputs", len(policies), len(commands), len(outputs))
	}
	dir, _ := gitRepository(t, policies[0])
	writeIn(t, dir, "cors.yaml", policies[1])
	for _, command := range commands {
		code, stdout, stderr := runIn(t, dir, "", strings.Fields(command)[1:]...)
		want := 0
		if strings.Contains(command, "--fail-on") {
			want = 1
		}
		if code != want {
			t.Errorf("%s: exit code %d: %s", command, code, stderr)
		}
		block, ok := outputs[command]
		if got := "```text\n" + stdout + "```"; ok && got != block {
			text = strings.Replace(text, block, got, 1)
			if !*updatePage {
				t.Errorf("%s writes\n%s\nand the page has\n%s", command, got, block)
			}
		}
	}
	if *updatePage {
		if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	checkFields(t, dir, text)
}

// checkFields checks that the page has each field of the JSON document, and each aspect with its meaning.
func checkFields(t *testing.T, dir, page string) {
	t.Helper()
	_, stdout, _ := runIn(t, dir, "", "diff", "-o", "json", "git:main:cors.yaml", "cors.yaml")
	var document any
	if err := json.Unmarshal([]byte(stdout), &document); err != nil {
		t.Fatal(err)
	}
	var check func(value any)
	check = func(value any) {
		switch v := value.(type) {
		case map[string]any:
			for name, of := range v {
				if !strings.Contains(page, "`"+name+"`") {
					t.Errorf("the page does not have the field %s", name)
				}
				if name != "case" {
					check(of)
				}
			}
		case []any:
			for _, of := range v {
				check(of)
			}
		}
	}
	check(document)
	for _, a := range analysis.Aspects() {
		if row := "| `" + string(a) + "` | " + a.Meaning() + " |\n"; !strings.Contains(page, row) {
			t.Errorf("the page does not have the row %s", row)
		}
	}
}
