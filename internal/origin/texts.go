package origin

import (
	"encoding/binary"
	"sort"
)

// Texts is a list of texts, of which there may be millions: they stand in a few large
// blocks, and the garbage collector has nothing to look through. Append is for one
// goroutine, before the list is shared; the rest is safe for concurrent use from then
// on. The zero value and nil are empty.
type Texts struct {
	blocks [][]byte // each text behind its length, a uvarint
	every  []uint32 // the place of each 64th text
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

// At returns the text of an index.
func (t *Texts) At(i int) string {
	place := t.every[i/everyTexts]
	for range i % everyTexts {
		_, place = t.read(place)
	}
	text, _ := t.read(place)
	return string(text)
}

// All ranges over the texts. Those of up to 1 MiB share memory.
func (t *Texts) All(yield func(i int, text string) bool) {
	place := uint32(0)
	var block string
	for i := range t.Len() {
		if place&(blockSize-1) == 0 {
			block = string(t.blocks[place>>blockBits])
		}
		offset := int(place & (blockSize - 1))
		text, next := t.read(place)
		end := offset + t.width(place) + len(text)
		if !yield(i, block[end-len(text):end]) {
			return
		}
		place = next
	}
}

// width is the size of the length in front of the text at a place.
func (t *Texts) width(place uint32) int {
	_, width := binary.Uvarint(t.blocks[place>>blockBits][place&(blockSize-1):])
	return width
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
func (t *Texts) text(place uint32) []byte {
	block := t.blocks[place>>blockBits][place&(blockSize-1):]
	n, width := binary.Uvarint(block)
	return block[width : width+int(n)]
}

// read returns the text at a place, and the place of the next.
func (t *Texts) read(place uint32) (text []byte, next uint32) {
	text = t.text(place)
	next = place + uint32(t.width(place)+len(text))
	if int(next&(blockSize-1)) >= len(t.blocks[place>>blockBits]) || next&(blockSize-1) == 0 {
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
	_, ok := appendText(t, s)
	return ok
}

func (t *Texts) append(s string) (place uint32, ok bool) { return appendText(t, s) }

func appendText[T string | []byte](t *Texts, s T) (place uint32, ok bool) {
	if len(s) > MaxLen {
		return 0, false
	}
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
	if t.len%everyTexts == 0 {
		t.every = append(t.every, place)
	}
	t.len++
	return place, true
}
