package main

import (
	"fmt"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/figures"
)

// A report is what came of a comparison.
type report struct {
	date, commit, machine, browsers string
	libraries                       []library
	tried                           []library // with the versions behind the cells
	cells, tests                    int       // compared
	rows                            []row
	failures                        []failure
	problems                        []problem
}

// A failure is a test that passes with the pinned versions, and not with the newest.
type failure struct{ test, words string }

func (r report) differs() bool { return len(r.rows)+len(r.failures)+len(r.problems) > 0 }

// table is the versions, for the terminal and for NEWEST.md.
func table(all []library) string {
	var b strings.Builder
	b.WriteString("| library | pinned | newest |\n| --- | --- | --- |\n")
	for _, l := range all {
		newest := l.newest
		if l.newest != l.pinned {
			newest = "**" + newest + "**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", l.name, l.pinned, newest)
	}
	return b.String()
}

// result is one sentence.
func (r report) result() string {
	text := fmt.Sprintf("%s cells and %s tests were compared", figures.Count(r.cells), figures.Count(r.tests))
	if !r.differs() {
		return text + "; none differs."
	}
	return fmt.Sprintf("%s. Groups of cells that differ: %d. Tests that fail only with the newest versions: %d. Problems with compiling or installing: %d.",
		text, len(r.rows), len(r.failures), len(r.problems))
}

// differences lists what differs, as Markdown.
func (r report) differences() string {
	var b strings.Builder
	for _, p := range r.problems {
		fmt.Fprintf(&b, "\n### Problem: %s\n\n```text\n%s\n```\n", p.what, shortened(p.words))
	}
	if len(r.rows) > 0 {
		b.WriteString("\n### Cells\n\n| test | client | protocol | server | browsers | calls | credentials | what | pinned | newest |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	}
	for _, row := range r.rows {
		what, pinned, newest := row.what, row.pinned, row.newest
		if what == headerNames {
			pinned, newest = withWithout(pinned, newest), withWithout(newest, pinned)
		}
		if what == "" {
			what = "the cell"
		}
		var servers []string
		for _, server := range row.servers {
			servers = append(servers, serverVersions(r.tried, server))
		}
		protocol := row.client
		if protocol == "" {
			protocol = "all"
		}
		columns := []string{
			row.test, clientVersions(r.tried, row.client), protocol, strings.Join(servers, "; "),
			strings.Join(row.browsers, ", "), strings.Join(row.calls, ", "), strings.Join(row.credentials, " and "), what, pinned, newest,
		}
		for i, c := range columns {
			if c == "" {
				c = "(empty)"
			}
			columns[i] = strings.NewReplacer("|", `\|`, "\n", " ").Replace(c)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(columns, " | "))
	}
	for _, f := range r.failures {
		fmt.Fprintf(&b, "\n### %s\n\n```text\n%s\n```\n", f.test, shortened(f.words))
	}
	return b.String()
}

// withWithout describes how a request's headers differ from another request's: "with" and the
// names that only this request has, "without" and the names that only the other has.
func withWithout(own, others string) string {
	var texts []string
	if own != "" {
		texts = append(texts, "with "+own)
	}
	if others != "" {
		texts = append(texts, "without "+others)
	}
	return strings.Join(texts, "; ")
}

// maxWords is how many bytes of a compiler's or a test's output are shown.
const maxWords = 4000

func shortened(words string) string {
	if words = strings.TrimSpace(words); len(words) > maxWords {
		words = strings.ToValidUTF8(words[:maxWords], "") + "\n..."
	}
	return words
}

// markdown is NEWEST.md.
func (r report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# The newest clients and servers\n\nWritten by `make newest` on %s; not by hand. The tests ran with the pinned versions and with the newest ones of the registries,\nin a copy of the tree at %s. %s. %s.\n\n%s\n## Result\n\nA cell holds what a browser test observes of one RPC (TestMatrix) or of a series of RPCs (TestMatrix, TestPreflights, TestRecipeTable): what the\nscript reads, which headers and cookies arrive, and how many requests and preflights are sent.\n\n%s\n",
		r.date, r.commit, r.machine, r.browsers, table(r.libraries), r.result())
	b.WriteString(r.differences())
	return b.String()
}
