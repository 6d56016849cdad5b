package origin

import (
	"encoding/binary"
	"sort"
	"strings"
)

// Texts is a list of texts, of which there may be millions: they stand in a few large
// blocks, and the garbage collector has nothing to look through. Append is for one
// goroutine, before the list is shared; the rest is safe for concurrent use from then
// on. The zero value and nil are empty.
type Texts struct {
	blocks []string         // each text behind its length, a uvarint
	last   *strings.Builder // writes the last block
	every  []uint32         // the place of each 64th text
	len    int
}

// A text's place is block<<blockBits + offset. Places grow with the list.
const (
	blockBits  = 20
	blockSize  = 1 << blockBits
	maxBlocks  = 1 << (32 - blockBits)
	everyTexts = 64
)

// Len returns the number of texts.
func (t *Texts) Len() int {
	if t == nil {
		return 0
	}
	return t.len
}

// At returns a copy of the text of an index.
func (t *Texts) At(i int) string {
	place := t.every[i/everyTexts]
	for range i % everyTexts {
		_, place = t.read(place)
	}
	return strings.Clone(t.text(place))
}

// All ranges over the texts, which share the list's memory.
func (t *Texts) All(yield func(i int, text string) bool) {
	place, text := uint32(0), ""
	for i := range t.Len() {
		if text, place = t.read(place); !yield(i, text) {
			return
		}
	}
}

// index returns the index of the text at a place.
func (t *Texts) index(place uint32) int {
	group := sort.Search(len(t.every), func(i int) bool { return t.every[i] > place }) - 1
	i := group * everyTexts
	for at := t.every[group]; at != place; i++ {
		_, at = t.read(at)
	}
	return i
}

// text returns the text at a place.
func (t *Texts) text(place uint32) string {
	block := t.blocks[place>>blockBits][place&(blockSize-1):]
	if n := block[0]; n < 0x80 {
		return block[1 : 1+n]
	}
	n := int(block[0]&0x7f) | int(block[1])<<7 // MaxLen takes no third byte
	return block[2 : 2+n]
}

// read returns the text at a place, and the place of the next.
func (t *Texts) read(place uint32) (text string, next uint32) {
	text = t.text(place)
	next = place + 1 + uint32(len(text))
	if len(text) >= 0x80 {
		next++
	}
	if int(next&(blockSize-1)) >= len(t.blocks[place>>blockBits]) {
		next = (place>>blockBits + 1) << blockBits
	}
	return text, next
}

// Append adds a text to the last block, or to a new one. It reports false, and adds
// nothing, where the text is longer than MaxLen, or the list is full: that is at 4 GiB.
// A block that is full is never copied; the first one grows from little, for short
// lists.
func (t *Texts) Append(s string) bool {
	_, ok := t.append(s)
	return ok
}

// AppendBytes is Append.
func (t *Texts) AppendBytes(s []byte) bool {
	place, ok := t.begin(len(s))
	if ok {
		t.last.Write(s)
		t.end(place)
	}
	return ok
}

func (t *Texts) append(s string) (place uint32, ok bool) {
	if place, ok = t.begin(len(s)); ok {
		t.last.WriteString(s)
		t.end(place)
	}
	return place, ok
}

// begin writes the length of a text, and returns the place that it will have.
func (t *Texts) begin(n int) (place uint32, ok bool) {
	if n > MaxLen {
		return 0, false
	}
	if t.last == nil || t.last.Len()+binary.MaxVarintLen16+n > blockSize {
		if len(t.blocks) == maxBlocks {
			return 0, false
		}
		t.last = new(strings.Builder)
		if len(t.blocks) > 0 {
			t.last.Grow(blockSize)
		}
		t.blocks = append(t.blocks, "")
	}
	place = uint32(len(t.blocks)-1)<<blockBits + uint32(t.last.Len())
	var length [binary.MaxVarintLen64]byte
	t.last.Write(binary.AppendUvarint(length[:0], uint64(n)))
	return place, true
}

// end counts the text that was written at a place.
func (t *Texts) end(place uint32) {
	t.blocks[len(t.blocks)-1] = t.last.String()
	if t.len%everyTexts == 0 {
		t.every = append(t.every, place)
	}
	t.len++
}
