package origin

import (
	"hash/maphash"
	"math/bits"
	"strings"
)

// stars holds the patterns with a star within the first label, such as https://pr-*.example.com.
// A lookup tries only pairs of a prefix and a suffix of the request's first label whose lengths
// occur below the request's host. The number of pairs is bounded by the length of a label and
// does not depend on the number of patterns. A pattern takes about 8 bytes in addition to its
// text, and each host about 70.
type stars struct {
	patterns index
	// hosts maps the hostKey of a host to the first of its entries in lengths. Two hosts with
	// the same key would share their entries, which only means more pairs to try.
	hosts   map[uint64]uint32
	lengths []starLengths // the first entry is not used
}

// starLengths are the lengths of the prefixes of one host's patterns that end in a certain byte,
// or those of the suffixes that begin with it.
type starLengths struct {
	lengths uint64 // bit n is set for the length n
	next    uint32 // the next entry of the host; 0 if there is none
	class   uint8  // the byteClass of the byte; 0 for the empty prefix or suffix
	suffix  bool
}

// The longest label has 63 bytes, of which the star stands for at least one.
const maxStarLiteral = 62

// byteClass maps each byte of a label to a number from 1 to 63.
func byteClass(c byte) uint8 { return c&31 | ^c>>1&32 }

// hostKey returns the key of a host behind the first label, which includes the port unless a
// pattern matches any port.
func hostKey(seed maphash.Seed, scheme, host string, anyPort bool) uint64 {
	key := maphash.String(seed, host)
	if scheme == "http" {
		key ^= 1
	}
	if anyPort {
		key ^= 2
	}
	return key
}

// pairHash returns the hash of a pattern from those of its host, its prefix and its suffix.
func pairHash(host, prefix, suffix uint64) uint64 {
	hi, lo := bits.Mul64(prefix^bits.RotateLeft64(host, 32), suffix^host)
	return hi ^ lo
}

// splitStar splits the text of a pattern with a star in a label. The host includes the port,
// except for ":*".
func splitStar(text string) (scheme, prefix, suffix, host string, anyPort bool) {
	scheme, rest, _ := strings.Cut(text, "://")
	label, host, _ := strings.Cut(rest, ".")
	prefix, suffix, _ = strings.Cut(label, "*")
	host, anyPort = strings.CutSuffix(host, ":*")
	return scheme, prefix, suffix, host, anyPort
}

// starHash returns the hash of a pattern's text.
func starHash(seed maphash.Seed, text string) uint64 {
	scheme, prefix, suffix, host, anyPort := splitStar(text)
	return pairHash(hostKey(seed, scheme, host, anyPort), maphash.String(seed, prefix), maphash.String(seed, suffix))
}

// add adds the pattern that begins at offset in texts, if an equal one is not there yet.
func (t *stars) add(texts *StringList, text string, offset uint32) {
	if t.hosts == nil {
		t.patterns = newIndex(starHash)
		t.hosts = map[uint64]uint32{}
		t.lengths = make([]starLengths, 1)
	}
	scheme, prefix, suffix, host, anyPort := splitStar(text)
	seed := t.patterns.seed
	key := hostKey(seed, scheme, host, anyPort)
	if _, ok := t.patterns.find(texts, text); ok {
		return
	}
	t.patterns.put(texts, offset)
	class := uint8(0)
	if prefix != "" {
		class = byteClass(prefix[len(prefix)-1])
	}
	t.addLength(key, starLengths{class: class}, len(prefix))
	class = 0
	if suffix != "" {
		class = byteClass(suffix[0])
	}
	t.addLength(key, starLengths{class: class, suffix: true}, len(suffix))
}

// addLength adds a length to the entry of a host that has the class and the side of like.
func (t *stars) addLength(key uint64, like starLengths, n int) {
	for i := t.hosts[key]; i != 0; i = t.lengths[i].next {
		if entry := &t.lengths[i]; entry.class == like.class && entry.suffix == like.suffix {
			entry.lengths |= 1 << n
			return
		}
	}
	like.lengths, like.next = 1<<n, t.hosts[key]
	t.hosts[key] = uint32(len(t.lengths))
	t.lengths = append(t.lengths, like)
}

// labelBytes are the positions of each byte in a label: bit i+1 of the entry of a byte's class
// is set if the label has such a byte at index i. Bit 0 of entry 0 is set.
type labelBytes [64]uint64

func bytesOf(label string) (b labelBytes) {
	b[0] = 1
	for i := range len(label) {
		b[byteClass(label[i])] |= 2 << i
	}
	return b
}

// starPairs yields the pairs of a prefix's and a suffix's length to try for a label: those with
// the most bytes first, then those with the longer prefix. Both masks have bit n set for the
// length n.
type starPairs struct {
	prefixes, suffixes uint64
	total              int    // the sum of both lengths of the last pair
	left               uint64 // the prefixes of the other pairs with this sum
}

// pairsOf returns the pairs of the entries of a host that begin at an index, for a label. It
// ignores prefixes and suffixes whose byte next to the star the label does not have there.
func (t *stars) pairsOf(entry uint32, label string, at *labelBytes) (p starPairs) {
	for i := entry; i != 0; i = t.lengths[i].next {
		l := &t.lengths[i]
		switch {
		case !l.suffix:
			p.prefixes |= l.lengths & at[l.class]
		case l.class == 0:
			p.suffixes |= l.lengths
		default:
			// A suffix of n bytes begins at index len(label)-n, which is bit len(label)-n+1.
			p.suffixes |= l.lengths & (bits.Reverse64(at[l.class]) << 1 >> (63 - len(label)))
		}
	}
	return p.shorterThan(len(label))
}

// shorterThan returns the pairs that leave at least one of n bytes to the star, from the first on.
func (p starPairs) shorterThan(n int) starPairs {
	p.total, p.left = 0, 0
	if p.prefixes != 0 && p.suffixes != 0 {
		p.total = min(n, bits.Len64(p.prefixes)+bits.Len64(p.suffixes)-1)
	}
	return p
}

// has reports whether the pair of two lengths is one of the pairs.
func (p *starPairs) has(prefix, suffix int) bool {
	return p.prefixes>>prefix&1 != 0 && p.suffixes>>suffix&1 != 0
}

// next returns the next pair. It never returns the lengths 0 and 0, since such a pattern is a wildcard.
func (p *starPairs) next() (prefix, suffix int, ok bool) {
	for p.left == 0 {
		if p.total--; p.total < 1 {
			return 0, 0, false
		}
		// Bit i of the second operand is bit total-i of suffixes.
		p.left = p.prefixes & (bits.Reverse64(p.suffixes) >> (63 - p.total))
	}
	prefix = bits.Len64(p.left) - 1
	p.left &^= 1 << prefix
	return prefix, p.total - prefix, true
}

// match returns the offset of the most specific pattern for an origin whose host has a length in
// hostPort.
func (t *stars) match(texts *StringList, scheme, hostPort string, host int) (offset uint32, ok bool) {
	dot := strings.IndexByte(hostPort[:host], '.')
	// The letters of an xn-- label are an encoding, not the characters of the label.
	if t.patterns.len == 0 || dot < 0 || strings.HasPrefix(hostPort, "xn--") {
		return 0, false
	}
	label, rest := hostPort[:dot], hostPort[dot+1:]
	seed := t.patterns.seed
	key := hostKey(seed, scheme, rest, false)
	anyKey := hostKey(seed, scheme, rest[:host-dot-1], true)
	entry, anyEntry := t.hosts[key], t.hosts[anyKey]
	if entry == 0 && anyEntry == 0 {
		return 0, false
	}
	at := bytesOf(label)
	exact, anyPort := t.pairsOf(entry, label, &at), t.pairsOf(anyEntry, label, &at)
	pairs := starPairs{prefixes: exact.prefixes | anyPort.prefixes, suffixes: exact.suffixes | anyPort.suffixes}.shorterThan(len(label))
	if pairs.total == 0 {
		return 0, false
	}
	// Each prefix and suffix is hashed once, since it may be part of many pairs.
	var prefixes, suffixes [maxStarLiteral + 1]uint64
	for left := pairs.prefixes & (1<<len(label) - 1); left != 0; left &= left - 1 {
		n := bits.TrailingZeros64(left)
		prefixes[n] = maphash.String(seed, label[:n])
	}
	for left := pairs.suffixes & (1<<len(label) - 1); left != 0; left &= left - 1 {
		n := bits.TrailingZeros64(left)
		suffixes[n] = maphash.String(seed, label[len(label)-n:])
	}
	request := starRequest{scheme, label, rest, ""}
	anyRequest := starRequest{scheme, label, rest[:host-dot-1], ":*"}
	for {
		i, j, ok := pairs.next()
		if !ok {
			return 0, false
		}
		if exact.has(i, j) {
			if offset, ok := t.find(texts, pairHash(key, prefixes[i], suffixes[j]), &request, i, j); ok {
				return offset, true
			}
		}
		if anyPort.has(i, j) {
			if offset, ok := t.find(texts, pairHash(anyKey, prefixes[i], suffixes[j]), &anyRequest, i, j); ok {
				return offset, true
			}
		}
	}
}

// starRequest is the parts of an origin from which find makes patterns.
type starRequest struct{ scheme, label, host, port string }

// find returns the offset of the pattern that is made of parts of a request: the first bytes of its label, a star,
// the last bytes of its label, and the rest. The pattern's hash is given.
func (t *stars) find(texts *StringList, hash uint64, r *starRequest, prefix, suffix int) (offset uint32, ok bool) {
	for slot := t.patterns.first(hash); slot >= 0; slot = t.patterns.after(slot, hash) {
		if r.isPattern(texts.text(t.patterns.slots[slot]), prefix, suffix) {
			return t.patterns.slots[slot], true
		}
	}
	return 0, false
}

// isPattern reports whether text is the pattern that is made of parts of the request.
func (r *starRequest) isPattern(text string, prefix, suffix int) bool {
	for _, part := range [...]string{r.scheme, "://", r.label[:prefix], "*", r.label[len(r.label)-suffix:], ".", r.host, r.port} {
		rest, ok := strings.CutPrefix(text, part)
		if !ok {
			return false
		}
		text = rest
	}
	return text == ""
}
