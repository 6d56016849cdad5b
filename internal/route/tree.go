package route

import (
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// segmentMode is a way of comparing the segments of a path with those of a pattern.
type segmentMode uint8

// comparison is a way of comparing a path with patterns.
type comparison struct {
	segments segmentMode
	// nonEmpty is true if a wildcard matches at least one byte. Some routers let it match the
	// empty segment between two slashes.
	nonEmpty bool
}

const (
	// decodedSegments: the path was decoded before, and is compared with the decoded pattern.
	decodedSegments segmentMode = iota
	// unescapedSegments: each segment of the path is decoded, as http.ServeMux does.
	unescapedSegments
	// writtenSegments: nothing is decoded. The path is compared with the pattern as written, as
	// by routers that use the raw path.
	writtenSegments
)

// tree finds the pattern that matches a path, by the rules of http.ServeMux: the more specific
// pattern wins. It does not clean paths.
type tree[V any] struct {
	root  node[V]
	count int
}

// node is a node of the tree of patterns. The path from the root to it is a sequence of
// segments.
type node[V any] struct {
	literal map[string]*node[V] // by the decoded segment; "/" for {$}
	written map[string]*node[V] // by the escaped segment, for segments with escapes
	single  *node[V]            // {name}
	multi   *leaf[V]            // {name...}, or a slash at the end
	leaf    *leaf[V]            // the pattern that ends here
}

// leaf is a pattern in the tree.
type leaf[V any] struct {
	match    Match[V]
	segments int
	multi    bool
}

// add adds a pattern, which must not conflict with one in the tree. If fold is true, it is
// added in lower case.
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

// child returns the child for a literal segment. It adds the child if there is none.
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

// match returns the match of a path, with a slash appended if slash is true.
func (t *tree[V]) match(path string, slash bool, how comparison) (Match[V], bool) {
	if t.count == 0 || !strings.HasPrefix(path, "/") {
		return Match[V]{}, false
	}
	l := t.root.find(path, slash, how)
	if l == nil {
		return Match[V]{}, false
	}
	m := l.match
	m.exact = !l.multi
	if l.multi && (slash || path[len(path)-1] == '/') {
		slashes := strings.Count(path, "/")
		if slash {
			slashes++
		}
		m.exact = slashes == l.segments // the wildcard matches the empty string
	}
	return m, true
}

// find returns the pattern that matches the rest of a path.
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
	if n.single != nil && (segment != "" || !how.nonEmpty) {
		if l := n.single.find(after, slash, how); l != nil {
			return l
		}
	}
	return n.multi
}

// next returns the child for a literal segment of a path.
func (n *node[V]) next(segment string, mode segmentMode) *node[V] {
	if mode != decodedSegments && strings.IndexByte(segment, '%') >= 0 {
		if mode == writtenSegments {
			return n.written[segment]
		}
		segment = decodeAll(segment)
	}
	return n.literal[segment]
}
