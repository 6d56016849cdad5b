package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// newWalkthrough returns an empty folder, with the modules of the work tree as
// the newest version.
func newWalkthrough(t *testing.T) *walkthrough {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	env, err := fileProxy(t.Context(), root, filepath.Join(t.TempDir(), "proxy"), "v0.0.0-docs")
	if err != nil {
		t.Fatal(err)
	}
	return &walkthrough{dir: t.TempDir(), env: env, servers: []pageServer{goServer}}
}

var bufRE = regexp.MustCompile(`go run github\.com/bufbuild/buf/cmd/buf@v(\S+)`)

// TestWalkthrough: the page for newcomers works, from an empty folder, and its
// commands print what it says.
//
// The environment variable BUF may name buf's program, which then runs in place
// of "go run github.com/bufbuild/buf/cmd/buf@VERSION", which compiles for
// minutes. It has to be the same version.
func TestWalkthrough(t *testing.T) {
	t.Parallel()
	text := repository(t).text(walkthroughPage)
	p := parse(walkthroughPage, []byte(text))
	w := newWalkthrough(t)
	if program := os.Getenv("BUF"); program != "" {
		m := bufRE.FindStringSubmatch(text)
		if m == nil {
			t.Fatal("the page has no command that runs buf")
		}
		version, err := exec.CommandContext(t.Context(), program, "--version").CombinedOutput()
		if err != nil || strings.TrimSpace(string(version)) != m[1] {
			t.Fatalf("%s is version %s (%v), and the page runs %s", program, version, err, m[1])
		}
		w.replace = map[string]string{m[0]: program}
	}
	report(t, w.run(t.Context(), p))
	languages := map[string]int{}
	for _, b := range p.blocks {
		languages[b.lang]++
	}
	for _, lang := range []string{"sh", "go", "yaml", "proto", "text"} {
		if languages[lang] == 0 {
			t.Errorf("the walkthrough has no block in %q", lang)
		}
	}
}

// TestGoGet: README's command adds the library to a module.
func TestGoGet(t *testing.T) {
	t.Parallel()
	w := newWalkthrough(t)
	if out, err := w.shell(t.Context(), "go mod init example.com/server"); err != nil {
		t.Fatal(err, out)
	}
	if out, err := w.shell(t.Context(), "go get github.com/corsrpc/corsrpc-go/corsrpc"); err != nil {
		t.Fatal(err, out)
	}
	mod, err := os.ReadFile(filepath.Join(w.dir, "go.mod"))
	if err != nil || !strings.Contains(string(mod), "github.com/corsrpc/corsrpc-go v0.0.0-docs") {
		t.Errorf("%v\n%s", err, mod)
	}
}

// TestWalkthroughFails: a step that fails, or that prints something else, is
// found.
func TestWalkthroughFails(t *testing.T) {
	t.Parallel()
	server := "```go\n// main.go\npackage main\n\nimport (\n\t\"flag\"\n\t\"fmt\"\n\t\"net\"\n\t\"net/http\"\n)\n\n" +
		"func main() {\n\taddr := flag.String(\"addr\", \"localhost:8080\", \"\")\n\tflag.Parse()\n\tl, err := net.Listen(\"tcp\", *addr)\n" +
		"\tfmt.Printf(\"listening on http://%s, %v\\n\", l.Addr(), err)\n\thttp.Serve(l, http.NotFoundHandler())\n}\n```\n"
	for _, c := range []struct{ name, page, want string }{
		{"output as shown", "```sh\necho a; echo b\n```\n\n```text\na\nb\n```\n", ""},
		{"another output", "```sh\necho a; echo b\n```\n\n```text\na\n```\n", "the command prints\na\nb"},
		{"a command that fails", "```sh\nfalse\ntrue\n```\n", "exit status 1"},
		{"a file", "```yaml\n# a/b.yaml\nc: d\n```\n\n```sh\ncat a/b.yaml\n```\n\n```text\n# a/b.yaml\nc: d\n```\n", ""},
		{"a file without a name", "```yaml\nc: d\n```\n", "the name of the file"},
		{"a file elsewhere", "```yaml\n# ../b.yaml\nc: d\n```\n", "the name of the file"},
		{"output of nothing", "```text\na\n```\n", "has to follow the shell block"},
		{"another language", "```mermaid\na\n```\n", "not a step"},
		{"a server", "```sh\ngo mod init m\n```\n" + server + "```sh\ngo run .\n```\n\n```text\nlistening on http://127.0.0.1:8080, <nil>\n```\n\n" +
			"```sh\ncurl --silent http://localhost:8080/\necho localhost:8080\n```\n\n```text\n404 page not found\nlocalhost:8080\n```\n", ""},
		{"a server that ends", "```sh\ngo mod init m\n```\n```go\n// main.go\npackage main\n\nfunc main() { println(\"bye\") }\n```\n```sh\ngo run .\n```\n", "the server has ended"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := &walkthrough{dir: t.TempDir(), env: append(os.Environ(), "GOFLAGS=", "GOWORK=off"), servers: []pageServer{goServer}}
			problems := w.run(t.Context(), parse("p.md", []byte(c.page)))
			if c.want == "" {
				report(t, problems)
			} else if len(problems) != 1 || !strings.Contains(problems[0].text, c.want) {
				t.Errorf("got %v, want %q", problems, c.want)
			}
			if len(w.running) > 0 {
				t.Error("the server still runs")
			}
		})
	}
}

func TestPrints(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		output, text string
		want         bool
	}{
		{"a\nb\n", "a\nb", true},
		{"a\nb\n", "a", false},
		{"a\nb\n", "b", false},
		{"a\nb\n", "a\n...", true},
		{"a\nb\nc\n", "a\n...\nc", true},
		{"a\nc\n", "a\n...\nc", true},
		{"a\nb\nd\n", "a\n...\nc", false},
		{"took 0.1 s\n", "took ... s", true},
		{"took 0.1 ms\n", "took ... s", false},
		{"a.c\n", "abc", false},
		{"abc\n", "a.c", false},
		{"a \n", "a", true},
	} {
		if got := prints(c.output, c.text); got != c.want {
			t.Errorf("%q as %q: %v", c.output, c.text, got)
		}
	}
}
