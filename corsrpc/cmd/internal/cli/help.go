package cli

import (
	"flag"
	"fmt"
	"io"
	"strings"
)

// writeOverview writes the list of subcommands.
func writeOverview(w io.Writer) {
	fmt.Fprint(w, "corsrpc checks, explains, tests and compares CORS policies of RPC servers.\n\nUsage: corsrpc SUBCOMMAND [FLAGS] [ARGUMENTS]\n\n")
	for _, c := range subcommands() {
		fmt.Fprintf(w, "  %-10s %s\n", c.name, c.summary)
	}
	fmt.Fprint(w, "\ncorsrpc SUBCOMMAND -h explains a subcommand; corsrpc --version prints the version.\n")
}

// usualExits says what the exit codes mean.
var usualExits = map[int]string{
	exitFine: "fine", exitFindings: "there are findings", exitUsage: "the command line or an input is wrong", exitUnknown: "the question could not be decided",
}

// writeHelp writes what -h shows.
func (c subcommand) writeHelp(w io.Writer, flags *flag.FlagSet) {
	fmt.Fprintf(w, "%s\n\nUsage: %s\n\n%s\n\nExamples:\n", c.summary, c.usage(flags), strings.TrimSpace(c.details))
	for _, e := range c.examples {
		fmt.Fprintf(w, "  # %s\n  %s\n", e.comment, e.line)
	}
	if hasFlags(flags) {
		fmt.Fprint(w, "\nFlags:\n")
	}
	flags.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		name := dashed(f.Name)
		if value != "" {
			name += " " + value
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "[]" {
			usage += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(w, "  %s\n        %s\n", name, usage)
	})
	fmt.Fprint(w, "\nExit codes:\n")
	for code := exitFine; code <= exitUnknown; code++ {
		meaning, ok := c.exits[code]
		if !ok {
			meaning = usualExits[code]
		}
		if meaning == "" {
			continue
		}
		fmt.Fprintf(w, "  %d  %s\n", code, meaning)
	}
}

// usage returns the form of the command line.
func (c subcommand) usage(flags *flag.FlagSet) string {
	line := "corsrpc " + c.name
	if hasFlags(flags) {
		line += " [FLAGS]"
	}
	return strings.TrimSpace(line + " " + c.arguments)
}

func hasFlags(flags *flag.FlagSet) bool {
	found := false
	flags.VisitAll(func(*flag.Flag) { found = true })
	return found
}
