package route

import (
	"math/bits"
	"sort"
)

// blockSize is the number of integers that a block of a bitmap covers.
const blockSize = 4096

// bitmap is a set of non-negative integers, stored in blocks. It has no block for a range in
// which it contains no integer, so that a small set takes little memory however large its
// integers are.
type bitmap struct {
	blocks []block
	count  int // the number of integers
}

// block is the part of a bitmap from blockSize*index on. It lists its integers while they are
// few, and otherwise has a bit for each.
type block struct {
	index  int
	sparse []uint16   // the integers, relative to the block; nil if dense is set
	dense  *blockBits // nil if sparse is used
}

// blockBits has one bit for each integer of a block.
type blockBits [blockSize / 64]uint64

// maxSparse is the maximum length of a sparse block. Reading a longer list would take longer
// than reading the bits.
const maxSparse = len(blockBits{})

// add adds an integer, which must be greater than all that the set contains.
func (b *bitmap) add(n int) {
	b.count++
	index, within := n/blockSize, uint16(n%blockSize)
	last := len(b.blocks) - 1
	if last < 0 || b.blocks[last].index != index {
		b.blocks = append(b.blocks, block{index: index})
		last++
	}
	switch k := &b.blocks[last]; {
	case k.dense != nil:
		k.dense.set(within)
	case len(k.sparse) < maxSparse:
		k.sparse = append(k.sparse, within)
	default:
		dense := &blockBits{}
		k.addTo(dense)
		dense.set(within)
		k.sparse, k.dense = nil, dense
	}
}

// addTo sets the bits of the integers in the block with an index.
func (b *bitmap) addTo(bits *blockBits, index int) {
	if len(b.blocks) == 0 || index < b.blocks[0].index {
		return
	}
	at := index - b.blocks[0].index // the position if no block before it is missing
	if at >= len(b.blocks) || b.blocks[at].index != index {
		at = sort.Search(min(at, len(b.blocks)), func(i int) bool { return b.blocks[i].index >= index })
		if at == len(b.blocks) || b.blocks[at].index != index {
			return
		}
	}
	b.blocks[at].addTo(bits)
}

func (k *block) addTo(bits *blockBits) {
	if k.dense != nil {
		for i := range bits {
			bits[i] |= k.dense[i]
		}
		return
	}
	for _, n := range k.sparse {
		bits.set(n)
	}
}

func (b *blockBits) set(n uint16) { b[n/64] |= 1 << (n % 64) }

// and clears the bits that are not set in other. It reports whether any bit remains.
func (b *blockBits) and(other *blockBits) bool {
	any := uint64(0)
	for i := range b {
		b[i] &= other[i]
		any |= b[i]
	}
	return any != 0
}

// first returns the lowest bit that is set.
func (b *blockBits) first() (n int, ok bool) {
	for i, word := range b {
		if word != 0 {
			return i*64 + bits.TrailingZeros64(word), true
		}
	}
	return 0, false
}
