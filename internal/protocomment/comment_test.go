package protocomment_test

import (
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/protocomment"
)

// TestDescriptions compares what becomes of the parts of a comment.
func TestDescriptions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ comment, plain, markdown string }{
		{"", "", ""},
		{"One line.", "One line.", "One line."},
		{"One\nparagraph.\n\nAnother.", "One paragraph.\n\nAnother.", "One paragraph.\n\nAnother."},
		{
			"How long.\n\nDefault: 7200s.\n\n    max_age: 600s",
			"How long.\n\nDefault: 7200s.\n\n    max_age: 600s",
			"How long.\n\nDefault: 7200s.\n\n```yaml\nmax_age: 600s\n```",
		},
		{
			"Rules.\n\n    rules:\n      - selector: a.*\n\n        disabled: true\n\nMore.",
			"Rules.\n\n    rules:\n      - selector: a.*\n\n        disabled: true\n\nMore.",
			"Rules.\n\n```yaml\nrules:\n  - selector: a.*\n\n    disabled: true\n```\n\nMore.",
		},
		{
			"Forms:\n\n  - `a`: one\n    line more\n  - `b`\n\nEnd.",
			"Forms:\n\n- `a`: one line more\n- `b`\n\nEnd.",
			"Forms:\n\n- `a`: one line more\n- `b`\n\nEnd.",
		},
		{"Levels:\n\n 1. the first,\n 2. the\n    second.", "Levels:\n\n1. the first,\n2. the second.", "Levels:\n\n1. the first,\n2. the second."},
	} {
		if got := protocomment.Plain(c.comment); got != c.plain {
			t.Errorf("Plain(%q) = %q, want %q", c.comment, got, c.plain)
		}
		if got := protocomment.Markdown(c.comment); got != c.markdown {
			t.Errorf("Markdown(%q) = %q, want %q", c.comment, got, c.markdown)
		}
	}
}
