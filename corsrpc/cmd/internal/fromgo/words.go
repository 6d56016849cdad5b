package fromgo

import (
	"fmt"
	"strings"
)

// joined returns words as a list in a sentence.
func joined(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// quotedJoined is like joined, with each word in quotes.
func quotedJoined(words []string) string {
	var quoted []string
	for _, w := range words {
		quoted = append(quoted, fmt.Sprintf("%q", w))
	}
	return joined(quoted)
}

func isAre(words []string) string {
	if len(words) == 1 {
		return "is"
	}
	return "are"
}

func itThem(words []string) string {
	if len(words) == 1 {
		return "it"
	}
	return "them"
}
