package main

import (
	"regexp"
	"strings"
)

// slashProse returns the comments of a file whose comments are those of C, and in TypeScript also
// its strings.
func slashProse(path, source string) ([]block, error) {
	if strings.Contains(source, "@generated") {
		return nil, nil
	}
	var blocks []block
	var comment []line // adjacent lines that hold only a comment
	flush := func() {
		blocks = append(blocks, paragraphs(comment)...)
		comment = nil
	}
	lines := strings.Split(source, "\n")
	for i := 0; i < len(lines); i++ {
		start, text := codeEnd(lines[i])
		if text == "" || strings.TrimSpace(lines[i][:start]) != "" {
			flush() // the comment above is not continued
		}
		if strings.HasSuffix(path, ".ts") {
			blocks = append(blocks, quoted(lines[i][:start], i+1)...)
		}
		switch {
		case strings.HasPrefix(text, "//"):
			comment = append(comment, line{text[2:], i + 1, start + 3})
			if strings.TrimSpace(lines[i][:start]) != "" {
				flush()
			}
		case strings.HasPrefix(text, "/*"):
			last := i
			for last < len(lines)-1 && !strings.Contains(lines[last], "*/") {
				last++
			}
			whole := strings.Join(append([]string{text}, lines[i+1:last+1]...), "\n")
			blocks = append(blocks, paragraphs(blockCommentLines(whole, i+1, start+1))...)
			i = last
		}
	}
	flush()
	return blocks, nil
}

// codeEnd returns the offset in a line at which a comment begins, and the comment. It does not
// take a comment's marks within a string for a comment.
func codeEnd(text string) (start int, comment string) {
	var quote byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0 && c == '\\':
			i++
		case c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\'' || c == '`'):
			quote = c
		case quote == 0 && c == '/' && i+1 < len(text) && (text[i+1] == '/' || text[i+1] == '*'):
			return i, text[i:]
		}
	}
	return len(text), ""
}

// blockCommentLines returns the lines of a comment between /* and */ without its marks.
func blockCommentLines(comment string, first, column int) []line {
	var lines []line
	body, _, _ := strings.Cut(strings.TrimPrefix(comment, "/*"), "*/")
	for i, text := range strings.Split(body, "\n") {
		at := 1
		if i == 0 {
			at = column + 2
		}
		stripped := strings.TrimLeft(text, " \t")
		if strings.HasPrefix(stripped, "*") {
			at += len(text) - len(stripped) + 1
			text = stripped[1:]
		}
		lines = append(lines, line{text, first + i, at})
	}
	return lines
}

// strings in double, single or back quotes, on one line.
var quotes = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^'\\\\]|\\\\.)*'|`(?:[^`\\\\]|\\\\.)*`")

// quoted returns the strings in a line of code that are prose.
func quoted(code string, number int) []block {
	var blocks []block
	for _, at := range quotes.FindAllStringIndex(code, -1) {
		var b block
		b.add(code[at[0]+1:at[1]-1], number, at[0]+2)
		if isProse(b.text) {
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// hash matches a comment to the end of a line, behind code or alone.
var hash = regexp.MustCompile(`(?:^|\s)##?( .*)$`)

// hashProse returns the comments of a file whose comments begin with #.
func hashProse(_, source string) ([]block, error) {
	var blocks []block
	var comment []line
	flush := func() {
		blocks = append(blocks, paragraphs(comment)...)
		comment = nil
	}
	for i, text := range strings.Split(source, "\n") {
		at := hash.FindStringSubmatchIndex(text)
		if at == nil || inString(text[:at[0]]) {
			flush()
			continue
		}
		alone := strings.TrimSpace(text[:at[0]]) == ""
		if !alone {
			flush()
		}
		comment = append(comment, line{text[at[2]:at[3]], i + 1, at[2] + 1})
		if !alone {
			flush()
		}
	}
	flush()
	return blocks, nil
}

// inString reports whether code that ends here is within quotes.
func inString(code string) bool {
	return strings.Count(code, `"`)%2 == 1 || strings.Count(code, "'")%2 == 1
}

// prints matches a command of a shell script that prints, with its arguments.
var prints = regexp.MustCompile(`\b(?:echo|printf)\b.*|problems\+=.*`)

// shellProse returns the comments of a shell script and what it prints.
func shellProse(path, source string) ([]block, error) {
	blocks, err := hashProse(path, source)
	for i, text := range strings.Split(source, "\n") {
		if at := prints.FindStringIndex(text); at != nil && !strings.HasPrefix(strings.TrimSpace(text), "#") {
			blank := strings.Repeat(" ", at[0])
			blocks = append(blocks, quoted(blank+text[at[0]:], i+1)...)
		}
	}
	return blocks, err
}
