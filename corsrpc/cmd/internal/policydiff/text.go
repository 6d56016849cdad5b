package policydiff

import (
	"fmt"
	"io"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/policytest"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
)

// VerdictSentence says the verdict in one line.
func (r *Result) VerdictSentence() string {
	old, next := r.Old.Policy.Name, r.New.Policy.Name
	text := map[analysis.Verdict]string{
		analysis.Same:     next + " grants the same as " + old,
		analysis.Stricter: next + " grants less than " + old + ", and nothing more",
		analysis.Wider:    next + " grants more than " + old + ", and nothing less",
		analysis.Both:     next + " grants more than " + old + " in one respect, and less in another",
	}[r.Verdict]
	if len(r.Undecided) > 0 {
		text += ", as far as they could be compared"
	}
	return string(r.Verdict) + ": " + text
}

// WriteText writes the result for people: the verdict, what is gained, and apart from it the access that
// is lost. cases is whether each difference has its witness as a case of a policy test too.
func (r *Result) WriteText(w io.Writer, cases bool) error {
	var b strings.Builder
	b.WriteString(report.Printable(r.VerdictSentence()) + "\n")
	for _, section := range []struct {
		title  string
		gained bool
	}{{"Gained", true}, {"Lost", false}} {
		part := r.part(section.gained)
		if len(part) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s:\n", section.title)
		for _, d := range part {
			b.WriteString("  " + report.Printable(d.Sentence) + "\n")
			if err := d.Witness.writeText(&b, cases); err != nil {
				return err
			}
		}
	}
	if len(r.Undecided) > 0 {
		b.WriteString("\nUndecided:\n")
		for _, u := range r.Undecided {
			b.WriteString("  " + report.Printable(u) + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeText writes a witness below its difference.
func (w Witness) writeText(b *strings.Builder, cases bool) error {
	if w.Bug != "" {
		b.WriteString("    this is a bug of corsrpc: " + report.Printable(w.Bug) + "\n")
		return nil
	}
	b.WriteString("    " + report.Printable(w.Curl) + "\n")
	if !cases {
		return nil
	}
	if w.Case == nil {
		b.WriteString("    # a case of a policy test cannot say this difference\n")
		return nil
	}
	text, err := policytest.CaseText(w.Case)
	if err != nil {
		return err
	}
	for line := range strings.Lines(text) {
		b.WriteString("    " + report.Printable(strings.TrimSuffix(line, "\n")) + "\n")
	}
	return nil
}
