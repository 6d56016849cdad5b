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
	// LetterCase is true if a segment differs from that of a pattern in letter case, as few clients send it. The
	// other samples are complete for the other paths.
	LetterCase bool
}

// maxSamples bounds the number of samples, and maxSampleBytes the length of all keys that are made to find them.
const (
	maxSamples     = 400_000
	maxSampleBytes = 400 << 20
)

// Samples returns paths for a comparison of two tables. The patterns of each are those of one table, without conflicts,
// and the prefixes those of both. The paths have one meaning on servers that neither ignore letter case nor a slash at
// the end. For each such path, a sample has the same result of Find in the tables: the same pattern, the shape
// of a procedure, none, or results that differ. The result is to depend on the names of procedures for these shapes
// only. A sample in which a wildcard matches a text that no pattern has is also returned in the form of a procedure
// of an unknown service, if it can be one below a prefix.
//
// The samples begin with the least specific. If complete is false, there are more of them than Samples returns, which
// is at most about 400,000. The time is linear in the length of all patterns if few of them have wildcards at the same
// place.
func Samples(old, next []Pattern, prefixes []string) (samples []Sample, complete bool) {
	w := sampleWalk{ids: map[*node[int]]uint32{}, seen: map[string]bool{}, lower: map[*node[int]]map[string][]string{}, written: map[*node[int]][]string{}}
	for i, patterns := range [...][]Pattern{old, next, procedurePatterns(prefixes)} {
		for n, p := range patterns {
			w.trees[i].add(p, false, Match[int]{Value: n})
			w.trees[i+firstFolded].add(p, true, Match[int]{Value: n})
			w.read(p, &w.trees[i].root)
		}
	}
	w.chooseFresh()
	var start samplePosition
	for i := range w.trees {
		start.trees[i].nodes = []*node[int]{&w.trees[i].root}
	}
	for _, w.letterCase = range [...]bool{false, true} {
		w.visit(start, nil)
	}
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
// pattern has at the place, one that differs from it in letter case, or one that no pattern has. Paths with the same
// position have the same result of Find, whatever follows, so that the walk continues from the first of them only.
type sampleWalk struct {
	trees [sampleTrees]tree[int]
	ids   map[*node[int]]uint32
	lower map[*node[int]]map[string][]string // the literals of a node by their lower case

	written map[*node[int]][]string // how patterns write the literals that lead to a node, if with escapes
	seen    map[string]bool         // the keys of positions and samples

	fresh, service, method, short string

	letterCase bool // whether segments may differ from those of patterns in letter case, as they may in the second walk
	samples    []Sample
	bytes      int // the length of all keys
	full       bool
}

// samplePart is a segment of a path.
type samplePart struct {
	text       string // decoded; "" for one that no pattern has
	written    string // as clients send it
	letterCase bool   // it differs from that of a pattern in letter case
}

// samplePosition says how the patterns of each tree match a path.
type samplePosition struct {
	trees [sampleTrees]sampleBranches
	// escaped is the segments of the path that are not in the default encoding. Servers that decode nothing
	// compare them with the patterns as written.
	escaped string
}

// sampleBranches are the nodes of a tree that match a path, in the order in which tree.match looks at them, and behind
// them the pattern that matches the path if none of the nodes does.
type sampleBranches struct {
	nodes []*node[int]
	multi *leaf[int]
}

// read records how a pattern, whose tree begins at a node, writes its literals.
func (w *sampleWalk) read(p Pattern, n *node[int]) {
	for _, s := range p.segments {
		switch {
		case s.kind == multiSegment || s == end:
			return
		case s.kind == singleSegment:
			n = n.single
			continue
		}
		n = n.literal[s.text]
		for _, written := range s.spellings() {
			if strings.Contains(written, "%") && !slices.Contains(w.written[n], written) {
				w.written[n] = append(w.written[n], written)
			}
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
	key := w.key(at)
	if w.full || w.seen[key] {
		return
	}
	w.seen[key] = true
	w.add(at, parts)
	w.expand(at.alive(), samplePosition{}, parts)
}

// key returns a text that is the same for positions with the same nodes, in each of the two walks.
func (w *sampleWalk) key(at samplePosition) string {
	var b strings.Builder
	if w.letterCase {
		b.WriteString("in other letter case ")
	}
	for _, branches := range at.trees {
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
	b.WriteString(at.escaped)
	if w.bytes += b.Len(); w.bytes > maxSampleBytes {
		w.full = true
	}
	return b.String()
}
