package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"time"

	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/probe"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
)

var probeCommand = subcommand{
	name:      "probe",
	arguments: "URL [PROCEDURE|PATH...]",
	summary:   "Says what a page can do with a live server: each engine's view, the header at fault, the fix.",
	details: `It sends the requests that a browser would send for a page of the origin --from, and treats the
answers as each browser engine does. URL is http://HOST, https://HOST or h2c://HOST (HTTP/2 without
TLS), each with an optional port and path. PROCEDURE is a full name, such as acme.v1.S.Get.

It sends preflights, and GETs that need no preflight: requests that any page can make a browser
send. It sends other calls only with --send, and the server then executes them. Before it sends
anything, it says how many requests it will send at most.

--audit looks for faults of the server's CORS configuration. --against says where the server differs
from a policy, and needs no --from.`,
	examples: [2]example{
		{"a call that fails with \"Failed to fetch\" in a page", "corsrpc probe --from https://app.example.com --header 'Authorization: Bearer x' https://api.example.com acme.account.v1.AccountService.Get"},
		{"every procedure of a schema", "corsrpc probe --from https://app.example.com --all --descriptors image.binpb https://api.example.com"},
	},
	exits: map[int]string{
		exitFine:     "the page can read the responses, or the preflights pass; no error, warning or difference",
		exitFindings: "a call is blocked in at least one engine; an audit has an error or a warning; the server differs from the policy",
		exitUsage:    "the command line is wrong, or the server cannot be reached", exitUnknown: "it is not known how a call ends, or an audit or comparison is not complete",
	},
	setup: setupProbe,
}

// probeFlags are the flags of the subcommand.
type probeFlags struct {
	inputs         input.Flags // of the schema
	call           callFlags
	origins        input.List
	ca, serverName string
	all, send      bool
	audits         bool
	against        string
	sources        input.List
	maxRequests    int
	timeout        time.Duration
	format         *report.Format
}

func setupProbe(flags *flag.FlagSet) run {
	f := &probeFlags{}
	flags.Var(&f.origins, "from", "`ORIGIN` of the page, such as https://app.example.com (repeatable; required without --against)")
	f.call.registerRequest(flags)
	flags.StringVar(&f.ca, "ca", "", "`FILE` in PEM form with the authorities of the server's certificate, instead of those of the system")
	flags.StringVar(&f.serverName, "server-name", "", "`NAME` that the server's certificate is for, instead of the URL's host")
	flags.BoolVar(&f.all, "all", false, "call each procedure of the schema by Connect and gRPC-Web, and by GET where it is declared NO_SIDE_EFFECTS")
	flags.BoolVar(&f.send, "send", false, "send the calls too, with an empty message: the server executes them")
	flags.IntVar(&f.maxRequests, "max-requests", probe.DefaultMaxRequests, "send `N` requests at most")
	flags.DurationVar(&f.timeout, "timeout", probe.DefaultTimeout, "wait `DURATION` for each response, such as 30s")
	f.inputs.RegisterSchema(flags)
	f.registerAudit(flags)
	f.registerAgainst(flags)
	f.format = report.FormatFlag(flags, report.Text, report.JSON)
	return f.run
}

// probing is a run of the subcommand: what is sent, and to which server.
type probing struct {
	server  probe.Server
	files   *protoregistry.Files // nil if the schema is not known
	calls   []probedCall
	engines []corsbrowser.Engine
	wire    *probe.Wire
	// requests are the requests that the calls need at most.
	requests probe.Requests
	// withheld is how many more requests --send would send.
	withheld int
	// notes say what else the user should know.
	notes []string
}

func (f *probeFlags) run(ctx context.Context, s Streams, args []string) (int, error) {
	if err := f.checkPolicyFlags(); err != nil {
		return exitUsage, err
	}
	if f.against != "" {
		return f.compare(ctx, s, args)
	}
	p, err := f.probing(ctx, args)
	if err != nil {
		return exitUsage, err
	}
	defer p.wire.Close()
	if f.audits {
		return f.audit(ctx, s, p)
	}
	if err := p.announce(ctx, s, f); err != nil {
		return exitUsage, err
	}
	trials, err := p.try(ctx, s)
	if err != nil {
		return exitUsage, err
	}
	found := probe.Exit(trials)
	if found == probe.NotReached {
		return exitUsage, errors.New(p.server.Failure(probe.FirstFailure(trials)))
	}
	if *f.format == report.JSON {
		err = report.WriteDocument(s.Out, "probe", p.document(trials))
	} else {
		err = p.writeText(s.Out, trials)
	}
	writeNotes(s, "corsrpc probe", p.notes)
	return map[probe.ExitResult]int{probe.Fine: exitFine, probe.Found: exitFindings, probe.Unknown: exitUnknown}[found], err
}

// announce says what the run will send, and allows just that.
func (p *probing) announce(ctx context.Context, s Streams, f *probeFlags) (err error) {
	calls := make([]probe.Call, len(p.calls))
	for i, c := range p.calls {
		calls[i] = c.Call
	}
	if p.requests, err = probe.Announce(ctx, p.server, calls, p.engines, f.send); err != nil {
		return err
	}
	all := p.requests
	if !f.send {
		if all, err = probe.Announce(ctx, p.server, calls, p.engines, true); err != nil {
			return err
		}
	}
	p.withheld = all.Total() - p.requests.Total()
	fmt.Fprintln(s.Err, p.announcement(f))
	return nil
}

// try makes the calls, one after another.
func (p *probing) try(ctx context.Context, s Streams) ([]*probe.Trial, error) {
	shown := s.progress("probing " + p.server.URL.String())
	defer shown.stop()
	trials := make([]*probe.Trial, 0, len(p.calls))
	for i, call := range p.calls {
		shown.set(fmt.Sprintf("probing %s: call %d of %d", p.server.URL, i+1, len(p.calls)))
		t, err := probe.Try(ctx, p.wire, call.Call, p.engines)
		if err != nil {
			return nil, err
		}
		trials = append(trials, t)
	}
	return trials, nil
}

// probing returns what the flags and arguments describe.
func (f *probeFlags) probing(ctx context.Context, args []string) (*probing, error) {
	switch {
	case len(args) == 0:
		return nil, usagef("name a server, such as https://api.example.com")
	case len(f.origins) == 0:
		return nil, usagef("--from is missing: write the origin of the page, such as --from https://app.example.com")
	case f.maxRequests < 1:
		return nil, usagef("--max-requests %d: write a number from 1 on", f.maxRequests)
	case f.timeout <= 0:
		return nil, usagef("--timeout %s: write a duration such as 30s", f.timeout)
	}
	u, err := probe.ParseURL(args[0])
	if err != nil {
		return nil, usagef("%s", err)
	}
	p := &probing{server: probe.Server{URL: u, ServerName: f.serverName, Timeout: f.timeout}}
	if err := f.trust(p, u); err != nil {
		return nil, err
	}
	engines, err := enginesOf(f.call.engines)
	if err != nil {
		return nil, err
	}
	if p.engines = engines; len(engines) == 0 {
		p.engines = corsbrowser.Engines()
	}
	if p.files, err = f.inputs.Schema(ctx); err != nil {
		return nil, err
	}
	if err := f.calls(p, args[1:]); err != nil {
		return nil, err
	}
	p.wire = probe.NewWire(p.server)
	p.wire.SendCalls = f.send
	return p, nil
}

// trust sets the authorities of the server's certificate.
func (f *probeFlags) trust(p *probing, u *url.URL) error {
	if u.Scheme != "https" && (f.ca != "" || f.serverName != "") {
		return usagef("--ca and --server-name are for servers with TLS: write https://%s", u.Host)
	}
	if f.ca == "" {
		return nil
	}
	return p.server.Trust("--ca", f.ca)
}
