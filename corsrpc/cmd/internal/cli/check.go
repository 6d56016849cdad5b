package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
)

var checkCommand = subcommand{
	name:      "check",
	arguments: "POLICY...",
	summary:   "Reports every problem of policies.",
	details:   "Each POLICY is a file, - for the standard input, or git:REV:PATH.",
	examples: [2]example{
		{"every problem, against the schema of the server", "corsrpc check --descriptors image.binpb cors.yaml"},
		{"findings too, as annotations of a pull request", "corsrpc check --strict -o github cors.yaml"},
	},
	exits: map[int]string{exitFine: "every policy loads", exitFindings: "a policy does not load, or --strict has findings"},
	setup: setupCheck,
}

func setupCheck(flags *flag.FlagSet) run {
	var in input.Flags
	in.Register(flags)
	return func(ctx context.Context, s Streams, args []string) (int, error) {
		if len(args) == 0 {
			return exitUsage, usagef("name a policy, such as cors.yaml")
		}
		settings, err := in.Settings(ctx)
		if err != nil {
			return exitUsage, err
		}
		code := exitFine
		for _, name := range args {
			shown, text, err := input.Read(ctx, name, s.In)
			if err != nil {
				return exitUsage, err
			}
			policy, err := settings.Compile(shown, text)
			var problems *corsrpc.PolicyError
			switch {
			case errors.As(err, &problems):
				for _, v := range problems.Violations {
					fmt.Fprintln(s.Out, v)
				}
				code = exitFindings
				continue
			case err != nil:
				return exitUsage, err
			}
			for _, u := range policy.Unknown {
				fmt.Fprintf(s.Err, "%s: %s\n", shown, u)
			}
		}
		return code, nil
	}
}
