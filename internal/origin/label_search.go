package origin

import "strings"

// labelSearch goes through the labels of one length that begin with a prefix, end in a suffix and are not punycode, and
// that no star of the set matches, until it finds one that the set does not match.
//
// It chooses the bytes from the left for as long as they are the beginning of a star's prefix. After that, the stars
// whose prefix the label has are known, and it chooses the other bytes from the right, so that none of the suffixes of
// these stars is complete. Only an exact pattern matches a label that it finds, so that there are not more vain ones
// than exact patterns.
type labelSearch struct {
	*outsideSearch
	trie           *starTrie // nil if there are no stars
	prefix, suffix string
	host           string

	bytes   []byte       // the label
	open    []openSuffix // of the prefixes of stars that the label has
	labels  int          // the number of labels of this length that no star matches
	overlap bool         // whether a star's suffix was compared with bytes that were chosen from the left
	witness string
}

// openSuffix is the trie of the suffixes beside a prefix that the label has.
type openSuffix struct {
	node int32
	max  int // the maximum length of a suffix that leaves a byte to the star
}

// outcome is the result of a step of a search.
type outcome uint8

const (
	// exhausted: no label with the bytes chosen so far is a witness.
	exhausted outcome = iota
	// hopeless: the same, whatever the bytes are that were chosen from the left, since the stars whose prefix the
	// label has match every label.
	hopeless
	// stopped: there is a witness, or there were too many steps.
	stopped
)

// independent returns a length of labels in which no byte belongs both to a prefix, or to xn--, and to a suffix, and one
// byte belongs to neither.
func (x *labelSearch) independent() int {
	prefix, suffix := max(len(x.prefix), len("xn--")), len(x.suffix)
	if x.trie != nil {
		prefix, suffix = max(prefix, x.trie.maxPrefix), max(suffix, x.trie.maxSuffix)
	}
	return prefix + suffix + 1
}

// choices returns the bytes that the label may have at an index.
func (x *labelSearch) choices(i int) string {
	if i < len(x.prefix) {
		return x.prefix[i : i+1]
	}
	if i -= len(x.bytes) - len(x.suffix); i >= 0 {
		return x.suffix[i : i+1]
	}
	return x.space.chars
}

// forward chooses the bytes from index n on. The node is that of the bytes before, or noNode.
func (x *labelSearch) forward(n int, node int32) outcome {
	if !x.step() {
		return stopped
	}
	if x.trie == nil {
		node = noNode
	}
	chosen := string(x.bytes[:n])
	if chosen == "xn--" {
		return exhausted
	}
	opened := false
	if node != noNode && x.trie.nodes[node].suffixes != 0 && n < len(x.bytes) {
		root := x.trie.nodes[node].suffixes
		if x.trie.ends(root, x.port) { // the star matches every longer label
			return exhausted
		}
		opened = true
		x.open = append(x.open, openSuffix{root, len(x.bytes) - n - 1})
		defer func() { x.open = x.open[:len(x.open)-1] }()
	}
	if n == len(x.bytes) || node == noNode && !strings.HasPrefix("xn--", chosen) {
		return x.startBackward(n)
	}
	for _, known := range [...]bool{false, true} { // first the bytes that no prefix continues with
		for _, c := range []byte(x.choices(n)) {
			next := int32(noNode)
			if node != noNode {
				next = x.trie.next(node, c)
			}
			if (next != noNode) != known {
				continue
			}
			x.bytes[n] = c
			switch result := x.forward(n+1, next); {
			case result == stopped:
				return stopped
			case result == hopeless && opened:
				return exhausted
			case result == hopeless:
				return hopeless
			}
		}
	}
	return exhausted
}

// startBackward chooses the bytes from index n on, beginning with the last.
func (x *labelSearch) startBackward(n int) outcome {
	nodes := make([]int32, len(x.open))
	for i, open := range x.open {
		nodes[i] = open.node
	}
	labels := x.labels
	x.overlap = false
	if x.backward(n, len(x.bytes), nodes) == stopped {
		return stopped
	}
	if x.labels == labels && !x.overlap {
		return hopeless
	}
	return exhausted
}

// backward chooses the bytes before index end, down to index n. The nodes are those of the bytes from end on among the
// open suffixes.
func (x *labelSearch) backward(n, end int, nodes []int32) outcome {
	if !x.step() {
		return stopped
	}
	if end == 0 || !hasNode(nodes) {
		return x.fill(n, end)
	}
	choices := x.choices(end - 1)
	if end <= n {
		x.overlap = true
		choices = string(x.bytes[end-1 : end])
	}
	next := make([]int32, len(nodes))
	for _, c := range []byte(choices) {
		if x.completes(nodes, next, c, len(x.bytes)-end+1) {
			continue
		}
		x.bytes[end-1] = c
		if x.backward(n, end-1, next) == stopped {
			return stopped
		}
	}
	return exhausted
}

func hasNode(nodes []int32) bool {
	for _, node := range nodes {
		if node != noNode {
			return true
		}
	}
	return false
}

// completes sets next to the nodes behind a byte, which makes the suffixes that long. It reports whether one of them is
// the suffix of a star that then matches the label.
func (x *labelSearch) completes(nodes, next []int32, c byte, length int) bool {
	for i, node := range nodes {
		next[i] = noNode
		if node == noNode || length > x.open[i].max {
			continue
		}
		next[i] = x.trie.next(node, c)
		if next[i] != noNode && x.trie.ends(next[i], x.port) {
			return true
		}
	}
	return false
}

// fill chooses the bytes from index n up to end, where no star matches the label whatever they are.
func (x *labelSearch) fill(n, end int) outcome {
	if !x.step() {
		return stopped
	}
	if n >= end {
		x.labels++
		if origin, missed := x.origin(string(x.bytes) + "." + x.host); missed {
			x.witness = origin
			return stopped
		}
		return exhausted
	}
	for _, c := range []byte(x.choices(n)) {
		x.bytes[n] = c
		if x.fill(n+1, end) == stopped {
			return stopped
		}
	}
	return exhausted
}
