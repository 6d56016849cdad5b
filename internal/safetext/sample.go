// Package safetext makes text from the network safe to log and to show. Every function
// is pure and safe for concurrent use.
package safetext

import "strconv"

// MaxBytes bounds how much of a text Sample keeps, before escapes and the mark of a cut.
const MaxBytes = 100

// Sample returns the beginning of a text in printable ASCII: escapes stand for control
// characters, quotes, backslashes and what is beyond ASCII, and "..." for what was cut.
func Sample(s string) string {
	if len(s) > MaxBytes {
		s = s[:MaxBytes] + "..."
	}
	quoted := strconv.QuoteToASCII(s)
	return quoted[1 : len(quoted)-1]
}
