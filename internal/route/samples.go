package route

import (
	"slices"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// Sample is the path of a request, as the fields of the same names of url.URL have it.
type Sample struct {
	// Path is the decoded path.
	Path string
	// RawPath is the path as clients send it, if it is not the default encoding of Path. This is so for a segment
	// that a pattern writes with %2F.
	RawPath string
	// LetterCase is true if a segment differs from that of a pattern in letter case. Such a path is seldom sent.
	LetterCase bool
}

// maxSamples bounds the number of samples, and maxSampleSteps the steps to find them.
const (
	maxSamples     = 200_000
	maxSampleSteps = 4_000_000
)

// Samples returns paths for a comparison of two tables. The patterns of each are those of one table, without conflicts,
// and the prefixes those of both. The paths have one meaning on servers that neither ignore letter case nor a slash at
// the end. For each such path, a sample has the same result of Find in the tables: the same pattern, the shape
// of a procedure, none, or results that differ. The result is to depend on the names of procedures for these shapes
// only. A sample in which a wildcard matches a text that no pattern has is also returned in the form of a procedure
// of an unknown service, if it can be one below a prefix.
//
// The samples begin with the least specific. If complete is false, there are more of them than Samples returns, which
// is at most about 200,000. The time is linear in the length of all patterns if few of them have wildcards at the same
// place.
func Samples(old, next []Pattern, prefixes []string) (samples []Sample, complete bool) {
	w := sampleWalk{ids: map[*node[int]]uint32{}, seen: map[string]bool{}, lower: map[*node[int]]map[string][]string{}, written: map[string]string{}}
	for i, patterns := range [...][]Pattern{old, next, procedurePatterns(prefixes)} {
		for n, p := range patterns {
			w.trees[i].add(p, false, Match[int]{Value: n})
			w.trees[i+firstFolded].add(p, true, Match[int]{Value: n})
			w.read(p)
		}
	}
	w.chooseFresh()
	var start samplePosition
	for i := range w.trees {
		start[i].nodes = []*node[int]{&w.trees[i].root}
	}
	w.visit(start, nil)
	return w.samples, !w.full
}

// procedurePatterns returns the patterns that match paths with two segments below the root or below a prefix.
func procedurePatterns(prefixes []string) (patterns []Pattern) {
	for _, prefix := range append([]string{""}, prefixes...) {
		if p, reason := parsePattern(prefix + "/{service}/{method}"); reason == "" {
			patterns = append(patterns, p)
		}
	}
	return patterns
}

// The trees of a walk: those of the old and the new patterns and of the paths of procedures, each in the letter case of
// the patterns, and then in lower case.
const (
	namesTree   = 2
	firstFolded = 3
	sampleTrees = 6
)

// sampleWalk goes through the trees of all patterns at the same time, segment by segment. A segment is one that a
// pattern has at the place, one that differs from it in letter case, or one that no pattern has. Paths that lead to the
// same position have the same result of Find, whatever follows, so that the walk continues from the first of them only.
type sampleWalk struct {
	trees   [sampleTrees]tree[int]
	ids     map[*node[int]]uint32
	seen    map[string]bool                    // the keys of positions
	lower   map[*node[int]]map[string][]string // the literals of a node by their lower case
	written map[string]string                  // literals that a pattern writes differently

	fresh, service, method, short string

	samples []Sample
	steps   int
	full    bool
}

// samplePart is a segment of a path.
type samplePart struct {
	text       string // "" for one that no pattern has
	letterCase bool   // it differs from that of a pattern in letter case
}

// samplePosition says how the patterns of each tree match a path.
type samplePosition [sampleTrees]sampleBranches

// sampleBranches are the nodes of a tree that match a path, in the order in which tree.match looks at them, and behind
// them the pattern that matches the path if none of the nodes does.
type sampleBranches struct {
	nodes []*node[int]
	multi *leaf[int]
}

// read records how a pattern writes its literals.
func (w *sampleWalk) read(p Pattern) {
	for _, s := range p.segments {
		if s.kind != literalSegment || s == end || s.written == s.text {
			continue
		}
		if _, ok := w.written[s.text]; !ok {
			w.written[s.text] = s.written
		}
	}
}

// chooseFresh chooses texts that no pattern has: one that is neither the name of a service nor of a method, one that is
// the name of a service, one that is that of a method, and a short one.
func (w *sampleWalk) chooseFresh() {
	literals := map[string]bool{}
	for i := range firstFolded {
		w.trees[i+firstFolded].root.collect(literals)
	}
	choose := func(format func(number string) string) string {
		for n := 0; ; n++ {
			number := strconv.Itoa(n)
			if n == 0 {
				number = ""
			}
			if text := format(number); !literals[fetch.Lower(text)] {
				return text
			}
		}
	}
	w.fresh = choose(func(number string) string { return "corsrpc-witness" + number })
	w.service = choose(func(number string) string { return "corsrpc.witness.v1.Witness" + number })
	w.method = choose(func(number string) string { return "Witness" + number })
	w.short = choose(func(number string) string { return "-" + number })
}

// collect adds the literals of a node, and of those behind it.
func (n *node[V]) collect(literals map[string]bool) {
	for text, next := range n.literal {
		literals[text] = true
		next.collect(literals)
	}
	if n.single != nil {
		n.single.collect(literals)
	}
}

// visit adds the samples that end at a position, unless another path has led there, and goes on.
func (w *sampleWalk) visit(at samplePosition, parts []samplePart) {
	if w.steps++; w.steps > maxSampleSteps {
		w.full = true
	}
	key := "visited" + w.key(at)
	if w.full || w.seen[key] {
		return
	}
	w.seen[key] = true
	w.add(at, parts)
	w.expand(at, parts)
}

// key returns a text that is the same for positions with the same nodes.
func (w *sampleWalk) key(at samplePosition) string {
	var b strings.Builder
	for _, branches := range at {
		for _, n := range branches.nodes {
			id, ok := w.ids[n]
			if !ok {
				id = uint32(len(w.ids))
				w.ids[n] = id
			}
			b.WriteString(strconv.FormatUint(uint64(id), 36))
			b.WriteByte(' ')
		}
		if branches.multi != nil {
			b.WriteByte('/')
			b.WriteString(strconv.Itoa(branches.multi.match.Value))
		}
		b.WriteByte('|')
	}
	return b.String()
}

// expand visits the positions behind each segment that tells patterns apart.
func (w *sampleWalk) expand(at samplePosition, parts []samplePart) {
	open, literals, ok := at.split()
	key := "expanded" + w.key(open) + "+" + w.key(literals)
	if w.seen[key] {
		return
	}
	w.seen[key] = true
	if ok {
		// Behind a segment that the nodes with literals alone do not have, all is as it is without these nodes.
		w.expand(open, parts)
		w.choose(at, literals, parts)
		return
	}
	w.visit(open.step(w.fresh), append(slices.Clip(parts), samplePart{}))
	w.choose(open, open, parts)
}

// split returns the position with only the nodes that have a wildcard, and with only those that have literals alone. It
// returns false if there are none of the second kind.
func (at samplePosition) split() (open, literals samplePosition, ok bool) {
	for i, branches := range at {
		open[i].multi = branches.multi
		for _, n := range branches.nodes {
			_, ends := n.literal["/"]
			switch {
			case n.single != nil || n.multi != nil:
				open[i].nodes = append(open[i].nodes, n)
			case len(n.literal) > 1 || len(n.literal) == 1 && !ends:
				literals[i].nodes, ok = append(literals[i].nodes, n), true
			}
		}
	}
	return open, literals, ok
}

// step returns the position behind a segment.
func (at samplePosition) step(text string) (next samplePosition) {
	for i, branches := range at {
		if i == firstFolded {
			text = fetch.Lower(text)
		}
		next[i] = branches.step(text)
	}
	return next
}

// step returns the branches behind a segment, in the order of node.find.
func (b sampleBranches) step(text string) (next sampleBranches) {
	for _, n := range b.nodes {
		if literal := n.literal[text]; literal != nil {
			next.nodes = append(next.nodes, literal)
		}
		if n.single != nil {
			next.nodes = append(next.nodes, n.single)
		}
		if n.multi != nil {
			next.multi = n.multi
			return next
		}
	}
	next.multi = b.multi
	return next
}

// choose visits the positions behind each segment that a node of a position has as a literal, or that differs from one in
// letter case.
func (w *sampleWalk) choose(at, of samplePosition, parts []samplePart) {
	letterCase := map[string]bool{}
	for i := range firstFolded {
		for _, n := range of[i].nodes {
			for text := range n.literal {
				letterCase[text] = false
			}
		}
		for _, n := range of[i+firstFolded].nodes {
			for lower := range n.literal {
				for _, text := range w.withLower(at, lower) {
					letterCase[text] = false
				}
				if text, ok := at.variant(lower); ok {
					letterCase[text] = true
				}
			}
		}
	}
	delete(letterCase, end.text)
	texts := make([]string, 0, len(letterCase))
	for text := range letterCase {
		texts = append(texts, text)
	}
	slices.Sort(texts)
	for _, text := range texts {
		if w.full {
			return
		}
		w.visit(at.step(text), append(slices.Clip(parts), samplePart{text, letterCase[text]}))
	}
}

// withLower returns the literals of the nodes of a position that have a text in lower case.
func (w *sampleWalk) withLower(at samplePosition, lower string) (texts []string) {
	for i := range firstFolded {
		for _, n := range at[i].nodes {
			if w.lower[n] == nil {
				w.lower[n] = map[string][]string{}
				for text := range n.literal {
					w.lower[n][fetch.Lower(text)] = append(w.lower[n][fetch.Lower(text)], text)
				}
			}
			texts = append(texts, w.lower[n][lower]...)
		}
	}
	return texts
}

// variant returns a text that differs from a text in lower case in letter case at most, and that no node of the position
// has as a literal.
func (at samplePosition) variant(lower string) (text string, ok bool) {
	var letters []int
	for i := range len(lower) {
		if 'a' <= lower[i] && lower[i] <= 'z' && len(letters) < maxVariantLetters {
			letters = append(letters, i)
		}
	}
	for mask := range 1 << len(letters) {
		b := []byte(lower)
		for i, letter := range letters {
			if mask>>i&1 != 0 {
				b[letter] -= 'a' - 'A'
			}
		}
		if !at.hasLiteral(string(b)) {
			return string(b), true
		}
	}
	return "", false
}

// maxVariantLetters bounds the letters whose case a variant changes. More would be needed only if a million patterns
// differed in letter case.
const maxVariantLetters = 20

// hasLiteral reports whether a node has a literal.
func (at samplePosition) hasLiteral(text string) bool {
	for i := range firstFolded {
		for _, n := range at[i].nodes {
			if n.literal[text] != nil {
				return true
			}
		}
	}
	return false
}
