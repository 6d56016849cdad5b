package docs

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// In the walkthrough, a shell block that is only serverCommand starts the
// server, which goes on while later blocks run. pageAddress is the address in
// the page; the server of the test listens on another port.
const (
	serverCommand = "go run ."
	pageAddress   = "localhost:8080"
)

// walkthrough does what a page says, in a folder.
type walkthrough struct {
	dir string
	env []string
	// replace has, for beginnings of commands, what runs in their place.
	replace map[string]string
	// mayFail is true if a command of a block may fail, other than the last one.
	mayFail bool

	server  *exec.Cmd
	address string // where the server listens
}

// run writes the files and runs the commands of a page from top to bottom. It
// returns what fails, and what prints something else than the page says.
func (w *walkthrough) run(ctx context.Context, p *page) (problems []problem) {
	defer w.stop()
	for i, b := range p.blocks {
		var text string
		var err error
		switch b.lang {
		case "go", "yaml", "proto":
			err = w.write(b)
		case "sh":
			if strings.TrimSpace(b.text) == serverCommand {
				text, err = w.start(ctx)
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
	return os.WriteFile(file, []byte(b.text), 0o600)
}

// shell runs a block, and returns what it prints.
func (w *walkthrough) shell(ctx context.Context, script string) (string, error) {
	for from, to := range w.replace {
		script = regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(from)).ReplaceAllLiteralString(script, to)
	}
	if w.address != "" {
		script = strings.ReplaceAll(script, pageAddress, w.address)
	}
	options := "-euo"
	if w.mayFail {
		options = "-uo"
	}
	cmd := w.command(ctx, "bash", options, "pipefail", "-c", script)
	out, err := cmd.CombinedOutput()
	text := strings.ReplaceAll(string(out), "\r\n", "\n")
	if w.address != "" {
		text = strings.ReplaceAll(text, w.address, pageAddress)
	}
	return text, err
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

var listeningRE = regexp.MustCompile(`http://([^\s/]+:\d+)`)

// start starts the server on a port that the system chooses, and returns what it
// prints up to the line with its address.
func (w *walkthrough) start(ctx context.Context) (string, error) {
	w.stop()
	fields := append(strings.Fields(serverCommand), "-addr", "localhost:0")
	w.server = w.command(ctx, fields[0], fields[1:]...)
	read, write := io.Pipe()
	w.server.Stdout, w.server.Stderr = write, write
	if err := w.server.Start(); err != nil {
		w.server = nil
		return "", err
	}
	ended := w.server
	go func() { write.CloseWithError(errors.Join(errors.New("the server has ended"), ended.Wait())) }()
	var text strings.Builder
	lines := bufio.NewReader(read)
	for {
		line, err := lines.ReadString('\n')
		text.WriteString(line)
		if err != nil {
			return text.String(), err
		}
		if m := listeningRE.FindStringSubmatch(line); m != nil {
			w.address = m[1]
			go io.Copy(io.Discard, lines) //nolint:errcheck // ends with the server
			_, port, _ := strings.Cut(pageAddress, ":")
			host, _, _ := strings.Cut(w.address, ":")
			return strings.ReplaceAll(text.String(), w.address, host+":"+port), nil
		}
	}
}

// stop ends the server.
func (w *walkthrough) stop() {
	if w.server != nil {
		_ = syscall.Kill(-w.server.Process.Pid, syscall.SIGKILL) // fails if it has ended
		w.server, w.address = nil, ""
	}
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
