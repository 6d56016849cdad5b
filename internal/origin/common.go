package origin

import "strings"

// Overlap says whether an origin exists that two sets match.
type Overlap uint8

const (
	// OverlapUndecided: the search for such an origin took too many steps.
	OverlapUndecided Overlap = iota
	// Disjoint: no origin is matched by both sets.
	Disjoint
	// Overlapping: both sets match an origin.
	Overlapping
)

// String returns the name of the overlap.
func (o Overlap) String() string { return [...]string{"undecided", "disjoint", "overlapping"}[o] }

// Common returns an origin that both sets match. It is an origin that a browser sends, as that of Outside is. If the
// verdict is Disjoint, no such origin exists. If the verdict is OverlapUndecided, the search ended after about a
// million steps; that takes thousands of stars for one host whose labels are nearly as long as a label can be.
//
// The time is linear in the number of patterns of both sets.
func Common(a, b *Set) (origin string, verdict Overlap) {
	return common(a, b, &everyOrigin, maxSteps+4*(a.Len()+b.Len()))
}

// common looks for a common origin of each pair of patterns. Of two patterns that match a common origin, one matches
// every origin of the other, on a port at least, unless both have a star within the first label.
func common(a, b *Set, sp *space, steps int) (origin string, verdict Overlap) {
	for _, sets := range [...][2]*Set{{a, b}, {b, a}} {
		if origin := instanceWithin(sets[0], sets[1], sp); origin != "" {
			return origin, Overlapping
		}
	}
	return commonStar(a, b, sp, steps)
}

// instanceWithin returns an origin of a pattern of one set that a pattern of the other set matches, if that one
// matches all origins of the first on a port. It returns "" if there is none.
func instanceWithin(of, within *Set, sp *space) string {
	anyPort := newPortless(within)
	for _, text := range of.Patterns().All {
		p := Pattern{}
		instance := text
		if strings.IndexByte(text, '*') >= 0 {
			p, _ = readPattern(text)
			instance = p.instance(sp)
		}
		if instance == "" { // p matches nothing
			continue
		}
		if _, matched := within.Match(instance); matched {
			return strings.Clone(instance)
		}
		if p.port == "*" {
			if port := anyPort.find(instance); port != "" {
				return instance + ":" + port
			}
		}
	}
	return ""
}

// portless finds the patterns of a set that match an origin on a port that the pattern names.
type portless struct {
	patterns []Pattern // with a star and a port; exact ones need no search, since each has one origin only
	set      *Set      // the same, for any port
}

func newPortless(s *Set) (p portless) {
	for _, text := range s.Patterns().All {
		if strings.IndexByte(text, '*') < 0 || strings.HasSuffix(text, "*") {
			continue
		}
		if pattern, _ := readPattern(text); pattern.port != "" {
			p.patterns = append(p.patterns, pattern)
		}
	}
	anyPort := make([]Pattern, len(p.patterns))
	for i, pattern := range p.patterns {
		anyPort[i] = pattern
		anyPort[i].port = "*"
	}
	p.set = NewSet(anyPort)
	return p
}

// find returns a port on which a pattern matches the host of an origin without a port; "" if there is none.
func (p portless) find(origin string) string {
	id, ok := p.set.Match(origin)
	if !ok {
		return ""
	}
	return p.patterns[p.set.Index(id)].port
}

// commonStar looks for a common origin of two patterns with a star within the first label.
func commonStar(a, b *Set, sp *space, steps int) (origin string, verdict Overlap) {
	if a == nil || b == nil || a.stars.patterns.len == 0 || b.stars.patterns.len == 0 {
		return "", Disjoint
	}
	for _, sets := range [...][2]*Set{{a, b}, {b, a}} {
		x := starMeeting{space: sp, tries: starTries(sets[1]), steps: &steps}
		for p := range sets[0].starPatterns {
			if origin := x.of(p); origin != "" {
				return origin, Overlapping
			}
		}
	}
	if steps < 0 {
		return "", OverlapUndecided
	}
	return "", Disjoint
}

// allPorts is the port in the key of the stars with any port or none.
const allPorts = "all"

// starTries returns the stars of a set by their host and port, and also by their host alone.
func starTries(s *Set) map[starKey]*starTrie {
	tries := map[starKey]*starTrie{}
	for p := range s.starPatterns {
		addStar(tries, starKey{p.scheme, p.host, p.port}, p)
		addStar(tries, starKey{p.scheme, p.host, allPorts}, p)
	}
	return tries
}

// starMeeting looks for the stars of a set that have a common label with a pattern's star, and whose prefix the
// pattern's prefix begins with. The stars with a longer prefix are found in the other direction.
type starMeeting struct {
	space *space
	tries map[starKey]*starTrie
	steps *int

	pattern Pattern
	trie    *starTrie
}

// of returns a common origin of a pattern and of such a star.
func (x *starMeeting) of(p Pattern) (origin string) {
	ports := []string{p.port, "*"}
	if p.port == "*" {
		ports = []string{allPorts}
	}
	x.pattern = p
	for _, port := range ports {
		if x.trie = x.tries[starKey{p.scheme, p.host, port}]; x.trie == nil {
			continue
		}
		node := int32(0)
		for n := 0; node != noNode; n++ {
			if root := x.trie.nodes[node].suffixes; root != 0 {
				if origin := x.beside(p.prefix[:n], root); origin != "" {
					return origin
				}
			}
			if n == len(p.prefix) {
				break
			}
			node = x.trie.next(node, p.prefix[n])
		}
	}
	return ""
}

// beside returns a common origin of the pattern and of a star with a prefix, whose suffixes a node leads to: one that
// the pattern's suffix ends in, or one that ends in the pattern's suffix.
func (x *starMeeting) beside(prefix string, node int32) (origin string) {
	suffix := x.pattern.suffix
	for i := len(suffix) - 1; i >= 0; i-- {
		if origin := x.meet(prefix, suffix[i+1:], node); origin != "" {
			return origin
		}
		if node = x.trie.next(node, suffix[i]); node == noNode {
			return ""
		}
	}
	return x.longer(prefix, suffix, node)
}

// longer is beside for the suffixes that end in the suffix of a node.
func (x *starMeeting) longer(prefix, suffix string, node int32) (origin string) {
	if *x.steps--; *x.steps < 0 {
		return ""
	}
	if origin := x.meet(prefix, suffix, node); origin != "" {
		return origin
	}
	for _, e := range x.trie.nodes[node].edges {
		if origin := x.longer(prefix, string(e.byte)+suffix, e.to); origin != "" {
			return origin
		}
	}
	return ""
}

// meet returns a common origin of the pattern and of the star with a prefix and a suffix, if the node of the suffix
// says that there is such a star.
func (x *starMeeting) meet(prefix, suffix string, node int32) (origin string) {
	ports := x.trie.nodes[node].ports
	if len(ports) == 0 {
		return ""
	}
	p := x.pattern
	label := x.space.commonLabel(p, Pattern{prefix: prefix, suffix: suffix, host: p.host})
	if label == "" {
		return ""
	}
	port := p.port
	if port == "*" {
		port = ports[0]
	}
	return p.at(label+"."+p.host, port)
}

// commonLabel returns a label that the stars of two patterns for one host match; "" if there is none. One of the two
// prefixes begins with the other, and one of the two suffixes ends in the other.
func (sp *space) commonLabel(a, b Pattern) string {
	prefix, suffix := longer(a.prefix, b.prefix), longer(a.suffix, b.suffix)
	room := min(sp.room(a.host), sp.maxLabel)
	if label := sp.between(prefix, suffix, room); label != "" {
		return label
	}
	return overlapping(a, b, room)
}

// longer returns the longer one of two texts.
func longer(a, b string) string {
	if len(b) > len(a) {
		return b
	}
	return a
}

// overlapping returns a label of at most max bytes that the stars of two patterns match, and in which the longer prefix
// and the longer suffix overlap, or have nothing in between; "" if there is none.
func overlapping(a, b Pattern, max int) string {
	prefix, suffix := longer(a.prefix, b.prefix), longer(a.suffix, b.suffix)
	shortest := len(longer(a.prefix+a.suffix, b.prefix+b.suffix)) + 1
	for n := min(max, len(prefix)+len(suffix)); n >= shortest && n >= len(prefix) && n >= len(suffix); n-- {
		label := prefix + suffix[len(prefix)+len(suffix)-n:]
		if strings.HasSuffix(label, suffix) && !strings.HasPrefix(label, "xn--") {
			return label
		}
	}
	return ""
}
