package policyfile

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// tabs finds tabs in the indentation of a line.
func (y *yamlMistakes) tabs(l contentLine) {
	indentation := y.text[l.start:l.body]
	at := bytes.IndexByte(indentation, '\t')
	if at < 0 {
		return
	}
	const reason = "the line is indented by a tab, and YAML allows only spaces"
	all := y.text
	for range 8 {
		all = tabAfterSpaces.ReplaceAll(all, []byte("${1}  "))
	}
	y.add(mistake{at: l.start + at, end: len(y.text), with: string(all), reason: reason, fix: "two spaces for each tab"})
	for _, width := range []int{2, 4, 8} {
		spaces := strings.ReplaceAll(string(indentation), "\t", strings.Repeat(" ", width))
		y.add(mistake{at: l.start + at, start: l.start, end: l.body, with: spaces, reason: reason, fix: fmt.Sprintf("%d spaces for the tab", width)})
	}
}

// tabAfterSpaces matches the first tab in the indentation of a line.
var tabAfterSpaces = regexp.MustCompile(`(?m)^( *)\t`)

func (y *yamlMistakes) bullet(at, size int) {
	y.add(mistake{at: at, start: at, end: at + size, with: "-", value: string(y.text[at : at+size]), reason: "does not begin an item of a list in YAML", fix: "- and a space"})
}

// keyLine matches a line that begins with a key: its dashes, and the key.
var keyLine = regexp.MustCompile(`^((?:- +)*)("?[A-Za-z_][A-Za-z0-9_-]*"?)`)

// colons finds a missing or wrong colon behind a key, and a colon within a value.
func (y *yamlMistakes) colons(l contentLine) {
	line := y.text[l.body:l.content]
	m := keyLine.FindSubmatchIndex(line)
	if m == nil {
		return
	}
	key, at, rest := string(line[m[4]:m[5]]), l.body+m[5], string(line[m[5]:])
	after := strings.TrimLeft(rest, " ")
	value := func(s string) string { return strings.Trim(s, " \t\u00a0") }
	add := func(culprit, size int, with, reason string) {
		y.add(mistake{at: culprit, start: at, end: culprit + size, with: with, value: key + rest, reason: reason,
			fix: strings.TrimSpace(key + ": " + value(string(y.text[culprit+size:l.content])))})
	}
	gap := len(rest) - len(after)
	switch {
	case strings.HasPrefix(after, "："):
		add(at+gap, len("："), ": ", "has a full-width colon behind the key")
	case strings.HasPrefix(after, "="):
		add(at+gap, 1, ": ", "has = behind the key, but YAML has a colon and a space")
	case strings.HasPrefix(rest, ":\u00a0"):
		add(at+1, len("\u00a0"), ": ", "has a no-break space behind the colon")
	case strings.HasPrefix(rest, ":") && len(rest) > 1 && rest[1] != ' ' && rest[1] != '\t' && !strings.HasPrefix(rest, "://"):
		add(at, 1, ": ", "has no space behind the colon")
	case strings.HasPrefix(rest, ": - "):
		y.itemBehindKey(l, key, at+2)
	case strings.HasPrefix(rest, ": ") && strings.Contains(rest[2:], ": ") && !strings.ContainsAny(value(rest[1:])[:1], `"'[{|>`):
		start := at + len(rest) - len(strings.TrimLeft(rest[1:], " "))
		token := string(y.text[start:l.content])
		y.replace(start, l.content, `"`+strings.ReplaceAll(token, `"`, `\"`)+`"`, "has a colon and a space, which a value cannot have unless it is in quotes")
	case rest == "":
		y.add(mistake{at: at, start: at, end: at, with: ":", value: key, reason: "has no colon behind it, so that it is not a key", fix: key + ":", strict: true})
	case gap > 0 && after != "{":
		add(at, gap, ": ", "has no colon behind the key")
		y.found[len(y.found)-1].strict = true
	case after == "{" && rest != after:
		y.add(mistake{at: at, start: at, end: at, value: key + rest, reason: "is written as in protobuf's text format, but this file is YAML: name the file with the extension .textproto, or write " + key + ":", known: true})
	}
}

// itemBehindKey finds a list item that begins in the line of its key.
func (y *yamlMistakes) itemBehindKey(l contentLine, key string, at int) {
	item := strings.TrimSpace(string(y.text[at+1 : l.content]))
	m := mistake{at: at, start: at, end: l.content, with: "[" + item + "]", value: string(y.text[at:l.content]), reason: "is an item of a list, which cannot begin in the line of its key", fix: key + ": [" + item + "]"}
	y.add(m)
	m.with, m.fix = "\n"+strings.Repeat(" ", at-l.start)+string(y.text[at:l.content]), "each item on a line of its own, below "+key+":"
	y.add(m)
}

// dashes finds items of a list with a wrong dash or none.
func (y *yamlMistakes) dashes(l contentLine) {
	line := string(y.text[l.body:l.content])
	c, size := utf8.DecodeRuneInString(line)
	switch {
	case l.flow > 0:
	case c == '-' && len(line) > 1 && line[1] != ' ' && line[1] != '-':
		item := strings.TrimLeft(line[1:], " \t\u00a0")
		m := mistake{at: l.body, start: l.body + 1, end: l.content - len(item), with: " ", value: line, reason: "has no space behind the dash", fix: "- " + item}
		if line[1] == '\t' {
			m.reason = "has a tab behind the dash, and YAML allows only spaces"
		}
		y.add(m)
	case strings.ContainsRune("–—−•·●", c):
		y.bullet(l.body, size)
	case c != '-' && !strings.Contains(line, ": ") && !strings.HasSuffix(line, ":"):
		i := slices.IndexFunc(y.lines, func(other contentLine) bool { return other.number == l.number })
		if i > 0 && y.text[y.lines[i-1].content-1] == ':' && y.lines[i-1].flow == 0 && y.lines[i-1].indent() == l.indent() {
			key := string(y.text[y.lines[i-1].body:y.lines[i-1].content])
			y.add(mistake{at: l.body, start: l.body, end: l.body, with: "- ", value: line, reason: "is below " + key + ", and has no dash as an item of a list", fix: "- " + line, strict: true})
		}
	}
}

// comments finds comments that begin with slashes, and those without a space before the #.
func (y *yamlMistakes) comments(l contentLine) {
	line := y.text[l.body:l.end]
	for i := range line {
		switch {
		case line[i] == '/' && bytes.HasPrefix(line[i:], []byte("//")) && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t'):
			comment := string(line[i:])
			y.add(mistake{at: l.body + i, start: l.body + i, end: l.end, with: "#" + comment[2:], value: comment, reason: "is not a comment in YAML, where comments begin with #", fix: "#" + comment[2:]})
			return
		case line[i] == '#' && i > 0 && line[i-1] != ' ' && line[i-1] != '\t':
			comment := string(line[i:])
			y.add(mistake{at: l.body + i, start: l.body + i, end: l.body + i, with: " ", value: comment, reason: "has no space before it, so that it is not a comment", fix: `" ` + comment + `"`})
		}
	}
}

// indentation finds a line that is indented by a wrong number of spaces, or whose dash is
// missing.
func (y *yamlMistakes) indentation(at int) {
	l := y.lines[at]
	if bytes.IndexByte(y.text[l.start:l.body], '\t') >= 0 {
		return
	}
	line := string(y.text[l.body:l.content])
	isKey, isItem := keyLine.MatchString(line) && !strings.HasPrefix(line, "-"), strings.HasPrefix(line, "- ")
	if !isKey && !isItem {
		return
	}
	if first := y.lines[0]; first.indent() > l.indent() {
		end, shifted := y.shift(first, l.indent()-first.indent())
		text := string(y.text[first.body:first.content])
		y.add(mistake{at: first.body, start: first.start, end: end, with: shifted, value: shortKey(text), strict: true,
			reason: fmt.Sprintf("is %s, but line %d is %s", indented(first.indent()), l.number, indented(l.indent())),
			fix:    spaces(l.indent()) + " before it, and move the lines below with it"})
	}
	seen := map[int]bool{l.indent(): true}
	for i := at - 1; i >= 0 && i >= at-16; i-- {
		before := y.lines[i]
		if before.flow > 0 || before.inside != 0 {
			continue
		}
		text := string(y.text[before.body:before.content])
		dashes := len(text) - len(strings.TrimLeft(text, "- "))
		widths := []int{before.indent() + dashes, before.indent()}
		if isItem {
			widths = widths[1:]
		}
		for _, width := range widths {
			if isKey && dashes > 0 && width == before.indent() && width == l.indent() {
				y.add(mistake{at: l.body, start: l.body, end: l.body, with: "- ", value: shortKey(line), reason: "is where an item of the list begins, and has no dash", fix: "- " + shortKey(line), strict: true})
			}
			if seen[width] {
				continue
			}
			seen[width] = true
			where := fmt.Sprintf(", as in line %d", before.number)
			if width > before.indent() {
				where = fmt.Sprintf(", to be below %s in line %d", shortKey(strings.TrimLeft(text, "- ")), before.number)
			}
			m := mistake{at: l.body, start: l.start, end: l.body, with: strings.Repeat(" ", width), value: shortKey(line), strict: true,
				reason: "is " + indented(l.indent()) + ", which does not fit the lines above it", fix: spaces(width) + " before it" + where}
			y.add(m)
			end, shifted := y.shift(l, width-l.indent())
			if end > l.end {
				m.start, m.end, m.with = l.start, end, shifted
				m.fix += ", and move the lines below with it"
				y.add(m)
			}
			// The items below may have the indentation that this one lacks.
			if item := y.itemEnd(l, width, end); isItem && item < end && item > l.end {
				whole := y.text
				y.text = whole[:item]
				m.start, m.end = l.start, item
				_, m.with = y.shift(l, width-l.indent())
				y.text = whole
				y.add(m)
			}
		}
	}
}

// shift returns the text of a line and of those below it that are indented as much or more, with
// other indentations, and its end.
func (y *yamlMistakes) shift(l contentLine, by int) (end int, shifted string) {
	var b strings.Builder
	for end = l.start; end < len(y.text); {
		line := lineAt(y.text, end)
		body := bytes.TrimLeft(y.text[line.start:line.end], " ")
		indent := line.end - line.start - len(body)
		if len(body) > 0 && indent < l.indent() {
			break
		}
		next := line.next(y.text)
		if len(body) > 0 {
			b.WriteString(strings.Repeat(" ", max(0, indent+by)))
		}
		b.Write(body)
		b.Write(y.text[line.end:next])
		end = next
	}
	return end, b.String()
}

// indented returns the indentation of a line as part of a message.
func indented(n int) string {
	if n == 0 {
		return "not indented"
	}
	return "indented by " + spaces(n)
}

func spaces(n int) string {
	switch n {
	case 0:
		return "no spaces"
	case 1:
		return "one space"
	}
	return fmt.Sprintf("%d spaces", n)
}
