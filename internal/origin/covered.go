package origin

import "strings"

// maxClasses is the number of classes of patterns up to which Covered compares patterns with each
// other.
const maxClasses = 64

// Cover is a pattern of a set that another pattern of the set makes superfluous.
type Cover struct {
	// Pattern is the index of the pattern, and By that of the other one.
	Pattern, By int
	// Equal is true if the two are equal.
	Equal bool
}

// Covered returns the patterns of the set that another pattern of the set makes superfluous. The
// other pattern is a wildcard that matches everything that the first matches, or an equal pattern
// before it. A wildcard of an extension's installations makes none superfluous: a POST of a named
// installation may carry cookies or an Authorization header where that of any other may not. The
// pattern "*", which matches everything, is left to the caller.
//
// The time is linear in the number of patterns, times the number of distinct lengths of their first
// labels and numbers of their labels. If there are more than maxClasses of those, Covered compares
// only exact patterns with wildcards.
func (s *Set) Covered(yield func(Cover) bool) {
	wild := s.wildcardPatterns()
	var all *Set // of these patterns
	if len(wild) > 0 && len(wild) < s.Len() {
		all = wild.set()
	}
	offset := uint32(0)
	for i := range s.Len() {
		text, next := s.texts.read(offset)
		id, exact := s.Exact(text)
		c := Cover{Pattern: i, By: -1}
		switch {
		case strings.Contains(text, "*"):
		case exact && id != patternIDAt(offset):
			c.By, c.Equal = s.Index(id), true
		case all != nil:
			if id, ok := all.Match(text); ok && !all.IsShared(id) {
				c.By = wild[all.Index(id)].index
			}
		}
		if c.By >= 0 && !yield(c) {
			return
		}
		offset = next
	}
	wild.covered(yield)
}

// wildcardPattern is a pattern with a star other than "*", and its index in a set.
type wildcardPattern struct {
	index int
	text  string
	class wildcardClass
}

// wildcardClass is equal for patterns neither of which matches all that the other matches, unless
// the two are equal.
type wildcardClass struct {
	scheme  string
	labels  int  // the number of labels
	first   int  // the length of the first label
	starred bool // whether the host has a star
	anyPort bool // whether the pattern ends in :*
}

type wildcardPatterns []wildcardPattern

// wildcardPatterns returns the patterns of the set with a star, other than "*".
func (s *Set) wildcardPatterns() (wild wildcardPatterns) {
	for i, text := range s.Patterns().All {
		if !strings.Contains(text, "*") || text == "*" {
			continue
		}
		host, anyPort := strings.CutSuffix(text, ":*")
		scheme, host, _ := strings.Cut(host, "://")
		first, _, _ := strings.Cut(host, ".")
		wild = append(wild, wildcardPattern{i, text, wildcardClass{scheme, strings.Count(host, "."), len(first), strings.Contains(host, "*"), anyPort}})
	}
	return wild
}

// set returns the set of the patterns; nil if there are none.
func (wild wildcardPatterns) set() *Set {
	if len(wild) == 0 {
		return nil
	}
	patterns := make([]Pattern, len(wild))
	for i, w := range wild {
		patterns[i], _ = readPattern(w.text)
	}
	return NewSet(patterns)
}

// covered calls yield for the patterns that another one of them makes superfluous.
func (wild wildcardPatterns) covered(yield func(Cover) bool) {
	classes := map[wildcardClass]wildcardPatterns{}
	for _, w := range wild {
		classes[w.class] = append(classes[w.class], w)
	}
	sets := map[wildcardClass]*Set{}
	if len(classes) > 1 && len(classes) <= maxClasses {
		for class, patterns := range classes {
			sets[class] = patterns.set()
		}
	}
	first := make(map[string]int, len(wild)) // the index of the first pattern with a text
	for _, w := range wild {
		c := Cover{Pattern: w.index, By: -1}
		if have, ok := first[w.text]; ok {
			c.By, c.Equal = have, true
		} else {
			first[w.text] = w.index
			for class, set := range sets {
				if class == w.class || class.scheme != w.class.scheme {
					continue
				}
				if id, ok := w.within(set); ok {
					if by := classes[class][set.Index(id)].index; c.By < 0 || by < c.By {
						c.By = by
					}
				}
			}
		}
		if c.By >= 0 && !yield(c) {
			return
		}
	}
}

// fillers are texts in place of a star at the begin of a host, in place of one within a label, and
// in place of a port. Two of each differ in the first and in the last character: a pattern that
// matches both matches every text in that place.
var fillers = [2]struct{ labels, label, port string }{
	{"q0", "q0", "49157"}, {"z7x.w3", "z7x", "61231"},
}

// within reports whether a pattern of the set matches everything that w matches, and returns it.
func (w wildcardPattern) within(set *Set) (id PatternID, ok bool) {
	for n, filler := range fillers {
		text := w.text
		if w.class.anyPort {
			text = strings.TrimSuffix(text, "*") + filler.port
		}
		if strings.Contains(text, "://*.") {
			text = strings.Replace(text, "*", filler.labels, 1)
		} else {
			text = strings.Replace(text, "*", filler.label, 1)
		}
		got, ok := set.Match(text)
		if !ok || n > 0 && got != id {
			return 0, false
		}
		id = got
	}
	return id, true
}

// IsLoopback reports whether a pattern of ParsePattern matches http or https origins of the
// visitor's own machine only: localhost, a name below it, a loopback address, or the unspecified address.
func IsLoopback(pattern string) bool {
	scheme, host, ok := strings.Cut(pattern, "://")
	if !ok || !isWeb(scheme) {
		return false
	}
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		host = host[:colon]
	}
	return isOwnMachine(strings.TrimPrefix(host, "*."))
}

// WebHost returns the host of an exact http or https pattern of ParsePattern; "" for all others.
func WebHost(pattern string) string {
	scheme, host, ok := strings.Cut(pattern, "://")
	if !ok || !isWeb(scheme) || strings.Contains(pattern, "*") {
		return ""
	}
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		host = host[:colon]
	}
	return host
}
