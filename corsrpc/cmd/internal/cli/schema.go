package cli

import (
	"context"
	"flag"
	"io"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/jsonschema"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

var schemaCommand = subcommand{
	name:      "schema",
	arguments: "[policy|test|gateway]",
	summary:   "Prints the JSON Schema of a policy, of a test of a policy or of a gateway file, for editors.",
	details: `Without an argument, it prints the schema of policies. The argument test selects that of the files
that corsrpc test reads, and gateway that of the files of corsrpc gateway --config.

Write the schema to a file, and name that file in the first line of a policy:

    corsrpc schema > cors.schema.json
    # yaml-language-server: $schema=cors.schema.json

Editors then suggest fields and values, describe them, and mark unknown fields and wrong types. The
schema accepts every policy that loads. It knows names and types only: corsrpc check finds the rest.`,
	examples: [2]example{
		{"the schema of a policy", "corsrpc schema"},
		{"the schema of a test of a policy", "corsrpc schema test"},
	},
	exits: map[int]string{exitFine: "the schema is printed", exitFindings: "", exitUsage: "the command line is wrong", exitUnknown: ""},
	setup: setupSchema,
}

func setupSchema(*flag.FlagSet) run {
	return func(_ context.Context, s Streams, args []string) (int, error) {
		if len(args) > 1 {
			return exitUsage, usagef("schema takes one argument, policy, test or gateway, and there are %d", len(args))
		}
		name := "policy"
		if len(args) == 1 {
			name = args[0]
		}
		text, ok := map[string]string{"policy": jsonschema.Policy, "test": jsonschema.PolicyTest, "gateway": jsonschema.Gateway}[name]
		if !ok {
			return exitUsage, unknownSchema(name)
		}
		_, err := io.WriteString(s.Out, text)
		return exitFine, err
	}
}

// unknownSchema says which schema is meant.
func unknownSchema(name string) error {
	if nearest, ok := policyfile.Nearest(name, []string{"policy", "test", "gateway"}); ok {
		return usagef("%s is not the name of a schema: write %s", report.Printable(name), nearest)
	}
	return usagef("%s is not the name of a schema: write policy, test or gateway", report.Printable(name))
}
