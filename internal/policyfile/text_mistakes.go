package policyfile

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// explainText returns the problem of an invalid text in protobuf's text format. The library
// refuses the token at the offset at. Like explainYAML, it tries the corrections that are likely.
func explainText(text []byte, msg proto.Message, at int, problem string) Problem {
	p := Problem{Code: CodeSyntax, Pos: positionAt(text, at), Reason: "is not a valid {policy} in protobuf's text format: " + problem}
	if at == len(text) {
		p.Reason = "is not a valid {policy} in protobuf's text format: the text ends too early"
	}
	t := &textMistakes{text: text, at: at, message: msg.ProtoReflect().Descriptor()}
	if name, ok := strings.CutPrefix(problem, "unknown field: "); ok {
		p.Code, p.Value, p.Reason = CodeUnknownField, name, "is not a field of this message"
		p.Fix, _ = Nearest(name, t.names())
	}
	if name, ok := strings.CutPrefix(problem, "non-repeated field "); ok {
		name, _, _ = strings.Cut(strings.TrimPrefix(name, `"`), `"`)
		p.Code, p.Value, p.Reason = CodeDuplicateKey, name, "is set twice: keep one of the two"
	}
	if p.Code != CodeSyntax || len(text) > maxExplained {
		return p
	}
	if m, ok := explained(func() (mistake, bool) { return t.explain(msg) }); ok {
		p = Problem{Code: CodeSyntax, Pos: positionAt(text, m.at), Value: m.value, Reason: m.reason, Fix: m.fix}
	}
	return p
}

// explain returns the mistake that makes the text invalid; false if it is not found.
func (t *textMistakes) explain(msg proto.Message) (mistake, bool) {
	if m, ok := foreignText(t.text, lineAt(t.text, t.at).end, foreignPatterns); ok {
		return m, true
	}
	if m, ok := t.yaml(msg); ok {
		return m, true
	}
	return choose(t.text, t.candidates(), t.at, func(changed []byte) trial {
		failedAt, problem := readText(changed, msg.ProtoReflect().New().Interface())
		return trial{valid: problem == "", failedAt: failedAt}
	})
}

// textMistakes finds the likely mistakes of an invalid text.
type textMistakes struct {
	text    []byte
	at      int
	message protoreflect.MessageDescriptor
}

// names returns the names of the fields of the message and of those in it.
func (t *textMistakes) names() (names []string) {
	t.messages(func(md protoreflect.MessageDescriptor) {
		for i := range md.Fields().Len() {
			names = append(names, md.Fields().Get(i).TextName())
		}
	})
	return names
}

// messages calls visit for the message and each message in it.
func (t *textMistakes) messages(visit func(protoreflect.MessageDescriptor)) {
	seen := map[protoreflect.FullName]bool{}
	var walk func(md protoreflect.MessageDescriptor)
	walk = func(md protoreflect.MessageDescriptor) {
		if seen[md.FullName()] {
			return
		}
		seen[md.FullName()] = true
		visit(md)
		for i := range md.Fields().Len() {
			if inner := md.Fields().Get(i).Message(); inner != nil {
				walk(inner)
			}
		}
	}
	walk(t.message)
}

// enumName returns the full name of the enum value that a word means; "" if it means none.
func (t *textMistakes) enumName(word string) (name string) {
	t.messages(func(md protoreflect.MessageDescriptor) {
		for i := range md.Fields().Len() {
			ed := md.Fields().Get(i).Enum()
			if ed == nil {
				continue
			}
			prefix := enumPrefix(ed)
			if value := ed.Values().ByName(protoreflect.Name(prefix + strings.TrimPrefix(strings.ToUpper(word), prefix))); value != nil {
				name = string(value.Name())
			}
		}
	})
	return name
}

// yaml reports a policy in YAML.
func (t *textMistakes) yaml(msg proto.Message) (mistake, bool) {
	f := newTrial(FormatYAML, msg)
	if code, _ := scanYAML(t.text); code != "" {
		return mistake{}, false
	}
	if f.parseYAML(t.text, msg.ProtoReflect().New().Interface()); len(f.Problems) > 0 {
		return mistake{}, false
	}
	at := len(t.text) - len(bytes.TrimLeft(t.text, " \t\r\n"))
	return mistake{at: at, value: string(t.text[at:lineAt(t.text, at).end]), reason: "is YAML and not protobuf's text format: name the file with the extension .yaml"}, true
}

// candidates returns the likely mistakes.
func (t *textMistakes) candidates() (found []mistake) {
	replace := func(end int, with, reason string) {
		found = append(found, mistake{at: t.at, start: t.at, end: end, with: with, value: string(t.text[t.at:end]), reason: reason, fix: with})
	}
	line := lineAt(t.text, t.at)
	rest := string(t.text[t.at:line.end])
	if rest == "" {
		return t.end()
	}
	for _, comment := range []string{"//", "/*"} {
		if strings.HasPrefix(rest, comment) {
			replace(line.end, "#"+strings.TrimPrefix(rest, comment), "is not a comment in protobuf's text format, where comments begin with #")
		}
	}
	end := t.at + len(rest)
	if n := strings.IndexAny(rest, " ,;]}>"); n >= 0 {
		end = t.at + n
	}
	word := string(t.text[t.at:end])
	if open := t.openList(); open >= 0 && fieldName.MatchString(rest) {
		found = append(found, mistake{at: open, start: t.at, end: t.at, with: "] ", value: "[", reason: "has no closing bracket", fix: "] before " + strings.TrimRight(word, ":{")})
	}
	if value, known := wordsOfOthers[word]; known {
		replace(end, value, "is neither true nor false")
	}
	if name := t.enumName(strings.Trim(word, `"'`)); name != "" {
		replace(end, name, "is not the full name of the value")
	}
	if age := meantDuration(word); age != "" {
		if seconds, err := strconv.ParseFloat(strings.TrimSuffix(age, "s"), 64); err == nil && seconds == float64(int64(seconds)) {
			message := "{ seconds: " + strconv.FormatInt(int64(seconds), 10) + " }"
			replace(end, message, "is not a duration in protobuf's text format")
		}
	}
	reason := "must be in quotes, as each string in protobuf's text format"
	if trimmed := strings.TrimLeft(word, `"'`); trimmed != word && !strings.HasSuffix(trimmed, word[:1]) {
		reason = "has an opening quote and no closing one in its line"
	}
	replace(end, strconv.Quote(strings.Trim(word, typedQuotes)), reason)
	return found
}

// fieldName matches the beginning of a field.
var fieldName = regexp.MustCompile(`^[a-z_]+[ \t]*[:{]`)

// openBrackets returns the offsets of the brackets that are open at the end of a text, and that of a
// quote that is not closed; -1 if there is none.
func openBrackets(text []byte) (open []int, quote int) {
	s := &textScanner{file: &File{}, text: text}
	for s.peek() != 0 {
		switch c := s.text[s.i]; c {
		case '{', '<', '[':
			open = append(open, s.i)
			s.i++
		case '}', '>', ']':
			open = open[:max(0, len(open)-1)]
			s.i++
		case '"', '\'':
			start := s.i
			if s.string(); s.i > len(s.text) {
				return open, start
			}
		default:
			s.i++
		}
	}
	return open, -1
}

// openList returns the offset of the opening bracket of the list that contains the refused token; -1 if it
// is not directly in a list.
func (t *textMistakes) openList() int {
	open, _ := openBrackets(t.text[:t.at])
	if n := len(open); n > 0 && t.text[open[n-1]] == '[' {
		return open[n-1]
	}
	return -1
}

// end finds the quote or the braces that are open at the end of the text.
func (t *textMistakes) end() (found []mistake) {
	open, start := openBrackets(t.text)
	if start >= 0 {
		end := lineAt(t.text, start).end
		quote, value := string(t.text[start]), string(t.text[start:end])
		return []mistake{{at: start, start: end, end: end, with: quote, value: value, reason: "has an opening quote and no closing one", fix: value + quote, known: true}}
	}
	if len(open) == 0 {
		return nil
	}
	var closing []byte
	for i := range open {
		closing = append(closing, t.text[open[len(open)-1-i]]+2)
	}
	at := open[len(open)-1]
	return []mistake{{at: at, start: len(t.text), end: len(t.text), with: string(closing), value: string(t.text[at]), reason: "has no closing brace", fix: string(closing) + " at the end of the file"}}
}
