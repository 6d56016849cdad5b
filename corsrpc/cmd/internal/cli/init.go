package cli

import (
	"context"
	"flag"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

var initCommand = subcommand{
	name:      "init",
	arguments: "--from-go FILE",
	summary:   "Writes a policy to begin with.",
	details: `--from-go reads the configuration of another CORS library from a Go file, and writes the policy that
grants the same. It knows rs/cors, jub0bs/cors, gorilla/handlers, go-chi/cors and gin-contrib/cors. Where a
policy cannot say the same, or a value is not written in the file, the policy grants less.

The policy goes to the standard output. Each difference is a comment in it, and a line on the standard
error.`,
	examples: [2]example{
		{"the policy for the configuration of a server", "corsrpc init --from-go server.go"},
		{"the configuration in line 14, for a program", "corsrpc init --from-go server.go:14 -o json"},
	},
	exits: map[int]string{exitFine: "the policy is written", exitFindings: "", exitUsage: "the command line is wrong, or the file has no configuration that can be read", exitUnknown: "the policy does not load, which is a fault of the program"},
	setup: setupInit,
}

func setupInit(flags *flag.FlagSet) run {
	fromGo := fromGoFlag(flags)
	format := report.FormatFlag(flags, report.Text, report.JSON)
	return func(_ context.Context, s Streams, args []string) (int, error) {
		switch {
		case *fromGo == "" && len(args) == 1 && isGoFile(args[0]):
			return exitUsage, usagef("write --from-go %s", args[0])
		case *fromGo == "":
			return exitUsage, usagef("name a Go file with --from-go")
		case len(args) > 0:
			return exitUsage, usagef("init takes no arguments: it got %s", args[0])
		}
		return initFromGo(s, *fromGo, *format)
	}
}
