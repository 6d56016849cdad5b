package route

import (
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// segmentMode is how the segments of a path are compared with those of a pattern.
type segmentMode uint8

// comparison is how a path is compared with patterns.
type comparison struct {
	segments segmentMode
	// filled says that a wildcard stands for one byte at least. Some routers let it stand
	// for nothing between two slashes.
	filled bool
}

const (
	// decodedSegments: the path's escapes were decoded before; it is compared as it is
	// with what the pattern's escapes stand for.
	decodedSegments segmentMode = iota
	// unescapedSegments: the escapes of each segment are decoded, as http.ServeMux does.
	unescapedSegments
	// writtenSegments: nothing is decoded; the path is compared with the pattern as it
	// is written, as routers do that look at the raw path.
	writtenSegments
)

// tree finds the pattern that matches a path, by the rules of http.ServeMux: the more
// specific pattern wins. It takes paths as they are, uncleaned.
type tree[V any] struct {
	root  node[V]
	count int
}

// node is a place in the tree of patterns, behind some segments.
type node[V any] struct {
	literal map[string]*node[V] // by the decoded segment; "/" is the end that {$} matches
	written map[string]*node[V] // the same, by how segments with escapes are written
	single  *node[V]            // {name}
	multi   *leaf[V]            // {name...}, and a slash at the end
	leaf    *leaf[V]            // the pattern that ends here
}

// leaf is a pattern in the tree.
type leaf[V any] struct {
	match    Match[V]
	segments int
	multi    bool
}

// add adds a pattern, which conflicts with none in the tree.
func (t *tree[V]) add(p Pattern, fold bool, match Match[V]) {
	t.count++
	l := &leaf[V]{match: match, segments: len(p.segments)}
	n := &t.root
	for _, s := range p.segments {
		switch s.kind {
		case multiSegment:
			l.multi = true
			n.multi = l
			return
		case singleSegment:
			if n.single == nil {
				n.single = &node[V]{}
			}
			n = n.single
		default:
			n = n.child(s, fold)
		}
	}
	n.leaf = l
}

// child returns the node behind a literal segment, and makes it where it is missing.
func (n *node[V]) child(s segment, fold bool) *node[V] {
	decoded, spellings := s.text, s.spellings()
	if fold {
		decoded = fetch.Lower(decoded)
		for i := range spellings {
			spellings[i] = fetch.Lower(spellings[i])
		}
	}
	next := n.literal[decoded]
	if next == nil {
		next = &node[V]{}
		if n.literal == nil {
			n.literal = map[string]*node[V]{}
		}
		n.literal[decoded] = next
	}
	for _, spelling := range spellings {
		if strings.IndexByte(spelling, '%') >= 0 {
			if n.written == nil {
				n.written = map[string]*node[V]{}
			}
			n.written[spelling] = next
		}
	}
	return next
}

// match finds the pattern of a path, with another slash at its end where slash is true.
func (t *tree[V]) match(path string, slash bool, how comparison) (Match[V], bool) {
	if t.count == 0 || !strings.HasPrefix(path, "/") {
		return Match[V]{}, false
	}
	l := t.root.find(path, slash, how)
	if l == nil {
		return Match[V]{}, false
	}
	m := l.match
	m.spelt = !l.multi
	if l.multi && (slash || path[len(path)-1] == '/') {
		slashes := strings.Count(path, "/")
		if slash {
			slashes++
		}
		m.spelt = slashes == l.segments // nothing stands where the wildcard is
	}
	return m, true
}

// find finds the pattern of what is left of a path.
func (n *node[V]) find(rest string, slash bool, how comparison) *leaf[V] {
	if rest == "" && slash {
		rest, slash = "/", false
	}
	if rest == "" {
		return n.leaf
	}
	if rest == "/" && !slash {
		if end := n.literal["/"]; end != nil && end.leaf != nil {
			return end.leaf
		}
		return n.multi
	}
	segment, after := rest[1:], ""
	if i := strings.IndexByte(segment, '/'); i >= 0 {
		segment, after = segment[:i], segment[i:]
	}
	if next := n.next(segment, how.segments); next != nil {
		if l := next.find(after, slash, how); l != nil {
			return l
		}
	}
	if n.single != nil && (segment != "" || !how.filled) {
		if l := n.single.find(after, slash, how); l != nil {
			return l
		}
	}
	return n.multi
}

// next returns the node behind a literal segment of a path.
func (n *node[V]) next(segment string, mode segmentMode) *node[V] {
	if mode != decodedSegments && strings.IndexByte(segment, '%') >= 0 {
		if mode == writtenSegments {
			return n.written[segment]
		}
		segment = decodeAll(segment)
	}
	return n.literal[segment]
}
