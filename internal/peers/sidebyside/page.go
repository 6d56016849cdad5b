package sidebyside

import (
	"os"
	"strings"
	"testing"
)

// Table is a table of Markdown.
type Table struct {
	Header []string
	Rows   [][]string
}

// String returns the table as it stands on a page. A "|" in a cell is escaped.
func (b Table) String() string {
	var s strings.Builder
	line := func(cells []string) {
		s.WriteString("|")
		for _, c := range cells {
			s.WriteString(" " + strings.ReplaceAll(c, "|", `\|`) + " |")
		}
		s.WriteString("\n")
	}
	line(b.Header)
	s.WriteString("|" + strings.Repeat(" --- |", len(b.Header)) + "\n")
	for _, row := range b.Rows {
		line(row)
	}
	return strings.ReplaceAll(s.String(), "|  |", "| |")
}

// WriteTables compares texts with the parts of a page, in their order, or writes them there if update is true. A part
// begins after the line "<!-- this part is written by COMMAND -->" and ends before "<!-- end of the part -->". The
// command has to be in generatedBy in internal/docs/check.go.
func WriteTables(t testing.TB, page, command string, update bool, texts ...string) {
	t.Helper()
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- this part is written by "+command+" -->\n", "<!-- end of the part -->\n"
	parts := strings.Split(string(content), begin)
	if len(parts) != len(texts)+1 {
		t.Fatalf("%s has %d parts that begin with %q, of %d", page, len(parts)-1, begin, len(texts))
	}
	var b strings.Builder
	b.WriteString(parts[0])
	for i, text := range texts {
		text = "\n" + strings.TrimSpace(text) + "\n\n"
		old, rest, ok := strings.Cut(parts[i+1], end)
		switch {
		case !ok:
			t.Fatalf("part %d of %s does not end with %q", i+1, page, end)
		case old != text && !update:
			t.Errorf("part %d of %s differs from what the test has. Run %q, then read the diff. The test has:\n%s", i+1, page, command, text)
		}
		b.WriteString(begin + text + end + rest)
	}
	if update && b.String() != string(content) {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
