package origin

import (
	"iter"
	"strconv"
	"strings"
)

// Coverage says whether the patterns of a set match every origin that a pattern matches.
type Coverage uint8

const (
	// Undecided: the search for such an origin took too many steps.
	Undecided Coverage = iota
	// Covered: each origin that the pattern matches is matched by the set.
	Covered
	// Missed: the pattern matches an origin that the set does not match.
	Missed
)

// String returns the name of the coverage.
func (c Coverage) String() string { return [...]string{"undecided", "covered", "missed"}[c] }

// maxSteps bounds the steps of a search, in addition to a few for each pattern of the set.
const maxSteps = 1 << 20

// Outside returns an origin that p matches and that the set does not match. It is an origin that a browser sends:
// Parse accepts it, and none of its labels is malformed punycode. If the verdict is Covered, no such origin exists,
// even if several patterns of the set together match what p matches. If the verdict is Undecided, the search ended
// after about a million steps; that takes a set with thousands of stars for one host that are made for it.
//
// The time does not depend on the number of patterns, except that the first call which has to compare stars or ports
// indexes those of the set.
func (s *Set) Outside(p Pattern) (witness string, verdict Coverage) {
	return s.outside(p, &everyOrigin)
}

// UncoveredBy yields the patterns of the set that match an origin which another set does not match, in their order:
// the index of each, and such an origin. The origin is empty if Outside is Undecided. It yields nothing if the two are
// the same set. The time is linear in the number of patterns.
func (s *Set) UncoveredBy(other *Set) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		if s == other {
			return
		}
		for i, text := range s.Patterns().All {
			witness, verdict := other.outsideText(text)
			if verdict != Covered && !yield(i, strings.Clone(witness)) {
				return
			}
		}
	}
}

// outsideText is Outside for the text of a pattern. It does not parse exact patterns.
func (s *Set) outsideText(text string) (witness string, verdict Coverage) {
	if strings.IndexByte(text, '*') >= 0 {
		p, _ := readPattern(text)
		return s.Outside(p)
	}
	if _, matched := s.Match(text); matched || text == "" { // "" is the text of a zero pattern
		return "", Covered
	}
	return text, Missed
}

func (s *Set) outside(p Pattern, sp *space) (witness string, verdict Coverage) {
	switch {
	case p.kind == 0 || s.Any() != 0:
		return "", Covered
	case p.kind == kindAny:
		return s.outsideAll(), Missed
	case p.kind == kindInstallation:
		return s.outsideInstallations(p.scheme)
	case p.kind == kindNull || !isWeb(p.scheme):
		return s.outsideText(p.String())
	case s.hasPattern(p):
		return "", Covered
	}
	x := outsideSearch{set: s, space: sp, pattern: p, steps: maxSteps + 4*s.Len()}
	for port := range s.portsToTry(p, sp) {
		x.port = port
		if witness, verdict := x.host(); verdict != Covered {
			return witness, verdict
		}
	}
	return "", Covered
}

// outsideAll returns an origin that a set without "*" does not match. Each pattern matches hosts below one top-level
// domain at most.
func (s *Set) outsideAll() string {
	for n := 0; ; n++ {
		host := plainLabels[0] + ".example"
		if n > 0 {
			host += "-" + strconv.Itoa(n)
		}
		if _, matched := s.Match("https://" + host); !matched {
			return "https://" + host
		}
	}
}

// outsideInstallations returns an origin of a scheme that the set does not match. Each pattern matches one or all of
// them.
func (s *Set) outsideInstallations(scheme string) (witness string, verdict Coverage) {
	if s != nil {
		if _, all := s.schemes[scheme]; all {
			return "", Covered
		}
	}
	for n := 0; ; n++ {
		witness := installation(scheme, n)
		if _, matched := s.Match(witness); !matched {
			return witness, Missed
		}
	}
}

// hasPattern reports whether the set has a pattern with a star within the first label itself.
func (s *Set) hasPattern(p Pattern) bool {
	if s == nil || p.kind != kindStar || s.stars.patterns.len == 0 {
		return false
	}
	_, ok := s.stars.patterns.find(s.texts, p.String())
	return ok
}

// portsToTry yields the ports of p, one of which is that of an origin outside the set if there is such an origin. For
// ":*" these are none, and one that no pattern of the set names: a host that the set matches there is matched on every
// port. If the set names all ports, they are all ports.
func (s *Set) portsToTry(p Pattern, sp *space) iter.Seq[string] {
	if p.port != "*" {
		return func(yield func(string) bool) { yield(p.port) }
	}
	return func(yield func(string) bool) {
		if !yield("") {
			return
		}
		if port, ok := s.freePort(p.scheme, sp); ok {
			yield(port)
			return
		}
		sp.ports(p.scheme)(yield)
	}
}

// outsideSearch looks for an origin of a pattern and a port that a set does not match.
type outsideSearch struct {
	set     *Set
	space   *space
	pattern Pattern
	port    string
	steps   int // the number of steps that are left
}

// step counts a step. It returns false if there were too many.
func (x *outsideSearch) step() bool {
	x.steps--
	return x.steps >= 0
}

// origin returns the origin of a host on the port, and whether the set does not match it.
func (x *outsideSearch) origin(host string) (origin string, missed bool) {
	origin = x.pattern.at(host, x.port)
	_, matched := x.set.Match(origin)
	return origin, !matched
}

// host looks for a host of the pattern.
func (x *outsideSearch) host() (witness string, verdict Coverage) {
	p := x.pattern
	switch {
	case !x.step():
		return "", Undecided
	case p.kind == kindWildcard:
		return x.below(p.host)
	case p.kind == kindStar && x.allBelow(p.host):
		return "", Covered
	case p.kind == kindStar:
		free := min(x.space.room(p.host), x.space.maxLabel) - len(p.prefix) - len(p.suffix)
		for label := range x.space.plain(free) {
			if origin, missed := x.origin(p.prefix + label + p.suffix + "." + p.host); missed {
				return origin, Missed
			}
		}
		return x.label(p.prefix, p.suffix, p.host)
	}
	if origin, missed := x.origin(p.host); missed {
		return origin, Missed
	}
	return "", Covered
}

// allBelow reports whether a wildcard of the set matches every host below a host.
func (x *outsideSearch) allBelow(host string) bool {
	if x.set == nil {
		return false
	}
	hostPort := "a." + host
	length := len(hostPort)
	if x.port != "" {
		hostPort += ":" + x.port
	}
	_, ok := x.set.wildcards(x.pattern.scheme).match(hostPort, length)
	return ok
}

// below looks for a host with one or more labels before a host.
func (x *outsideSearch) below(host string) (witness string, verdict Coverage) {
	room := x.space.room(host)
	if room < 1 || x.allBelow(host) {
		return "", Covered
	}
	for label := range x.space.plain(room) {
		if origin, missed := x.origin(label + "." + host); missed {
			return origin, Missed
		}
	}
	// A pattern matches hosts below one label of the host only, so that the search ends unless the labels are few.
	for label := range x.space.labels(room - len("a.")) {
		if !x.step() {
			return "", Undecided
		}
		first := x.space.label(room - len(label) - len("."))
		if origin, missed := x.origin(first + "." + label + "." + host); missed {
			return origin, Missed
		}
	}
	return x.belowLong(host)
}

// belowLong looks for a host before a host so long that all labels that fit between the two occur in the set.
func (x *outsideSearch) belowLong(host string) (witness string, verdict Coverage) {
	if witness, verdict := x.label("", "", host); verdict != Covered {
		return witness, verdict
	}
	for label := range x.space.labels(min(x.space.room(host), len("xn--")+2)) { // before a shorter host, two labels fit
		if !x.step() {
			return "", Undecided
		}
		if origin, missed := x.origin(label + "." + host); missed && strings.HasPrefix(label, "xn--") {
			return origin, Missed
		}
	}
	for label := range x.space.labels(x.space.room(host) - len("a.")) {
		if !x.step() {
			return "", Undecided
		}
		if witness, verdict := x.below(label + "." + host); verdict != Covered {
			return witness, verdict
		}
	}
	return "", Covered
}

// label looks for a label with a prefix and a suffix, and at least one character in between, before a host. No wildcard
// of the set matches the hosts below that host.
func (x *outsideSearch) label(prefix, suffix, host string) (witness string, verdict Coverage) {
	search := labelSearch{outsideSearch: x, trie: x.set.starTrie(x.pattern.scheme, host), prefix: prefix, suffix: suffix, host: host}
	longest := min(x.space.room(host), x.space.maxLabel)
	for n := len(prefix) + len(suffix) + 1; n <= longest; n++ {
		search.bytes, search.labels = make([]byte, n), 0
		if search.forward(0, 0) == stopped {
			break
		}
		if search.labels == 0 && n >= search.independent() {
			break // a longer label without a byte in the middle would be one of this length
		}
	}
	switch {
	case search.witness != "":
		return search.witness, Missed
	case x.steps < 0:
		return "", Undecided
	}
	return "", Covered
}
