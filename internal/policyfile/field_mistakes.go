package policyfile

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// maxMeant is the maximum size in bytes of a value that is read as what may be meant.
const maxMeant = 1000

// invisible are the characters that editors do not show, or show as a space.
const invisible = "\u00a0\u00ad\u200b\u200c\u200d\u2007\u2060\u202f\ufeff"

// typedQuotes are the quotes that word processors write, and the other quotes and brackets in
// which people put a value.
const typedQuotes = "“”„‟‘’‚‛«»`\"'"

// withoutQuotes returns a text without the quotes and invisible characters around it.
func withoutQuotes(s string) string { return strings.Trim(s, typedQuotes+invisible+" \t\r\n") }

// notList reports a value that is not a list where the field is a list.
func (f *File) notList(n *node, path string, fd protoreflect.FieldDescriptor) {
	switch n.kind {
	case stringNode:
		reason, fix := f.meantList(n.text)
		if fd.Message() != nil {
			if meant := f.meantMessage(n, fd.Message()); meant != "" {
				fix = "[" + meant + "]"
			}
		}
		f.problem(n, path, CodeWrongType, reason, fix)
	case mappingNode:
		f.problem(n, path, CodeWrongType, "is a mapping, but the field takes a list", f.meantItems(n, fd))
	default:
		f.wrongType(n, path, "a list", "")
	}
}

// meantItems returns what to write instead of a mapping that is meant as a list; "" if that is
// not known.
func (f *File) meantItems(n *node, fd protoreflect.FieldDescriptor) string {
	if len(n.pairs) == 0 {
		return ""
	}
	if fd.Message() != nil {
		switch first := n.pairs[0].key; {
		case fieldOf(fd.Message(), first) == nil:
			if meant := f.meantByKeys(n, fd.Message()); meant != "" {
				return meant
			}
			return f.meantSelector(n.pairs[0], fd.Message())
		case f.format == FormatJSON:
			return "[{" + strconv.Quote(first) + ": ...}]"
		default:
			return "- " + first + ": ..., and the other fields of the item below " + first
		}
	}
	var keys []string
	for _, p := range n.pairs {
		if p.value.kind != nullNode {
			return ""
		}
		keys = append(keys, p.key)
	}
	return f.flowList(keys)
}

// meantSelector returns what to write instead of an item under its selector, path or name as a key; "" if the key
// is something else.
func (f *File) meantSelector(p pair, md protoreflect.MessageDescriptor) string {
	field, value := f.meantKey(p.key, md)
	if f.format != FormatYAML || field == "" || p.value.kind != mappingNode && p.value.kind != nullNode || strings.Contains(p.key, " ") {
		return ""
	}
	return fmt.Sprintf("- %s: %s, and the fields of that %s below %s", field, value, words(md.Name()), field)
}

// meantKey returns the field that a key means which stands in place of an item of a list, and its value; "" if
// the items have no such field.
func (f *File) meantKey(key string, md protoreflect.MessageDescriptor) (field, value string) {
	name := f.subject.keys[md.Name()]
	switch {
	case (name == "selector" || name == "service") && strings.HasPrefix(key, "/"):
		name = "path"
	case md.Name() == "VirtualHost" && strings.ContainsAny(key, ".*"):
		return "hosts", f.flowList([]string{key})
	}
	return string(name), f.quote(key)
}

// meantByKeys returns the list to write instead of a mapping whose keys name items, and whose values are those of
// the main field of an item; "" if it is something else.
func (f *File) meantByKeys(n *node, md protoreflect.MessageDescriptor) string {
	const most = 4
	main, ok := f.subject.main[md.Name()]
	if !ok || len(n.pairs) > most {
		return ""
	}
	var items []string
	for _, p := range n.pairs {
		field, value := f.meantKey(p.key, md)
		if field == "" || p.value.kind != stringNode || len(p.key)+len(p.value.text) > maxMeant/most {
			return ""
		}
		items = append(items, f.object(field, value+", "+f.keyText(string(main))+": "+f.text(p.value.text)))
	}
	return "[" + strings.Join(items, ", ") + "]"
}

// words returns the name of a message as words, such as virtual host.
func words(name protoreflect.Name) string {
	return strings.ToLower(strings.TrimSpace(upperCase.ReplaceAllString(string(name), " $0")))
}

var upperCase = regexp.MustCompile(`[A-Z]`)

// listItem matches an item of a text that is meant as a list.
var listItem = regexp.MustCompile(`\$\{[^}\n]*\}|[^\s,;|]+`)

// bullets are the characters other than a dash by which people begin an item of a list.
const bullets = "–—−•·●*"

// meantList returns the problem of a text where a list is needed, and the list to write.
func (f *File) meantList(text string) (reason, fix string) {
	reason = "is a string, but the field takes a list"
	if len(text) > maxMeant {
		return reason, ""
	}
	var items []string
	trimmed := strings.Trim(text, " \t\r\n"+invisible)
	for _, item := range listItem.FindAllString(strings.NewReplacer("\u00a0", " ", "\ufeff", " ").Replace(trimmed), -1) {
		item = strings.TrimLeft(strings.Trim(item, "()[]"+typedQuotes), "-–—−•·●")
		if item = strings.Trim(item, "()"+typedQuotes); strings.HasPrefix(item, "[") == strings.HasSuffix(item, "]") && item != "" {
			items = append(items, item)
		}
	}
	fix = f.flowList(items)
	r, size := firstRune(trimmed)
	switch {
	case len(items) == 0:
		fix = ""
	case strings.HasPrefix(trimmed, "[") && strings.HasSuffix(trimmed, "]"):
		reason = "is a string, since its brackets are within quotes, but the field takes a list"
	case r == '-' && len(trimmed) > 1 && !strings.HasPrefix(trimmed, "- "):
		reason = "has no space behind the dash, so that it is not an item of a list"
	case strings.ContainsRune(bullets, r) && len(trimmed) > size && (r != '*' || trimmed[size] == ' '):
		reason = fmt.Sprintf("begins with %c, which does not begin an item of a list", r)
	}
	return reason, fix
}

// flowList returns a list in brackets. If that is long, it says how to write the list instead.
func (f *File) flowList(items []string) string {
	const maxFix = 200
	quoted, size := make([]string, 0, min(len(items), maxFix)), 0
	for _, item := range items {
		quoted = append(quoted, f.quote(item))
		if size += len(item); size > maxFix {
			return "a list of the items"
		}
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func firstRune(s string) (r rune, size int) {
	for i, c := range s {
		if i > 0 {
			return r, i
		}
		r = c
	}
	return r, len(s)
}

// keyAndSeparator matches a text that is meant as a field and its value.
var keyAndSeparator = regexp.MustCompile(`^([A-Za-z_]+)[ \t]*(：|=|:` + "\u00a0" + `|:|\{)[ \t]*`)

// notMapping reports a value that is not a mapping where the field is a message.
func (f *File) notMapping(n *node, path string, md protoreflect.MessageDescriptor) {
	switch n.kind {
	case listNode:
		fix := ""
		if len(n.items) > 0 && n.items[0].kind == mappingNode {
			if fix = "the fields without a dash"; f.format == FormatJSON {
				fix = "the fields without brackets around them"
			}
		}
		if meant := f.meantMessage(n, md); meant != "" {
			fix = meant
		}
		f.problem(n, path, CodeWrongType, "is a list, but the field takes a mapping of fields", fix)
	case stringNode:
		reason, fix := f.meantMapping(n.text, path, md)
		if meant := f.meantMessage(n, md); meant != "" {
			fix = meant
		}
		f.problem(n, path, CodeWrongType, reason, fix)
	case nullNode:
		if fix := f.meantMessage(n, md); fix != "" {
			f.problem(&node{pos: n.pos}, path, CodeWrongType, "has no value", fix)
			return
		}
		f.wrongType(n, path, "a mapping of fields", "")
	case boolNode:
		fix := f.meantMessage(n, md)
		reason := "is a boolean, but the field takes a mapping of fields"
		if fix == "" && n.text == "false" && f.subject != &policySubject {
			reason += ": leave it out"
		}
		f.problem(n, path, CodeWrongType, reason, fix)
	default:
		f.wrongType(n, path, "a mapping of fields", f.meantMessage(n, md))
	}
}

// meantMapping returns the problem of a text where fields are needed, and what to write.
func (f *File) meantMapping(text, path string, md protoreflect.MessageDescriptor) (reason, fix string) {
	reason = "is a string, but the field takes a mapping of fields"
	if path == "" {
		reason, fix = "is not a {policy}, which has fields such as "+f.subject.fields, f.example()
	}
	if len(text) > maxMeant {
		return reason, fix
	}
	text = strings.Trim(text, invisible+" ")
	m := keyAndSeparator.FindStringSubmatchIndex(text)
	switch {
	case m == nil || fieldOf(md, text[m[2]:m[3]]) == nil:
		if md.Fields().ByName("selector") != nil && !strings.ContainsAny(text, " \n:") {
			if fix = f.quote("selector") + ": " + f.quote(text); strings.HasPrefix(text, "/") {
				fix = f.quote("path") + ": " + f.quote(text)
			}
		}
		return reason, fix
	case text[m[4]:m[5]] == ":":
		reason = "has no space behind the colon"
	case text[m[4]:m[5]] == "：":
		reason = "has a full-width colon behind the key"
	case text[m[4]:m[5]] == ":\u00a0":
		reason = "has a no-break space behind the colon"
	case text[m[4]:m[5]] == "=":
		reason = "has = behind the key, but YAML has a colon and a space"
	default:
		reason = "is written as in protobuf's text format, whose files end in .textproto"
	}
	return reason, strings.TrimSpace(text[m[2]:m[3]] + ": " + text[m[1]:])
}

// fieldOf returns the field of a message by one of its names; nil if there is none.
func fieldOf(md protoreflect.MessageDescriptor, name string) protoreflect.FieldDescriptor {
	if fd := md.Fields().ByName(protoreflect.Name(name)); fd != nil {
		return fd
	}
	return md.Fields().ByJSONName(name)
}

// misplaced reports a key that is not a field of its message, but of a message before it or of
// one that is missing around it. It returns false if it is not. The owner is the field before
// the key, which is empty if it has no value; nil if there is none. again is whether the key before was
// such a key too. in is the mapping with the key.
func (f *File) misplaced(p pair, path string, md protoreflect.MessageDescriptor, owner protoreflect.FieldDescriptor, empty, again bool, in *node) bool {
	if f.format != FormatYAML {
		return false
	}
	problem := Problem{Code: CodeUnknownField, Field: join(path, p.key), Value: p.key, Pos: p.pos}
	hidden := hiddenCharacter(p.key)
	if hidden != "" {
		p.key = visible(p.key)
	}
	switch {
	case hidden != "" && fieldOf(md, p.key) != nil:
		return false // unknownField reports the character
	case f.synonym(p.key, md) != nil && f.synonym(p.key, md).Message() != nil:
		return false // unknownField names the field
	case f.isMessage(p.value, md) && owner == nil && p.value.flow:
		problem.Reason = fmt.Sprintf("is not a field of %s, but the fields in its braces are", md.Name())
		problem.Fix = f.withoutBraces(p.value, md)
	case f.isMessage(p.value, md) && owner == nil:
		problem.Reason, problem.Fix = fmt.Sprintf("is not a field of %s, but the fields below it are: remove this line and the indentation of those below it", md.Name()), ""
	case owner != nil && !owner.IsMap() && owner.Message() != nil && fieldOf(owner.Message(), p.key) != nil:
		problem.Reason = fmt.Sprintf("is a field of %s, but is not indented below %s", owner.Message().Name(), owner.Name())
		switch problem.Fix = "two spaces before it"; {
		case owner.IsList() && again:
			problem.Fix = "four spaces before it"
		case owner.IsList() && empty:
			problem.Fix = "two spaces and a dash before it: \"  - " + p.key + ":\""
		case !empty:
			problem.Fix = "as many spaces before it as before the fields above it"
		}
	case owner != nil && owner.IsMap() && empty && f.isMessage(p.value, owner.MapValue().Message()):
		problem.Reason = fmt.Sprintf("is a name in %s, but is not indented below it", owner.Name())
		problem.Fix = "two spaces before it, and two more before the lines below it"
	default:
		around := f.fieldAround(md, p)
		if around == nil {
			return false
		}
		if p.value.kind == mappingNode && fieldOf(around.Message(), p.key) == nil {
			problem.Reason, problem.Fix = fmt.Sprintf("is not a field of %s", md.Name()), string(around.Name())
			break
		}
		problem.Reason = fmt.Sprintf("is not a field of %s, but of %s in it", md.Name(), around.Name())
		if in.flow {
			problem.Fix = string(around.Name()) + ": " + f.object(p.key, f.shown(p.value))
			break
		}
		problem.Fix = fmt.Sprintf("%s: in a line of its own before it, and two spaces before %s", around.Name(), p.key)
		if again || slices.ContainsFunc(in.pairs, func(s pair) bool { return fieldOf(md, s.key) == around }) {
			problem.Fix = fmt.Sprintf("it below %s:, with two spaces before it", around.Name())
		}
	}
	if hidden != "" && p.key != "" {
		problem.Reason, problem.Fix = "has "+hidden+", where YAML needs spaces", "two spaces before "+p.key
	}
	if problem.Fix == "two spaces before it" && p.value.pos.Line > p.pos.Line {
		problem.Fix += ", and two more before the lines below it"
	}
	f.add(problem)
	return true
}

// withoutBraces returns the fields of a mapping in braces, for the mapping around it; "" if they are not all scalars.
func (f *File) withoutBraces(n *node, md protoreflect.MessageDescriptor) string {
	var fields []string
	for _, p := range n.pairs {
		fd := fieldOf(md, p.key)
		if fd == nil {
			fd = f.synonym(p.key, md)
		}
		if fd == nil || !p.value.isScalar() || len(p.value.text) > maxMeant/8 {
			return ""
		}
		fields = append(fields, string(fd.Name())+": "+f.shown(p.value))
	}
	return strings.Join(fields, " and ")
}

// fieldAround returns the first field of a message, other than a list, that is itself a message
// with the key, or with the fields below the key; nil if there is none.
func (f *File) fieldAround(md protoreflect.MessageDescriptor, p pair) protoreflect.FieldDescriptor {
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		if fd.IsList() || fd.IsMap() || fd.Message() == nil || fd.Message() == md || fd.Message().FullName() == "google.protobuf.Duration" {
			continue
		}
		if fieldOf(fd.Message(), p.key) != nil || f.isMessage(p.value, fd.Message()) {
			return fd
		}
	}
	return nil
}

// isMessage reports whether a value is a mapping whose first key is a field of a message, or
// another word for one.
func (f *File) isMessage(n *node, md protoreflect.MessageDescriptor) bool {
	if n.kind != mappingNode || len(n.pairs) == 0 || md == nil {
		return false
	}
	key := n.pairs[0].key
	return fieldOf(md, key) != nil || f.synonym(key, md) != nil
}

// hiddenCharacter returns the first invisible character or quote of a key, as part of a message.
func hiddenCharacter(key string) string {
	for _, r := range key {
		switch {
		case r == '\u00a0':
			return "a no-break space (U+00A0)"
		case strings.ContainsRune(invisible, r):
			return fmt.Sprintf("the invisible character %U", r)
		case strings.ContainsRune(typedQuotes, r):
			return fmt.Sprintf("the quote %c, which is not a quote of YAML or JSON", r)
		}
	}
	return ""
}

// visible returns a key without invisible characters and typed quotes.
func visible(key string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(invisible+typedQuotes+" ", r) {
			return -1
		}
		return r
	}, key)
}

// durationWords matches a number with a unit, and what may stand behind it.
var durationWords = regexp.MustCompile(`^([0-9][0-9_']{0,15}(?:\.[0-9]{1,9})?)\s*([A-Za-z]*)[,;]?(?:\s*#.*)?$`)

// durationUnits holds the length of each unit in seconds.
var durationUnits = map[string]float64{
	"": 1, "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1,
	"m": 60, "min": 60, "mins": 60, "minute": 60, "minutes": 60,
	"h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "hours": 3600,
	"d": 86400, "day": 86400, "days": 86400, "w": 604800, "week": 604800, "weeks": 604800, "ms": 0.001,
}

// meantDuration returns the duration that a text means, in the form of a policy; "" if it means none.
func meantDuration(text string) string {
	text = withoutQuotes(text)
	if d, err := time.ParseDuration(text); err == nil {
		return strconv.FormatFloat(max(d.Seconds(), 0), 'f', -1, 64) + "s" // a negative time means that nothing is cached
	}
	m := durationWords.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	n, err := strconv.ParseFloat(strings.NewReplacer("_", "", "'", "").Replace(m[1]), 64)
	unit, known := durationUnits[strings.ToLower(m[2])]
	if err != nil || !known {
		return ""
	}
	return strconv.FormatFloat(n*unit, 'f', -1, 64) + "s"
}
