package policyfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
)

// explainYAML returns the mistake that makes a YAML text invalid. The library's error has the
// line of the surrounding block at best, so that the place is found here: by how far the library
// reads, and by trying what is usually meant, in a text of at most maxExplained bytes.
func explainYAML(text []byte, msg proto.Message) (mistake, bool) {
	read, err := readYAML(text)
	if err == nil {
		return mistake{}, false // not reached: the library is deterministic
	}
	if m, ok := foreignText(text, lineAt(text, read).end, yamlPatterns); ok {
		return m, true
	}
	y := newYAMLMistakes(text, read)
	if len(text) > maxExplained {
		return y.unexplained(read, err), true
	}
	if m, ok := choose(text, y.candidates(read), read, func(changed []byte) trial {
		if failedAt, err := readYAML(changed); err != nil {
			return trial{failedAt: failedAt}
		}
		f := &File{format: FormatYAML, positions: map[string]Position{}, trial: true}
		f.parseYAML(changed, msg.ProtoReflect().New().Interface())
		return trial{valid: true, problems: f.Problems}
	}); ok {
		return m, true
	}
	return y.unexplained(read, err), true
}

// unexplained returns the library's error in plain words, at the line where the library stops or
// at the quote that is not closed.
func (y *yamlMistakes) unexplained(read int, err error) mistake {
	words := strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n", " "), "yaml: ")
	if _, after, found := strings.Cut(words, ": "); found && strings.HasPrefix(words, "line ") {
		words = after
	}
	m := mistake{reason: "is not valid YAML in this line or before it: "}
	if n := len(y.lines); n > 0 {
		m.at = y.lines[n-1].body
	}
	for _, known := range yamlWords {
		if strings.Contains(words, known.library) {
			words = known.plain
			break
		}
	}
	if words == quoteNotClosed && y.quote >= 0 {
		m.at, m.reason = y.quote, "is not valid YAML: "
	}
	m.reason += words
	return m
}

const quoteNotClosed = "a quote is not closed"

// yamlWords holds what the errors of the library mean.
var yamlWords = []struct{ library, plain string }{
	{"found character that cannot start any token", "a value begins with a character that needs quotes"},
	{"did not find expected key", "a line does not fit the indentation of the lines above it, or something stands behind a value"},
	{"did not find expected '-' indicator", "a line of a list does not begin with a dash, or something stands behind a value"},
	{"did not find expected ',' or", "a bracket is not closed, or a comma is missing"},
	{"could not find expected ':'", "a key has no colon, or no space behind the colon"},
	{"mapping values are not allowed", "a line is indented too deep, or a value has a colon and needs quotes"},
	{"block sequence entries are not allowed", "a dash cannot stand here: an item of a list has a line of its own"},
	{"found unexpected end of stream", quoteNotClosed},
	{"found unexpected document indicator", quoteNotClosed},
	{"did not find expected alphabetic or numeric character", "a value begins with * or &, and needs quotes"},
	{"found unknown escape character", "a value in double quotes has a backslash: use single quotes"},
	{"did not find expected <document start>", "a line is indented less than the first line of the file, or something stands behind a value"},
	{"did not find expected node content", "a bracket is closed where a value should be, or a comma has no value before it"},
}

// readYAML returns how many bytes of a text the library reads until it returns an error, and
// the error; nil if the text is valid. The library reads at most a few characters ahead of the
// character that its scanner refuses, and two tokens ahead of one that its parser refuses.
func readYAML(text []byte) (read int, err error) {
	r := &bytewise{text: text}
	d := yaml.NewDecoder(r)
	for {
		var doc yaml.Node
		switch err := decodeYAML(d, &doc); {
		case errors.Is(err, io.EOF):
			return r.read, nil
		case err != nil:
			return r.read, err
		}
	}
}

// bytewise is a reader that returns one byte at a time.
type bytewise struct {
	text []byte
	read int
}

func (r *bytewise) Read(p []byte) (int, error) {
	if r.read == len(r.text) {
		return 0, io.EOF
	}
	n := copy(p[:min(1, len(p))], r.text[r.read:])
	r.read += n
	return n, nil
}

// yamlMistakes finds the likely mistakes of an invalid YAML text.
type yamlMistakes struct {
	text  []byte
	lines []contentLine // those up to the one with the error that have content
	open  []int         // the offsets of the brackets that are open at the error
	wrong []int         // the offsets of closing brackets without a matching opening one
	quote int           // the offset of the quote that is open at the error; -1 if there is none
	found []mistake
}

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

// near is the number of lines before the error that are looked at: the library reads two tokens
// ahead, and a missing character is often at the end of the line before.
const near = 4

// candidates returns the likely mistakes, the more specific ones first.
func (y *yamlMistakes) candidates(read int) []mistake {
	y.control(read)
	last := y.lines[max(0, len(y.lines)-near):]
	for _, check := range []func(contentLine){y.tabs, y.variables, y.indicators, y.quotes, y.colons, y.dashes, y.comments} {
		for _, l := range last {
			if l.inside == 0 {
				check(l)
			}
		}
	}
	y.quotesOverLines()
	y.brackets()
	for _, l := range last {
		if l.inside == 0 {
			y.commas(l)
		}
	}
	for i := range slices.Backward(y.lines) {
		if i >= len(y.lines)-near && y.lines[i].inside == 0 && y.lines[i].flow == 0 {
			y.indentation(i)
		}
	}
	return y.found
}

func (y *yamlMistakes) add(m mistake) { y.found = append(y.found, m) }

// replace adds a mistake whose culprit is text[start:end], and whose fix is the text to write
// instead.
func (y *yamlMistakes) replace(start, end int, with, reason string) {
	y.add(mistake{at: start, start: start, end: end, with: with, value: string(y.text[start:end]), reason: reason, fix: strings.TrimSpace(with)})
}

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

// variables finds environment variables without quotes in brackets, where their brace begins a mapping.
func (y *yamlMistakes) variables(l contentLine) {
	line := y.text[l.body:l.content]
	for _, m := range variable.FindAllIndex(line, -1) {
		before, behind := string(line[:m[0]]), string(line[m[1]:])
		if l.flow == 0 && !strings.ContainsAny(before, "[{") || strings.Count(before, `"`)%2 > 0 || strings.Count(before, "'")%2 > 0 {
			continue
		}
		start := l.body + strings.LastIndexAny(before, " \t,[{") + 1
		end := l.body + m[1]
		if n := strings.IndexAny(behind, " \t,]}"); n >= 0 {
			end += n
		} else {
			end = l.content
		}
		y.replace(start, end, `"`+string(y.text[start:end])+`"`, "must be in quotes, since a brace in brackets begins a mapping in YAML")
	}
}

// variable matches an environment variable as a policy writes it.
var variable = regexp.MustCompile(`\$\{[^{}"'\r\n]*\}`)

// indicators finds unquoted values that begin with a character that has a meaning in YAML.
func (y *yamlMistakes) indicators(l contentLine) {
	for _, at := range y.starts(l) {
		token := string(y.text[at:y.token(l, at)])
		if token == "" || strings.HasSuffix(token, ":") || strings.Contains(token, ": ") || strings.Contains(token, " - ") {
			continue
		}
		switch c := token[0]; {
		case c == '*' && at == l.body && strings.HasPrefix(token, "* ") && l.flow == 0:
			y.bullet(at, 1)
		case c == '*' && aliasName.MatchString(token):
			y.replace(at, at+len(token), `"`+token+`"`, "is an alias without its anchor, and a policy has no aliases: write the value out, or put it in quotes")
			y.found[len(y.found)-1].fix = ""
		case c == '*':
			y.quoted(at, token, token, "must be in quotes, since an unquoted * begins an alias in YAML")
		case c == '`':
			y.quoted(at, token, strings.Trim(token, "`"), "is in backticks, but YAML has the quotes \" and '")
		case strings.IndexByte("@%!&|>?", c) >= 0:
			y.quoted(at, token, token, fmt.Sprintf("must be in quotes, since an unquoted value in YAML cannot begin with %c", c))
		}
	}
}

// aliasName matches an alias that may be meant as one.
var aliasName = regexp.MustCompile(`^\*[A-Za-z_][A-Za-z0-9_]*$`)

// quoted adds the mistake of a token that is meant as a text, or as a list of that text.
func (y *yamlMistakes) quoted(at int, token, meant, reason string) {
	quoted := `"` + strings.ReplaceAll(meant, `"`, `\"`) + `"`
	y.replace(at, at+len(token), quoted, reason)
	y.replace(at, at+len(token), "["+quoted+"]", reason)
}

func (y *yamlMistakes) bullet(at, size int) {
	y.add(mistake{at: at, start: at, end: at + size, with: "-", value: string(y.text[at : at+size]), reason: "does not begin an item of a list in YAML", fix: "- and a space"})
}

// quotes finds mistakes within quoted values of a line.
func (y *yamlMistakes) quotes(l contentLine) {
	for _, at := range y.starts(l) {
		quote := y.text[at]
		if quote != '"' && quote != '\'' {
			continue
		}
		closing := at + 1
		for closing < l.end && y.text[closing] != quote {
			if quote == '"' && y.text[closing] == '\\' {
				closing++
			}
			closing++
		}
		if closing >= l.end {
			y.unclosedQuote(l, at)
			continue
		}
		inner := string(y.text[at+1 : closing])
		if quote == '"' && strings.Contains(inner, `\`) && !strings.Contains(inner, "'") {
			i := strings.IndexByte(inner, '\\')
			y.add(mistake{at: at + 1 + i, start: at, end: closing + 1, with: "'" + inner + "'", value: inner,
				reason: "has a backslash, which begins an escape in double quotes, but not in single quotes", fix: "'" + inner + "'"})
		}
		rest := closing + 1
		after := y.text[rest:max(rest, y.token(l, rest))]
		if len(after) == 0 || after[0] == ':' {
			continue
		}
		if comma := strings.IndexByte(inner, ','); comma > 0 && after[0] != ' ' && after[0] != '\t' && (l.flow > 0 || y.inBrackets(l, at)) {
			end := at + 1 + comma
			text := string(y.text[at:end])
			y.add(mistake{at: at, start: end, end: end, with: string(quote), value: text, reason: "has an opening quote and no closing one", fix: text + string(quote)})
		}
		if l.flow == 0 && !y.inBrackets(l, at) && itemsBehind.Match(after) {
			list := "[" + strings.TrimRight(string(y.text[at:rest+len(after)]), ",; ") + "]"
			y.add(mistake{at: at, start: at, end: rest + len(after), with: list, value: string(y.text[at : rest+len(after)]), reason: "is a list without brackets", fix: list})
		}
		whole := string(y.text[at : rest+len(after)])
		text := strings.Trim(whole, `"',; `)
		text = strings.NewReplacer(`"`, "", "'", "").Replace(text)
		c := string(quote)
		switch trimmed := strings.TrimSpace(string(after)); {
		case strings.Trim(trimmed, ",;") == "":
			y.add(mistake{at: rest + strings.Index(string(after), trimmed), start: rest, end: rest + len(after), value: trimmed, reason: "stands behind the closing quote of a value: remove it"})
		case inner == "" || strings.Trim(trimmed, `"'`) == "":
			y.add(mistake{at: at, start: at, end: rest + len(after), with: c + text + c, value: whole, reason: "has a quote too many", fix: c + text + c})
		case after[0] != ' ' && after[0] != '\t':
			y.add(mistake{at: rest, start: at, end: rest + len(after), with: c + text + c, value: whole, reason: "goes on behind its closing quote", fix: c + text + c})
		}
	}
}

// itemsBehind matches the quoted items behind the first item of a list without brackets.
var itemsBehind = regexp.MustCompile(`^(?:[ \t]*,[ \t]*(?:"[^"\\]*"|'[^']*'))+[ \t]*,?$`)

// unclosedQuote finds where the closing quote of a value is missing.
func (y *yamlMistakes) unclosedQuote(l contentLine, at int) {
	quote := string(y.text[at])
	add := func(end int, cut int) {
		fixed := string(y.text[at:end]) + quote
		y.add(mistake{at: at, start: end, end: end + cut, with: quote, value: string(y.text[at : end+cut]), reason: "has an opening quote and no closing one", fix: fixed})
	}
	rest := y.text[at+1 : l.end]
	other := "\"'"[strings.IndexByte("'\"", quote[0])]
	for _, stop := range []string{string(other), ": ", ",", "]", "}", " #"} {
		if n := bytes.Index(rest, []byte(stop)); n > 0 {
			cut := 0
			if stop == string(other) {
				cut = 1
			}
			add(at+1+n, cut)
		}
	}
	add(at+1+len(bytes.TrimRight(rest, " \t\r,")), 0)
}

// quotesOverLines finds the opening quote of a quoted value that goes on in the next line.
func (y *yamlMistakes) quotesOverLines() {
	for i := len(y.lines) - 1; i > 0; i-- {
		if y.lines[i].inside != 0 && y.lines[i].inside != '|' && y.lines[i-1].inside == 0 {
			y.quotes(y.lines[i-1])
			return
		}
	}
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

// control finds the control character at the place of the error.
func (y *yamlMistakes) control(read int) {
	for at := min(read, len(y.text)) - 1; at >= 0 && at >= read-near; at-- {
		if r, size := utf8.DecodeRune(y.text[at:]); r != utf8.RuneError && r != '\t' && unicode.IsControl(r) && r != '\n' && r != '\r' {
			y.add(mistake{at: at, start: at, end: at + size, value: string(r), reason: "is a control character, which YAML does not allow: remove it"})
		}
	}
}

// shortKey returns the key of a line, or the line if it has none.
func shortKey(line string) string {
	key, _, found := strings.Cut(line, ": ")
	if found {
		return key + ":"
	}
	return line
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
