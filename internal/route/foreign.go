package route

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// foreignWildcard returns a problem if a segment is a wildcard of another router, and otherwise
// "". http.ServeMux takes such a segment literally, so that it would match no real request.
func foreignWildcard(part string) (reason string) {
	const instead = ": in a pattern of net/http, {name} matches one segment, {name...} matches the rest, and a slash at the end matches all paths below"
	switch {
	case strings.HasPrefix(part, ":") && part != ":":
		return "has the segment " + part + ", which is a wildcard of another router" + instead
	case strings.Contains(part, "*"):
		return "has a *, which is a wildcard of another router" + instead
	case strings.HasPrefix(part, "<") && strings.HasSuffix(part, ">"), strings.HasPrefix(part, "[") && strings.HasSuffix(part, "]"):
		return "has the segment " + part + ", which is a wildcard of another router" + instead
	case strings.HasPrefix(part, "(") && strings.ContainsAny(part, `[\+|`):
		return "has a regular expression" + instead
	case strings.HasPrefix(part, "{"):
		return "" // parseSegment reports its problem
	case strings.Contains(part, "(.:"), strings.Contains(part, "[") && strings.Contains(part, "]"), strings.Contains(part, "<") && strings.Contains(part, ">"):
		return "has a wildcard of another router within a segment" + instead
	}
	return ""
}

// translate returns the pattern of net/http that is equivalent to a pattern of another router;
// it returns "" if there is none.
func translate(text string) string {
	if len(text) > MaxPath {
		return ""
	}
	text, isRegexp := strings.CutPrefix(text, "^")
	if isRegexp {
		text = strings.TrimSuffix(text, "$")
	}
	text, ok := withoutHost(text)
	if !ok || strings.Contains(text, "#{") {
		return ""
	}
	parts := splitSegments(text)
	if len(parts) > 0 && parts[0] == "" {
		parts = parts[1:]
	}
	t := translation{names: map[string]int{}}
	for i, part := range parts {
		if !t.add(part, i == len(parts)-1) {
			return ""
		}
	}
	translated := "/" + strings.Join(t.parts, "/")
	if _, reason := parsePattern(translated); reason != "" {
		return ""
	}
	return translated
}

// withoutHost removes a method and a host from a pattern. It returns false if the text before
// the path is something else.
func withoutHost(text string) (string, bool) {
	if method, rest, ok := strings.Cut(text, " "); ok && method != "" && strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ|,") == "" {
		text = strings.TrimLeft(rest, " ")
	}
	if _, rest, ok := strings.Cut(text, "://"); ok {
		_, path, _ := strings.Cut(rest, "/")
		return "/" + path, true
	}
	host, path, ok := strings.Cut(text, "/")
	switch {
	case ok && strings.ContainsAny(host, ".:") && !strings.HasPrefix(host, ":"):
		return "/" + path, strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.:-") == ""
	case strings.HasPrefix(text, "/"):
		return text, true
	}
	return text, !strings.ContainsAny(text, "~ ") && host != ""
}

// splitSegments splits a path at its slashes, except for those in brackets. It drops a query
// and a fragment.
func splitSegments(text string) (parts []string) {
	depth, start := 0, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case strings.IndexByte("{([<", c) >= 0:
			depth++
		case strings.IndexByte("})]>", c) >= 0:
			depth--
		case depth > 0:
		case c == '#', c == '?' && !isOptional(text[start:i], text[i+1:]):
			return append(parts, text[start:i])
		case c == '/', c == '\\':
			parts = append(parts, text[start:i])
			start = i + 1
		}
	}
	return append(parts, text[start:])
}

// isOptional reports whether a question mark after a segment makes something optional or
// matches one character, rather than beginning a query. The rest is the text after it.
func isOptional(segment, rest string) bool {
	return rest != "" && !strings.Contains(rest, "=") || strings.HasPrefix(segment, ":") && rest == ""
}

// translation is a pattern of net/http under construction.
type translation struct {
	parts []string
	names map[string]int // the wildcards' names; the value is the number that was last appended to the name
}

// add translates a segment. It returns false if net/http has no equivalent.
func (t *translation) add(part string, last bool) bool {
	name, rest, wild, ok := interpret(part, last)
	switch {
	case !ok, rest && !last:
		return false
	case part == "" && !last:
		return true // an empty segment is left out
	case wild && rest && name == "":
		t.parts = append(t.parts, "") // a slash at the end
	case wild && rest:
		t.parts = append(t.parts, "{"+t.unique(name)+"...}")
	case wild:
		t.parts = append(t.parts, "{"+t.unique(name)+"}")
	case strings.ContainsAny(part, "<>?"):
		return false
	default:
		return t.addLiteral(part)
	}
	return true
}

// addLiteral adds a literal segment as browsers send it, and resolves dot segments.
func (t *translation) addLiteral(part string) bool {
	decoded, err := url.PathUnescape(part)
	if err != nil {
		decoded = part
	}
	if written := (&url.URL{Path: decoded}).EscapedPath(); err != nil || strings.ContainsFunc(part, func(r rune) bool { return r <= ' ' || strings.ContainsRune("\"<>^`", r) }) {
		part = written
	}
	switch decoded {
	case ".":
	case "..":
		t.parts = t.parts[:max(len(t.parts)-1, 0)]
	default:
		t.parts = append(t.parts, part)
	}
	return true
}

// unique returns a wildcard's name that does not occur in the pattern yet.
func (t *translation) unique(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' {
			return r
		}
		return '_'
	}, name)
	if !isGoIdentifier(name) {
		name = "any"
	}
	free := name
	for t.names[free] > 0 {
		t.names[name]++
		free = fmt.Sprint(name, t.names[name])
	}
	t.names[free] = 1
	return free
}

// interpret returns the meaning of a segment: a literal, a wildcard for one segment (wild), or
// a wildcard for the rest of the path (wild and rest). It returns false if it is something
// else.
func interpret(part string, last bool) (name string, rest, wild, ok bool) {
	inner := func(open, end string) (string, bool) {
		if strings.HasPrefix(part, open) && strings.HasSuffix(part, end) && len(part) >= len(open)+len(end) {
			return part[len(open) : len(part)-len(end)], true
		}
		return "", false
	}
	switch {
	case part == "{$}":
		return "", false, false, last
	case part == "*" && !last:
		return "any", false, true, true
	case part == "*", part == "**", part == ".*", part == ".+", part == "(.*)", part == "(.+)":
		return "", true, true, last
	case strings.HasPrefix(part, "*"):
		name := strings.Trim(part, "*{}")
		return name, true, true, last && isGoIdentifier(strings.ReplaceAll(name, "-", "_"))
	case strings.HasPrefix(part, ":"):
		return colonWildcard(part[1:], last)
	}
	if in, ok := inner("{", "}"); ok {
		return braceWildcard(in, last)
	}
	if in, ok := inner("<", ">"); ok {
		return angleWildcard(in, last)
	}
	if in, ok := inner("[[...", "]]"); ok {
		return in, true, true, last
	}
	if in, ok := inner("[...", "]"); ok {
		return in, true, true, last
	}
	if in, ok := inner("[", "]"); ok {
		return in, false, true, true
	}
	if in, ok := inner("(", ")"); ok && foreignWildcard(part) != "" {
		_, named, _ := strings.Cut(in, "<")
		named, expression, _ := strings.Cut(named, ">")
		many := expression == ".*" || expression == ".+"
		return named, many, true, !many || last
	}
	return "", false, false, foreignWildcard(part) == "" && !strings.ContainsAny(part, "{}")
}

// colonWildcard interprets :name, optionally followed by a regular expression or a quantifier.
func colonWildcard(s string, last bool) (name string, rest, wild, ok bool) {
	end := strings.IndexAny(s, "(?+*")
	if end < 0 {
		return s, false, true, isGoIdentifier(strings.ReplaceAll(s, "-", "_"))
	}
	name, behind := s[:end], s[end:]
	many := strings.HasSuffix(behind, "*") || strings.HasSuffix(behind, "+") || behind == "(.*)" || behind == "(.+)"
	return name, many && last, true, isGoIdentifier(strings.ReplaceAll(name, "-", "_")) && (!many || last)
}

// braceWildcard interprets {name}, {name:expression}, {name=template}, {*name}, {name*} and
// {name?}.
func braceWildcard(s string, last bool) (name string, rest, wild, ok bool) {
	if name, isRest := strings.CutSuffix(s, "..."); isRest {
		return name, true, true, last
	}
	if strings.ContainsAny(s[:min(1, len(s))], "*+") {
		return strings.TrimLeft(s, "*+"), true, true, last
	}
	end := strings.IndexAny(s, ":=?<*")
	if end < 0 {
		return s, false, true, s != "" && !strings.ContainsAny(s, "{}")
	}
	name, pattern := s[:end], s[end+1:]
	if s[end] == '*' {
		return name, true, true, last && pattern == ""
	}
	pattern = classes.ReplaceAllString(pattern, "x")
	many := pattern == "path" || strings.Contains(pattern, "**") || strings.Contains(pattern, ".*") || strings.Contains(pattern, ".+") || strings.Contains(pattern, "/")
	return name, many, true, !strings.ContainsAny(name, "{}") && (!many || last)
}

// classes matches the character classes of a regular expression.
var classes = regexp.MustCompile(`\[[^\]]*\]`)

// angleWildcard interprets <name>, <name..>, <converter:name> and <name:converter>.
func angleWildcard(s string, last bool) (name string, rest, wild, ok bool) {
	if name, isRest := strings.CutSuffix(s, ".."); isRest {
		return name, true, true, last
	}
	first, second, two := strings.Cut(s, ":")
	first, _, _ = strings.Cut(first, "(")
	converters := []string{"int", "str", "string", "path", "uuid", "float", "slug", "default"}
	converter := second
	name = first
	if two && slices.Contains(converters, first) {
		name, converter = second, first
	}
	return name, converter == "path" && last, true, converter != "path" || last
}
