package origin

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"math/bits"
)

// Table is a set of texts for millions of origins: the texts stand in a few large
// blocks, behind an index of their places, so that one costs about 8 bytes more than
// its text, and the garbage collector has nothing to look through. Add is for one
// goroutine, before the table is shared; Has and Len are safe for concurrent use
// from then on. A nil table is empty.
type Table struct {
	seed   maphash.Seed // so that nobody can choose texts that collide
	blocks [][]byte     // each text behind its length, a uvarint

	// The index is open addressing with linear probing. A slot's mark is 0 where it
	// is free, and otherwise a byte of the text's hash, which tells most others apart
	// without a look at the text.
	marks []uint8
	slots []uint32 // the place of a text: block<<blockBits + offset
	len   int
}

const (
	blockBits = 20
	blockSize = 1 << blockBits
	maxBlocks = 1 << (32 - blockBits)
)

// NewTable returns an empty table.
func NewTable() *Table { return &Table{seed: maphash.MakeSeed()} }

// Len returns the number of distinct texts.
func (t *Table) Len() int {
	if t == nil {
		return 0
	}
	return t.len
}

// Has reports whether a text was added. It does not allocate.
func (t *Table) Has(s string) bool {
	if t.Len() == 0 || len(s) > MaxLen { // before a long value is hashed
		return false
	}
	_, found := t.find(s, maphash.String(t.seed, s))
	return found
}

// Add adds a text, which may be there already. It reports false, and adds nothing,
// where the text is longer than MaxLen, or the table is full: that is at 4 GiB.
func (t *Table) Add(s string) bool {
	if len(s) > MaxLen {
		return false
	}
	if t.len+1 > len(t.slots)/8*7 {
		t.grow()
	}
	hash := maphash.String(t.seed, s)
	slot, found := t.find(s, hash)
	if found {
		return true
	}
	place, ok := t.store(s)
	if !ok {
		return false
	}
	t.marks[slot], t.slots[slot] = mark(hash), place
	t.len++
	return true
}

// find returns the slot of a text, or the free one where it belongs.
func (t *Table) find(s string, hash uint64) (slot int, found bool) {
	m := mark(hash)
	for i := t.home(hash); ; i++ {
		if i == len(t.marks) {
			i = 0
		}
		switch t.marks[i] {
		case 0:
			return i, false
		case m:
			if string(t.text(t.slots[i])) == s {
				return i, true
			}
		}
	}
}

// home is where the search for a hash begins. The mark is of other bits.
func (t *Table) home(hash uint64) int {
	hi, _ := bits.Mul64(hash, uint64(len(t.slots)))
	return int(hi)
}

func mark(hash uint64) uint8 { return uint8(hash) | 1 }

// text returns the text at a place.
func (t *Table) text(place uint32) []byte {
	block := t.blocks[place>>blockBits][place&(blockSize-1):]
	n, width := binary.Uvarint(block)
	return block[width : width+int(n)]
}

// store appends a text to the last block, or to a new one. A block that is full is
// never copied; the first one grows from little, for small sets.
func (t *Table) store(s string) (place uint32, ok bool) {
	last := len(t.blocks) - 1
	if last < 0 || len(t.blocks[last])+binary.MaxVarintLen16+len(s) > blockSize {
		if len(t.blocks) == maxBlocks {
			return 0, false
		}
		var block []byte
		if last++; last > 0 {
			block = make([]byte, 0, blockSize)
		}
		t.blocks = append(t.blocks, block)
	}
	place = uint32(last)<<blockBits + uint32(len(t.blocks[last]))
	t.blocks[last] = append(binary.AppendUvarint(t.blocks[last], uint64(len(s))), s...)
	return place, true
}

// grow makes the index half as large again.
func (t *Table) grow() {
	marks, slots := t.marks, t.slots
	size := max(16, min(len(slots)/2*3, math.MaxInt32))
	t.marks, t.slots = make([]uint8, size), make([]uint32, size)
	for i, m := range marks {
		if m == 0 {
			continue
		}
		hash := maphash.Bytes(t.seed, t.text(slots[i]))
		free := t.home(hash)
		for t.marks[free] != 0 {
			if free++; free == size {
				free = 0
			}
		}
		t.marks[free], t.slots[free] = m, slots[i]
	}
}
