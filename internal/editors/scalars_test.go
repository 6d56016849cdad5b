package editors

import (
	"fmt"
	"strings"
	"testing"
)

// scalarFields are texts with an unquoted value as a string, a boolean and a whole number.
var scalarFields = []string{"cases:\n  - name: %s\n", "cases:\n  - credentials: %s\n", "cases:\n  - expect:\n      preflights: %s\n"}

// unusualScalars are values that the versions of YAML and their parsers read differently, and others of their kind.
const unusualScalars = `null Null NULL nUll ~ true True TRUE tRue yes Yes YES no No on On off Off y Y n N
	017 089 0o17 0o18 0O17 0x1F 0X1F 0x1_0 0xfg 0b101 1_000 1__0 _1 0_7 -0x1 +0x1 0x-1 -0o7 +017
	1e3 1E3 1e 1e+ 1e+3 .e1 +.5 -.5 .5 5. 1.e1 .inf .Inf .INF -.inf +.inf .nan .NaN inf nan
	2001-01-01 2001-01-01T00:00:00Z 12:30:45 1:20 190:20:30 = << <
	9999999999999999999 18446744073709551616 -9223372036854775809 123456789012345678901234567890`

// onlyRead are the unquoted values that the layer reads as a string, but an editor as a number, which the schema then
// refuses: numbers too large for the layer's YAML parser. No policy has one: in quotes, they are strings for both.
var onlyRead = map[string]bool{"0xffffffffffffffffffff": true, "0o7777777777777777777777777": true, "1e400": true}

// onlyAccepted reports whether an unquoted value is one that an editor accepts and the layer refuses. corsrpc check finds
// these.
func onlyAccepted(field, value string) bool {
	switch {
	case strings.HasPrefix(value, "!"):
		return true // a tag, about which editors warn
	case strings.HasPrefix(field, scalarFields[1]):
		return value == "True" || value == "TRUE"
	case strings.HasPrefix(field, scalarFields[2]):
		return strings.Trim(value, "+-.0123456789eE") == "" || strings.HasPrefix(value, "0x") || strings.HasPrefix(value, "0o") // +1, 01, 1.0, 1e0 and 0x1 are whole numbers for JSON Schema
	}
	return value == "<<" || strings.Trim(value, "+-.0123456789_xXoObeEfF") == "" // 1_000, 0b1, -0x1 and 0O17 are numbers in YAML 1.1
}

// TestScalars: an unquoted value that the layer reads as a string, a boolean or a whole number is one for an editor too, but
// for the differences above. It tries all short values of the characters that matter.
func TestScalars(t *testing.T) {
	t.Parallel()
	scalars := append(strings.Fields(unusualScalars), "")
	for value := range onlyRead {
		scalars = append(scalars, value)
	}
	const characters, maxLength = "0189+-._exob:~nNyY<=!", 3
	for shorter, length := []string{""}, 1; length <= maxLength; length++ {
		var longer []string
		for _, s := range shorter {
			for _, c := range characters {
				longer = append(longer, s+string(c))
			}
		}
		scalars, shorter = append(scalars, longer...), longer
	}
	var texts []text
	for _, field := range scalarFields {
		for _, s := range scalars {
			texts = append(texts, text{1, "yaml", fmt.Sprintf(field, s), s})
		}
	}
	found, both := map[string]bool{}, 0
	for i, r := range validate(t, texts) {
		x := texts[i]
		field := scalarFields[i/len(scalars)]
		switch read := len(x.read().Problems) == 0; {
		case read && r.accepted():
			both++
		case read && onlyRead[x.from] && field == scalarFields[0]:
			found[x.from] = true
		case read:
			t.Errorf("%q is read, but an editor says %q", x.Text, r)
		case r.accepted() && !onlyAccepted(field, x.from):
			t.Errorf("an editor accepts %q, but it is not read", x.Text)
		}
	}
	if len(found) != len(onlyRead) {
		t.Errorf("only %v of onlyRead are read differently", found)
	}
	if both < len(scalars)/4 {
		t.Errorf("both accept %d of %d texts", both, len(texts))
	}
}
