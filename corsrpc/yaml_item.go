package corsrpc

import (
	"slices"
	"strconv"
	"strings"
)

// maxListBytes bounds the length of a list in a remedy, and of each item.
const maxListBytes = 300

// isShort reports whether each item is short enough to be in a remedy.
func isShort(items ...string) bool {
	return !slices.ContainsFunc(items, func(item string) bool { return len(item) > maxListBytes })
}

// yamlList returns the items as the content of a YAML flow sequence. It leaves out the items beyond
// maxListBytes: when the first are granted, the next refusal names the others.
func yamlList(items []string) string {
	var b strings.Builder
	for i, item := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(yamlItem(item))
		if b.Len() > maxListBytes {
			break
		}
	}
	return b.String()
}

// yamlItem returns a text as YAML reads it in a flow sequence, shortened to maxListBytes.
func yamlItem(item string) string {
	if len(item) > maxListBytes {
		item = item[:maxListBytes] + "..."
	}
	if !isPlainScalar(item) {
		item = strconv.QuoteToASCII(item)
	}
	return item
}

// isPlainScalar reports whether YAML reads the text as a string without quotes.
func isPlainScalar(s string) bool {
	switch strings.ToLower(s) {
	case "", "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		return false
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return strings.Trim(s[:1], letters+"/_") == "" && strings.Trim(s, letters+"0123456789-_./") == ""
}
