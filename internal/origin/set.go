package origin

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync/atomic"
)

// Set matches the values of Origin headers against many patterns, in a time that depends on the
// value and not on the number of patterns. An exact pattern, and one with a star within the first
// label, takes about 8 bytes in addition to its text. A Set is immutable and safe for concurrent use. The zero value and nil match
// nothing.
type Set struct {
	texts *StringList    // the text of each pattern, in their order
	exact index          // the patterns that are equal to a whole header value
	small []smallPattern // the same patterns if there are few, since comparing them is faster than hashing

	// The values of the maps are offsets in texts. The first of equal patterns is kept.
	patterns bool              // whether the maps for http and https contain anything
	anyPort  map[string]uint32 // by scheme://host
	schemes  map[string]uint32 // by scheme, of patterns such as moz-extension://*
	stars    stars             // patterns such as https://pr-*.example.com
	https    wildcards
	http     wildcards
	any      PatternID // the pattern "*"; 0 if there is none
	shared   bool      // whether NeverWithCredentials is true for a pattern

	coverIndex atomic.Pointer[coverIndex] // nil until Outside needs it
}

// PatternID identifies a pattern of a set. It is 0 if there is none.
type PatternID uint64

// patternIDAt returns the ID of the pattern whose text is at an offset.
func patternIDAt(offset uint32) PatternID { return PatternID(offset) + 1 }

// smallPattern is an exact pattern of a small set.
type smallPattern struct {
	text   string
	offset uint32
}

// maxSmall is the number of exact patterns up to which a set is small.
const maxSmall = 4

// wildcards holds the wildcard patterns of one scheme.
type wildcards struct {
	ports   map[string]uint32 // by the text after "*.", including the port
	anyPort map[string]uint32 // by the text between "*." and ":*"
	dots    []bool            // whether any host has this number of dots
}

// NewSet returns the set of some patterns. A zero Pattern matches nothing.
func NewSet(patterns []Pattern) *Set {
	s := &Set{texts: &StringList{}, exact: newIndex(maphash.String)}
	for _, p := range patterns {
		text := p.String()
		offset, _ := s.texts.append(text)
		s.add(p, text, offset)
	}
	return s
}

// NewSetOf returns the set of the patterns in a list, which it keeps. It returns false if
// ParsePattern returns problems of a text that accept does not accept.
func NewSetOf(texts *StringList, accept func([]Problem) bool) (s *Set, ok bool) {
	s = &Set{texts: texts, exact: newIndex(maphash.String)}
	s.exact.reserve(texts, texts.Len())
	offset := uint32(0)
	for _, text := range texts.All {
		p, problems := ParsePattern(text)
		if len(problems) > 0 && !accept(problems) {
			return nil, false
		}
		s.add(p, text, offset)
		_, offset = texts.read(offset)
	}
	return s, true
}

// add adds a pattern to the set. The pattern's text begins at offset in the set's texts.
func (s *Set) add(p Pattern, text string, offset uint32) {
	s.shared = s.shared || NeverWithCredentials(text)
	switch {
	case p.kind == kindInstallation:
		putIfAbsent(&s.schemes, p.scheme, offset)
	case p.kind == kindAny:
		if s.any == 0 {
			s.any = patternIDAt(offset)
		}
	case p.kind == kindStar:
		s.patterns = true
		s.stars.add(s.texts, text, offset)
	case p.kind == kindWildcard:
		s.patterns = true
		w := s.wildcards(p.scheme)
		if p.port == "*" {
			putIfAbsent(&w.anyPort, p.host, offset)
		} else {
			putIfAbsent(&w.ports, text[len(p.scheme)+len("://*."):], offset)
		}
		n := strings.Count(p.host, ".")
		for len(w.dots) <= n {
			w.dots = append(w.dots, false)
		}
		w.dots[n] = true
	case p.kind == kindExact && p.port == "*":
		s.patterns = true
		putIfAbsent(&s.anyPort, p.scheme+"://"+p.host, offset)
	case p.kind == kindExact, p.kind == kindNull:
		if _, ok := s.exact.find(s.texts, text); !ok {
			s.exact.put(s.texts, offset)
			if s.exact.len <= maxSmall {
				s.small = append(s.small, smallPattern{text, offset})
			} else {
				s.small = nil
			}
		}
	}
}

func (s *Set) wildcards(scheme string) *wildcards {
	if scheme == "https" {
		return &s.https
	}
	return &s.http
}

// putIfAbsent sets m[key] if it is not set.
func putIfAbsent(m *map[string]uint32, key string, offset uint32) {
	if *m == nil {
		*m = map[string]uint32{}
	}
	if _, ok := (*m)[key]; !ok {
		(*m)[key] = offset
	}
}

// Match reports whether the value of an Origin header is allowed, and by which pattern. Of
// several patterns it returns the most specific:
//
//   - an exact pattern
//   - any port
//   - a star within the first label: the most characters beside the star, then the most before it
//   - a wildcard: the longest host
//   - any installation
//   - "*"
//
// Of two patterns that differ in the port only, an exact port is more specific than any port. A
// value that Parse refuses does not match any pattern, "*" included. Match does not allocate.
func (s *Set) Match(raw string) (PatternID, bool) {
	if id, ok := s.Exact(raw); ok {
		return id, true
	}
	o, ok := Parse(raw)
	if !ok {
		return 0, false
	}
	return s.MatchParsed(raw, &o)
}

// Exact is Match for exact patterns only. The value need not be parsed, since Parse accepts
// every exact pattern.
func (s *Set) Exact(raw string) (PatternID, bool) {
	if s == nil {
		return 0, false
	}
	for i := range s.small {
		if s.small[i].text == raw {
			return patternIDAt(s.small[i].offset), true
		}
	}
	if s.exact.len <= maxSmall {
		return 0, false
	}
	offset, ok := s.exact.find(s.texts, raw)
	if !ok {
		return 0, false
	}
	return patternIDAt(offset), true
}

// MatchParsed is Match for all other patterns; o is the result of Parse for raw.
func (s *Set) MatchParsed(raw string, o *Parsed) (PatternID, bool) {
	if s.IsExact() {
		return 0, false
	}
	if s.patterns && isWeb(o.Scheme) {
		if offset, ok := s.anyPort[raw[:len(o.Scheme)+len("://")+len(o.Host)]]; ok {
			return patternIDAt(offset), true
		}
		if offset, ok := s.stars.match(s.texts, o.Scheme, raw[len(o.Scheme)+len("://"):], len(o.Host)); ok {
			return patternIDAt(offset), true
		}
		if offset, ok := s.wildcards(o.Scheme).match(raw[len(o.Scheme)+len("://"):], len(o.Host)); ok {
			return patternIDAt(offset), true
		}
	}
	if len(s.schemes) > 0 {
		if offset, ok := s.schemes[o.Scheme]; ok {
			return patternIDAt(offset), true
		}
	}
	return s.any, s.any != 0
}

// IsExact reports whether the set has exact patterns only, so that MatchParsed matches nothing.
func (s *Set) IsExact() bool { return s == nil || !s.patterns && len(s.schemes) == 0 && s.any == 0 }

// match looks up the rest of hostPort after each dot of the host, the longest rest first, if
// there is a wildcard with as many dots. The argument host is the length of the host in
// hostPort.
func (w *wildcards) match(hostPort string, host int) (offset uint32, ok bool) {
	if len(w.dots) == 0 {
		return 0, false
	}
	for n := strings.Count(hostPort[:host], ".") - 1; n >= 0; n-- {
		label := strings.IndexByte(hostPort, '.') + 1
		hostPort, host = hostPort[label:], host-label
		if n >= len(w.dots) || !w.dots[n] {
			continue
		}
		if offset, ok := w.ports[hostPort]; ok {
			return offset, true
		}
		if offset, ok := w.anyPort[hostPort[:host]]; ok {
			return offset, true
		}
	}
	return 0, false
}

// Index returns the index of a pattern in the list that the set was made of; -1 for the ID 0.
func (s *Set) Index(id PatternID) int {
	if id == 0 {
		return -1
	}
	return s.texts.index(uint32(id - 1))
}

// Any returns the ID of the pattern "*"; 0 if there is none.
func (s *Set) Any() PatternID {
	if s == nil {
		return 0
	}
	return s.any
}

// HasShared reports whether NeverWithCredentials is true for a pattern of the set.
func (s *Set) HasShared() bool { return s != nil && s.shared }

// IsShared reports whether NeverWithCredentials is true for the pattern with an ID.
func (s *Set) IsShared(id PatternID) bool {
	return id != 0 && s.HasShared() && NeverWithCredentials(s.texts.text(uint32(id-1)))
}

// Owner returns the most specific pattern that matches an origin, if only pages of one owner have it:
// not "*", not a pattern for which NeverWithCredentials is true, and not one that needs
// CodePublicSuffix. The argument o is the result of Parse for raw.
func (s *Set) Owner(raw string, o *Parsed) (pattern string, ok bool) {
	id, ok := s.Exact(raw)
	if !ok {
		id, ok = s.MatchParsed(raw, o)
	}
	if !ok {
		return "", false
	}
	pattern = s.texts.text(uint32(id - 1))
	_, problems := ParsePattern(pattern)
	return pattern, !NeverWithCredentials(pattern) && !slices.ContainsFunc(problems, func(p Problem) bool { return p.Code == CodePublicSuffix })
}

// Patterns returns the texts of the patterns, in the order of the list that the set was made
// of. The caller must not append to it.
func (s *Set) Patterns() *StringList {
	if s == nil {
		return nil
	}
	return s.texts
}

// Len returns the number of patterns.
func (s *Set) Len() int { return s.Patterns().Len() }
