package sidebyside

import (
	"slices"
	"strings"
	"testing"
)

// NotSet ends a line of a policy that takes a line with the same field away, such as "max_age: none".
const NotSet = ": none"

// Lines returns the lines of a policy: own, and those of base whose field own does not have. Lines that end in NotSet
// are left out.
func Lines(own, base []string) []string {
	field := func(line string) string { name, _, _ := strings.Cut(line, ":"); return name }
	lines := slices.Clone(own)
	for _, b := range base {
		if !slices.ContainsFunc(own, func(line string) bool { return field(line) == field(b) }) {
			lines = append(lines, b)
		}
	}
	return slices.DeleteFunc(lines, isNotSet)
}

func isNotSet(line string) bool { return strings.HasSuffix(line, NotSet) }

// Cell returns the cell of a table with the lines of a policy and a note.
func Cell(lines []string, note string) string {
	var spans []string
	for _, line := range lines {
		if !isNotSet(line) {
			spans = append(spans, "`"+line+"`")
		}
	}
	text := strings.Join(spans, ", ")
	if text != "" && note != "" {
		text += ". "
	}
	return text + note
}

// Codes returns the cell of a table with the codes of differences. They are plain text, since internal/docs looks for
// names of the library in code spans.
func Codes(names []Named) string {
	var codes []string
	for _, n := range names {
		codes = append(codes, n.Code)
	}
	return strings.Join(codes, ", ")
}

// CheckOccurs reports each of the differences that does not occur. of names the implementation.
func CheckOccurs(t testing.TB, diffs []Difference, names []Named, of string) {
	t.Helper()
	occurred := Occurred(diffs, names)
	for _, n := range names {
		if !occurred[n.Code] {
			t.Errorf("%s does not occur with %s", n.Code, of)
		}
	}
}

// Changes collects the differences of a page, for the table that explains them. Its methods are not safe for concurrent
// use.
type Changes struct {
	order []Named             // of every row of an implementation, in the order in which they are added
	rest  []Named             // of single rows
	of    map[string][]string // the implementations, by code
}

// AddEvery adds differences that every row of an implementation has.
func (c *Changes) AddEvery(of string, names []Named) {
	if c.of == nil {
		c.of = map[string][]string{}
	}
	for _, n := range names {
		if len(c.of[n.Code]) == 0 {
			c.order = append(c.order, n)
		}
		c.of[n.Code] = append(c.of[n.Code], of)
	}
}

// Add adds differences of single rows. Those that AddEvery adds, before or later, are not repeated.
func (c *Changes) Add(names []Named) { c.rest = append(c.rest, names...) }

// String returns the table.
func (c *Changes) String() string {
	table := Table{Header: []string{"Code", "What changes", "Not repeated in the rows of"}}
	for _, n := range c.order {
		table.Rows = append(table.Rows, []string{n.Code, n.Words, strings.Join(c.of[n.Code], ", ")})
	}
	rest := slices.Clone(c.rest)
	slices.SortFunc(rest, func(a, b Named) int { return strings.Compare(a.Code, b.Code) })
	rest = slices.CompactFunc(rest, func(a, b Named) bool { return a.Code == b.Code })
	for _, n := range rest {
		if len(c.of[n.Code]) == 0 {
			table.Rows = append(table.Rows, []string{n.Code, n.Words, "none"})
		}
	}
	return table.String()
}
