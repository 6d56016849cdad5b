package origin

import (
	"encoding/binary"
	"sort"
	"strings"
)

// StringList is a list of strings that can hold millions of origins. The strings are stored in
// a few large blocks, which contain no pointers for the garbage collector to follow. The other
// methods are safe for concurrent use if nothing is appended at the same time. The zero value
// and nil are empty.
type StringList struct {
	blocks      []string         // each string follows its length, a uvarint
	last        *strings.Builder // the last block
	checkpoints []uint32         // the offset of each 64th string
	len         int
}

// The offset of a string is the number of its block, shifted by blockBits, plus its byte offset in
// the block. Later strings have greater offsets.
const (
	blockBits          = 20
	blockSize          = 1 << blockBits
	maxBlocks          = 1 << (32 - blockBits)
	checkpointInterval = 64
)

// Len returns the number of strings.
func (t *StringList) Len() int {
	if t == nil {
		return 0
	}
	return t.len
}

// At returns a copy of the string with an index.
func (t *StringList) At(i int) string {
	offset := t.checkpoints[i/checkpointInterval]
	for range i % checkpointInterval {
		_, offset = t.read(offset)
	}
	return strings.Clone(t.text(offset))
}

// All iterates over the strings, which share the list's memory.
func (t *StringList) All(yield func(i int, text string) bool) {
	offset, text := uint32(0), ""
	for i := range t.Len() {
		if text, offset = t.read(offset); !yield(i, text) {
			return
		}
	}
}

// index returns the index of the string at an offset.
func (t *StringList) index(offset uint32) int {
	group := sort.Search(len(t.checkpoints), func(i int) bool { return t.checkpoints[i] > offset }) - 1
	i := group * checkpointInterval
	for at := t.checkpoints[group]; at != offset; i++ {
		_, at = t.read(at)
	}
	return i
}

// text returns the string at an offset.
func (t *StringList) text(offset uint32) string {
	block := t.blocks[offset>>blockBits][offset&(blockSize-1):]
	if n := block[0]; n < 0x80 {
		return block[1 : 1+n]
	}
	n := int(block[0]&0x7f) | int(block[1])<<7 // MaxLen fits in two bytes
	return block[2 : 2+n]
}

// read returns the string at an offset, and the offset of the next one.
func (t *StringList) read(offset uint32) (text string, next uint32) {
	text = t.text(offset)
	next = offset + 1 + uint32(len(text))
	if len(text) >= 0x80 {
		next++
	}
	if int(next&(blockSize-1)) >= len(t.blocks[offset>>blockBits]) {
		next = (offset>>blockBits + 1) << blockBits
	}
	return text, next
}

// Append appends a string. It returns false if the string is longer than MaxLen or the list is
// full, which it is at 4 GiB. A full block is never copied; the first block starts small and
// grows, so that a short list takes little memory.
func (t *StringList) Append(s string) bool {
	_, ok := t.append(s)
	return ok
}

// AppendBytes is Append for a string in a byte slice.
func (t *StringList) AppendBytes(s []byte) bool {
	offset, ok := t.begin(len(s))
	if ok {
		t.last.Write(s)
		t.end(offset)
	}
	return ok
}

func (t *StringList) append(s string) (offset uint32, ok bool) {
	if offset, ok = t.begin(len(s)); ok {
		t.last.WriteString(s)
		t.end(offset)
	}
	return offset, ok
}

// begin writes the length of a string, and returns the string's offset.
func (t *StringList) begin(n int) (offset uint32, ok bool) {
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
	offset = uint32(len(t.blocks)-1)<<blockBits + uint32(t.last.Len())
	var length [binary.MaxVarintLen64]byte
	t.last.Write(binary.AppendUvarint(length[:0], uint64(n)))
	return offset, true
}

// end records the string that was written at an offset.
func (t *StringList) end(offset uint32) {
	t.blocks[len(t.blocks)-1] = t.last.String()
	if t.len%checkpointInterval == 0 {
		t.checkpoints = append(t.checkpoints, offset)
	}
	t.len++
}
