// Package protocomment reads the comments of .proto files: paragraphs, lists and examples. An example is
// indented by four spaces. Its functions are safe for concurrent use.
package protocomment

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Of returns the comment before a declaration, without the space that each line begins with; empty if
// it has none, or if the descriptor has no source positions.
func Of(d protoreflect.Descriptor) string {
	text := d.ParentFile().SourceLocations().ByDescriptor(d).LeadingComments
	lines := strings.Split(strings.TrimRight(text, " \n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, " ")
	}
	return strings.Join(lines, "\n")
}

// Plain returns a comment as plain text: each paragraph in one line.
func Plain(comment string) string {
	var out []string
	for _, b := range blocksOf(comment) {
		out = append(out, b.separator+b.text)
	}
	return strings.Join(out, "")
}

// Markdown returns a comment as Markdown, with its examples as fenced blocks of YAML.
func Markdown(comment string) string {
	var out []string
	for _, b := range blocksOf(comment) {
		if b.code {
			b.text = "```yaml\n" + b.example() + "\n```"
		}
		out = append(out, b.separator+b.text)
	}
	return strings.Join(out, "")
}

// Examples returns the examples of a comment, without their indentation.
func Examples(comment string) (examples []string) {
	for _, b := range blocksOf(comment) {
		if b.code {
			examples = append(examples, b.example())
		}
	}
	return examples
}

// example returns the text of a block of code without its indentation.
func (b block) example() string {
	lines := strings.Split(b.text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, indent)
	}
	return strings.Join(lines, "\n")
}

// indent is the indentation of examples.
const indent = "    "

// block is a paragraph, an item of a list, or an example of a comment.
type block struct {
	text      string
	code      bool
	item      bool
	separator string // between the block before and this one
}

// blocksOf cuts a comment into its blocks. The lines of a paragraph or an item are joined.
func blocksOf(comment string) []block {
	var blocks []block
	gap := false // whether an empty line is before this one
	for _, line := range strings.Split(comment, "\n") {
		text := strings.TrimSpace(line)
		last := len(blocks) - 1
		switch {
		case text == "":
			gap = true
			continue
		case isItem(line):
			b := block{text: text, item: true, separator: "\n\n"}
			if last >= 0 && blocks[last].item {
				b.separator = "\n"
			}
			blocks = append(blocks, b)
		case strings.HasPrefix(line, indent) && last >= 0 && blocks[last].code:
			if gap {
				blocks[last].text += "\n"
			}
			blocks[last].text += "\n" + line
		case strings.HasPrefix(line, indent) && gap:
			blocks = append(blocks, block{text: line, code: true, separator: "\n\n"})
		case last >= 0 && !gap:
			blocks[last].text += " " + text
		default:
			blocks = append(blocks, block{text: text, separator: "\n\n"})
		}
		gap = false
	}
	if len(blocks) > 0 {
		blocks[0].separator = ""
	}
	return blocks
}

// isItem reports whether a line begins an item of a list: "  - text" or " 1. text".
func isItem(line string) bool {
	text, indented := strings.CutPrefix(line, " ")
	if text = strings.TrimLeft(text, " "); !indented || strings.HasPrefix(line, indent) {
		return false
	}
	number, _, ok := strings.Cut(text, ". ")
	return strings.HasPrefix(text, "- ") || ok && number != "" && strings.Trim(number, "0123456789") == ""
}
