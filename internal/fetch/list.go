package fetch

import (
	"iter"
	"strings"
)

// ExtractHeaderListValues returns the tokens of a field whose grammar is a list of
// them, from its lines. It returns nil where there are no lines, and false where
// an item is not a token: browsers ignore the whole list then.
//
// See https://fetch.spec.whatwg.org/#extract-header-list-values.
func ExtractHeaderListValues(lines []string) (tokens []string, ok bool) {
	if len(lines) == 0 {
		return nil, true
	}
	tokens = []string{}
	for item := range listItems(lines) {
		if !IsToken(item) {
			return nil, false
		}
		tokens = append(tokens, item)
	}
	return tokens, true
}

// listItems yields the items of a comma-separated list that stands on these lines.
// Empty ones are left out (RFC 9110, section 5.6.1.2).
func listItems(lines []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range lines {
			for more := true; more; {
				var item string
				item, line, more = strings.Cut(line, ",")
				if item = strings.Trim(item, " \t"); item != "" && !yield(item) {
					return
				}
			}
		}
	}
}
