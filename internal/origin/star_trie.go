package origin

import (
	"slices"
	"strconv"
	"strings"
)

// starTrie holds the stars of patterns for one host as a trie: a trie of their prefixes, where each prefix that a star
// has leads to a trie of the suffixes beside it, from their last byte to their first. Node 0 is the empty prefix.
type starTrie struct {
	nodes                []starNode
	maxPrefix, maxSuffix int // the maximum lengths
}

// starNode is a prefix or a suffix.
type starNode struct {
	edges    []starEdge
	suffixes int32    // of a prefix: the node of the empty suffix; 0 if no star has the prefix
	ports    []string // of a suffix: the ports of the stars that have the prefix and the suffix, "*" for any
}

// starEdge leads to the prefix or suffix with one more byte.
type starEdge struct {
	byte byte
	to   int32
}

// noNode is the node of a text that the trie does not have.
const noNode = -1

// next returns the node behind a byte, or noNode.
func (t *starTrie) next(node int32, c byte) int32 {
	for _, e := range t.nodes[node].edges {
		if e.byte == c {
			return e.to
		}
	}
	return noNode
}

// add returns the node behind a byte. It adds the node if there is none.
func (t *starTrie) add(node int32, c byte) int32 {
	if to := t.next(node, c); to != noNode {
		return to
	}
	to := t.node()
	t.nodes[node].edges = append(t.nodes[node].edges, starEdge{c, to})
	return to
}

// node adds a node.
func (t *starTrie) node() int32 {
	t.nodes = append(t.nodes, starNode{})
	return int32(len(t.nodes) - 1)
}

// addStar adds the star of a pattern.
func (t *starTrie) addStar(p Pattern) {
	if len(t.nodes) == 0 {
		t.node()
	}
	t.maxPrefix, t.maxSuffix = max(t.maxPrefix, len(p.prefix)), max(t.maxSuffix, len(p.suffix))
	at := int32(0)
	for i := range len(p.prefix) {
		at = t.add(at, p.prefix[i])
	}
	if t.nodes[at].suffixes == 0 {
		root := t.node()
		t.nodes[at].suffixes = root
	}
	at = t.nodes[at].suffixes
	for i := len(p.suffix) - 1; i >= 0; i-- {
		at = t.add(at, p.suffix[i])
	}
	if !slices.Contains(t.nodes[at].ports, p.port) {
		t.nodes[at].ports = append(t.nodes[at].ports, p.port)
	}
}

// ends reports whether a star that matches on a port has the suffix of a node.
func (t *starTrie) ends(node int32, port string) bool {
	ports := t.nodes[node].ports
	return slices.Contains(ports, port) || slices.Contains(ports, "*")
}

// starKey is the key of a starTrie.
type starKey struct{ scheme, host, port string }

// coverIndex is what Outside needs to know of a set's patterns in addition to Match.
type coverIndex struct {
	stars map[starKey]*starTrie // the stars of each host, on all ports
	ports [2][]uint64           // the ports that patterns of http and https name, a bit each
}

// cover returns the index of the set, which the first call makes.
func (s *Set) cover() *coverIndex {
	if index := s.coverIndex.Load(); index != nil {
		return index
	}
	index := &coverIndex{stars: map[starKey]*starTrie{}}
	for i := range index.ports {
		index.ports[i] = make([]uint64, (everyOrigin.maxPort+64)/64)
	}
	for _, text := range s.Patterns().All {
		index.addPort(text)
	}
	for p := range s.starPatterns {
		addStar(index.stars, starKey{p.scheme, p.host, ""}, p)
	}
	s.coverIndex.Store(index) // of two that were made at the same time, one is kept
	return index
}

func addStar(to map[starKey]*starTrie, key starKey, p Pattern) {
	if to[key] == nil {
		to[key] = &starTrie{}
	}
	to[key].addStar(p)
}

// starPatterns yields the patterns of the set that have a star within the first label.
func (s *Set) starPatterns(yield func(Pattern) bool) {
	if s == nil || s.stars.patterns.len == 0 {
		return
	}
	for _, text := range s.texts.All {
		if strings.IndexByte(text, '*') < 0 {
			continue
		}
		if p, _ := readPattern(text); p.kind == kindStar && !yield(p) {
			return
		}
	}
}

// addPort records the port that the text of a pattern names.
func (x *coverIndex) addPort(text string) {
	scheme, host, _ := strings.Cut(text, "://")
	colon := strings.LastIndexByte(host, ':')
	if !isWeb(scheme) || colon < strings.LastIndexByte(host, ']') {
		return
	}
	if n, err := strconv.Atoi(host[colon+1:]); err == nil {
		x.ports[schemeIndex(scheme)][n/64] |= 1 << (n % 64)
	}
}

func schemeIndex(scheme string) int {
	if scheme == "https" {
		return 1
	}
	return 0
}

// starTrie returns the stars of the set for a host; nil if there are none.
func (s *Set) starTrie(scheme, host string) *starTrie {
	if s == nil || s.stars.patterns.len == 0 {
		return nil
	}
	return s.cover().stars[starKey{scheme, host, ""}]
}

// freePort returns a port that no pattern of a scheme names. It returns false if they name all ports.
func (s *Set) freePort(scheme string, sp *space) (port string, ok bool) {
	var named []uint64
	if s != nil {
		named = s.cover().ports[schemeIndex(scheme)]
	}
	for port := range sp.ports(scheme) {
		if n, err := strconv.Atoi(port); err == nil && (named == nil || named[n/64]>>(n%64)&1 == 0) {
			return port, true
		}
	}
	return "", false
}
