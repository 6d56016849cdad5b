package route

import (
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// ConflictError is the error of a pattern where a request could be either of two patterns.
type ConflictError struct {
	// Other is the pattern that was added before; the first one where there are several.
	Other string
	// LetterCase says that the two conflict only where letter case is ignored.
	LetterCase bool
}

// Error names the other pattern.
func (e *ConflictError) Error() string { return "conflicts with " + e.Other }

// Patterns is a set of patterns without conflicts, by the rules of http.ServeMux
// (https://pkg.go.dev/net/http#hdr-Precedence-ServeMux): two patterns conflict where they
// match the same paths, or share some paths and neither is more specific. The zero value is
// an empty set.
//
// The shape of a pattern is which of its segments are literals, single wildcards and multi
// wildcards. Adding a pattern of d segments to n others of s shapes takes on the order of d*s
// steps, unless patterns of another shape have each of its literals, though never all of them
// together. A step compares up to 4096 patterns at one segment, in 64 words. There are never
// more than d*(n/512+4) steps in each set of an overlay, or twice as many where the pattern
// conflicts. A cost below quadratic for every set is not to be expected: the orthogonal vectors
// problem, for which none is known, can be written as conflicts between patterns.
type Patterns struct {
	base          *Patterns
	exact, folded conflictIndex
	search        conflictSearch
}

// Overlay returns a set above this one: Add compares a pattern with those of both, and adds
// it to the set above only. A set must not change any more once there are others above it;
// several goroutines may then use one of those each at the same time.
func (ps *Patterns) Overlay() *Patterns { return &Patterns{base: ps} }

// Add adds a pattern. The error is a *ConflictError where the pattern conflicts with one of
// the set, or would if letter case were ignored; then it is not added. Add is not safe for
// concurrent use.
func (ps *Patterns) Add(p Pattern) error {
	exact, folded := newConflictKey(p.segments), newConflictKey(lowerSegments(p.segments))
	// Literals that are equal are equal in lower case, so that this finds all conflicts.
	if other, conflicts := ps.find(foldedIndex, folded, &ps.search); conflicts {
		if same, conflicts := ps.find(exactIndex, exact, &ps.search); conflicts {
			return &ConflictError{Other: same}
		}
		return &ConflictError{Other: other, LetterCase: true}
	}
	ps.exact.add(exact, p.text)
	ps.folded.add(folded, p.text)
	return nil
}

func exactIndex(ps *Patterns) *conflictIndex  { return &ps.exact }
func foldedIndex(ps *Patterns) *conflictIndex { return &ps.folded }

// find returns the first pattern that conflicts with another one, of the set and those below
// it, in one of their indexes.
func (ps *Patterns) find(
	in func(*Patterns) *conflictIndex, key conflictKey, s *conflictSearch,
) (text string, ok bool) {
	if ps.base != nil {
		if text, ok := ps.base.find(in, key, s); ok {
			return text, true
		}
	}
	return in(ps).find(key, s)
}

// lowerSegments returns segments whose literals are in lower case.
func lowerSegments(segments []segment) []segment {
	lower := make([]segment, len(segments))
	for i, s := range segments {
		if s.kind == literalSegment {
			s.text = fetch.Lower(s.text)
		}
		lower[i] = s
	}
	return lower
}

// conflictKey is the part of a pattern that decides about conflicts.
type conflictKey struct {
	segments []segment
	shape    string // the kinds of the segments
	identity string // equal for patterns that match the same paths
}

// The kinds of segments in a shape.
const (
	shapeLiteral = 'l'
	shapeEnd     = '$'
	shapeSingle  = 's'
	shapeMulti   = 'm'
)

func newConflictKey(segments []segment) conflictKey {
	var shape, literals strings.Builder
	for _, s := range segments {
		switch {
		case s == end:
			shape.WriteByte(shapeEnd)
		case s.kind == singleSegment:
			shape.WriteByte(shapeSingle)
		case s.kind == multiSegment:
			shape.WriteByte(shapeMulti)
		default:
			shape.WriteByte(shapeLiteral)
			literals.WriteByte(0) // which no literal has
			literals.WriteString(s.text)
		}
	}
	return conflictKey{segments, shape.String(), shape.String() + literals.String()}
}

// maxShared is how many patterns of one shape share a group with other shapes. There are
// then never more groups than blocks of patterns.
const maxShared = blockSize

// conflictIndex finds conflicts between patterns, in one letter case.
//
// Patterns of one shape conflict only where they are equal. The patterns of a frequent shape have
// a group of their own, since a search of other shapes' patterns ends at once at a place where none
// of the group fits. Those of rare shapes share one, so that many shapes do not make many groups.
type conflictIndex struct {
	texts    []string       // in the order in which they were added
	equal    map[string]int // the order of patterns by identity
	shapes   map[string]*shapeGroup
	frequent []*shapeGroup // those with a group of their own
	shared   conflictGroup
}

// shapeGroup is the patterns of one shape.
type shapeGroup struct {
	shape string
	count int
	own   conflictGroup // of all but the first ones, which are in the shared group
}

// add adds a pattern that conflicts with no other.
func (x *conflictIndex) add(key conflictKey, text string) {
	if x.equal == nil {
		x.equal, x.shapes = map[string]int{}, map[string]*shapeGroup{}
	}
	order := len(x.texts)
	x.texts = append(x.texts, text)
	x.equal[key.identity] = order
	g := x.shapes[key.shape]
	if g == nil {
		g = &shapeGroup{shape: key.shape}
		x.shapes[key.shape] = g
	}
	if g.count++; g.count <= maxShared {
		x.shared.add(key.segments, order)
		return
	}
	if g.count == maxShared+1 {
		x.frequent = append(x.frequent, g)
	}
	g.own.add(key.segments, order)
}

// find returns the first pattern that conflicts with another one.
func (x *conflictIndex) find(key conflictKey, s *conflictSearch) (text string, ok bool) {
	first := noConflict
	if order, equal := x.equal[key.identity]; equal {
		first = order
	}
	first = min(first, s.find(&x.shared, key.segments))
	for _, g := range x.frequent {
		if g.shape != key.shape {
			first = min(first, s.find(&g.own, key.segments))
		}
	}
	if first == noConflict {
		return "", false
	}
	return x.texts[first], true
}

// noConflict is greater than the order of any pattern.
const noConflict = int(^uint(0) >> 1)

// conflictGroup holds for each place of a segment which of its patterns have which segment
// there. A pattern's number in the bitmaps is its place in orders.
type conflictGroup struct {
	orders  []int // of the patterns in the index
	columns []conflictColumn
}

// conflictColumn is the segments of a group's patterns at one place.
type conflictColumn struct {
	literals map[string]*bitmap // by text, {$} among them
	named    bitmap             // the patterns with a literal other than {$}
	single   bitmap
	multi    bitmap
	bounded  bitmap // the patterns with any segment other than a multi wildcard
	last     bitmap // the patterns that end here
}

func (g *conflictGroup) add(segments []segment, order int) {
	n := len(g.orders)
	g.orders = append(g.orders, order)
	for len(g.columns) < len(segments) {
		g.columns = append(g.columns, conflictColumn{literals: map[string]*bitmap{}})
	}
	for i, s := range segments {
		c := &g.columns[i]
		if i == len(segments)-1 {
			c.last.add(n)
		}
		if s.kind == multiSegment {
			c.multi.add(n)
			continue
		}
		c.bounded.add(n)
		if s.kind == singleSegment {
			c.single.add(n)
			continue
		}
		if c.literals[s.text] == nil {
			c.literals[s.text] = &bitmap{}
		}
		c.literals[s.text].add(n)
		if s != end {
			c.named.add(n)
		}
	}
}

// conflictSearch compares a pattern with those of a group, a block of them at a time.
type conflictSearch struct {
	places []conflictPlace
	// multis are the patterns that have a multi wildcard at a place, for each place before the
	// pattern's own: they fit there and behind, and are more general.
	multis []*bitmap
	blocks []int       // those to compare
	before []blockBits // of the block that is compared: the patterns of the first multis, by their number
	steps  int         // of all searches so far
}

// conflictPlace is a segment of the pattern beside those of the others at the same place.
type conflictPlace struct {
	same     *bitmap // the patterns with the same segment
	wider    *bitmap // those with a more general one, other than a multi wildcard
	narrower *bitmap // those with a more specific one
	last     *bitmap // those that end here; nil where the pattern goes on, or has a multi wildcard
	multis   int     // how many of the search's multis are for this place or one before
	fit      int     // how many patterns fit here: there are paths of both, as far as this place goes
}

var emptyBitmap bitmap

// newConflictPlace returns the place of a pattern's segment in a column.
func newConflictPlace(c *conflictColumn, s segment) conflictPlace {
	p := conflictPlace{same: &emptyBitmap, wider: &emptyBitmap, narrower: &emptyBitmap}
	switch {
	case c == nil:
	case s.kind == multiSegment:
		p.same, p.narrower = &c.multi, &c.bounded
	case s.kind == singleSegment:
		p.same, p.narrower = &c.single, &c.named
	default:
		if same := c.literals[s.text]; same != nil {
			p.same = same
		}
		if s != end {
			p.wider = &c.single
		}
	}
	return p
}

// find returns the order of the first pattern of a group that overlaps with another one and
// is neither more general nor more specific; noConflict where there is none.
//
// It compares only the blocks that have a pattern which fits at one place: the place where the
// fewest patterns do.
func (s *conflictSearch) find(g *conflictGroup, segments []segment) int {
	if !s.start(g, segments) {
		return noConflict
	}
	slices.SortFunc(s.places, func(a, b conflictPlace) int { return a.fit - b.fit })
	p := &s.places[0]
	blocks := s.blocks[:0]
	for _, fitting := range append([]*bitmap{p.same, p.wider, p.narrower}, s.multis[:p.multis]...) {
		for i := range fitting.blocks {
			blocks = append(blocks, fitting.blocks[i].index)
		}
	}
	slices.Sort(blocks)
	s.blocks = slices.Compact(blocks)
	for _, index := range s.blocks {
		if n, ok := s.compare(index); ok {
			return g.orders[index*blockSize+n]
		}
	}
	return noConflict
}

// start puts the segments of a pattern beside those of a group. It reports false where no pattern
// of the group fits at some place.
func (s *conflictSearch) start(g *conflictGroup, segments []segment) bool {
	s.places, s.multis = s.places[:0], s.multis[:0]
	short := 0 // how many patterns have a multi wildcard so far
	for i, segment := range segments {
		s.steps++
		var c *conflictColumn
		if i < len(g.columns) {
			c = &g.columns[i]
		}
		p := newConflictPlace(c, segment)
		if c != nil && segment.kind != multiSegment {
			if c.multi.count > 0 {
				s.multis = append(s.multis, &c.multi)
				short += c.multi.count
			}
			if i == len(segments)-1 {
				p.last = &c.last
			}
		}
		p.multis, p.fit = len(s.multis), p.same.count+p.wider.count+p.narrower.count+short
		if p.fit == 0 {
			return false
		}
		s.places = append(s.places, p)
	}
	if len(s.before) <= len(s.multis) {
		s.before = make([]blockBits, 2*len(s.multis)+1)
	}
	return true
}

// compare returns the first pattern of a block that conflicts.
func (s *conflictSearch) compare(index int) (n int, ok bool) {
	for i, multi := range s.multis {
		s.steps++
		s.before[i+1] = s.before[i]
		multi.addTo(&s.before[i+1], index)
	}
	var overlap blockBits
	for i := range s.places {
		s.steps++
		p := &s.places[i]
		fit := s.before[p.multis]
		p.same.addTo(&fit, index)
		p.wider.addTo(&fit, index)
		p.narrower.addTo(&fit, index)
		if p.last != nil {
			ends := s.before[p.multis]
			p.last.addTo(&ends, index)
			fit.and(&ends)
		}
		if i == 0 {
			overlap = fit
		} else if !overlap.and(&fit) {
			return 0, false
		}
	}
	general, specific := s.before[len(s.multis)], blockBits{} // the patterns that are so at some place
	for i := range s.places {
		s.steps++
		s.places[i].wider.addTo(&general, index)
		s.places[i].narrower.addTo(&specific, index)
	}
	overlap.and(&general)
	overlap.and(&specific)
	return overlap.first()
}
