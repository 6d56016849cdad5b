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
const OddRegexp = `//|/[.]|[.](?:[/?]|$)|;|%(?:0[0-9A-F]|2[0135EF]|3[0-9BF]|[4-7][0-9A-F])`

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
	var b strings.Builder
	for _, s := range p.segments {
		b.WriteByte('/')
		switch {
		case s == end:
		case s.kind == singleSegment:
			b.WriteString(singleExpression)
		case s.kind == multiSegment:
			b.WriteString(multiExpression)
		default:
			b.WriteString(regexpsyntax.Literal(s.written))
		}
	}
	return b.String()
}

// LooseRegexp returns a regular expression for the paths that some servers take for those of Regexp: it
// has to match the whole path without regard to letter case. Where slash is true, it also matches them with or without a slash behind.
func (p Pattern) LooseRegexp(slash bool) string {
	if !slash {
		return p.expression()
	}
	if bare, ok := strings.CutSuffix(p.expression(), "/"+multiExpression); ok {
		return bare + "(?:/" + multiExpression + ")?"
	}
	return strings.TrimSuffix(p.expression(), "/") + "/?"
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
