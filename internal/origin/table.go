package origin

import (
	"hash/maphash"
	"math"
	"math/bits"
)

// Table is a set of strings that can hold millions of origins: one takes about 8 bytes in
// addition to its text. Has and Len are safe for concurrent use if Add is not called at the
// same time. A nil table is empty.
type Table struct {
	texts StringList
	index index
}

// NewTable returns an empty table.
func NewTable() *Table { return &Table{index: newIndex(maphash.String)} }

// Len returns the number of distinct strings.
func (t *Table) Len() int {
	if t == nil {
		return 0
	}
	return t.texts.len
}

// Has reports whether the table contains s. It does not allocate.
func (t *Table) Has(s string) bool {
	if t == nil {
		return false
	}
	_, found := t.index.find(&t.texts, s)
	return found
}

// Add adds s, if the table does not contain it. It returns false if s is longer than MaxLen or
// the table is full.
func (t *Table) Add(s string) bool {
	if t.Has(s) {
		return true
	}
	offset, ok := t.texts.append(s)
	if ok {
		t.index.put(&t.texts, offset)
	}
	return ok
}

// index finds strings of a StringList by open addressing with linear probing. The mark of a
// slot is 0 if the slot is free, and otherwise derived from the string's hash, so that most
// unequal strings are told apart without a comparison.
type index struct {
	seed  maphash.Seed // random, so that an attacker cannot choose strings that collide
	hash  func(maphash.Seed, string) uint64
	marks []uint8
	slots []uint32 // the offset of each string
	len   int
}

// newIndex returns an empty index with a hash function, such as maphash.String.
func newIndex(hash func(maphash.Seed, string) uint64) index {
	return index{seed: maphash.MakeSeed(), hash: hash}
}

// find returns the offset of a string.
func (x *index) find(texts *StringList, s string) (offset uint32, ok bool) {
	if x.len == 0 || len(s) > MaxLen { // avoids hashing a long value
		return 0, false
	}
	hash := x.hash(x.seed, s)
	for slot := x.first(hash); slot >= 0; slot = x.after(slot, hash) {
		if texts.text(x.slots[slot]) == s {
			return x.slots[slot], true
		}
	}
	return 0, false
}

// first returns the first slot whose string may have a hash; -1 if there is none. The index must not be empty.
func (x *index) first(hash uint64) int { return x.seek(x.home(hash), mark(hash)) }

// after returns the next slot whose string may have a hash; -1 if there is none.
func (x *index) after(slot int, hash uint64) int { return x.seek(slot+1, mark(hash)) }

// seek returns the first slot with a mark at or after i; -1 if there is none before the next free slot.
func (x *index) seek(i int, mark uint8) int {
	for ; ; i++ {
		if i == len(x.marks) {
			i = 0
		}
		switch x.marks[i] {
		case 0:
			return -1
		case mark:
			return i
		}
	}
}

// put adds to the index the string that begins at offset in texts. The index must not contain it yet.
func (x *index) put(texts *StringList, offset uint32) {
	if x.len+1 > len(x.slots)/8*7 {
		x.grow(texts)
	}
	x.insert(x.hash(x.seed, texts.text(offset)), offset)
	x.len++
}

// insert writes an offset to the first free slot for a hash.
func (x *index) insert(hash uint64, offset uint32) {
	free := x.home(hash)
	for x.marks[free] != 0 {
		if free++; free == len(x.marks) {
			free = 0
		}
	}
	x.marks[free], x.slots[free] = mark(hash), offset
}

// home returns the slot where the search for a hash begins. It depends on other bits of the
// hash than the mark.
func (x *index) home(hash uint64) int {
	hi, _ := bits.Mul64(hash, uint64(len(x.slots)))
	return int(hi)
}

// mark returns the mark of a hash, which is never 0.
func mark(hash uint64) uint8 { return uint8(hash) | 1 }

// grow makes the index larger by half.
func (x *index) grow(texts *StringList) {
	x.resize(texts, max(16, min(len(x.slots)/2*3, math.MaxInt32)))
}

// reserve makes the index large enough for n strings.
func (x *index) reserve(texts *StringList, n int) {
	if size := max(16, n/6*7+8); size > len(x.slots) {
		x.resize(texts, size)
	}
}

// resize moves all strings to an index with another number of slots.
func (x *index) resize(texts *StringList, size int) {
	marks, slots := x.marks, x.slots
	x.marks, x.slots = make([]uint8, size), make([]uint32, size)
	for i, m := range marks {
		if m != 0 {
			x.insert(x.hash(x.seed, texts.text(slots[i])), slots[i])
		}
	}
}
