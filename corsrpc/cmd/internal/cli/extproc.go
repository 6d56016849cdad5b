package cli

import (
	"context"
	"flag"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/gateway"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/gatewayfile"
)

var extprocCommand = subcommand{
	name:      "extproc",
	arguments: "",
	summary:   "Enforces a policy in Envoy, as its external processor.",
	details: `Envoy asks it about the header of each request and of each response, by its filter ext_proc. It
answers preflights, refuses calls that the policy does not allow, and writes the CORS fields. The
filter has to be the first one, and keep failure_mode_allow false.

--reflect or --descriptors give the schema. Without either, selectors are taken by name.
--config is for several hosts and policies: a gateway file, whose upstreams and routes only give
the schema here. A route of Envoy chooses a virtual host by name with grpc_initial_metadata
corsrpc-policy; otherwise the host of the request chooses.

The policy, the schema, certificates and the gateway file are followed while it runs; SIGHUP reads
them again. After SIGTERM or Ctrl-C, the program ends when every request is decided on.`,
	examples: [2]example{
		{"for an Envoy on the same host", "corsrpc extproc --policy cors.yaml --listen unix:extproc.sock"},
		{"several hosts and policies", "corsrpc extproc --config gateway.yaml"},
	},
	exits: map[int]string{
		exitFine: "a signal stopped it, and every request is decided on", exitFindings: "",
		exitUsage: "the command line, the gateway file or a policy is wrong, or a port is not free", exitUnknown: "",
	},
	setup: setupExtproc,
}

// extprocFlags are the flags of the subcommand.
type extprocFlags struct {
	file gatewayfile.ProcessorFlags
	log  string
}

func setupExtproc(flags *flag.FlagSet) run {
	f := &extprocFlags{}
	f.file.Register(flags)
	flags.StringVar(&f.log, "log", "text", "`FORMAT` of the log on the standard error: text or json")
	return f.run
}

func (f *extprocFlags) run(ctx context.Context, s Streams, args []string) (int, error) {
	options := gateway.Options{Program: gatewayfile.Processor}
	if f.file.Config != "" {
		options.Read = f.file.File
	}
	return runProgram(ctx, s, args, f.log, f.file.File, options)
}
