package cli

import (
	"context"
	"flag"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
)

var explainCommand = subcommand{
	name:      "explain",
	arguments: "POLICY PROCEDURE|PATH",
	summary:   "Explains how a call would end: rule, steps, answer, what the script reads, and curl.",
	details: `It sends nothing: it evaluates the policy, and simulates the call in each browser engine, as the form
of the inspector's page does. POLICY is a file, - for the standard input, or git:REV:PATH for a file
of a commit. PROCEDURE is a full name, such as acme.v1.S.Get.

A call of a procedure has the header that the clients of its protocol send; --header adds others.
The handler answers with status 200, an application's header field and a trailer; --answer-header
replaces them.`,
	examples: [2]example{
		{"a call of a page, with a header of the application", "corsrpc explain --from https://app.example.com --header 'Authorization: Bearer x' cors.yaml acme.account.v1.AccountService.Get"},
		{"a path, as a program calls it", "corsrpc explain cors.yaml /healthz"},
	},
	exits: map[int]string{
		exitFine: "the call is explained, whether the script can read the response or not", exitFindings: "",
		exitUsage: "the command line is wrong, or the policy does not load", exitUnknown: "the outcome depends on origins that are not known",
	},
	setup: setupExplain,
}

func setupExplain(flags *flag.FlagSet) run {
	var in input.Flags
	in.Register(flags)
	var c callFlags
	c.register(flags)
	var sources input.List
	flags.Var(&sources, "source", "`NAME=ORIGIN`: an origin of the origin source NAME (repeatable)")
	format := report.FormatFlag(flags, report.Text, report.JSON)
	return func(ctx context.Context, s Streams, args []string) (int, error) {
		if len(args) != 2 {
			return exitUsage, usagef("name a policy and a procedure or path, such as cors.yaml acme.v1.S.Get")
		}
		p := s.progress("reading " + args[0])
		defer p.stop()
		policy, err := load(ctx, s, &in, args[0])
		if err != nil {
			return exitUsage, err
		}
		e := &explanation{policy: policy}
		if e.sets, err = sourceSets(policy.Plan, sources); err != nil {
			return exitUsage, err
		}
		if e.call, err = c.call(policy.Plan, args[1]); err != nil {
			return exitUsage, err
		}
		if e.trial, err = corsinspect.Try(policy.Plan.WithSets(e.sets), e.call); err != nil {
			return exitUsage, usagef("%s", strings.TrimPrefix(err.Error(), "corsinspect: "))
		}
		e.dependences = e.findDependences()
		p.stop()
		if *format == report.JSON {
			err = report.WriteDocument(s.Out, "explain", e.document())
		} else {
			err = e.writeText(s.Out)
		}
		writeNotes(s, policy.Name, e.notes())
		code := exitFine
		if len(e.dependences) > 0 {
			code = exitUnknown
		}
		return code, err
	}
}

// explanation is a call with its outcome under a policy.
type explanation struct {
	policy      *loadedPolicy
	sets        map[string][]string // the origins of sources that are known, by source
	call        corsinspect.Call
	trial       *corsinspect.Trial
	dependences []dependence
}
