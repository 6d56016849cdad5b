// Package cli is the command line of the program corsrpc. Run runs one subcommand; each is in the
// file with its name.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

// The exit codes.
const (
	exitFine     = 0 // everything is as it should be
	exitFindings = 1 // there is something to report
	exitUsage    = 2 // the command line or an input is wrong
	exitUnknown  = 3 // the question could not be decided
)

// subcommand is one subcommand.
type subcommand struct {
	name string
	// arguments are those of the command line, as the usage line has them.
	arguments string
	// summary is one line for the list of subcommands.
	summary string
	// details follow the usage line of -h.
	details string
	// examples are two command lines, each with a comment.
	examples [2]example
	// exits says what the exit codes mean, where that differs from the usual meaning; a code with
	// an empty text does not occur.
	exits map[int]string
	// setup registers the flags, and returns the function that runs the subcommand.
	setup func(*flag.FlagSet) run
}

// example is an example of a subcommand's command line.
type example struct{ comment, line string }

// run runs a subcommand with the arguments that are not flags. It returns the exit code. An error
// ends the program with exitUsage, unless it says otherwise.
type run func(ctx context.Context, s Streams, args []string) (int, error)

// subcommands are all subcommands, in the order of the list.
func subcommands() []subcommand {
	return []subcommand{checkCommand, explainCommand, showCommand, testCommand, diffCommand, probeCommand, initCommand, schemaCommand, exportCommand, gatewayCommand, extprocCommand}
}

// Run runs the program with the arguments after its name, and returns its exit code.
func Run(ctx context.Context, s Streams, args []string) int {
	if len(args) == 0 {
		writeOverview(s.Err)
		return exitUsage
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		if len(args) > 1 && args[0] == "help" {
			return Run(ctx, s, []string{args[1], "-h"})
		}
		writeOverview(s.Out)
		return exitFine
	case "-version", "--version", "version":
		fmt.Fprintln(s.Out, "corsrpc "+version())
		return exitFine
	}
	all := subcommands()
	for _, c := range all {
		if c.name == args[0] {
			return c.execute(ctx, s, args[1:])
		}
	}
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.name
	}
	fmt.Fprintln(s.Err, "corsrpc: "+unknownSubcommand(args[0], names))
	return exitUsage
}

// execute parses the flags of the subcommand and runs it.
func (c subcommand) execute(ctx context.Context, s Streams, args []string) int {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	run := c.setup(flags)
	rest, err := parseInterleaved(flags, args)
	code := exitUsage
	switch {
	case errors.Is(err, flag.ErrHelp):
		c.writeHelp(s.Out, flags)
		return exitFine
	case err != nil:
		err = flagError(flags, err)
	default:
		code, err = run(ctx, s, rest)
	}
	if err != nil {
		c.writeError(s, err)
		if code == exitFine {
			code = exitUsage
		}
	}
	return code
}

// writeError writes why a run ended.
func (c subcommand) writeError(s Streams, err error) {
	var broken *brokenPolicy
	if errors.As(err, &broken) {
		_ = broken.report().WriteText(s.Err) // nothing can be done if the standard error is closed
	}
	hint := ""
	var usage usageError
	if errors.As(err, &usage) {
		hint = fmt.Sprintf(" (corsrpc %s -h shows the flags)", c.name)
	}
	message := strings.TrimPrefix(err.Error(), "corsrpc: ")
	if errors.Is(err, context.Canceled) {
		message = "interrupted"
	}
	fmt.Fprintf(s.Err, "corsrpc %s: %s%s\n", c.name, report.Printable(message), hint)
}

// parseInterleaved parses flags before, between and after the other arguments, which it returns. The
// argument -- ends the flags.
func parseInterleaved(flags *flag.FlagSet, args []string) (rest []string, err error) {
	var afterFlags []string
	if end := slices.Index(args, "--"); end >= 0 {
		args, afterFlags = args[:end], args[end+1:]
	}
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return append(rest, afterFlags...), nil
		}
		rest, args = append(rest, flags.Arg(0)), flags.Args()[1:]
	}
}

// version returns the version of the module that holds the program, and the commit that it was built
// from if that is known.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown version)"
	}
	text := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			text += " (" + s.Value + ")"
		}
	}
	return text + " " + info.GoVersion
}

// moduleVersion returns the version of the module that holds the program; empty if it is not known.
func moduleVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "(devel)" {
		return ""
	}
	return info.Main.Version
}
