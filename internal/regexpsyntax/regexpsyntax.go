// Package regexpsyntax writes regular expressions in the syntax that RE2 (Envoy), PCRE (nginx) and package regexp
// read alike. The expressions have no backslashes, which YAML and nginx's configuration read as escapes. Its functions are safe
// for concurrent use.
package regexpsyntax

import "strings"

// Literal returns a regular expression that matches a text. The text must not have a backslash or a caret.
func Literal(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if strings.IndexByte(`.+*?()|[]{}$`, text[i]) >= 0 {
			b.WriteString("[" + text[i:i+1] + "]")
		} else {
			b.WriteByte(text[i])
		}
	}
	return b.String()
}
