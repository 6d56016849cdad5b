package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/probe"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

// registerAudit registers the flag of an audit.
func (f *probeFlags) registerAudit(flags *flag.FlagSet) {
	flags.BoolVar(&f.audits, "audit", false, "look for faults of the server's CORS configuration: --from is an origin that it is supposed to allow, and hostile origins follow from it")
}

// auditDocument is the JSON document of probe --audit. docs/command.md documents it.
type auditDocument struct {
	report.Header
	Server string      `json:"server"`
	Audit  *shownAudit `json:"audit"`
	Notes  []string    `json:"notes"`
}

// shownAudit is the result of the audits of all calls.
type shownAudit struct {
	From     []string       `json:"from"`
	Targets  []string       `json:"targets"`
	Sent     int            `json:"sent"`
	Findings []shownFinding `json:"findings"`
}

// shownFinding is a finding, with the targets that have it.
type shownFinding struct {
	probe.Finding
	Targets []string `json:"targets"`
	Why     string   `json:"why"`
}

// audit audits the server for each call of the page.
func (f *probeFlags) audit(ctx context.Context, s Streams, p *probing) (int, error) {
	all := f.audited(p)
	for _, o := range all {
		if err := o.Validate(p.server); err != nil {
			return exitUsage, usagef("%s", err)
		}
	}
	most := probe.Requests{}
	for _, o := range all {
		n := probe.AuditRequests(o)
		most.Preflights, most.SimpleGets, most.Calls = most.Preflights+n.Preflights, most.SimpleGets+n.SimpleGets, most.Calls+n.Calls
	}
	fmt.Fprintln(s.Err, p.auditAnnouncement(f, most))
	shown := s.progress("auditing " + p.server.URL.String())
	defer shown.stop()
	result := &shownAudit{Findings: []shownFinding{}}
	for i, o := range all {
		shown.set(fmt.Sprintf("auditing %s: call %d of %d", p.server.URL, i+1, len(all)))
		findings, err := probe.Audit(ctx, p.wire, o)
		if err != nil {
			return exitUsage, err
		}
		result.add(o.Call, findings)
	}
	result.Sent = p.wire.Sent()
	shown.stop()
	var err error
	if *f.format == report.JSON {
		err = report.WriteDocument(s.Out, "probe", &auditDocument{Server: p.server.URL.String(), Audit: result, Notes: report.NotNil(p.notes)})
	} else {
		err = result.writeText(s.Out, s.Color, p.server.URL.String())
	}
	writeNotes(s, "corsrpc probe", p.notes)
	return result.exit(), err
}

// audited returns the audits of the calls: one for each target and origin.
func (f *probeFlags) audited(p *probing) (all []probe.AuditOptions) {
	for _, c := range p.calls {
		same := func(o probe.AuditOptions) bool { return o.Call.Origin == c.Origin && o.Call.Target == c.Target }
		if slices.ContainsFunc(all, same) {
			continue // by another protocol
		}
		all = append(all, probe.AuditOptions{Call: c.Call, SendCalls: f.send})
		if f.call.protocol != "" {
			all[len(all)-1].Protocol = protocols[f.call.protocol]
		}
	}
	return all
}

// auditAnnouncement says what an audit sends, and allows just that.
func (p *probing) auditAnnouncement(f *probeFlags, most probe.Requests) string {
	var b strings.Builder
	b.WriteString("corsrpc probe --audit sends at most " + p.limited(f, most) + " They carry no cookies, and name the page's origin and hostile origins that resemble it.")
	if f.send {
		b.WriteString(" The server executes the calls.")
	} else {
		b.WriteString(" It does not send calls that need a preflight (--send does).")
	}
	return report.Printable(b.String())
}

// add adds the findings about a call. Findings about several targets that are the same are one.
func (a *shownAudit) add(call probe.Call, findings []probe.Finding) {
	a.From, a.Targets = withoutDuplicates(append(a.From, call.Origin)), withoutDuplicates(append(a.Targets, call.Target))
	for _, f := range findings {
		i := slices.IndexFunc(a.Findings, func(have shownFinding) bool {
			return have.Class == f.Class && have.Severity == f.Severity && have.Origin == f.Origin && have.Status == f.Status && have.Header == f.Header &&
				have.Value == f.Value && have.Message == f.Message
		})
		if i < 0 {
			i, a.Findings = len(a.Findings), append(a.Findings, shownFinding{Finding: f, Why: f.Class.Why()})
		}
		a.Findings[i].Targets = withoutDuplicates(append(a.Findings[i].Targets, call.Target))
	}
	probe.SortFindings(a.Findings, func(f shownFinding) report.Severity { return f.Severity })
}

// exit returns the exit code: findings if there is an error or a warning about the server, and unknown if
// the audit could not examine something that it was to examine.
func (a *shownAudit) exit() int {
	code := exitFine
	for _, f := range a.Findings {
		switch {
		case f.Severity == report.Note:
		case f.Class == probe.ClassNotExamined || f.Class == probe.ClassUnreachable:
			code = max(code, exitUnknown)
		default:
			return exitFindings
		}
	}
	return code
}

// writeText writes the findings for people.
func (a *shownAudit) writeText(w io.Writer, color bool, server string) error {
	var b strings.Builder
	fmt.Fprintln(&b, report.Printable(fmt.Sprintf("Audit of %s, for pages of %s: %s sent.", server, strings.Join(a.From, ", "), report.Count(a.Sent, "request"))))
	count := map[report.Severity]int{}
	for _, f := range a.Findings {
		count[f.Severity]++
		a.writeFinding(&b, color, f)
	}
	if len(a.Findings) > 0 {
		fmt.Fprintln(&b)
	}
	fmt.Fprintf(&b, "%s, %s, %s\n", report.Count(count[report.Error], "error"), report.Count(count[report.Warning], "warning"), report.Count(count[report.Note], "note"))
	_, err := io.WriteString(w, b.String())
	return err
}

func (a *shownAudit) writeFinding(b *strings.Builder, color bool, f shownFinding) {
	fmt.Fprintf(b, "\n%s: %s [%s]\n", f.Severity.Painted(color), report.Printable(f.Message), f.Class)
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintln(b, report.Printable("  "+name+": "+text))
		}
	}
	if len(a.Targets) > 1 {
		line("calls", strings.Join(f.Targets, ", "))
	}
	switch {
	case f.Header != "" && f.Value != "":
		line("answer", fmt.Sprintf("status %d, %s: %s", f.Status, f.Header, f.Value))
	case f.Header != "":
		line("answer", fmt.Sprintf("status %d, without %s", f.Status, f.Header))
	case f.Status != 0:
		line("answer", fmt.Sprintf("status %d", f.Status))
	}
	line("why", f.Why)
	line("fix", f.Fix)
	line("request", f.Curl)
}
