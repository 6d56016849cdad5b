package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/gateway"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/gatewayfile"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

var gatewayCommand = subcommand{
	name:      "gateway",
	arguments: "",
	summary:   "Makes gRPC, gRPC-Web and Connect servers in any language callable from browsers, by a policy.",
	details: `It is a reverse proxy: it answers preflights, refuses calls that the policy does not allow, and
forwards the others. gRPC-Web is translated to gRPC. The scheme of --upstream says how the server is
called: grpc://HOST:PORT or grpcs:// (TLS) for a gRPC server, h2c:// for any server with HTTP/2 and
without TLS, http:// or https:// for one that speaks Connect, gRPC-Web or plain HTTP itself.

--reflect or --descriptors give the schema. Without either, selectors are taken by name.
--config is for several upstreams, hosts and policies: a gateway file instead of the other flags.

The policy, the schema, certificates and the gateway file are followed while it runs; SIGHUP reads
them again. After SIGTERM or Ctrl-C, the gateway ends when every call has ended.`,
	examples: [2]example{
		{"a gRPC server that tells its schema by reflection", "corsrpc gateway --policy cors.yaml --upstream grpc://127.0.0.1:9090 --reflect"},
		{"several servers, hosts and policies", "corsrpc gateway --config gateway.yaml"},
	},
	exits: map[int]string{
		exitFine: "a signal stopped it, and every call has ended, or the drain's timeout has passed", exitFindings: "",
		exitUsage: "the command line, the gateway file or a policy is wrong, or a port is not free", exitUnknown: "",
	},
	setup: setupGateway,
}

// gatewayFlags are the flags of the subcommand.
type gatewayFlags struct {
	file gatewayfile.Flags
	log  string
}

func setupGateway(flags *flag.FlagSet) run {
	f := &gatewayFlags{}
	f.file.Register(flags)
	flags.StringVar(&f.log, "log", "text", "`FORMAT` of the log on the standard error: text or json")
	return f.run
}

func (f *gatewayFlags) run(ctx context.Context, s Streams, args []string) (int, error) {
	options := gateway.Options{Program: gatewayfile.Gateway}
	if f.file.Config != "" {
		options.Read = f.file.File
	}
	return runProgram(ctx, s, args, f.log, f.file.File, options)
}

// runProgram runs the gateway or the external processor until a signal ends it.
func runProgram(ctx context.Context, s Streams, args []string, log string, read func() (*gatewayfile.File, error), options gateway.Options) (int, error) {
	if len(args) > 0 {
		return exitUsage, usagef("an argument is left over: %q (a policy is --policy FILE, a gateway file --config FILE)", args[0])
	}
	var handler slog.Handler
	switch log {
	case "text":
		handler = slog.NewTextHandler(s.Err, nil)
	case "json":
		handler = slog.NewJSONHandler(s.Err, nil)
	default:
		return exitUsage, usagef("--log %q: write text or json", log)
	}
	options.Log, options.Out = slog.New(handler), s.Out
	file, err := read()
	if err != nil {
		return exitUsage, explained(s, err)
	}
	terminated, stop := signal.NotifyContext(context.WithoutCancel(ctx), syscall.SIGTERM)
	context.AfterFunc(terminated, stop) // a second signal ends the program at once
	defer stop()
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	defer signal.Stop(reload)
	options.Terminate, options.Reload = terminated.Done(), reload
	return exitFine, explained(s, gateway.Run(ctx, file, options))
}

// explained writes the problems of a gateway file and of policies, each with its place, and returns an error that
// says how many there are.
func explained(s Streams, err error) error {
	var file *gatewayfile.Error
	if errors.As(err, &file) {
		r := &report.Report{Problems: file.Problems, Texts: map[string][]byte{file.Name: file.Text}}
		_ = r.WriteText(s.Err) // nothing can be done if the standard error is closed
		return errors.New(file.Summary())
	}
	var policy *corsrpc.PolicyError
	if errors.As(err, &policy) {
		r := &report.Report{Problems: problemsOf(policy), Texts: map[string][]byte{}}
		for _, p := range r.Problems {
			if _, known := r.Texts[p.File]; !known {
				r.Texts[p.File], _ = os.ReadFile(p.File) // the place is shown without the line if it is not readable
			}
		}
		_ = r.WriteText(s.Err)
		return fmt.Errorf("a policy does not load: it has %s", report.Count(len(r.Problems), "problem"))
	}
	return err
}
