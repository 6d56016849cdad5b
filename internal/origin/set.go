package origin

import "strings"

// Set matches the values of Origin headers against many patterns, in a time
// that depends on the value and not on the number of patterns. It is
// immutable. The zero value and nil match nothing.
type Set struct {
	// The values of the maps are indexes of patterns. The first of equal
	// patterns wins.
	exact    map[string]int   // by the whole header value
	anyPort  map[string]int   // by scheme://host
	wildcard map[wildcard]int // by what stands below "*."
	dots     []bool           // the numbers of dots that the wildcards' hosts have
	any      int              // the index of "*", plus 1
	len      int
}

// wildcard is a pattern of kindWildcard; port is "*" for any.
type wildcard struct{ scheme, host, port string }

// NewSet returns the set of patterns. Those that are the zero value match
// nothing.
func NewSet(patterns []Pattern) *Set {
	s := &Set{
		exact:    make(map[string]int),
		anyPort:  make(map[string]int),
		wildcard: make(map[wildcard]int),
		len:      len(patterns),
	}
	for i, p := range patterns {
		switch {
		case p.kind == kindAny:
			if s.any == 0 {
				s.any = i + 1
			}
		case p.kind == kindWildcard:
			putFirst(s.wildcard, wildcard{p.scheme, p.host, p.port}, i)
			n := strings.Count(p.host, ".")
			for len(s.dots) <= n {
				s.dots = append(s.dots, false)
			}
			s.dots[n] = true
		case p.kind == kindExact && p.port == "*":
			putFirst(s.anyPort, p.scheme+"://"+p.host, i)
		case p.kind == kindExact, p.kind == kindNull:
			putFirst(s.exact, p.String(), i)
		}
	}
	return s
}

func putFirst[K comparable](m map[K]int, key K, i int) {
	if _, ok := m[key]; !ok {
		m[key] = i
	}
}

// Match reports whether raw, the value of an Origin header as it came, is
// allowed, and the index in NewSet's slice of the pattern that allows it: of
// several the most specific, which is an exact one, then any port, then the
// longest wildcard (the exact port before any port), then "*". A value that
// Parse refuses matches nothing, "*" included. Match does not allocate.
func (s *Set) Match(raw string) (index int, ok bool) {
	if i, ok := s.Exact(raw); ok {
		return i, true
	}
	o, ok := Parse(raw)
	if !ok {
		return 0, false
	}
	return s.MatchParsed(raw, o)
}

// Exact is Match for exact patterns only. Those are origins that Parse takes, so a
// value that is one needs no parsing.
func (s *Set) Exact(raw string) (index int, ok bool) {
	if s == nil || len(raw) > MaxLen { // before a long value is hashed
		return 0, false
	}
	index, ok = s.exact[raw]
	return index, ok
}

// MatchParsed is Match for all other patterns; o is what Parse makes of raw.
func (s *Set) MatchParsed(raw string, o Parsed) (index int, ok bool) {
	if s == nil {
		return 0, false
	}
	if isWeb(o.Scheme) {
		if i, ok := s.anyPort[raw[:len(o.Scheme)+len("://")+len(o.Host)]]; ok {
			return i, true
		}
		if i, ok := s.matchWildcard(o); ok {
			return i, true
		}
	}
	return s.any - 1, s.any > 0
}

// matchWildcard looks up what remains of the host behind each of its dots, the
// longest first, where a wildcard of as many labels exists.
func (s *Set) matchWildcard(o Parsed) (index int, ok bool) {
	if len(s.dots) == 0 {
		return 0, false
	}
	rest := o.Host
	for n := strings.Count(rest, ".") - 1; n >= 0; n-- {
		rest = rest[strings.IndexByte(rest, '.')+1:]
		if n >= len(s.dots) || !s.dots[n] {
			continue
		}
		if i, ok := s.wildcard[wildcard{o.Scheme, rest, o.Port}]; ok {
			return i, true
		}
		if i, ok := s.wildcard[wildcard{o.Scheme, rest, "*"}]; ok {
			return i, true
		}
	}
	return 0, false
}

// Any reports whether the set holds "*".
func (s *Set) Any() bool { return s != nil && s.any > 0 }

// Len returns the number of patterns that the set was made of.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return s.len
}
