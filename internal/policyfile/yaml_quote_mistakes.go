package policyfile

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

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
			y.replace(at, at+len(token), `"`+token+`"`, "is an alias without its anchor, and a {policy} has no aliases: write the value out, or put it in quotes")
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
