package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

var exportCommand = subcommand{
	name:      "export",
	arguments: "envoy|gateway-api|nginx POLICY",
	summary:   "Writes a policy as the configuration of another system, and what that loses.",
	details: `It writes the fields of Envoy's HttpConnectionManager with the filters cors and rbac, HTTPRoutes of
the Kubernetes Gateway API, or a file for the http context of nginx. None of them can say all of a
policy. The configuration never grants more than the policy. Each loss has a name, and has to be
accepted with --allow-loss; without that, the losses are listed, and no configuration is written.

POLICY is a file, - for the standard input, or git:REV:PATH for a file of a commit.`,
	examples: [2]example{
		{"the losses in Envoy", "corsrpc export --own-origin https://api.example.com --descriptors image.binpb envoy cors.yaml"},
		{"a configuration of nginx", "corsrpc export --own-origin https://api.example.com --descriptors image.binpb --allow-loss exposure,other-paths,reasons,header-patterns nginx cors.yaml"},
	},
	exits: map[int]string{
		exitFine: "the configuration is written", exitFindings: "something would be lost that --allow-loss does not accept",
		exitUsage: "the command line is wrong, the policy does not load, or the system cannot hold it", exitUnknown: "",
	},
	setup: setupExport,
}

func setupExport(flags *flag.FlagSet) run {
	var in input.Flags
	in.Register(flags)
	var own, allowed, sources input.List
	flags.Var(&own, "own-origin", "`ORIGIN` at which browsers reach the server, such as https://api.example.com (repeatable, required)")
	flags.Var(&allowed, "allow-loss", "`NAMES` of losses that are accepted, separated by commas (repeatable)")
	flags.Var(&sources, "source", "`NAME=ORIGIN`: an origin of the origin source NAME (repeatable)")
	upstream := flags.String("upstream", "", "`NAME` of the server behind the system: a cluster of Envoy (server), SERVICE:PORT for gateway-api (server:8080), a URL for nginx (http://127.0.0.1:8080)")
	all := flags.Bool("all", false, "list all procedures and paths that a loss is for")
	format := report.FormatFlag(flags, report.Text, report.JSON)
	return func(ctx context.Context, s Streams, args []string) (int, error) {
		if len(args) != 2 {
			return exitUsage, usagef("name a system and a policy, such as envoy cors.yaml")
		}
		target, err := exportTarget(args[0])
		if err != nil {
			return exitUsage, err
		}
		accepted, err := lossNames(allowed)
		if err != nil {
			return exitUsage, err
		}
		p := s.progress("reading " + args[1])
		defer p.stop()
		policy, err := load(ctx, s, &in, args[1])
		if err != nil {
			return exitUsage, err
		}
		x := exported{policy: policy, target: target, accepted: accepted}
		if err := x.export(export.Options{OwnOrigins: own, Upstream: *upstream}, sources); err != nil {
			return exitUsage, err
		}
		p.stop()
		refused := x.refusedLosses()
		switch {
		case *format == report.JSON:
			err = report.WriteDocument(s.Out, "export", x.document())
		case len(refused) == 0:
			_, err = io.WriteString(s.Out, x.text())
		default:
			err = x.writeLosses(s.Err, refused, limitsOf(*all))
		}
		writeNotes(s, policy.Name, policy.Notes)
		if len(refused) > 0 {
			return exitFindings, err
		}
		return exitFine, err
	}
}

// exportTarget returns the target with a name.
func exportTarget(name string) (export.Target, error) {
	targets := []string{string(export.Envoy), string(export.GatewayAPI), string(export.Nginx)}
	if slices.Contains(targets, name) {
		return export.Target(name), nil
	}
	if nearest, ok := policyfile.Nearest(name, targets); ok {
		return "", usagef("%s is not a system that a policy can be exported to: write %s", report.Printable(name), nearest)
	}
	return "", usagef("%s is not a system that a policy can be exported to: write envoy, gateway-api or nginx", report.Printable(name))
}

// lossNames returns the names in the values of --allow-loss.
func lossNames(values []string) (names []export.LossName, err error) {
	known := export.LossNames()
	for _, value := range values {
		for name := range strings.SplitSeq(value, ",") {
			if slices.Contains(known, export.LossName(name)) {
				names = append(names, export.LossName(name))
				continue
			}
			texts := make([]string, len(known))
			for i, n := range known {
				texts[i] = string(n)
			}
			if nearest, ok := policyfile.Nearest(name, texts); ok {
				return nil, usagef("--allow-loss: %s is not the name of a loss: write %s", report.Printable(name), nearest)
			}
			return nil, usagef("--allow-loss: %s is not the name of a loss; the names are %s", report.Printable(name), strings.Join(texts, ", "))
		}
	}
	return names, nil
}

// exported is a policy as the configuration of a target.
type exported struct {
	policy   *loadedPolicy
	target   export.Target
	accepted []export.LossName
	result   *export.Export
}

// export exports the policy.
func (x *exported) export(o export.Options, sources []string) (err error) {
	if names := planaccess.Rules(x.policy.Plan).UnsetVariables(); len(names) > 0 {
		return usagef("the origins in the environment variable %s are not known: add --env %s=VALUE", report.Printable(names[0]), report.Printable(names[0]))
	}
	if o.Sources, err = sourceSets(x.policy.Plan, sources); err != nil {
		return err
	}
	m, err := export.New(planaccess.Rules(x.policy.Plan), o)
	if err != nil {
		return usagef("%v", err)
	}
	x.result, err = export.Write(x.target, m)
	return err
}

// refusedLosses returns the losses that are not accepted.
func (x *exported) refusedLosses() []export.Loss {
	return slices.DeleteFunc(slices.Clone(x.result.Losses), func(l export.Loss) bool { return slices.Contains(x.accepted, l.Name) })
}

// text returns the configuration with a comment that says where it comes from.
func (x *exported) text() string {
	return fmt.Sprintf("# Written by corsrpc export %s from %s, whose digest is %s.\n# Change the policy and export it again, instead of editing this file.\n%s",
		x.target, report.Printable(x.policy.Name), x.policy.Plan.Digest(), x.result.Text)
}

// writeLosses lists losses that have to be accepted.
func (x *exported) writeLosses(w io.Writer, refused []export.Loss, limits limits) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s cannot say all of the policy. It would lose:\n", report.Printable(x.policy.Name), x.target)
	totals := map[string]int{}
	for _, r := range x.policy.Plan.Procedures() {
		totals[serviceOf(r.Name)]++
	}
	names := make([]string, len(refused))
	for i, l := range refused {
		names[i] = string(l.Name)
		fmt.Fprintf(&b, "\n  %s: %s", l.Name, l.Name.Text())
		if len(l.Values) > 0 {
			fmt.Fprintf(&b, " (%s)", report.Printable(strings.Join(l.Values, ", ")))
		}
		b.WriteString(".\n")
		if len(l.Values) > 0 {
			fmt.Fprintf(&b, "    not written: %s\n", report.Printable(strings.Join(l.Values, ", ")))
		}
		if len(l.Targets) > 0 {
			writeTargets(&b, l.Targets, totals, limits)
		}
	}
	fmt.Fprintf(&b, "\nNo configuration is written. To accept this, add --allow-loss %s.\n", strings.Join(names, ","))
	_, err := io.WriteString(w, b.String())
	return err
}

// writeTargets lists the procedures by service, and then the patterns of path rules.
func writeTargets(b *strings.Builder, targets []string, totals map[string]int, limits limits) {
	paths := slices.IndexFunc(targets, func(name string) bool { return !strings.HasPrefix(name, "/") }) // a slash sorts before letters
	if paths < 0 {
		paths = len(targets)
	}
	for _, line := range servicesText(targets[paths:], totals, limits) {
		b.WriteString("    " + line + "\n")
	}
	for i, pattern := range targets[:paths] {
		if i == limits.names {
			fmt.Fprintf(b, "    and %s (%s lists them)\n", report.Count(paths-i, "other path"), limits.flag)
			break
		}
		b.WriteString("    " + report.Printable(pattern) + "\n")
	}
}

// exportDocument is the JSON document of export. docs/exports.md documents it.
type exportDocument struct {
	report.Header
	File          string      `json:"file"`
	Digest        string      `json:"digest"`
	Target        string      `json:"target"`
	Losses        []shownLoss `json:"losses"`
	Configuration string      `json:"configuration,omitempty"`
}

// shownLoss is a loss in the JSON document. Targets are the names of procedures and the patterns of path rules; there are none if
// the loss is for the policy as a whole. Values are the origins and methods that cannot be written.
type shownLoss struct {
	Name     string   `json:"name"`
	Meaning  string   `json:"meaning"`
	Targets  []string `json:"targets"`
	Values   []string `json:"values,omitempty"`
	Accepted bool     `json:"accepted"`
}

// document returns the JSON document. It has the configuration if all losses are accepted.
func (x *exported) document() *exportDocument {
	d := &exportDocument{File: x.policy.Name, Digest: x.policy.Plan.Digest(), Target: string(x.target), Losses: []shownLoss{}}
	for _, l := range x.result.Losses {
		d.Losses = append(d.Losses, shownLoss{string(l.Name), l.Name.Text(), report.NotNil(l.Targets), l.Values, slices.Contains(x.accepted, l.Name)})
	}
	if len(x.refusedLosses()) == 0 {
		d.Configuration = x.text()
	}
	return d
}
