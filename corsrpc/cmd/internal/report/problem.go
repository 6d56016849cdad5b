// Package report writes what a subcommand has found: for a terminal, for programs, for annotations of
// a pull request, and for code scanning. No writer passes on a character that a terminal would
// execute.
package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// Severity is how severe a problem is.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Place is a place in a file. The zero Place means that none is known.
type Place struct {
	// File is the name of the file. A name that begins with git: is a file of a commit.
	File string `json:"file,omitempty"`
	// Line and Column count from 1, and columns count characters; 0 if they are not known.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Field is the path of the value in the file; empty for the file as a whole.
	Field string `json:"field,omitempty"`
}

// String returns file:line:column, as far as it is known.
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Problem is something that the author of a file has to look at. Its JSON is part of the documents
// of the subcommands.
type Problem struct {
	// Severity is how severe it is, and Code its stable code, such as SELECTOR_UNKNOWN.
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`
	// Place is the value that the problem is about.
	Place
	// Value is the value, shortened if it is long; empty for the file as a whole.
	Value string `json:"value,omitempty"`
	// Message says what is wrong with the value, as a sentence whose subject is the value. It has
	// no place in it.
	Message string `json:"message"`
	// Fix says what to do, such as "write https://app.example.com"; empty if that is not known.
	Fix string `json:"fix,omitempty"`
	// Related are other places that the problem involves.
	Related []Related `json:"related,omitempty"`
}

// Related is another place that a problem involves.
type Related struct {
	Place
	// Message says what the place has to do with the problem; empty if its field says enough.
	Message string `json:"message,omitempty"`
}

// Rule is a kind of problem.
type Rule struct {
	// ID is its stable code.
	ID string
	// Description says in one sentence which problems have the code.
	Description string
	// Severity is that of its problems.
	Severity Severity
}

// Report is what a subcommand has found in files.
type Report struct {
	// Problems are the problems, in the order in which they are written. Sort sorts them.
	Problems []Problem
	// Notes say what is not known or could not be judged, one sentence each. They go to the
	// annotations of GitHub and into SARIF; for people they belong on the standard error.
	Notes []string
	// Failures say which inputs could not be read, one sentence each. They go to the annotations of
	// GitHub and into SARIF; for people they belong on the standard error.
	Failures []string
	// Texts holds the text of each file by its name, for the lines of the text output. A file
	// may be missing.
	Texts map[string][]byte
	// Rules are the kinds of problems of the subcommand, for SARIF. A code that is not among them
	// is added.
	Rules []Rule
	// Version is the version of the program, for SARIF.
	Version string
	// Folder is the current folder relative to the root of the repository, with slashes; empty for
	// the root. GitHub and SARIF have names of files relative to the root.
	Folder string
	// Color makes the text output coloured.
	Color bool
}

// Sort sorts problems by line and column within each file, and keeps the order of the files.
func Sort(problems []Problem) {
	order := map[string]int{}
	for _, p := range problems {
		if _, ok := order[p.File]; !ok {
			order[p.File] = len(order)
		}
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(order[a.File], order[b.File]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// sentence returns the message with the field and the value.
func (p Problem) sentence() string {
	message := p.Message
	if p.Value != "" {
		message = strconv.Quote(p.Value) + " " + message
	}
	return inField(p.Field, message)
}

// Count returns a number with its noun, such as "3 problems".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
