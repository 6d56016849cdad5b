package route

import (
	"net/url"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/regexpsyntax"
)

// The parts of regular expressions of paths. Of the characters that browsers send, they have those that every server
// reads alike. A segment does not end in a dot.
const (
	plainCharacters  = `A-Za-z0-9_~@:=+,!*()&-`
	plainExpression  = `(?:[` + plainCharacters + `.]|%[89A-F][0-9A-F])*(?:[` + plainCharacters + `]|%[89A-F][0-9A-F])`
	singleExpression = plainExpression
	multiExpression  = `(?:` + plainExpression + `/)*(?:` + plainExpression + `)?`
)

// OddRegexp is a regular expression for the paths that servers may read in several ways, in the syntax of Pattern.Regexp.
// It has to be looked for in any letter case in a path that a query may follow. A match has to begin before the query.
const OddRegexp = `//|/[.]|[.](?:[/?]|$)|;|%[0-7][0-9A-F]`

// ShapeRegexp is a regular expression for the paths of procedures that a schema does not have, without a prefix,
// in the syntax of Pattern.Regexp. It has to match a whole path, with an optional slash behind it.
const ShapeRegexp = `/[^/]*[.][^/]*/[A-Za-z_][A-Za-z0-9_]*`

// Spelled returns the only path that the pattern matches, as browsers send it. ok is false if the pattern has a
// wildcard or matches a path that servers may read in several ways.
func (p Pattern) Spelled() (path string, ok bool) {
	var b strings.Builder
	for _, s := range p.segments {
		if s.kind != literalSegment {
			return "", false
		}
		b.WriteByte('/')
		if s != end {
			b.WriteString(s.written)
		}
	}
	return b.String(), p.hasOneReading()
}

// hasOneReading reports whether the literal segments are written as browsers send them and have one reading.
func (p Pattern) hasOneReading() bool {
	for _, s := range p.segments {
		if s.kind == literalSegment && s != end && s.written != (&url.URL{Path: s.text}).EscapedPath() {
			return false
		}
	}
	return !p.hasMultipleReadings()
}

// Regexp returns a regular expression for paths that the pattern matches. The text is in the syntax
// that RE2, PCRE and package regexp share, without backslashes and anchors: it has to match the whole path as
// it was sent, without its query, with regard to letter case. It does not match a path that servers may read in several
// ways. ok is false if the pattern has only such paths.
func (p Pattern) Regexp() (expression string, ok bool) { return p.expression(), p.hasOneReading() }

// expression returns the expression of Regexp.
func (p Pattern) expression() string {
	return p.expressionOf(singleExpression, multiExpression, regexpsyntax.Literal)
}

// expressionOf returns the expression of the pattern, from those of its segments.
func (p Pattern) expressionOf(single, multi string, literal func(written string) string) string {
	var b strings.Builder
	for _, s := range p.segments {
		b.WriteByte('/')
		switch {
		case s == end:
		case s.kind == singleSegment:
			b.WriteString(single)
		case s.kind == multiSegment:
			b.WriteString(multi)
		default:
			b.WriteString(literal(s.written))
		}
	}
	return b.String()
}

// LooseRegexp returns a regular expression for the paths that some servers take for those of Regexp: it
// has to match the whole path without regard to letter case. Where slash is true, it also matches them with or without a slash behind.
// Where anything is true, wildcards match each text, also those that Regexp leaves out.
func (p Pattern) LooseRegexp(slash, anything bool) string {
	single, multi := singleExpression, multiExpression
	if anything {
		single, multi = "[^/]+", ".*"
	}
	expression := p.expressionOf(single, multi, looseLiteral)
	if !slash {
		return expression
	}
	if bare, ok := strings.CutSuffix(expression, "/"+multi); ok {
		return bare + "(?:/" + multi + ")?"
	}
	return strings.TrimSuffix(expression, "/") + "/?"
}

// looseLiteral returns a regular expression for a segment and its spellings without some escapes, such as ' for %27. OddRegexp
// matches spellings with more escapes.
func looseLiteral(written string) string {
	var b strings.Builder
	for i := 0; i < len(written); i++ {
		if written[i] != '%' || i+2 >= len(written) {
			b.WriteString(regexpsyntax.Literal(written[i : i+1]))
			continue
		}
		escape := written[i : i+3]
		i += len("%XX") - 1
		c, ok := unescape(escape[1], escape[2])
		switch {
		case !ok || c <= ' ' || c >= 0x7f || strings.IndexByte("/?#%.;", c) >= 0: // these change the path
			b.WriteString(escape)
		case c == '\\' || c == '^': // which a regular expression cannot have
			b.WriteString("(?:" + escape + "|[[-_])")
		default:
			b.WriteString("(?:" + escape + "|" + regexpsyntax.Literal(string(rune(c))) + ")")
		}
	}
	return b.String()
}

// DifferInSlash reports whether two patterns are equal but for the slash behind them.
func DifferInSlash(a, b Pattern) bool {
	return a.text != b.text && withoutSlash(a.text) == withoutSlash(b.text)
}

// CompareSpecificity returns a negative number if a comes before b in an order in which a pattern comes before each less
// specific one, as package net/http defines the term.
func CompareSpecificity(a, b Pattern) int {
	for i := range min(len(a.segments), len(b.segments)) {
		if d := int(a.segments[i].kind) - int(b.segments[i].kind); d != 0 {
			return d
		}
	}
	if d := len(b.segments) - len(a.segments); d != 0 {
		return d
	}
	return strings.Compare(a.text, b.text)
}
