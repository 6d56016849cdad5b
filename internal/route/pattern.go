package route

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// Pattern is a path pattern of package net/http without a method and a host.
type Pattern struct {
	text     string
	segments []segment
}

// String returns the pattern as written.
func (p Pattern) String() string { return p.text }

// segment is the part of a pattern between two slashes.
type segment struct {
	kind    segmentKind
	text    string // of a literal: the decoded text, or "/" for {$}; of a wildcard: its name
	written string // as in the pattern
}

type segmentKind uint8

const (
	literalSegment segmentKind = iota
	singleSegment              // {name}
	multiSegment               // {name...}, or the slash at the end of a subtree
)

// end is the segment {$}. Its text is that of no other literal.
var end = segment{kind: literalSegment, text: "/", written: "{$}"}

// Problem is the reason why a pattern is invalid.
type Problem struct {
	// Reason is the rest of a sentence whose subject is the pattern.
	Reason string
	// Fix is the pattern to write instead; empty if none can be suggested.
	Fix string
}

// ParsePattern parses a pattern as http.ServeMux does
// (https://pkg.go.dev/net/http#hdr-Patterns-ServeMux). In addition, it refuses patterns that
// ServeMux accepts but that match no request, and patterns of other routers.
func ParsePattern(text string) (Pattern, *Problem) {
	p, reason := parsePattern(text)
	if reason != "" {
		return Pattern{}, &Problem{Reason: reason, Fix: translate(text)}
	}
	return p, nil
}

// parsePattern parses a pattern. The reason is empty if the pattern is valid.
func parsePattern(text string) (p Pattern, reason string) {
	if reason := checkText(text); reason != "" {
		return p, reason
	}
	p.text = text
	names := map[string]bool{}
	parts := strings.Split(text[1:], "/")
	for i, part := range parts {
		last := i == len(parts)-1
		if part == "" && last {
			p.segments = append(p.segments, segment{kind: multiSegment})
			break
		}
		s, reason := parseSegment(part, last)
		if reason == "" && s.kind != literalSegment && names[s.text] {
			reason = fmt.Sprintf("has the wildcard name %q twice", s.text)
		}
		if reason != "" {
			return Pattern{}, reason
		}
		if s.kind != literalSegment {
			names[s.text] = true
		}
		p.segments = append(p.segments, s)
	}
	return p, ""
}

// checkText returns the reason why a pattern as a whole is invalid.
func checkText(text string) (reason string) {
	switch {
	case len(text) > MaxPath:
		return fmt.Sprintf("is longer than %d bytes, the maximum length of a path", MaxPath)
	case !strings.HasPrefix(text, "/"):
		return "is not a path: a path begins with a slash, without a method or a host"
	}
	for part := range strings.SplitSeq(text, "/") {
		if reason := foreignWildcard(part); reason != "" {
			return reason
		}
	}
	switch {
	case strings.ContainsAny(text, "?#"):
		return "has a query or a fragment, but a rule applies to a path"
	case strings.Contains(text, `\`):
		return "has a backslash, which browsers send as a slash"
	case strings.ContainsFunc(text, func(r rune) bool { return strings.ContainsRune(" \"<>^`", r) || unicode.IsControl(r) }):
		return "has a character that browsers percent-encode"
	}
	return ""
}

// parseSegment parses a segment, or returns the reason why it is invalid.
func parseSegment(part string, last bool) (s segment, reason string) {
	switch {
	case part == "{$}" && last:
		return end, ""
	case part == "{$}":
		return s, "has {$} in the middle, but {$} matches the end of a path"
	case strings.HasPrefix(part, "{") && strings.HasSuffix(part, "}") && strings.Count(part, "{") == 1 && strings.Count(part, "}") == 1:
		return parseWildcard(part, last)
	case strings.ContainsAny(part, "{}"):
		return s, "has a brace within a segment: a wildcard {name} must be a whole segment"
	}
	return parseLiteral(part)
}

// parseWildcard parses a segment in braces.
func parseWildcard(part string, last bool) (s segment, reason string) {
	name, multi := strings.CutSuffix(part[1:len(part)-1], "...")
	switch {
	case !isGoIdentifier(name):
		return s, fmt.Sprintf("has the wildcard %s, whose name is not an identifier", part)
	case multi && !last:
		return s, fmt.Sprintf("has the wildcard %s in the middle, but it matches the rest of a path", part)
	case multi:
		return segment{kind: multiSegment, text: name, written: part}, ""
	}
	return segment{kind: singleSegment, text: name, written: part}, ""
}

// isGoIdentifier reports whether s is a valid name of a wildcard.
func isGoIdentifier(s string) bool {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return s != ""
}

// parseLiteral parses a segment without wildcards.
func parseLiteral(part string) (s segment, reason string) {
	text, err := url.PathUnescape(part)
	switch {
	case err != nil:
		return s, "has a percent sign that does not begin an escape"
	case text == "/":
		return s, "has a segment that is only an escaped slash, which net/http treats as the end of the path"
	case strings.IndexByte(text, 0) >= 0:
		return s, "has an escaped NUL, where many servers end the path"
	}
	for name := range strings.SplitSeq(text, "/") {
		switch name {
		case "":
			return s, "has an empty segment, which net/http.ServeMux never matches"
		case ".", "..":
			return s, "has a dot segment, which browsers resolve before they send a path"
		}
	}
	return segment{kind: literalSegment, text: text, written: part}, ""
}

// spellings returns a literal segment as written in the pattern, and in the default encoding of
// package net/url.
func (s segment) spellings() []string {
	return []string{s.written, (&url.URL{Path: s.text}).EscapedPath()}
}

// decodedPath returns the pattern with its escapes decoded.
func (p Pattern) decodedPath() string {
	var b strings.Builder
	for _, s := range p.segments {
		b.WriteByte('/')
		switch {
		case s == end:
		case s.kind == literalSegment:
			b.WriteString(s.text)
		default:
			b.WriteString(s.written)
		}
	}
	return b.String()
}

// wild reports whether the pattern has a named wildcard.
func (p Pattern) wild() bool {
	for _, s := range p.segments {
		if s.kind != literalSegment && s.text != "" {
			return true
		}
	}
	return false
}

// hasUpper reports whether a literal segment of the pattern has an upper-case letter: decoded,
// as written, or in the default encoding of net/url. The digits of an escape count (%2F).
func (p Pattern) hasUpper() bool {
	for _, s := range p.segments {
		if s.kind == literalSegment {
			spelled := strings.Join(append(s.spellings(), s.text), "/")
			if spelled != fetch.Lower(spelled) {
				return true
			}
		}
	}
	return false
}

// isProcedure reports whether a path is that of a procedure that is known or that a selector
// covers, so that it takes precedence over a pattern.
func (t *Table[V]) isProcedure(path string) bool {
	return lookup[V]{table: t, names: t.exact, tree: &tree[V]{}}.find(path, false).Kind == Procedure
}

// entry is a pattern and its match.
type entry[V any] struct {
	pattern Pattern
	match   Match[V]
}

// AddPattern adds a path pattern. It must be called after all methods and selectors were added.
// Its errors are those of Patterns.Add.
func (t *Table[V]) AddPattern(p Pattern, v V) error {
	if err := t.conflicts.Add(p); err != nil {
		return err
	}
	m := Match[V]{Kind: Path, Name: p.text, Value: v, wild: p.wild()}
	t.added = append(t.added, entry[V]{p, m})
	t.upper = t.upper || p.hasUpper()
	t.patterns.add(p, false, m)
	if !m.wild && !t.isProcedure(p.decodedPath()) {
		t.plain.add(p, m)
	}
	switch {
	case t.foldedTree != nil:
		t.foldedTree.add(p, true, m)
	case t.upper:
		t.foldedTree = &tree[V]{}
		for _, e := range t.added {
			t.foldedTree.add(e.pattern, true, e.match)
		}
	}
	return nil
}

// add adds a pattern without wildcards, by the path that is equal to the pattern.
func (ps *plainPatterns[V]) add(p Pattern, m Match[V]) {
	decoded := p.decodedPath()
	written := strings.TrimSuffix(p.text, "{$}")
	byDefault := (&url.URL{Path: decoded}).EscapedPath() == written
	if p.hasMultipleReadings() {
		ps.ambiguous[written] = decoded
		return
	}
	switch {
	case !byDefault:
		if _, taken := ps.raw[written]; !taken || written != p.text { // {$} is more specific than a subtree
			ps.raw[written] = rawMatch[V]{decoded, m}
		}
	default:
		if _, taken := ps.decoded[decoded]; !taken || written != p.text {
			ps.decoded[decoded] = m
		}
	}
}

// isExactSpelling reports whether a path is equal to one of the ambiguous patterns.
func (ps *plainPatterns[V]) isExactSpelling(path, escaped string) bool {
	if len(ps.ambiguous) == 0 {
		return false
	}
	if escaped == "" {
		escaped = (&url.URL{Path: path}).EscapedPath()
	}
	decoded, ok := ps.ambiguous[escaped]
	return ok && decoded == path
}

// hasMultipleReadings reports whether a literal segment of the pattern, once decoded, may be
// read in several ways.
func (p Pattern) hasMultipleReadings() bool {
	for _, s := range p.segments {
		if s.kind == literalSegment && s != end && (strings.Contains(s.text, "/") || !isSimple("/"+s.text)) {
			return true
		}
	}
	return false
}
