package export

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// comment returns a text for a comment: one line of printable ASCII.
func comment(text string) string {
	quoted := strconv.QuoteToASCII(text)
	return quoted[1 : len(quoted)-1]
}

// placeText returns where a value is written, as file:line, and the field.
func placeText(p rules.Place) string {
	text := p.Field
	if text == "" {
		text = "built-in values"
	}
	switch {
	case p.File == "":
		return text
	case p.Line == 0:
		return p.File + ": " + text
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, text)
}

// shownTargets is the number of targets, and of values, that the comment of a loss lists.
const shownTargets = 3

// writeLosses adds a comment for each loss, in the syntax of YAML and nginx.
func writeLosses(b *strings.Builder, losses []Loss) {
	for _, l := range losses {
		fmt.Fprintf(b, "# Lost (%s): %s", l.Name, l.Name.Text())
		if len(l.Values) > 0 {
			fmt.Fprintf(b, " (%s)", shown(l.Values))
		}
		b.WriteString(".")
		if len(l.Targets) > 0 {
			fmt.Fprintf(b, " For: %s.", shown(l.Targets))
		}
		b.WriteByte('\n')
	}
}

// shown returns the first items of a list, and how many follow.
func shown(items []string) string {
	text := comment(strings.Join(items[:min(len(items), shownTargets)], ", "))
	if more := len(items) - shownTargets; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
