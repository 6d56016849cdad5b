// Package yamltext writes the parts of a YAML file that has comments: lines of comments, strings and lists. A YAML
// encoder has no say over where comments stand.
package yamltext

import (
	"slices"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

// width is the length of a line of a comment, in bytes. A longer word has a line of its own.
const width = 110

// Comment returns a text as lines of a comment. first begins the first line, such as "# - ", and next begins each
// other line. Each character that is not printable is escaped, such as a line break, so that no text ends the comment.
func Comment(first, next, text string) []string {
	var lines []string
	line, empty := first, true
	for word := range strings.FieldsSeq(report.Printable(text)) {
		if !empty && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line, empty = next, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	return append(lines, strings.TrimRight(line, " "))
}

// Quoted returns a text as a YAML string in double quotes. YAML has all escapes of Go's strings.
func Quoted(text string) string { return strconv.Quote(text) }

// reserved are the words that YAML 1.1 or 1.2 reads as another value than a string, in lower case.
var reserved = []string{"null", "true", "false", "yes", "no", "on", "off", "y", "n"}

// String returns a text as a YAML string. It has quotes unless the text begins with a letter and has only letters,
// digits and the characters - . / and : inside it, as most origins and names of headers do.
func String(text string) string {
	plain := text != "" && !slices.Contains(reserved, strings.ToLower(text))
	for i := range len(text) {
		c := text[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		plain = plain && (letter || i > 0 && (c >= '0' && c <= '9' || c == '-' || c == '.' || c == '/' || c == ':' && i < len(text)-1))
	}
	if plain {
		return text
	}
	return Quoted(text)
}

// List returns texts as a list of strings in one line.
func List(texts []string) string {
	items := make([]string, len(texts))
	for i, text := range texts {
		items[i] = String(text)
	}
	return "[" + strings.Join(items, ", ") + "]"
}
