// Package report writes what a subcommand has found about a file, for a terminal and for programs.
package report

import (
	"fmt"
	"io"
)

// Severity is how severe a problem is.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Problem is something that the author of a file has to look at.
type Problem struct {
	// Severity is how severe it is, and Code its stable code, such as SELECTOR_UNKNOWN.
	Severity Severity
	Code     string
	// File is the name of the file, and Line and Column the position from 1 on; 0 if it is not known.
	File         string
	Line, Column int
	// Field is the path of the value in the file; empty for the file as a whole.
	Field string
	// Message says what is wrong, as a sentence, and Fix what to write instead; empty if that is not
	// known.
	Message, Fix string
}

// WriteText writes problems, one line each.
func WriteText(w io.Writer, problems []Problem) {
	for _, p := range problems {
		fmt.Fprintf(w, "%s:%d:%d: %s: %s [%s]\n", p.File, p.Line, p.Column, p.Severity, p.Message, p.Code)
	}
}
