package docs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// pageAddress is the address of the server in most pages.
const pageAddress = "localhost:8080"

// walkthrough does what a page says, in a folder.
type walkthrough struct {
	dir string
	env []string
	// servers are the programs that the page starts and leaves running.
	servers []pageServer
	// addresses are those of servers that run, by the addresses that the page has.
	addresses map[string]string
	// replace has, for beginnings of commands, what runs in their place.
	replace map[string]string
	// mayFail is true if a command of a block may fail, other than the last one.
	mayFail bool

	running []*exec.Cmd // the servers that this walkthrough has started
}

// run writes the files and runs the commands of a page from top to bottom. It
// returns what fails, and what prints something else than the page says.
func (w *walkthrough) run(ctx context.Context, p *page) []problem {
	defer w.stop()
	return w.steps(ctx, p)
}

// steps is run, but the servers of the page run on.
func (w *walkthrough) steps(ctx context.Context, p *page) (problems []problem) {
	for i, b := range p.blocks {
		var text string
		var err error
		switch b.lang {
		case "go", "yaml", "proto", "python", "html", "js", "nginx":
			err = w.write(b)
		case "sh":
			if s, ok := w.serverOf(b); ok {
				text, err = w.start(ctx, s)
			} else {
				text, err = w.shell(ctx, b.text)
			}
		case "text":
			if i == 0 || p.blocks[i-1].lang != "sh" {
				err = errors.New("a text block in the walkthrough has to follow the shell block that prints it")
			}
		case "":
		default:
			err = fmt.Errorf("a block in %q is not a step of the walkthrough", b.lang)
		}
		if err != nil {
			return append(problems, b.problem("%v\n%s", err, text))
		}
		if i+1 < len(p.blocks) && p.blocks[i+1].lang == "text" && b.lang == "sh" {
			if want := p.blocks[i+1]; !prints(text, want.text) {
				problems = append(problems, want.problem("the command prints\n%s\nand the page says\n%s", text, want.text))
			}
		}
	}
	return problems
}

// write makes the file that the first line of a block names.
func (w *walkthrough) write(b block) error {
	name := nameOf(b)
	if name == "" || !filepath.IsLocal(name) {
		return errors.New("the first line of the block has to be a comment with the name of the file")
	}
	file := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(w.withTestAddresses(b.text)), 0o600)
}

// shell runs a block, and returns what it prints.
func (w *walkthrough) shell(ctx context.Context, script string) (string, error) {
	script = w.replaced(script)
	options := "-euo"
	if w.mayFail {
		options = "-uo"
	}
	cmd := w.command(ctx, "bash", options, "pipefail", "-c", script)
	out, err := cmd.CombinedOutput()
	text := strings.ReplaceAll(string(out), "\r\n", "\n")
	for page, test := range w.addresses {
		text = strings.ReplaceAll(text, test, page)
	}
	return text, err
}

// replaced returns a script with the commands and the addresses of the test.
func (w *walkthrough) replaced(script string) string {
	for from, to := range w.replace {
		script = regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(from)).ReplaceAllLiteralString(script, to)
	}
	return w.withTestAddresses(script)
}

// withTestAddresses returns a text of the page with the addresses of the servers that run.
func (w *walkthrough) withTestAddresses(text string) string {
	for page, test := range w.addresses {
		text = strings.ReplaceAll(text, page, test)
	}
	return text
}

func (w *walkthrough) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = w.dir
	cmd.Env = w.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // go run starts the program as a child
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// prints reports whether a command's output is the text, in which "..." stands
// for any part of a line, and a line that is only "..." for any lines.
func prints(output, text string) bool {
	var pattern strings.Builder
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		if strings.TrimSpace(line) == "..." {
			pattern.WriteString(`(?:.*\n)*?`)
			continue
		}
		parts := strings.Split(strings.TrimRight(line, " "), "...")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		pattern.WriteString(strings.Join(parts, ".*") + ` *\n`)
	}
	re := regexp.MustCompile(`^` + pattern.String() + `$`)
	return re.MatchString(strings.TrimSpace(output) + "\n")
}

// fileProxy makes a file proxy that has the modules of the work tree as a
// version. It returns the environment that uses it: that of this process, with
// the proxy's variables, and with -trimpath. With that flag, the build cache
// serves the same package in every folder.
func fileProxy(ctx context.Context, root, dir, version string) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", "run", "-C", "internal/tools/release", ".", "proxy", "-version", version, "-dir", dir)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, stderr.Bytes())
	}
	env := os.Environ()
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if flags, ok := strings.CutPrefix(line, "GOFLAGS="); ok {
			line = "GOFLAGS=" + flags + " -trimpath"
		}
		env = append(env, line)
	}
	return slices.Clip(env), nil
}
