package cli

import (
	"flag"
	"fmt"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// usageError is an error of the command line: its message is followed by a hint at -h.
type usageError struct{ message string }

func (e usageError) Error() string { return e.message }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// flagError returns an error of package flag in the words of this program, with the nearest flag for
// one that does not exist.
func flagError(flags *flag.FlagSet, err error) error {
	message := err.Error()
	if name, ok := strings.CutPrefix(message, "flag provided but not defined: -"); ok {
		var known []string
		flags.VisitAll(func(f *flag.Flag) { known = append(known, f.Name) })
		message = fmt.Sprintf("there is not a flag %s", report.Printable(dashed(name)))
		if nearest, ok := policyfile.Nearest(name, known); ok {
			message += ": write " + dashed(nearest)
		}
		return usageError{message}
	}
	if name, ok := strings.CutPrefix(message, "flag needs an argument: -"); ok {
		return usagef("the flag %s needs a value", dashed(name))
	}
	if rest, ok := strings.CutPrefix(message, "bad flag syntax: "); ok {
		return usagef("%s is not a flag", report.Printable(rest))
	}
	return usageError{report.Printable(message)}
}

// dashed returns the name of a flag as it is written on a command line.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// unknownSubcommand says which subcommand is meant.
func unknownSubcommand(name string, known []string) string {
	message := fmt.Sprintf("%q is not a subcommand", name)
	if nearest, ok := policyfile.Nearest(name, known); ok {
		return message + ": write " + nearest
	}
	return message + ": write one of " + strings.Join(known, ", ")
}
