package policyfile

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// contentLine is a line of a YAML text with content other than a comment.
type contentLine struct {
	textLine
	number  int
	body    int  // the offset of the first character that is not a space or a tab
	content int  // the offset behind the last character of the content
	flow    int  // the number of brackets that are open at its start
	inside  byte // the quote or the block scalar (|) that the line begins in; 0 if there is none
}

func (l contentLine) indent() int { return l.body - l.start }

// newYAMLMistakes reads the lines up to the one that contains the offset read.
func newYAMLMistakes(text []byte, read int) *yamlMistakes {
	y := &yamlMistakes{text: text, quote: -1}
	last := lineAt(text, max(read-1, 0)).end
	var quote byte
	scalar := -1 // the indentation of the key of a block scalar; -1 outside
	for start, number := 0, 1; start <= last && start < len(text); number++ {
		at := lineAt(text, start)
		l := contentLine{textLine: at, number: number, flow: len(y.open), inside: quote}
		l.body = l.start + len(text[l.start:l.end]) - len(bytes.TrimLeft(text[l.start:l.end], " \t"))
		start = at.next(text)
		if scalar >= 0 && (l.body == l.end || l.indent() > scalar) {
			continue
		}
		scalar = -1
		l.content, quote = y.scanLine(l, quote)
		if l.content == l.body && l.inside == 0 {
			continue
		}
		if quote == 0 && len(y.open) == 0 && blockScalar.Match(text[l.body:l.content]) {
			scalar = l.indent()
		}
		y.lines = append(y.lines, l)
	}
	return y
}

// blockScalar matches a line whose value follows in the next lines, as text.
var blockScalar = regexp.MustCompile(`(?:^|[:-][ \t]+)[|>][0-9+-]*$`)

// scanLine follows the quotes and brackets of a line. It returns where the content ends, before
// a comment, and the quote that is open at the end of the line.
func (y *yamlMistakes) scanLine(l contentLine, quote byte) (content int, open byte) {
	text, tokenStart := y.text, true
	content = l.body
	for i := l.body; i < l.end; i++ {
		c := text[i]
		if c != ' ' && c != '\t' {
			content = i + 1
		}
		switch {
		case quote == '"' && c == '\\':
			i++
			content = min(i+1, l.end)
		case quote != 0:
			if c == quote {
				if c == '\'' && i+1 < l.end && text[i+1] == '\'' {
					i++
					content = i + 1
				} else {
					quote, y.quote, tokenStart = 0, -1, false
				}
			}
		case c == ' ' || c == '\t':
			if i+1 < l.end && text[i+1] == '#' {
				return content, quote
			}
		case c == '#' && i == l.body:
			return i, quote
		case tokenStart && (c == '"' || c == '\''):
			quote, y.quote = c, i
		case c == '[' || c == '{':
			if tokenStart {
				y.open = append(y.open, i)
			}
		case (c == ']' || c == '}') && (len(y.open) > 0 || tokenStart || text[i-1] == ']' || text[i-1] == '}'):
			switch n := len(y.open); {
			case n > 0 && text[y.open[n-1]] == c-2: // '[' and ']' differ by 2, and so do '{' and '}'
				y.open = y.open[:n-1]
			default:
				y.wrong = append(y.wrong, i)
			}
			tokenStart = false
		case c == ',' && len(y.open) > 0:
			tokenStart = true
		case (c == ':' || c == '-' || c == '?') && (i+1 == l.end || text[i+1] == ' ' || text[i+1] == '\t'):
			tokenStart = c == ':' || tokenStart
		default:
			tokenStart = false
		}
	}
	return content, quote
}

// token returns the end of the unquoted value that begins at an offset of the line.
func (y *yamlMistakes) token(l contentLine, start int) (end int) {
	if start >= l.content {
		return start
	}
	end = l.content
	if l.flow > 0 || y.inBrackets(l, start) {
		if n := bytes.IndexAny(y.text[start:l.content], ",[]{}"); n >= 0 {
			end = start + n
		}
	}
	return start + len(bytes.TrimRight(y.text[start:end], " \t"))
}

// inBrackets reports whether a bracket of the line is open at an offset.
func (y *yamlMistakes) inBrackets(l contentLine, at int) bool {
	opened := bytes.ContainsAny(y.text[l.body:at], "[{")
	return opened
}

// starts returns the offsets at which the tokens of a line begin.
func (y *yamlMistakes) starts(l contentLine) (all []int) {
	start, quote := true, byte(0)
	for i := l.body; i < l.content; i++ {
		switch c := y.text[i]; {
		case quote != 0:
			if c == '\\' && quote == '"' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == ' ' || c == '\t':
		case strings.IndexByte("[]{},", c) >= 0:
			start = true
		case (c == ':' || c == '-' && start) && (i+1 == l.content || y.text[i+1] == ' ' || y.text[i+1] == '\t'):
			start = true
		case start:
			all = append(all, i)
			if start = false; c == '"' || c == '\'' {
				quote = c
			}
		}
	}
	return all
}

// openBefore returns the offset of the innermost bracket that is open at the error if the closing
// bracket at an offset closes one around it; -1 otherwise.
func (y *yamlMistakes) openBefore(at int) int {
	inner := -1
	for _, open := range slices.Backward(y.open) {
		switch {
		case open > at:
		case y.text[open] == y.text[at]-2:
			return inner
		case inner < 0:
			inner = open
		}
	}
	return -1
}

// itemEnd returns the offset of the first line before end that begins an item at another
// indentation than the line, and end if there is none.
func (y *yamlMistakes) itemEnd(l contentLine, indent, end int) int {
	dash := strings.Repeat(" ", indent) + "- "
	for start := l.next(y.text); start < end; start = lineAt(y.text, start).next(y.text) {
		if bytes.HasPrefix(y.text[start:end], []byte(dash)) {
			return start
		}
	}
	return end
}
