package policyfile

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// object returns a mapping with one field, in the syntax of the format.
func (f *File) object(key, value string) string { return "{" + f.keyText(key) + ": " + value + "}" }

// keyText returns the name of a field as the format writes it.
func (f *File) keyText(key string) string {
	if f.format == FormatJSON {
		return strconv.Quote(key)
	}
	return key
}

// text returns a string as the format writes it, in quotes if it would be another value without them.
func (f *File) text(s string) string {
	if otherValue.MatchString(s) || strings.Contains(s, ": ") || strings.HasPrefix(s, ":") {
		return strconv.Quote(s)
	}
	return f.quote(s)
}

// otherValue matches an unquoted text that YAML reads as a number, a boolean or null.
var otherValue = regexp.MustCompile(`^(?i:[-+.~0-9].*|y|yes|n|no|on|off|true|false|null)$`)

// meantMessage returns what to write instead of a value that stands in place of a message; "" if that is
// not known. Only tests have such messages.
func (f *File) meantMessage(n *node, md protoreflect.MessageDescriptor) string {
	if md.Name() == "Expect" {
		return f.meantExpect(n, md)
	}
	name, ok := f.subject.main[md.Name()]
	if !ok || len(n.text) > maxMeant {
		return ""
	}
	fd := md.Fields().ByName(name)
	needed, needs := f.subject.needed[md.Name()]
	switch {
	case n.kind == nullNode, yesWords[strings.ToLower(n.text)] && n.kind != numberNode:
		if !needs {
			return "{}"
		}
		if needed == "" {
			return ""
		}
		return f.object(string(name), f.text(needed))
	case slices.Contains(f.subject.standard, n.text) && needed != "":
		return f.object(string(name), f.text(needed))
	case name == "address" && n.kind == numberNode && plainNumber.MatchString(n.text):
		return f.object(string(name), strconv.Quote(":"+n.text))
	case noWords[strings.ToLower(n.text)] && n.kind != numberNode:
		return ""
	case fd.IsList() && n.kind == listNode:
		return f.meantStrings(n, string(name))
	case fd.IsList() && n.kind == stringNode:
		if _, list := f.meantList(n.text); list != "" {
			return f.object(string(name), list)
		}
	case md.Name() == "Upstream" && n.kind == stringNode:
		return f.object("name", f.quote("api")+", "+f.keyText(string(name))+": "+f.text(n.text))
	case fd.Kind() == protoreflect.StringKind && n.kind == stringNode:
		return f.object(string(name), f.text(n.text))
	case fd.Kind() == protoreflect.StringKind && n.kind == listNode && len(n.items) == 1 && n.items[0].kind == stringNode:
		return f.object(string(name), f.text(n.items[0].text))
	case fd.Message() != nil && fd.Message().FullName() == "google.protobuf.Duration" && n.isScalar():
		if duration := meantDuration(n.text); duration != "" {
			return f.object(string(name), f.quote(duration))
		}
	case fd.Kind() == protoreflect.Int32Kind:
		if number := meantNumber(n.text); number != "" {
			return f.object(string(name), number)
		}
	}
	return ""
}

// shown returns a scalar as the format writes it, and dots for another value.
func (f *File) shown(n *node) string {
	switch {
	case n.kind == stringNode && len(n.text) <= maxMeant:
		return f.text(n.text)
	case n.isScalar() && n.kind != stringNode:
		return n.text
	case n.kind == mappingNode && len(n.pairs) == 0:
		return "{}"
	}
	return "..."
}

// meantStrings returns a mapping whose field has the items of a list of strings; "" if they are not all strings.
func (f *File) meantStrings(n *node, field string) string {
	var items []string
	for _, item := range n.items {
		if item.kind != stringNode {
			return ""
		}
		items = append(items, item.text)
	}
	return f.object(field, f.flowList(items))
}

// meantExpect returns what to write instead of a word in place of an outcome.
func (f *File) meantExpect(n *node, md protoreflect.MessageDescriptor) string {
	word := withoutQuotes(n.text)
	if n.kind == listNode && len(n.items) == 1 {
		word = n.items[0].text
	}
	fd := fieldOf(md, word)
	if fd == nil {
		fd = f.synonym(word, md)
	}
	switch {
	case fd != nil && fd.Message() != nil:
		return f.object(string(fd.Name()), "{}")
	case reasonName.MatchString(word):
		return f.object("blocked", f.object("reason", f.quote(word)))
	case n.kind == nullNode:
		return f.object("blocked", "{}") + " or " + f.object("readable", "{}")
	}
	return ""
}

// reasonName matches the name of a reason.
var reasonName = regexp.MustCompile(`^[A-Z]+(_[A-Z]+)+$`)

// yesWords and noWords are what people write for true and false.
var (
	yesWords = map[string]bool{"true": true, "yes": true, "y": true, "on": true, "1": true}
	noWords  = map[string]bool{"false": true, "no": true, "n": true, "off": true, "0": true}
)

// meantEntries returns the mapping to write instead of a value that stands in place of one from names to
// strings; "" if that is not known.
func (f *File) meantEntries(n *node) string {
	items := n.items
	if n.kind == stringNode && len(n.text) <= maxMeant {
		items = []*node{n}
	}
	var entries []string
	for _, item := range items {
		name, value := item.text, "x"
		switch {
		case item.kind == mappingNode && len(item.pairs) == 1 && item.pairs[0].value.isScalar():
			name, value = item.pairs[0].key, item.pairs[0].value.text
		case item.kind != stringNode || len(item.text) > maxMeant || len(entries) > 8:
			return ""
		default:
			if i := strings.IndexAny(name, ":="); i > 0 {
				name, value = name[:i], strings.TrimSpace(name[i+1:])
			}
		}
		if name = strings.TrimSpace(name); name == "" || strings.Contains(name, " ") {
			return ""
		}
		if f.format == FormatJSON {
			name = strconv.Quote(name)
		}
		entries = append(entries, name+": "+f.text(value))
	}
	if len(entries) == 0 {
		return ""
	}
	return "{" + strings.Join(entries, ", ") + "}"
}

// isScalar reports whether a node is a string, a number or a boolean.
func (n *node) isScalar() bool {
	return slices.Contains([]nodeKind{stringNode, numberNode, boolNode}, n.kind)
}

// number reads an int32, or an int64.
func (f *File) number(n *node, path string, kind protoreflect.Kind) (v protoreflect.Value, ok bool) {
	if n.kind == numberNode && plainNumber.MatchString(n.text) {
		if i, err := strconv.ParseInt(n.text, 10, 64); err == nil && kind == protoreflect.Int64Kind {
			return protoreflect.ValueOfInt64(i), true
		} else if err == nil && i == int64(int32(i)) {
			return protoreflect.ValueOfInt32(int32(i)), true
		}
		f.problem(n, path, CodeWrongType, "is a number that no field can hold", "")
		return v, false
	}
	if n.kind == numberNode {
		fix := cmp.Or(meantNumber(n.text), meantSize(n.text))
		f.problem(n, path, CodeWrongType, "is not a whole number such as 1", fix)
		return v, false
	}
	f.wrongType(n, path, "a whole number", cmp.Or(meantNumber(n.text), meantSize(n.text)))
	return v, false
}

// plainNumber matches a whole number as every format reads it.
var plainNumber = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)

// firstNumber matches a number at the beginning of a text.
var firstNumber = regexp.MustCompile(`^0*([0-9]{1,9})(?:\.0*)?(?:[ x×].*)?$`)

// size matches a number of bytes with a unit, and a number with separators or an exponent.
var size = regexp.MustCompile(`^([0-9][0-9_']{0,15}(?:\.[0-9]{1,6})?(?:e[0-9]{1,2})?)\s*([kmgt]?)(?:i?b|bytes)?$`)

// meantSize returns the whole number that a size means, such as 64k; "" if it means none. Units are those of
// other proxies, where k is 1024.
func meantSize(text string) string {
	m := size.FindStringSubmatch(strings.ToLower(withoutQuotes(text)))
	if m == nil {
		return ""
	}
	n, err := strconv.ParseFloat(strings.NewReplacer("_", "", "'", "").Replace(m[1]), 64)
	if n *= map[string]float64{"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}[m[2]]; err != nil || n > 1<<50 || n != math.Trunc(n) {
		return ""
	}
	return strconv.FormatInt(int64(n), 10)
}

// meantNumber returns the whole number that a text means; "" if it means none.
func meantNumber(text string) string {
	text = strings.ToLower(withoutQuotes(text))
	if m := firstNumber.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	switch text {
	case "none", "zero", "no", "never", "false":
		return "0"
	case "one", "once", "yes", "true":
		return "1"
	case "two", "twice":
		return "2"
	}
	return ""
}
