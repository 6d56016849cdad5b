package origin

import (
	"fmt"
	"strings"
	"testing"
)

// TestStringList: a list returns the appended strings in their order, by index and by offset,
// also at the edges of its blocks.
func TestStringList(t *testing.T) {
	t.Parallel()
	for _, length := range []int{0, 1, 30, 126, 127, 128, MaxLen} {
		texts, want, offsets := &StringList{}, []string(nil), []uint32(nil)
		for i := 0; len(texts.blocks) < 3 && i < 200_000; i++ {
			s := fmt.Sprint(i)
			s += strings.Repeat("x", max(0, min(length, MaxLen)-len(s)))
			offset, ok := texts.append(s)
			if !ok {
				t.Fatalf("%d texts of %d bytes, and no more", i, length)
			}
			want, offsets = append(want, s), append(offsets, offset)
		}
		if texts.Len() != len(want) {
			t.Fatalf("%d texts, want %d", texts.Len(), len(want))
		}
		n := 0
		for i, s := range texts.All {
			if i != n || s != want[i] {
				t.Fatalf("text %d of %d: %d %q, want %q", n, len(want), i, s, want[n])
			}
			n++
		}
		if n != len(want) {
			t.Errorf("%d texts in a row, want %d", n, len(want))
		}
		for i := 0; i < len(want); i += 1 + i%97 {
			if s := texts.At(i); s != want[i] || texts.index(offsets[i]) != i {
				t.Fatalf("text %d: %q at %d, want %q", i, s, texts.index(offsets[i]), want[i])
			}
		}
	}
	for range (*StringList)(nil).All {
		t.Error("a text of none")
	}
}
