package policyfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
)

// explainJSON returns the mistake that makes a JSON text invalid. Like explainYAML, it tries the
// corrections that are likely. If none applies, the mistake is the library's error at its place.
// It returns false if the text is too large.
func explainJSON(text []byte, msg proto.Message) (mistake, bool) {
	if len(text) > maxExplained {
		return mistake{}, false
	}
	at, err := readJSON(text)
	if err == nil {
		return mistake{}, false // not reached: the two parsers of the library agree
	}
	if m, ok := foreignText(text, lineAt(text, at).end, jsonPatterns); ok {
		return m, true
	}
	j := newJSONMistakes(text, at)
	if m, ok := j.otherFormat(msg); ok {
		return m, true
	}
	m, ok := choose(text, j.candidates(), at, func(changed []byte) trial {
		failedAt, err := readJSON(changed)
		if err != nil {
			return trial{failedAt: failedAt}
		}
		f := newTrial(FormatJSON, msg)
		f.parseJSON(changed, msg.ProtoReflect().New().Interface())
		return trial{valid: true, problems: f.Problems}
	})
	if !ok {
		reason := "is not valid JSON: " + err.Error()
		if at >= len(text) {
			reason = "is not valid JSON: the text ends too early"
		}
		m = mistake{at: at, reason: reason}
	}
	return m, true
}

// readJSON returns the offset of the character that makes a JSON text invalid, and the error;
// nil if the text is valid.
func readJSON(text []byte) (at int, err error) {
	var raw json.RawMessage
	err = json.Unmarshal(text, &raw)
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return len(text), err
	}
	if at = int(syntax.Offset) - 1; strings.HasPrefix(syntax.Error(), "unexpected end") {
		at = len(text)
	}
	return at, err
}

// jsonMistakes finds the likely mistakes of an invalid JSON text.
type jsonMistakes struct {
	text   []byte
	at     int   // the offset of the character that is refused
	open   []int // the offsets of the brackets that are open there
	colons []int // for each of these, the offset behind the last colon directly within it; 0 if there is none
	before int   // the offset behind the last token before it
	last   int   // the offset of that token; -1 if there is none
	string int   // the offset of the string that is open there; -1 if there is none
	found  []mistake
}

// newJSONMistakes reads the text before the offset at, which is valid.
func newJSONMistakes(text []byte, at int) *jsonMistakes {
	j := &jsonMistakes{text: text, at: at, last: -1, string: -1}
	for i := 0; i < at; i++ {
		switch c := text[i]; {
		case j.string >= 0:
			if c == '\\' {
				i++
			} else if c == '"' {
				j.last, j.before, j.string = j.string, i+1, -1
			}
			continue
		case strings.IndexByte(" \t\r\n", c) >= 0:
			continue
		case c == '"':
			j.string = i
			continue
		case c == '[' || c == '{':
			j.open, j.colons = append(j.open, i), append(j.colons, 0)
		case (c == ']' || c == '}') && len(j.open) > 0:
			j.open, j.colons = j.open[:len(j.open)-1], j.colons[:len(j.colons)-1]
		case c == ':' && len(j.colons) > 0:
			j.colons[len(j.colons)-1] = i + 1
		}
		if j.before != i || strings.IndexByte("[]{},:", text[i]) >= 0 || j.last >= 0 && strings.IndexByte("[]{},:\"", text[j.last]) >= 0 {
			j.last = i // otherwise it continues a number or a word
		}
		j.before = i + 1
	}
	return j
}

// otherFormat reports a text in another format of policies.
func (j *jsonMistakes) otherFormat(msg proto.Message) (mistake, bool) {
	if j.last >= 0 || j.at == len(j.text) {
		return mistake{}, false
	}
	for _, other := range []Format{FormatYAML, FormatText} {
		f := newTrial(other, msg)
		name, extension := "YAML", ".yaml"
		if fresh := msg.ProtoReflect().New().Interface(); other == FormatText {
			name, extension = "protobuf's text format", ".textproto"
			f.parseText(j.text, fresh)
		} else if code, _ := scanYAML(j.text); code == "" {
			f.parseYAML(j.text, fresh)
		}
		if len(f.Problems) == 0 {
			line := lineAt(j.text, j.at)
			return mistake{at: j.at, value: string(bytes.TrimSpace(j.text[j.at:line.end])), known: true,
				reason: "is not JSON but " + name + ": name the file with the extension " + extension}, true
		}
	}
	return mistake{}, false
}

func (j *jsonMistakes) add(m mistake) { j.found = append(j.found, m) }

// replace adds a mistake whose culprit is text[start:end], and whose fix is the text to write
// instead.
func (j *jsonMistakes) replace(start, end int, with, reason string) {
	j.add(mistake{at: start, start: start, end: end, with: with, value: string(j.text[start:end]), reason: reason, fix: with})
}

// remove adds a mistake whose culprit is text[start:end], which has to be removed.
func (j *jsonMistakes) remove(start, end int, reason string) {
	j.add(mistake{at: start, start: start, end: end, value: string(j.text[start:end]), reason: reason + ": remove it"})
}

// byteBefore returns the last byte of the token before the refused character; 0 if there is none.
func (j *jsonMistakes) byteBefore() byte {
	if j.before == 0 {
		return 0
	}
	return j.text[j.before-1]
}

// inObject reports whether the innermost open bracket is that of an object.
func (j *jsonMistakes) inObject() bool {
	return len(j.open) > 0 && j.text[j.open[len(j.open)-1]] == '{'
}

// candidates returns the likely mistakes, the more specific ones first.
func (j *jsonMistakes) candidates() []mistake {
	if j.string >= 0 {
		j.inString()
		return j.found
	}
	if j.at == len(j.text) {
		j.end()
		return j.found
	}
	rest := j.text[j.at:]
	c, size := utf8.DecodeRune(rest)
	before := j.byteBefore()
	line := lineAt(j.text, j.at)
	// The library reads the first character of a comment or a keyword before it refuses the next one.
	for _, start := range []int{j.at, j.at - 1} {
		if start < 0 {
			continue
		}
		switch from := j.text[start:]; {
		case bytes.HasPrefix(from, []byte("//")), from[0] == '#':
			j.remove(start, line.end, "is a comment, which JSON does not have")
		case bytes.HasPrefix(from, []byte("/*")):
			if n := bytes.Index(from, []byte("*/")); n > 0 {
				j.remove(start, start+n+len("*/"), "is a comment, which JSON does not have")
			}
		}
	}
	switch {
	case strings.ContainsRune(invisible, c):
		j.add(mistake{at: j.at, start: j.at, end: j.at + size, with: " ", value: string(c), reason: fmt.Sprintf("is the character %U, which looks like a space", c), fix: "a space, or nothing"})
	case c == '\'' || strings.ContainsRune(typedQuotes, c):
		j.quoted(size)
	case (c == '}' || c == ']') && before == ',':
		j.remove(j.before-1, j.before, "has no value behind it")
	case c == ',':
		if len(j.open) == 0 && before == '}' {
			j.remove(j.before-1, j.before, "closes the {policy}, but the text goes on behind it")
			j.found[len(j.found)-1].strict = true
		}
		j.remove(j.at, j.at+1, "has no value before it")
	case c == '=':
		j.replace(j.at, j.at+1, ":", "stands behind a key, but JSON has a colon")
	case (c == '}' || c == ']') && len(j.open) > 0:
		opening := j.open[len(j.open)-1]
		closing := string(j.text[opening] + 2)
		j.add(mistake{at: j.at, start: j.at, end: j.at, with: closing, value: string(c), reason: "comes before the closing bracket of a list or an object", fix: closing + string(c)})
		j.replace(j.at, j.at+1, closing, "closes a bracket of another kind")
	case len(j.open) == 0 && j.last >= 0 && (c == '}' || c == ']'):
		j.remove(j.at, j.at+1, "closes a bracket that is not open")
	case len(j.open) == 0 && j.last >= 0:
		j.add(mistake{at: j.at, start: j.at, end: len(j.text), value: string(bytes.TrimSpace(j.text[j.at:line.end])), reason: "stands behind the {policy}, but a file may contain one {policy} only: remove it"})
	}
	j.opening(c)
	j.stringBefore()
	if j.last >= 0 && strings.IndexByte("[{,:", before) < 0 && strings.IndexByte(`"[{tfn-0123456789`, rest[0]) >= 0 {
		value := strings.TrimRight(string(j.text[j.at:min(line.end, j.at+j.tokenSize(j.at))]), " \t")
		where := "a comma before it"
		if p := positionAt(j.text, j.before); p.Line != positionAt(j.text, j.at).Line {
			where = fmt.Sprintf("a comma at the end of line %d", p.Line)
		}
		if behind := bytes.TrimLeft(j.text[j.at+j.tokenSize(j.at):], " \t\r\n"); len(j.open) > 0 && !j.inObject() && bytes.HasPrefix(behind, []byte(":")) {
			fix := "], before " + value
			if p := positionAt(j.text, j.before); p.Line != positionAt(j.text, j.at).Line {
				fix = fmt.Sprintf("], at the end of line %d", p.Line)
			}
			j.add(mistake{at: j.open[len(j.open)-1], start: j.before, end: j.before, with: "],", value: "[", reason: "has no closing bracket", fix: fix, strict: true})
		}
		j.add(mistake{at: j.at, start: j.before, end: j.before, with: ",", value: value, reason: "follows the value before it without a comma", fix: where})
		j.add(mistake{at: j.at, start: j.before, end: j.before, with: ":", value: value, reason: "follows a key without a colon", fix: "a colon before it"})
	}
	j.word()
	if c != utf8.RuneError && c > ' ' {
		j.add(mistake{at: j.at, start: j.at, end: j.at + size, value: string(c), reason: "does not belong here: remove it", strict: true})
	}
	return j.found
}

// tokenSize returns the size of the string, word or bracket at an offset.
func (j *jsonMistakes) tokenSize(start int) int {
	switch c := j.text[start]; {
	case c == '"':
		if n := bytes.IndexByte(j.text[start+1:], '"'); n >= 0 {
			return n + 2
		}
	case strings.IndexByte("[]{}", c) >= 0:
		return 1
	}
	n := bytes.IndexAny(j.text[start:], ",]} \t\r\n")
	if n < 0 {
		return len(j.text) - start
	}
	return n
}

// quoted finds a string in other quotes than those of JSON.
func (j *jsonMistakes) quoted(size int) {
	rest := string(j.text[j.at+size : lineAt(j.text, j.at).end])
	for i, r := range rest {
		if strings.ContainsRune(typedQuotes, r) {
			end := j.at + size + i + utf8.RuneLen(r)
			j.replace(j.at, end, `"`+rest[:i]+`"`, `is in other quotes than ", and JSON has no others`)
			return
		}
	}
}

// inString finds mistakes within a string.
func (j *jsonMistakes) inString() {
	line := lineAt(j.text, j.string)
	if j.at < line.end {
		switch c := j.text[j.at]; {
		case c == '\t':
			j.remove(j.at, j.at+1, "is a tab, which cannot stand in a string of JSON")
		case c < ' ':
			j.remove(j.at, j.at+1, "is a control character, which cannot stand in a string of JSON")
		case j.at > 0 && j.text[j.at-1] == '\\':
			j.replace(j.at-1, j.at+1, `\\`+string(c), "is not an escape of JSON: a backslash is written twice")
			j.found[len(j.found)-1].at = j.at - 1
		}
		return
	}
	rest := j.text[j.string+1 : line.end]
	add := func(end int) {
		fixed := string(j.text[j.string:end]) + `"`
		j.add(mistake{at: j.string, start: end, end: end, with: `"`, value: string(j.text[j.string:end]), reason: "has an opening quote and no closing one in its line", fix: fixed})
	}
	for _, stop := range []string{": ", ",", "]", "}"} {
		if n := bytes.Index(rest, []byte(stop)); n > 0 {
			add(j.string + 1 + n)
		}
	}
	add(j.string + 1 + len(bytes.TrimRight(rest, " \t\r,")))
	if line.end == len(j.text) || line.end+1 == len(j.text) {
		j.add(mistake{at: j.string, start: line.end, end: line.end, with: `"` + j.closing(), value: string(j.text[j.string:line.end]), reason: "has an opening quote and no closing one, and the text ends here", fix: string(j.text[j.string:line.end]) + `"` + j.closing()})
		return
	}
	next := j.text[line.end:]
	size := len(next) - len(bytes.TrimLeft(next, " \t\r\n"))
	j.add(mistake{at: j.string, start: line.end, end: line.end + size, value: string(j.text[j.string:line.end]), reason: "has a line break within its quotes: write the string in one line"})
}

// closing returns the closing brackets of those that are open.
func (j *jsonMistakes) closing() string {
	var closing []byte
	for i := range j.open {
		closing = append(closing, j.text[j.open[len(j.open)-1-i]]+2)
	}
	return string(closing)
}

// opening finds a missing opening bracket, by a colon or a closing bracket that does not fit, and
// a list that is not closed before the next key.
func (j *jsonMistakes) opening(c rune) {
	add := func(at int, with, value, fix string) {
		j.add(mistake{at: at, start: at, end: at, with: with, value: value, reason: "has no bracket " + with + " before it", fix: fix, strict: true})
	}
	switch {
	case j.last < 0:
	case c == ':' && j.text[j.last] == '"':
		key := string(j.text[j.last:j.before])
		add(j.last, "{", key, "{"+key)
		if comma := len(bytes.TrimRight(j.text[:j.last], " \t\r\n")) - 1; comma >= 0 && j.text[comma] == ',' && len(j.open) > 0 {
			closing := string(j.text[j.open[len(j.open)-1]] + 2)
			j.add(mistake{at: j.open[len(j.open)-1], start: comma, end: comma, with: closing, value: string(j.text[j.open[len(j.open)-1]]), reason: "has no closing bracket", strict: true,
				fix: fmt.Sprintf("%s behind the value at the end of line %d", closing, positionAt(j.text, comma).Line)})
		}
	case (c == ']' || c == '{') && j.inObject() && j.colons[len(j.colons)-1] > 0:
		start := j.colons[len(j.colons)-1]
		start += len(j.text[start:j.at]) - len(bytes.TrimLeft(j.text[start:j.at], " \t\r\n"))
		end := min(j.before, lineAt(j.text, start).end)
		if end <= start {
			return
		}
		add(start, "[", string(j.text[start:end]), "["+string(j.text[start:end]))
	}
}

// stringBefore finds a string without its closing quote, so that it goes on to the next quote.
func (j *jsonMistakes) stringBefore() {
	if j.last < 0 || j.text[j.last] != '"' {
		return
	}
	for _, stop := range []byte(":,]}") {
		n := bytes.IndexByte(j.text[j.last:j.before], stop)
		if n < 0 {
			continue
		}
		end := j.last + n
		fixed := string(j.text[j.last:end]) + `"`
		j.add(mistake{at: j.last, start: end, end: end, with: `"`, value: string(j.text[j.last:end]), reason: "has an opening quote and no closing one", fix: fixed})
	}
}

// wordsOfOthers maps words of other languages to those of JSON.
var wordsOfOthers = map[string]string{
	"True": "true", "TRUE": "true", "yes": "true", "on": "true", "False": "false", "FALSE": "false", "no": "false", "off": "false",
}

// word finds a key or a value without quotes.
func (j *jsonMistakes) word() {
	start := j.at
	if j.last >= 0 && j.before == j.at && strings.IndexByte("[]{},:\"", j.text[j.last]) < 0 {
		start = j.last // the number or word that the refused character continues
	}
	end := start + j.tokenSize(start)
	if m := variable.FindIndex(j.text[start:]); m != nil && m[0] == 0 {
		name := string(j.text[start : start+m[1]])
		j.replace(start, start+m[1], `"`+name+`"`, "must be in quotes, as each string of JSON")
		return
	}
	key := false
	if previous := bytes.TrimRight(j.text[:start], " \t\r\n"); j.inObject() && len(previous) > 0 && strings.IndexByte("{,", previous[len(previous)-1]) >= 0 {
		if n := bytes.IndexAny(j.text[start:end], ":="); n > 0 {
			key, end = true, start+n
		}
	}
	if n := bytes.IndexByte(j.text[start:end], '"'); n > 0 {
		end = start + n + 1
		word := string(j.text[start:end])
		j.replace(start, end, `"`+word, "has a closing quote and no opening one")
		return
	}
	word := string(j.text[start:end])
	switch other, known := wordsOfOthers[word]; {
	case word == "" || strings.ContainsAny(word, `"{}[]`):
	case key:
		j.replace(start, end, `"`+word+`"`, "must be in quotes, as each key of JSON")
	case known:
		j.replace(start, end, other, "is not a value of JSON")
	case word == "None" || word == "nil" || word == "undefined" || word == "NULL" || word == "Null":
		j.add(mistake{at: start, start: start, end: end, with: "null", value: word, reason: "is not a value of JSON: leave the field out"})
	case strings.Trim(word, "0123456789") == "" && len(word) > 1 && word[0] == '0':
		j.replace(start, end, "0"+strings.TrimLeft(word, "0"), "begins with 0, which a number of JSON cannot")
		m := &j.found[len(j.found)-1]
		m.with = strings.TrimLeft(word, "0")
		m.fix = m.with
	default:
		j.replace(start, end, `"`+strings.ReplaceAll(word, `\`, `\\`)+`"`, "must be in quotes, as each string of JSON")
	}
}

// endOfLine finds the line at whose end the only missing bracket may belong: one before a line
// that begins with a key or an object.
func (j *jsonMistakes) endOfLine(closing string) {
	const maxLines = 20
	for line, n := lineAt(j.text, 0), 0; line.next(j.text) < len(j.text) && n < maxLines; {
		next := lineAt(j.text, line.next(j.text))
		content := bytes.TrimRight(j.text[:line.end], " \t\r\n,")
		if body := bytes.TrimLeft(j.text[next.start:next.end], " \t"); len(content) > 0 && bytes.HasPrefix(body, []byte{'"'}) {
			at := len(content)
			j.add(mistake{at: at - 1, start: at, end: at, with: closing, value: string(bytes.TrimSpace(content[lineAt(j.text, at-1).start:])), reason: "lacks a closing bracket behind it", strict: true, fix: closing + " behind it"})
			n++
		}
		line = next
	}
}

// end finds the brackets that are open at the end of the text.
func (j *jsonMistakes) end() {
	if len(j.open) == 0 {
		return
	}
	closing := j.closing()
	if len(j.open) == 1 {
		j.endOfLine(closing)
	}
	at := j.open[len(j.open)-1]
	j.add(mistake{at: at, start: j.before, end: j.before, with: closing, value: string(j.text[at]), reason: "has no closing bracket", fix: closing + " at the end of the file"})
}
