package route

import (
	"math/bits"
	"sort"
)

// blockSize is how many numbers a block of a bitmap is for.
const blockSize = 4096

// bitmap is a set of numbers, in blocks. It has no blocks for numbers that it does not hold, so that a set
// of few numbers is small, however large they are.
type bitmap struct {
	blocks []block
	count  int // of the numbers
}

// block holds the numbers from blockSize*index on that a bitmap has: as they are while they are few.
type block struct {
	index int
	few   []uint16
	many  *blockBits
}

// blockBits has a bit for each number of a block.
type blockBits [blockSize / 64]uint64

// maxFew is how many numbers of a block take as long to read as its bits.
const maxFew = len(blockBits{})

// add adds a number that is greater than any other of the set.
func (b *bitmap) add(n int) {
	b.count++
	index, within := n/blockSize, uint16(n%blockSize)
	last := len(b.blocks) - 1
	if last < 0 || b.blocks[last].index != index {
		b.blocks = append(b.blocks, block{index: index})
		last++
	}
	switch k := &b.blocks[last]; {
	case k.many != nil:
		k.many.set(within)
	case len(k.few) < maxFew:
		k.few = append(k.few, within)
	default:
		many := &blockBits{}
		k.addTo(many)
		many.set(within)
		k.few, k.many = nil, many
	}
}

// addTo sets the bits of a block's numbers.
func (b *bitmap) addTo(bits *blockBits, index int) {
	if len(b.blocks) == 0 || index < b.blocks[0].index {
		return
	}
	at := index - b.blocks[0].index // where no block is missing
	if at >= len(b.blocks) || b.blocks[at].index != index {
		at = sort.Search(min(at, len(b.blocks)), func(i int) bool { return b.blocks[i].index >= index })
		if at == len(b.blocks) || b.blocks[at].index != index {
			return
		}
	}
	b.blocks[at].addTo(bits)
}

func (k *block) addTo(bits *blockBits) {
	if k.many != nil {
		for i := range bits {
			bits[i] |= k.many[i]
		}
		return
	}
	for _, n := range k.few {
		bits.set(n)
	}
}

func (b *blockBits) set(n uint16) { b[n/64] |= 1 << (n % 64) }

// and keeps the bits that are set in both, and reports whether there are any.
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
