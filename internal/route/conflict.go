package route

import (
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// ConflictError is the error of a pattern that conflicts with another one: a request could
// match either.
type ConflictError struct {
	// Other is the first pattern in the set that the new one conflicts with.
	Other string
	// LetterCase is true if the two conflict only on servers that ignore letter case.
	LetterCase bool
}

// Error returns a message with the other pattern.
func (e *ConflictError) Error() string { return "conflicts with " + e.Other }

// Patterns is a set of patterns without conflicts, by the rules of http.ServeMux
// (https://pkg.go.dev/net/http#hdr-Precedence-ServeMux): two patterns conflict if they match
// the same paths, or if they match some common paths and neither is more specific. The zero
// value is an empty set.
//
// The shape of a pattern says which of its segments are literals, single wildcards and multi
// wildcards. Adding a pattern with d segments to n patterns of s shapes takes on the order of
// d*s steps, unless each literal of the pattern occurs in patterns of another shape, though
// never all of them together. A step compares up to 4096 patterns at one segment, in 64 words.
// The number of steps is at most d*(n/512+4) in each set of an overlay, and twice that if the
// pattern conflicts. A cost below quadratic for every set is not to be expected: conflicts
// between patterns can express the orthogonal vectors problem, for which no such algorithm is
// known.
type Patterns struct {
	base          *Patterns
	exact, folded conflictIndex
	search        conflictSearch
}

// Overlay returns an empty set on top of this one. Its Add compares a pattern with the patterns
// of both sets, and adds it to the new set only. A set must not be changed once it has
// overlays. Several overlays may then be used concurrently, each by one goroutine.
func (ps *Patterns) Overlay() *Patterns { return &Patterns{base: ps} }

// Add adds a pattern. It returns a *ConflictError and does not add the pattern if the pattern
// conflicts with one of the set, or would if letter case were ignored. Add is not safe for
// concurrent use.
func (ps *Patterns) Add(p Pattern) error {
	exact, folded := newConflictKey(p.segments), newConflictKey(lowerSegments(p.segments))
	// Equal literals are also equal in lower case, so the folded index finds every conflict.
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

// find returns the first pattern that conflicts with the one of the key, in one of the indexes
// of this set and of the sets below it.
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

// lowerSegments returns a copy of the segments with their literals in lower case.
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

// conflictKey is the part of a pattern that conflicts depend on.
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
			literals.WriteByte(0) // a byte that no literal contains
			literals.WriteString(s.text)
		}
	}
	return conflictKey{segments, shape.String(), shape.String() + literals.String()}
}

// maxShared is the number of patterns of each shape that are stored in the group of all shapes.
// It ensures that there are never more groups than blocks of patterns.
const maxShared = blockSize

// conflictIndex finds conflicts between patterns, with or without regard to letter case.
//
// Two patterns of one shape conflict only if they are equal. The patterns of a frequent shape
// have a group of their own, since a search among patterns of one other shape ends at the first
// segment that none of them matches. Patterns of rare shapes share a group, so that many shapes
// do not make many groups.
type conflictIndex struct {
	texts    []string       // in the order of addition
	equal    map[string]int // the index in texts by identity
	shapes   map[string]*shapeGroup
	frequent []*shapeGroup // the shapes with a group of their own
	shared   conflictGroup
}

// shapeGroup holds the patterns of one shape.
type shapeGroup struct {
	shape string
	count int
	own   conflictGroup // all but the first maxShared patterns, which are in the shared group
}

// add adds a pattern to the index. It must not conflict with a pattern in the index.
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

// find returns the first pattern that conflicts with the one of the key.
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

// noConflict is greater than the index of any pattern.
const noConflict = int(^uint(0) >> 1)

// conflictGroup records for each position in a path which of its patterns have which segment
// there. The bitmaps contain the patterns' indexes in orders.
type conflictGroup struct {
	orders  []int // the index of each pattern in the conflictIndex
	columns []conflictColumn
}

// conflictColumn holds the segments of a group's patterns at one position.
type conflictColumn struct {
	literals map[string]*bitmap // by text, including {$}
	named    bitmap             // the patterns with a literal other than {$}
	single   bitmap             // the patterns with a single wildcard
	multi    bitmap             // the patterns with a multi wildcard
	bounded  bitmap             // the patterns with a segment other than a multi wildcard
	last     bitmap             // the patterns whose last segment this is
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

// conflictSearch compares a pattern with those of a group, one block of them at a time.
type conflictSearch struct {
	places []conflictPlace
	// multis holds, for each position before the end of the pattern, the patterns with a multi
	// wildcard at that position. They match there and at all later positions, and are more
	// general.
	multis []*bitmap
	blocks []int       // the indexes of the blocks to compare
	before []blockBits // in the block that is compared: the patterns of the first i multis, by i
	steps  int         // of all searches so far
}

// conflictPlace compares a segment of the pattern with those of the other patterns at the same
// position.
type conflictPlace struct {
	same     *bitmap // the patterns with the same segment
	wider    *bitmap // the patterns with a more general segment, other than a multi wildcard
	narrower *bitmap // the patterns with a more specific segment
	last     *bitmap // the patterns that end here; nil if the pattern continues or has a multi wildcard
	multis   int     // the number of multis for this position and those before
	fit      int     // the number of patterns that match a common path up to this position
}

var emptyBitmap bitmap

// newConflictPlace returns the comparison of a segment with those of a column.
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

// find returns the index of the first pattern of a group that overlaps with the given one and
// is neither more general nor more specific; noConflict if there is none.
//
// It compares only blocks with a pattern that fits at the position where the fewest patterns
// fit.
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

// start compares the segments of a pattern with those of a group. It returns false if no
// pattern of the group fits at some position.
func (s *conflictSearch) start(g *conflictGroup, segments []segment) bool {
	s.places, s.multis = s.places[:0], s.multis[:0]
	short := 0 // the number of patterns with a multi wildcard so far
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
	general, specific := s.before[len(s.multis)], blockBits{} // the patterns that are more general, or more specific, at some position
	for i := range s.places {
		s.steps++
		s.places[i].wider.addTo(&general, index)
		s.places[i].narrower.addTo(&specific, index)
	}
	overlap.and(&general)
	overlap.and(&specific)
	return overlap.first()
}
