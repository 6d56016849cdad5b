package route

import (
	"cmp"
	"slices"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// sampleChoice is a segment that tells patterns apart: a literal of a node, or any text that differs from it in letter
// case.
type sampleChoice struct {
	text  string
	lower bool // the text is in lower case, and stands for one that no node has as a literal
}

// expand visits the positions behind each segment that tells patterns apart.
//
// Behind a segment that a node without wildcards does not have, all is as it is without this node. So expand takes the
// segments of the node that has the fewest, and leaves the others to the position without it, which is the same behind
// many paths. The segments of the nodes that were left out are not possible there. The first path to a position has the
// fewest such nodes, since it has a fresh segment wherever it can. Other paths add nothing, since they have these nodes
// too.
func (w *sampleWalk) expand(at, without samplePosition, parts []samplePart) {
	key := "expanded " + w.key(at)
	if w.seen[key] {
		return
	}
	w.seen[key] = true
	literals, rest, ok := at.withoutSmallest()
	if ok {
		w.expand(rest, without.plus(literals), parts)
	} else {
		literals = at
		w.visit(at.step(w.fresh, w.fresh), append(slices.Clip(parts), samplePart{}))
	}
	for _, c := range w.choices(at, literals) {
		if w.full {
			return
		}
		text, ok := at.text(c, without)
		if !ok {
			continue
		}
		for _, written := range w.spellings(at, text) {
			w.visit(at.step(text, written), append(slices.Clip(parts), samplePart{text, written, c.lower}))
		}
	}
}

// text returns a text for a choice that no node has which was left out of the position. It returns false if there is
// none.
func (at samplePosition) text(c sampleChoice, without samplePosition) (text string, ok bool) {
	switch {
	case hasLiteral(without.trees[firstFolded:], fetch.Lower(c.text)):
		return "", false
	case c.lower:
		return at.plus(without).variant(c.text)
	}
	return c.text, !hasLiteral(without.trees[:firstFolded], c.text)
}

// hasLiteral reports whether a node has a literal.
func hasLiteral(trees []sampleBranches, text string) bool {
	for _, branches := range trees {
		for _, n := range branches.nodes {
			if n.literal[text] != nil {
				return true
			}
		}
	}
	return false
}

// alive returns the position without the nodes behind which no pattern goes on.
func (at samplePosition) alive() (alive samplePosition) {
	alive.escaped = at.escaped
	for i, branches := range at.trees {
		alive.trees[i].multi = branches.multi
		for _, n := range branches.nodes {
			if n.single != nil || n.multi != nil || n.hasOnlyLiterals() {
				alive.trees[i].nodes = append(alive.trees[i].nodes, n)
			}
		}
	}
	return alive
}

// withoutSmallest splits off the node without wildcards that has the fewest literals. It returns false if there is none.
func (at samplePosition) withoutSmallest() (smallest, rest samplePosition, ok bool) {
	var found *node[int]
	for _, branches := range at.trees {
		for _, n := range branches.nodes {
			if n.hasOnlyLiterals() && (found == nil || len(n.literal) < len(found.literal)) {
				found = n
			}
		}
	}
	rest.escaped = at.escaped
	for i, branches := range at.trees {
		rest.trees[i].multi = branches.multi
		for _, n := range branches.nodes {
			into := &rest
			if n == found {
				into = &smallest
			}
			into.trees[i].nodes = append(into.trees[i].nodes, n)
		}
	}
	return smallest, rest, found != nil
}

// hasOnlyLiterals reports whether patterns go on behind the node, and none of them with a wildcard.
func (n *node[V]) hasOnlyLiterals() bool {
	literals := len(n.literal)
	if n.literal[end.text] != nil {
		literals--
	}
	return literals > 0 && n.single == nil && n.multi == nil
}

// plus returns the position with the nodes of another one.
func (at samplePosition) plus(other samplePosition) (both samplePosition) {
	for i := range at.trees {
		both.trees[i].nodes = slices.Concat(at.trees[i].nodes, other.trees[i].nodes)
	}
	return both
}

// step returns the position behind a segment.
func (at samplePosition) step(text, written string) (next samplePosition) {
	next.escaped = at.escaped
	if written != defaultEscape(text) {
		next.escaped += "/" + written
	}
	for i, branches := range at.trees {
		if i == firstFolded {
			text = fetch.Lower(text)
		}
		next.trees[i] = branches.step(text)
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

// choices returns the choices at a position for the literals of some of its nodes.
func (w *sampleWalk) choices(at, of samplePosition) (choices []sampleChoice) {
	all := map[sampleChoice]bool{}
	for i := range firstFolded {
		for _, n := range of.trees[i].nodes {
			for text := range n.literal {
				all[sampleChoice{text: text}] = true
			}
		}
		for _, n := range of.trees[i+firstFolded].nodes {
			for lower := range n.literal {
				for _, text := range w.withLower(at, lower) {
					all[sampleChoice{text: text}] = true
				}
				all[sampleChoice{lower, true}] = w.letterCase
			}
		}
	}
	for c, possible := range all {
		if possible && c.text != end.text {
			choices = append(choices, c)
		}
	}
	slices.SortFunc(choices, func(a, b sampleChoice) int {
		if a.lower != b.lower && a.lower {
			return 1
		} else if a.lower != b.lower {
			return -1
		}
		return cmp.Compare(a.text, b.text)
	})
	return choices
}

// withLower returns the literals of the nodes of a position that have a text in lower case.
func (w *sampleWalk) withLower(at samplePosition, lower string) (texts []string) {
	for i := range firstFolded {
		for _, n := range at.trees[i].nodes {
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

// maxVariantLetters bounds the letters whose case a variant changes. More would be needed only if a million patterns
// differed in letter case.
const maxVariantLetters = 20

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
		if !hasLiteral(at.trees[:firstFolded], string(b)) {
			return string(b), true
		}
	}
	return "", false
}
