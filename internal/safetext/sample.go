// Package safetext makes text from the network safe to log and to display. Every function is
// pure and safe for concurrent use.
package safetext

import "strconv"

// MaxBytes is the maximum number of bytes of a text that Sample keeps, not counting escapes and
// the dots that mark a cut.
const MaxBytes = 100

// Sample returns the beginning of a text in printable ASCII. It escapes control characters,
// quotes, backslashes and characters beyond ASCII, and appends "..." if it cuts the text.
func Sample(s string) string {
	if len(s) > MaxBytes {
		s = s[:MaxBytes] + "..."
	}
	quoted := strconv.QuoteToASCII(s)
	return quoted[1 : len(quoted)-1]
}
