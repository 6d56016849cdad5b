package routers

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// pattern is a parsed path pattern, in the syntax of net/http and of policies.
type pattern struct {
	text     string
	segments []segment
	tail     tail
}

type segment struct {
	raw, decoded string
	wild         bool
}

// tail is the part of a path after the segments.
type tail uint8

const (
	tailNone  tail = iota // nothing
	tailSlash             // a slash: {$}
	tailTree              // a slash and anything: a slash at the end, {rest...}
)

func parsePattern(text string) pattern {
	p := pattern{text: text}
	parts := strings.Split(text[1:], "/")
	for i, part := range parts {
		switch last := i == len(parts)-1; {
		case last && part == "{$}":
			p.tail = tailSlash
		case last && (part == "" || strings.HasSuffix(part, "...}")):
			p.tail = tailTree
		case strings.HasPrefix(part, "{"):
			p.segments = append(p.segments, segment{raw: part, wild: true})
		default:
			decoded, err := url.PathUnescape(part)
			if err != nil {
				panic(err) // all patterns are in this package
			}
			p.segments = append(p.segments, segment{raw: part, decoded: decoded})
		}
	}
	return p
}

// isLiteral reports whether the pattern has no wildcards.
func (p pattern) isLiteral() bool {
	return p.tail != tailTree && !slices.ContainsFunc(p.segments, func(s segment) bool { return s.wild })
}

// matches reports whether a path matches the pattern. same compares a literal segment with a
// segment of the path.
func (p pattern) matches(path string, same func(a, b string) bool) bool {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return false
	}
	parts := strings.Split(rest, "/")
	switch n := len(p.segments); p.tail {
	case tailNone:
		if len(parts) != n {
			return false
		}
	case tailSlash:
		if len(parts) != n+1 || parts[n] != "" {
			return false
		}
	case tailTree:
		if len(parts) < n+1 {
			return false
		}
	}
	for i, s := range p.segments {
		if s.wild && parts[i] == "" || !s.wild && !same(s.decoded, parts[i]) {
			return false
		}
	}
	return true
}

// spells reports whether the pattern with values for its wildcards is the whole path, and not
// only a prefix of it.
func (p pattern) spells(path string, same func(a, b string) bool) bool {
	if p.tail == tailTree {
		p.tail = tailSlash
	}
	return p.matches(path, same)
}

func exactly(a, b string) bool { return a == b }

// unescaped compares a literal segment with an encoded one.
func unescaped(a, b string) bool {
	decoded, err := url.PathUnescape(b)
	return err == nil && a == decoded
}

// fill returns a path of the pattern, encoded.
func (p pattern) fill(value func() string, rest string) string {
	var b strings.Builder
	for _, s := range p.segments {
		b.WriteByte('/')
		if s.wild {
			b.WriteString(value())
		} else {
			b.WriteString(s.raw)
		}
	}
	switch p.tail {
	case tailSlash:
		b.WriteByte('/')
	case tailTree:
		b.WriteString("/" + rest)
	}
	return b.String()
}

// covers reports whether p matches every path that q matches, if ServeMux accepts both.
func (p pattern) covers(q pattern) bool {
	unlikely := func() string { return "~" }
	for _, rest := range []string{"", "~", "~/~/~/~/~/~"} {
		if !p.matches(q.fill(unlikely, rest), unescaped) {
			return false
		}
	}
	return true
}

// narrowestFirst sorts patterns, so that the first one that matches is the choice of ServeMux.
func narrowestFirst[T any](all []T, of func(T) pattern) {
	wider := map[string]int{}
	for _, a := range all {
		for _, b := range all {
			if of(b).covers(of(a)) {
				wider[of(a).text]++
			}
		}
	}
	slices.SortStableFunc(all, func(a, b T) int { return wider[of(b).text] - wider[of(a).text] })
}

// registers reports whether ServeMux accepts the pattern in addition to those that it has.
func registers(mux *http.ServeMux, p string, h http.Handler) (ok bool) {
	defer func() { ok = recover() == nil }()
	mux.Handle(p, h)
	return true
}

// syntax is the syntax of a router for the pattern /a/{id}/{rest...} of ServeMux.
type syntax struct {
	wild func(name string) string
	tree string
	// encoded: the router matches encoded paths. both: it matches encoded paths only if they
	// differ from net/url's encoding.
	encoded, both bool
	// lastTakesRest: a wildcard for the last segment also matches slashes, so that the router
	// cannot express a last {id}.
	lastTakesRest bool
}

// translate returns the pattern in the router's syntax, in one or two spellings. It returns
// none for a pattern that the router cannot express.
func (s syntax) translate(p pattern) []string {
	if n := len(p.segments); s.lastTakesRest && n > 0 && p.segments[n-1].wild && p.tail == tailNone {
		return nil
	}
	spellings := []string{p.in(s, s.encoded)}
	if s.both {
		spellings = append(spellings, p.in(s, true))
	}
	for _, segment := range p.segments {
		if strings.Contains(segment.decoded, "/") && !s.encoded {
			spellings[0] = "" // a segment with a slash in it
		}
	}
	spellings = slices.DeleteFunc(spellings, func(t string) bool { return t == "" })
	return slices.Compact(spellings)
}

func (p pattern) in(s syntax, raw bool) string {
	var b strings.Builder
	for i, segment := range p.segments {
		b.WriteByte('/')
		switch {
		case segment.wild:
			b.WriteString(s.wild("p" + string(rune('0'+i))))
		case raw:
			b.WriteString(segment.raw)
		default:
			b.WriteString(segment.decoded)
		}
	}
	switch p.tail {
	case tailSlash:
		b.WriteByte('/')
	case tailTree:
		b.WriteString("/" + s.tree)
	}
	return b.String()
}
