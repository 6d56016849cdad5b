package origin

import (
	"hash/maphash"
	"math"
	"math/bits"
)

// Table is a set of texts for millions of origins: one costs about 8 bytes more than
// its text. Add is for one goroutine, before the table is shared; Has and Len are safe
// for concurrent use from then on. A nil table is empty.
type Table struct {
	texts Texts
	index index
}

// NewTable returns an empty table.
func NewTable() *Table { return &Table{index: newIndex()} }

// Len returns the number of distinct texts.
func (t *Table) Len() int {
	if t == nil {
		return 0
	}
	return t.texts.len
}

// Has reports whether a text was added. It does not allocate.
func (t *Table) Has(s string) bool {
	if t == nil {
		return false
	}
	_, found := t.index.find(&t.texts, s)
	return found
}

// Add adds a text, which may be there already. It reports false, and adds nothing,
// where the text is longer than MaxLen, or the table is full.
func (t *Table) Add(s string) bool {
	if t.Has(s) {
		return true
	}
	place, ok := t.texts.append(s)
	if ok {
		t.index.put(&t.texts, place)
	}
	return ok
}

// index finds texts of a list: open addressing with linear probing. A slot's mark is 0
// where it is free, and otherwise a byte of the text's hash, which tells most others
// apart without a look at the text.
type index struct {
	seed  maphash.Seed // so that nobody can choose texts that collide
	marks []uint8
	slots []uint32 // the place of a text
	len   int
}

func newIndex() index { return index{seed: maphash.MakeSeed()} }

// find returns the place of a text.
func (x *index) find(texts *Texts, s string) (place uint32, ok bool) {
	if x.len == 0 || len(s) > MaxLen { // before a long value is hashed
		return 0, false
	}
	hash := maphash.String(x.seed, s)
	m := mark(hash)
	for i := x.home(hash); ; i++ {
		if i == len(x.marks) {
			i = 0
		}
		switch x.marks[i] {
		case 0:
			return 0, false
		case m:
			if texts.text(x.slots[i]) == s {
				return x.slots[i], true
			}
		}
	}
}

// put adds the text at a place, which find does not find.
func (x *index) put(texts *Texts, place uint32) {
	if x.len+1 > len(x.slots)/8*7 {
		x.grow(texts)
	}
	x.place(maphash.String(x.seed, texts.text(place)), place)
	x.len++
}

func (x *index) place(hash uint64, place uint32) {
	free := x.home(hash)
	for x.marks[free] != 0 {
		if free++; free == len(x.marks) {
			free = 0
		}
	}
	x.marks[free], x.slots[free] = mark(hash), place
}

// home is where the search for a hash begins. The mark is of other bits.
func (x *index) home(hash uint64) int {
	hi, _ := bits.Mul64(hash, uint64(len(x.slots)))
	return int(hi)
}

func mark(hash uint64) uint8 { return uint8(hash) | 1 }

// grow makes the index half as large again.
func (x *index) grow(texts *Texts) {
	x.resize(texts, max(16, min(len(x.slots)/2*3, math.MaxInt32)))
}

// reserve makes room for so many texts.
func (x *index) reserve(texts *Texts, n int) {
	if size := max(16, n/6*7+8); size > len(x.slots) {
		x.resize(texts, size)
	}
}

func (x *index) resize(texts *Texts, size int) {
	marks, slots := x.marks, x.slots
	x.marks, x.slots = make([]uint8, size), make([]uint32, size)
	for i, m := range marks {
		if m != 0 {
			x.place(maphash.String(x.seed, texts.text(slots[i])), slots[i])
		}
	}
}
