package origin

import "strings"

// Set matches the values of Origin headers against many patterns, in a time
// that depends on the value and not on the number of patterns. An exact pattern costs
// about 8 bytes more than its text. It is immutable. The zero value and nil match
// nothing.
type Set struct {
	texts *Texts // of all patterns, in their order
	exact index  // of those that are the whole header value
	few   []few  // the same, while they are few: to compare them takes less than to hash

	// The values of the maps are places of texts. The first of equal patterns wins.
	patterns bool              // whether there is anything in them
	anyPort  map[string]uint32 // by scheme://host
	https    wildcards
	http     wildcards
	any      Ref // that of "*"; 0 for none
}

// Ref names a pattern of a set; 0 names none.
type Ref uint64

func refTo(place uint32) Ref { return Ref(place) + 1 }

// few is an exact pattern of a small set.
type few struct {
	text  string
	place uint32
}

const mostFew = 4

// wildcards are the patterns of kindWildcard of a scheme.
type wildcards struct {
	ports   map[string]uint32 // by what stands behind "*.", the port included
	anyPort map[string]uint32 // by the same without ":*"
	dots    []bool            // the numbers of dots that their hosts have
}

// NewSet returns the set of patterns. Those that are the zero value match
// nothing.
func NewSet(patterns []Pattern) *Set {
	s := &Set{texts: &Texts{}, exact: newIndex()}
	for _, p := range patterns {
		text := p.String()
		place, _ := s.texts.append(text)
		s.add(p, text, place)
	}
	return s
}

// NewSetOf returns the set of the patterns whose texts these are, and keeps the list.
// It stops at the first that ParsePattern has anything to say of that accept does not
// take, and reports false: there is no set then.
func NewSetOf(texts *Texts, accept func([]Problem) bool) (s *Set, ok bool) {
	s = &Set{texts: texts, exact: newIndex()}
	s.exact.reserve(texts, texts.Len())
	place := uint32(0)
	for _, text := range texts.All {
		p, problems := ParsePattern(text)
		if len(problems) > 0 && !accept(problems) {
			return nil, false
		}
		s.add(p, text, place)
		_, place = texts.read(place)
	}
	return s, true
}

// add adds the pattern whose text is at a place.
func (s *Set) add(p Pattern, text string, place uint32) {
	switch {
	case p.kind == kindAny:
		if s.any == 0 {
			s.any = refTo(place)
		}
	case p.kind == kindWildcard:
		s.patterns = true
		w := s.wildcards(p.scheme)
		if p.port == "*" {
			putFirst(&w.anyPort, p.host, place)
		} else {
			putFirst(&w.ports, text[len(p.scheme)+len("://*."):], place)
		}
		n := strings.Count(p.host, ".")
		for len(w.dots) <= n {
			w.dots = append(w.dots, false)
		}
		w.dots[n] = true
	case p.kind == kindExact && p.port == "*":
		s.patterns = true
		putFirst(&s.anyPort, p.scheme+"://"+p.host, place)
	case p.kind == kindExact, p.kind == kindNull:
		if _, ok := s.exact.find(s.texts, text); !ok {
			s.exact.put(s.texts, place)
			if s.exact.len <= mostFew {
				s.few = append(s.few, few{text, place})
			} else {
				s.few = nil
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

func putFirst(m *map[string]uint32, key string, place uint32) {
	if *m == nil {
		*m = map[string]uint32{}
	}
	if _, ok := (*m)[key]; !ok {
		(*m)[key] = place
	}
}

// Match reports whether raw, the value of an Origin header as it came, is
// allowed, and the pattern that allows it: of several the most specific, which is
// an exact one, then any port, then the longest wildcard (the exact port before any
// port), then "*". A value that Parse refuses matches nothing, "*" included. Match
// does not allocate.
func (s *Set) Match(raw string) (Ref, bool) {
	if ref, ok := s.Exact(raw); ok {
		return ref, true
	}
	o, ok := Parse(raw)
	if !ok {
		return 0, false
	}
	return s.MatchParsed(raw, o)
}

// Exact is Match for exact patterns only. Those are origins that Parse takes, so a
// value that is one needs no parsing.
func (s *Set) Exact(raw string) (Ref, bool) {
	if s == nil {
		return 0, false
	}
	for i := range s.few {
		if s.few[i].text == raw {
			return refTo(s.few[i].place), true
		}
	}
	if s.exact.len <= mostFew {
		return 0, false
	}
	place, ok := s.exact.find(s.texts, raw)
	if !ok {
		return 0, false
	}
	return refTo(place), true
}

// MatchParsed is Match for all other patterns; o is what Parse makes of raw.
func (s *Set) MatchParsed(raw string, o Parsed) (Ref, bool) {
	if s == nil {
		return 0, false
	}
	if s.patterns && isWeb(o.Scheme) {
		if place, ok := s.anyPort[raw[:len(o.Scheme)+len("://")+len(o.Host)]]; ok {
			return refTo(place), true
		}
		if place, ok := s.wildcards(o.Scheme).match(raw[len(o.Scheme)+len("://"):], len(o.Host)); ok {
			return refTo(place), true
		}
	}
	return s.any, s.any != 0
}

// match looks up what remains of a host, and its port if there is one, behind each of
// the host's dots, the longest first, where a wildcard of as many labels exists.
func (w *wildcards) match(hostPort string, host int) (place uint32, ok bool) {
	if len(w.dots) == 0 {
		return 0, false
	}
	for n := strings.Count(hostPort[:host], ".") - 1; n >= 0; n-- {
		behind := strings.IndexByte(hostPort, '.') + 1
		hostPort, host = hostPort[behind:], host-behind
		if n >= len(w.dots) || !w.dots[n] {
			continue
		}
		if place, ok := w.ports[hostPort]; ok {
			return place, true
		}
		if place, ok := w.anyPort[hostPort[:host]]; ok {
			return place, true
		}
	}
	return 0, false
}

// Index returns the index of a pattern in the list that the set was made of; -1 for
// none.
func (s *Set) Index(ref Ref) int {
	if ref == 0 {
		return -1
	}
	return s.texts.index(uint32(ref - 1))
}

// Any returns the pattern "*"; 0 for none.
func (s *Set) Any() Ref {
	if s == nil {
		return 0
	}
	return s.any
}

// Texts returns the patterns in the order of the list that the set was made of. The
// caller may not append to it.
func (s *Set) Texts() *Texts {
	if s == nil {
		return nil
	}
	return s.texts
}

// Len returns the number of patterns that the set was made of.
func (s *Set) Len() int { return s.Texts().Len() }
