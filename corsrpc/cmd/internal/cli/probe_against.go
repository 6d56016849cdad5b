package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/probe"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// registerAgainst registers the flags of a comparison with a policy.
func (f *probeFlags) registerAgainst(flags *flag.FlagSet) {
	flags.StringVar(&f.against, "against", "", "`POLICY` that the server is supposed to have: say where its answers differ; --from adds origins to those that follow from the policy")
	flags.Var(&f.sources, "source", "`NAME=ORIGIN`: an origin of the origin source NAME of the policy of --against (repeatable)")
	f.inputs.RegisterPolicy(flags)
}

// checkPolicyFlags returns an error for flags that do not go together.
func (f *probeFlags) checkPolicyFlags() error {
	if f.against != "" && f.audits {
		return usagef("--audit and --against are two questions: ask one at a time")
	}
	if (f.against != "" || f.audits) && len(f.call.engines) > 0 {
		return usagef("--audit and --against treat answers as the Fetch standard does: leave out --engine")
	}
	if f.against != "" {
		return nil
	}
	for _, c := range []struct {
		name  string
		given bool
	}{
		{"--source", len(f.sources) > 0}, {"--profile", f.inputs.Profile != ""}, {"--env", len(f.inputs.Env) > 0}, {"--env-file", len(f.inputs.EnvFiles) > 0},
		{"--path-prefix", len(f.inputs.Prefixes) > 0}, {"--max-policy-bytes", f.inputs.MaxPolicyBytes != corsrpc.DefaultMaxPolicyBytes},
	} {
		if c.given {
			return usagef("%s is about a policy: name one with --against", c.name)
		}
	}
	return nil
}

// againstDocument is the JSON document of probe --against. docs/command.md documents it.
type againstDocument struct {
	report.Header
	Server  string        `json:"server"`
	Against *shownAgainst `json:"against"`
	Notes   []string      `json:"notes"`
}

// shownAgainst is the result of a comparison.
type shownAgainst struct {
	File        string            `json:"file"`
	Digest      string            `json:"digest"`
	Profile     string            `json:"profile,omitempty"`
	From        []string          `json:"from"`
	Targets     []string          `json:"targets"`
	Sent        int               `json:"sent"`
	Differences []shownDifference `json:"differences"`
	Causes      []string          `json:"causes"`
	Undecided   []string          `json:"undecided"`
}

// shownDifference is a difference, with its place in the policy.
type shownDifference struct {
	Aspect probe.Aspect `json:"aspect"`
	Target string       `json:"call"`
	Origin string       `json:"origin"`
	Policy string       `json:"policy"`
	Server string       `json:"server"`
	report.Place
	Message string `json:"message"`
	Curl    string `json:"curl,omitempty"`
	// From is the place as text, such as "built in".
	From string `json:"from"`
}

// compare compares the server with a policy.
func (f *probeFlags) compare(ctx context.Context, s Streams, args []string) (int, error) {
	origins := f.origins
	if len(origins) == 0 {
		f.origins = input.List{"https://page.example"} // the comparison replaces it
	}
	p, err := f.probing(ctx, args)
	if err != nil {
		return exitUsage, err
	}
	defer p.wire.Close()
	policy, err := load(ctx, s, &f.inputs, f.against)
	if err != nil {
		return exitUsage, err
	}
	sets, err := sourceSets(policy.Plan, f.sources)
	if err != nil {
		return exitUsage, err
	}
	options := probe.AgainstOptions{Plan: policy.Plan.WithSets(sets), Origins: withoutDuplicates(origins), SendCalls: f.send, With: plansWith(policy, sets)}
	var targets []string
	for _, c := range p.calls {
		if c.Origin == f.origins[0] {
			options.Calls = append(options.Calls, c.Call)
			targets = withoutDuplicates(append(targets, c.Target))
		}
	}
	fmt.Fprintln(s.Err, p.againstAnnouncement(f, options))
	shown := s.progress("comparing " + p.server.URL.String())
	defer shown.stop()
	c, err := probe.Against(ctx, p.wire, options)
	if err != nil {
		return exitUsage, err
	}
	shown.stop()
	result := &shownAgainst{
		File: policy.Name, Digest: policy.Plan.Digest(), Profile: policy.Plan.Profile(), From: report.NotNil(c.Compared), Targets: targets, Sent: p.wire.Sent(),
		Differences: []shownDifference{}, Causes: report.NotNil(c.Causes), Undecided: report.NotNil(undecidedOf(c)),
	}
	for _, d := range c.Differences {
		result.Differences = append(result.Differences, shownDifference{
			d.Aspect, d.Target, d.Origin, d.Policy, d.Server, placeOfProvenance(d.From), d.Message, d.Curl, d.From.String(),
		})
	}
	if *f.format == report.JSON {
		err = report.WriteDocument(s.Out, "probe", &againstDocument{Server: p.server.URL.String(), Against: result, Notes: report.NotNil(p.notes)})
	} else {
		err = result.writeText(s.Out, p.server.URL.String())
	}
	writeNotes(s, "corsrpc probe", slices.Concat(p.notes, policy.Notes))
	return result.exit(), err
}

// plansWith returns the function that gives plans in which a set of origins that is not known has an origin.
func plansWith(policy *loadedPolicy, sets map[string][]string) func(string) map[string]*corsrpc.Plan {
	return func(page string) map[string]*corsrpc.Plan {
		plans := map[string]*corsrpc.Plan{}
		for _, name := range policy.Plan.Sources() {
			if _, known := sets[name]; !known && origin.IsTenant(page) {
				more := maps.Clone(sets)
				more[name] = []string{page}
				plans["the source "+name] = policy.Plan.WithSets(more)
			}
		}
		for _, name := range policy.Rules.UnsetVariables() {
			if plan, err := policy.withVariable(name, page); err == nil { // else the variable cannot have this origin
				plans["the environment variable "+name] = plan.WithSets(sets)
			}
		}
		return plans
	}
}

// undecidedOf says what a comparison could not decide, one sentence each.
func undecidedOf(c *probe.Comparison) (all []string) {
	for _, u := range c.Unknown {
		all = append(all, fmt.Sprintf("The server grants %s to a page of %s, and the policy does so only if %s has this origin, which is not known.", u.Target, u.Origin, u.Set))
	}
	return append(all, c.Incomplete...)
}

// placeOfProvenance returns the place of a value of a policy.
func placeOfProvenance(from corsrpc.Provenance) report.Place {
	return report.Place{File: from.File, Line: from.Position.Line, Column: from.Position.Column, Field: from.Field}
}

// againstAnnouncement says what a comparison sends, and allows just that.
func (p *probing) againstAnnouncement(f *probeFlags, o probe.AgainstOptions) string {
	most := probe.AgainstRequests(p.server, o)
	if most.Total() == 0 {
		return report.Printable(fmt.Sprintf("corsrpc probe --against sends nothing to %s: the policy has no rule for these calls.", p.server.URL))
	}
	text := "corsrpc probe --against sends at most " + p.limited(f, most) + " They carry no cookies."
	switch {
	case most.Calls > 0:
		text += " The server executes the calls."
	case !f.send:
		text += " It does not send calls that need a preflight (--send does)."
	}
	return report.Printable(text)
}

// exit returns the exit code.
func (a *shownAgainst) exit() int {
	switch {
	case len(a.Differences) > 0:
		return exitFindings
	case len(a.Undecided) > 0:
		return exitUnknown
	}
	return exitFine
}

// writeText writes the result for people.
func (a *shownAgainst) writeText(w io.Writer, server string) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintln(&b, report.Printable(fmt.Sprintf(format, args...))) }
	pages := ""
	if len(a.From) > 0 {
		pages = ", for pages of " + strings.Join(a.From, ", ")
	}
	line("%s compared with %s: %s sent%s.", server, a.File, report.Count(a.Sent, "request"), pages)
	for _, d := range a.Differences {
		b.WriteString("\n")
		line("%s [%s]", d.Message, d.Aspect)
		if len(a.Targets) > 1 {
			line("  call: %s", d.Target)
		}
		line("  policy: %s", d.From)
		line("  request: %s", d.Curl)
	}
	for _, u := range a.Undecided {
		b.WriteString("\n")
		line("Not decided: %s", u)
	}
	for _, cause := range a.Causes {
		b.WriteString("\n")
		line("Probable cause: %s", cause)
	}
	b.WriteString("\n")
	switch {
	case len(a.Differences) > 0:
		line("%s", report.Count(len(a.Differences), "difference"))
	case len(a.Undecided) > 0:
		line("No difference, and not everything could be compared.")
	default:
		line("The server answers as the policy says.")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
