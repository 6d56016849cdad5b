package policyfile

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// brackets finds brackets that are missing, superfluous or of the wrong kind.
func (y *yamlMistakes) brackets() {
	for _, at := range y.wrong[max(0, len(y.wrong)-near):] {
		c := string(y.text[at])
		if inner := y.openBefore(at); inner >= 0 {
			closing := string(y.text[inner] + 2)
			y.add(mistake{at: at, start: at, end: at, with: closing, value: c, reason: fmt.Sprintf("comes before the closing bracket of the %c in line %d", y.text[inner], positionAt(y.text, inner).Line), fix: closing + c})
		}
		y.add(mistake{at: at, start: at, end: at + 1, value: c, reason: "closes a bracket that is not open: remove it"})
		for _, other := range "]}" {
			if string(other) != c {
				y.replace(at, at+1, string(other), "closes a bracket of another kind")
			}
		}
	}
	for _, at := range slices.Backward(y.open[max(0, len(y.open)-near):]) {
		y.unclosedBracket(at)
	}
}

// unclosedBracket finds where the closing bracket of an opening one is missing.
func (y *yamlMistakes) unclosedBracket(at int) {
	opening, closing := y.text[at], string(y.text[at]+2)
	first := slices.IndexFunc(y.lines, func(l contentLine) bool { return l.start <= at && at < l.end })
	if first < 0 {
		return
	}
	add := func(l contentLine, start, end int) {
		m := mistake{at: at, start: start, end: end, with: closing, value: string(opening), reason: "has no closing bracket", fix: closing + fmt.Sprintf(" at the end of line %d", l.number)}
		if l.number == y.lines[first].number {
			m.value = string(y.text[at:end])
			m.fix = string(y.text[at:start]) + closing
		}
		y.add(m)
	}
	behind := func(l contentLine) int { return l.start + len(bytes.TrimRight(y.text[l.start:l.content], " \t,")) }
	for i := first; i < len(y.lines); i++ {
		if i > first+1 && i < len(y.lines)-near {
			continue
		}
		add(y.lines[i], behind(y.lines[i]), y.lines[i].content)
	}
}

// commas finds a missing comma between two values in brackets, and characters behind brackets.
func (y *yamlMistakes) commas(l contentLine) {
	line := y.text[l.body:l.content]
	for i, c := range line {
		at := l.body + i
		switch {
		case (c == '"' || c == '\'') && i > 1 && (line[i-1] == ' ' || line[i-1] == '\t'):
			if before := bytes.TrimRight(line[:i], " \t"); len(before) > 0 && strings.IndexByte(`"']}`, before[len(before)-1]) >= 0 {
				y.missingComma(at, l.body+len(before))
			}
		case (c == ']' || c == '}') && l.flow == 0:
			if rest := strings.TrimSpace(string(line[i+1:])); rest != "" && strings.Trim(rest, ",;") == "" {
				y.add(mistake{at: at + 1, start: at + 1, end: l.content, value: rest, reason: "stands behind the closing bracket of a value: remove it"})
			}
		}
	}
	if l.flow > 0 {
		i := slices.IndexFunc(y.lines, func(other contentLine) bool { return other.number == l.number })
		if c := y.text[l.body]; i > 0 && strings.IndexByte("]},", c) < 0 {
			if before := y.lines[i-1].content; strings.IndexByte("[{,", y.text[before-1]) < 0 {
				y.missingComma(l.body, before)
			}
		}
	}
}

func (y *yamlMistakes) missingComma(at, before int) {
	where := " before it"
	if a, b := lineAt(y.text, at), lineAt(y.text, before); a != b {
		where = fmt.Sprintf(" at the end of line %d", positionAt(y.text, before).Line)
	}
	end := at + 1
	for end < len(y.text) && y.text[end] != y.text[at] && y.text[end] != '\n' {
		end++
	}
	y.add(mistake{at: at, start: before, end: before, with: ",", value: strings.TrimRight(string(y.text[at:min(end+1, len(y.text))]), "\r\n,"), reason: "follows the value before it without a comma", fix: "a comma" + where})
}
