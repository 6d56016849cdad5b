package fetch

import (
	"iter"
	"strings"
)

// ExtractHeaderListValues returns the tokens in the lines of a header whose value is a
// comma-separated list. It returns nil if there are no lines. It returns false if an item is
// not a token; browsers then ignore the whole list.
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

// listItems returns the items of a comma-separated list in these lines, without empty items
// (RFC 9110, section 5.6.1.2).
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

// Lists reports whether the lines of a comma-separated field contain the item, or "*".
func Lists(lines []string, item string) bool {
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			if part = strings.Trim(part, " \t"); part == "*" || strings.EqualFold(part, item) {
				return true
			}
		}
	}
	return false
}
