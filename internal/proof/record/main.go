// Record runs a command that is too slow for every change and, if it passes,
// writes its summary to internal/proof/NAME.md: commit, date, machine,
// duration, results and figures. If the command fails, the summary of the last
// run that passed stays.
//
//	go run ./internal/proof/record [-with "FUZZTIME=20s"] NAME COMMAND...      from the root
//
// The summary quotes the lines of the command's output that contain "figure: "
// or "result: ", and those that begin with "ok " or "--- PASS: ". The figures
// are also written to internal/figures/figures.txt, as those of make NAME.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/figures"
	"github.com/corsrpc/corsrpc-go/internal/proof"
)

func main() {
	with := flag.String("with", "", "the setting of this run, for the summary, such as FUZZTIME=20s")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := errors.New("no command: record [-with text] name command [argument...]")
	if flag.NArg() >= 2 {
		err = record(ctx, os.Stdout, ".", flag.Arg(0), *with, flag.Args()[1:])
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

// record runs the command in root, copies its output to w, and writes the
// summary and the figures.
func record(ctx context.Context, w io.Writer, root, name, with string, command []string) error {
	commit, err := proof.ReadCommit(ctx, root, "internal/proof/*.md", figures.File)
	if err != nil {
		return err
	}
	start := time.Now()
	var output strings.Builder
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = root
	cmd.Stdout = io.MultiWriter(w, &output)
	cmd.Stderr = cmd.Stdout
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w; internal/proof/%s.md is not written", strings.Join(command, " "), err, name)
	}
	s := read(name, output.String())
	s.with, s.commit, s.machine = with, commit.String(), proof.Machine()
	s.start, s.took = start, time.Since(start)
	if len(s.lines) == 0 {
		return fmt.Errorf("%s passed and printed no result; internal/proof/%s.md is not written", strings.Join(command, " "), name)
	}
	if err := figures.Write(root, s.figures...); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "internal", "proof", name+".md"), []byte(s.markdown()), 0o644)
}

// A summary is what a run that passed has to say.
type summary struct {
	name, with, commit, machine string
	start                       time.Time
	took                        time.Duration
	figures                     []figures.Figure
	lines                       []string // results and packages that passed, in order
}

var (
	figureLine = regexp.MustCompile(regexp.QuoteMeta(figures.Prefix) + `(\S+) = (.+)$`)
	resultLine = regexp.MustCompile(`result: (.+)$`)
	passedLine = regexp.MustCompile(`^(?:ok {2}|--- PASS: )`)
)

// read returns the summary's figures and lines.
func read(name, output string) summary {
	s := summary{name: name}
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, "\r\n")
		if m := figureLine.FindStringSubmatch(line); m != nil {
			s.figures = figures.Set(s.figures, figures.Figure{Name: m[1], Value: m[2], Command: "make " + name})
		} else if m := resultLine.FindStringSubmatch(line); m != nil {
			s.lines = append(s.lines, m[1])
		} else if passedLine.MatchString(line) && !strings.HasSuffix(line, "[no tests to run]") {
			s.lines = append(s.lines, strings.ReplaceAll(line, "\t", " "))
		}
	}
	return s
}

// markdown is the file internal/proof/NAME.md.
func (s summary) markdown() string {
	command := "make " + s.name
	if s.with != "" {
		command += " " + s.with
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# The last run of `make %s`\n\nWritten by `%s`; not by hand. A run that fails leaves this file as it is.\n\n", s.name, command)
	fmt.Fprintf(&b, "- passed on %s UTC, in %s\n- %s\n- %s\n", s.start.UTC().Format("2006-01-02 15:04"), s.took.Round(time.Second), s.commit, s.machine)
	if len(s.figures) > 0 {
		b.WriteString("\n## Figures\n\n| figure | value |\n| --- | --- |\n")
		for _, f := range s.figures {
			fmt.Fprintf(&b, "| %s | %s |\n", f.Name, f.Value)
		}
	}
	fmt.Fprintf(&b, "\n## Results\n\n```text\n%s\n```\n", strings.Join(s.lines, "\n"))
	return b.String()
}
